//! Tables and JSON lines: `NeMo`, audiofolder, Common Voice, `DeepSpeech`, Calibrate,
//! kaapi, Lahaja, ours, and what else has a header.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::alike;
use super::cells::{Cells, path_in, rounded_ids, table_of};
use super::grid::Cell;
use super::heard;
use super::reader::Reader;
#[cfg(feature = "folders")]
use super::recordings;
use super::regions;
use super::row::{Row, Said};
use super::said_in::{SaidIn, text_in_file};
use super::tarred;
#[cfg(feature = "folders")]
use super::totals::{Told, totals};
use crate::files;
use crate::finding::FindingKind;
use crate::format::Format;
use crate::json;
use crate::layout::{Layout, no_split};
use crate::markup::Markup;
use crate::paths::stem_as_written;
use crate::problem::{Code, Problem, counted};
use crate::table::{Columns, FIELD, Role, is_fact};
use crate::transcripts::{OfSystem, no_column, of_numbers};

/// Longest value that is kept as metadata, in characters; the service takes no longer
/// ones.
const MAX_METADATA_CHARS: usize = 1_000;

/// The columns that were chosen.
struct Chosen {
    audio: Option<usize>,
    said_in: SaidIn,
    language: Option<usize>,
    speaker: Option<usize>,
    id: Option<usize>,
    duration: Option<usize>,
    duration_ms: Option<usize>,
    start: Option<usize>,
    end: Option<usize>,
    split: Option<usize>,
}

/// Reads the files of a layout as tables.
pub(super) fn read(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    for name in &layout.files {
        let table = table_of(reader, name)?;
        rows(reader, layout, name, &table)?;
    }
    Ok(())
}

