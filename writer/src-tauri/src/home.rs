//! This machine's Extrophi: the folder of its data tells whether it runs, and where (`extrophi_cli.embedded.home`).

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// What `up.json` says, as far as it is of use here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Up {
    pub pid: i32,
    pub born: Option<String>,
    pub port: u16,
    pub state: String,
    pub error: Option<String>,
    pub hint: Option<String>,
}

impl Up {
    pub fn is_ready(&self) -> bool {
        self.state == "ready"
    }

    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// `EXTROPHI_HOME`, else the user's data folder, as the command has it.
pub fn path(data: &Path) -> PathBuf {
    match std::env::var("EXTROPHI_HOME") {
        Ok(home) if !home.trim().is_empty() => PathBuf::from(home.trim()),
        _ => data.join("extrophi"),
    }
}

/// What runs there. What an earlier one left is not believed: one that runs holds the lock.
pub fn running(home: &Path) -> Option<Up> {
    is_locked(home).then(|| told(home)).flatten()
}

/// What was told last, whether it still holds or not.
pub fn told(home: &Path) -> Option<Up> {
    serde_json::from_slice(&fs::read(home.join("up.json")).ok()?).ok()
}

fn is_locked(home: &Path) -> bool {
    File::open(home.join("lock")).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::{File, fs, running};

    const UP: &str = r#"{"pid": 7, "born": "x", "port": 8123, "state": "ready", "error": null, "hint": null, "idle_stop": 0,
        "code": "c", "settings": {}, "children": []}"#;

    #[test]
    fn only_one_that_holds_the_lock_runs() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        assert_eq!(running(home), None);
        fs::write(home.join("up.json"), UP).unwrap();
        let lock = File::create(home.join("lock")).unwrap();
        assert_eq!(running(home), None);
        lock.lock().unwrap();
        assert_eq!(running(home).map(|up| up.base()), Some("http://127.0.0.1:8123".to_owned()));
        fs::write(home.join("up.json"), "{ half").unwrap();
        assert_eq!(running(home), None);
    }
}
