//! Exports of Label Studio: tasks, the small JSON, and the tables.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cells::table_of;
use super::reader::Reader;
use super::regions::joined;
use super::row::{Options, Row, Said};
use super::table;
use crate::finding::FindingKind;
use crate::json;
use crate::layout::Layout;
use crate::paths::has_audio_extension;
use crate::problem::Problem;
use crate::table::{Role, role_of};
use crate::transcripts::no_column;

pub(super) fn read(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    for name in &layout.files {
        let text = crate::files::text(reader.files, name)?.text;
        let is_json = text.trim_start().starts_with(['[', '{']);
        let mut seen = Seen::default();
        if is_json {
            json::each(&text, name, &mut |_, row| {
                row.as_ref().map_or(Ok(()), |object| {
                    seen.see(object, reader.options);
                    Ok(())
                })
            })?;
        }
        if !seen.has_tasks {
            let cells = table_of(reader, name)?;
            table::rows(reader, layout, name, &cells)?;
            continue;
        }
        // Counts it among the files that were read.
        reader.text(name)?;
        seen.has_what_is_asked(name, reader.options)?;
        // Once more, for there may be much more in a task than is taken of it.
        json::each(&text, name, &mut |line, row| {
            match row {
                Ok(object) => {
                    let row = task(reader, name, line, &object);
                    reader.reading.rows.push(row);
                }
                Err(reason) => {
                    let kind = FindingKind::BadRow;
                    reader.findings.of_line(kind, name, line, reason);
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// What there is in all tasks.
#[derive(Default)]
struct Seen {
    has_tasks: bool,
    /// Fields of data, and those of texts, where one is asked for.
    data: BTreeSet<String>,
    texts: BTreeSet<String>,
}

impl Seen {
    fn see(&mut self, task: &Value, options: &Options) {
        let data = task.get("data").and_then(Value::as_object);
        self.has_tasks |= data.is_some();
        if options.audio_column.is_some() {
            let keys = data.into_iter().flat_map(|data| data.keys());
            self.data.extend(keys.cloned());
        }
        if options.text_column.is_some() {
            let lists = ["annotations", "completions", "predictions"];
            let lists = lists.iter().filter_map(|key| task.get(key)?.as_array());
            let results = lists
                .flatten()
                .filter_map(|one| one.get("result")?.as_array());
            let texts = results.flatten().filter(is_text);
            self.texts.extend(texts.filter_map(field));
        }
    }

    /// Refuses a field that is asked for and is in no task: of texts, or of recordings.
    fn has_what_is_asked(self, name: &str, options: &Options) -> Result<(), Problem> {
        let asked = [
            (&options.audio_column, self.data, "--audio-column"),
            (&options.text_column, self.texts, "--text-column"),
        ];
        for (asked, there, option) in asked {
            if let Some(asked) = asked
                && !there.contains(asked)
            {
                let there: Vec<String> = there.into_iter().collect();
                return Err(no_column(asked, name, &there, option));
            }
        }
        Ok(())
    }
}

/// Whether a region is one of text.
fn is_text(region: &&Value) -> bool {
    region.get("type").and_then(Value::as_str) == Some("textarea")
}

/// The field that a region is of.
fn field(region: &Value) -> Option<String> {
    let name = region.get("from_name")?.as_str()?;
    Some(name.to_owned())
}

/// The id of a task; one that was never imported has that of its data.
fn id(task: &Value) -> Option<String> {
    let own = task.get("id").and_then(json::scalar);
    own.or_else(|| task.get("data")?.get("id").and_then(json::scalar))
}

fn task(reader: &Reader<'_>, name: &str, line: u64, object: &Value) -> Row {
    let mut row = Row {
        id: id(object).unwrap_or_default(),
        file: name.into(),
        line,
        ..Row::default()
    };
    if let Some(Value::Object(data)) = object.get("data") {
        let asked = reader.options.audio_column.as_ref();
        let named = data.iter().find(|(key, _)| match asked {
            Some(asked) => *key == asked,
            None => role_of(key) == Role::Audio,
        });
        let by_end = || {
            data.iter().find(|(_, value)| {
                value
                    .as_str()
                    .is_some_and(|text| has_audio_extension(path(text)))
            })
        };
        let audio = named.or_else(by_end);
        row.audio = audio.and_then(|(_, value)| json::scalar(value));
        for (key, value) in data
            .iter()
            .filter(|(key, _)| Some(*key) != audio.map(|(key, _)| key))
        {
            let Some(value) = json::scalar(value) else {
                continue;
            };
            match role_of(key) {
                Role::Language => row.language = Some(value),
                Role::Speaker => row.speaker = Some(value),
                Role::Duration => row.seconds = value.parse().ok(),
                _ if value.chars().count() <= 1_000 => {
                    row.metadata.insert(key, &value);
                }
                _ => {}
            }
        }
    }
    let wanted = reader.options.text_column.as_deref();
    if let Some(annotation) = annotation(object) {
        row.said = regions(annotation, wanted).map_or(Said::Absent, Said::Text);
    }
    let predictions = object.get("predictions").and_then(Value::as_array);
    for prediction in predictions.map(Vec::as_slice).unwrap_or_default() {
        let model = prediction.get("model_version").and_then(json::scalar);
        if let Some(text) = regions(prediction, wanted) {
            let model = model.unwrap_or_else(|| "prediction".to_owned());
            row.hypotheses.insert(&model, &text);
        }
    }
    row
}

/// A path or address without its query.
fn path(text: &str) -> &str {
    text.split('?').next().unwrap_or(text)
}

/// The annotation that counts: the one that was chosen as the truth, else the newest
/// that was not cancelled. Old files call them completions.
fn annotation(task: &Value) -> Option<&Value> {
    let list = task.get("annotations").or_else(|| task.get("completions"));
    let list = list?.as_array()?;
    let is = |one: &Value, key: &str| one.get(key).and_then(Value::as_bool) == Some(true);
    if let Some(truth) = list.iter().find(|one| is(one, "ground_truth")) {
        return Some(truth);
    }
    let kept = list.iter().filter(|one| !is(one, "was_cancelled"));
    kept.max_by_key(|one| one.get("created_at").and_then(Value::as_str))
}

/// The texts of regions by their start. Of several fields of text the first counts, or
/// the one that is asked for.
fn regions(annotation: &Value, wanted: Option<&str>) -> Option<String> {
    let list = annotation.get("result")?.as_array()?;
    let texts: Vec<&Value> = list.iter().filter(is_text).collect();
    let wanted = match wanted {
        Some(wanted) => Some(wanted.to_owned()),
        None => texts.first().and_then(|one| field(one)),
    };
    let of_field = texts.into_iter().filter(|one| field(one) == wanted);
    let values: Vec<&Value> = of_field.filter_map(|one| one.get("value")).collect();
    (!values.is_empty()).then(|| joined(values))
}