/// Makes rows of a table.
pub(crate) fn rows(
    reader: &mut Reader<'_>,
    layout: &Layout,
    name: &str,
    table: &Cells,
) -> Result<(), Problem> {
    let asked = heard::asked_for(reader, table, name)?;
    let chosen = choose(reader, layout, name, table, &asked)?;
    tarred::refuse(reader.files, name, table, chosen.audio)?;
    let text = chosen.said_in.text();
    heard::are_nothing_else(&asked, table, name, [chosen.audio, text])?;
    let hypotheses = match asked.is_empty() {
        true => table.columns.all(Role::Hypothesis),
        false => asked.iter().map(|system| system.text).collect(),
    };
    let used = [
        chosen.audio,
        chosen.language,
        chosen.speaker,
        chosen.start,
        chosen.end,
    ];
    let used: BTreeSet<usize> = used
        .into_iter()
        .flatten()
        .chain(hypotheses.clone())
        .chain(asked.iter().filter_map(|system| system.error))
        .chain(alike::not_asked(table, &asked, text))
        .collect();
    let free = free(&table.columns, &used);
    let numbers = of_numbers(table, name, &asked, text);
    reader.reading.remarks.extend(numbers);
    #[cfg(feature = "folders")]
    let others = match reader.options.audio_column {
        None => recordings::of_lines(&table.columns, layout.format),
        Some(_) => Vec::new(),
    };
    let mut left_out = BTreeMap::new();
    let mut elsewhere: BTreeMap<usize, usize> = BTreeMap::new();
    let mut splits = BTreeSet::new();
    let before = reader.reading.rows.len();
    // Where rows name splits, one that names none is of no split that is asked for.
    let is_parted = (0..table.rows.len()).any(|index| table.text(index, chosen.split).is_some());
    let file: Arc<str> = name.into();
    for index in 0..table.rows.len() {
        let wanted = reader.options.split.as_deref();
        let split = table.own_text(index, chosen.split);
        if let Some(split) = &split
            && !splits.contains(split)
        {
            splits.insert(split.clone());
        }
        let is_of = |wanted: &str| {
            let own = split.as_deref();
            own.is_some_and(|own| crate::layout::same_split(wanted, own))
        };
        if is_parted && wanted.is_some_and(|wanted| !is_of(wanted)) {
            continue;
        }
        let number = |column| table.cell(index, column).and_then(Cell::number);
        let mut row = Row {
            file: Arc::clone(&file),
            line: table.rows.line(index).unwrap_or_default(),
            language: table.own_text(index, chosen.language),
            speaker: table.own_text(index, chosen.speaker),
            start: number(chosen.start),
            split,
            ..Row::default()
        };
        let audio = chosen.audio;
        #[cfg(feature = "folders")]
        let audio = recordings::of_row(table, index, audio, &others);
        audio_of(&mut row, table.cell(index, audio), layout, name);
        row.seconds =
            number(chosen.duration).or_else(|| number(chosen.duration_ms).map(|ms| ms / 1_000.0));
        row.end = number(chosen.end).or_else(|| Some(row.start? + row.seconds?));
        let there = chosen.said_in.of_row(table, index);
        if let Some(there) = there.filter(|_| there != chosen.said_in.first()) {
            *elsewhere.entry(there).or_insert(0_usize) += 1;
        }
        let said_in = there.or(text);
        if let Some(column) = said_in
            && let Some(cell) = table.cell(index, said_in)
        {
            let read = match chosen.said_in.is_file(column) {
                true => of_file(reader, cell, name),
                false => of_cell(cell, table.columns.name(column), layout.format),
            };
            match read {
                Ok(said) => row.said = said,
                Err(reason) => row.broken = Some(reason),
            }
        }
        row.id = match table.own_text(index, chosen.id) {
            Some(id) => id,
            None => row
                .audio
                .as_deref()
                .map(|path| stem_as_written(path).to_owned())
                .unwrap_or_default(),
        };
        if row.audio.as_deref().is_some_and(is_ours) {
            row.markup = Some(Markup::Braces);
        }
        heard::of_row(&mut row, table, index, &asked);
        for column in hypotheses.iter().filter(|_| asked.is_empty()) {
            if let Some(text) = table.any_text(index, Some(*column)) {
                let name = table.columns.name(*column);
                let model = name.strip_prefix("pred_text_").unwrap_or(name);
                row.hypotheses.insert(model, &text);
            }
        }
        let is_free = |column: usize| ![audio, said_in].contains(&Some(column));
        for (name, column) in free.iter().filter(|(_, column)| is_free(*column)) {
            let Some(value) = table.text(index, Some(*column)) else {
                continue;
            };
            let is_long = value.len() > MAX_METADATA_CHARS;
            if is_long && value.chars().nth(MAX_METADATA_CHARS).is_some() {
                let name = table.columns.name(*column);
                *left_out.entry(name.to_owned()).or_insert(0_usize) += 1;
                continue;
            }
            row.metadata.insert(name, &value);
        }
        row.metadata.fit();
        row.hypotheses.fit();
        reader.reading.rows.push(row);
    }
    #[cfg(feature = "folders")]
    if let Some(row) = reader
        .reading
        .rows
        .get_mut(before..)
        .and_then(<[Row]>::last_mut)
        && table.rows.last_line() == Some(row.line)
    {
        let names = [chosen.audio, chosen.id];
        let heard = &hypotheses;
        row.totals =
            totals(table, &Told { names, text, heard }).map(|found| found.message().into());
    }
    if let Some(wanted) = reader.options.split.as_deref()
        && !splits.is_empty()
        && reader.reading.rows.len() == before
    {
        let there = splits.iter().map(String::as_str);
        return Err(no_split(wanted, there).file(name));
    }
    for (column, rows) in elsewhere {
        let told = chosen.said_in.told(&table.columns, name, column, rows);
        reader.reading.remarks.push(told);
    }
    for (column, times) in left_out {
        let message = format!(
            "{column} is longer than {MAX_METADATA_CHARS} characters in {} and is left out there",
            counted(times, "row", "rows")
        );
        reader
            .findings
            .of_line(FindingKind::LossySource, name, 1, message);
    }
    if let Some(message) = rounded_ids(table, chosen.id.or(chosen.audio)) {
        reader
            .findings
            .of_line(FindingKind::LossySource, name, 1, message);
    }
    if layout.format == Format::Nemo && table.columns.named("annotator").is_some() {
        let message = "Label Studio's ASR_MANIFEST keeps only the first region of a recording, and \
                       leaves recordings out without a word: export JSON instead";
        reader
            .findings
            .of_line(FindingKind::LossySource, name, 1, message);
    }
    Ok(())
}

