//! Texts beside recordings that have none themselves: `c.txt` without a `c.wav`. One of both was
//! lost or renamed, which is told; it is an utterance that can't be used.

use std::collections::BTreeSet;

use super::beside::text_beside;
use super::side_files::SIDE_EXTENSIONS;
use crate::decode::lines;
use crate::files::{self, base, is_litter, parent};
use crate::layout::Layout;
use crate::manifest::{Reader, Row, Said};
use crate::paths::has_audio_extension;
use crate::transcripts::is_about;

/// Files that are named where they are left out.
const TOLD: usize = 3;

/// A name without its extension, and that.
fn parts(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('.')
}

/// Files called as the texts beside recordings, in the same folders, of which no recording is
/// called so.
fn alone(reader: &Reader<'_>, layout: &Layout) -> Vec<String> {
    let kinds = layout
        .files
        .iter()
        .filter_map(|name| Some((parent(name), parts(name)?.1)));
    let kinds: BTreeSet<(&str, &str)> = kinds.collect();
    let names = reader.files.names().iter().map(String::as_str);
    let audio = names.clone().filter(|name| has_audio_extension(name));
    // What belongs to `a.wav` may be called `a.wav.txt`.
    let recordings: BTreeSet<&str> = audio
        .flat_map(|name| [Some(name), parts(name).map(|(own, _)| own)])
        .flatten()
        .collect();
    let is_alone = |name: &&str| {
        let Some((own, end)) = parts(name).filter(|(_, end)| SIDE_EXTENSIONS.contains(end)) else {
            return false;
        };
        kinds.contains(&(parent(name), end))
            && !recordings.contains(own)
            && !is_litter(name)
            && !is_about(name)
            && !base(name).starts_with('.')
    };
    names.filter(is_alone).map(str::to_owned).collect()
}

/// The text of one recording, as such a file has it. What has several lines, or is nothing that
/// lies beside recordings, is about the folder.
fn said(reader: &mut Reader<'_>, name: &str, tier: Option<&str>) -> Option<Said> {
    let text = files::text(reader.files, name).ok()?.text;
    let is_plain = matches!(parts(name), Some((_, "txt" | "lab")));
    let filled = lines(&text).filter(|(_, line)| !line.trim().is_empty());
    if is_plain && filled.count() > 1 {
        return None;
    }
    let found = text_beside(&text, name, tier).ok()?;
    Some(found.text.map_or(Said::Absent, Said::Text))
}

/// Adds them to what was read; files that are none are told.
pub(super) fn add(
    reader: &mut Reader<'_>,
    layout: &Layout,
    (kind, tier): (Option<&str>, Option<&str>),
) {
    let mut left_out = Vec::new();
    let mut all = alone(reader, layout);
    all.retain(|name| kind.is_none_or(|kind| parts(name).is_some_and(|(_, end)| end == kind)));
    for name in all {
        match said(reader, &name, tier) {
            Some(said) => reader.reading.rows.push(Row {
                id: files::stem(&name).to_owned(),
                file: name.into(),
                line: 1,
                said,
                is_text_alone: true,
                ..Row::default()
            }),
            // Facts in JSON lie beside many sets.
            None if name.ends_with(".json") => {}
            None => left_out.push(name),
        }
    }
    if let Some(shown) = left_out
        .get(..TOLD.min(left_out.len()))
        .filter(|all| !all.is_empty())
    {
        let more = match left_out.len() - shown.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let shown = shown.join(", ");
        reader.reading.remarks.push(format!(
            "no recording is called as {shown}{more}: left out, for they are no text of one"
        ));
    }
}
