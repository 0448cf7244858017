//! Data folders of Kaldi and `ESPnet`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::text_if_there;
use crate::decode::lines;
use crate::files::{base, beside};
use crate::finding::{FindingKind, Findings};
use crate::layout::{Layout, WAV_SCP};
use crate::manifest::lines::first_word;
use crate::manifest::{Command, Reader, Row, Said};
use crate::paths::{has_audio_extension, word_of_command};
use crate::problem::{Code, Problem};

/// A file of keys and values, with the line of each.
type Table = BTreeMap<String, (u64, String)>;

/// Reads a file. Of lines with one id the first counts, as in tables; the others are told, and
/// what says something else is no warning: which of them is meant is not known.
fn table(text: &str, name: &str, findings: &mut Findings) -> Table {
    let mut made = Table::new();
    for (line, content) in lines(text) {
        let Some((id, value)) = first_word(content) else {
            continue;
        };
        let Some((first, before)) = made.get(id) else {
            made.insert(id.to_owned(), (line, value.to_owned()));
            continue;
        };
        let message = format!("line {first} has the same id");
        findings.of_row(FindingKind::DuplicateId, name, line, id, message);
        if before.trim() != value.trim() {
            let message = format!("says something else of {id} than line {first}, which counts");
            findings.of_row(FindingKind::BadRow, name, line, id, message);
        }
    }
    made
}

/// One that may be missing beside a list.
fn optional(reader: &mut Reader<'_>, scp: &str, name: &str) -> Result<Table, Problem> {
    let name = company(reader, scp, name);
    let text = text_if_there(reader, &name)?.unwrap_or_default();
    Ok(table(&text, &name, reader.findings))
}

/// Where an utterance lies.
struct Place {
    recording: String,
    start: Option<f64>,
    end: Option<f64>,
    line: u64,
}

pub(super) fn read(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    for scp in &layout.files {
        folder(reader, scp)?;
    }
    Ok(())
}

/// The name of a file beside a list: with what stands before `wav.scp` in the list's name, where
/// there is such a one.
fn company(reader: &Reader<'_>, scp: &str, name: &str) -> String {
    let before = base(scp).strip_suffix(WAV_SCP).unwrap_or_default();
    let own = beside(scp, &format!("{before}{name}"));
    match reader.has(&own) {
        true => own,
        false => beside(scp, name),
    }
}

