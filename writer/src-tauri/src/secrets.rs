//! Keys, in the system's keychain and nowhere else: Secret Service, macOS's Keychain, Windows' Credential Manager.

use keyring::{Entry, Error};

const SERVICE: &str = "Extrophi";

/// The key of the Extrophi at `base`. None: there is none, or no keychain answers.
pub async fn read(base: &str) -> Option<String> {
    with_entry(base, |entry| entry.get_password()).await.ok()
}

/// Keep a key. False: no keychain answers, and it is kept nowhere.
pub async fn keep(base: &str, key: &str) -> bool {
    let key = key.to_owned();
    with_entry(base, move |entry| entry.set_password(&key)).await.is_ok()
}

pub async fn forget(base: &str) {
    // There was none, or there is no keychain: it is not there either way.
    let _ = with_entry(base, |entry| entry.delete_credential()).await;
}

/// A keychain may ask the person for its password first, so this waits on a thread of its own.
async fn with_entry<T: Send + 'static>(
    base: &str,
    what: impl FnOnce(Entry) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let base = base.to_owned();
    tauri::async_runtime::spawn_blocking(move || what(Entry::new(SERVICE, &base)?))
        .await
        .unwrap_or(Err(Error::NoDefaultStore))
}
