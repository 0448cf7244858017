//! Tables: CSV for spreadsheets, and the metadata of an audiofolder.

use std::collections::BTreeSet;

use super::{Told, Written};
use crate::table::FIELD;

/// A cell: quoted where it has to be.
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        cell(&format!("'{text}"))
    } else {
        cell(text)
    }
}

/// CSV with a column for each system. A cell that begins like a formula gets `'` before
/// it. `mark` puts a byte order mark in front: without it, Excel takes UTF-8 for
/// something else.
#[must_use]
pub fn csv(systems: &[String], samples: &[Written], mark: bool) -> String {
    let told = samples.iter().any(|sample| !sample.told.is_empty());
    let fields = samples.iter().flat_map(|sample| sample.fields.keys());
    let fields = fields.cloned().collect();
    csv_head(systems, &fields, told, mark) + &csv_rows(samples, &fields)
}

/// The first line of [`csv()`]; `told` where samples say more than texts. `fields` are free
/// fields that get columns, in the order of the alphabet.
#[must_use]
pub fn csv_head(systems: &[String], fields: &BTreeSet<String>, told: bool, mark: bool) -> String {
    let mut out = String::new();
    if mark {
        out.push('\u{feff}');
    }
    let fixed = [
        "id",
        "audio",
        "duration",
        "language",
        "speaker",
        "reference",
    ];
    let of_system = |system: &String| {
        [
            "wer",
            "cer",
            "error",
            "is_correct",
            "comment",
            "reviews",
            "proposed_references",
        ]
        .map(|name| format!("{system} {name}"))
    };
    let known = systems.iter().filter(|_| told).flat_map(of_system);
    let known_of_all = ["reference_from", "scored_by"].map(str::to_owned);
    let known_of_all = known_of_all.into_iter().filter(|_| told);
    let header = fixed
        .into_iter()
        .map(str::to_owned)
        .chain(systems.iter().cloned())
        .chain(known)
        .chain(known_of_all)
        .chain(fields.iter().map(|name| format!("{FIELD}{name}")));
    push(&mut out, header);
    out
}

/// Further lines of [`csv()`], with the same fields.
#[must_use]
pub fn csv_rows(samples: &[Written], fields: &BTreeSet<String>) -> String {
    let mut out = String::new();
    for sample in samples {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let row = [
            sample.id.clone(),
            text(&sample.audio),
            number(sample.seconds),
            text(&sample.language),
            text(&sample.speaker),
            text(&sample.reference),
        ];
        let known = sample.told.iter().flat_map(|told| {
            [
                number(told.wer),
                number(told.cer),
                text(&told.error),
                number(told.is_correct),
                text(&told.comment),
                lines(&told.reviews),
                told.proposed_references.join("\n"),
            ]
        });
        let heard = sample.heard.iter().map(text);
        let known_of_all = [text(&sample.reference_from), scored_by(&sample.told)];
        let is_told = !sample.told.is_empty();
        let free = fields.iter();
        let free = free.map(|name| sample.fields.get(name).cloned().unwrap_or_default());
        push(
            &mut out,
            row.into_iter()
                .chain(heard)
                .chain(known)
                .chain(known_of_all.into_iter().filter(|_| is_told))
                .chain(free),
        );
    }
    out
}

/// What the texts of a sample were scored with, a line each where they differ.
fn scored_by(told: &[Told]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for by in told.iter().filter_map(|told| told.scored_by.as_ref()) {
        let line = by.to_string();
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join("\n")
}

fn lines(of: &[super::Reviewed]) -> String {
    let lines: Vec<String> = of.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn number<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn push(out: &mut String, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.map(|text| harmless(&text)).collect();
    *out += &cells.join(",");
    *out += "\r\n";
}

/// The first line of `metadata.csv` of an audiofolder.
pub const AUDIOFOLDER_HEAD: &str = "file_name,transcription,language,speaker\n";

/// `metadata.csv` of an audiofolder: only samples that have a recording.
#[must_use]
pub fn audiofolder(samples: &[Written]) -> String {
    AUDIOFOLDER_HEAD.to_owned() + &audiofolder_rows(samples)
}

/// What a recording is called in an audiofolder. Names of recordings may come twice; their place
/// in the dataset, from 1, does not. It leads nowhere else.
#[must_use]
pub fn audiofolder_name(place: usize, filename: &str) -> String {
    let safe = |c: char| match c.is_control() || "/\\:".contains(c) {
        true => '_',
        false => c,
    };
    let name: String = filename.chars().map(safe).collect();
    format!("{place:05}-{name}")
}

/// A line for each sample that has a recording.
#[must_use]
pub fn audiofolder_rows(samples: &[Written]) -> String {
    let mut out = String::new();
    for sample in samples {
        let Some(audio) = &sample.audio else {
            continue;
        };
        let text = |value: &Option<String>| cell(value.as_deref().unwrap_or_default());
        let cells = [
            cell(audio),
            text(&sample.reference),
            text(&sample.language),
            text(&sample.speaker),
        ];
        out += &cells.join(",");
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_of_a_folder_have_names_of_their_own_that_lead_nowhere_else() {
        assert_eq!(audiofolder_name(1, "../हाँ.wav"), "00001-.._हाँ.wav");
        assert_eq!(audiofolder_name(12, "a:\\b\n.mp3"), "00012-a__b_.mp3");
    }
}
