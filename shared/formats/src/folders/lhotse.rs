//! Manifests of lhotse: recordings with supervisions, or cuts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::files::{Files, base, beside};
use crate::finding::FindingKind;
use crate::json;
use crate::layout::Layout;
use crate::manifest::{Command, Reader, Row, Said};
use crate::paths::word_of_command;
use crate::problem::{Code, Problem, counted};

/// A recording: its path or command.
#[derive(Debug, Clone, Default)]
struct Recording {
    path: Option<String>,
    command: Option<Box<Command>>,
    refused: Option<Box<str>>,
    seconds: Option<f64>,
}

fn text(object: &Value, key: &str) -> Option<String> {
    object.get(key).and_then(json::scalar)
}

fn seconds(object: &Value, key: &str) -> Option<f64> {
    object.get(key).and_then(json::number)
}

/// Why a cut has no recording of its own, if it is made up.
fn made_of_others(cut: &Value) -> Option<String> {
    let tracks = cut.get("tracks").and_then(Value::as_array);
    match cut.get("type")?.as_str()? {
        "MixedCut" => {
            let of = tracks.map_or_else(String::new, |tracks| {
                format!(" of {}", counted(tracks.len(), "track", "tracks"))
            });
            Some(format!(
                "is a MixedCut, a mixture{of} of which there is no file: save its sound \
                 (cut.save_audio) and list that"
            ))
        }
        "PaddingCut" => {
            let message = "is a PaddingCut, silence that has no file and no text: leave it out";
            Some(message.to_owned())
        }
        _ => None,
    }
}

/// Refuses a list of lhotse Shar, whose recordings have no names.
fn in_archives(files: &dyn Files, object: &Value, name: &str, line: u64) -> Result<(), Problem> {
    let of = object.get("recording").unwrap_or(object);
    let source = of.get("sources").and_then(|sources| sources.get(0));
    if source.and_then(|one| text(one, "type")).as_deref() != Some("shar") {
        return Ok(());
    }
    let mut archives = files.names().iter().filter(|name| name.ends_with(".tar"));
    let shown = archives
        .next()
        .map_or_else(String::new, |first| format!(" ({first} …)"));
    let message = format!("is of lhotse Shar: its recordings are inside of TAR archives{shown}");
    let problem = Problem::new(Code::Unsupported, message)
        .file(name)
        .line(line);
    Err(problem.hint(
        "write them as files: CutSet.from_shar(…).save_audios(FOLDER).to_file(\"cuts.jsonl\")",
    ))
}

/// Recordings and supervisions come together.
fn with_company(files: &dyn Files, name: &str) -> Vec<String> {
    let mut all = vec![name.to_owned()];
    let own = base(name);
    for (one, other) in [
        ("supervisions", "recordings"),
        ("recordings", "supervisions"),
    ] {
        if own.contains(one) {
            let company = beside(name, &own.replace(one, other));
            if files.names().contains(&company) {
                all.push(company);
            }
        }
    }
    all
}

/// Takes out times of words and what was computed of the sound: there may be much of it.
fn without_alignments(object: &mut Value) {
    let supervisions = object.get_mut("supervisions").and_then(Value::as_array_mut);
    let inner = supervisions.into_iter().flatten();
    for fields in inner.filter_map(Value::as_object_mut) {
        fields.remove("alignment");
    }
    if let Some(fields) = object.as_object_mut() {
        fields.remove("alignment");
        fields.remove("features");
    }
}

pub(super) fn read(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    let mut recordings = BTreeMap::new();
    let mut supervisions = Vec::new();
    let mut cuts = Vec::new();
    let files = match layout.files.as_slice() {
        [name] => with_company(reader.files, name),
        several => several.to_vec(),
    };
    for name in &files {
        let decoded = reader.text(name)?;
        let mut kept = json::Kept::default();
        json::each(&decoded, name, &mut |line, row| {
            let mut object = match row {
                Ok(object) => object,
                Err(reason) => {
                    let kind = FindingKind::BadRow;
                    reader.findings.of_line(kind, name, line, reason);
                    return Ok(());
                }
            };
            without_alignments(&mut object);
            kept.count(&object, name)?;
            in_archives(reader.files, &object, name, line)?;
            if object.get("sources").is_some() {
                let id = text(&object, "id").unwrap_or_default();
                recordings.insert(id, recording(&object, name, line));
            } else if object.get("supervisions").is_some()
                || object.get("recording").is_some()
                || made_of_others(&object).is_some()
            {
                cuts.push((name, line, object));
            } else if object.get("recording_id").is_some() {
                supervisions.push((name, line, object));
            } else {
                let message = "is neither a recording, nor a supervision, nor a cut";
                reader
                    .findings
                    .of_line(FindingKind::BadRow, name, line, message);
            }
            Ok(())
        })?;
    }
    if cuts.is_empty() && supervisions.is_empty() && recordings.is_empty() {
        return Err(Problem::new(
            Code::Nothing,
            "the manifests of lhotse are empty",
        ));
    }
    for (name, line, cut) in &cuts {
        let row = of_cut(reader, name, *line, cut, &recordings);
        reader.reading.rows.extend(row);
    }
    if !cuts.is_empty() {
        return Ok(());
    }
    for (name, line, supervision) in &supervisions {
        let mut row = of_supervision(supervision);
        row.file = name.as_str().into();
        row.line = *line;
        let id = text(supervision, "recording_id").unwrap_or_default();
        // `channel` is a list where several were recorded.
        let of = recordings.get(&id);
        let whole = row.start.is_some_and(|start| start.abs() < 1e-9)
            && of
                .and_then(|of| of.seconds)
                .zip(row.seconds)
                .is_some_and(|(all, own)| (all - own).abs() < 0.01);
        if whole {
            (row.start, row.end) = (None, None);
        }
        place(&mut row, of, id);
        reader.reading.rows.push(row);
    }
    if supervisions.is_empty() {
        let first = layout.files.first().map_or("", String::as_str);
        let first: Arc<str> = first.into();
        let only = recordings.into_iter().zip(1..).map(|((id, of), line)| {
            let mut row = Row {
                id: id.clone(),
                file: Arc::clone(&first),
                line,
                seconds: of.seconds,
                ..Row::default()
            };
            place(&mut row, Some(&of), id);
            row
        });
        reader.reading.rows.extend(only);
    }
    Ok(())
}

