use std::{
    fs,
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Drafts;

/// A folder with a draft `notes/a.md`, beside a file that is nobody's business.
fn made() -> (TempDir, Drafts) {
    let base = tempfile::tempdir().unwrap();
    let root = base.path().join("drafts");
    fs::create_dir_all(root.join("notes")).unwrap();
    fs::write(root.join("notes/a.md"), "one\n").unwrap();
    fs::write(base.path().join("secret.md"), "secret\n").unwrap();
    let drafts = Drafts::default();
    drafts.choose(&root).unwrap();
    (base, drafts)
}

fn none() -> Value {
    json!([])
}

fn text_of(base: &TempDir, path: &str) -> String {
    fs::read_to_string(base.path().join("drafts").join(path)).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut found: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    found.sort();
    found
}

#[test]
fn a_draft_is_saved_over_what_was_read() {
    let (base, drafts) = made();
    let seen = drafts.read("notes/a.md").unwrap();
    let stamp = drafts.write("notes/a.md", "two\n", &none(), &seen.stamp).unwrap();
    assert_eq!(text_of(&base, "notes/a.md"), "two\n");
    assert_eq!(drafts.read("notes/a.md").unwrap().stamp, stamp);
    assert_eq!(names(&base.path().join("drafts/notes")), ["a.md"]); // nothing is left lying about
}

#[test]
fn a_file_that_changed_meanwhile_is_not_written_over() {
    let (base, drafts) = made();
    let seen = drafts.read("notes/a.md").unwrap();
    fs::write(base.path().join("drafts/notes/a.md"), "theirs\n").unwrap();
    let refused = drafts.write("notes/a.md", "mine\n", &none(), &seen.stamp).unwrap_err();
    assert_eq!(refused.code, "draft_changed");
    assert_eq!(text_of(&base, "notes/a.md"), "theirs\n");
}

#[test]
fn so_is_one_whose_bibliography_changed() {
    let (base, drafts) = made();
    let seen = drafts.read("notes/a.md").unwrap();
    fs::write(base.path().join("drafts/notes/a.bib.json"), r#"[{"id": "theirs"}]"#).unwrap();
    let refused = drafts.write("notes/a.md", "mine\n", &none(), &seen.stamp).unwrap_err();
    assert_eq!(refused.code, "draft_changed");
}

#[test]
fn the_bibliography_lies_beside_the_draft_once_there_is_one() {
    let (base, drafts) = made();
    let seen = drafts.read("notes/a.md").unwrap();
    let stamp = drafts.write("notes/a.md", "two\n", &none(), &seen.stamp).unwrap();
    assert_eq!(names(&base.path().join("drafts/notes")), ["a.md"]);
    let references = json!([{"id": "holm2024", "type": "webpage", "custom": {"z": 1, "a": 2}}]);
    drafts.write("notes/a.md", "two [@holm2024]\n", &references, &stamp).unwrap();
    let beside = text_of(&base, "notes/a.bib.json");
    assert_eq!(serde_json::from_str::<Value>(&beside).unwrap(), references);
    assert!(beside.find("\"z\"") < beside.find("\"a\"")); // as it was given
    assert_eq!(drafts.read("notes/a.md").unwrap().references, references);
}

#[test]
fn a_bibliography_that_is_none_is_told_and_kept() {
    let (base, drafts) = made();
    for broken in ["{ half", "{}", "[1]", r#"[{"title": "no id"}]"#] {
        fs::write(base.path().join("drafts/notes/a.bib.json"), broken).unwrap();
        assert_eq!(drafts.read("notes/a.md").unwrap_err().code, "bibliography_unreadable");
        assert_eq!(text_of(&base, "notes/a.bib.json"), broken);
    }
}

#[test]
fn line_endings_and_the_mark_survive() {
    let (base, drafts) = made();
    let path = base.path().join("drafts/notes/a.md");
    fs::write(&path, "\u{feff}one\r\ntwo\r\n").unwrap();
    let seen = drafts.read("notes/a.md").unwrap();
    assert_eq!(seen.text, "one\ntwo\n");
    drafts.write("notes/a.md", "one\nnew\ntwo\n", &none(), &seen.stamp).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "\u{feff}one\r\nnew\r\ntwo\r\n");
}

#[test]
fn another_encoding_is_not_touched() {
    let (base, drafts) = made();
    fs::write(base.path().join("drafts/notes/a.md"), b"caf\xe9\n").unwrap();
    assert_eq!(drafts.read("notes/a.md").unwrap_err().code, "not_utf8");
}

#[test]
fn a_file_that_is_being_written_is_read_when_it_is_whole() {
    let (base, drafts) = made();
    let path = base.path().join("drafts/notes/a.md");
    for round in 0..10 {
        let mut file = fs::File::create(&path).unwrap(); // it is empty now
        let rest = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            file.write_all(format!("whole {round}\n").as_bytes()).unwrap();
        });
        assert_eq!(drafts.read("notes/a.md").unwrap().text, format!("whole {round}\n"));
        rest.join().unwrap();
    }
}