/// Columns of free fields, as they are called, in the order of their names: so each row has its
/// own put behind one another.
fn free<'a>(columns: &'a Columns, used: &BTreeSet<usize>) -> Vec<(&'a str, usize)> {
    let all = columns.names().iter().enumerate();
    let free = all.filter(|(column, name)| !used.contains(column) && !name.is_empty());
    let mut free: Vec<(&str, usize)> = free
        .map(|(column, name)| (name.strip_prefix(FIELD).unwrap_or(name), column))
        .collect();
    free.sort_unstable();
    free
}

/// Label Studio writes several regions as JSON, also into cells of tables.
fn of_regions(cell: Cell<'_>) -> Said {
    let parsed = match cell {
        Cell::Value(value) => regions::of_cell(value),
        Cell::Plain(text) if text.starts_with('[') => {
            json::value(text).ok().as_ref().and_then(regions::of_cell)
        }
        Cell::Plain(_) | Cell::Said(_) => None,
    };
    parsed.map_or_else(|| cell.said(), Said::Text)
}

pub(super) fn is_ours(id: &str) -> bool {
    id.parse::<stt_eval_domain::FileId>().is_ok()
}

fn audio_of(row: &mut Row, cell: Option<Cell<'_>>, layout: &Layout, file: &str) {
    let path = match cell {
        Some(Cell::Value(Value::Array(channels))) => {
            if channels.len() > 1 {
                row.refused = Some("one file for each channel".into());
            }
            channels.first().and_then(json::scalar)
        }
        // Embedded, as {bytes, path}: here only its name can be written.
        Some(Cell::Value(Value::Object(audio))) => path_in(audio),
        Some(cell) => cell.text().map(Cow::into_owned),
        None => None,
    };
    let Some(path) = path else {
        return;
    };
    match meant(&path, layout.format, file) {
        Some(meant) => {
            row.audio = Some(meant);
            #[cfg(feature = "folders")]
            {
                row.written = Some(path);
            }
        }
        None => row.audio = Some(path),
    }
}

/// What a path means in formats that leave out a part of it.
fn meant(path: &str, format: Format, file: &str) -> Option<String> {
    let is_whole = crate::paths::has_audio_extension(path);
    match format {
        Format::Calibrate if !is_whole => Some(format!("audios/{path}.wav")),
        Format::Calibrate if !path.contains('/') => Some(format!("audios/{path}")),
        Format::CommonVoice if !path.contains('/') => {
            let folder = match files::base(file).starts_with("ss-corpus") {
                true => "audios",
                false => "clips",
            };
            let dot_mp3 = if is_whole { "" } else { ".mp3" };
            Some(format!("{folder}/{path}{dot_mp3}"))
        }
        _ => None,
    }
}

/// What a cell says; or why it says nothing.
fn of_cell(cell: Cell<'_>, column: &str, format: Format) -> Result<Said, String> {
    let said = match format {
        Format::LabelStudio => of_regions(cell),
        _ => cell.said(),
    };
    match cell.no_text().filter(|_| said == Said::Absent) {
        Some(reason) => Err(format!("{column} {reason}")),
        None => Ok(said),
    }
}

/// What the file says that a cell names; or why it says nothing.
fn of_file(reader: &Reader<'_>, cell: Cell<'_>, list: &str) -> Result<Said, String> {
    match cell.text() {
        Some(path) => text_in_file(reader, list, &path).map(Said::Text),
        None => Ok(Said::Absent),
    }
}

