//! Pieces of recordings with times, joined to one text for each recording.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::entry::{Entry, Side, Transcripts};
use super::words;
use crate::format::Format;
use crate::json;
use crate::markup::Markup;
use crate::problem::{Code, Problem, counted};
use crate::text::{Text, Whole};

/// A piece of a recording.
pub(super) struct Segment {
    pub(super) recording: Text,
    pub(super) speaker: Option<Text>,
    /// Where the format has channels.
    pub(super) channel: Option<Text>,
    /// Seconds.
    pub(super) start: f64,
    pub(super) line: u64,
    pub(super) text: Text,
    /// Place of its recording among the others, once that is known.
    pub(super) place: u32,
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
    text: &Arc<Whole>,
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
pub(super) fn joined(mut segments: Vec<Segment>, markup: Option<Markup>, made: &mut Transcripts) {
    let mut order: HashMap<&str, u32> = HashMap::new();
    let places = segments.iter().map(|segment| {
        let next = u32::try_from(order.len()).unwrap_or(u32::MAX);
        *order.entry(&segment.recording).or_insert(next)
    });
    let places: Vec<u32> = places.collect();
    for (segment, place) in segments.iter_mut().zip(places) {
        segment.place = place;
    }
    segments.sort_by_key(|segment| segment.place);
    let mut shared = 0;
    for of in segments.chunk_by_mut(|a, b| a.place == b.place) {
        let line = of.first().map_or(1, |segment| segment.line);
        of.sort_by(|a, b| a.start.total_cmp(&b.start));
        let speakers: BTreeSet<&str> = of.iter().filter_map(|one| one.speaker.as_deref()).collect();
        shared += usize::from(speakers.len() > 1);
        let only = match speakers.first() {
            Some(one) if speakers.len() == 1 => Some((*one).to_owned()),
            _ => None,
        };
        let recording = of.first().map_or("", |segment| &segment.recording);
        let mut entry = Entry::of(recording, line, texts(of));
        let channels: BTreeSet<&str> = of.iter().filter_map(|one| one.channel.as_deref()).collect();
        if channels.len() > 1 {
            of.sort_by(|a, b| a.channel.as_deref().cmp(&b.channel.as_deref()));
            entry.by_channel = Some(texts(of).into_boxed_str());
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
                entry.text = Some(text.into_string().into());
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
            recording: recording.into(),
            speaker: object
                .get("speaker")
                .and_then(Value::as_str)
                .map(Text::from),
            start: start.unwrap_or(0.0),
            line,
            text: words.trim().into(),
            channel: None,
            place: 0,
        });
        Ok(())
    })?;
    Ok(segments)
}
