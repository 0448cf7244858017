//! A dataset out of recordings that were uploaded and a table as people have it: judged
//! as a whole, so that what was found can be shown before anything is saved.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use stt_eval_formats::files::{self as in_files, InMemory, stem};
use stt_eval_formats::{
    Code, Finding as Found, FindingKind, Judged as InTable, MOST_OF_A_KIND, Options, Problem,
    Sample, judge as judge_table,
};
use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::{MAX_SAMPLES, Metadata};
use stt_eval_shared::domain::file::{File, FileStatus};
use stt_eval_shared::domain::validate::Errors;
use stt_eval_shared::domain::{FileId, ProjectId};
use stt_eval_shared::wire::findings::Topic;

use super::check::usable;
use super::draft::{Draft, language_tag};
use super::models::not_taken;
use super::row;
use super::splits::{Parts, Wanted, of_fields, parts};
use crate::actor::Actor;
use crate::refusal::Refusal;

/// How often files are looked at that are still being read, and for how long between.
const LOOKS: u32 = 12;
const BETWEEN: Duration = Duration::from_millis(500);

const fn topic(kind: FindingKind) -> Topic {
    match kind {
        FindingKind::MissingAudio | FindingKind::OutsideFolder => Topic::MissingAudio,
        FindingKind::RefusedAudio => Topic::Recording,
        FindingKind::SameAudio | FindingKind::DuplicateId | FindingKind::SameText => Topic::Twice,
        FindingKind::EmptyText | FindingKind::NoText => Topic::EmptyText,
        FindingKind::WrongScript => Topic::WrongScript,
        FindingKind::BadRow | FindingKind::BadMarkup => Topic::Row,
        FindingKind::Command
        | FindingKind::TwoTextColumns
        | FindingKind::OddDuration
        | FindingKind::LossySource => Topic::Other,
    }
}

/// What each row may have, so that not all of it is told.
const MANY: [FindingKind; 7] = [
    FindingKind::MissingAudio,
    FindingKind::OutsideFolder,
    FindingKind::SameAudio,
    FindingKind::EmptyText,
    FindingKind::WrongScript,
    FindingKind::BadRow,
    FindingKind::BadMarkup,
];

/// The text of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// As it was read.
    pub text: String,
    /// Its language, a tag.
    pub language: String,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub topic: Topic,
    /// Whether that is no part of the dataset; else it is saved as it is.
    pub is_left_out: bool,
    /// What was found, and where.
    pub message: String,
    /// The text of its row, where there is one.
    pub quote: Option<Quote>,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub bytes: Bytes,
}

/// A dataset to be, judged.
#[derive(Debug, Default)]
pub struct Judged {
    /// Samples that can be saved.
    pub drafts: Vec<Draft>,
    /// Names of recordings, by their files.
    pub names: BTreeMap<FileId, String>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// How many more were found than are told, by what they are about and whether that is left
    /// out.
    pub untold: Vec<(Topic, bool, usize)>,
    /// How many rows, or recordings where there is no table, can't be used.
    pub refused: usize,
    /// How many recordings are in no row of the table.
    pub without_row: usize,
    /// How many recordings are still being read.
    pub waiting: usize,
    /// Splits of the table, where it has several.
    pub parts: Parts,
    /// The one that is taken; none: all of them together.
    pub split: Option<String>,
    /// Why nothing can be made of the table.
    pub problem: Option<String>,
}

impl Judged {
    /// Tells of what is saved all the same.
    fn tell(&mut self, topic: Topic, message: impl Into<String>) {
        self.findings.push(Finding {
            topic,
            is_left_out: false,
            message: message.into(),
            quote: None,
        });
    }

    /// Tells of what is no part of the dataset.
    fn leave_out(&mut self, topic: Topic, message: impl Into<String>) {
        self.tell(topic, message);
        if let Some(told) = self.findings.last_mut() {
            told.is_left_out = true;
        }
    }
}

/// What is found about a row, after its place: its line, and its recording where it is not named
/// in it.
fn at(line: Option<u64>, sample: Option<&Sample>, message: &str) -> String {
    let line = line.map(|line| format!("line {line}"));
    let name = sample.and_then(|sample| sample.audio.clone());
    let name = name.filter(|name| !message.contains(&**name));
    let place: Vec<String> = line.into_iter().chain(name).collect();
    match place.is_empty() {
        true => message.to_owned(),
        false => format!("{}: {message}", place.join(", ")),
    }
}

