//! What went wrong, in the shape that Extrophi tells it over HTTP (RFC 9457): `code` for programs, the rest for people.

use std::{io, path::Path};

use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    /// As HTTP has it; 0: nobody answered.
    pub status: u16,
    pub code: &'static str,
    pub title: String,
    pub detail: String,
    pub hint: Option<String>,
}

pub type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    pub fn new(status: u16, code: &'static str, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status, code, title: title.into(), detail: detail.into(), hint: None }
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Nothing answers at Extrophi's address: the Writer keeps what is written until something does.
    pub fn unreachable(detail: impl Into<String>) -> Self {
        Self::new(0, "unreachable", "Extrophi cannot be reached", detail)
            .with_hint("Start it with `extrophi up`, or check the address.")
    }

    /// The disk refused. Paths are the person's own, and told.
    pub fn disk(path: &Path, error: &io::Error) -> Self {
        let path = path.display();
        match error.kind() {
            io::ErrorKind::NotFound => {
                Self::new(404, "file_missing", "There is no such file", format!("{path} is not there."))
                    .with_hint("It may have been moved or renamed; look for it in your folder.")
            }
            io::ErrorKind::PermissionDenied => {
                Self::new(403, "file_forbidden", "The file is closed to you", format!("{path}: {error}."))
                    .with_hint("Allow yourself to write there, or choose another folder.")
            }
            io::ErrorKind::StorageFull => Self::new(507, "disk_full", "The disk is full", format!("{path}: {error}."))
                .with_hint("Make room. What you write is kept in the program until then."),
            _ => Self::new(500, "disk", "The disk refused", format!("{path}: {error}."))
                .with_hint("What you write is kept in the program; it is tried again."),
        }
    }
}
