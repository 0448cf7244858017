//! Results that services wrote, one file for one recording.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::answers::{failed, is_nothing, stopped};
use super::entry::Entry;
use crate::files::recording;
use crate::json;
use crate::problem::{Code, Problem};

/// What a result says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Heard {
    /// This, which may be nothing.
    Text(String),
    /// The service failed, and why.
    Failed(String),
}

/// Whether the fields of an object are those of a result.
pub(crate) fn is_service(keys: &[String]) -> bool {
    const FIELDS: [&str; 20] = [
        "text",
        "segments",
        "transcription",
        "results",
        "transcript",
        "Transcript",
        "candidates",
        "choices",
        "combinedRecognizedPhrases",
        "combinedPhrases",
        "DisplayText",
        // Without a text where nothing was heard.
        "RecognitionStatus",
        "transcripts",
        "audio_segments",
        "response",
        "error",
        "language_probability",
        "promptFeedback",
        "err_code",
        "totalBilledTime",
    ];
    let known = |key: &String| FIELDS.contains(&key.as_str());
    // A row of a table of ours has an id beside it; results have none of these.
    let is_row = keys
        .iter()
        .any(|key| matches!(key.as_str(), "hypothesis" | "reference" | "ground_truth"));
    let has = |key: &str| keys.iter().any(|one| one == key);
    // An operation of Google, its answer without a result, and what ElevenLabs refuses with.
    let is_bare =
        (has("name") && has("done")) || matches!(keys, [one] if BARE.contains(&one.as_str()));
    (keys.iter().any(known) || is_bare) && !is_row
}

/// Fields that an answer has for itself.
const BARE: [&str; 2] = ["detail", "metadata"];

/// Reads a result, and tells how many channels it has.
///
/// # Errors
/// It is no JSON, of no service that is known, or has not the channel.
pub(crate) fn entry(
    text: &str,
    name: &str,
    channel: usize,
    remarks: &mut Vec<String>,
) -> Result<(Entry, usize), Problem> {
    let value =
        json::value(text).map_err(|reason| Problem::new(Code::Malformed, reason).file(name))?;
    let told = answer(&value, channel).map_err(|problem| problem.file(name))?;
    let Some((mut entry, channels)) = told else {
        let message = "is the result of no service that is known";
        return Err(Problem::new(Code::UnknownFormat, message).file(name));
    };
    if value.as_object().is_some_and(Map::is_empty) {
        remarks.push(format!(
            "{name}: {{}} alone: taken as the answer of Google where nothing was heard"
        ));
    }
    if channels > 1 {
        remarks.push(format!(
            "{name}: {channels} channels; number {channel} is taken (--channel)"
        ));
    }
    (entry.id, entry.line) = (Some(recording(name).to_owned()), 1);
    Ok((entry, channels))
}

/// What an answer says, without the name of what it is of, and how many channels it has. `None`
/// where it is of no service that is known.
///
/// # Errors
/// It has not the channel.
pub(super) fn answer(value: &Value, channel: usize) -> Result<Option<(Entry, usize)>, Problem> {
    let Some((heard, channels)) = heard(value, channel) else {
        return Ok(None);
    };
    if channels > 1 && channel >= channels {
        let message = format!(
            "has {channels} channels, 0 to {}, and no channel {channel}",
            channels - 1
        );
        let problem = Problem::new(Code::ChooseColumn, message);
        return Err(problem.hint("--channel with one of these"));
    }
    let mut entry = Entry::default();
    match heard {
        Heard::Text(text) => entry.text = Some(text.trim().into()),
        Heard::Failed(reason) => entry.failed = Some(reason),
    }
    Ok(Some((entry, channels)))
}

pub(super) fn list<'a>(value: &'a Value, key: &str) -> Option<&'a [Value]> {
    value.get(key)?.as_array().map(Vec::as_slice)
}

pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

fn joined(parts: &[Value], key: &str, between: &str) -> String {
    let texts: Vec<String> = parts.iter().filter_map(|part| text(part, key)).collect();
    texts.join(between)
}

