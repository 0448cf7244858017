//! Lists that are no text: what they say of recordings must not be passed over for recordings
//! alone.

use super::contents::Folder;
use crate::detect::format_of;
use crate::files::{Files, base, is_litter};
use crate::paths::has_audio_extension;
use crate::problem::{Code, Problem};
use crate::transcripts::is_about;

/// Most files of a folder that may be lists.
const MOST: usize = 64;
/// How lists are called; the last are of single recordings where there are many.
const ENDS: [&str; 6] = [".csv", ".tsv", ".jsonl", ".json", ".xlsx", ".txt"];

/// Whether a file is called as a recording beside it, with its extension or without: it belongs to
/// that.
fn is_of_recording(folder: &Folder<'_>, own: &str) -> bool {
    let begins = format!("{own}.");
    // Names are sorted, and there may be very many.
    let at = folder.names.partition_point(|name| *name < begins.as_str());
    let behind = folder.names.iter().skip(at);
    let mut alike = behind.take_while(|name| name.starts_with(&begins));
    (has_audio_extension(own) && folder.has(own)) || alike.any(|name| has_audio_extension(name))
}

/// The first list of the first two levels that can't be decoded, and why; `.txt` only where
/// no recording has its text in one.
pub(crate) fn undecodable(files: &dyn Files, may_be_txt: bool) -> Option<Problem> {
    let names = files.names().iter().map(String::as_str);
    let folder = Folder::of(files, names.filter(|name| !is_litter(name)).collect());
    // Texts and answers lie beside recordings; tables are lists, whatever they are called.
    let is_text = |name: &str| name.ends_with(".txt") || name.ends_with(".json");
    let all = folder.with(|name| {
        let plain = name.strip_suffix(".gz").unwrap_or(name);
        let end = ENDS.iter().find(|end| plain.ends_with(**end));
        let Some(own) = end.and_then(|end| plain.strip_suffix(end)) else {
            return false;
        };
        let is_of_one = is_text(plain) && is_of_recording(&folder, own);
        let is_no_list = is_of_one || is_about(name) || base(name).starts_with('.');
        let is_asked = may_be_txt || !plain.ends_with(".txt");
        is_asked && !is_no_list && folder.depth(name) < 2
    });
    let mut problems = all.into_iter().take(MOST).filter_map(|name| {
        let problem = format_of(files, name).err()?;
        matches!(problem.code, Code::Undecodable | Code::Malformed).then_some(problem)
    });
    problems.next()
}

/// Refuses recordings beside a list that can't be decoded.
///
/// # Errors
/// There is one.
pub(crate) fn refuse(files: &dyn Files, may_be_txt: bool) -> Result<(), Problem> {
    let Some(mut problem) = undecodable(files, may_be_txt) else {
        return Ok(());
    };
    let own = problem.hint.take();
    let own = own.map_or_else(String::new, |own| format!("{own}; "));
    let format = if may_be_txt { "audio" } else { "side_files" };
    Err(problem.hint(format!("{own}--format {format} leaves it out")))
}
