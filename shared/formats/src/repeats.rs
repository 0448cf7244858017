//! Ids that come again in a list: the second `u1` is called `u1#2`, so that it is joined with
//! the second of the other side.

use std::collections::HashMap;

use super::problem::counted;
use super::transcripts::Entry;

/// An id that was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repeat {
    written: String,
    /// How often it was there, this time included.
    times: usize,
    line: u64,
    first: u64,
}

impl Repeat {
    /// What it is called instead.
    pub(super) fn id(&self) -> String {
        format!("{}#{}", self.written, self.times)
    }
}

/// Numbers the ids of a list that come again.
pub(super) fn numbered(entries: &mut [Entry]) -> Vec<Repeat> {
    let mut seen: HashMap<&str, (usize, u64)> = HashMap::with_capacity(entries.len());
    let mut repeats = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let Some(id) = entry.id.as_deref() else {
            continue;
        };
        let (times, first) = seen.entry(id).or_insert((0, entry.line));
        *times += 1;
        if *times > 1 {
            let repeat = Repeat {
                written: id.to_owned(),
                times: *times,
                line: entry.line,
                first: *first,
            };
            repeats.push((at, repeat));
        }
    }
    let number = |(at, repeat): (usize, Repeat)| {
        if let Some(entry) = entries.get_mut(at) {
            entry.id = Some(repeat.id());
        }
        repeat
    };
    repeats.into_iter().map(number).collect()
}

/// What is to be told of ids that come again in `file`, if any do.
pub(super) fn told(repeats: &[Repeat], file: &str, consequence: &str) -> Option<String> {
    let (first, others) = repeats.split_first()?;
    let id = &first.written;
    // Files of a folder are all read from their first line.
    let mut remark = match first.line == first.first {
        true => format!("{file}: the id {id} is there twice; {consequence}"),
        false => format!(
            "{file} line {}: the id {id} is there again, first on line {}; {consequence}",
            first.line, first.first
        ),
    };
    if !others.is_empty() {
        let more = counted(others.len(), "further line is", "further lines are");
        remark += &format!(" ({more} so)");
    }
    Some(remark)
}
