//! Drafts that are files: in the folder that the person chose, or opened one by one from the file manager.
//!
//! The file is the master, and anybody may change it. Who writes says which content they saw (`stamp`), and is refused
//! when the file has another by then. The page names files by ids, never by paths: `notes/a.md` below the folder,
//! or `~` and a digest for one that was opened by itself.

use std::{
    fs,
    io::{self, Write},
    path::{Component, Path, PathBuf},
    sync::{Mutex, MutexGuard},
    thread,
    time::{Duration, UNIX_EPOCH},
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::{
    endings,
    problem::{Problem, Result},
};

const ENDINGS: [&str; 2] = ["md", "markdown"];
/// The bibliography of `name.md` lies beside it, as CSL-JSON: Pandoc reads it by this name (`bibliography: name.bib.json`).
const BIBLIOGRAPHY: &str = "bib.json";
/// Where the images of a draft lie, beside it: the text names them `images/<name>`.
const IMAGES: &str = "images";
/// A folder with more is somebody's disk, not their drafts.
const MOST_FILES: usize = 10_000;
/// A file that was written so long ago is whole.
const REST: Duration = Duration::from_millis(150);
const MOST_LOOKS: u32 = 20;
const MOST_BYTES: u64 = 32_000_000; // as the server has it for a draft

#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct FileDraft {
    pub id: String,
    pub name: String,
    /// Milliseconds since 1970.
    pub modified_at: u64,
}

#[derive(Debug, Serialize)]
pub struct ReadDraft {
    pub text: String,
    /// CSL-JSON, an array.
    pub references: Value,
    pub stamp: String,
    /// Whether it may be written.
    pub writable: bool,
}

#[derive(Default)]
pub struct Drafts {
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    /// The folder, with all links on the way to it followed.
    root: Option<PathBuf>,
    /// Files opened by themselves, likewise.
    opened: Vec<PathBuf>,
    watcher: Option<RecommendedWatcher>,
}

impl Drafts {
    fn places(&self) -> MutexGuard<'_, Places> {
        // Who panicked while holding it left whole paths behind.
        self.places.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn folder(&self) -> Option<PathBuf> {
        self.places().root.clone()
    }

    /// Make a folder the person's. What was watched before is not any more: call `watch` again.
    pub fn choose(&self, folder: &Path) -> Result<PathBuf> {
        let root = folder.canonicalize().map_err(|error| Problem::disk(folder, &error))?;
        if !root.is_dir() {
            return Err(Problem::new(
                422,
                "not_a_folder",
                "That is no folder",
                format!("{} is a file.", root.display()),
            ));
        }
        self.places().root = Some(root.clone());
        Ok(root)
    }

    /// Open a file by itself, at the person's word. Gives its id, which is one of the folder's if it lies in there.
    pub fn open(&self, file: &Path) -> Result<String> {
        let path = file.canonicalize().map_err(|error| Problem::disk(file, &error))?;
        if !path.is_file() || !is_markdown(&path) {
            return Err(Problem::new(
                422,
                "not_a_draft",
                "That is no draft",
                format!("{} is no Markdown file.", path.display()),
            )
            .with_hint("Files that end in .md or .markdown can be opened."));
        }
        let mut places = self.places();
        if let Some(id) = places.id_in_folder(&path) {
            return Ok(id);
        }
        if !places.opened.contains(&path) {
            places.opened.push(path.clone());
        }
        Ok(id_of_opened(&path))
    }

    /// Files that were opened by themselves, for the next start.
    pub fn opened(&self) -> Vec<PathBuf> {
        self.places().opened.clone()
    }

