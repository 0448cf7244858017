//! Results of single recordings and lists in one folder: what each file is, and what can't stand
//! together, as which of both is meant is not known.

use super::file::format_of_empty;
use super::services;
use crate::detect::format_of;
use crate::files::{Files, base};
use crate::format::Format;
use crate::json;
use crate::paths::has_audio_extension;
use crate::problem::{Code, Problem};

/// Whether a file is called as those that have the text of one recording.
pub(super) fn is_single(name: &str) -> bool {
    let end = base(name).rsplit_once('.').map_or("", |(_, end)| end);
    matches!(
        end,
        "json"
            | "txt"
            | "lab"
            | "srt"
            | "vtt"
            | "tsv"
            | "aud"
            | "nlp"
            | "ctm"
            | "stm"
            | "eaf"
            | "TextGrid"
            | "textgrid"
    )
}

/// Whether files of this format are results, and nothing else can be meant by them.
const fn is_result(format: Format) -> bool {
    matches!(
        format,
        Format::Service | Format::Srt | Format::Vtt | Format::WhisperTsv
    )
}

/// Whether a format of JSON is that of a list.
const fn is_list(format: Format) -> bool {
    matches!(
        format,
        Format::Nemo | Format::LabelStudio | Format::Lhotse | Format::SegLst | Format::IndicVoices
    )
}

/// Whether a file of JSON has several rows.
fn is_array(files: &dyn Files, name: &str) -> bool {
    if format_of(files, name) != Ok(Format::Jsonl) {
        return false;
    }
    let text = crate::files::text(files, name).map(|decoded| decoded.text);
    let rows = text.ok().and_then(|text| json::objects(&text, name).ok());
    rows.is_some_and(|found| found.rows.len() > 1)
}

fn both(results: &[&str], list: &str) -> Problem {
    let message = format!(
        "the folder has results of single recordings ({}) and a list ({list}): which of both is \
         meant is not known",
        some(results)
    );
    Problem::new(Code::Ambiguous, message).hint("name the list, or take it out of the folder")
}

/// Refuses results beside a list of Kaldi's.
pub(super) fn no_results(files: &dyn Files, names: &[&String], list: &str) -> Result<(), Problem> {
    let all = names.iter().filter(|name| is_single(name));
    let is_one = |name: &&&String| one_format(files, name).is_some_and(is_result);
    let results: Vec<&str> = all.filter(is_one).map(|name| name.as_str()).collect();
    match results.is_empty() {
        true => Ok(()),
        false => Err(both(&results, list)),
    }
}

/// What lies in many folders and is no text of a recording.
pub(crate) fn is_about(name: &str) -> bool {
    let own = base(name).to_ascii_lowercase();
    [
        "readme",
        "license",
        "licence",
        "requirements",
        "log",
        "notes",
    ]
    .iter()
    .any(|word| own.starts_with(word))
}

/// Refuses a list, or a file that is nothing known, among results of single recordings: it would
/// be all that is scored.
pub(super) fn no_lists(
    files: &dyn Files,
    names: &[&String],
    texts: &[&String],
    formats: &[Option<Format>],
) -> Result<(), Problem> {
    let has_audio = names.iter().any(|name| has_audio_extension(name));
    let mut results = Vec::new();
    let mut lines = Vec::new();
    for (name, format) in texts.iter().zip(formats) {
        match format {
            Some(Format::Lines) if !has_audio && !is_about(name) => lines.push(name.as_str()),
            Some(format) if is_result(*format) => results.push(name.as_str()),
            _ => {}
        }
    }
    // Beside recordings, texts are those of a set with its list. One alone may be about it.
    if lines.len() > 1 {
        results.extend(lines);
    }
    let others = texts.iter().zip(formats).filter(|(_, one)| one.is_none());
    let mut others = others.map(|(name, _)| name.as_str());
    let Some(other) = others.next().filter(|_| !results.is_empty()) else {
        return Ok(());
    };
    Err(refused(files, other).unwrap_or_else(|| both(&results, other)))
}

