//! Tables and manifests as references and hypotheses: one column for each system, or
//! one row for each system and sample.

use std::collections::{BTreeMap, BTreeSet};

use super::again::Again;
use super::entry::{Entry, Place, ReadOptions, Side, Transcripts};
use super::findings::{are_texts, tell};
use super::named::named;
use super::systems::{Heard, OfSystem, heard, no_column, of_numbers, offered, there};
use crate::fields::Fields;
use crate::files::{Files, beside, parent};
use crate::finding::Findings;
use crate::format::Format;
use crate::layout::Layout;
use crate::manifest::{
    self, Cells, NO_HEADER, Options, Reader, Said, SaidIn, Told, rounded_ids, table_of, texts,
    totals,
};
use crate::markup::Markup;
use crate::paths::{Resolved, Resolver};
use crate::problem::{Code, Problem, counted};
use crate::table::{FIELD, Role, is_right, role_of};

/// The tag of a language that is not told.
const UNDETERMINED: &str = "und";
/// The field that only our own exports have.
pub(super) const OURS: &str = "reference_from";

pub(super) fn read(
    files: &dyn Files,
    name: &str,
    format: Format,
    side: Side,
    wanted: &ReadOptions,
    made: &mut Transcripts,
) -> Result<(), Problem> {
    let is_table = matches!(
        format,
        Format::Table
            | Format::Jsonl
            | Format::Nemo
            | Format::DeepSpeech
            | Format::CommonVoice
            | Format::Audiofolder
            | Format::Calibrate
            | Format::Parquet
            | Format::Xlsx
    );
    let options = Options {
        text_column: wanted.text_column.clone(),
        ..Options::default()
    };
    let mut findings = Findings::default();
    if !is_table {
        let layout = Layout {
            format,
            files: vec![name.to_owned()],
            split: None,
        };
        return of_layout(files, &layout, side, wanted, made);
    }
    let mut reader = Reader::new(files, &options, &mut findings);
    let table = table_of(&mut reader, name).map_err(|problem| {
        let is_header = problem.hint.as_deref() == Some(NO_HEADER);
        match side {
            Side::Hypotheses if is_header => {
                problem.hint("put a line like `id,hypothesis` in front; --format lines takes each line as one text")
            }
            Side::References if is_header => problem
                .hint("put a line like `id,reference` in front, or name a column: --text-column; --format lines takes each line as one text"),
            _ => problem,
        }
    })?;
    made.remarks.append(&mut reader.reading.remarks);
    tell(&findings, name, &mut made.remarks)?;
    of_table(&table, (name, format), side, wanted, made)
}

/// Reads a manifest for its texts alone.
pub(super) fn of_layout(
    files: &dyn Files,
    layout: &Layout,
    side: Side,
    wanted: &ReadOptions,
    made: &mut Transcripts,
) -> Result<(), Problem> {
    // It is the column of the reference.
    let of_right = wanted
        .text_column
        .as_ref()
        .filter(|_| side == Side::References);
    let options = Options {
        text_column: of_right.cloned(),
        ..Options::default()
    };
    let mut findings = Findings::default();
    let reading = manifest::read(files, layout, &options, &mut findings)?;
    made.remarks.extend(reading.remarks);
    let file = layout.files.first().map_or("", String::as_str);
    tell(&findings, file, &mut made.remarks)?;
    let resolver = (layout.files.len() > 1).then(|| Resolver::new(files));
    let found_by = |own: &str, list: &str| {
        let found = resolver.as_ref()?.resolve(own, parent(list), files, false);
        match found {
            Resolved::Found(name, _) => Some(name),
            // Texts may lie without their recordings.
            _ if own.starts_with('/') || own.contains(':') => None,
            _ if own.starts_with(parent(list)) => None,
            _ => Some(beside(list, own)),
        }
    };
    let mut models = BTreeSet::new();
    let mut left_out = 0;
    for mut row in reading.rows {
        models.extend(row.hypotheses.names().map(str::to_owned));
        // What was heard may be the answer of a service that failed.
        let can_fail = side == Side::Hypotheses && layout.format == Format::SideFiles;
        if let Some(reason) = row.broken.take_if(|_| !can_fail) {
            let problem = Problem::new(Code::Malformed, reason).file(&row.file);
            return Err(problem.line(row.line));
        }
        // What is not annotated yet is no reference that says nothing.
        let is_open = layout.format == Format::LabelStudio && row.said == Said::Absent;
        if is_open && side == Side::References {
            left_out += 1;
            continue;
        }
        if !wanted.hypotheses.is_empty() {
            let is_asked = |model: &str| wanted.hypotheses.iter().any(|one| one == model);
            row.hypotheses.retain(is_asked);
        }
        let path = match row.written.as_deref().or(row.audio.as_deref()) {
            // Beside the file that has its text.
            Some(own) if own.starts_with("./") => Some(beside(&row.file, &own[2..])),
            // Each list has paths of its own.
            Some(own) => found_by(own, &row.file).or_else(|| Some(own.to_owned())),
            None => None,
        };
        made.entries.push(Entry {
            place: Place::new(path.as_deref(), Some(&row.id), row.start),
            id: Some(row.id),
            line: row.line,
            text: row.said.text().map(Into::into),
            by_channel: None,
            markup: row.markup,
            failed: row.broken,
            hypotheses: std::mem::take(&mut row.hypotheses),
            failures: Fields::default(),
            language: row.language.as_deref().and_then(crate::language::tag_of),
            speaker: row.speaker,
            fields: fields(wanted, |name| row.metadata.get(name).map(str::to_owned)),
        });
    }
    made.columns = models.into_iter().collect();
    let tasks = counted(left_out, "task has", "tasks have");
    made.remarks.extend(
        (left_out > 0).then(|| format!("{file}: {tasks} no annotation: left out, as by a run")),
    );
    Ok(())
}

