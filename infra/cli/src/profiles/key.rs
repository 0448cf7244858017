//! Keys: where they come from, and the file that keeps them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use stt_eval_wire::secret::SecretText;

use super::file::{failed, replace};
use super::places::config;
use crate::failure::{Exit, Failure};

/// The file beside the configuration.
#[derive(Default, Serialize, Deserialize)]
struct File {
    #[serde(default)]
    profile: BTreeMap<String, One>,
}

#[derive(Serialize, Deserialize)]
struct One {
    key: SecretText,
}

/// A key as it can be sent.
///
/// # Errors
/// It is none; what was given is not told.
pub fn checked(text: String, from: &str) -> Result<SecretText, Failure> {
    let key = text.trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = format!("what {from} gives is no key");
        return Err(Failure::new(Exit::Access, "no_key", message));
    }
    Ok(SecretText::from(key.to_owned()))
}

/// Asks a program for the key.
///
/// # Errors
/// It can't be run, fails, or prints none. What it prints is not told.
pub fn from_command(profile: &str, command: &[String]) -> Result<SecretText, Failure> {
    let wrong = |reason: String| {
        let message = format!("credential_command of profile {profile}: {reason}");
        Failure::new(Exit::Access, "no_key", message)
    };
    let Some((program, arguments)) = command.split_first() else {
        return Err(wrong("names no program".to_owned()));
    };
    let told = Command::new(program)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| wrong(format!("{program}: {error}")))?;
    if !told.status.success() {
        return Err(wrong(format!("{program} ended with {}", told.status)));
    }
    let text = String::from_utf8(told.stdout).map_err(|_| wrong("prints no key".to_owned()))?;
    checked(text, &format!("credential_command of profile {profile}"))
}

fn place() -> Result<PathBuf, Failure> {
    Ok(config()?.with_file_name("credentials.toml"))
}

/// Refuses a file that others can read.
#[cfg(unix)]
fn is_private(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    let facts = std::fs::metadata(path).map_err(|error| failed(path, error))?;
    let mode = facts.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let message = format!("{} can be read by others (mode {mode:o})", path.display());
    Err(
        Failure::new(Exit::Access, "key_exposed", message).hint(format!(
            "chmod 600 {}; and make a new key if the machine is not yours alone",
            path.display()
        )),
    )
}

#[cfg(not(unix))]
fn is_private(_: &Path) -> Result<(), Failure> {
    Ok(())
}

fn read() -> Result<File, Failure> {
    let path = place()?;
    if !path.exists() {
        return Ok(File::default());
    }
    is_private(&path)?;
    parsed(&path)
}

fn parsed(path: &Path) -> Result<File, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| failed(path, error))?;
    // The words of the parser could show a part of a key.
    basic_toml::from_str(&text).map_err(|_| failed(path, "is no file of keys"))
}

fn write(kept: &File) -> Result<(), Failure> {
    let path = place()?;
    let text = basic_toml::to_string(kept).map_err(|_| failed(&path, "can't be written"))?;
    replace(&path, text.as_bytes())
}

/// Profiles whose keys are in the file, and why none of them would be taken.
///
/// # Errors
/// The machine names no home.
pub fn in_file() -> Result<(BTreeSet<String>, Option<Failure>), Failure> {
    let path = place()?;
    if !path.exists() {
        return Ok(Default::default());
    }
    // Names are no secrets: who has a key is told of a file that others can read as well.
    let refused = is_private(&path).err();
    Ok(match parsed(&path) {
        Ok(kept) => (kept.profile.into_keys().collect(), refused),
        Err(failure) => (BTreeSet::new(), Some(refused.unwrap_or(failure))),
    })
}

/// The key that is kept for a profile.
///
/// # Errors
/// There is none, or others can read it.
pub fn from_file(profile: &str) -> Result<SecretText, Failure> {
    match read()?.profile.remove(profile) {
        Some(one) => Ok(one.key),
        None => {
            let message = format!("there is no key for profile {profile}");
            Err(Failure::new(Exit::Access, "no_key", message)
                .hint(format!("stt-eval login {profile}")))
        }
    }
}

/// Where a key was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Into the keyring.
    Keyring,
    /// Into the file, and why not into the keyring, if this program knows of one.
    File(Option<String>),
}

/// What was kept for a profile before its key of now.
pub struct Earlier {
    in_file: Option<SecretText>,
    in_keyring: Option<SecretText>,
}

