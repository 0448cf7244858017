//! Where configuration and journals lie.

use std::path::PathBuf;

use super::variable;
use crate::failure::Failure;

/// A place on this machine, and what says so.
#[derive(Debug)]
pub struct Place {
    /// Where it is.
    pub path: PathBuf,
    /// The variable that names it, or `default`.
    pub from: &'static str,
}

/// The file of profiles: `STT_EVAL_CONFIG`, or where programs have theirs.
///
/// # Errors
/// The machine names no home.
pub fn config_place() -> Result<Place, Failure> {
    const OWN: &str = "STT_EVAL_CONFIG";
    if let Some(path) = variable(OWN) {
        let path = path.into();
        return Ok(Place { path, from: OWN });
    }
    let usual = if cfg!(windows) {
        "APPDATA"
    } else {
        "XDG_CONFIG_HOME"
    };
    let mut place = base(usual, ".config").ok_or_else(|| homeless(OWN))?;
    place.path = place.path.join("stt-eval").join("config.toml");
    Ok(place)
}

/// The path of the file of profiles.
///
/// # Errors
/// The machine names no home.
pub fn config() -> Result<PathBuf, Failure> {
    config_place().map(|place| place.path)
}

/// The folder of journals.
///
/// # Errors
/// The machine names no home.
pub fn state_place() -> Result<Place, Failure> {
    let usual = if cfg!(windows) {
        "LOCALAPPDATA"
    } else {
        "XDG_STATE_HOME"
    };
    let mut place = base(usual, ".local/state").ok_or_else(|| homeless("XDG_STATE_HOME"))?;
    place.path = place.path.join("stt-eval");
    Ok(place)
}

/// The path of the folder of journals.
///
/// # Errors
/// The machine names no home.
pub fn state() -> Result<PathBuf, Failure> {
    state_place().map(|place| place.path)
}

/// The folder that a variable names, or the one below the home.
fn base(name: &'static str, below: &str) -> Option<Place> {
    if let Some(path) = variable(name) {
        let path = path.into();
        return Some(Place { path, from: name });
    }
    let path = home(below)?;
    let from = "default";
    Some(Place { path, from })
}

fn home(below: &str) -> Option<PathBuf> {
    variable("HOME").map(|home| PathBuf::from(home).join(below))
}

fn homeless(name: &str) -> Failure {
    Failure::usage("HOME is not set").hint(format!("set {name}"))
}
