//! References and hypotheses of one or more systems, brought together by id or by line.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use stt_eval_domain::failure::failed_by;
use stt_eval_scoring::FailedBy;

use super::apart::told_apart;
use super::asked::{all_there, are_marked, columns_there, of_models};
use super::by_column::{candidates, joined};
use super::by_rows::by_rows;
use super::files::Files;
use super::firsts::{by_first_words, no_ids, without_headers};
use super::format::Format;
use super::in_order::{by_other_ids, by_recordings, in_order};
use super::markup::Markup;
use super::paired::{About, Hypothesis, Id, Pair, Pairs};
use super::problem::{Code, Problem, counted};
use super::repeats::{Repeat, numbered, told};
use super::same::{folded, has_ids};
use super::table::PREDICTED;
use super::top::called_as_its_folder;
use super::transcripts::{Entry, ReadOptions, Side, Transcripts, by_channels, read};
use super::uneven::uneven;

/// A source: a folder, or a file in it; and what it is called.
pub struct Source<'a> {
    /// Files of the folder.
    pub files: &'a dyn Files,
    /// The file, if it is one.
    pub file: Option<&'a str>,
    /// Name for tables.
    pub name: &'a str,
}

/// Reads references and hypotheses and brings them together. Without hypotheses, those
/// that stand beside the references are taken. A table of hypotheses is one system, or has a
/// column for each.
///
/// # Errors
/// What is wrong with a source, and sides that do not belong together.
pub fn pairs(
    references: &Source<'_>,
    hypotheses: &[Source<'_>],
    wanted: &ReadOptions,
) -> Result<Pairs, Problem> {
    let mut of_right = wanted.clone();
    if !hypotheses.is_empty() {
        // These have the columns that are asked for.
        of_right.hypotheses.clear();
    }
    let read = |fields: &[String]| {
        let more = |wanted: &ReadOptions| ReadOptions {
            fields: fields.to_vec(),
            ..wanted.clone()
        };
        // Fields are those of references, unless rows are to be told apart by them.
        let mut of_right = more(&of_right);
        of_right.fields.extend(wanted.fields.iter().cloned());
        let right = one(references, Side::References, &of_right)?;
        let mut heard = Vec::with_capacity(hypotheses.len());
        for source in hypotheses {
            let made = one(source, Side::Hypotheses, &more(wanted))?;
            heard.push((made, shown(source)));
        }
        Ok((right, heard))
    };
    let (mut right, mut heard) = read(&[])?;
    let candidates = candidates(&right, &heard);
    let mut by_column = None;
    // A pipe is read once only.
    if !candidates.is_empty()
        && let Ok((again, others)) = read(&candidates)
    {
        (right, heard) = (again, others);
        by_column = joined(&mut right, &mut heard, shown(references), &candidates);
        for entry in &mut right.entries {
            entry
                .fields
                .retain(|name| wanted.fields.iter().any(|one| one == name));
        }
    }
    all_there(&heard, wanted)?;
    if heard.is_empty() {
        of_models(&right, wanted, shown(references))?;
    }
    columns_there(&right, &heard, wanted, shown(references))?;
    if wanted.channel > 0 {
        let mut all = heard.iter().map(|(source, _)| source);
        if !right.has_channels && !all.any(|source| source.has_channels) {
            let channel = wanted.channel;
            right.remarks.push(format!(
                "--channel {channel} chooses nothing: no result has several channels"
            ));
        }
    }
    let is_read = wanted.markup.is_some_and(|markup| markup != Markup::None);
    if is_read && !are_marked(&right) {
        let remark = "--markup chooses nothing: no reference has braces or <*>";
        right.remarks.push(remark.to_owned());
    }
    // A column that was chosen in one table is called as it is; of several tables, each is.
    let by_table = wanted.hypotheses.is_empty() || heard.len() > 1;
    let is_lines = wanted.format == Some(Format::Lines);
    let mut paired = paired(&mut right, &mut heard, shown(references), is_lines)?;
    paired.extend(by_column);
    together(right, heard, shown(references), (by_table, paired))
}

/// Finds out by what sides are paired, and tells what is not sure of it.
fn paired(
    right: &mut Transcripts,
    heard: &mut [(Transcripts, &str)],
    name: &str,
    is_lines: bool,
) -> Result<Vec<String>, Problem> {
    let mut remarks: Vec<String> = by_channels(right, heard).into_iter().collect();
    remarks.extend(by_rows(right, heard, name));
    if !is_lines {
        remarks.extend(without_headers(right, heard, name));
        remarks.extend(by_first_words(right, heard, name)?);
    }
    remarks.extend(by_recordings(right, heard, name));
    remarks.extend(by_other_ids(right, heard, name));
    remarks.extend(told_apart(right, heard, name)?);
    remarks.extend(in_order(right, heard, name)?);
    Ok(remarks)
}

/// A word of a command as a shell takes it for one.
fn pasteable(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.,:/+=@%".contains(c);
    match word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// What a source is called in messages: a file with its extension, or a folder.
fn shown<'a>(source: &Source<'a>) -> &'a str {
    source.file.unwrap_or(source.name)
}

