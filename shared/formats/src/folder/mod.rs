//! What a folder is: all layouts that are there, the likeliest first.

mod contents;
mod looks;

use std::collections::BTreeMap;

use super::detect::format_of;
use super::files::{Files, base, beside, is_litter};
use super::format::Format;
use super::headerless;
use super::layout::{Layout, SPLITS, canonical, same_split, split_of};
use super::paths::has_audio_extension;
use super::problem::{Code, Problem};
use contents::Folder;
use looks::{LOOKS, lists};

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
    if let Some(name) = file {
        return of_file(files, name).map(|layout| vec![layout]);
    }
    let names: Vec<&str> = files
        .names()
        .iter()
        .map(String::as_str)
        .filter(|name| !is_litter(name))
        .collect();
    if names.is_empty() {
        return Err(Problem::new(Code::Nothing, "no files are in the folder"));
    }
    let folder = Folder::of(files, names);
    let mut found = Vec::new();
    for look in LOOKS {
        for (format, group) in look(&folder) {
            let before = found.len();
            add(&mut found, format, group, split)?;
            debug_assert!(found.len() <= before + 1, "one group is one layout");
        }
    }
    if found.is_empty() {
        return Err(unknown(&folder));
    }
    if found.iter().all(|layout| layout.format == Format::Audio) {
        // A table beside recordings is about them, and must not be passed over.
        let lists = lists(&folder);
        for (format, group) in &lists {
            for name in group {
                headerless::refuse(files, name, *format)?;
            }
        }
        let read = lists
            .into_iter()
            .find(|(format, _)| *format == Format::Transcriptions);
        if let Some((format, group)) = read {
            found.clear();
            add(&mut found, format, group, split)?;
        }
    }
    Ok(found)
}

fn unknown(folder: &Folder<'_>) -> Problem {
    let ends = |end: &str| folder.names.iter().any(|name| name.ends_with(end));
    if ends(".tar") {
        let message = "the audio is inside TAR archives";
        return Problem::new(Code::Unsupported, message).hint("unpack them and name the folder");
    }
    if ends(".arrow") {
        let message = "this is a set of `save_to_disk`, in Arrow IPC";
        return Problem::new(Code::Unsupported, message)
            .hint("write it as audio files with a table");
    }
    Problem::new(Code::Nothing, "no manifest and no audio is in the folder")
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
        "wav.scp" => Format::Kaldi,
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
    let mut all = vec![name.to_owned()];
    if format == Format::Lhotse {
        all = with_company(files, name);
    }
    Ok(Layout {
        format,
        files: all,
        split: None,
    })
}

/// Recordings and supervisions come together.
fn with_company(files: &dyn Files, name: &str) -> Vec<String> {
    let mut all = vec![name.to_owned()];
    let own = base(name);
    for (one, other) in [
        ("supervisions", "recordings"),
        ("recordings", "supervisions"),
    ] {
        if own.contains(one) {
            let company = beside(name, &own.replace(one, other));
            if files.names().contains(&company) {
                all.push(company);
            }
        }
    }
    all
}

/// Adds a layout: of several splits one.
fn add(
    found: &mut Vec<Layout>,
    format: Format,
    names: Vec<&str>,
    wanted: Option<&str>,
) -> Result<(), Problem> {
    let whole = matches!(
        format,
        Format::SideFiles | Format::Audio | Format::IndicVoices
    );
    let mut by_split: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without = Vec::new();
    for name in &names {
        match split_of(name) {
            Some(split) => by_split.entry(split).or_default().push((*name).to_owned()),
            None => without.push((*name).to_owned()),
        }
    }
    let all = || names.iter().map(|name| (*name).to_owned()).collect();
    if by_split.is_empty() || (whole && wanted.is_none()) {
        found.push(Layout {
            format,
            files: all(),
            split: None,
        });
        return Ok(());
    }
    let chosen = match wanted {
        Some(wanted) => by_split.keys().find(|split| same_split(split, wanted)),
        None if !without.is_empty() => {
            found.push(Layout {
                format,
                files: without,
                split: None,
            });
            return Ok(());
        }
        None => SPLITS.iter().find_map(|(name, _)| {
            by_split
                .keys()
                .find(|split| canonical(split) == Some(*name))
        }),
    };
    let Some(split) = chosen.cloned() else {
        let splits: Vec<&str> = by_split.keys().map(String::as_str).collect();
        let message = format!(
            "there is no split {:?}; there are {}",
            wanted.unwrap_or_default(),
            splits.join(", ")
        );
        return Err(Problem::new(Code::Ambiguous, message).hint("--split with one of these"));
    };
    let files = by_split.remove(&split).unwrap_or_default();
    found.push(Layout {
        format,
        files,
        split: Some(split),
    });
    Ok(())
}
