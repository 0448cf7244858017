//! From a source to samples: layouts compared, audio found, texts judged.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};

use super::by_ids::by_ids;
use super::files::Files;
use super::finding::{FindingKind, Findings};
use super::folders;
use super::format::Format;
use super::garbled;
use super::idle;
use super::judged::{Judged, Sample, Sent, odd_length};
use super::language;
use super::layout::{Layout, layouts, no_format, same_split, usual_split};
use super::manifest::{self, Options, Reading, Row, Said};
use super::markup::{self, Markup};
use super::paths::{Resolver, has_audio_extension, stem_as_written};
use super::place::place;
use super::problem::{Code, Problem, counted};
use super::seen::Firsts;

/// Reads a source and judges every row of it. `file` is the file that was named, if it
/// was one; otherwise it is the folder.
///
/// # Errors
/// What is wrong with the source as a whole.
pub fn judge(files: &dyn Files, file: Option<&str>, options: &Options) -> Result<Judged, Problem> {
    let mut found = layouts(files, file, options.split.as_deref())?;
    if let Some(wanted) = options.format {
        match file {
            Some(_) => found.iter_mut().for_each(|layout| layout.format = wanted),
            None => {
                let there = found.iter().map(|one| (one.format, one.files.as_slice()));
                let others = no_format(wanted, there);
                found.retain(|layout| layout.format == wanted);
                if found.is_empty() {
                    return Err(others);
                }
            }
        }
    }
    let resolver = Resolver::new(files);
    let is_list =
        |layout: &Layout| matches!(layout.format, Format::Transcriptions | Format::IndicVoices);
    let has_lists = found.iter().any(is_list);
    let mut first: Option<(Layout, Reading, Findings)> = None;
    let mut is_by_ids = false;
    let mut problem = None;
    let mut left_out = Vec::new();
    for mut layout in found {
        let (reading, findings, by_ids) = match read(files, &layout, options, &resolver, has_lists)
        {
            Ok(Read::Rows(reading, findings, split)) => {
                layout.split = layout.split.or(split);
                (reading, findings, false)
            }
            Ok(Read::ByIds(reading, findings, split)) => {
                layout.split = layout.split.or(split);
                (reading, findings, true)
            }
            Ok(Read::Elsewhere) => {
                left_out.extend(layout.files);
                continue;
            }
            Ok(Read::Bad(error)) | Err(error) => {
                // A layout that can't be read says so, unless another one can.
                problem.get_or_insert(error);
                continue;
            }
        };
        match &first {
            None if is_last_resort(layout.format) && problem.is_some() => break,
            None => {
                first = Some((layout, reading, findings));
                is_by_ids = by_ids;
            }
            Some((chosen, _, _)) if is_beside(&layout, chosen) => {}
            // What names its recordings goes before what has only ids that are called so.
            Some(_) if by_ids && !is_by_ids => {}
            Some(_) if is_by_ids && !by_ids => {
                first = Some((layout, reading, findings));
                is_by_ids = false;
            }
            Some((chosen, best, _)) => folders::agree((chosen, best), (&layout, &reading))?,
        }
    }
    let Some((mut layout, mut reading, findings)) = first else {
        let nothing = || {
            let problem = Problem::new(Code::Nothing, "no recordings were found");
            problem.hint(manifest::NO_RECORDINGS)
        };
        let elsewhere = || folders::without(files.names()).filter(|_| file.is_none());
        return Err(problem.or_else(elsewhere).unwrap_or_else(nothing));
    };
    #[cfg(feature = "folders")]
    {
        reading.remarks.extend(folders::read_together(&layout));
        let is_open = file.is_none() && options.format.is_none();
        if is_open && is_last_resort(layout.format) {
            folders::refuse(files, layout.format == Format::Audio)?;
        } else if is_open && folders::is_list(layout.format) {
            let other = folders::undecodable(files, false);
            let told = |problem: Problem| format!("{problem}: it is left out");
            reading.remarks.extend(other.map(told));
        }
    }
    if is_last_resort(layout.format) {
        let told = |file: &String| format!("{file} names no recordings and is left out");
        reading.remarks.extend(left_out.iter().map(told));
    }
    if layout.format == Format::Audio {
        reading
            .remarks
            .extend(folders::not_understood(files, &left_out));
    }
    if reading.rows.is_empty() && findings.errors() == 0 {
        return Err(match layout.files.as_slice() {
            [file] => Problem::new(Code::Nothing, "no rows").file(file),
            files => Problem::new(Code::Nothing, format!("{}: no rows", files.join(", "))),
        });
    }
    garbled::refuse(files, &reading.rows, options)?;
    reading.remarks.extend(idle::split(&mut layout, options)?);
    reading
        .remarks
        .extend(idle::options(&reading.rows, options));
    Ok(judged(files, layout, reading, findings, &resolver, options))
}

