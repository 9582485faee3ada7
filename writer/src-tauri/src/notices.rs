//! What the page is told without asking. Until it listens, it is kept for it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tauri::ipc::Channel;

use crate::{problem::Problem, services::Progress};

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Notice {
    /// A link leads to this route of the Writer's.
    Opened { route: String },
    /// A file was opened from the file manager, by this id.
    OpenedFile { id: String },
    /// A draft's file, or the bibliography beside it, is another now.
    Changed { id: String },
    /// How the start of this machine's Extrophi goes.
    Service { progress: Progress },
    /// The window is about to close: save, then `leave`.
    Closing,
    /// What was asked for by the system did not work.
    Problem { problem: Problem },
}

#[derive(Default)]
pub struct Notices {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    page: Option<Channel<Notice>>,
    waiting: Vec<Notice>,
}

impl Notices {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on to this channel: a page that was loaded anew has another.
    pub fn listen(&self, page: Channel<Notice>) {
        let mut state = self.state();
        for notice in state.waiting.drain(..) {
            let _ = page.send(notice); // a page that is gone hears nothing
        }
        state.page = Some(page);
    }

    pub fn is_heard(&self) -> bool {
        self.state().page.is_some()
    }

    pub fn tell(&self, notice: Notice) {
        let mut state = self.state();
        match &state.page {
            Some(page) => {
                let _ = page.send(notice);
            }
            None => state.waiting.push(notice),
        }
    }
}
