//! Pieces of recordings with times, joined to one text for each recording.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::entry::{Entry, Side, Transcripts};
use super::words;
use crate::format::Format;
use crate::json;
use crate::markup::Markup;
use crate::problem::{Code, Problem, counted};

/// A piece of a recording.
pub(super) struct Segment {
    pub(super) recording: String,
    pub(super) speaker: Option<String>,
    /// Where the format has channels.
    pub(super) channel: Option<Box<str>>,
    /// Seconds.
    pub(super) start: f64,
    pub(super) line: u64,
    pub(super) text: String,
}

/// Whether a format has segments, or words, of many recordings.
pub(super) const fn are_in(format: Format) -> bool {
    matches!(format, Format::Stm | Format::Ctm | Format::SegLst)
}

/// What braces mean in texts of a format, if it says so.
pub(super) fn markup(format: Format, side: Side) -> Option<Markup> {
    (format == Format::Stm && side == Side::References).then_some(Markup::Braces)
}

/// The segments of a file of such a format.
pub(super) fn of(
    format: Format,
    text: &str,
    name: &str,
    side: Side,
    remarks: &mut Vec<String>,
) -> Result<Vec<Segment>, Problem> {
    match format {
        Format::Stm => words::stm(text, name, side, remarks),
        Format::Ctm => words::ctm(text, name),
        _ => seg_lst(text, name),
    }
}

/// Joins segments by recording, in order of time; recordings stay in the order in which
/// they come first.
pub(super) fn joined(segments: Vec<Segment>, markup: Option<Markup>, made: &mut Transcripts) {
    let mut order: Vec<String> = Vec::new();
    let mut by_recording: HashMap<String, Vec<Segment>> = HashMap::new();
    for segment in segments {
        let of = by_recording.entry(segment.recording.clone());
        of.or_insert_with(|| {
            order.push(segment.recording.clone());
            Vec::new()
        })
        .push(segment);
    }
    let mut shared = 0;
    for recording in order {
        let mut of = by_recording.remove(&recording).unwrap_or_default();
        let line = of.first().map_or(1, |segment| segment.line);
        of.sort_by(|a, b| a.start.total_cmp(&b.start));
        let speakers: BTreeSet<&str> = of.iter().filter_map(|one| one.speaker.as_deref()).collect();
        shared += usize::from(speakers.len() > 1);
        let only = match speakers.first() {
            Some(one) if speakers.len() == 1 => Some((*one).to_owned()),
            _ => None,
        };
        let mut entry = Entry::of(recording, line, texts(&of));
        let channels: BTreeSet<&str> = of.iter().filter_map(|one| one.channel.as_deref()).collect();
        if channels.len() > 1 {
            of.sort_by(|a, b| a.channel.cmp(&b.channel));
            entry.by_channel = Some(texts(&of));
        }
        entry.speaker = only;
        entry.markup = markup;
        made.entries.push(entry);
    }
    if shared > 0 {
        let remark = format!(
            "{} several speakers: joined by time to one text each",
            counted(shared, "recording has", "recordings have")
        );
        made.remarks.push(remark);
    }
}

/// What segments say, one after the other.
fn texts(segments: &[Segment]) -> String {
    let texts = segments.iter().map(|segment| segment.text.as_str());
    let filled: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
    filled.join(" ")
}

/// Where both sides tell channels, texts of recordings that have several are one channel after
/// the other: turns that overlap come in another order by their words' times than by their own.
pub(crate) fn by_channels(
    right: &mut Transcripts,
    heard: &mut [(Transcripts, &str)],
) -> Option<String> {
    let have = |source: &Transcripts| matches!(source.format, Format::Stm | Format::Ctm);
    let mut sources = heard.iter().map(|(source, _)| source);
    if heard.is_empty() || !have(right) || !sources.all(have) {
        return None;
    }
    let mut several = 0;
    let others = heard.iter_mut().map(|(source, _)| source);
    for (at, source) in std::iter::once(right).chain(others).enumerate() {
        for entry in &mut source.entries {
            if let Some(text) = entry.by_channel.take() {
                entry.text = Some(text.into());
                several += usize::from(at == 0);
            }
        }
    }
    (several > 0).then(|| {
        format!(
            "{} several channels: one channel after the other",
            counted(several, "recording has", "recordings have")
        )
    })
}

/// A list of segments in JSON; times may be texts.
fn seg_lst(text: &str, name: &str) -> Result<Vec<Segment>, Problem> {
    let mut segments = Vec::new();
    json::each(text, name, &mut |line, row| {
        let refused = |reason: &str| Problem::new(Code::Malformed, reason).file(name).line(line);
        let object = row.map_err(|reason| refused(&reason))?;
        let text = |key: &str| object.get(key).and_then(json::scalar);
        let (Some(recording), Some(words)) = (text("session_id"), text("words")) else {
            return Err(refused("a segment needs session_id and words"));
        };
        let start = object.get("start_time").and_then(json::number);
        segments.push(Segment {
            recording,
            speaker: object
                .get("speaker")
                .and_then(Value::as_str)
                .map(str::to_owned),
            start: start.unwrap_or(0.0),
            line,
            text: words.trim().to_owned(),
            channel: None,
        });
        Ok(())
    })?;
    Ok(segments)
}
