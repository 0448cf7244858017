//! Folders of lists: references with their systems beside them, a list for each system, or
//! one for each recording.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::entry::{Entry, ReadOptions, Side, Transcripts};
use super::failed::Failed;
use super::file::of_file;
use super::segments::{self, Segment, joined};
use crate::detect::format_of;
use crate::files::{self, Files, base, parent};
use crate::format::Format;
use crate::problem::{Problem, counted};

/// Ends of lists by format; the longer of two first.
const ENDS: [(&str, Format); 5] = [
    (".seglst.json", Format::SegLst),
    (".json", Format::SegLst),
    (".trn", Format::Trn),
    (".stm", Format::Stm),
    (".ctm", Format::Ctm),
];
/// What lists of references are called.
const REFERENCES: [&str; 4] = ["ref", "refs", "reference", "references"];
/// What lists of hypotheses begin with.
const HEARD: [&str; 4] = ["hyp", "hyps", "hypothesis", "hypotheses"];

/// What fairseq calls its references and hypotheses as words; those in letters lie beside them.
const OF_FAIRSEQ: [&str; 2] = ["ref.word", "hypo.word"];

/// A list: its file, what that is called without its end, and what it is.
struct List<'a> {
    name: &'a str,
    own: &'a str,
    format: Format,
}

impl<'a> List<'a> {
    /// One of the format that is asked for, if one is.
    fn of(files: &dyn Files, name: &'a str, wanted: &ReadOptions) -> Option<Self> {
        let (own, format) = named(name)?;
        if wanted.format.is_some_and(|wanted| wanted != format) {
            return None;
        }
        let is = format != Format::SegLst || format_of(files, name) == Ok(Format::SegLst);
        is.then_some(Self { name, own, format })
    }

    /// The system of a list of hypotheses, if its name says that it is one.
    fn system(&self) -> Option<&'a str> {
        if self.own.starts_with(OF_FAIRSEQ[1]) {
            return Some(self.own);
        }
        HEARD.iter().find_map(|heard| {
            let rest = self.own.strip_prefix(heard)?;
            (rest.is_empty() || rest.starts_with('.')).then(|| rest.trim_start_matches('.'))
        })
    }

    /// What its system is called.
    fn called(&self) -> &'a str {
        match self.system() {
            Some("") => "hyp",
            Some(system) => system,
            None => self.own,
        }
    }
}

/// What a list is called, and what it is by its end.
fn named(name: &str) -> Option<(&str, Format)> {
    if OF_FAIRSEQ.iter().any(|own| base(name).starts_with(own)) {
        return Some((base(name).strip_suffix(".txt")?, Format::Trn));
    }
    let mut ends = ENDS.iter();
    ends.find_map(|(end, format)| Some((base(name).strip_suffix(end)?, *format)))
}

/// Lists that tools for scoring write, our exports among them: `ref.trn`, `ref.stm` or
/// `ref.seglst.json` beside `hyp.trn`, or beside `hyp.<system>.stm` for each system; where none
/// is called so, every other list is one of a system. Tells whether the folder has such.
pub(super) fn beside_references(
    files: &dyn Files,
    names: &[&String],
    side: Side,
    wanted: &ReadOptions,
    made: &mut Transcripts,
) -> Result<bool, Problem> {
    let is_right = |name: &str| {
        let own = named(name).map(|(own, _)| own);
        own.is_some_and(|own| REFERENCES.contains(&own) || own.starts_with(OF_FAIRSEQ[0]))
    };
    // Those of several splits are several scores.
    let of_fairseq = |name: &&&String| base(name).starts_with(OF_FAIRSEQ[0]);
    if names.iter().filter(of_fairseq).count() > 1 {
        return Ok(false);
    }
    let mut all = names.iter().filter(|name| is_right(name));
    let right = all.find_map(|name| List::of(files, name, wanted));
    let Some(right) = right else {
        return Ok(false);
    };
    let others = names.iter().filter(|name| !is_right(name));
    let others = others.filter_map(|name| List::of(files, name, wanted));
    let (mut heard, others): (Vec<List<'_>>, Vec<List<'_>>) =
        others.partition(|list| list.system().is_some());
    if heard.is_empty() {
        let is_beside = |list: &List<'_>| parent(list.name) == parent(right.name);
        heard.extend(others.into_iter().filter(is_beside));
    }
    let Some(first) = heard.first() else {
        return Ok(false);
    };
    made.format = first.format;
    let failed = Failed::beside(files, right.name)?;
    if let (Side::Hypotheses, [_]) = (side, heard.as_slice()) {
        of_file(files, first.name, first.format, side, wanted, made)?;
        for entry in &mut made.entries {
            let said = entry.text.as_deref().unwrap_or_default();
            entry.failed = failed.reason(first.called(), entry.id.as_deref(), said);
        }
        return Ok(true);
    }
    made.format = right.format;
    made.beside = Some(first.format);
    of_file(
        files,
        right.name,
        right.format,
        Side::References,
        wanted,
        made,
    )?;
    let mut places: HashMap<String, usize> = HashMap::with_capacity(made.entries.len());
    for (at, entry) in made.entries.iter().enumerate() {
        let id = entry.id.clone().unwrap_or_default();
        places.entry(id).or_insert(at);
    }
    for list in heard {
        let system = list.called();
        let mut of_system = Transcripts::new(list.format, system);
        let heard = Side::Hypotheses;
        of_file(files, list.name, list.format, heard, wanted, &mut of_system)?;
        let remarks = of_system.remarks.into_iter();
        made.remarks
            .extend(remarks.map(|remark| said(list.name, remark)));
        made.columns.push(system.to_owned());
        let mut strangers = 0;
        for entry in of_system.entries {
            let at = entry.id.as_ref().and_then(|id| places.get(id));
            let beside = at.and_then(|at| made.entries.get_mut(*at));
            match (beside, entry.text) {
                (Some(beside), Some(text)) => {
                    if let Some(reason) = failed.reason(system, entry.id.as_deref(), &text) {
                        beside.failures.insert(system, &reason);
                        continue;
                    }
                    if !beside.hypotheses.has(system) {
                        beside.hypotheses.insert(system, &text);
                    }
                }
                _ => strangers += 1,
            }
        }
        if strangers > 0 {
            let (one, several) = match list.format {
                Format::Trn => ("line has", "lines have"),
                _ => ("recording has", "recordings have"),
            };
            let lines = counted(strangers, one, several);
            made.remarks
                .push(format!("{}: {lines} no reference", list.name));
        }
    }
    Ok(true)
}