fn one(source: &Source<'_>, side: Side, wanted: &ReadOptions) -> Result<Transcripts, Problem> {
    let read = read(source.files, source.file, side, wanted);
    let mut made = read.map_err(|problem| match problem.file {
        None => problem.file(shown(source)),
        Some(_) => problem,
    })?;
    made.name = source.name.to_owned();
    Ok(made)
}

/// One system: its name and its texts.
struct System {
    name: String,
    /// What its source is called in messages.
    shown: String,
    /// Whether the source has others.
    is_one_of_several: bool,
    /// One for each text; empty where lines have none.
    ids: Vec<Option<String>>,
    heard: Vec<Hypothesis>,
    /// Ids that are there more than once.
    repeats: Vec<Repeat>,
}

/// Systems of a source: one, or one for each column or model, where there are several or it
/// is not called by its table. Their texts are taken out of it: lists are long.
fn systems(
    source: &mut Transcripts,
    shown: &str,
    by_table: bool,
    repeats: &[Repeat],
) -> Vec<System> {
    let mut names: Vec<String> = Vec::new();
    for entry in &source.entries {
        for name in entry.hypotheses.names().chain(entry.failures.names()) {
            if !names.iter().any(|one| one == name) {
                names.push(name.to_owned());
            }
        }
    }
    // Those of a table in its order, whoever failed first.
    let place = |name: &String| {
        let own = |column: &String| column.strip_prefix(PREDICTED).unwrap_or(column) == name;
        source.columns.iter().position(own)
    };
    names.sort_by_key(place);
    let by_column = names.len() > 1 || (!names.is_empty() && !by_table);
    if !by_column {
        let lines = std::mem::take(&mut source.lines);
        let mut heard = Vec::with_capacity(lines.at_most().max(source.entries.len()));
        heard.extend(lines.texts().map(Hypothesis::Text));
        let mut ids = Vec::with_capacity(source.entries.len());
        for entry in std::mem::take(&mut source.entries) {
            ids.push(entry.id);
            heard.push(match (entry.text, entry.failed) {
                (_, Some(reason)) => failed(reason),
                (Some(text), None) => Hypothesis::Text(text),
                (None, None) => Hypothesis::Missing,
            });
        }
        return vec![System {
            name: source.name.clone(),
            shown: shown.to_owned(),
            is_one_of_several: false,
            ids,
            heard,
            repeats: repeats.to_vec(),
        }];
    }
    let system = |name: String| {
        let of = |entry: &mut Entry| match entry.hypotheses.remove(&name) {
            Some(text) => Hypothesis::Text(text.into()),
            None => match entry.failures.remove(&name) {
                Some(reason) => failed(reason),
                None => Hypothesis::Missing,
            },
        };
        System {
            shown: shown.to_owned(),
            is_one_of_several: true,
            ids: source
                .entries
                .iter()
                .map(|entry| entry.id.clone())
                .collect(),
            heard: source.entries.iter_mut().map(of).collect(),
            repeats: repeats.to_vec(),
            name,
        }
    };
    names.into_iter().map(system).collect()
}

/// What failed: at what a model failed by itself it has no hypothesis.
fn failed(reason: String) -> Hypothesis {
    match failed_by(&reason) {
        FailedBy::Model => Hypothesis::Missing,
        FailedBy::Service => Hypothesis::Failed(reason),
    }
}