    pub fn list(&self) -> Result<Vec<FileDraft>> {
        let places = self.places();
        let mut found: Vec<FileDraft> =
            places.opened.iter().filter_map(|path| file_draft(path, id_of_opened(path))).collect();
        if let Some(root) = &places.root {
            fs::read_dir(root).map_err(|error| Problem::disk(root, &error))?;
            let walk = WalkDir::new(root)
                .follow_links(false)
                .into_iter()
                .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.path()));
            found.extend(
                walk.filter_map(std::result::Result::ok)
                    .filter(|entry| !entry.file_type().is_dir() && is_markdown(entry.path()))
                    .filter_map(|entry| {
                        let id = relative_id(root, entry.path())?;
                        // A link that leads out of the folder is not listed, as it could not be opened.
                        let path = within(root, entry.path()).ok()?;
                        file_draft(&path, id)
                    })
                    .take(MOST_FILES),
            );
        }
        found.sort_by(|one, other| other.modified_at.cmp(&one.modified_at).then_with(|| one.id.cmp(&other.id)));
        Ok(found)
    }

    pub fn read(&self, id: &str) -> Result<ReadDraft> {
        let path = self.places().path(id)?;
        come_to_rest(&path);
        let state = State::read(&path)?;
        Ok(ReadDraft {
            text: endings::as_editors_have(state.text()?),
            references: state.references(&path)?,
            stamp: state.stamp(),
            writable: is_writable(&path),
        })
    }

    /// Save a draft, unless its file changed since the editor read it (`draft_changed`). Gives the new stamp.
    ///
    /// The new text is written beside the old and renamed over it: a crash leaves one or the other, whole. Between the
    /// look and the rename lies a moment in which another program's change would be lost; no file system can close it.
    pub fn write(&self, id: &str, text: &str, references: &Value, seen: &str) -> Result<String> {
        if seen.is_empty() {
            return self.write_anew(id, text, references);
        }
        let path = self.places().path(id)?;
        if !is_writable(&path) {
            return Err(Problem::new(
                403,
                "file_forbidden",
                "The file is closed to you",
                format!("{} may only be read.", path.display()),
            )
            .with_hint("Allow yourself to write it. What you write is kept in the program."));
        }
        let before = State::read(&path)?;
        if before.stamp() != seen {
            return Err(Problem::new(
                412,
                "draft_changed",
                "The file was changed meanwhile",
                format!("{} is not what it was when you began.", path.display()),
            ));
        }
        let mut after =
            State { text: endings::as_before(before.text()?, text), bibliography: before.bibliography.clone() };
        if *references != before.references(&path)? {
            let beside = bibliography_of(&path)?;
            let mut bytes =
                serde_json::to_vec_pretty(references).map_err(|error| Problem::disk(&beside, &error.into()))?;
            bytes.push(b'\n');
            // Before the text: what the text cites is then there.
            replace(&beside, &bytes)?;
            after.bibliography = Some(bytes);
        }
        if after.text != before.text {
            replace(&path, &after.text)?;
        }
        // Of what we wrote, and not of what is there: who waits for our change may have made another already.
        Ok(after.stamp())
    }

    /// Save a draft whose file was taken away while it was open, at its old place.
    fn write_anew(&self, id: &str, text: &str, references: &Value) -> Result<String> {
        let path = self.places().path_anew(id)?;
        match fs::File::create_new(&path) {
            Ok(_) => {
                let stamp = State { text: Vec::new(), ..State::read(&path)? }.stamp();
                self.write(id, text, references, &stamp)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Problem::new(
                412,
                "draft_exists",
                "The file is there again",
                format!("{} was made anew meanwhile.", path.display()),
            )),
            Err(error) => Err(Problem::disk(&path, &error)),
        }
    }

    /// An empty draft in the folder, called as near to `name` as may be.
    pub fn create(&self, name: &str) -> Result<FileDraft> {
        let places = self.places();
        let root = places.root.as_ref().ok_or_else(no_folder)?;
        let stem = file_stem(name);
        for number in 1..1_000 {
            let name = if number == 1 { format!("{stem}.md") } else { format!("{stem} {number}.md") };
            let path = root.join(&name);
            match fs::File::create_new(&path) {
                Ok(_) => return file_draft(&path, name).ok_or_else(no_folder),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
                Err(error) => return Err(Problem::disk(&path, &error)),
            }
        }
        Err(Problem::new(409, "name_taken", "The name is taken", format!("There are a thousand files called {stem}.")))
    }

    /// Keep an image beside the draft, under the name that the server would give it. Gives that name.
    pub fn put_image(&self, id: &str, bytes: &[u8], ending: &str) -> Result<String> {
        let path = self.places().path(id)?;
        if !["png", "jpg", "gif", "webp", "avif"].contains(&ending) {
            return Err(Problem::new(
                415,
                "not_an_image",
                "That is no image",
                "Images are PNG, JPEG, GIF, WebP or AVIF.",
            ));
        }
        let name = format!("{}.{ending}", &digest(&[bytes])[..16]);
        let folder = beside(&path)?.join(IMAGES);
        fs::create_dir_all(&folder).map_err(|error| Problem::disk(&folder, &error))?;
        replace(&self.image_path(&path, &name)?, bytes)?;
        Ok(name)
    }

    pub fn image(&self, id: &str, name: &str) -> Result<Vec<u8>> {
        let path = self.places().path(id)?;
        let image = self.image_path(&path, name)?;
        read_bounded(&image)
    }

    /// Where an image of a draft is. A link out of where the draft lies is refused.
    fn image_path(&self, draft: &Path, name: &str) -> Result<PathBuf> {
        let is_ours = name.split_once('.').is_some_and(|(stem, ending)| {
            stem.len() == 16
                && stem.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
                && ending.len() <= 4
                && ending.bytes().all(|byte| byte.is_ascii_lowercase())
        });
        if !is_ours {
            return Err(no_such(name));
        }
        let folder = beside(draft)?;
        let images = folder.join(IMAGES);
        let images = images.canonicalize().map_err(|error| Problem::disk(&images, &error))?;
        let bound = match &self.places().root {
            Some(root) if draft.starts_with(root) => root.clone(),
            _ => folder.to_path_buf(),
        };
        let image = images.join(name);
        let image = image.canonicalize().unwrap_or(image);
        if image.starts_with(&bound) { Ok(image) } else { Err(outside(name)) }
    }

    /// Tell of every draft that changes, by its id. One's own writes are told, too: their stamp is known.
    pub fn watch(&self, changed: impl Fn(&str) + Send + 'static) -> Result<()> {
        let mut places = self.places();
        let root = places.root.clone();
        let opened = places.opened.clone();
        let (in_root, in_opened) = (root.clone(), opened.clone());
        let tell = move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if matches!(event.kind, EventKind::Access(_)) {
                return;
            }
            for path in &event.paths {
                let path = draft_of(path);
                if in_opened.contains(&path) {
                    changed(&id_of_opened(&path));
                } else if let Some(root) = &in_root
                    && is_markdown(&path)
                    && let Some(id) = relative_id(root, &path)
                {
                    changed(&id);
                }
            }
        };
        let failed = |error: notify::Error| {
            Problem::new(
                500,
                "not_watched",
                "Changes from outside are not seen",
                format!("The folder cannot be watched: {error}."),
            )
            .with_hint("The file is looked at before each save all the same.")
        };
        places.watcher = None; // else the one before tells of folders that were left
        // A link may lead anywhere, and is no draft's folder in the list, either.
        let config = notify::Config::default().with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(tell, config).map_err(failed)?;
        // One that cannot be watched does not keep the others from being.
        let mut watched = root.as_ref().map_or(Ok(()), |root| watcher.watch(root, RecursiveMode::Recursive));
        for folder in opened.iter().filter_map(|path| path.parent()) {
            // A file that is replaced is another to the system: the folder tells of it by its name.
            watched = watched.and(watcher.watch(folder, RecursiveMode::NonRecursive));
        }
        places.watcher = Some(watcher);
        watched.map_err(failed)
    }
}

