//! `check`: reads a source, judges every row, and changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use serde::Serialize;
use stt_eval_audio::AudioInfo;
use stt_eval_domain::imported::is_of_service;
use stt_eval_domain::validate::FieldError;
use stt_eval_formats::paths::{Rule, has_audio_extension};
use stt_eval_formats::{
    Code, Finding, FindingKind, Judged, Options, Sample, counted, grouped, judge,
};
use tempfile::TempDir;

use crate::arguments::{CheckArguments, ReadingArguments};
use crate::disk::{OnDisk, with_company};
use crate::embedded;
use crate::failure::{Exit, Failure};
use crate::fields;
use crate::output::{ErrorOf, Output, SCHEMA};
use crate::pieces;
use crate::probe;
use crate::times::length;
use crate::unpack::temporary;

/// Columns that were used.
#[derive(Debug, Serialize)]
struct Columns<'a> {
    audio: Option<&'a str>,
    text: Option<&'a str>,
}

/// A source in numbers.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Utterances.
    pub utterances: usize,
    /// Those that nothing is against.
    pub usable: usize,
    /// Those with a text.
    pub with_text: usize,
    /// Length of the usable ones.
    pub audio_seconds: f64,
    /// Speakers.
    pub speakers: usize,
    /// Utterances by language.
    pub languages: BTreeMap<String, usize>,
}

/// The document; its shape is settled.
#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: u32,
    ok: bool,
    source: &'a str,
    format: &'static str,
    files: &'a [String],
    encoding: Option<stt_eval_formats::decode::Encoding>,
    columns: Columns<'a>,
    split: Option<&'a str>,
    summary: &'a Summary,
    samples: &'a [Sample],
    findings: &'a [Finding],
    /// What had to be found out by looking, and what options choose nothing of.
    remarks: Vec<String>,
    error: Option<ErrorOf>,
}

/// A source that was read.
pub struct Looked {
    /// Every utterance and what is wrong.
    pub judged: Judged,
    /// The files.
    pub files: OnDisk,
    /// In numbers.
    pub summary: Summary,
    source: String,
    /// Recordings that were inside of tables; they go away with this value.
    kept: Option<TempDir>,
}

/// How deep a source is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Its rows alone.
    Rows,
    /// Every recording too.
    Recordings,
    /// The same, and recordings that are inside of tables are kept to be sent.
    ToSend,
}

impl Looked {
    /// Where the recording of a sample is on this machine.
    pub fn path(&self, sample: &Sample) -> Option<PathBuf> {
        let audio = sample.audio.as_deref()?;
        match &self.kept {
            Some(kept) if sample.is_embedded => Some(kept.path().join(audio)),
            _ => Some(self.files.path(audio)),
        }
    }

    /// Only what has to be there until everything is sent: files that were unpacked. Lists are
    /// long.
    pub fn unpacked(self) -> (OnDisk, Option<TempDir>) {
        (self.files, self.kept)
    }

    /// What was found, for programs.
    pub fn facts(&self) -> serde_json::Value {
        serde_json::json!({
            "source": self.source, "format": self.judged.format.name(), "summary": self.summary,
            "findings": self.judged.findings.errors(),
        })
    }

    /// What was found, in words.
    pub fn text(&self, output: &Output) -> String {
        text(&self.judged, &self.summary, &self.source, output)
    }
}

/// Reads a source, judges every row of it, and looks into its audio as `depth` says. Fields that
/// are `first` are kept before others.
///
/// # Errors
/// What is wrong with the source as a whole.
pub fn look(
    (source, depth): (&Path, Depth),
    reading: &ReadingArguments,
    first: &[String],
) -> Result<Looked, Failure> {
    if source == Path::new("-") {
        let message = "a manifest on standard input names recordings of no folder";
        return Err(Failure::usage(message).hint("save it beside them, and name it"));
    }
    let (files, file) = with_company(source, reading.allow_outside)?;
    let judged = judge(&files, file.as_deref(), &options(reading));
    let mut judged = judged.map_err(|problem| match (problem.code, &problem.file) {
        // What holds nothing is named as it was on the command line.
        (Code::Nothing, None) => problem.file(&source.display().to_string()),
        _ => problem,
    })?;
    passed_over(&mut judged, &files);
    let left_out = fields::left_out(&judged.samples, first);
    judged.remarks.extend(left_out);
    leave_outside(&mut judged, &files);
    let has_embedded = judged.samples.iter().any(|sample| sample.is_embedded);
    let kept = match depth {
        Depth::ToSend if has_embedded => Some(temporary()?),
        _ => None,
    };
    if depth != Depth::Rows {
        look_into(&mut judged, &files);
        embedded::look_into(&mut judged, &files, kept.as_ref().map(TempDir::path))?;
    }
    let summary = summary(&judged);
    Ok(Looked {
        judged,
        files,
        summary,
        source: source.display().to_string(),
        kept,
    })
}