fn choose(
    reader: &mut Reader<'_>,
    layout: &Layout,
    file: &str,
    table: &Cells,
    heard: &[OfSystem],
) -> Result<Chosen, Problem> {
    let columns = &table.columns;
    let is_heard = |column: &usize| heard.iter().any(|system| system.text == *column);
    let asked = |wanted: &Option<String>, option: &str| match wanted {
        None => Ok(None),
        Some(name) => match columns.named(name) {
            Some(column) => Ok(Some(column)),
            None => Err(no_column(name, file, columns.names(), option)),
        },
    };
    let mut audio = asked(&reader.options.audio_column, "--audio-column")?.or(table.audio);
    #[cfg(feature = "folders")]
    {
        audio = audio.or_else(|| recordings::there(reader, table, file));
    }
    audio = audio.or_else(|| columns.first(Role::Audio)).or_else(|| {
        columns
            .named("context")
            .filter(|_| layout.format == Format::Nemo)
    });
    let id = columns.first(Role::Id);
    if audio.is_none() && layout.format == Format::Calibrate {
        audio = id;
    }
    // `{split}_file_name`, and lists.
    let named = || {
        columns
            .names()
            .iter()
            .position(|name| name.ends_with("file_name") || name.ends_with("file_names"))
    };
    audio = audio.or_else(named);
    #[cfg(feature = "folders")]
    {
        audio = audio.or_else(|| recordings::nested(table));
    }
    let text = asked(&reader.options.text_column, "--text-column")?;
    let mut all = texts(columns, layout.format);
    if text.is_none()
        && let Some(both) = all.first().filter(|_| all.iter().all(is_heard))
    {
        let name = columns.name(*both);
        let message = format!(
            "the column {name:?} has the reference by its name, and is asked for as what a system \
             heard"
        );
        let problem = Problem::new(Code::ChooseColumn, message).file(file);
        return Err(problem.hint("--text-column says what the reference is, if it is another one"));
    }
    all.retain(|column| !is_heard(column));
    let mut said_in = match text {
        Some(_) => SaidIn::alone(columns, text),
        None => SaidIn::of(columns, layout.format, all.first().copied(), is_heard),
    };
    if let (None, Some((first, rest))) = (text, all.split_first()) {
        let rest = rest
            .iter()
            .filter(|column| said_in.is_second(table, **column));
        let rest: Vec<&str> = rest.map(|column| columns.name(*column)).collect();
        if !rest.is_empty() {
            let message = format!(
                "{:?} is taken as the text; {} could be it as well (--text-column)",
                columns.name(*first),
                rest.join(", ")
            );
            reader
                .findings
                .of_line(FindingKind::TwoTextColumns, file, 1, message);
        }
    }
    if said_in.first().is_none() && audio.is_some() {
        let found = guessed(file, table, is_heard)?;
        said_in = SaidIn::alone(columns, found);
        let told = match found {
            Some(column) => Some(taken_by_its_words(file, columns.name(column))),
            None => not_taken(file, table, is_heard),
        };
        reader.reading.remarks.extend(told);
    }
    let of_all = &mut reader.reading;
    if layout.format == Format::Parquet {
        // Recordings are taken out of it by this name.
        of_all.audio_column = None;
    }
    for (names, column) in [
        (&mut of_all.audio_column, audio),
        (&mut of_all.text_column, said_in.first()),
        (&mut of_all.id_column, id),
    ] {
        let name = column.map(|column| columns.name(column));
        name.into_iter().for_each(|name| also(names, name));
    }
    Ok(Chosen {
        audio,
        said_in,
        language: columns.first(Role::Language),
        speaker: columns.first(Role::Speaker),
        id: id.filter(|id| Some(*id) != audio),
        duration: columns.first(Role::Duration),
        duration_ms: columns.first(Role::DurationMs),
        start: columns.first(Role::Start),
        end: columns.first(Role::End),
        split: columns.first(Role::Split),
    })
}

/// Between names of columns.
const BETWEEN: &str = " / ";

