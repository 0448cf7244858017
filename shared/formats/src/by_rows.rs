//! Results of fairseq: `hypo.word-….txt` has the numbers of rows of its manifest as ids, from 0 on and
//! in any order, with `None` for the speaker: `words (None-12)`
//! (fairseq, `examples/speech_recognition/infer.py`). What was said stands in the rows of
//! `test.wrd`, which have no ids, or in `ref.word-….txt` with the same.

use super::format::Format;
use super::transcripts::{Entry, Lines, Transcripts};

/// The number of a row.
fn row(entry: &Entry) -> Option<usize> {
    let number = entry.id.as_deref()?.strip_prefix("None-")?;
    let is_number = number.bytes().all(|b| b.is_ascii_digit());
    number.parse().ok().filter(|_| is_number)
}

/// Whether all ids of a source are such.
fn are_rows(source: &Transcripts) -> bool {
    !source.entries.is_empty() && source.entries.iter().all(|entry| row(entry).is_some())
}

/// Whether all ids are numbers, which some tools write alone.
fn are_numbers(source: &Transcripts) -> bool {
    let is_number = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    let mut ids = source.entries.iter().map(|entry| entry.id.as_deref());
    !source.entries.is_empty() && ids.all(|id| id.is_some_and(is_number))
}

fn rename(source: &mut Transcripts, id: impl Fn(usize) -> Option<String>) {
    for entry in &mut source.entries {
        if let Some(own) = row(entry).and_then(&id) {
            entry.id = Some(own);
        }
    }
}

/// Brings numbers of rows to what the other side calls its rows.
pub(super) fn by_rows(
    right: &mut Transcripts,
    heard: &mut [(Transcripts, &str)],
    name: &str,
) -> Option<String> {
    let number = |row: usize| Some(row.to_string());
    if are_rows(right) {
        // With the same ids on both sides nothing is to be done.
        let mut others = heard.iter().map(|(source, _)| source);
        if !heard.is_empty() && others.all(|source| are_rows(source) || are_numbers(source)) {
            let all = std::iter::once(right).chain(heard.iter_mut().map(|(source, _)| source));
            all.for_each(|source| rename(source, number));
        }
        return None;
    }
    let shown = heard.iter().find(|(source, _)| are_rows(source))?.1;
    let is_list = right.entries.is_empty() && !right.lines.is_empty();
    let ids: Vec<Option<String>> = match right.format {
        Format::Fairseq => right.entries.iter().map(|one| one.id.clone()).collect(),
        _ => Vec::new(),
    };
    if is_list {
        let texts = right
            .lines
            .each()
            .map(|(line, _)| line)
            .zip(right.lines.texts());
        let entry = |(row, (line, text)): (usize, _)| Entry::of(row.to_string(), line, text);
        right.entries = texts.enumerate().map(entry).collect();
        right.lines = Lines::default();
    } else if ids.is_empty() && !are_numbers(right) {
        return None;
    }
    for (source, _) in heard.iter_mut().filter(|(source, _)| are_rows(source)) {
        match ids.is_empty() {
            true => rename(source, number),
            false => rename(source, |row| ids.get(row)?.clone()),
        }
    }
    (is_list || !ids.is_empty()).then(|| {
        format!(
            "ids of {shown} are the numbers of rows of {name}, from 0 on: they are paired by them"
        )
    })
}