/// What is to be told of references that are not known: empty cells of a table, and null.
fn unknown(right: &Transcripts, name: &str) -> Option<String> {
    let mut unknown = right.entries.iter().filter(|entry| entry.text.is_none());
    let first = unknown.next()?;
    let place = match &first.id {
        // Of a folder, the file is called so.
        Some(id) if !right.files.is_empty() => id.clone(),
        _ => format!("line {}", first.line),
    };
    let rows = counted(1 + unknown.count(), "reference is", "references are");
    Some(format!(
        "{name}: {rows} not known ({place}: empty, or null); each counts as nothing said: take out \
         what is not to be scored"
    ))
}

/// Tells of hypotheses that are of several formats, where one alone is named.
fn of_several_formats(heard: &[(Transcripts, &str)]) -> Option<String> {
    let format = |source: &Transcripts| source.beside.unwrap_or(source.format);
    let (first, _) = heard.first()?;
    let mut formats = heard.iter().map(|(source, _)| format(source));
    if formats.all(|one| one == format(first)) {
        return None;
    }
    let all = heard
        .iter()
        .map(|(source, shown)| format!("{shown} is read as {}", format(source).title()));
    let all: Vec<String> = all.collect();
    Some(format!(
        "hypotheses are of several formats: {}",
        all.join(", ")
    ))
}

fn together(
    mut right: Transcripts,
    heard: Vec<(Transcripts, &str)>,
    name: &str,
    (by_table, paired): (bool, Vec<String>),
) -> Result<Pairs, Problem> {
    let mut remarks = right.remarks.clone();
    remarks.extend(paired);
    remarks.extend(unknown(&right, name));
    let repeats = numbered(&mut right);
    remarks.extend(told(&repeats, name, "each is a sample of its own"));
    let mut all = Vec::new();
    if heard.is_empty() {
        let mut entries = right.entries.iter();
        if entries.all(|entry| entry.hypotheses.is_empty() && entry.failures.is_empty()) {
            if right.columns.is_empty() {
                let message = format!("{name} has references alone, and nothing that was heard");
                return Err(Problem::new(Code::ChooseColumn, message)
                    .hint("name a file or folder of hypotheses behind it"));
            }
            let message = format!("{name} has no column of a hypothesis");
            let columns = match right.offered.as_slice() {
                [] => "A,B".to_owned(),
                offered => pasteable(&offered.join(",")),
            };
            let hint = format!("name a file of hypotheses, or columns with --hyp {columns}");
            return Err(Problem::new(Code::ChooseColumn, message).hint(hint));
        }
        all = systems(&mut right, name, false, &[]);
    }
    let hypotheses = heard
        .first()
        .map_or(right.beside.unwrap_or(right.format), |(source, _)| {
            source.beside.unwrap_or(source.format)
        });
    let several = of_several_formats(&heard);
    for (mut source, shown) in heard {
        called_as_its_folder(&mut source, shown)?;
        for remark in std::mem::take(&mut source.remarks) {
            if !remarks.contains(&remark) {
                remarks.push(remark);
            }
        }
        let repeats = numbered(&mut source);
        all.extend(systems(&mut source, shown, by_table, &repeats));
    }
    remarks.extend(several);
    if right.entries.is_empty() && right.lines.is_empty() {
        return Err(Problem::new(
            Code::Nothing,
            format!("{name} has no references"),
        ));
    }
    distinct(&mut all);
    let by_line = !has_ids(&right.entries);
    let of_line = |(line, text)| Pair::new(Id::Line(line), text, About::default());
    let of_entry = |entry: Entry| {
        let id = entry.id.map(|id| Id::Named(id.into_boxed_str()));
        let about = About {
            markup: entry.markup,
            language: entry.language,
            speaker: entry.speaker,
            fields: entry.fields,
        };
        let id = id.unwrap_or(Id::Line(entry.line));
        Pair::new(id, entry.text.unwrap_or_default(), about)
    };
    let mut samples = Vec::with_capacity(right.lines.at_most().max(right.entries.len()));
    samples.extend(
        (right.lines.first()..)
            .zip(right.lines.texts())
            .map(of_line),
    );
    samples.extend(right.entries.into_iter().map(of_entry));
    let mut made = Pairs {
        references: right.format,
        hypotheses,
        systems: all.iter().map(|system| system.name.clone()).collect(),
        samples,
        heard: Vec::with_capacity(all.len()),
        missing: Vec::new(),
        remarks,
    };
    for system in all {
        join(by_line, system, &mut made, name)?;
    }
    missing(&mut made);
    Ok(made)
}