impl Places {
    /// The file of an id, all links followed. It lies in the folder, or was opened by the person.
    fn path(&self, id: &str) -> Result<PathBuf> {
        if id.starts_with('~') {
            let path = self.opened.iter().find(|path| id_of_opened(path) == id).ok_or_else(|| no_such(id))?;
            // A link may have been put in its place since: then it is another file, which nobody opened.
            let now = path.canonicalize().map_err(|error| Problem::disk(path, &error))?;
            return if now == *path { Ok(now) } else { Err(outside(id)) };
        }
        let root = self.root.as_ref().ok_or_else(no_folder)?;
        if !is_plain(id) {
            return Err(no_such(id));
        }
        let path = within(root, &root.join(id))?;
        if is_markdown(&path) { Ok(path) } else { Err(outside(id)) }
    }

    /// Where a file was that is not there any more: in a folder that still is, and not led out of it.
    fn path_anew(&self, id: &str) -> Result<PathBuf> {
        if id.starts_with('~') {
            let known = self.opened.iter().find(|path| id_of_opened(path) == id);
            return known.cloned().ok_or_else(|| no_such(id));
        }
        let root = self.root.as_ref().ok_or_else(no_folder)?;
        if !is_plain(id) {
            return Err(no_such(id));
        }
        let path = root.join(id);
        let name = path.file_name().ok_or_else(|| no_such(id))?;
        Ok(within(root, beside(&path)?)?.join(name))
    }