/// What a result says, and how many channels it has. `None` for what is no result.
fn heard(value: &Value, channel: usize) -> Option<(Heard, usize)> {
    if let Some(reason) = failed(value) {
        return Some((Heard::Failed(reason), 1));
    }
    if let Some(code) = stopped(value) {
        return Some((Heard::Failed(code.as_str().to_owned()), 1));
    }
    if is_nothing(value) {
        return Some((Heard::Text(String::new()), 1));
    }
    // Batches and operations have the answer under `response`, `OpenAI` and Groq in its `body`.
    let own = || by_results(value, channel).or_else(|| by_text(value));
    match value.get("response").filter(|whole| whole.is_object()) {
        Some(whole) => match (whole.get("body"), own()) {
            (Some(body), _) => match (heard(body, channel), of_status(whole)) {
                (Some((Heard::Failed(reason), _)), _) => Some((Heard::Failed(reason), 1)),
                (_, Some(refused)) => Some((refused, 1)),
                (told, None) => told.filter(|_| !is_empty(body)),
            },
            (None, Some((text, channels))) if whole.get("candidates").is_none() => {
                Some((Heard::Text(text), channels))
            }
            _ if is_empty(whole) => Some((Heard::Failed(of_batch(value)?), 1)),
            _ => heard(whole, channel),
        },
        None => own().map(|(text, channels)| (Heard::Text(text), channels)),
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

/// Why an answer over HTTP is none.
fn of_status(answer: &Value) -> Option<Heard> {
    let status = answer.get("status_code")?.as_u64()?;
    let is_refused = !(200..300).contains(&status);
    is_refused.then(|| Heard::Failed(format!("answered with status {status}")))
}

/// Why a batch of Vertex AI has no answer; one that is there has no word in its `status`.
fn of_batch(line: &Value) -> Option<String> {
    text(line, "status").filter(|status| !status.trim().is_empty())
}

fn by_results(value: &Value, channel: usize) -> Option<(String, usize)> {
    // Azure.
    if let Some(phrases) = list(value, "combinedRecognizedPhrases") {
        let chosen = phrases.get(channel).or_else(|| phrases.first());
        let display = chosen
            .and_then(|one| text(one, "display"))
            .unwrap_or_default();
        return Some((display, phrases.len()));
    }
    // Its fast transcription, and ElevenLabs where each channel is heard for itself.
    let mut channels = ["combinedPhrases", "transcripts"].into_iter();
    if let Some(phrases) = channels.find_map(|key| list(value, key)) {
        let chosen = phrases.get(channel).or_else(|| phrases.first());
        let text = chosen.and_then(|one| text(one, "text")).unwrap_or_default();
        return Some((text, phrases.len()));
    }
    // Call Analytics of Amazon: turns.
    if let Some(turns) = list(value, "Transcript") {
        return Some((joined(turns, "Content", " "), 1));
    }
    // Google.
    let results = value.get("results")?;
    if let Some(results) = results.as_array() {
        if results.iter().any(|one| one.get("type").is_some()) {
            return Some((speechmatics(results), 1));
        }
        return google(results, channel);
    }
    // Deepgram.
    if let Some(channels) = list(results, "channels") {
        let chosen = channels.get(channel).or_else(|| channels.first());
        let best = chosen.and_then(|one| list(one, "alternatives")?.first());
        let transcript = best.and_then(|one| text(one, "transcript"));
        return Some((transcript.unwrap_or_default(), channels.len()));
    }
    // Amazon Transcribe; Bedrock Data Automation has segments instead.
    if let Some(transcripts) = list(results, "transcripts") {
        return Some((joined(transcripts, "transcript", " "), 1));
    }
    None
}

/// Pieces begin with a blank where one belongs. With speakers told apart, the last
/// result says all words again, and has no text of its own that is new. Results of several
/// channels have its number each.
fn google(results: &[Value], channel: usize) -> Option<(String, usize)> {
    let first =
        |one: &Value| -> Option<String> { text(list(one, "alternatives")?.first()?, "transcript") };
    let tags = |one: &Value| -> bool {
        let words = list(one, "alternatives").and_then(|all| list(all.first()?, "words"));
        words.is_some_and(|words| words.iter().any(|word| word.get("speakerTag").is_some()))
    };
    let of_channel = |one: &Value| one.get("channelTag").and_then(Value::as_u64);
    let channels: BTreeSet<u64> = results.iter().filter_map(of_channel).collect();
    let chosen = channels.iter().nth(channel).or_else(|| channels.first());
    let is_chosen = |one: &&Value| channels.len() < 2 || of_channel(one).as_ref() == chosen;
    let mut kept: Vec<&Value> = results.iter().filter(is_chosen).collect();
    if !results.is_empty()
        && !results
            .iter()
            .any(|one| is_empty(one) || one.get("alternatives").is_some())
    {
        return None;
    }
    if kept.len() > 1
        && kept
            .last()
            .is_some_and(|last| tags(last) && first(last).unwrap_or_default().is_empty())
    {
        kept.pop();
    }
    let texts: Vec<String> = kept.into_iter().filter_map(first).collect();
    Some((texts.concat(), channels.len().max(1)))
}

fn speechmatics(results: &[Value]) -> String {
    let mut out = String::new();
    for one in results {
        let content = list(one, "alternatives").and_then(|all| text(all.first()?, "content"));
        let Some(content) = content else {
            continue;
        };
        let attached = one.get("type").and_then(Value::as_str) == Some("punctuation");
        if !out.is_empty() && !attached {
            out.push(' ');
        }
        out += &content;
    }
    out
}

fn by_text(value: &Value) -> Option<(String, usize)> {
    // whisper.cpp: blanks within its pieces are those of the text.
    if let Some(pieces) = list(value, "transcription") {
        return Some((joined(pieces, "text", ""), 1));
    }
    // Azure's answer to a short recording.
    if let Some(status) = text(value, "RecognitionStatus") {
        let is_heard = status == "Success";
        let is_silent = matches!(
            &*status,
            "NoMatch" | "InitialSilenceTimeout" | "BabbleTimeout"
        );
        let said = text(value, "DisplayText").filter(|_| is_heard);
        return Some((said.or_else(|| is_silent.then(String::new))?, 1));
    }
    // Gemini.
    if let Some(candidates) = list(value, "candidates") {
        let content = candidates.first().and_then(|one| one.get("content"));
        let parts = content.and_then(|content| list(content, "parts"));
        let is_said = |part: &&Value| part.get("thought").and_then(Value::as_bool) != Some(true);
        let said = parts.unwrap_or_default().iter().filter(is_said);
        let texts: Vec<String> = said.filter_map(|part| text(part, "text")).collect();
        return Some((texts.concat(), 1));
    }
    // `OpenAI`, asked in a conversation.
    if let Some(choices) = list(value, "choices") {
        return Some((said(choices.first()?.get("message")?, "content")?, 1));
    }
    // The same by its newer interface.
    if let Some(output) = list(value, "output") {
        let texts: Vec<String> = output
            .iter()
            .filter_map(|one| said(one, "content"))
            .collect();
        return (!texts.is_empty()).then(|| (texts.concat(), 1));
    }
    // Bedrock Data Automation has `text`, Amazon Transcribe `transcript`.
    if let Some(segments) = list(value, "audio_segments") {
        let has = |key: &&str| segments.iter().all(|one| one.get(key).is_some());
        let key = ["transcript", "text"].into_iter().find(|key| has(key))?;
        return Some((joined(segments, key, " "), 1));
    }
    for key in ["text", "transcript", "transcription"] {
        if let Some(text) = text(value, key) {
            return Some((text, 1));
        }
    }
    // WhisperX has no text of the whole.
    let segments = list(value, "segments")?;
    let texts: Vec<String> = segments
        .iter()
        .filter_map(|one| text(one, "text"))
        .map(|text| text.trim().to_owned())
        .collect();
    Some((texts.join(" "), 1))
}

/// A text, or the texts of parts.
fn said(message: &Value, key: &str) -> Option<String> {
    let parts = message.get(key)?;
    let joined = || Some(joined(parts.as_array()?, "text", ""));
    text(message, key).or_else(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_says_the_same() {
        for result in [
            r#"{"text": " नमस्ते जी", "language": "hi", "segments": [{"text": " नमस्ते जी", "avg_logprob": -0.3}]}"#,
            r#"{"segments": [{"text": " नमस्ते"}, {"text": " जी "}], "word_segments": [], "language": "hi"}"#,
            r#"{"systeminfo": "", "transcription": [{"offsets": {"from": 0}, "text": " नम"}, {"text": "स्ते जी"}]}"#,
            r#"{"text": "नमस्ते जी"}"#,
            r#"{"candidates": [{"content": {"parts": [{"text": "नमस्ते "}, {"text": "जी"}]}}]}"#,
            r#"{"candidates": [{"content": {"parts": [{"text": "I listen …", "thought": true}, {"text": "नमस्ते ", "thought": false}, {"text": "जी", "thoughtSignature": "x"}]}, "finishReason": "STOP"}]}"#,
            r#"{"durationMilliseconds": 900, "combinedPhrases": [{"channel": 0, "text": "नमस्ते जी"}], "phrases": []}"#,
            r#"{"RecognitionStatus": "Success", "Offset": 1, "Duration": 2, "DisplayText": "नमस्ते जी"}"#,
            r#"{"transcripts": [{"channel_index": 0, "language_code": "hin", "text": "नमस्ते जी", "words": []}]}"#,
            r#"{"key": "a", "response": {"candidates": [{"content": {"parts": [{"text": "नमस्ते जी"}]}}]}}"#,
            r#"{"metadata": {}, "results": {"channels": [{"alternatives": [{"transcript": "नमस्ते जी"}]}]}}"#,
            r#"{"id": "t1", "status": "completed", "audio_url": "https://x/a.wav", "text": "नमस्ते जी", "utterances": null}"#,
            r#"{"jobName": "j", "accountId": "0", "results": {"transcripts": [{"transcript": "नमस्ते जी"}], "items": []}}"#,
            r#"{"Transcript": [{"Content": "नमस्ते", "ParticipantRole": "AGENT"}, {"Content": "जी"}]}"#,
            r#"{"results": [{"alternatives": [{"transcript": "नमस्ते"}], "resultEndOffset": "1.2s"}, {"alternatives": [{"transcript": " जी"}]}, {}]}"#,
            r#"{"response": {"results": [{"alternatives": [{"transcript": "नमस्ते जी"}]}]}}"#,
            r#"{"source": "", "combinedRecognizedPhrases": [{"channel": 0, "lexical": "x", "display": "नमस्ते जी"}], "recognizedPhrases": []}"#,
            r#"{"transcript": "नमस्ते जी", "language_code": "hi-IN", "request_id": "r"}"#,
            r#"{"metadata": {}, "audio_segments": [{"segment_index": 0, "text": "नमस्ते"}, {"text": "जी"}]}"#,
            r#"{"audio_segments": [{"transcript": "नमस्ते"}, {"transcript": "जी"}]}"#,
        ] {
            let value = json::value(result).unwrap();
            let (entry, _) = entry(result, "a.json", 0, &mut Vec::new()).unwrap();
            assert_eq!(entry.text.as_deref(), Some("नमस्ते जी"), "{result}");
            assert!(heard(&value, 0).is_some());
        }
    }

    #[test]
    fn failures_channels_and_silence_are_told_apart() {
        let failed = r#"{"status": "error", "audio_url": "x", "error": "no audio"}"#;
        let entry_of = |text: &str, channel, remarks: &mut Vec<String>| {
            entry(text, "a.json", channel, remarks).unwrap().0
        };
        let failed = entry_of(failed, 0, &mut Vec::new());
        assert_eq!(
            (failed.text, failed.failed.as_deref()),
            (None, Some("no audio"))
        );
        for (gone, reason) in [
            (
                r#"{"id": "x", "status": "completed", "text": "Deleted by user."}"#,
                "deleted",
            ),
            (
                r#"{"jobName": "x", "status": "FAILED", "results": {"transcripts": [], "items": []}}"#,
                "FAILED",
            ),
        ] {
            let gone = entry_of(gone, 0, &mut Vec::new());
            assert_eq!((gone.text, gone.failed.as_deref()), (None, Some(reason)));
        }
        let two = r#"{"results": {"channels": [{"alternatives": [{"transcript": ""}]}, {"alternatives": [{"transcript": "b"}]}]}}"#;
        let mut remarks = Vec::new();
        assert_eq!(entry_of(two, 0, &mut remarks).text.as_deref(), Some(""));
        assert_eq!(entry_of(two, 1, &mut remarks).text.as_deref(), Some("b"));
        assert_eq!(remarks.len(), 2);
        let google = r#"{"results": [{"alternatives": [{"transcript": "a"}], "channelTag": 1}, {"alternatives": [{"transcript": "b"}], "channelTag": 2}, {"alternatives": [{"transcript": " c"}], "channelTag": 1}]}"#;
        assert_eq!(
            entry_of(google, 0, &mut remarks).text.as_deref(),
            Some("a c")
        );
        assert_eq!(entry_of(google, 1, &mut remarks).text.as_deref(), Some("b"));
        for text in [two, google] {
            let told = entry(text, "a.json", 2, &mut remarks).unwrap_err();
            assert_eq!(
                told.to_string(),
                "a.json: has 2 channels, 0 to 1, and no channel 2"
            );
        }
        assert_eq!(remarks.len(), 4);
        // A shape that is not known is told, and never nothing that was said.
        for unknown in [
            r#"{"results": [{"sentence": "a"}]}"#,
            r#"{"audio_segments": [{"words": "a"}]}"#,
        ] {
            assert!(
                entry(unknown, "a.json", 0, &mut remarks).is_err(),
                "{unknown}"
            );
        }
        assert!(entry("{\"a\": 1}", "a.json", 0, &mut remarks).is_err());
    }
}
