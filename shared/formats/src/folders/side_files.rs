//! Recordings with their text in a file of the same name beside them, or without any.

use serde_json::Value;

use super::alone;
use super::beside::{say_the_same, text_beside};
use crate::files;
use crate::finding::FindingKind;
use crate::json;
use crate::layout::Layout;
use crate::manifest::{Reader, Row, Said, no_columns};
use crate::paths::has_audio_extension;
use crate::problem::{Code, Problem, counted};

/// Files that hold the text of the recording of the same name.
pub(super) const SIDE_EXTENSIONS: [&str; 8] = [
    "txt", "lab", "srt", "vtt", "json", "TextGrid", "textgrid", "eaf",
];

/// Recordings of a folder; `layout.files` are those with a text beside them.
pub(super) fn read(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    let has_tiers = |name: &String| has_tiers(name);
    let asked = reader.options.text_column.clone();
    // Where recordings have several, it chooses one kind.
    let of_kind = asked.as_deref().filter(|kind| {
        let mut names = reader.files.names().iter();
        SIDE_EXTENSIONS.contains(kind) && names.any(|name| has_end(name, kind))
    });
    let tier = asked.as_deref().filter(|_| of_kind.is_none());
    if let Some(asked) = tier.filter(|_| !layout.files.iter().any(has_tiers)) {
        return Err(no_columns(layout, asked, "--text-column"));
    }
    if let Some(asked) = &reader.options.audio_column {
        return Err(no_columns(layout, asked, "--audio-column"));
    }
    let mut apart = Apart::default();
    for audio in recordings(reader) {
        let stem = audio
            .rsplit_once('.')
            .map_or(audio.as_str(), |(stem, _)| stem);
        let beside = SIDE_EXTENSIONS.iter().map(|end| format!("{stem}.{end}"));
        let mut all: Vec<String> = beside.filter(|name| reader.has(name)).collect();
        // Those of another split are none of this one.
        if !all
            .iter()
            .any(|name| layout.files.binary_search(name).is_ok())
        {
            all.clear();
        }
        all.retain(|name| of_kind.is_none_or(|kind| has_end(name, kind)));
        let mut all = all.into_iter();
        let side = all.next();
        let mut row = Row {
            id: files::stem(&audio).to_owned(),
            file: side.as_ref().unwrap_or(&audio).as_str().into(),
            line: 1,
            // Its text lies in the same folder, which paths are of.
            audio: Some(format!("./{}", files::base(&audio))),
            ..Row::default()
        };
        if let Some(side) = side {
            let text = reader.text(&side)?;
            let found = text_beside(&text, &side, tier)?;
            match found.text {
                Ok(text) => {
                    apart.compare(reader, (&side, &text), all, tier);
                    row.said = Said::Text(text);
                }
                Err(reason) => row.broken = Some(format!("its service failed: {reason}")),
            }
            for remark in found.remarks {
                reader
                    .findings
                    .of_line(FindingKind::LossySource, &side, 1, remark);
            }
        }
        reader.reading.rows.push(row);
    }
    alone::add(reader, layout, (of_kind, tier));
    apart.refuse()
}

/// Files beside one recording that say different things: the first two, and how many recordings
/// have such.
#[derive(Default)]
struct Apart {
    first: Option<(String, String)>,
    count: usize,
}

impl Apart {
    /// Looks into the other files of a recording. What is no text, such as JSON with facts, says
    /// nothing else.
    fn compare(
        &mut self,
        reader: &Reader<'_>,
        (side, text): (&str, &str),
        mut others: impl Iterator<Item = String>,
        tier: Option<&str>,
    ) {
        let says_else = |other: &String| {
            let read = files::text(reader.files, other);
            let found = read.and_then(|read| text_beside(&read.text, other, tier));
            let own = found.ok().and_then(|found| found.text.ok());
            own.is_some_and(|own| !say_the_same(text, &own))
        };
        if let Some(other) = others.find(says_else) {
            self.count += 1;
            self.first.get_or_insert_with(|| (side.to_owned(), other));
        }
    }

    /// Which of them is meant has to be chosen.
    fn refuse(self) -> Result<(), Problem> {
        let Some((one, other)) = self.first else {
            return Ok(());
        };
        let more = match self.count - 1 {
            0 => String::new(),
            more => format!(
                ", and so for {}",
                counted(more, "other recording", "other recordings")
            ),
        };
        let message = format!("{one} and {other} beside one recording do not say the same{more}");
        let ends = [&one, &other].map(|name| name.rsplit_once('.').map_or("", |(_, end)| end));
        Err(Problem::new(Code::Ambiguous, message).hint(format!(
            "choose: --text-column {} or --text-column {}",
            ends[0], ends[1]
        )))
    }
}

fn has_end(name: &str, kind: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| end == kind)
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
            file: audio.as_str().into(),
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
            file: name.as_str().into(),
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
                        row.metadata.insert(fact, &value);
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