/// Refuses a column of what systems heard that is called as what should have been heard.
pub(crate) fn of_both_sides(
    table: &Cells,
    name: &str,
    systems: &[OfSystem],
) -> Result<(), Problem> {
    let called = |system: &OfSystem| is_right(table.columns.name(system.text));
    let Some(system) = systems.iter().find(|one| called(one)) else {
        return Ok(());
    };
    let column = table.columns.name(system.text);
    let message = format!("the column {column:?} has the reference by its name");
    let problem = Problem::new(Code::ChooseColumn, message).file(name);
    Err(problem.hint("--hyp names what systems heard; --text-column says what the reference is"))
}

/// Fields of a sample that are asked for, as far as it has them.
fn fields(wanted: &ReadOptions, of: impl Fn(&str) -> Option<String>) -> Fields {
    let all = wanted.fields.iter();
    all.filter_map(|name| Some((name.clone(), of(name)?)))
        .collect()
}

/// Tells of a table that has several splits: all of them count.
fn several_splits(table: &Cells, name: &str) -> Option<String> {
    let split = table.columns.first(Role::Split)?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for row in 0..table.rows.len() {
        *counts.entry(table.own_text(row, Some(split))?).or_default() += 1;
    }
    let told: Vec<String> = counts
        .iter()
        .map(|(split, count)| format!("{split} ({count})"))
        .collect();
    (told.len() > 1).then(|| {
        format!(
            "{name}: rows of all splits are scored: {}; take out those that are not meant",
            told.join(", ")
        )
    })
}

/// Tells of languages of a table that are not known.
fn unknown_languages(table: &Cells, column: Option<usize>, name: &str) -> Option<String> {
    let mut unknown = (0..table.rows.len()).filter_map(|row| {
        let own = table.text(row, column)?;
        let is_known = own == UNDETERMINED || crate::language::tag_of(&own).is_some();
        (!is_known).then_some((row, own))
    });
    let (row, language) = unknown.next()?;
    let line = table.rows.line(row).unwrap_or_default();
    let more = match unknown.count() {
        0 => String::new(),
        more => format!(
            " ({} so)",
            counted(more, "further row is", "further rows are")
        ),
    };
    Some(format!(
        "{name} line {line}: the language {language:?} is not known, and counts as none{more}"
    ))
}

/// What could be the reference as well as the one that is taken.
fn other_texts(
    table: &Cells,
    (name, format): (&str, Format),
    systems: &[OfSystem],
    said_in: &SaidIn,
) -> Option<String> {
    let columns = &table.columns;
    let is_heard = |column: &usize| systems.iter().any(|system| system.text == *column);
    let mut all = texts(columns, format);
    all.retain(|column| !is_heard(column));
    let (taken, others) = all.split_first()?;
    let others = others
        .iter()
        .filter(|column| said_in.is_second(table, **column));
    let others: Vec<&str> = others.map(|column| columns.name(*column)).collect();
    (!others.is_empty()).then(|| {
        format!(
            "{name}: {} is taken as the reference, and not {} (--text-column chooses)",
            columns.name(*taken),
            others.join(", ")
        )
    })
}

/// A text of our own tables without the mark that keeps spreadsheets from taking it for a formula.
fn unguarded(text: String) -> String {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest.to_owned(),
        _ => text,
    }
}