impl Earlier {
    /// Puts it back, in place of the key that was kept.
    ///
    /// # Errors
    /// The file can't be written, or the keyring is of no use any more.
    pub fn put_back(self, profile: &str, url: &str, kept: &Kept) -> Result<(), Failure> {
        match self.in_file {
            Some(key) => keep_in_file(profile, key)?,
            None => {
                forget(profile)?;
            }
        }
        match (kept, self.in_keyring) {
            (Kept::File(_), _) => Ok(()),
            (Kept::Keyring, None) => forget_in_keyring(profile, url).map(drop),
            (Kept::Keyring, Some(key)) => match in_keyring(profile, url, &key) {
                Some(Err(reason)) => Err(no_keyring(profile, &reason)),
                _ => Ok(()),
            },
        }
    }
}

/// Keeps a key: in the keyring of the system if this program knows of it and it can be used,
/// otherwise in the file.
///
/// # Errors
/// The file can't be written.
pub fn keep(profile: &str, url: &str, key: SecretText) -> Result<(Kept, Earlier), Failure> {
    let earlier = Earlier {
        in_file: read()?.profile.remove(profile).map(|one| one.key),
        in_keyring: known_to_keyring(profile, url),
    };
    let refused = match in_keyring(profile, url, &key) {
        Some(Ok(())) => {
            // The one before must not lie there for ever.
            forget(profile)?;
            return Ok((Kept::Keyring, earlier));
        }
        Some(Err(reason)) => Some(reason),
        None => None,
    };
    keep_in_file(profile, key)?;
    Ok((Kept::File(refused), earlier))
}

fn keep_in_file(profile: &str, key: SecretText) -> Result<(), Failure> {
    let mut kept = read()?;
    kept.profile.insert(profile.to_owned(), One { key });
    write(&kept)
}

/// The key that the keyring has for a profile, if it has one and tells it.
#[cfg(feature = "keyring")]
fn known_to_keyring(profile: &str, url: &str) -> Option<SecretText> {
    let key = super::keyring::get(profile, url).ok()?;
    Some(SecretText::from(key))
}

#[cfg(not(feature = "keyring"))]
fn known_to_keyring(_: &str, _: &str) -> Option<SecretText> {
    None
}

#[cfg(feature = "keyring")]
fn in_keyring(profile: &str, url: &str, key: &SecretText) -> Option<Result<(), String>> {
    Some(super::keyring::set(profile, url, key.expose().to_owned()))
}

#[cfg(not(feature = "keyring"))]
fn in_keyring(_: &str, _: &str, _: &SecretText) -> Option<Result<(), String>> {
    None
}

fn no_keyring(profile: &str, reason: &str) -> Failure {
    let message = format!("the key of profile {profile} is in the keyring: {reason}");
    Failure::new(Exit::Access, "no_key", message).hint(format!(
        "stt-eval login {profile} keeps it anew; STT_EVAL_API_KEY goes before it"
    ))
}

/// Without the feature, what another build has kept is not to be had.
#[cfg(not(feature = "keyring"))]
const NOT_BUILT: &str = "this program was built without the feature `keyring`";

/// The key that the keyring has for a profile.
///
/// # Errors
/// There is none, it is locked, or this program knows of no keyring.
#[cfg(feature = "keyring")]
pub fn from_keyring(profile: &str, url: &str) -> Result<SecretText, Failure> {
    let text = super::keyring::get(profile, url).map_err(|reason| no_keyring(profile, &reason))?;
    checked(text, "the keyring")
}

/// The key that the keyring has for a profile.
///
/// # Errors
/// This program knows of no keyring.
#[cfg(not(feature = "keyring"))]
pub fn from_keyring(profile: &str, _: &str) -> Result<SecretText, Failure> {
    Err(no_keyring(profile, NOT_BUILT))
}

/// Forgets a key in the keyring; tells whether there was one.
///
/// # Errors
/// It is locked, or this program knows of no keyring.
#[cfg(feature = "keyring")]
pub fn forget_in_keyring(profile: &str, url: &str) -> Result<bool, Failure> {
    super::keyring::forget(profile, url).map_err(|reason| no_keyring(profile, &reason))
}

/// Forgets a key in the keyring; tells whether there was one.
///
/// # Errors
/// This program knows of no keyring.
#[cfg(not(feature = "keyring"))]
pub fn forget_in_keyring(profile: &str, _: &str) -> Result<bool, Failure> {
    Err(no_keyring(profile, NOT_BUILT))
}

/// Forgets a key; tells whether there was one.
///
/// # Errors
/// The file can't be written.
pub fn forget(profile: &str) -> Result<bool, Failure> {
    let mut kept = read()?;
    let was_there = kept.profile.remove(profile).is_some();
    if was_there {
        write(&kept)?;
    }
    Ok(was_there)
}