/// A remark with the file it is about.
pub(super) fn said(name: &str, remark: String) -> String {
    match remark.starts_with(name) {
        true => remark,
        false => format!("{name}: {remark}"),
    }
}

/// Reads files of which each is a list of segments or words with times.
///
/// Recordings that several files have are those of several systems where these are
/// hypotheses, by the folders of the files or else by their names; other files have a
/// recording in parts, one for each speaker or channel.
pub(super) fn of_recordings(
    files: &dyn Files,
    lists: &[(&str, Format)],
    side: Side,
    made: &mut Transcripts,
) -> Result<(), Problem> {
    let mut all = Vec::with_capacity(lists.len());
    for (name, format) in lists {
        let decoded = files::text(files, name)?;
        made.remarks.extend(decoded.remark(name));
        let text = Arc::new(decoded.text);
        let segments = segments::of(*format, &text, name, side, &mut made.remarks)?;
        all.push((*name, segments));
        made.format = *format;
    }
    let systems = match side {
        Side::Hypotheses => systems(&all),
        Side::References => None,
    };
    let markup = segments::markup(made.format, side);
    let Some(systems) = systems else {
        joined(
            all.into_iter().flat_map(|(_, one)| one).collect(),
            markup,
            made,
        );
        return Ok(());
    };
    let mut by_system: BTreeMap<&str, Vec<Segment>> = BTreeMap::new();
    for ((_, segments), system) in all.into_iter().zip(&systems) {
        by_system.entry(system).or_default().extend(segments);
    }
    let mut each = Vec::with_capacity(by_system.len());
    for (system, segments) in by_system {
        let mut of_system = Transcripts::new(made.format, system);
        joined(segments, markup, &mut of_system);
        let remarks = of_system.remarks.into_iter();
        made.remarks
            .extend(remarks.map(|remark| said(system, remark)));
        each.push((system.to_owned(), of_system.entries));
    }
    side_by_side(each, made);
    Ok(())
}

/// Brings what systems heard together by id.
pub(super) fn side_by_side(systems: Vec<(String, Vec<Entry>)>, made: &mut Transcripts) {
    let mut order: Vec<Entry> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (system, entries) in systems {
        made.columns.push(system.clone());
        for entry in entries {
            let id = entry.id.clone().unwrap_or_default();
            let at = *places.entry(id).or_insert(order.len());
            if at == order.len() {
                order.push(Entry {
                    text: None,
                    failed: None,
                    ..entry.clone()
                });
            }
            let Some(beside) = order.get_mut(at) else {
                continue;
            };
            match (entry.failed, entry.text) {
                (Some(reason), _) => beside.failures.insert(&system, &reason),
                (None, Some(text)) => {
                    beside.hypotheses.insert(&system, &text);
                }
                (None, None) => {}
            }
        }
    }
    made.entries = order;
}

/// Takes a source for several systems: each entry is of the one that it is `called` by.
pub(crate) fn by_folder(made: &mut Transcripts, called: impl Fn(&Entry) -> String) {
    let mut systems: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for entry in std::mem::take(&mut made.entries) {
        systems.entry(called(&entry)).or_default().push(entry);
    }
    made.files.clear();
    side_by_side(systems.into_iter().collect(), made);
}

/// The system of each file, if several files have the same recordings and are no parts of
/// them.
fn systems(all: &[(&str, Vec<Segment>)]) -> Option<Vec<String>> {
    let mut files_of: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    for (name, segments) in all {
        for segment in segments {
            files_of.entry(&segment.recording).or_default().insert(name);
        }
    }
    let shared: BTreeSet<&str> = files_of
        .values()
        .filter(|of| of.len() > 1)
        .flatten()
        .copied()
        .collect();
    let mut named = shared.iter();
    let first = parent(named.next()?);
    if named.any(|name| parent(name) != first) {
        return Some(
            all.iter()
                .map(|(name, _)| parent(name).to_owned())
                .collect(),
        );
    }
    // A part is called by its recording.
    let is_part = |(name, segments): &(&str, Vec<Segment>)| {
        let own = base(name);
        segments
            .iter()
            .all(|segment| own.starts_with(&*segment.recording))
    };
    let mut of_shared = all.iter().filter(|(name, _)| shared.contains(name));
    if of_shared.all(is_part) {
        return None;
    }
    let called = |name: &str| named_system(name).to_owned();
    Some(all.iter().map(|(name, _)| called(name)).collect())
}

pub(super) fn named_system(name: &str) -> &str {
    let own = named(name).map_or_else(|| base(name), |(own, _)| own);
    HEARD
        .iter()
        .find_map(|heard| own.strip_prefix(heard)?.strip_prefix('.'))
        .unwrap_or(own)
}