#[test]
fn a_file_that_was_taken_away_can_be_written_again() {
    let (base, drafts) = made();
    let path = base.path().join("drafts/notes/a.md");
    assert_eq!(drafts.write("notes/a.md", "x", &none(), "").unwrap_err().code, "draft_exists");
    fs::remove_file(&path).unwrap();
    assert_eq!(drafts.read("notes/a.md").unwrap_err().code, "file_missing");
    drafts.write("notes/a.md", "back\n", &none(), "").unwrap();
    assert_eq!(text_of(&base, "notes/a.md"), "back\n");
}

#[test]
fn permissions_stay_and_a_link_stays_a_link() {
    let (base, drafts) = made();
    let root = base.path().join("drafts");
    fs::set_permissions(root.join("notes/a.md"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("notes/a.md", root.join("link.md")).unwrap();
    let seen = drafts.read("link.md").unwrap();
    drafts.write("link.md", "by the link\n", &none(), &seen.stamp).unwrap();
    assert!(fs::symlink_metadata(root.join("link.md")).unwrap().is_symlink());
    assert_eq!(text_of(&base, "notes/a.md"), "by the link\n");
    let mode = fs::metadata(root.join("notes/a.md")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn what_may_only_be_read_is_not_replaced() {
    let (base, drafts) = made();
    let path = base.path().join("drafts/notes/a.md");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let seen = drafts.read("notes/a.md").unwrap();
    assert!(!seen.writable);
    assert_eq!(drafts.write("notes/a.md", "x", &none(), &seen.stamp).unwrap_err().code, "file_forbidden");
}

#[test]
fn no_id_leads_out_of_the_folder() {
    let (base, drafts) = made();
    let root = base.path().join("drafts");
    symlink("../secret.md", root.join("out.md")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("/etc/passwd", root.join("notes/passwd.md")).unwrap();
    fs::create_dir(root.join(".git")).unwrap();
    fs::write(root.join(".git/config.md"), "x").unwrap();
    fs::write(root.join("plain.txt"), "x").unwrap();
    for id in [
        "",
        "/",
        "..",
        "../secret.md",
        "notes/../../secret.md",
        "out.md",
        "up/secret.md",
        "notes/passwd.md",
        "/etc/passwd",
        "notes",
        "./notes/a.md",
        "notes//a.md",
        "notes/./a.md",
        ".git/config.md",
        "plain.txt",
        "notes\\a.md",
        "~",
        "~0123",
        "notes/a.md\0",
        "no/such.md",
    ] {
        assert!(drafts.read(id).is_err(), "{id:?}");
        assert!(drafts.write(id, "x", &none(), "seen").is_err(), "{id:?}");
        assert!(drafts.write(id, "x", &none(), "").is_err(), "{id:?}");
    }
    assert_eq!(fs::read_to_string(base.path().join("secret.md")).unwrap(), "secret\n");
    let ids: Vec<String> = drafts.list().unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(ids, ["notes/a.md"]);
}

#[test]
fn a_bibliography_that_is_a_link_is_not_followed() {
    let (base, drafts) = made();
    symlink("../../secret.md", base.path().join("drafts/notes/a.bib.json")).unwrap();
    assert_eq!(drafts.read("notes/a.md").unwrap_err().code, "outside_the_folder");
}

#[test]
fn a_file_from_elsewhere_opens_at_the_persons_word_alone() {
    let (base, drafts) = made();
    let id = drafts.open(&base.path().join("secret.md")).unwrap();
    assert_eq!(drafts.read(&id).unwrap().text, "secret\n");
    assert_eq!(drafts.open(&base.path().join("drafts/notes/a.md")).unwrap(), "notes/a.md");
    assert!(Drafts::default().read(&id).is_err());
    assert_eq!(drafts.open(Path::new("/etc/passwd")).unwrap_err().code, "not_a_draft");
    // Another file in its place was never opened.
    fs::remove_file(base.path().join("secret.md")).unwrap();
    symlink("drafts/notes/a.md", base.path().join("secret.md")).unwrap();
    assert!(drafts.read(&id).is_err());
}

#[test]
fn a_new_draft_has_a_name_of_its_own() {
    let (base, drafts) = made();
    for (name, wanted) in [
        ("A plan", "A plan.md"),
        ("A plan", "A plan 2.md"),
        ("../../etc/passwd", "etc passwd.md"),
        ("  ", "Draft.md"),
        ("a:b?\n*c", "a b c.md"),
        (".hidden", "hidden.md"),
    ] {
        assert_eq!(drafts.create(name).unwrap().id, wanted, "{name:?}");
        assert!(base.path().join("drafts").join(wanted).exists());
    }
    let long = drafts.create(&"ü".repeat(500)).unwrap();
    assert!(long.id.len() < 100);
    assert_eq!(Drafts::default().create("x").unwrap_err().code, "no_folder");
}

#[test]
fn images_lie_beside_the_draft() {
    let (base, drafts) = made();
    let name = drafts.put_image("notes/a.md", b"bytes", "png").unwrap();
    assert_eq!(name, "277089d91c0bdf4f.png"); // as the server names it: SHA-256
    assert_eq!(drafts.image("notes/a.md", &name).unwrap(), b"bytes");
    assert!(base.path().join("drafts/notes/images").join(&name).exists());
    assert!(drafts.put_image("notes/a.md", b"bytes", "svg").is_err());
    for wrong in ["../a.md", "277089d91c0bdf4f.png/..", "", "x.png", "0000000000000000.png"] {
        assert!(drafts.image("notes/a.md", wrong).is_err(), "{wrong}");
    }
    let link = base.path().join("drafts/notes/images/1111111111111111.png");
    symlink("../../../secret.md", link).unwrap();
    assert!(drafts.image("notes/a.md", "1111111111111111.png").is_err());
}

#[test]
fn what_others_do_is_told() {
    let (base, drafts) = made();
    let (tell, told) = mpsc::channel();
    drafts
        .watch(move |id| {
            let _ = tell.send(id.to_owned());
        })
        .unwrap();
    let path = base.path().join("drafts/notes/a.md");
    let patience = Duration::from_secs(20);
    fs::write(&path, "changed\n").unwrap();
    assert_eq!(told.recv_timeout(patience).unwrap(), "notes/a.md");
    while told.try_recv().is_ok() {}
    // As most programs save: another file, renamed over it.
    fs::write(base.path().join("drafts/notes/.a.swp"), "renamed\n").unwrap();
    fs::rename(base.path().join("drafts/notes/.a.swp"), &path).unwrap();
    assert_eq!(told.recv_timeout(patience).unwrap(), "notes/a.md");
    while told.try_recv().is_ok() {}
    fs::write(base.path().join("drafts/notes/a.bib.json"), "[]").unwrap();
    assert_eq!(told.recv_timeout(patience).unwrap(), "notes/a.md");
}