/// Columns of one name have their tables behind it, and two files of one name get numbers.
fn distinct(systems: &mut [System]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for system in systems {
        if system.is_one_of_several && seen.contains_key(&system.name) {
            system.name = format!("{} ({})", system.name, system.shown);
        }
        let times = seen.entry(system.name.clone()).or_default();
        *times += 1;
        if *times > 1 {
            system.name = format!("{} ({times})", system.name);
        }
    }
}

fn missing(made: &mut Pairs) {
    let is_missing = |at: usize| {
        let mut all = made.heard.iter();
        all.any(|heard| heard.get(at) == Some(&Hypothesis::Missing))
    };
    let samples = made.samples.iter().enumerate();
    let without = samples.filter(|(at, _)| is_missing(*at));
    made.missing = without.map(|(_, sample)| sample.id.to_string()).collect();
}

/// An id as it is compared.
fn key(id: &str, folds: bool) -> Cow<'_, str> {
    match folds {
        true => folded(id),
        false => Cow::Borrowed(id),
    }
}

/// Puts the texts of a system beside the references, `by_line` if these have no ids.
fn join(by_line: bool, system: System, made: &mut Pairs, name: &str) -> Result<(), Problem> {
    let by_line = by_line || system.ids.iter().all(Option::is_none);
    let one_each = made.samples.len() == 1 && system.heard.len() == 1;
    if by_line || one_each {
        if system.heard.len() != made.samples.len() {
            return Err(uneven(&system.heard, &system.shown, &made.samples, name));
        }
        made.heard.push(system.heard);
        return Ok(());
    }
    // Those of which the references have fewer.
    let mut repeats = system.repeats;
    let mut repeated: HashSet<String> = repeats.iter().map(Repeat::id).collect();
    let exact: HashSet<Cow<'_, str>> = made.samples.iter().map(|one| one.id.text()).collect();
    // Ids are compared as they are where two would be one otherwise.
    let same: HashSet<Cow<'_, str>> = exact.iter().map(|id| folded(id)).collect();
    let folds = same.len() == exact.len();
    let mut by_id: HashMap<Cow<'_, str>, Hypothesis> = HashMap::with_capacity(system.ids.len());
    let mut strangers = 0;
    for (id, heard) in system.ids.iter().zip(system.heard) {
        let Some(id) = id.as_deref() else {
            continue;
        };
        let key = key(id, folds);
        let is_known = same.contains(&*key) || exact.contains(id);
        // One that is there again is no stranger.
        let is_repeated = if is_known {
            repeated.remove(id)
        } else {
            repeated.contains(id)
        };
        strangers += usize::from(!is_known && !is_repeated);
        by_id.entry(key).or_insert(heard);
    }
    let mut found = 0;
    let ids = made.samples.iter().map(|sample| sample.id.text());
    let taken: Vec<Hypothesis> = ids
        .map(|id| {
            let heard = by_id.remove(&*key(&id, folds));
            found += usize::from(heard.is_some());
            heard.unwrap_or(Hypothesis::Missing)
        })
        .collect();
    if found == 0 {
        let mut ids = system.ids.iter().flatten();
        let first = made.samples.first();
        let first = first.map_or(Cow::default(), |one| one.id.text());
        let own = (name, &*first, made.samples.len());
        let (of, others) = (ids.next(), ids.count());
        let other = of.map_or("", String::as_str);
        return Err(no_ids(own, (&system.shown, other, others + 1), false));
    }
    made.heard.push(taken);
    if strangers > 0 {
        let (one, several, of) = match system.is_one_of_several {
            true => ("row", "rows", &system.shown),
            false => ("hypothesis", "hypotheses", &system.name),
        };
        let remark = format!(
            "{} no reference",
            counted(
                strangers,
                &format!("{one} of {of} has"),
                &format!("{several} of {of} have")
            )
        );
        // Systems of one table have the same rows.
        if !made.remarks.contains(&remark) {
            made.remarks.push(remark);
        }
    }
    repeats.retain(|repeat| repeated.contains(&repeat.id()));
    let again = told(&repeats, &system.shown, "the first counts");
    made.remarks
        .extend(again.filter(|remark| !made.remarks.contains(remark)));
    Ok(())
}

#[cfg(all(test, feature = "folders"))]
#[path = "pairs_tests.rs"]
mod tests;
