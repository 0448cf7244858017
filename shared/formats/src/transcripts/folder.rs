//! A folder as references or hypotheses: one file for each recording, or a manifest.

use std::collections::{BTreeMap, HashMap};

use super::entry::{Entry, Place, ReadOptions, Side, Transcripts};
use super::file::of_file;
use super::lists::{beside_references, of_recordings};
use super::{mixed, segments, trns, wide};
use crate::files::{self, Files, base, is_litter, recording};
use crate::finding::Findings;
use crate::format::Format;
use crate::json;
use crate::layout::{Layout, layouts, no_format};
use crate::manifest::{self, Options};
use crate::paths::has_audio_extension;
use crate::problem::{Code, Problem, counted};
use crate::table::Columns;

/// Reads a folder.
pub(super) fn read(
    files: &dyn Files,
    side: Side,
    wanted: &ReadOptions,
) -> Result<Transcripts, Problem> {
    let names: Vec<&String> = files
        .names()
        .iter()
        .filter(|name| !is_litter(name))
        .collect();
    let mut made = Transcripts::new(Format::Service, "");
    let is_kaldi = matches!(
        wanted.format,
        None | Some(Format::Kaldi | Format::KaldiText)
    );
    let of_kaldi = names.iter().find(|name| base(name) == "text");
    if let Some(name) = of_kaldi.filter(|_| is_kaldi) {
        if side == Side::Hypotheses && wanted.format.is_none() {
            mixed::no_results(files, &names, name)?;
        }
        made.format = Format::KaldiText;
        of_file(files, name, Format::KaldiText, side, wanted, &mut made)?;
        return Ok(made);
    }
    if beside_references(files, &names, side, wanted, &mut made)? {
        return Ok(made);
    }
    if trns::read(files, &names, side, wanted, &mut made)? {
        return Ok(made);
    }
    let mut texts: Vec<&String> = names
        .iter()
        .copied()
        .filter(|name| mixed::is_single(name))
        .collect();
    let mut formats = Vec::with_capacity(texts.len());
    for name in &texts {
        formats.push(mixed::one_format(files, name));
    }
    if let Some(wanted) = wanted.format {
        let mut there: BTreeMap<Format, Vec<&String>> = BTreeMap::new();
        for (name, format) in texts.iter().zip(&formats) {
            if let Some(format) = format {
                there.entry(*format).or_default().push(*name);
            }
        }
        let is_asked = |format: &Option<Format>| match wanted {
            Format::SideFiles => *format == Some(Format::Lines),
            wanted => *format == Some(wanted),
        };
        let mut asked = formats.iter().map(is_asked);
        texts.retain(|_| asked.next() == Some(true));
        formats.retain(is_asked);
        let is_none = || layouts(files, None, None).is_err();
        if texts.is_empty() && (!wanted.is_manifest() || is_none()) {
            let there = there.iter().map(|(format, names)| (*format, &names[..]));
            return Err(no_format(wanted, there));
        }
    }
    if side == Side::Hypotheses && wanted.format.is_none() {
        mixed::no_lists(files, &names, &texts, &formats)?;
    }
    let is_told = wanted.format.is_some();
    let is_each_one = !texts.is_empty()
        && formats.iter().all(Option::is_some)
        && (is_told || texts.len() > 1 || names.iter().all(|name| !has_audio_extension(name)));
    if !is_each_one {
        let is_result = |name: &&&String| mixed::is_single(name) || has_audio_extension(name);
        if names.iter().filter(is_result).count() == names.len() {
            match texts.as_slice() {
                [one] if side == Side::Hypotheses && formats == [None] => one_result(files, one)?,
                [_] => {}
                _ => mixed::refuse_others(files, &texts, &formats)?,
            }
        }
        if side == Side::Hypotheses && wanted.format.is_none() {
            mixed::one_table(files, &names)?;
        }
        return of_manifest(files, side, wanted, made);
    }
    let listed = texts.iter().map(|name| name.as_str());
    let listed: Vec<(&str, Format)> = listed.zip(formats.iter().flatten().copied()).collect();
    let is_list = |(_, format): &(&str, Format)| segments::are_in(*format);
    if listed.len() > 1 && listed.iter().all(is_list) {
        of_recordings(files, &listed, side, &mut made)?;
        return Ok(made);
    }
    let mut remarks = Remarks::default();
    for (name, format) in listed {
        let begin = made.entries.len();
        made.files.push((begin, name.to_owned()));
        if format == Format::Lines {
            let text = crate::files::text(files, name)?.text;
            let words: Vec<&str> = text.split_whitespace().collect();
            made.entries
                .push(Entry::of(recording(name), 1, words.join(" ")));
            made.format = Format::SideFiles;
        } else {
            made.format = format;
            of_file(files, name, format, side, wanted, &mut made)?;
            remarks.take(name, &mut made.remarks);
        }
        for entry in made.entries.iter_mut().skip(begin) {
            let id = entry.id.as_deref();
            let path = id.map(|id| files::beside(name, id));
            entry.place = Place::new(path.as_deref(), id, None);
        }
    }
    made.remarks = remarks.told();
    Ok(made)
}