/// Each list may call its column otherwise.
fn also(names: &mut Option<String>, name: &str) {
    match names {
        Some(names) if names.split(BETWEEN).any(|one| one == name) => {}
        Some(names) => {
            names.push_str(BETWEEN);
            names.push_str(name);
        }
        None => *names = Some(name.to_owned()),
    }
}

/// Columns that could be the text, the one that is taken without being asked for first.
pub(crate) fn texts(columns: &Columns, format: Format) -> Vec<usize> {
    let mut all = columns.all(Role::Text);
    // `NeMo` itself looks for what is normalised where nothing else is.
    let of_nemo = || columns.named("text").filter(|_| format == Format::Nemo);
    if let Some(first) = of_lahaja(columns).or_else(of_nemo) {
        all.retain(|column| *column != first);
        all.insert(0, first);
    }
    all
}

/// Lahaja has its texts three times; what is scored there is `text`.
fn of_lahaja(columns: &Columns) -> Option<usize> {
    let named = |name: &str| columns.names().iter().position(|one| one == name);
    named("native_district").and(named("verbatim"))?;
    named("fname").and(named("text"))
}

/// Rows that are looked at to tell texts from codes.
const LOOKED_AT: usize = 50;

/// Tells of columns that are not taken as the text, for they have single words as facts have.
fn not_taken(file: &str, table: &Cells, is_heard: impl Fn(&usize) -> bool) -> Option<String> {
    let columns = &table.columns;
    let is_worded = |column: &usize| {
        let rows = 0..table.rows.len().min(LOOKED_AT);
        let mut cells = rows.filter_map(|row| table.text(row, Some(*column)));
        let is_truth = |text: &str| matches!(text, "true" | "false" | "True" | "False");
        cells.any(|text| text.chars().any(char::is_alphabetic) && !is_truth(&text))
    };
    let others = (0..columns.names().len()).filter(|column| {
        let name = columns.name(*column);
        let is_other = crate::table::role_of(name) == Role::Other && !name.is_empty();
        is_other && !is_fact(name) && !is_heard(column) && is_worded(column)
    });
    let names: Vec<&str> = others.map(|column| columns.name(column)).collect();
    (!names.is_empty()).then(|| {
        let names = names.join(", ");
        format!("{file}: no column is taken as the text; could it be {names}? (--text-column)")
    })
}

/// Tells of a column that is taken as the text although nobody calls one so.
fn taken_by_its_words(file: &str, column: &str) -> String {
    format!(
        "{file}: {column:?} is taken as the text, for it alone has words and a name that says \
         nothing else (--text-column)"
    )
}

/// The one column that could hold the text although its name is not known: most of its
/// cells have words.
fn guessed(
    file: &str,
    table: &Cells,
    is_heard: impl Fn(&usize) -> bool,
) -> Result<Option<usize>, Problem> {
    let columns = &table.columns;
    let has_words = |column: &usize| {
        let rows = 0..table.rows.len().min(LOOKED_AT);
        let looked_at = rows.len();
        let worded = rows.filter(|row| {
            let text = table.text(*row, Some(*column)).unwrap_or_default();
            let words = text
                .split_whitespace()
                .filter(|word| word.chars().any(char::is_alphabetic));
            words.count() > 1
        });
        looked_at > 0 && worded.count() * 2 > looked_at
    };
    let others = (0..columns.names().len())
        .filter(|column| crate::table::role_of(columns.name(*column)) == Role::Other);
    let others = others.filter(|column| !is_heard(column));
    let likely: Vec<usize> = others.filter(has_words).collect();
    match likely.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        several => {
            let quoted = |column: &usize| Cow::from(format!("{:?}", columns.name(*column)));
            let names: Vec<Cow<'_, str>> = several.iter().map(quoted).collect();
            let message = format!(
                "{} columns could hold the text: {}",
                several.len(),
                names.join(", ")
            );
            let hint = format!("choose: --text-column {}", columns.name(several[0]));
            Err(Problem::new(Code::ChooseColumn, message)
                .file(file)
                .hint(hint))
        }
    }
}
