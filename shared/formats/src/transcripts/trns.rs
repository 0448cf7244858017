//! Folders of TRN lists, none of which is called as the references.

use std::collections::{BTreeSet, HashMap};

use super::entry::{Entry, ReadOptions, Side, Transcripts};
use super::file::of_file;
use super::lists::{named_system, said, side_by_side};
use crate::files::Files;
use crate::format::Format;
use crate::problem::{Code, Problem};

/// A list: its file and its lines.
type List<'a> = (&'a str, Vec<Entry>);

/// Reads the lists of a folder. Those that share ids are of several systems; others are one
/// list in parts. Tells whether there is one.
pub(super) fn read(
    files: &dyn Files,
    names: &[&String],
    side: Side,
    wanted: &ReadOptions,
    made: &mut Transcripts,
) -> Result<bool, Problem> {
    let is_list = |name: &&str| name.ends_with(".trn");
    let lists: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    let lists: Vec<&str> = lists.into_iter().filter(is_list).collect();
    if lists.is_empty() || wanted.format.is_some_and(|wanted| wanted != Format::Trn) {
        return Ok(false);
    }
    made.format = Format::Trn;
    let mut all: Vec<List<'_>> = Vec::with_capacity(lists.len());
    for name in lists {
        let mut list = Transcripts::new(Format::Trn, name);
        of_file(files, name, Format::Trn, side, wanted, &mut list)?;
        let remarks = list.remarks.into_iter();
        made.remarks.extend(remarks.map(|one| said(name, one)));
        all.push((name, list.entries));
    }
    match (shared(&all), side) {
        (None, _) => {
            for (name, entries) in all {
                made.files.push((made.entries.len(), name.to_owned()));
                made.entries.extend(entries);
            }
        }
        (Some(_), Side::Hypotheses) => {
            let called = systems(&all);
            let each = called.into_iter().zip(all.into_iter().map(|(_, all)| all));
            side_by_side(each.collect(), made);
        }
        (Some((one, other, id)), Side::References) => {
            let message = format!(
                "{one} and {other} have the same ids ({id} …), and which of them has the \
                 references is not known"
            );
            let problem = Problem::new(Code::Ambiguous, message);
            return Err(problem.hint(format!(
                "call it ref.trn; or name it first, and what was heard behind it: {one} {other}"
            )));
        }
    }
    Ok(true)
}

/// Two lists and an id that both have.
fn shared(all: &[List<'_>]) -> Option<(String, String, String)> {
    let mut first: HashMap<&str, &str> = HashMap::new();
    for (name, entries) in all {
        for id in entries.iter().filter_map(|entry| entry.id.as_deref()) {
            let other = first.entry(id).or_insert(name);
            if other != name {
                let other = (*other).to_owned();
                return Some((other, (*name).to_owned(), id.to_owned()));
            }
        }
    }
    None
}

/// What the systems are called: as their lists, or as their paths where lists of several folders
/// are called alike.
fn systems(all: &[List<'_>]) -> Vec<String> {
    let own: Vec<&str> = all.iter().map(|(name, _)| named_system(name)).collect();
    let distinct: BTreeSet<&&str> = own.iter().collect();
    if distinct.len() == own.len() {
        return own.into_iter().map(str::to_owned).collect();
    }
    let paths = all.iter().map(|(name, _)| name.trim_end_matches(".trn"));
    paths.map(str::to_owned).collect()
}