/// Remarks about the files of a folder: one that many files give rise to is told once.
#[derive(Default)]
struct Remarks {
    /// A file, what is told of it, and of how many.
    all: Vec<(String, String, usize)>,
    places: HashMap<String, usize>,
}

impl Remarks {
    fn take(&mut self, file: &str, remarks: &mut Vec<String>) {
        for remark in remarks.drain(..) {
            let own = remark.strip_prefix(file);
            let told = own.and_then(|rest| rest.strip_prefix(": "));
            let Some(told) = told else {
                self.all.push((String::new(), remark, 1));
                continue;
            };
            if let Some((_, _, times)) = self.places.get(told).and_then(|at| self.all.get_mut(*at))
            {
                *times += 1;
                continue;
            }
            self.places.insert(told.to_owned(), self.all.len());
            self.all.push((file.to_owned(), told.to_owned(), 1));
        }
    }

    fn told(self) -> Vec<String> {
        let all = self.all.into_iter();
        all.map(|(file, told, times)| match times {
            1 if file.is_empty() => told,
            1 => format!("{file}: {told}"),
            times => format!("{} such as {file}: {told}", counted(times, "file", "files")),
        })
        .collect()
    }
}

/// Refuses a single object as what systems heard, where it is no result and none of its fields
/// has a name that rows of tables have: its fields would be taken for systems.
fn one_result(files: &dyn Files, name: &str) -> Result<(), Problem> {
    let Some(problem) = mixed::refused(files, name) else {
        return Ok(());
    };
    let text = crate::files::text(files, name)?.text;
    let rows = json::objects(&text, name).map_or_else(|_| Vec::new(), |found| found.rows);
    let fields = rows.iter().filter_map(|(_, row)| row.as_object());
    let names = fields.flat_map(|fields| fields.keys().cloned());
    match Columns::new(names.collect()).is_header() {
        true => Ok(()),
        false => Err(problem),
    }
}

fn of_manifest(
    files: &dyn Files,
    side: Side,
    wanted: &ReadOptions,
    mut made: Transcripts,
) -> Result<Transcripts, Problem> {
    let mut found = layouts(files, None, None)?;
    if let Some(wanted) = wanted.format {
        let there = found.iter().map(|one| (one.format, one.files.as_slice()));
        let others = no_format(wanted, there);
        found.retain(|layout| layout.format == wanted);
        if found.is_empty() {
            return Err(others);
        }
    }
    found.retain(|layout| layout.format != Format::Audio);
    let Some((layout, others)) = found.split_first() else {
        return Err(Problem::new(Code::Nothing, "no texts are in the folder"));
    };
    if side == Side::References && wanted.format.is_none() {
        agree(files, layout, others)?;
    }
    made.format = layout.format;
    match layout.files.as_slice() {
        [table] if side == Side::Hypotheses => {
            of_file(files, table, layout.format, side, wanted, &mut made)?;
        }
        _ => wide::of_layout(files, layout, side, wanted, &mut made)?,
    }
    Ok(made)
}

/// Refuses lists of one folder that say different things, as a run does: one would be passed
/// over.
fn agree(files: &dyn Files, layout: &Layout, others: &[Layout]) -> Result<(), Problem> {
    let is_beside =
        |other: &&Layout| matches!(other.format, Format::SideFiles | Format::IndicVoices);
    let options = Options::default();
    let read = |layout: &Layout| {
        let reading = manifest::read(files, layout, &options, &mut Findings::default());
        reading.ok().filter(|reading| {
            let mut rows = reading.rows.iter();
            rows.any(|row| row.said.text().is_some())
        })
    };
    let mut first = None;
    for other in others.iter().filter(|other| !is_beside(other)) {
        if first.is_none() {
            first = read(layout);
        }
        if let (Some(first), Some(second)) = (&first, read(other)) {
            crate::folders::agree((layout, first), (other, &second))?;
        }
    }
    Ok(())
}
