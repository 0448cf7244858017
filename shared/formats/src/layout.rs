//! One way to read a source, and which split that is.

use std::collections::BTreeSet;

use super::detect::format_of;
use super::files::{Files, base, parent, stem};
use super::folders;
use super::format::Format;
use super::headerless;
use super::paths::has_audio_extension;
use super::problem::{Code, Problem};

/// One way to read a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Format.
    pub format: Format,
    /// The files that lead to everything else.
    pub files: Vec<String>,
    /// The split these are of, if there are several.
    pub split: Option<String>,
}

/// Splits by all their names, the one taken without being asked first.
pub(crate) const SPLITS: [(&str, &[&str]); 6] = [
    ("test", &["test", "eval", "testing"]),
    ("dev", &["dev", "valid", "validation", "val"]),
    ("train", &["train", "training"]),
    ("validated", &["validated"]),
    ("other", &["other"]),
    ("invalidated", &["invalidated"]),
];

/// How a list of Kaldi's recordings is called, perhaps with something before it.
pub(crate) const WAV_SCP: &str = "wav.scp";

/// Whether two names mean one split.
#[must_use]
pub fn same_split(one: &str, other: &str) -> bool {
    canonical(one).unwrap_or(one) == canonical(other).unwrap_or(other)
}

/// A split that was asked for and is not there.
pub(crate) fn no_split<'a>(wanted: &str, there: impl Iterator<Item = &'a str>) -> Problem {
    let splits: Vec<&str> = there.collect();
    let message = format!(
        "there is no split {wanted:?}; there are {}",
        splits.join(", ")
    );
    Problem::new(Code::Ambiguous, message).hint("--split with one of these")
}

/// A format that was asked for, of a folder that could be read as others.
pub(crate) fn no_format<'a, S: AsRef<str> + 'a>(
    wanted: Format,
    there: impl Iterator<Item = (Format, &'a [S])>,
) -> Problem {
    // Of recordings alone these are all that there are.
    let named = |(format, files): (Format, &[S])| match files {
        [one] if format != Format::Audio => format!("{format} ({})", one.as_ref()),
        [one, more @ ..] if format != Format::Audio => {
            format!("{format} ({} and {} more)", one.as_ref(), more.len())
        }
        _ => format.name().to_owned(),
    };
    let names: Vec<String> = there.map(named).collect();
    let others = match names.as_slice() {
        [] => String::new(),
        names => format!("; it could be: {}", names.join(", ")),
    };
    let message = format!("the folder is no {}{others}", wanted.name());
    Problem::new(Code::UnknownFormat, message)
}

/// Of splits the one that is taken without being asked for: no two are ever mixed.
pub(crate) fn usual_split<'a>(there: &BTreeSet<&'a str>) -> Option<&'a str> {
    SPLITS.iter().find_map(|(name, _)| {
        let mut all = there.iter();
        all.find(|split| canonical(split) == Some(*name)).copied()
    })
}

/// The one name of a split, if it is known.
pub(crate) fn canonical(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let known = SPLITS
        .iter()
        .find(|(_, names)| names.contains(&lower.as_str()));
    known.map(|(name, _)| *name)
}

/// The split that a file is of, as its own name or a folder says; as written there.
pub(crate) fn split_of(name: &str) -> Option<String> {
    let own = stem(name);
    // `test-00000-of-00007.parquet`, `train_manifest.json`.
    let first = own.split(['-', '_', '.']).next().unwrap_or(own);
    let folders = parent(name).split('/').rev();
    let mut words = [own, first].into_iter().chain(folders);
    words
        .find(|word| canonical(word).is_some())
        .map(str::to_owned)
}

/// All ways to read a source, the likeliest first. `file` is the file that was named,
/// if it was one.
///
/// # Errors
/// A file that can't be told, an empty folder.
pub fn layouts(
    files: &dyn Files,
    file: Option<&str>,
    split: Option<&str>,
) -> Result<Vec<Layout>, Problem> {
    match file {
        Some(name) => of_file(files, name).map(|layout| vec![layout]),
        None => folders::layouts(files, split),
    }
}

/// Reads a file that was named: its format by its content, and by its name where that
/// says more.
fn of_file(files: &dyn Files, name: &str) -> Result<Layout, Problem> {
    if has_audio_extension(name) {
        let problem = Problem::new(Code::Unsupported, "is a recording, not a list of them");
        return Err(problem
            .file(name)
            .hint("name its folder, or a table with a line like `file_name,text` on top"));
    }
    let mut format = match base(name) {
        own if own.ends_with(WAV_SCP) => Format::Kaldi,
        _ => format_of(files, name)?,
    };
    headerless::refuse(files, name, format)?;
    let own = base(name);
    if format == Format::Table {
        format = match own {
            "metadata.csv" | "metadata.jsonl" => Format::Audiofolder,
            "stt.csv" | "data.csv" => Format::Calibrate,
            _ => format,
        };
    }
    if format == Format::Lines || format == Format::Trn {
        if own.ends_with(".trans.txt") {
            format = Format::LibriSpeech;
        } else if own.starts_with("transcript") {
            format = Format::Transcriptions;
        }
    }
    Ok(Layout {
        format,
        files: vec![name.to_owned()],
        split: None,
    })
}