/// Tells of names that two columns have: only the first of them can be meant.
fn same_names(table: &Cells, name: &str) -> Option<String> {
    let mut seen = BTreeSet::new();
    let all = table.columns.names().iter();
    // Those of systems are told by who reads them.
    let is_told = |column: &str| role_of(column) == Role::Hypothesis;
    let again = all.filter(|column| {
        !column.trim().is_empty() && !is_told(column) && !seen.insert(column.as_str())
    });
    let again: BTreeSet<&String> = again.collect();
    let told: Vec<String> = again.iter().map(|column| format!("{column:?}")).collect();
    (!told.is_empty()).then(|| {
        format!(
            "{name} has more than one column {}: the first counts",
            told.join(", ")
        )
    })
}

fn of_table(
    table: &Cells,
    (name, format): (&str, Format),
    side: Side,
    wanted: &ReadOptions,
    made: &mut Transcripts,
) -> Result<(), Problem> {
    let columns = &table.columns;
    made.remarks.extend(same_names(table, name));
    let id = columns.first(Role::Id).or_else(|| named(table, wanted));
    let Heard {
        systems,
        lone,
        remark,
    } = heard(table, name, (side, id), wanted)?;
    made.remarks.extend(remark);
    made.columns = columns.names().to_vec();
    if side == Side::References && systems.is_empty() {
        made.offered = offered(table, id);
    }
    if side == Side::References && wanted.text_column.is_none() {
        of_both_sides(table, name, &systems)?;
    }
    let is_heard = |column: &usize| systems.iter().any(|system| system.text == *column);
    let text = match &wanted.text_column {
        Some(asked) if side == Side::References => match columns.named(asked) {
            Some(column) if is_heard(&column) => {
                let message = format!(
                    "the column {asked:?} is asked for as the reference, and as \
                                       what a system heard"
                );
                return Err(Problem::new(Code::ChooseColumn, message).file(name));
            }
            Some(column) => Some(column),
            None => return Err(no_column(asked, name, columns.names(), "--text-column")),
        },
        _ if side == Side::References => {
            let mut all = texts(columns, format).into_iter();
            all.find(|column| !is_heard(column))
        }
        _ => columns.first(Role::Text),
    };
    let said_in = match &wanted.text_column {
        None if side == Side::References => SaidIn::of(columns, format, text, is_heard),
        _ => SaidIn::alone(columns, text),
    };
    if wanted.text_column.is_none() && side == Side::References {
        made.remarks
            .extend(other_texts(table, (name, format), &systems, &said_in));
    }
    if !wanted.hypotheses.is_empty() {
        let right = text.filter(|_| side == Side::References);
        made.remarks
            .extend(of_numbers(table, name, &systems, right));
    }
    if side == Side::References && text.is_none() {
        let message = format!(
            "no column could be the reference; {}",
            there(columns.names())
        );
        return Err(Problem::new(Code::ChooseColumn, message)
            .file(name)
            .hint("--text-column NAME"));
    }
    if table.rows.is_empty() && side == Side::Hypotheses {
        let problem = Problem::new(Code::Mismatch, "has a header and no row");
        return Err(problem.file(name).hint("a row for each reference"));
    }
    let own = match side {
        Side::References => text,
        Side::Hypotheses => lone,
    };
    let heard = systems.iter().map(|system| system.text);
    are_texts(table, name, own.into_iter().chain(heard))?;
    let audio = columns.first(Role::Audio);
    #[cfg(feature = "folders")]
    let others = manifest::of_lines(columns, format);
    let model = columns.first(Role::Model).filter(|_| !systems.is_empty());
    made.remarks
        .extend(rounded_ids(table, id.or(audio)).map(|remark| format!("{name}: {remark}")));
    let language = columns.first(Role::Language);
    let speaker = columns.first(Role::Speaker);
    let start = columns.first(Role::Start);
    // Our own exports have references as they are kept, with their markup.
    let is_ours = columns.named(OURS).is_some();
    let is_rate = |column: &usize| columns.name(*column).ends_with(" wer");
    let rates: Vec<usize> = (0..columns.names().len()).filter(is_rate).collect();
    let mut left_out = 0;
    // NeMo has no word for a text that is not known but to leave its field out.
    let (mut without_field, mut in_file, mut normalised) = (0, 0, (0, None));
    let is_nemo = format == Format::Nemo && side == Side::References;
    if side == Side::References {
        made.remarks.extend(several_splits(table, name));
        made.remarks
            .extend(unknown_languages(table, language, name));
    }
    let heard: Vec<usize> = systems.iter().map(|system| system.text).collect();
    let (names, heard) = ([id, audio], heard.as_slice());
    let totals = totals(table, &Told { names, text, heard });
    let totals = totals.filter(|found| found.is_sure && side == Side::References);
    let rows = table.rows.len() - usize::from(totals.is_some());
    let mut by_id: BTreeMap<String, usize> = BTreeMap::new();
    let mut again = Again::default();
    for index in 0..rows {
        let place = said_in.of_row(table, index).filter(|_| is_nemo);
        if place.is_some_and(|column| said_in.is_file(column)) {
            in_file += 1;
            continue;
        }
        let place = place.or(text);
        if is_nemo && table.cell(index, place).is_none() {
            without_field += 1;
            continue;
        }
        if place != text {
            normalised = (normalised.0 + 1, place);
        }
        #[cfg(feature = "folders")]
        let audio = manifest::of_row(table, index, audio, &others);
        let path = table.path(index, audio);
        let named = table.own_text(index, id).or_else(|| {
            let own = crate::paths::stem_as_written(path.as_deref()?);
            Some(own.to_owned())
        });
        let begin = table.text(index, start);
        let begin = begin.and_then(|seconds| seconds.trim().parse().ok());
        let language = table.text(index, language);
        let other = |field: &str| {
            let ours = || columns.named(&format!("{FIELD}{field}"));
            table.own_text(index, columns.named(field).or_else(ours))
        };
        let of_model = table.own_text(index, model);
        let mut entry = Entry {
            line: table.rows.line(index).unwrap_or_default(),
            place: Place::new(path.as_deref(), named.as_deref(), begin),
            language: language.as_deref().and_then(crate::language::tag_of),
            speaker: table.own_text(index, speaker),
            markup: (is_ours && side == Side::References).then_some(Markup::Braces),
            fields: fields(wanted, other),
            ..Entry::default()
        };
        let plain = |text: String| match is_ours && format == Format::Table {
            true => unguarded(text),
            false => text,
        };
        let own = |column: Option<usize>| table.any_text(index, column).map(plain);
        entry.text = match side {
            // An empty cell does not tell whether anything is said.
            Side::References => table.said(index, place).map(plain).map(Into::into),
            Side::Hypotheses => own(lone).map(Into::into),
        };
        if is_ours && side == Side::References && entry.text.is_none() {
            // A reference that says nothing is blank in a table as well, but was scored.
            let is_scored = |rate: &usize| table.text(index, Some(*rate)).is_some();
            if !rates.iter().any(is_scored) {
                left_out += 1;
                continue;
            }
            entry.text = Some("".into());
        }
        for system in &systems {
            let name = of_model.as_ref().unwrap_or(&system.name);
            let text = own(Some(system.text));
            if let Some(reason) = system.failed(table, index, text.as_deref()) {
                if lone == Some(system.text) && side == Side::Hypotheses {
                    entry.failed = Some(reason.clone());
                }
                entry.failures.insert(name, &reason);
            } else if let Some(text) = text {
                entry.hypotheses.insert(name, &text);
            }
        }
        // Long form: rows of one sample come together, one for each model.
        if of_model.is_some()
            && let Some(named) = &named
        {
            if let Some(at) = by_id.get(named).copied() {
                if let Some(same) = made.entries.get_mut(at) {
                    again.joined(entry, same, named, side);
                }
                continue;
            }
            by_id.insert(named.clone(), made.entries.len());
        }
        entry.id = named;
        made.entries.push(entry);
    }
    if let (Some(totals), Some(line)) = (totals, table.rows.last_line()) {
        let told = totals.message();
        made.remarks.push(format!(
            "{name} line {line}: {told}: it seems to sum up the others, and is left out"
        ));
    }
    if left_out > 0 {
        let rows = counted(left_out, "row has", "rows have");
        made.remarks.push(format!(
            "{name}: {rows} no reference, and no figure in the run: left out"
        ));
    }
    if without_field > 0 {
        let lines = counted(without_field, "line has", "lines have");
        made.remarks
            .push(format!("{name}: {lines} no text: left out, as by a run"));
    }
    if in_file > 0 {
        let (one, several) = (
            "line has its text in a file of its own",
            "lines have their texts in files of their own",
        );
        let lines = counted(in_file, one, several);
        made.remarks.push(format!("{name}: {lines}: left out"));
    }
    if let (rows, Some(column)) = normalised {
        made.remarks.push(said_in.told(columns, name, column, rows));
    }
    let is_asked = |system: &&OfSystem| model.is_none() && wanted.hypotheses.contains(&system.name);
    for system in systems.iter().filter(is_asked) {
        let of =
            |entry: &Entry| entry.hypotheses.has(&system.name) || entry.failures.has(&system.name);
        if !made.entries.iter().any(of) {
            let message = format!("has no text of {} in any row", system.name);
            return Err(Problem::new(Code::Mismatch, message).file(name));
        }
    }
    again.refuse(name)?;
    made.remarks.extend(again.told(name));
    if id.is_none() && audio.is_none() {
        made.entries.iter_mut().for_each(|entry| entry.id = None);
    }
    Ok(())
}
