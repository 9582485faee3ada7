//! What the program remembers from one start to the next. No secrets: keys are in the system's keychain.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Mutex,
};

use serde::{Deserialize, Serialize};

use crate::problem::{Problem, Result};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// The address of the Extrophi that the person connected to. None: this machine's.
    pub server: Option<String>,
    /// Whether that one asked for a key.
    pub has_key: bool,
    /// Whether this machine's is started with the program, when it does not run.
    pub starts: bool,
    /// Where the `extrophi` command is, when it was shown to us.
    pub program: Option<PathBuf>,
    /// The `up` that we started and have to end: after a crash the next start takes it over.
    pub started: Option<Started>,
    /// The folder of drafts.
    pub folder: Option<PathBuf>,
    /// Drafts that were opened by themselves, the newest last.
    pub opened: Vec<PathBuf>,
}

/// A process, told from a later one of the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    pub pid: i32,
    pub born: String,
}

pub struct Memory {
    file: PathBuf,
    now: Mutex<Remembered>,
}

impl Memory {
    /// What there is in a file. One that cannot be read is as good as none: all of it can be asked again.
    pub fn at(file: PathBuf) -> Self {
        let now = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { file, now: Mutex::new(now) }
    }

    pub fn get(&self) -> Remembered {
        self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub fn change(&self, change: impl FnOnce(&mut Remembered)) -> Result<()> {
        let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = now.clone();
        change(&mut now);
        if *now == before {
            return Ok(());
        }
        write(&self.file, &now).map_err(|error| Problem::disk(&self.file, &error))
    }
}

fn write(file: &Path, now: &Remembered) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut made = tempfile::NamedTempFile::new_in(folder)?; // for its owner alone
    made.write_all(&serde_json::to_vec_pretty(now)?)?;
    made.as_file().sync_all()?;
    made.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Memory;

    #[test]
    fn it_is_there_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deeper/desktop.json");
        let memory = Memory::at(file.clone());
        memory.change(|one| one.server = Some("https://example.org".into())).unwrap();
        assert_eq!(Memory::at(file.clone()).get(), memory.get());
        std::fs::write(&file, "{ broken").unwrap();
        assert_eq!(Memory::at(file).get().server, None);
    }
}