/// Runs the command.
pub fn run(arguments: &CheckArguments, output: &Output) -> Result<Exit, Failure> {
    let depth = if arguments.no_probe {
        Depth::Rows
    } else {
        Depth::Recordings
    };
    tell((&arguments.source, depth), &arguments.reading, &[], output)
}

/// Judges a source and tells of it, which is all that `check` and `run --dry-run` do.
///
/// # Errors
/// What is wrong with the source as a whole.
pub fn tell(
    source: (&Path, Depth),
    reading: &ReadingArguments,
    first: &[String],
    output: &Output,
) -> Result<Exit, Failure> {
    let Looked {
        judged,
        summary,
        source,
        ..
    } = look(source, reading, first)?;
    if output.json {
        for remark in &judged.remarks {
            output.remark(remark);
        }
    }
    let errors = judged.findings.errors();
    let unusable = judged.samples.iter().filter(|sample| !sample.usable);
    let unusable = unusable.count() + unread(&judged);
    let error = (errors > 0).then(|| {
        let message = format!(
            "{} {} unusable",
            counted(errors, "finding makes", "findings make"),
            counted(unusable, "utterance", "utterances")
        );
        ErrorOf::new("findings", message, None)
    });
    let ok = error.is_none();
    let document = Document {
        schema: SCHEMA,
        ok,
        source: &source,
        format: judged.format.name(),
        files: &judged.files,
        encoding: judged.encoding,
        columns: Columns {
            audio: judged.audio_column.as_deref(),
            text: judged.text_column.as_deref(),
        },
        split: judged.split.as_deref(),
        summary: &summary,
        samples: &judged.samples,
        findings: judged.kept(),
        remarks: output.remarks(),
        error,
    };
    output.result(&document, || text(&judged, &summary, &source, output))?;
    Ok(if ok { Exit::Done } else { Exit::Findings })
}

fn options(reading: &ReadingArguments) -> Options {
    Options {
        format: reading.format,
        split: reading.split.clone(),
        all_splits: false,
        text_column: reading.text_column.clone(),
        audio_column: reading.audio_column.clone(),
        language: reading.language.clone(),
        markup: reading.markup.map(Into::into),
        allow_outside: reading.allow_outside,
        hypotheses: reading.hyp.clone(),
    }
}

/// Tells of files that can't be read, where nothing else does: one may be the list that is
/// meant.
fn passed_over(judged: &mut Judged, files: &OnDisk) {
    for (file, reason) in files.unread() {
        let is_told =
            |found: &Finding| found.file.as_deref() == Some(&file) || found.message.contains(&file);
        let mut recordings = judged.samples.iter().filter_map(|one| one.audio.as_deref());
        let is_recording = recordings.any(|audio| audio == file);
        if !is_recording && !judged.kept().iter().any(is_told) {
            let remark = format!("{file} can't be read, and is left out: {reason}");
            judged.remarks.push(remark);
        }
    }
}

/// Refuses recordings that are links out of the folder. They are not opened.
fn leave_outside(judged: &mut Judged, files: &OnDisk) {
    for sample in &mut judged.samples {
        let Some(audio) = sample.audio.as_deref().filter(|_| !sample.is_embedded) else {
            continue;
        };
        if files.leaves(audio) {
            let message = format!("{audio} is a link out of the folder (--allow-outside)");
            let (kind, line) = (FindingKind::OutsideFolder, sample.line);
            let findings = &mut judged.findings;
            findings.of_row(kind, &sample.file, line, &sample.id, message);
            sample.usable = false;
        }
    }
}