/// Refuses several tables as what one system heard: a folder is read as one, and they may be
/// of one system each.
pub(super) fn one_table(files: &dyn Files, names: &[&String]) -> Result<(), Problem> {
    let is_table = |name: &&&String| {
        let (_, end) = base(name).rsplit_once('.').unwrap_or_default();
        let is_list = || {
            let format = format_of(files, name);
            matches!(format, Ok(Format::Nemo | Format::LabelStudio)) || is_array(files, name)
        };
        matches!(end, "csv" | "tsv" | "jsonl") || (end == "json" && is_list())
    };
    let tables: Vec<&str> = names
        .iter()
        .filter(is_table)
        .map(|name| name.as_str())
        .collect();
    if tables.len() < 2 {
        return Ok(());
    }
    let message = format!("the folder has {} tables: {}", tables.len(), some(&tables));
    Err(Problem::new(Code::Ambiguous, message).hint("name the files, one for each system"))
}

/// The first of many names.
fn some(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let more = if names.len() > SHOWN { ", …" } else { "" };
    let shown: Vec<&str> = names.iter().copied().take(SHOWN).collect();
    format!("{}{more}", shown.join(", "))
}

/// A folder of results, in which a file is the result of no service that is known, is no
/// manifest: the file is told.
pub(super) fn refuse_others(
    files: &dyn Files,
    texts: &[&String],
    formats: &[Option<Format>],
) -> Result<(), Problem> {
    let mut first = None;
    let mut unknown = 0;
    for (name, _) in texts.iter().zip(formats).filter(|(_, one)| one.is_none()) {
        match refused(files, name) {
            Some(problem) => {
                unknown += 1;
                first.get_or_insert(problem);
            }
            // This is a list.
            None => return Ok(()),
        }
    }
    let known = formats.iter().flatten().count();
    first.filter(|_| known + unknown > 1).map_or(Ok(()), Err)
}

/// Why a file of JSON is no result, where it is no list either.
pub(super) fn refused(files: &dyn Files, name: &str) -> Option<Problem> {
    let format = match format_of(files, name) {
        Ok(format) => Some(format),
        Err(problem) if problem.code == Code::Nothing => None,
        Err(_) => return None,
    };
    if !name.ends_with(".json") || format.is_some_and(is_list) {
        return None;
    }
    let text = crate::files::text(files, name).ok()?.text;
    if text.trim().is_empty() {
        let problem = Problem::new(Code::Malformed, "is empty: a result has its text in it");
        return Some(problem.file(name));
    }
    let objects = json::objects(&text, name);
    if objects.is_ok_and(|found| found.rows.len() + found.bad.len() > 1 && !found.rows.is_empty()) {
        return None;
    }
    let problem = services::entry(&text, name, 0, &mut Vec::new()).err()?;
    Some(problem.hint(
        "take it out of the folder if it is no result; the clip of a result that is not there \
         counts as missing",
    ))
}

/// The format of a file that holds one recording's text; `None` for manifests.
pub(super) fn one_format(files: &dyn Files, name: &str) -> Option<Format> {
    if name.ends_with(".txt") || name.ends_with(".lab") {
        let own = base(name);
        let is_list = own.starts_with("transcript") || own.ends_with(".trans.txt");
        return (!is_list).then_some(Format::Lines);
    }
    let format = match format_of(files, name) {
        Ok(format) => format,
        Err(problem) if matches!(problem.code, Code::Nothing | Code::UnknownFormat) => {
            return format_of_empty(name);
        }
        Err(_) => return None,
    };
    let one = matches!(
        format,
        Format::Service
            | Format::Srt
            | Format::Vtt
            | Format::WhisperTsv
            | Format::RevNlp
            | Format::Ctm
            | Format::Stm
            | Format::SegLst
            | Format::Elan
            | Format::TextGrid
    );
    // Results of Whisper in one array, or of a service that is not known, are no
    // manifest either, but then nothing can be made of them.
    one.then_some(format)
}