fn place(row: &mut Row, recording: Option<&Recording>, id: String) {
    match recording {
        Some(of) => {
            row.audio.clone_from(&of.path);
            row.command.clone_from(&of.command);
            row.refused.clone_from(&of.refused);
        }
        None => row.audio = Some(id),
    }
}

fn recording(object: &Value, file: &str, line: u64) -> Recording {
    let mut made = Recording {
        seconds: seconds(object, "duration"),
        ..Recording::default()
    };
    let sources = object.get("sources").and_then(Value::as_array);
    let sources = sources.map(Vec::as_slice).unwrap_or_default();
    let Some(source) = sources.first() else {
        made.refused = Some("a recording without a source".into());
        return made;
    };
    if sources.len() > 1 {
        made.refused = Some("one file for each channel".into());
    }
    let path = text(source, "source").unwrap_or_default();
    match source.get("type").and_then(Value::as_str) {
        Some("command") => {
            made.command = Some(Box::new(Command {
                text: path.clone(),
                file: file.to_owned(),
                line,
            }));
            made.path = word_of_command(&path).map(str::to_owned);
            if made.path.is_none() {
                made.refused = Some("a command that reads no file".into());
            }
        }
        Some("memory") => made.refused = Some("inside the manifest; write it as a file".into()),
        _ => made.path = Some(path),
    }
    made
}

fn of_supervision(object: &Value) -> Row {
    let mut row = Row {
        id: text(object, "id").unwrap_or_default(),
        said: text(object, "text").map_or(Said::Absent, Said::Text),
        language: text(object, "language"),
        speaker: text(object, "speaker"),
        start: seconds(object, "start"),
        seconds: seconds(object, "duration"),
        ..Row::default()
    };
    row.end = row
        .start
        .zip(row.seconds)
        .map(|(start, length)| start + length);
    if let Some(gender) = text(object, "gender") {
        row.metadata.insert("gender", &gender);
    }
    if let Some(Value::Object(custom)) = object.get("custom") {
        for (key, value) in custom {
            if let Some(value) = json::scalar(value) {
                row.metadata.insert(key, &value);
            }
        }
    }
    row
}

/// The text of a cut is that of its supervisions, in order of their start.
fn of_cut(
    reader: &mut Reader<'_>,
    name: &str,
    line: u64,
    cut: &Value,
    recordings: &BTreeMap<String, Recording>,
) -> Option<Row> {
    let id = text(cut, "id").unwrap_or_default();
    if let Some(message) = made_of_others(cut) {
        let message = format!("{id} {message}");
        let kind = FindingKind::BadRow;
        reader.findings.of_line(kind, name, line, message);
        return None;
    }
    let parts = cut.get("supervisions").and_then(Value::as_array);
    let mut parts: Vec<Row> = parts
        .map(|all| all.iter().map(of_supervision).collect())
        .unwrap_or_default();
    parts.sort_by(|a, b| a.start.unwrap_or(0.0).total_cmp(&b.start.unwrap_or(0.0)));
    let texts: Vec<&str> = parts.iter().filter_map(|part| part.said.text()).collect();
    let said = if texts.is_empty() {
        Said::Absent
    } else {
        Said::Text(texts.join(" "))
    };
    let inner = cut.get("recording").filter(|one| one.is_object());
    let own = inner.map(|one| recording(one, name, line));
    let recording_id = inner
        .and_then(|one| text(one, "id"))
        .or_else(|| text(cut, "recording_id"))
        .or_else(|| {
            cut.get("supervisions")?
                .get(0)
                .and_then(|one| text(one, "recording_id"))
        })
        .unwrap_or_default();
    let of = own.as_ref().or_else(|| recordings.get(&recording_id));
    let (start, length) = (seconds(cut, "start"), seconds(cut, "duration"));
    let first = parts.first();
    let mut row = Row {
        id,
        file: name.into(),
        line,
        said,
        language: first.and_then(|part| part.language.clone()),
        speaker: first.and_then(|part| part.speaker.clone()),
        seconds: length,
        ..Row::default()
    };
    let all = of.and_then(|of| of.seconds);
    let whole = start.unwrap_or(0.0).abs() < 1e-9
        && all
            .zip(length)
            .is_none_or(|(all, own)| (all - own).abs() < 0.01);
    if !whole {
        row.start = start;
        row.end = start.zip(length).map(|(start, length)| start + length);
    }
    place(&mut row, of, recording_id);
    Some(row)
}
