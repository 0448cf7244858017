//! The file of profiles.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::edit;
use super::places::{Place, config, config_place};
use crate::failure::{Exit, Failure};

/// All profiles.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profiles {
    /// The one that is used when none is named.
    pub default: Option<String>,
    /// By name.
    pub profile: BTreeMap<String, Profile>,
    /// Those that can't be read, and why; the others can be used all the same.
    pub wrong: BTreeMap<String, String>,
    /// The file as it is written.
    text: String,
}

/// One deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its address.
    pub url: String,
    /// The project, for those who read the file: which one it is the key says.
    pub project: Option<String>,
    /// A program that prints the key, and its arguments. No shell reads it.
    pub credential_command: Option<Vec<String>>,
    /// Whether the key is in the keyring of the system.
    pub keyring: bool,
}

impl Profile {
    /// Of a table of the file.
    ///
    /// # Errors
    /// What is wrong with it. Values are not told: one in the wrong place may be a secret.
    fn of(table: &Value) -> Result<Self, String> {
        const COMMAND: &str =
            "credential_command must be a list: [\"pass\", \"show\", \"stt-eval\"]";
        let table = table.as_object().ok_or("must be a table")?;
        let known = ["url", "project", "credential_command", "keyring"];
        if let Some(other) = table.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("has no {other}; it may have {}", known.join(", ")));
        }
        let url = table.get("url").and_then(Value::as_str);
        let project = table.get("project").map(|one| {
            let name = one.as_str().ok_or("project must be a text")?;
            Ok::<_, &str>(name.to_owned())
        });
        let words = |list: &Value| -> Option<Vec<String>> {
            let words = list.as_array()?.iter();
            words.map(|one| Some(one.as_str()?.to_owned())).collect()
        };
        let command = table.get("credential_command");
        let command = command.map(|list| words(list).ok_or(COMMAND)).transpose()?;
        let keyring = table.get("keyring").map(Value::as_bool);
        Ok(Self {
            url: url.ok_or("url must be a text")?.to_owned(),
            project: project.transpose()?,
            credential_command: command,
            keyring: keyring
                .unwrap_or(Some(false))
                .ok_or("keyring must be true or false")?,
        })
    }
}

pub(super) fn failed(path: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Failed,
        "config",
        format!("{}: {reason}", path.display()),
    )
}

fn wrong(path: &Path, name: &str, reason: &str) -> Failure {
    Failure::usage(format!("{}: [profile.{name}] {reason}", path.display()))
}

/// The file as it is; `None` where there is none.
fn written(path: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, error)),
    }
}

impl Profiles {
    /// Reads them; none where there is no file.
    ///
    /// # Errors
    /// The file can't be read, or is none of profiles.
    pub fn read() -> Result<Self, Failure> {
        let path = config()?;
        match written(&path)? {
            Some(text) => Self::of(&path, text),
            None => Ok(Self::default()),
        }
    }

    fn of(path: &Path, text: String) -> Result<Self, Failure> {
        let told = |reason: &str| Failure::usage(format!("{}: {reason}", path.display()));
        let top: BTreeMap<String, Value> =
            basic_toml::from_str(&text).map_err(|error| told(&error.to_string()))?;
        let mut read = Self {
            text,
            ..Self::default()
        };
        for (name, value) in &top {
            match (name.as_str(), value) {
                ("default", Value::String(name)) => read.default = Some(name.clone()),
                ("default", _) => return Err(told("default must be the name of a profile")),
                ("profile", Value::Object(tables)) => {
                    for (name, table) in tables {
                        match Profile::of(table) {
                            Ok(profile) => drop(read.profile.insert(name.clone(), profile)),
                            Err(reason) => drop(read.wrong.insert(name.clone(), reason)),
                        }
                    }
                }
                ("profile", _) => return Err(told("profiles are tables: [profile.NAME]")),
                (other, _) => {
                    let reason = format!("has no {other}; it may have default and [profile.NAME]");
                    return Err(told(&reason));
                }
            }
        }
        Ok(read)
    }

    /// The profile of a name, if there is one.
    ///
    /// # Errors
    /// It can't be read.
    pub fn named(&self, name: &str) -> Result<Option<&Profile>, Failure> {
        match self.wrong.get(name) {
            Some(reason) => Err(wrong(&config()?, name, reason)),
            None => Ok(self.profile.get(name)),
        }
    }

    /// That there is no profile of a name.
    pub fn unknown(&self, name: &str) -> Failure {
        let known: Vec<&str> = self.profile.keys().map(String::as_str).collect();
        Failure::usage(format!("there is no profile {name:?}")).hint(match known.is_empty() {
            true => "none is configured: stt-eval login URL".to_owned(),
            false => format!("there are {}", known.join(", ")),
        })
    }

    /// The file that a variable names and that is not there.
    ///
    /// # Errors
    /// The machine names no home.
    pub fn missing() -> Result<Option<Place>, Failure> {
        let place = config_place()?;
        let is_named = place.from == "STT_EVAL_CONFIG";
        Ok(Some(place).filter(|place| is_named && !place.path.exists()))
    }

    /// Every name of a profile in the file.
    pub fn names(&self) -> Vec<&str> {
        let all = self.profile.keys().chain(self.wrong.keys());
        let mut names: Vec<&str> = all.map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// These with one more, or with one as it is now. The first is the default.
    ///
    /// # Errors
    /// It is written in a way that only the owner of the file can change.
    pub fn with(&self, name: &str, profile: &Profile) -> Result<Self, Failure> {
        let mut after = self.clone();
        after.profile.insert(name.to_owned(), profile.clone());
        after.default.get_or_insert_with(|| name.to_owned());
        if after == *self {
            return Ok(after);
        }
        let path = config()?;
        after.text = edit::with(&self.text, name, profile, self.default.is_none());
        match Self::of(&path, after.text.clone()) {
            Ok(read) if read == after => Ok(after),
            _ if self.profile.contains_key(name) => {
                Err(
                    wrong(&path, name, "can't be changed as it is written").hint(format!(
                        "write into it: url = {:?}, and no credential_command",
                        profile.url
                    )),
                )
            }
            _ => {
                let reason = "no profile can be added to it as it is written";
                Err(
                    Failure::usage(format!("{}: {reason}", path.display())).hint(format!(
                        "write its profiles as sections, and this one by the lines [profile.{}] and \
                         url = {:?}",
                        edit::key(name),
                        profile.url
                    )),
                )
            }
        }
    }

    /// Writes them in place of those that were read; what is the same is left alone.
    ///
    /// # Errors
    /// The file can't be written, or its owner has changed it since it was read.
    pub fn write(&self, before: &Self) -> Result<(), Failure> {
        if self.text == before.text {
            return Ok(());
        }
        let path = config()?;
        if written(&path)?.unwrap_or_default() != before.text {
            let reason = "was changed while the key was asked for, and nothing was kept";
            return Err(failed(&path, reason).hint("the same command again"));
        }
        replace(&path, self.text.as_bytes())
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
    let done = std::io::Write::write_all(&mut file, bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&beside, path));
    if done.is_err() {
        // What went wrong is told; what is left of it is of no use.
        let _ = std::fs::remove_file(&beside);
    }
    done.map_err(told)
}

/// Makes a folder that only its owner can look into.
pub fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