/// Advice for the command line, which findings carry in brackets, is of no use here.
fn without_options(message: &str) -> String {
    match message.split_once(" (--") {
        Some((before, rest)) => {
            let after = rest.split_once(')').map_or("", |(_, after)| after);
            format!("{before}{after}")
        }
        None => message.to_owned(),
    }
}

/// What the same is called on a page, which has no options.
const HEADER: &str = "begin the table with a line that names its columns, such as file_name,text";
const ONE_TEXT: &str = "call the one that is the reference `text`";

pub(super) fn of_problem(problem: &Problem) -> String {
    let hint = problem.hint.as_deref().and_then(|hint| match problem.code {
        Code::ChooseColumn => Some(ONE_TEXT),
        Code::UnknownFormat | Code::Nothing => Some(HEADER),
        _ => Some(hint).filter(|hint| !hint.contains("--")),
    });
    match hint {
        Some(hint) => format!("{problem}: {hint}"),
        None => problem.to_string(),
    }
}

/// Files, once none of them is being read any more, or after some seconds.
pub(super) async fn settled(
    app: &App,
    project: &ProjectId,
    ids: &[FileId],
) -> Result<BTreeMap<FileId, File>, Refusal> {
    let mut files = BTreeMap::new();
    let mut open = ids.to_vec();
    for look in 1..=LOOKS {
        files.append(&mut app.store.files(project, open).await?);
        let unsettled = files
            .values()
            .filter(|file| file.status == FileStatus::Uploading);
        open = unsettled.map(|file| file.id).collect();
        if open.is_empty() || look == LOOKS {
            break;
        }
        tokio::time::sleep(BETWEEN).await;
    }
    Ok(files)
}

/// Judges recordings and a table; without one each recording is a clip whose text is not
/// known.
///
/// # Errors
/// When the store fails; what is wrong with recordings and rows is found, not refused.
pub async fn judge(
    app: &App,
    actor: &Actor,
    recordings: &[FileId],
    table: Option<&Table>,
    language: &str,
    split: &Wanted,
) -> Result<Judged, Refusal> {
    let files = settled(app, &actor.project, recordings).await?;
    let mut judged = Judged::default();
    let mut by_name: BTreeMap<String, FileId> = BTreeMap::new();
    for id in recordings {
        let Some(file) = files.get(id) else {
            judged.leave_out(
                Topic::Recording,
                "a recording is not there any more; upload it again",
            );
            continue;
        };
        judged.names.insert(*id, file.filename.clone());
        if by_name.contains_key(&file.filename) {
            let message = format!(
                "two recordings are called {}; the first is taken",
                file.filename
            );
            judged.leave_out(Topic::Twice, message);
            continue;
        }
        judged.waiting += usize::from(file.status == FileStatus::Uploading);
        by_name.insert(file.filename.clone(), *id);
    }
    match table {
        Some(table) => rows(&mut judged, &files, &by_name, (table, split), language),
        None => alone(&mut judged, &files, recordings, language),
    }
    for message in same_recordings(&judged, &files) {
        judged.tell(Topic::Twice, message);
    }
    if judged.drafts.len() > MAX_SAMPLES {
        let count = judged.drafts.len();
        judged.problem = Some(format!(
            "{count} clips; a dataset has at most {MAX_SAMPLES}"
        ));
        judged.drafts.clear();
    }
    let of_clips = judged.drafts.iter();
    let of_clips = of_clips.filter_map(|draft| files.get(&draft.file));
    for message in not_taken(of_clips, app.models()) {
        judged.tell(Topic::Models, message);
    }
    Ok(judged)
}

/// Which clips have one recording under several names: they count as often as they are there.
fn same_recordings(judged: &Judged, files: &BTreeMap<FileId, File>) -> Vec<String> {
    let mut first: BTreeMap<String, FileId> = BTreeMap::new();
    let mut told = Vec::new();
    for draft in &judged.drafts {
        let file = files.get(&draft.file);
        let Some(checksum) = file.and_then(|file| file.checksum_sha256.clone()) else {
            continue;
        };
        let name = |id| judged.names.get(id).map_or("", String::as_str);
        match first.get(&checksum) {
            Some(other) => told.push(format!(
                "{} is the same recording as {}",
                name(&draft.file),
                name(other)
            )),
            None => {
                first.insert(checksum, draft.file);
            }
        }
    }
    told
}

