//! The keyring of the system: Secret Service on Linux and its like, the keychain of macOS,
//! the credential manager of Windows. With the cargo feature `keyring` alone.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use keyring_core::{CredentialStore, Entry, Error};

/// Longest wait: one that is locked asks a person, and may do so where nothing is seen.
const WAIT: Duration = Duration::from_secs(3);
/// What keys are kept under.
const SERVICE: &str = "stt-eval";

#[cfg(target_os = "macos")]
fn store() -> Result<Arc<CredentialStore>, Error> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn store() -> Result<Arc<CredentialStore>, Error> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(all(unix, not(target_os = "macos")))]
fn store() -> Result<Arc<CredentialStore>, Error> {
    Ok(dbus_secret_service_keyring_store::Store::new()?)
}

/// Does something with the entry of a profile. Its address is a part of the name: a key goes
/// to no other one.
fn within<T: Send + 'static>(
    (profile, url): (&str, &str),
    work: impl FnOnce(Entry) -> Result<T, Error> + Send + 'static,
) -> Result<T, String> {
    let user = format!("{profile} at {url}");
    let (tell, told) = mpsc::channel();
    // A call can't be given up, a thread can: it ends with the program.
    std::thread::spawn(move || {
        let entry = store().and_then(|store| Entry::new_in_store(&store, SERVICE, &user));
        // Nothing waits for it any more if the time was up.
        let _ = tell.send(entry.and_then(work));
    });
    match told.recv_timeout(WAIT) {
        Ok(done) => done.map_err(|error| reason(&error)),
        Err(_) => Err(format!("it does not answer within {} s", WAIT.as_secs())),
    }
}

/// Why, without what is kept: some errors carry it.
fn reason(error: &Error) -> String {
    match error {
        Error::NoEntry => "there is no key in it".to_owned(),
        Error::NoStorageAccess(_) => "it is locked".to_owned(),
        Error::PlatformFailure(reason) => reason.to_string(),
        Error::TooLong(_, most) => format!("it takes {most} characters at most"),
        _ => "what is in it is no key".to_owned(),
    }
}

/// The key of a profile.
pub fn get(profile: &str, url: &str) -> Result<String, String> {
    within((profile, url), |entry| entry.get_password())
}

/// Keeps the key of a profile.
pub fn set(profile: &str, url: &str, key: String) -> Result<(), String> {
    within((profile, url), move |entry| entry.set_password(&key))
}

/// Forgets the key of a profile; tells whether there was one.
pub fn forget(profile: &str, url: &str) -> Result<bool, String> {
    within((profile, url), |entry| match entry.delete_credential() {
        Ok(()) => Ok(true),
        Err(Error::NoEntry) => Ok(false),
        Err(error) => Err(error),
    })
}