fn folder(reader: &mut Reader<'_>, scp: &str) -> Result<(), Problem> {
    let text = reader.text(scp)?;
    let recordings = table(&text, scp, reader.findings);
    let texts = optional(reader, scp, "text")?;
    let speakers = optional(reader, scp, "utt2spk")?;
    let languages = optional(reader, scp, "utt2lang")?;
    let genders = optional(reader, scp, "spk2gender")?;
    let lengths = optional(reader, scp, "reco2dur")?;
    let segments = optional(reader, scp, "segments")?;
    let by_segments = !segments.is_empty();
    let text_name = company(reader, scp, "text");
    let place_name = if by_segments {
        company(reader, scp, "segments")
    } else {
        scp.to_owned()
    };
    let order = order(reader, &segments, &recordings, &place_name);
    if !texts.is_empty() && !order.iter().any(|(id, _)| texts.contains_key(id)) {
        let first = |table: &Table| table.keys().next().cloned().unwrap_or_default();
        let other = order.first().map(|(id, _)| id.clone()).unwrap_or_default();
        let message = format!(
            "{text_name} and {place_name} share no ids ({text_name}: {} …; {place_name}: {other} …)",
            first(&texts),
        );
        return Err(Problem::new(Code::Mismatch, message));
    }
    let (of_texts, of_places): (Arc<str>, Arc<str>) =
        (text_name.as_str().into(), place_name.as_str().into());
    let mut known = std::collections::BTreeSet::new();
    for (id, place) in order {
        let said = texts.get(&id);
        let speaker = speakers.get(&id).map(|(_, speaker)| speaker.clone());
        let mut row = Row {
            file: if said.is_some() {
                Arc::clone(&of_texts)
            } else {
                Arc::clone(&of_places)
            },
            line: said.map_or(place.line, |(line, _)| *line),
            said: said.map_or(Said::Absent, |(_, text)| Said::Text(text.clone())),
            language: languages.get(&id).map(|(_, language)| language.clone()),
            start: place.start,
            end: place.end,
            ..Row::default()
        };
        if let Some((_, gender)) = speaker.as_ref().and_then(|speaker| genders.get(speaker)) {
            row.metadata.insert("gender", gender);
        }
        row.speaker = speaker;
        if by_segments {
            row.seconds = place.end.zip(place.start).map(|(end, start)| end - start);
        } else if let Some((_, length)) = lengths.get(&place.recording) {
            row.seconds = length.parse().ok();
        }
        match recordings.get(&place.recording) {
            Some((line, source)) => audio(&mut row, source, scp, *line),
            None => row.audio = Some(place.recording.clone()),
        }
        known.insert(id.clone());
        row.id = id;
        reader.reading.rows.push(row);
    }
    for (id, (line, text)) in texts.iter().filter(|(id, _)| !known.contains(*id)) {
        reader.reading.rows.push(Row {
            id: id.clone(),
            file: Arc::clone(&of_texts),
            line: *line,
            said: Said::Text(text.clone()),
            ..Row::default()
        });
    }
    Ok(())
}

/// Utterances in the order of their file.
fn order(
    reader: &mut Reader<'_>,
    segments: &Table,
    recordings: &Table,
    name: &str,
) -> Vec<(String, Place)> {
    let mut order: Vec<(String, Place)> = Vec::new();
    for (id, (line, value)) in segments {
        let mut parts = value.split_whitespace();
        let recording = parts.next().unwrap_or_default().to_owned();
        let mut time = || parts.next().and_then(|text| text.parse::<f64>().ok());
        let (start, end) = (time(), time());
        if start.is_none() || end.is_none() {
            let message = "is not <utterance> <recording> <start> <end>";
            reader
                .findings
                .of_row(FindingKind::BadRow, name, *line, id, message);
            continue;
        }
        let place = Place {
            recording,
            start,
            // -1 stands for the end of the recording.
            end: end.filter(|end| *end >= 0.0),
            line: *line,
        };
        order.push((id.clone(), place));
    }
    if segments.is_empty() {
        let all = recordings.iter().map(|(id, (line, _))| {
            let place = Place {
                recording: id.clone(),
                start: None,
                end: None,
                line: *line,
            };
            (id.clone(), place)
        });
        order.extend(all);
    }
    order.sort_by_key(|(_, place)| place.line);
    order
}

/// What a line of `wav.scp` has behind its id.
fn audio(row: &mut Row, source: &str, scp: &str, line: u64) {
    let source = source.trim();
    if source.ends_with('|') {
        row.command = Some(Box::new(Command {
            text: source.to_owned(),
            file: scp.to_owned(),
            line,
        }));
        row.audio = word_of_command(source).map(str::to_owned);
        if row.audio.is_none() {
            row.refused = Some("a command that reads no file".into());
        }
        return;
    }
    row.audio = Some(source.to_owned());
    row.refused_at = Some(Box::new((scp.to_owned(), line)));
    let archive = source.rsplit_once(':').is_some_and(|(path, offset)| {
        path.ends_with(".ark") && offset.bytes().all(|b| b.is_ascii_digit())
    });
    if archive {
        row.refused = Some("an archive of Kaldi; write the recordings as files".into());
    }
    let several = source
        .split_whitespace()
        .filter(|word| has_audio_extension(word));
    if several.count() > 1 {
        row.refused = Some("several files, one for each microphone; keep one".into());
    }
}
