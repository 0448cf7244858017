//! What a recogniser is, and finding its program.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// How a recogniser's output is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// A text, or JSON that has a `text`.
    Text,
    /// What ffmpeg's `ametadata` prints: `lavfi.asr.text=…`, a line for each phrase.
    Phrases,
}

/// A program that recognises speech.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recogniser {
    /// What comes after `local/` in its id.
    pub name: String,
    /// The program, found.
    pub program: PathBuf,
    /// Its arguments, with `{input}` for the audio file and `{language}` for the
    /// BCP-47 tag of the language.
    pub arguments: Vec<String>,
    /// How its output is read.
    pub output: Output,
    /// Codes of the languages it knows; any where none is named.
    pub languages: &'static [(&'static str, &'static str)],
}

/// Where the audio file goes in an argument.
pub(super) const INPUT: &str = "{input}";
/// Where the language goes in an argument.
const LANGUAGE: &str = "{language}";

impl Recogniser {
    /// The arguments for a file in a language. What is put in is never split again.
    pub(super) fn arguments(&self, input: &Path, language: &str) -> Vec<std::ffi::OsString> {
        let input = input.display().to_string();
        let fill = |argument: &String| argument.replace(INPUT, &input).replace(LANGUAGE, language);
        self.arguments
            .iter()
            .map(|argument| fill(argument).into())
            .collect()
    }
}

/// Whether it is a file that may be run.
fn may_run(path: &Path) -> bool {
    let known = path.metadata();
    known.is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// A program by its path, or by its name along `PATH`.
pub(super) fn found(program: &str) -> Result<PathBuf, String> {
    let path = Path::new(program);
    let missing = || format!("there is no program {program} that may be run");
    if path.components().count() > 1 {
        return path
            .canonicalize()
            .ok()
            .filter(|path| may_run(path))
            .ok_or_else(missing);
    }
    let places = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates = std::env::split_paths(&places).map(|place| place.join(program));
    candidates
        .find(|candidate| may_run(candidate))
        .ok_or_else(missing)
}