/// What is left where there is no manifest: files beside audio, or audio alone. A manifest
/// that can't be read is not passed over for it.
const fn is_last_resort(format: Format) -> bool {
    matches!(format, Format::SideFiles | Format::Audio)
}

/// Whether a layout adds nothing to a manifest.
fn is_beside(layout: &Layout, chosen: &Layout) -> bool {
    is_last_resort(layout.format)
        || layout.format == Format::IndicVoices
        || layout.files.iter().all(|name| chosen.files.contains(name))
}

/// What comes of reading a layout.
enum Read {
    /// Rows, what was found about them, and their split.
    Rows(Reading, Findings, Option<String>),
    /// The same of a table without a column of recordings, whose ids are their names.
    ByIds(Reading, Findings, Option<String>),
    /// A table of something else: it has no recordings.
    Elsewhere,
    /// A table of recordings of which no row can be read.
    Bad(Problem),
}

/// Reads a layout.
fn read(
    files: &dyn Files,
    layout: &Layout,
    options: &Options,
    resolver: &Resolver<'_>,
    has_lists: bool,
) -> Result<Read, Problem> {
    let mut findings = Findings::default();
    let mut reading = manifest::read(files, layout, options, &mut findings)?;
    let split = one_split(&mut reading, layout, options);
    let is_table = matches!(layout.format, Format::Table | Format::Jsonl | Format::Xlsx);
    if layout.format == Format::Calibrate {
        let mut rows = reading.rows.iter();
        if !rows.any(|row| {
            place(row, files, resolver, options.allow_outside)
                .0
                .is_some()
        }) {
            of_database(&reading, layout)?;
        }
    }
    if is_table && by_ids(&mut reading, files, resolver, options) {
        return Ok(Read::ByIds(reading, findings, split));
    }
    // Beside lists of another kind a manifest has to lead to recordings that are there.
    let is_rival = layout.format == Format::Nemo && has_lists;
    if (is_table || is_rival) && options.format.is_none() {
        let names_one = |row: &Row| {
            !is_rival && row.audio.as_deref().is_some_and(has_audio_extension)
                || place(row, files, resolver, options.allow_outside)
                    .0
                    .is_some()
        };
        let is_ours = |row: &Row| row.markup.is_some();
        let mut rows = reading.rows.iter();
        if !rows.any(|row| names_one(row) || is_ours(row)) {
            of_database(&reading, layout)?;
            let bad = unread(&findings)
                .filter(|_| reading.rows.is_empty() && reading.audio_column.is_some());
            return Ok(bad.map_or(Read::Elsewhere, Read::Bad));
        }
    }
    Ok(Read::Rows(reading, findings, split))
}

/// The first row that can't be read.
fn unread(findings: &Findings) -> Option<Problem> {
    let bad = findings.kept().iter().find(|found| found.kind.is_error())?;
    let mut problem = Problem::new(Code::Malformed, bad.message.clone());
    problem.file.clone_from(&bad.file);
    problem.line = bad.line;
    Some(problem)
}

/// A table whose recordings are numbers of a database is told as such.
fn of_database(reading: &Reading, layout: &Layout) -> Result<(), Problem> {
    let column = reading.audio_column.as_deref().unwrap_or_default();
    let is_number = |row: &Row| {
        let name = row.audio.as_deref().map_or("", stem_as_written);
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit())
    };
    let all = !reading.rows.is_empty() && reading.rows.iter().all(is_number);
    if crate::table::key(column) != "fileid" || !all {
        return Ok(());
    }
    let message = format!("{column} has ids of a database, which name no recordings here");
    let file = layout.files.first().map_or("", String::as_str);
    Err(Problem::new(Code::Nothing, message).file(file).hint(
        "export it with addresses or names of its recordings (audio_url, file_name), and put \
         these beside it",
    ))
}