/// Tells why a recording can't be used, if it can't.
fn unusable(file: Option<&File>) -> Option<String> {
    let mut errors = Errors::new();
    usable("", file, &mut errors);
    let errors = errors.finish().err()?;
    errors.into_iter().next().map(|error| error.message)
}

/// Each recording as a clip.
fn alone(
    judged: &mut Judged,
    files: &BTreeMap<FileId, File>,
    recordings: &[FileId],
    language: &str,
) {
    let mut seen = BTreeSet::new();
    for (number, id) in (1..).zip(recordings) {
        let (Some(name), true) = (judged.names.get(id).cloned(), seen.insert(*id)) else {
            continue;
        };
        if let Some(why) = unusable(files.get(id)) {
            judged.refused += 1;
            judged.leave_out(Topic::Recording, format!("{name} {why}"));
            continue;
        }
        let place = format!("recording {number}");
        judged.drafts.push(Draft {
            file_field: place.clone(),
            place,
            file: *id,
            ground_truth: None,
            language: language.to_owned(),
            metadata: Metadata::new(),
        });
    }
    let count = judged.drafts.len();
    if count > 0 {
        let message = match count {
            1 => "there is no table: the text of the recording is not known".to_owned(),
            _ => format!("there is no table: the texts of {count} recordings are not known"),
        };
        judged.tell(Topic::EmptyText, message);
    }
}

/// What a row is told by: of JSON several may begin on one line, and ids may be the same.
type Key<'a> = (u64, &'a str);

fn key(row: &Sample) -> Key<'_> {
    (row.line, row.id.as_str())
}

/// The row that a finding is of; none where it is of the whole table, or of a line that is no
/// row.
fn row_of(finding: &Found) -> Option<Key<'_>> {
    finding.line.zip(finding.id.as_deref())
}

/// The text of a row; its language is the one of the form where it names none that is known.
fn quote(row: &Sample, language: &str) -> Option<Quote> {
    let own = row.language.as_deref();
    let own = own.and_then(|tag| language_tag("language", tag).ok());
    Some(Quote {
        text: row.text.clone()?,
        language: own.unwrap_or_else(|| language.to_owned()),
    })
}

/// Rows of a table as clips.
fn rows(
    judged: &mut Judged,
    files: &BTreeMap<FileId, File>,
    by_name: &BTreeMap<String, FileId>,
    (table, split): (&Table, &Wanted),
    language: &str,
) {
    let name = in_files::base(&table.name);
    let nothing = |name: &String| (name.clone(), Vec::new());
    let source = by_name.keys().map(nothing);
    let source = source.chain([(name.to_owned(), table.bytes.to_vec())]);
    let source = InMemory::new(source);
    let mut options = Options {
        language: Some(language.to_owned()),
        all_splits: true,
        ..Options::default()
    };
    let mut found = judge_table(&source, Some(name), &options);
    // Recordings that a row names, be it one of a split that is not taken.
    let mut listed = BTreeSet::new();
    if let Ok(all) = &found {
        let names = all.samples.iter().filter_map(|sample| sample.audio.clone());
        listed.extend(names);
        judged.parts = parts(
            all.samples
                .iter()
                .map(|sample| of_fields(sample.metadata.iter())),
        );
        judged.split = split.of(&judged.parts.splits);
        if judged.split.is_some() {
            options.split.clone_from(&judged.split);
            found = judge_table(&source, Some(name), &options);
        }
    }
    let found = match found {
        Ok(found) => found,
        Err(problem) => {
            judged.problem = Some(of_problem(&problem));
            return;
        }
    };
    // Before anything is told: of rows that are left out not all of it matters.
    let (mut taken, mut left_out) = (BTreeSet::new(), BTreeSet::new());
    let mut refused = Vec::new();
    let mut named = BTreeSet::new();
    for sample in &found.samples {
        let id = sample.audio.as_ref().and_then(|name| by_name.get(name));
        named.extend(id.copied());
        let drafted = match (id, sample.usable) {
            (Some(id), true) => drafted(sample, *id, files.get(id), language).map_err(Some),
            // Why not is among what was found.
            _ => Err(None),
        };
        match drafted {
            Ok(draft) => {
                taken.insert(key(sample));
                judged.drafts.push(draft);
            }
            Err(why) => {
                judged.refused += 1;
                left_out.insert(key(sample));
                refused.extend(why.map(|(topic, why)| Finding {
                    topic,
                    is_left_out: true,
                    message: at(Some(sample.line), Some(sample), &why),
                    quote: quote(sample, language),
                }));
            }
        }
    }
    left_out.retain(|row| !taken.contains(row));
    // Rows that can't be read have no samples, and no ids.
    judged.refused += found.findings.count_without_row(FindingKind::BadRow);
    tell_table(judged, &found, &left_out, language);
    judged.findings.append(&mut refused);
    let is_left = |(name, id): &(&String, &FileId)| !named.contains(*id) && !listed.contains(*name);
    for (name, id) in by_name.iter().filter(is_left) {
        judged.without_row += 1;
        match unusable(files.get(id)) {
            Some(why) => judged.leave_out(Topic::Recording, format!("{name} {why}")),
            None => judged.leave_out(Topic::WithoutRow, name),
        }
    }
}

