//! Where configuration and journals lie.

use std::path::PathBuf;

use super::variable;
use crate::failure::Failure;

/// The file of profiles: `STT_EVAL_CONFIG`, or where programs have theirs.
///
/// # Errors
/// The machine names no home.
pub fn config() -> Result<PathBuf, Failure> {
    if let Some(path) = variable("STT_EVAL_CONFIG") {
        return Ok(path.into());
    }
    let base = if cfg!(windows) {
        variable("APPDATA")
    } else {
        variable("XDG_CONFIG_HOME")
    };
    let folder = base.map(PathBuf::from).or_else(|| home(".config"));
    folder
        .map(|folder| folder.join("stt-eval").join("config.toml"))
        .ok_or_else(|| homeless("STT_EVAL_CONFIG"))
}

/// The folder of journals.
///
/// # Errors
/// The machine names no home.
pub fn state() -> Result<PathBuf, Failure> {
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else {
        variable("XDG_STATE_HOME")
    };
    let folder = base.map(PathBuf::from).or_else(|| home(".local/state"));
    folder
        .map(|folder| folder.join("stt-eval"))
        .ok_or_else(|| homeless("XDG_STATE_HOME"))
}

fn home(below: &str) -> Option<PathBuf> {
    variable("HOME").map(|home| PathBuf::from(home).join(below))
}

fn homeless(name: &str) -> Failure {
    Failure::usage("HOME is not set").hint(format!("set {name}"))
}