/// Keeps the rows of one split of a table that has several, and names it.
fn one_split(reading: &mut Reading, layout: &Layout, options: &Options) -> Option<String> {
    if layout.split.is_some() || options.all_splits {
        return None;
    }
    let splits: BTreeSet<&str> = reading
        .rows
        .iter()
        .filter_map(|row| row.split.as_deref())
        .collect();
    if options.split.is_some() {
        // No others were read.
        return splits.first().map(|split| (*split).to_owned());
    }
    let chosen = usual_split(&splits)?.to_owned();
    // Some spell one split in two ways.
    let is_other = |split: &&str| !same_split(split, &chosen);
    let others: Vec<&str> = splits.iter().copied().filter(is_other).collect();
    let others = match others.is_empty() {
        true => "the others name no split".to_owned(),
        false => format!("there is {} as well (--split)", others.join(", ")),
    };
    let all = reading.rows.len();
    let is_own = |row: &Row| {
        row.split
            .as_deref()
            .is_some_and(|own| same_split(own, &chosen))
    };
    reading.rows.retain(is_own);
    let taken = reading.rows.len();
    if taken < all {
        reading.remarks.push(format!(
            "{taken} of {all} rows are of the split {chosen}, which is taken; {others}"
        ));
    }
    Some(chosen)
}

/// Share of rows with one text above which it is told.
const SAME_TEXT: f64 = 0.05;
/// Rows from which on any share of them tells something.
const MANY_ROWS: usize = 20;
/// Rows from which on a text that this many have does.
const FEW_ROWS: usize = 10;
const LEAST_SAME: usize = 3;

fn judged(
    files: &dyn Files,
    layout: Layout,
    reading: Reading,
    findings: Findings,
    resolver: &Resolver<'_>,
    options: &Options,
) -> Judged {
    let mut judged = Judged {
        format: layout.format,
        files: reading.files,
        encoding: reading.encoding,
        remarks: reading.remarks,
        audio_column: reading.audio_column,
        text_column: reading.text_column,
        split: layout.split,
        samples: Vec::new(),
        findings,
        found_by: BTreeMap::new(),
    };
    let hasher = RandomState::new();
    let (mut by_audio, mut by_id) = (Firsts::default(), Firsts::default());
    let mut grouped = 0;
    // The folder that was named may be the one of a language.
    let of_place = files
        .place()
        .and_then(|place| language::of_path(&format!("{place}/")));
    // Rows are many, and each is given back before the next one is judged.
    let mut rows = reading.rows;
    rows.reverse();
    while let Some(row) = rows.pop() {
        if rows.len().is_multiple_of(TOGETHER) {
            rows.shrink_to_fit();
        }
        grouped += usize::from(
            row.markup.is_none()
                && options.markup.is_none()
                && row.said.text().is_some_and(markup::has_groups),
        );
        let found = &mut judged.findings;
        let (place, wrong) = place(&row, files, resolver, options.allow_outside);
        #[cfg(feature = "folders")]
        if let Some(message) = row.totals.as_deref().filter(|_| place.is_none()) {
            found.of_line(FindingKind::BadRow, &row.file, row.line, message);
            continue;
        }
        let mut bad = wrong.is_some_and(|(kind, message)| {
            let at = row.refused_at.as_deref().filter(|_| row.refused.is_some());
            let (file, line) = at.map_or((&*row.file, row.line), |(file, line)| (file, *line));
            found.of_row(kind, file, line, &row.id, message);
            kind.is_error()
        });
        if let Some(reason) = &row.broken {
            let message = reason.clone();
            found.of_row(FindingKind::BadRow, &row.file, row.line, &row.id, message);
            bad |= FindingKind::BadRow.is_error();
        }
        if let Some(command) = &row.command {
            let taken = match &row.audio {
                Some(file) => format!("its file {file} is taken as it is"),
                None => "no file is named in it".to_owned(),
            };
            let text = shortened(&command.text);
            let message =
                format!("the audio is a command of a shell, which is not run: {text}; {taken}");
            found.of_row(
                FindingKind::Command,
                &command.file,
                command.line,
                &row.id,
                message,
            );
        }
        let mut tell = |kind: FindingKind, message: String| {
            found.of_row(kind, &row.file, row.line, &row.id, message);
            kind.is_error()
        };
        if let Some((name, rule)) = &place {
            // What lies there by itself was not looked for.
            if !is_last_resort(judged.format) {
                *judged.found_by.entry(*rule).or_default() += 1;
            }
            let piece = (row.start.map(f64::to_bits), row.end.map(f64::to_bits));
            let hash = hasher.hash_one((name, piece));
            let is_same = |other: &Sample| {
                other.audio.as_ref() == Some(name)
                    && (other.start, other.end) == (row.start, row.end)
            };
            if let Some(other) = by_audio.first(hash, &judged.samples, is_same) {
                let other = place_of(other, &row.file);
                bad |= tell(
                    FindingKind::SameAudio,
                    format!("{name} is that of {other} too"),
                );
            }
        }
        if !row.id.is_empty() {
            let hash = hasher.hash_one(&row.id);
            let is_same = |other: &Sample| other.id == row.id;
            if let Some(other) = by_id.first(hash, &judged.samples, is_same) {
                let other = place_of(other, &row.file);
                tell(FindingKind::DuplicateId, format!("{other} has the same id"));
            }
        }
        let path = place.as_ref().map_or("", |(name, _)| name.as_str());
        let language = language_of(&row, path, options).or_else(|| of_place.clone());
        let text = match row.said {
            Said::EmptyCell => {
                tell(
                    FindingKind::EmptyText,
                    "the text is empty: what is said is not known".to_owned(),
                );
                None
            }
            Said::Absent => {
                tell(FindingKind::NoText, "no text".to_owned());
                None
            }
            Said::Text(text) => {
                let text = match markup::has_marks(&text) {
                    true => markup::without_marks(&text),
                    false => text,
                };
                if language
                    .as_deref()
                    .is_some_and(|tag| language::is_in_another_script(&text, tag))
                {
                    tell(
                        FindingKind::WrongScript,
                        "the text is in another script than its language".to_owned(),
                    );
                }
                Some(text)
            }
        };
        if let Some(message) = row.seconds.and_then(odd_length) {
            tell(FindingKind::OddDuration, message);
        }
        let markup = row.markup.or(options.markup).unwrap_or(Markup::None);
        let text_as_sent = text.as_deref().map(|text| markup::reference(text, markup));
        let sent = match text_as_sent {
            None => Sent::AsText,
            Some(Ok(sent)) if text.as_ref() == Some(&sent) => Sent::AsText,
            Some(Ok(sent)) => Sent::As(sent),
            Some(Err(reason)) => {
                bad |= tell(FindingKind::BadMarkup, reason);
                Sent::No
            }
        };
        let mut hypotheses = row.hypotheses;
        markup::visible(&mut hypotheses);
        judged.samples.push(Sample {
            id: row.id,
            file: row.file,
            line: row.line,
            audio: place.map(|(name, _)| name),
            audio_as_written: row
                .command
                .map(|command| command.text)
                .or(row.written)
                .or(row.audio),
            text,
            sent,
            language,
            speaker: row.speaker,
            start: row.start,
            end: row.end,
            seconds: row.seconds,
            metadata: row.metadata,
            hypotheses,
            failures: row.failures,
            usable: !bad,
            is_embedded: row.is_embedded,
        });
    }
    same_texts(&mut judged);
    if grouped > 0 {
        let message = format!(
            "{} braces like {{a|b}}, taken as they stand and not as alternatives (--markup asr_eval or braces)",
            counted(grouped, "text has", "texts have")
        );
        judged.findings.of_source(FindingKind::LossySource, message);
    }
    judged
}

