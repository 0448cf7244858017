//! Recordings with their text in a file of the same name beside them, or without any.

use serde_json::Value;

use super::beside::text_beside;
use crate::files;
use crate::finding::FindingKind;
use crate::json;
use crate::layout::Layout;
use crate::manifest::{Reader, Row, Said, no_columns};
use crate::paths::has_audio_extension;
use crate::problem::Problem;

/// Files that hold the text of the recording of the same name.
pub(super) const SIDE_EXTENSIONS: [&str; 8] = [
    "txt", "lab", "srt", "vtt", "json", "TextGrid", "textgrid", "eaf",
];

/// Recordings of a folder; `layout.files` are those with a text beside them.
pub(super) fn read(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    let has_tiers = |name: &String| has_tiers(name);
    let of_text = reader.options.text_column.as_deref();
    if let Some(asked) = of_text.filter(|_| !layout.files.iter().any(has_tiers)) {
        return Err(no_columns(layout, asked, "--text-column"));
    }
    if let Some(asked) = &reader.options.audio_column {
        return Err(no_columns(layout, asked, "--audio-column"));
    }
    for audio in recordings(reader) {
        let stem = audio
            .rsplit_once('.')
            .map_or(audio.as_str(), |(stem, _)| stem);
        let mut beside = SIDE_EXTENSIONS.iter().map(|end| format!("{stem}.{end}"));
        let side = beside.find(|name| layout.files.binary_search(name).is_ok());
        let mut row = Row {
            id: files::stem(&audio).to_owned(),
            file: side.clone().unwrap_or_else(|| audio.clone()),
            line: 1,
            // Its text lies in the same folder, which paths are of.
            audio: Some(format!("./{}", files::base(&audio))),
            ..Row::default()
        };
        if let Some(side) = side {
            let text = reader.text(&side)?;
            let (text, remarks) = text_beside(&text, &side, reader.options.text_column.as_deref())?;
            row.said = Said::Text(text);
            for remark in remarks {
                reader
                    .findings
                    .of_line(FindingKind::LossySource, &side, 1, remark);
            }
        }
        reader.reading.rows.push(row);
    }
    Ok(())
}

/// Whether a file is annotations, of which a tier can be chosen.
fn has_tiers(name: &str) -> bool {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    matches!(end, "eaf" | "TextGrid" | "textgrid")
}

fn recordings(reader: &Reader<'_>) -> Vec<String> {
    let names = reader.files.names().iter();
    let audio = names.filter(|name| has_audio_extension(name) && !files::is_litter(name));
    audio.cloned().collect()
}

/// Recordings without any text.
pub(super) fn audio_alone(reader: &mut Reader<'_>, layout: &Layout) {
    for audio in &layout.files {
        reader.reading.rows.push(Row {
            id: files::stem(audio).to_owned(),
            file: audio.clone(),
            line: 1,
            audio: Some(format!("./{}", files::base(audio))),
            ..Row::default()
        });
    }
}

/// `X.json` beside `X.wav`: facts of the speaker, and pieces of text in `verbatim` and
/// `normalized`.
pub(super) fn indic_voices(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    let asked = reader.options.text_column.as_deref();
    let verbatim = asked.is_some_and(|name| crate::table::key(name) == "verbatim");
    let key = if verbatim { "verbatim" } else { "normalized" };
    reader.reading.text_column = Some(key.to_owned());
    for name in &layout.files {
        let text = reader.text(name)?;
        let value = match json::value(&text) {
            Ok(value) => value,
            Err(reason) => {
                reader
                    .findings
                    .of_line(FindingKind::BadRow, name, 1, reason);
                continue;
            }
        };
        let stem = name.strip_suffix(".json").unwrap_or(name);
        let mut row = Row {
            id: files::stem(name).to_owned(),
            file: name.clone(),
            line: 1,
            audio: Some(format!("{}.wav", files::base(stem))),
            said: pieces(&value, key).map_or(Said::Absent, Said::Text),
            ..Row::default()
        };
        if let Value::Object(facts) = &value {
            for (fact, value) in facts {
                let Some(value) = json::scalar(value) else {
                    continue;
                };
                match fact.as_str() {
                    "speaker_id" => row.speaker = Some(value),
                    "lang" | "language" => row.language = Some(value),
                    "duration" => row.seconds = value.parse().ok(),
                    _ if value.chars().count() <= 1_000 => {
                        row.metadata.insert(fact.clone(), value);
                    }
                    _ => {}
                }
            }
        }
        reader.reading.rows.push(row);
    }
    Ok(())
}

/// Pieces in order of their start, a blank between them.
fn pieces(value: &Value, key: &str) -> Option<String> {
    let list = value.get(key)?;
    if let Some(text) = json::scalar(list) {
        return Some(text);
    }
    let start = |piece: &Value| piece.get("start").and_then(json::number).unwrap_or(0.0);
    let mut pieces: Vec<&Value> = list.as_array()?.iter().collect();
    pieces.sort_by(|a, b| start(a).total_cmp(&start(b)));
    let texts = pieces
        .iter()
        .filter_map(|piece| piece.get("text").and_then(json::scalar));
    let texts: Vec<String> = texts.collect();
    Some(texts.join(" "))
}