/// Looks into every recording once: what can't be used is told, and how long it is.
fn look_into(judged: &mut Judged, files: &OnDisk) {
    let mut known: HashMap<String, Result<AudioInfo, String>> = HashMap::new();
    for index in 0..judged.samples.len() {
        let sample = &judged.samples[index];
        let Some(audio) = sample.audio.clone().filter(|_| !sample.is_embedded) else {
            continue;
        };
        if files.leaves(&audio) {
            continue;
        }
        let path = files.path(&audio);
        let found = known
            .entry(audio.clone())
            .or_insert_with(|| probe::recording(&path));
        match found {
            Ok(info) => {
                let (seconds, start, end) = (info.duration_seconds, sample.start, sample.end);
                judged.ends_too_late(index, seconds);
                if !pieces::is_piece(info, start, end) {
                    judged.lasts(index, seconds);
                    continue;
                }
                let end_of = end.unwrap_or(seconds).min(seconds);
                judged.lasts(index, (end_of - start.unwrap_or(0.0)).max(0.0));
                if let Some(reason) = pieces::refusal(info, start, end) {
                    judged.refuse(index, &format!("{audio}: {reason}"));
                }
            }
            Err(reason) => judged.refuse(index, &format!("{audio}: {reason}")),
        }
    }
}

fn summary(judged: &Judged) -> Summary {
    let mut made = Summary {
        utterances: judged.samples.len(),
        usable: 0,
        with_text: 0,
        audio_seconds: 0.0,
        speakers: 0,
        languages: BTreeMap::new(),
    };
    let mut speakers = BTreeSet::new();
    for sample in &judged.samples {
        made.usable += usize::from(sample.usable);
        made.with_text += usize::from(sample.text.is_some());
        if sample.usable {
            made.audio_seconds += sample.seconds.unwrap_or(0.0);
        }
        speakers.extend(sample.speaker.as_deref());
        if let Some(language) = &sample.language {
            *made.languages.entry(language.clone()).or_default() += 1;
        }
    }
    made.audio_seconds = (made.audio_seconds * 1_000.0).round() / 1_000.0;
    made.speakers = speakers.len();
    made
}

/// Findings of a kind that are shown; the document has more.
const SHOWN: usize = 20;

fn text(judged: &Judged, summary: &Summary, source: &str, output: &Output) -> String {
    let mut out = format!("{}  {source}", judged.format.title());
    if let Some(split) = &judged.split {
        out += &format!("  (split {split}; --split for another)");
    }
    out += "\n";
    let mut facts = vec![counted(summary.utterances, "utterance", "utterances")];
    if summary.audio_seconds > 0.0 {
        facts.push(length(summary.audio_seconds));
    }
    let languages: Vec<&str> = summary.languages.keys().map(String::as_str).collect();
    if !languages.is_empty() {
        facts.push(languages.join(", "));
    }
    if summary.speakers > 0 {
        facts.push(counted(summary.speakers, "speaker", "speakers"));
    }
    out += &format!("  {}\n", facts.join(", "));
    if let Some(columns) = columns_used(judged) {
        out += &format!("  columns {columns}\n");
    }
    for remark in &judged.remarks {
        out += &format!("  note    {remark}\n");
    }
    // How much each system heard, and at how much its service failed.
    let mut heard: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for one in &judged.samples {
        for system in one.hypotheses.names() {
            heard.entry(system).or_default().0 += 1;
        }
        for (system, reason) in one.failures.iter() {
            let counts = heard.entry(system).or_default();
            counts.1 += usize::from(is_of_service(reason));
        }
    }
    for (system, (count, failed)) in heard {
        let count = counted(count, "transcript", "transcripts");
        let failed = match failed {
            0 => String::new(),
            failed => format!("; its service failed at {failed}"),
        };
        out += &format!("  heard   {count} of {system}{failed}\n");
    }
    for (rule, count) in &judged.found_by {
        out += &format!("  audio   {count} found {}\n", by_rule(*rule));
    }
    let kinds: BTreeSet<FindingKind> = judged.kept().iter().map(|found| found.kind).collect();
    for kind in kinds {
        let count = judged.findings.count(kind);
        let name = serde_json::to_value(kind).ok();
        let name = name
            .as_ref()
            .and_then(|name| name.as_str())
            .unwrap_or_default();
        let mark = if kind.is_error() {
            output.mark(false)
        } else {
            " "
        };
        let many = grouped(count as u64);
        out += &format!("  {mark} {many} {}\n", name.replace('_', " "));
        let of_kind = judged.kept().iter().filter(|one| one.kind == kind);
        for found in of_kind.clone().take(SHOWN) {
            out += &format!("      {}\n", with_place(found));
        }
        if count > SHOWN {
            let more = grouped((count - SHOWN) as u64);
            let in_document = match of_kind.count() {
                kept if kept < count => format!("the first {}", grouped(kept as u64)),
                _ => "all".to_owned(),
            };
            out += &format!("      … and {more} more (--json has {in_document})\n");
        }
    }
    let verdict = summary.usable == summary.utterances && judged.findings.errors() == 0;
    // A row that can't be read would have been an utterance.
    let unread = unread(judged);
    out += &format!(
        "{} {} of {} can be used",
        output.mark(verdict),
        grouped(summary.usable as u64),
        grouped((summary.utterances + unread) as u64)
    );
    if unread > 0 {
        out += &format!("; {} can't be read", counted(unread, "row", "rows"));
    }
    out += "\n";
    out
}

