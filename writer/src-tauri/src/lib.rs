//! Extrophi's Writer as a desktop program: what touches the machine. All else is the page, which is the browser's, too.
//!
//! The page reaches the machine by the commands of `commands.rs` alone, each granted to it by name in
//! `capabilities/main.json`; and it reaches Extrophi by one of them (`ask`), so that no key is ever in the page.

mod commands;
mod drafts;
mod endings;
mod home;
mod links;
mod notices;
mod problem;
mod remembered;
mod secrets;
mod services;

use std::{path::Path, time::Duration};

use tauri::{
    AppHandle, Manager, RunEvent, Url, WebviewUrl, WebviewWindowBuilder, WindowEvent, webview::NewWindowResponse,
};
use tauri_plugin_deep_link::DeepLinkExt;
use tauri_plugin_window_state::StateFlags;

use crate::{
    drafts::Drafts,
    notices::{Notice, Notices},
    remembered::Memory,
    services::Services,
};

const MAIN: &str = "main";
/// How long the page may take to save what was written last. It is kept in any case.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// # Panics
/// When the system lends no window: then there is nobody to tell.
pub fn run() {
    let app = tauri::Builder::default()
        // First, as its documentation wants: one that is not the only one ends here.
        .plugin(tauri_plugin_single_instance::init(|app, arguments, folder| {
            open(app, &arguments, Path::new(&folder));
            if let Some(window) = app.get_webview_window(MAIN) {
                let _ = window.unminimize();
                let _ = window.set_focus();
            }
        }))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_dialog::init())
        .plugin(
            tauri_plugin_window_state::Builder::default()
                .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
                .build(),
        )
        .invoke_handler(commands::all())
        .setup(|app| {
            set_up(app)?;
            Ok(())
        })
        .on_window_event(|window, event| {
            if let WindowEvent::CloseRequested { api, .. } = event {
                close(window.app_handle(), api);
            }
        })
        .build(tauri::generate_context!())
        .expect("the system gives a program a window");
    app.run(|app, event| {
        if let RunEvent::Exit = event {
            app.state::<Services>().end(&app.state::<Memory>());
        }
        #[cfg(target_os = "macos")]
        if let RunEvent::Opened { urls } = event {
            let files: Vec<String> = urls.iter().map(ToString::to_string).collect();
            open_all(app, files.iter().map(String::as_str), Path::new("/"));
        }
    });
}

fn set_up(app: &mut tauri::App) -> Result<(), Box<dyn std::error::Error>> {
    let paths = app.path();
    let memory = Memory::at(paths.app_config_dir()?.join("desktop.json"));
    let log = paths.app_log_dir()?.join("extrophi-up.log");
    let services = Services::new(home::path(&paths.data_dir()?), log)?;
    let remembered = memory.get();
    let drafts = Drafts::default();
    if let Some(folder) = &remembered.folder {
        // A folder that is away (a disk that is not plugged in) is chosen anew, or comes back at the next start.
        let _ = drafts.choose(folder);
    }
    for file in &remembered.opened {
        let _ = drafts.open(file);
    }
    app.manage(memory);
    app.manage(services);
    app.manage(drafts);
    app.manage(Notices::default());

    let handle = app.handle().clone();
    app.deep_link().on_open_url(move |event| {
        for url in event.urls() {
            open_all(&handle, [url.as_str()], Path::new("/"));
        }
    });
    // What is installed is registered by its package. What is built here says so itself.
    #[cfg(all(debug_assertions, target_os = "linux"))]
    if let Err(error) = app.deep_link().register_all() {
        eprintln!("extrophi:// is not registered: {error}");
    }
    commands::watch(app.handle());
    let arguments: Vec<String> = std::env::args().collect();
    open(app.handle(), &arguments, &std::env::current_dir()?);

    WebviewWindowBuilder::new(app, MAIN, WebviewUrl::default())
        .title("Extrophi")
        .inner_size(1_200.0, 800.0)
        .min_inner_size(360.0, 400.0)
        // What is dropped goes to the page: files into the library, passages into the draft.
        .disable_drag_drop_handler()
        .on_navigation(is_ours)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_document_title_changed(|window, title| {
            let _ = window.set_title(&title);
        })
        .build()?;
    Ok(())
}

/// The page goes nowhere else: what is outside opens in the system's browser. Frames show what they were given.
fn is_ours(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => url.host_str() == Some("tauri.localhost"), // Windows
        "about" | "blob" => true,
        _ => false,
    }
}

/// What the system hands us: links, and files from the file manager. The first argument is the program.
fn open(app: &AppHandle, arguments: &[String], folder: &Path) {
    open_all(app, arguments.iter().skip(1).map(String::as_str), folder);
}

fn open_all<'a>(app: &AppHandle, given: impl IntoIterator<Item = &'a str>, folder: &Path) {
    let notices = app.state::<Notices>();
    for one in given {
        if one.starts_with('-') {
            continue;
        }
        let is_link = one.split_once(':').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case(links::SCHEME));
        if is_link {
            if let Some(route) = links::route(one) {
                notices.tell(Notice::Opened { route });
            }
            continue;
        }
        let file = Url::parse(one)
            .ok()
            .filter(|url| url.scheme() == "file")
            .and_then(|url| url.to_file_path().ok())
            .unwrap_or_else(|| folder.join(one));
        notices.tell(match commands::open_file(app, &file) {
            Ok(id) => Notice::OpenedFile { id },
            Err(problem) => Notice::Problem { problem },
        });
    }
}

/// The page saves what was written last, and says so (`leave`); should it not, the window closes all the same.
fn close(app: &AppHandle, api: &tauri::CloseRequestApi) {
    let notices = app.state::<Notices>();
    if notices.is_heard() {
        api.prevent_close();
        notices.tell(Notice::Closing);
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            tokio::time::sleep(LAST_WORDS).await;
            leave(&app);
        });
    }
}

fn leave(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(MAIN) {
        let _ = window.destroy();
    }
}