    fn id_in_folder(&self, path: &Path) -> Option<String> {
        let id = relative_id(self.root.as_ref()?, path)?;
        self.path(&id).is_ok().then_some(id)
    }
}

/// A draft's two files as they are on the disk.
struct State {
    text: Vec<u8>,
    bibliography: Option<Vec<u8>>,
}

impl State {
    fn read(path: &Path) -> Result<Self> {
        let beside = bibliography_of(path)?;
        let bibliography = match read_bounded(&beside) {
            Ok(bytes) => Some(bytes),
            Err(problem) if problem.status == 404 => None,
            Err(problem) => return Err(problem),
        };
        Ok(Self { text: read_bounded(path)?, bibliography })
    }

    fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.text).map_err(|_| {
            Problem::new(
                422,
                "not_utf8",
                "The file is no UTF-8",
                "It was written in another encoding, and would not survive being saved.",
            )
            .with_hint("Save it as UTF-8 in the program that wrote it.")
        })
    }

    fn references(&self, path: &Path) -> Result<Value> {
        let Some(bytes) = &self.bibliography else {
            return Ok(Value::Array(Vec::new()));
        };
        let found: Option<Value> = serde_json::from_slice(bytes).ok();
        found
            .filter(|value| value.as_array().is_some_and(|items| items.iter().all(|item| item["id"].is_string())))
            .ok_or_else(|| {
                let name = bibliography_of(path).unwrap_or_default();
                Problem::new(
                    422,
                    "bibliography_unreadable",
                    "The bibliography cannot be read",
                    format!("{} is no CSL-JSON.", name.display()),
                )
                .with_hint("Mend it, or move it away: it is not written over.")
            })
    }

    fn stamp(&self) -> String {
        let length = (self.text.len() as u64).to_be_bytes();
        let beside = self.bibliography.as_deref();
        digest(&[&length, &self.text, &[u8::from(beside.is_some())], beside.unwrap_or_default()])
    }
}

/// Wait, but not for ever, until nobody has written a file for a moment: who writes it in place empties it first.
fn come_to_rest(path: &Path) {
    for _ in 0..MOST_LOOKS {
        let age = fs::metadata(path).ok().and_then(|found| found.modified().ok()?.elapsed().ok());
        if age.is_none_or(|age| age >= REST) {
            return;
        }
        thread::sleep(REST / 3);
    }
}

/// Put bytes in the place of a file: written beside it, on the disk before it gets the name. Its permissions stay.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error: io::Error| Problem::disk(path, &error);
    let folder = beside(path)?;
    let mut made = tempfile::Builder::new();
    made.prefix(".extrophi-").suffix(".tmp");
    let mut file = match fs::metadata(path) {
        Ok(known) => {
            let file = made.tempfile_in(folder).map_err(failed)?;
            // As far as the file system lets us: on a stick it may belong to another, and have none of its own.
            let _ = file.as_file().set_permissions(known.permissions());
            file
        }
        Err(_) => {
            // As any program makes a file: what others may do with it is the person's own choice (umask).
            #[cfg(unix)]
            made.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
            made.tempfile_in(folder).map_err(failed)?
        }
    };
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    // The name is on the disk with its folder. Where folders cannot be opened (Windows), the system sees to it.
    #[cfg(unix)]
    match fs::File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems know nothing of that: the file is there all the same.
        Err(error) if !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Err(failed(error))
        }
        _ => Ok(()),
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    let size = fs::metadata(path).map_err(|error| Problem::disk(path, &error))?.len();
    if size > MOST_BYTES {
        return Err(Problem::new(
            413,
            "too_large",
            "The file is too large",
            format!("{} has more than 32 MB.", path.display()),
        ));
    }
    fs::read(path).map_err(|error| Problem::disk(path, &error))
}