/// The columns that were used, where the source has such.
fn columns_used(judged: &Judged) -> Option<String> {
    let audio = judged.audio_column.as_deref();
    let text = judged.text_column.as_deref();
    let used = [
        audio.map(|name| format!("{name} (recordings)")),
        text.map(|name| format!("{name} (texts)")),
    ];
    let used: Vec<String> = used.into_iter().flatten().collect();
    (!used.is_empty()).then(|| used.join(", "))
}

/// A finding with its place. A recording alone has no lines, and is named once.
fn with_place(found: &Finding) -> String {
    let file = found.file.as_deref().unwrap_or_default();
    let message = found.message.as_str();
    if has_audio_extension(file) {
        let own = message.strip_prefix(file);
        let own = own.and_then(|rest| rest.strip_prefix(": "));
        return format!("{file}  {}", own.unwrap_or(message));
    }
    let line = found.line;
    let line = line.map_or(String::new(), |line| format!(" line {line}"));
    let id = found.id.as_deref().unwrap_or_default();
    format!("{file}{line}  {id}  {message}")
}

/// Rows that are no utterances, as they can't be read.
pub fn unread(judged: &Judged) -> usize {
    // Those with an id are utterances.
    judged.findings.count_without_row(FindingKind::BadRow)
}

/// Errors as rows of a document: where each is, and what.
pub fn rows(judged: &Judged) -> Vec<FieldError> {
    let errors = judged.kept().iter().filter(|one| one.severity == "error");
    let row = |one: &Finding| {
        let file = one.file.as_deref().unwrap_or_default();
        let is_list = !has_audio_extension(file);
        let line = one.line.filter(|_| is_list);
        let line = line.map_or(String::new(), |line| format!(" line {line}"));
        let id = one.id.as_deref().filter(|_| is_list);
        let id = id.map_or(String::new(), |id| format!(" ({id})"));
        FieldError::new(format!("{file}{line}{id}"), one.message.clone())
    };
    errors.take(SHOWN).map(row).collect()
}

fn by_rule(rule: Rule) -> &'static str {
    match rule {
        Rule::AsWritten => "as written",
        Rule::BesideManifest => "relative to the manifest",
        Rule::WorkingDirectory => "relative to the working directory",
        Rule::Tail => "by the end of the path (paths are of another machine)",
        Rule::BaseName => "by the name of the file",
        Rule::OtherExtension => "by the name with another extension",
        Rule::WithoutCase => "by the name without case",
        Rule::Outside => "outside of the folder",
        Rule::Embedded => "inside of the table",
    }
}
