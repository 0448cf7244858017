//! Lists without a header: `LibriSpeech`, MLS, Kathbath, Vistaar, `LJSpeech`, FLEURS.

use std::sync::Arc;

use super::reader::Reader;
use super::row::{Row, Said};
use crate::decode::lines;
use crate::files;
use crate::finding::FindingKind;
use crate::format::Format;
use crate::layout::{Layout, split_of};
use crate::problem::{Problem, counted};

/// A first word and what follows it; `None` for a blank line.
pub(crate) fn first_word(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.is_empty() {
        return None;
    }
    let (word, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    Some((word, rest.trim_start()))
}

/// Ids (or names of files) and texts: with a TAB between them, or a blank.
pub(super) fn ids_and_texts(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    for name in &layout.files {
        let text = reader.text(name)?;
        let file: Arc<str> = name.as_str().into();
        for (line, content) in lines(&text) {
            let tabbed = content.split_once('\t');
            let Some((id, text)) = tabbed.or_else(|| first_word(content)) else {
                continue;
            };
            let id = id.trim();
            if id.is_empty() {
                let message = "has no id before its text";
                reader
                    .findings
                    .of_line(FindingKind::BadRow, name, line, message);
                continue;
            }
            let audio = match layout.format {
                Format::LibriSpeech => files::beside(name, &format!("{id}.flac")),
                _ => id.to_owned(),
            };
            let mut row = Row {
                id: files::stem(id).to_owned(),
                file: Arc::clone(&file),
                line,
                audio: Some(audio),
                written: Some(id.to_owned()),
                said: Said::Text(text.trim().to_owned()),
                ..Row::default()
            };
            if layout.format == Format::LibriSpeech || layout.format == Format::Mls {
                row.id = id.to_owned();
                row.speaker = id.split(['-', '_']).next().map(str::to_owned);
            } else {
                name_of_kathbath(&mut row);
            }
            reader.reading.rows.push(row);
        }
    }
    Ok(())
}

/// Kathbath has speaker and gender in its names: `844424931537866-594-f`.
fn name_of_kathbath(row: &mut Row) {
    let parts: Vec<&str> = row.id.split('-').collect();
    let [number, speaker, gender @ ("m" | "f")] = parts.as_slice() else {
        return;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits(number) && digits(speaker) {
        row.speaker = Some((*speaker).to_owned());
        row.metadata.insert("gender", gender);
    }
}

/// `id|raw|normalised`: the third where it is there.
pub(super) fn lj_speech(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    let asked = reader.options.text_column.as_deref();
    let takes_raw = asked.is_some_and(|name| crate::table::key(name) == "raw");
    for name in &layout.files {
        let text = reader.text(name)?;
        let file: Arc<str> = name.as_str().into();
        for (line, content) in lines(&text).filter(|(_, line)| !line.trim().is_empty()) {
            let cells: Vec<&str> = content.split('|').collect();
            let (id, raw, normalised) = match cells.as_slice() {
                [id, raw] => (id, raw, raw),
                [id, raw, ""] => (id, raw, raw),
                [id, raw, normalised] => (id, raw, normalised),
                _ => {
                    let message = format!(
                        "{}, not two or three",
                        counted(cells.len(), "column", "columns")
                    );
                    reader
                        .findings
                        .of_line(FindingKind::BadRow, name, line, message);
                    continue;
                }
            };
            let mut row = Row {
                id: (*id).to_owned(),
                file: Arc::clone(&file),
                line,
                audio: Some(format!("wavs/{id}.wav")),
                written: Some((*id).to_owned()),
                said: Said::of_cell(if takes_raw { raw } else { normalised }),
                ..Row::default()
            };
            if !takes_raw && raw != normalised && raw.chars().count() <= 1_000 {
                row.metadata.insert("raw", raw);
            }
            reader.reading.rows.push(row);
        }
    }
    Ok(())
}

/// Samples a second of FLEURS.
const SAMPLE_RATE: f64 = 16_000.0;

/// Sentence, file, raw transcription, transcription, characters, samples, gender.
pub(super) fn fleurs(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    let normalised = reader
        .options
        .text_column
        .as_deref()
        .is_some_and(|name| crate::table::key(name) == "transcription");
    let column = if normalised {
        "transcription"
    } else {
        "raw_transcription"
    };
    reader.reading.text_column = Some(column.to_owned());
    for name in &layout.files {
        let text = reader.text(name)?;
        let file: Arc<str> = name.as_str().into();
        let split = split_of(name).unwrap_or_default();
        for (line, content) in lines(&text).filter(|(_, line)| !line.trim().is_empty()) {
            let cells: Vec<&str> = content.split('\t').collect();
            let [sentence, recording, raw, plain, _, samples, gender] = cells.as_slice() else {
                let message = format!(
                    "{}, FLEURS has 7",
                    counted(cells.len(), "column", "columns")
                );
                reader
                    .findings
                    .of_line(FindingKind::BadRow, name, line, message);
                continue;
            };
            let mut row = Row {
                id: files::stem(recording).to_owned(),
                file: Arc::clone(&file),
                line,
                audio: Some(if split.is_empty() {
                    (*recording).to_owned()
                } else {
                    format!("{split}/{recording}")
                }),
                written: Some((*recording).to_owned()),
                said: Said::of_cell(if normalised { plain } else { raw }),
                seconds: samples.trim().parse::<f64>().ok().map(|n| n / SAMPLE_RATE),
                ..Row::default()
            };
            let facts = [("sentence_id", *sentence), ("gender", *gender)];
            for (key, value) in facts {
                row.metadata.insert(key, value.trim());
            }
            reader.reading.rows.push(row);
        }
    }
    Ok(())
}
