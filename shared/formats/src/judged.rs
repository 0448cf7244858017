//! Utterances of a source and what was found, as both are known when it is judged.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::decode::Encoding;
use super::fields::Fields;
use super::finding::{Finding, FindingKind, Findings};
use super::format::Format;
use super::paths::Rule;

/// One utterance, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its id in the source; not always unique.
    pub id: String,
    /// The file it stands in.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u64,
    /// Its recording, relative to the source.
    pub audio: Option<String>,
    /// The same, as it is written.
    pub audio_as_written: Option<String>,
    /// What is said, as read; `None` is not known, `""` is nothing.
    pub text: Option<String>,
    /// The same as it would be sent.
    pub(crate) sent: Sent,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Speaker.
    pub speaker: Option<String>,
    /// Where the piece begins in its recording, in seconds.
    pub start: Option<f64>,
    /// Where it ends.
    pub end: Option<f64>,
    /// Length, in seconds, as far as the source tells.
    pub seconds: Option<f64>,
    /// Everything else.
    pub metadata: Fields,
    /// Hypotheses that the source has, by model.
    pub hypotheses: Fields,
    /// What services failed at and why, by model.
    pub failures: Fields,
    /// Whether nothing is against it.
    pub usable: bool,
    /// Whether its recording is inside of its file, as those of Parquet are; `recordings`
    /// hands it out.
    pub is_embedded: bool,
}

/// A text as it would be sent: escaped, or its markup translated. Most are sent as they are, and
/// are not kept twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    /// As it is.
    AsText,
    /// Like this.
    As(String),
    /// Its markup is none.
    No,
}

impl Sample {
    /// The text as it would be sent: escaped, or its markup translated; `None` where it is not
    /// known, or its markup is none.
    #[must_use]
    pub fn ground_truth(&self) -> Option<&str> {
        match &self.sent {
            Sent::AsText => self.text.as_deref(),
            Sent::As(other) => Some(other),
            Sent::No => None,
        }
    }
}

/// A sample as it is told: its text as it would be sent stands beside it.
#[derive(Serialize)]
struct Told<'a> {
    id: &'a str,
    file: &'a str,
    line: u64,
    audio: Option<&'a str>,
    audio_as_written: Option<&'a str>,
    text: Option<&'a str>,
    ground_truth: Option<&'a str>,
    language: Option<&'a str>,
    speaker: Option<&'a str>,
    start: Option<f64>,
    end: Option<f64>,
    seconds: Option<f64>,
    metadata: &'a Fields,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    hypotheses: &'a Fields,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    failures: &'a Fields,
    usable: bool,
}

impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let told = Told {
            id: &self.id,
            file: &self.file,
            line: self.line,
            audio: self.audio.as_deref(),
            audio_as_written: self.audio_as_written.as_deref(),
            text: self.text.as_deref(),
            ground_truth: self.ground_truth(),
            language: self.language.as_deref(),
            speaker: self.speaker.as_deref(),
            start: self.start,
            end: self.end,
            seconds: self.seconds,
            metadata: &self.metadata,
            hypotheses: &self.hypotheses,
            failures: &self.failures,
            usable: self.usable,
        };
        told.serialize(serializer)
    }
}

/// Longest recording that is nothing out of the ordinary, in seconds; and the shortest in
/// which a word can be said.
const LONG: f64 = 3_600.0;
const SHORT: f64 = 0.05;
/// Seconds by which tables and recordings differ where the same is meant.
const LATE: f64 = 0.2;

/// What is odd about a length, if anything is.
pub(super) fn odd_length(seconds: f64) -> Option<String> {
    if seconds > LONG {
        return Some(format!("is longer than an hour: {seconds:.0} s"));
    }
    (seconds < SHORT).then(|| format!("has hardly any length: {seconds:.3} s"))
}

/// A source, judged.
#[derive(Debug)]
pub struct Judged {
    /// What it is.
    pub format: Format,
    /// Files that were read.
    pub files: Vec<String>,
    /// How they are encoded.
    pub encoding: Option<Encoding>,
    /// What had to be found out by looking, such as an encoding.
    pub remarks: Vec<String>,
    /// Column of the recording.
    pub audio_column: Option<String>,
    /// Column of the text.
    pub text_column: Option<String>,
    /// The split.
    pub split: Option<String>,
    /// Every utterance, also those that can't be used.
    pub samples: Vec<Sample>,
    /// What was found.
    pub findings: Findings,
    /// How many recordings were found by which rule; none where they lie there by themselves.
    pub found_by: BTreeMap<Rule, usize>,
}

impl Judged {
    /// Makes a sample unusable, for what is known of its audio only from its bytes.
    pub fn refuse(&mut self, sample: usize, message: &str) {
        if let Some(sample) = self.samples.get_mut(sample) {
            sample.usable = false;
            self.findings.of_row(
                FindingKind::RefusedAudio,
                &sample.file,
                sample.line,
                &sample.id,
                message,
            );
        }
    }

    /// How long a recording is, or the piece of it that is meant, as its bytes tell. What its
    /// source says counts no more: where only that was odd, it is told as what it is.
    pub fn lasts(&mut self, sample: usize, seconds: f64) {
        if let Some(sample) = self.samples.get_mut(sample) {
            let told = sample.seconds.and_then(odd_length);
            let before = sample.seconds.replace(seconds).unwrap_or(seconds);
            let found = odd_length(seconds);
            if let Some(told) = &told
                && found.is_none()
            {
                let message = format!(
                    "is written to last {before:.3} s; it lasts {seconds:.3} s, which counts"
                );
                let place = (&*sample.file, sample.line);
                let kind = FindingKind::OddDuration;
                self.findings.reword(kind, place, told, &message);
            }
            if let Some(message) = found.filter(|_| told.is_none()) {
                self.findings.of_row(
                    FindingKind::OddDuration,
                    &sample.file,
                    sample.line,
                    &sample.id,
                    message,
                );
            }
        }
    }

    /// A piece that ends behind its recording: what is said then is not known.
    pub fn ends_too_late(&mut self, sample: usize, recording: f64) {
        if let Some(sample) = self.samples.get(sample)
            && let Some(end) = sample.end.filter(|end| *end > recording + LATE)
        {
            let message = format!(
                "ends at {end} s, its recording at {recording:.3} s: the text may be of more \
                 than is there"
            );
            self.findings.of_row(
                FindingKind::OddDuration,
                &sample.file,
                sample.line,
                &sample.id,
                message,
            );
        }
    }

    /// Findings that are kept.
    #[must_use]
    pub fn kept(&self) -> &[Finding] {
        self.findings.kept()
    }
}