/// Rows of which the memory is given back together.
const TOGETHER: usize = 4_096;

/// Where an earlier sample stands, as seen from a file.
fn place_of(one: &Sample, file: &str) -> String {
    match *one.file == *file {
        true => format!("line {}", one.line),
        false => format!("{} line {}", one.file, one.line),
    }
}

/// Characters of a command that a message shows.
const SHOWN: usize = 200;

fn shortened(command: &str) -> String {
    match command.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", command.get(..end).unwrap_or_default()),
        None => command.to_owned(),
    }
}

fn same_texts(judged: &mut Judged) {
    let mut by_text: HashMap<&str, usize> = HashMap::new();
    let texts = judged.samples.iter().filter_map(|one| one.text.as_deref());
    for text in texts.filter(|text| !text.trim().is_empty()) {
        *by_text.entry(text).or_default() += 1;
    }
    let all = judged.samples.len();
    let most = by_text.values().max().copied().unwrap_or(0);
    let is_enough = all >= MANY_ROWS || (all >= FEW_ROWS && most >= LEAST_SAME);
    if is_enough && most as f64 > all as f64 * SAME_TEXT {
        let mut message = format!("{most} of {all} rows have one and the same text");
        let others: usize = by_text.values().filter(|rows| **rows > 1).sum();
        if others > most {
            message += &format!(", and {} one that others have too", others - most);
        }
        judged.findings.of_source(FindingKind::SameText, message);
    }
}

fn language_of(row: &Row, audio: &str, options: &Options) -> Option<String> {
    let own = row.language.as_deref();
    let named = own.or(options.language.as_deref());
    if let Some(tag) = named.and_then(language::tag_of) {
        return Some(tag);
    }
    language::of_path(audio)
        .or_else(|| language::of_path(&row.file))
        .or_else(|| named.map(str::to_owned))
}
