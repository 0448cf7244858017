//! Ids that come again in a list: the second `u1` is called `u1#2`, so that it is joined with
//! the second of the other side.

use std::collections::HashMap;

use super::problem::counted;
use super::transcripts::Transcripts;

/// An id that was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repeat {
    written: String,
    /// How often it was there, this time included.
    times: usize,
    line: u64,
    first: u64,
    /// The file of the first and its own, in a folder.
    files: Option<[String; 2]>,
}

impl Repeat {
    /// What it is called instead.
    pub(super) fn id(&self) -> String {
        format!("{}#{}", self.written, self.times)
    }
}

/// The file that an entry is of.
fn file_of(files: &[(usize, String)], at: usize) -> Option<&str> {
    let behind = files.partition_point(|(begin, _)| *begin <= at);
    let (_, file) = files.get(behind.checked_sub(1)?)?;
    Some(file)
}

/// Numbers the ids of a source that come again.
pub(super) fn numbered(source: &mut Transcripts) -> Vec<Repeat> {
    let (entries, files) = (&mut source.entries, &source.files);
    let mut seen: HashMap<&str, (usize, usize)> = HashMap::with_capacity(entries.len());
    let mut repeats = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let Some(id) = entry.id.as_deref() else {
            continue;
        };
        let (times, first) = seen.entry(id).or_insert((0, at));
        *times += 1;
        if *times > 1 {
            let pair = file_of(files, *first).zip(file_of(files, at));
            let repeat = Repeat {
                written: id.to_owned(),
                times: *times,
                line: entry.line,
                first: entries.get(*first).map_or(0, |first| first.line),
                files: pair.map(|(first, own)| [first.to_owned(), own.to_owned()]),
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
    let mut remark = match &first.files {
        Some([one, other]) if one != other => {
            format!("{file}: the id {id} is in {one} and in {other}; {consequence}")
        }
        _ => format!(
            "{file} line {}: the id {id} is there again, first on line {}; {consequence}",
            first.line, first.first
        ),
    };
    if !others.is_empty() {
        let (one, several) = match first.files {
            Some(_) => ("further file is", "further files are"),
            None => ("further line is", "further lines are"),
        };
        let more = counted(others.len(), one, several);
        remark += &format!(" ({more} so)");
    }
    Some(remark)
}