/// A path with its links followed, which must not lead out of the folder.
fn within(root: &Path, path: &Path) -> Result<PathBuf> {
    let found = path.canonicalize().map_err(|error| Problem::disk(path, &error))?;
    if found.starts_with(root) { Ok(found) } else { Err(outside(&path.display().to_string())) }
}

/// Where the bibliography of a draft is. A link in its place is refused: it could lead anywhere.
fn bibliography_of(path: &Path) -> Result<PathBuf> {
    let beside = path.with_extension(BIBLIOGRAPHY);
    match fs::symlink_metadata(&beside) {
        Ok(found) if !found.is_file() => Err(outside(&beside.display().to_string())),
        _ => Ok(beside),
    }
}

/// The draft that a changed file belongs to: itself, or the one beside its bibliography.
fn draft_of(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match name.strip_suffix(&format!(".{BIBLIOGRAPHY}")) {
        Some(stem) => ENDINGS
            .iter()
            .map(|ending| path.with_file_name(format!("{stem}.{ending}")))
            .find(|draft| draft.exists())
            .unwrap_or_else(|| path.to_path_buf()),
        None => path.to_path_buf(),
    }
}

fn file_draft(path: &Path, id: String) -> Option<FileDraft> {
    let modified = fs::metadata(path).ok()?.modified().ok()?;
    let modified_at = modified.duration_since(UNIX_EPOCH).ok()?.as_millis();
    let shown = if id.starts_with('~') { path.file_name()?.to_string_lossy().into_owned() } else { id.clone() };
    let name = shown.rsplit_once('.').map_or(shown.as_str(), |(stem, _)| stem);
    Some(FileDraft { name: name.to_owned(), id, modified_at: u64::try_from(modified_at).ok()? })
}

fn relative_id(root: &Path, path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> =
        path.strip_prefix(root).ok()?.components().map(|part| part.as_os_str().to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

fn id_of_opened(path: &Path) -> String {
    format!("~{}", &digest(&[path.as_os_str().as_encoded_bytes()])[..24])
}

fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    format!("{:x}", hash.finalize())
}

/// A name as every file system takes it.
fn file_stem(name: &str) -> String {
    let kept: String =
        name.chars().map(|one| if one.is_control() || r#"/\:*?"<>|"#.contains(one) { ' ' } else { one }).collect();
    let words: Vec<&str> = kept.split_whitespace().filter(|word| word.contains(|one| one != '.')).collect();
    let mut stem = words.join(" ").trim_matches('.').trim().to_owned();
    while stem.len() > 80 {
        stem.pop();
    }
    let stem = stem.trim_end_matches(['.', ' ']);
    if stem.is_empty() { "Draft".to_owned() } else { stem.to_owned() }
}

/// Whether an id names a Markdown file below the folder, by names alone.
fn is_plain(id: &str) -> bool {
    let names = id.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', '\0']));
    names && is_markdown(Path::new(id)) && Path::new(id).components().all(|part| matches!(part, Component::Normal(_)))
}

fn is_markdown(path: &Path) -> bool {
    path.extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn is_writable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.permissions().readonly())
}

fn beside(path: &Path) -> Result<&Path> {
    path.parent().ok_or_else(|| no_such(&path.display().to_string()))
}

fn no_folder() -> Problem {
    Problem::new(409, "no_folder", "No folder is chosen", "Drafts as files need a folder.")
        .with_hint("Choose one in the list of drafts.")
}

fn no_such(id: &str) -> Problem {
    Problem::new(404, "file_missing", "There is no such draft", format!("{id:?} is none of your drafts."))
}

fn outside(id: &str) -> Problem {
    Problem::new(
        403,
        "outside_the_folder",
        "It lies outside of your folder",
        format!("{id} leads out of the folder that you chose."),
    )
    .with_hint("Choose the folder that it lies in.")
}

#[cfg(test)]
mod tests;
