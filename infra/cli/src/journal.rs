//! What was done for a deployment, written down before and after each step: a command
//! that was killed goes on where it was, without a second dataset or a second run.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use stt_eval_domain::Timestamp;

use crate::deployment::unique;
use crate::failure::{Exit, Failure};
use crate::profiles::{private_folder, replace, state};

/// SHA-256, hex.
pub fn digest(bytes: &[u8]) -> String {
    hex::encode(ring::digest::digest(&ring::digest::SHA256, bytes))
}

/// A step that must not be done twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The key of its request, the same at each try.
    pub key: String,
    /// What it made, once that is known.
    pub id: Option<String>,
    /// When it was begun.
    pub at: Timestamp,
}

/// A file that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Uploaded {
    sha256: String,
    /// Files of the same content are told apart by a number.
    nth: usize,
    id: String,
}

/// The journal of one deployment.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
}

fn failed(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Failed,
        "journal",
        format!("{}: {error}", path.display()),
    )
}

/// What the machine does not let be written: without a journal the same command could make
/// a second run.
fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    let failure = failed(path, format!("the journal can't be written: {error}"));
    failure.hint(journals_elsewhere())
}

fn journals_elsewhere() -> String {
    let name = if cfg!(windows) {
        "LOCALAPPDATA"
    } else {
        "XDG_STATE_HOME"
    };
    format!("what was made is written down there; make room, or name a folder of yours in {name}")
}

impl Journal {
    /// Opens it.
    ///
    /// # Errors
    /// The machine names no place for it, or it can't be made.
    pub fn open(url: &str) -> Result<Self, Failure> {
        Self::within(Self::place_of(url)?)
    }

    /// The folder of a deployment's.
    fn place_of(url: &str) -> Result<PathBuf, Failure> {
        let name: String = digest(url.as_bytes()).chars().take(16).collect();
        Ok(state()?.join(name))
    }

    /// Opens one in a folder.
    ///
    /// # Errors
    /// It can't be made.
    pub fn within(folder: PathBuf) -> Result<Self, Failure> {
        for below in ["datasets", "runs", "folders"] {
            let place = folder.join(below);
            private_folder(&place).map_err(|error| unwritten(&place, &error))?;
        }
        // An old journal may lie where nothing can be written any more; that is told before
        // anything is sent.
        tempfile::tempfile_in(&folder)
            .and_then(|mut file| file.write_all(b"\n"))
            .map_err(|error| unwritten(&folder, &error))?;
        Ok(Self { folder })
    }

    fn place(&self, kind: &str, name: &str) -> PathBuf {
        self.folder.join(kind).join(format!("{name}.json"))
    }

    /// A step, if it was begun.
    ///
    /// # Errors
    /// The journal can't be read.
    pub fn begun(&self, kind: &str, name: &str) -> Result<Option<Step>, Failure> {
        let path = self.place(kind, name);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path, error)),
        };
        let step = serde_json::from_slice(&bytes).map_err(|error| failed(&path, error))?;
        Ok(Some(step))
    }

    /// Begins a step: of two commands at the same time, both get the same key.
    ///
    /// # Errors
    /// The journal can't be written.
    pub fn begin(&self, kind: &str, name: &str) -> Result<Step, Failure> {
        let path = self.place(kind, name);
        let step = Step {
            key: unique()?,
            id: None,
            at: Timestamp::now(),
        };
        let beside = path.with_extension(step.key.clone());
        write_step(&beside, &step)?;
        let linked = std::fs::hard_link(&beside, &path);
        std::fs::remove_file(&beside).map_err(|error| failed(&beside, error))?;
        match linked {
            Ok(()) => Ok(step),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                let begun = self.begun(kind, name)?;
                begun.ok_or_else(|| failed(&path, "is gone again"))
            }
            Err(error) => Err(failed(&path, error)),
        }
    }

    /// Writes down what a step made.
    ///
    /// # Errors
    /// The journal can't be written.
    pub fn made(&self, kind: &str, name: &str, step: &Step, id: String) -> Result<(), Failure> {
        let step = Step {
            key: step.key.clone(),
            id: Some(id),
            at: step.at,
        };
        write_step(&self.place(kind, name), &step)
    }

    /// Forgets a step: what it made is gone, or another one is wanted.
    ///
    /// # Errors
    /// The journal can't be written.
    pub fn forget(&self, kind: &str, name: &str) -> Result<(), Failure> {
        let path = self.place(kind, name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(&path, error)),
            _ => Ok(()),
        }
    }

    fn uploads(&self) -> PathBuf {
        self.folder.join("uploads.jsonl")
    }

    /// Ids of files by content and number, as far as they were uploaded and are among those
    /// that are wanted: a journal is as long as its years.
    ///
    /// # Errors
    /// The journal can't be read.
    pub fn uploaded(
        &self,
        wanted: &HashSet<&str>,
    ) -> Result<HashMap<(String, usize), String>, Failure> {
        let path = self.uploads();
        let file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(HashMap::new()),
            Err(error) => return Err(failed(&path, error)),
        };
        let mut all = HashMap::new();
        for line in std::io::BufReader::new(file).split(b'\n') {
            let line = line.map_err(|error| failed(&path, error))?;
            // A line that a kill cut short is as good as none.
            let one: Option<Uploaded> = serde_json::from_slice(&line).ok();
            if let Some(one) = one.filter(|one| wanted.contains(one.sha256.as_str())) {
                all.insert((one.sha256, one.nth), one.id);
            }
        }
        Ok(all)
    }

    /// Writes down that a file was uploaded.
    ///
    /// # Errors
    /// The journal can't be written.
    pub fn keep_upload(&self, sha256: &str, nth: usize, id: &str) -> Result<(), Failure> {
        let path = self.uploads();
        let one = Uploaded {
            sha256: sha256.to_owned(),
            nth,
            id: id.to_owned(),
        };
        let line = serde_json::to_string(&one).map_err(|error| failed(&path, error))?;
        let mut options = std::fs::OpenOptions::new();
        let file = options.append(true).create(true).open(&path);
        // A line break before it ends what a kill may have cut short.
        file.and_then(|mut file| file.write_all(format!("\n{line}\n").as_bytes()))
            .map_err(|error| unwritten(&path, &error))
    }

    /// Remembers the last run of the folder that the command was called in.
    ///
    /// # Errors
    /// The journal can't be written.
    pub fn remember_latest(&self, run: &str) -> Result<(), Failure> {
        let kept = replace(&self.folder.join("folders").join(here()?), run.as_bytes());
        kept.map_err(|failure| failure.hint(journals_elsewhere()))
    }
}

fn write_step(path: &Path, step: &Step) -> Result<(), Failure> {
    let bytes = serde_json::to_vec(step).map_err(|error| failed(path, error))?;
    replace(path, &bytes).map_err(|failure| failure.hint(journals_elsewhere()))
}

/// A name for the working directory.
fn here() -> Result<String, Failure> {
    let folder = std::env::current_dir()
        .map_err(|error| Failure::new(Exit::Failed, "machine", error.to_string()))?;
    Ok(digest(folder.as_os_str().as_encoded_bytes()))
}

/// The id of the last run that was made from this folder.
///
/// # Errors
/// There is none.
pub fn latest(url: &str) -> Result<String, Failure> {
    let path = Journal::place_of(url)?.join("folders").join(here()?);
    std::fs::read_to_string(path).map_err(|_| {
        Failure::usage("no run was made from this folder").hint("stt-eval runs lists all")
    })
}