/// Tells what was found in a table. What is odd about a row that is left out does not matter.
fn tell_table(judged: &mut Judged, found: &InTable, left_out: &BTreeSet<Key<'_>>, language: &str) {
    // An id that is only the name of a recording says nothing that its recording does not:
    // of the same recording that is told already, and others of its name are others.
    let is_named = |sample: &&Sample| sample.audio.as_deref().map(stem) == Some(&*sample.id);
    let named = found.samples.iter().filter(is_named);
    let mut told: BTreeSet<Key<'_>> = named.map(key).collect();
    let same_audio = found.kept().iter();
    let same_audio = same_audio.filter(|finding| finding.kind == FindingKind::SameAudio);
    told.extend(same_audio.filter_map(row_of));
    let mut samples: BTreeMap<Key<'_>, Option<&Sample>> = BTreeMap::new();
    for sample in &found.samples {
        // Which one of two is meant is not known.
        let known = samples.entry(key(sample));
        known.and_modify(|one| *one = None).or_insert(Some(sample));
    }
    for finding in found.kept() {
        let row = row_of(finding);
        let is_among = |rows: &BTreeSet<Key<'_>>| row.is_some_and(|row| rows.contains(&row));
        let is_left_out = finding.kind.is_error();
        let is_told = finding.kind == FindingKind::DuplicateId && is_among(&told);
        if is_told || (!is_left_out && is_among(left_out)) {
            continue;
        }
        let sample = row.and_then(|row| samples.get(&row).copied().flatten());
        judged.findings.push(Finding {
            topic: topic(finding.kind),
            is_left_out,
            message: at(finding.line, sample, &without_options(&finding.message)),
            quote: sample.and_then(|sample| quote(sample, language)),
        });
    }
    for kind in MANY {
        let untold = found.findings.count(kind).saturating_sub(MOST_OF_A_KIND);
        if untold > 0 {
            judged.untold.push((topic(kind), kind.is_error(), untold));
        }
    }
}

/// A row as a clip, or what is against it that its table does not tell.
fn drafted(
    sample: &Sample,
    id: FileId,
    file: Option<&File>,
    language: &str,
) -> Result<Draft, (Topic, String)> {
    if let Some(why) = unusable(file) {
        let name = sample.audio.as_deref().unwrap_or_default();
        return Err((Topic::Recording, format!("{name} {why}")));
    }
    row::draft(sample, id, file, language).map_err(|why| (Topic::Row, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_for_the_command_line_is_left_out() {
        for (message, shown) in [
            (
                "\"a\" is taken; b could be it (--text-column)",
                "\"a\" is taken; b could be it",
            ),
            (
                "x lies outside (--allow-outside) of it",
                "x lies outside of it",
            ),
            ("no text", "no text"),
            ("odd (--", "odd"),
        ] {
            assert_eq!(without_options(message), shown);
        }
    }
}
