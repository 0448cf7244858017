//! The file of profiles.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::places::config;
use crate::failure::{Exit, Failure};

/// All profiles.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profiles {
    /// The one that is used when none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// By name.
    #[serde(default)]
    pub profile: BTreeMap<String, Profile>,
}

/// One deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its address.
    pub url: String,
    /// A program that prints the key, and its arguments. No shell reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_command: Option<Vec<String>>,
    /// Whether the key is in the keyring of the system.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keyring: bool,
}

pub(super) fn failed(path: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Failed,
        "config",
        format!("{}: {reason}", path.display()),
    )
}

impl Profiles {
    /// Reads them; none where there is no file.
    ///
    /// # Errors
    /// The file can't be read, or is none of profiles.
    pub fn read() -> Result<Self, Failure> {
        let path = config()?;
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(failed(&path, error)),
        };
        basic_toml::from_str(&text)
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
    }

    /// Writes them.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn write(&self) -> Result<(), Failure> {
        let path = config()?;
        let text = basic_toml::to_string(self).map_err(|error| failed(&path, error))?;
        replace(&path, text.as_bytes())
    }
}

/// Puts a file in place of the one before, whole or not at all. Only its owner can read
/// it, from its first byte on.
///
/// # Errors
/// It can't be written.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let told = |error: std::io::Error| failed(path, error);
    if let Some(folder) = path.parent() {
        private_folder(folder).map_err(told)?;
    }
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    // What a process of the same number left behind.
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(told(error)),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside).map_err(told)?;
    std::io::Write::write_all(&mut file, bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&beside, path))
        .map_err(told)
}

/// Makes a folder that only its owner can look into.
pub fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
