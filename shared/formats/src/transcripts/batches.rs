//! Answers of services as JSON lines, one whole answer to a line: what batches of Gemini, Vertex AI,
//! `OpenAI` and Groq come back as, and what scripts write that ask for one recording after the
//! other. An answer is bare, or stands under `response` beside the name that was given to what was
//! asked.
//!
//! Gemini: `{"key", "response"}` (<https://ai.google.dev/gemini-api/docs/batch-api>); Vertex AI:
//! `{"status", "request", "response"}`, in which the request names the file
//! (<https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/batch-prediction-gemini>);
//! `OpenAI` and Groq: `{"custom_id", "response": {"status_code", "body"}, "error"}`
//! (<https://platform.openai.com/docs/guides/batch>, <https://console.groq.com/docs/batch>).

use serde_json::Value;

use super::entry::{Entry, Place, Transcripts};
use super::services::{self, list};
use crate::detect::{first_keys, head};
use crate::files::{self, Files};
use crate::format::Format;
use crate::json;
use crate::paths::{has_audio_extension, stem_as_written};
use crate::problem::{Code, Problem, counted};
use crate::table::{Role, role_of};

/// Names that people give to what they ask for, the surest first: an `id` beside them is one of the
/// service.
const NAMES: [&str; 3] = ["custom_id", "key", "/metadata/key"];

/// Whether fields of a line are those of an answer, and of no row of a table: one with a text of
/// its own is read as such.
fn may_be(keys: &[String]) -> bool {
    let has = |key: &str| keys.iter().any(|one| one == key);
    let is_text = |key: &String| matches!(role_of(key), Role::Text | Role::Hypothesis);
    // AssemblyAI has its text at the top, and beside it whether there is one.
    let is_job = has("audio_url") && has("status") && has("text");
    let is_answer = services::is_service(keys) || has("custom_id");
    is_job || (is_answer && !has("hypotheses") && !keys.iter().any(is_text))
}

/// Reads a file of such lines; tells whether it is one.
///
/// # Errors
/// A line is the answer of no service that is known, or has no name where others have one.
pub(super) fn read(
    files: &dyn Files,
    name: &str,
    channel: usize,
    made: &mut Transcripts,
) -> Result<bool, Problem> {
    if !head(files, name).is_some_and(|text| may_be(&first_keys(&text))) {
        return Ok(false);
    }
    let decoded = files::text(files, name)?;
    let mut entries: Vec<Entry> = Vec::new();
    let mut is_first_unknown = false;
    let mut several = 0;
    let found = json::each(&decoded.text, name, &mut |line, row| {
        let wrong = |code, message: String| Problem::new(code, message).file(name).line(line);
        let value = row.map_err(|reason| wrong(Code::Malformed, reason))?;
        let told = services::answer(&value, channel);
        let told = told.map_err(|problem| problem.file(name).line(line))?;
        let Some((mut entry, channels)) = told else {
            is_first_unknown = entries.is_empty();
            let message = "is the answer of no service that is known";
            return Err(wrong(Code::UnknownFormat, message.to_owned()));
        };
        several += usize::from(channels > 1);
        entry.line = line;
        named(&mut entry, &value);
        if let Some(first) = entries.first()
            && first.id.is_some() != entry.id.is_some()
        {
            let message = match entry.id {
                None => "has no name of what was asked, as those before it have",
                Some(_) => "has a name of what was asked, and those before it have none",
            };
            return Err(wrong(Code::Malformed, message.to_owned()));
        }
        entries.push(entry);
        Ok(())
    });
    match found {
        // Another list with some of these fields.
        Err(_) if is_first_unknown => return Ok(false),
        found => found?,
    }
    made.remarks.extend(decoded.remark(name));
    if several > 0 {
        let lines = counted(several, "line has", "lines have");
        made.remarks.push(format!(
            "{name}: {lines} several channels; number {channel} is taken (--channel)"
        ));
        made.has_channels = true;
    }
    made.format = Format::Service;
    made.entries.extend(entries);
    Ok(true)
}

/// What an answer is of: the name that was given to it, or its file.
fn named(entry: &mut Entry, value: &Value) {
    let text = |key: &str| match key.starts_with('/') {
        true => value.pointer(key).and_then(json::scalar),
        false => value.get(key).and_then(json::scalar),
    };
    let given = NAMES.iter().find_map(|key| text(key));
    let of_role = |role: Role| {
        let mut fields = value.as_object()?.iter();
        fields.find_map(|(key, value)| (role_of(key) == role).then(|| json::scalar(value))?)
    };
    let path = of_role(Role::Audio).or_else(|| of_request(value));
    let path = path.or_else(|| text("source").and_then(|source| of_address(&source)));
    let stem = |path: &String| stem_as_written(path).to_owned();
    let (own, path) = match given {
        Some(given) if has_audio_extension(&given) => (Some(stem(&given)), Some(given)),
        Some(given) => (Some(given), path),
        // The job of Amazon is called by who began it.
        None => (of_role(Role::Id).or_else(|| text("jobName")), path),
    };
    entry.id = own.or_else(|| path.as_ref().map(stem));
    entry.place = Place::new(path.as_deref(), entry.id.as_deref(), None);
}

/// The file at an address, as Azure tells what it has heard, without the key that opens it.
fn of_address(address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next()?;
    has_audio_extension(path).then(|| path.to_owned())
}

/// The file that a request to Gemini names, which Vertex AI gives back with its answer.
fn of_request(value: &Value) -> Option<String> {
    let contents = list(value.get("request")?, "contents")?;
    let parts = contents
        .iter()
        .filter_map(|one| list(one, "parts"))
        .flatten();
    let mut files = parts.filter_map(|part| {
        let file = part.get("fileData").or_else(|| part.get("file_data"))?;
        let uri = file.get("fileUri").or_else(|| file.get("file_uri"))?;
        json::scalar(uri)
    });
    files.find(|uri| has_audio_extension(uri))
}
