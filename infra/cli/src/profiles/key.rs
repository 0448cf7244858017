//! Keys: where they come from, and the file that keeps them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use stt_eval_wire::secret::SecretText;

use super::file::{failed, replace};
use super::places::config;
use crate::failure::{Exit, Failure};

/// The file beside the configuration.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
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
    checked(text, "credential_command")
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

fn read() -> Result<Kept, Failure> {
    let path = place()?;
    if !path.exists() {
        return Ok(Kept::default());
    }
    is_private(&path)?;
    let text = std::fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
    // The words of the parser could show a part of a key.
    basic_toml::from_str(&text).map_err(|_| failed(&path, "is no file of keys"))
}

fn write(kept: &Kept) -> Result<(), Failure> {
    let path = place()?;
    let text = basic_toml::to_string(kept).map_err(|_| failed(&path, "can't be written"))?;
    replace(&path, text.as_bytes())
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

/// Keeps a key.
///
/// # Errors
/// The file can't be written.
pub fn keep(profile: &str, key: SecretText) -> Result<(), Failure> {
    let mut kept = read()?;
    kept.profile.insert(profile.to_owned(), One { key });
    write(&kept)
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
