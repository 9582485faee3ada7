use tauri_build::{AppManifest, Attributes};

/// The commands that the page may call, one by one: each needs its grant in `capabilities/main.json`.
const COMMANDS: &[&str] = &[
    "listen",
    "find",
    "start",
    "choose_program",
    "connect",
    "ask",
    "cancel",
    "open_outside",
    "save_file",
    "leave",
    "folder",
    "choose_folder",
    "list_drafts",
    "read_draft",
    "write_draft",
    "create_draft",
    "put_image",
    "read_image",
];

fn main() {
    let attributes = Attributes::new().app_manifest(AppManifest::new().commands(COMMANDS));
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("{error:#}");
    }
}
