//! What a folder is: all layouts that are there, the likeliest first.

use std::collections::BTreeMap;

use super::contents::Folder;
use super::looks::{LOOKS, lists};
use crate::detect::OF_ARROW;
use crate::files::{Files, base, is_litter};
use crate::format::Format;
use crate::headerless;
use crate::layout::{Layout, no_split, same_split, split_of, usual_split};
use crate::paths::has_audio_extension;
use crate::problem::{Code, Problem, counted};

/// All ways to read a folder.
pub(crate) fn layouts(files: &dyn Files, split: Option<&str>) -> Result<Vec<Layout>, Problem> {
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
        return Err(without(&folder.names).unwrap_or_else(|| {
            Problem::new(Code::Nothing, "no manifest and no audio is in the folder")
        }));
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

/// Where the recordings of a folder are in which none were found, if that can be told.
pub(crate) fn without<S: AsRef<str>>(names: &[S]) -> Option<Problem> {
    let of_end = |end: &str| {
        let mut all = names.iter().map(AsRef::as_ref);
        let first = all.find(|name| name.ends_with(end))?;
        let more = all.filter(|name| name.ends_with(end)).count();
        Some((first.to_owned(), more))
    };
    let of_more = |more: usize| match more {
        0 => String::new(),
        more => format!(" (and of {more} more)"),
    };
    if let Some((first, more)) = of_end(".tar") {
        let more = of_more(more);
        let message = format!("the audio is inside of this TAR archive{more}");
        let problem = Problem::new(Code::Unsupported, message).file(&first);
        return Some(problem.hint("unpack it and name the folder"));
    }
    let (first, _) = of_end(".arrow")?;
    let message = "this is a set of `save_to_disk`, in Arrow IPC";
    let problem = Problem::new(Code::Unsupported, message).file(&first);
    Some(problem.hint(OF_ARROW))
}

/// Files that are told by name; what is more is counted.
const TOLD: usize = 3;

/// Files beside recordings alone that are nothing known: one of them may be what people
/// mean.
pub(crate) fn not_understood(files: &dyn Files, told: &[String]) -> Option<String> {
    let is_other = |name: &&String| {
        let own = base(name).to_lowercase();
        let is_about =
            own.starts_with("readme") || own.starts_with("license") || own.ends_with(".md");
        let is_hidden = own.starts_with('.');
        !is_litter(name) && !has_audio_extension(name) && !is_about && !is_hidden
    };
    let all = files.names().iter().filter(is_other);
    let others: Vec<&str> = all
        .filter(|name| !told.contains(name))
        .map(String::as_str)
        .collect();
    let shown = others.get(..TOLD.min(others.len()))?.join(", ");
    let more = others.len().saturating_sub(TOLD);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let yaml = others
        .iter()
        .any(|name| name.ends_with(".yaml") || name.ends_with(".yml"));
    let hint = if yaml {
        " (lhotse can write its YAML as .jsonl)"
    } else {
        ""
    };
    (!others.is_empty()).then(|| format!("not understood and left out: {shown}{more}{hint}"))
}

/// Whether files of a format are lists of which a folder may have one for each language.
pub(crate) fn is_list(format: Format) -> bool {
    matches!(
        format,
        Format::Nemo
            | Format::Jsonl
            | Format::LabelStudio
            | Format::DeepSpeech
            | Format::Table
            | Format::Xlsx
    )
}

/// Tells of lists of several languages that are read as one set.
pub(crate) fn read_together(layout: &Layout) -> Option<String> {
    let (first, rest) = layout.files.split_first()?;
    (is_list(layout.format) && layout.split.is_none() && !rest.is_empty()).then(|| {
        let rest = counted(rest.len(), "list", "lists");
        format!("{first} and {rest} of other languages or folders are read together")
    })
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
        Some(wanted) => {
            let mut splits = by_split.keys().map(String::as_str);
            splits.find(|split| same_split(split, wanted))
        }
        None if !without.is_empty() => {
            found.push(Layout {
                format,
                files: without,
                split: None,
            });
            return Ok(());
        }
        None => usual_split(&by_split.keys().map(String::as_str).collect()),
    };
    let Some(split) = chosen.map(str::to_owned) else {
        let there = by_split.keys().map(String::as_str);
        return Err(no_split(wanted.unwrap_or_default(), there));
    };
    let files = by_split.remove(&split).unwrap_or_default();
    found.push(Layout {
        format,
        files,
        split: Some(split),
    });
    Ok(())
}
