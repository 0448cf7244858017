//! Answers of services without a result: they failed, are not done, were blocked, or say that
//! nothing was heard.

use serde_json::{Map, Value};
use stt_eval_domain::failure::{FailureCode, gemini};

use super::services::{list, text};
use crate::json;

/// States of a job that has no result yet, in the words of several services.
const WAITING: [&str; 9] = [
    "queued",
    "processing",
    "in_progress",
    "inprogress",
    "running",
    "pending",
    "submitted",
    "notstarted",
    "not_started",
];

/// Why a service has no result.
pub(super) fn failed(value: &Value) -> Option<String> {
    let status = value.get("status").and_then(Value::as_str);
    let said = value.get("text").and_then(Value::as_str);
    let status_is =
        |all: &[&str]| status.filter(|own| all.iter().any(|one| own.eq_ignore_ascii_case(one)));
    // AssemblyAI's words in the place of a text that it has no more; Amazon's of a job.
    if said == Some("Deleted by user.") && status.is_some() {
        return Some("deleted".to_owned());
    }
    let ended = status_is(&["error", "failed"]);
    if ended.is_some() || is_error(value) {
        let reason = value.get("error").map_or_else(String::new, |error| {
            text(error, "message")
                .or_else(|| json::scalar(error))
                .unwrap_or_default()
        });
        return Some(match (reason.is_empty(), status) {
            (true, Some(status)) => status.to_owned(),
            _ => reason,
        });
    }
    if said.is_none_or(str::is_empty)
        && let Some(status) = status_is(&WAITING)
    {
        return Some(format!("not done: {status}"));
    }
    // An operation of Google.
    let is_open = value.get("done").and_then(Value::as_bool) == Some(false);
    if is_open && value.get("name").is_some() && value.get("response").is_none() {
        return Some("not done: the operation was still running".to_owned());
    }
    // Deepgram, and ElevenLabs.
    let code = text(value, "err_code");
    if let Some(message) = text(value, "err_msg").or_else(|| code.clone()) {
        return Some(match code {
            Some(code) if code != message => format!("{code}: {message}"),
            _ => message,
        });
    }
    let is_alone = value.as_object().is_some_and(|all| all.len() == 1);
    let detail = value.get("detail").filter(|_| is_alone)?;
    text(detail, "message").or_else(|| json::scalar(detail))
}

/// An error and nothing else.
fn is_error(value: &Value) -> bool {
    let error = value.get("error").is_some_and(|error| !error.is_null());
    let is_nothing = |said: &Value| said.is_null() || said.as_str().is_some_and(str::is_empty);
    error && value.get("text").is_none_or(is_nothing) && value.get("results").is_none()
}

/// Why an answer is none, as it is in a run: it was blocked, or did not end by itself.
pub(super) fn stopped(value: &Value) -> Option<FailureCode> {
    // `OpenAI`: <https://platform.openai.com/docs/api-reference/chat/object>
    if let Some(choice) = list(value, "choices").and_then(<[Value]>::first) {
        return match choice.get("finish_reason")?.as_str()? {
            "length" => Some(FailureCode::MaxTokens),
            "content_filter" => Some(FailureCode::BlockedOther),
            _ => None,
        };
    }
    let candidate = list(value, "candidates").and_then(<[Value]>::first);
    let Some(candidate) = candidate else {
        let reason = value.pointer("/promptFeedback/blockReason")?.as_str()?;
        return Some(gemini::of_block(reason));
    };
    gemini::of_finish(candidate.get("finishReason")?.as_str()?)
}

/// Whether a service answers that nothing was heard by leaving all results out: Google does so,
/// also in an operation that is done; `AssemblyAI` has no text then.
pub(super) fn is_nothing(value: &Value) -> bool {
    const ABOUT: [&str; 6] = [
        "@type",
        "metadata",
        "requestId",
        "speechAdaptationInfo",
        "totalBilledTime",
        "usingLegacyModels",
    ];
    let is_about = |answer: &Value| {
        let fields = answer.as_object();
        fields.is_some_and(|all| all.keys().all(|key| ABOUT.contains(&key.as_str())))
    };
    let is_google = value.as_object().is_some_and(Map::is_empty)
        || value.get("totalBilledTime").is_some()
        || value.pointer("/metadata/totalBilledDuration").is_some();
    let is_done = value.get("done").and_then(Value::as_bool) == Some(true);
    let is_completed = value.get("status").and_then(Value::as_str) == Some("completed")
        && value.get("audio_url").is_some()
        && value.get("text").is_some_and(Value::is_null);
    (is_google && is_about(value))
        || (is_done && value.get("response").is_some_and(is_about))
        || is_completed
}

#[cfg(test)]
mod tests {
    use super::super::services::{entry, is_service};
    use super::*;

    #[test]
    fn answers_without_a_result_are_a_failure_or_say_that_nothing_was_heard() {
        for (answer, reason) in [
            (
                r#"{"id": "t", "status": "queued", "audio_url": "x", "text": null}"#,
                "not done: queued",
            ),
            (
                r#"{"jobName": "j", "status": "IN_PROGRESS", "results": {}}"#,
                "not done: IN_PROGRESS",
            ),
            (
                r#"{"name": "1", "metadata": {"progressPercent": 3}, "done": false}"#,
                "not done: the operation was still running",
            ),
            (
                r#"{"name": "1", "done": true, "error": {"code": 3, "message": "bad"}}"#,
                "bad",
            ),
            (
                r#"{"err_code": "E", "err_msg": "no credit", "request_id": "r"}"#,
                "E: no credit",
            ),
            (
                r#"{"detail": {"status": "quota_exceeded", "message": "no credit"}}"#,
                "no credit",
            ),
            (
                r#"{"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {}}"#,
                "blocked_safety",
            ),
            (
                r#"{"candidates": [], "promptFeedback": {"blockReason": "X"}}"#,
                "blocked_other",
            ),
            (
                r#"{"key": "a", "response": {"promptFeedback": {"blockReason": "JAILBREAK"}}}"#,
                "blocked_jailbreak",
            ),
            (
                r#"{"candidates": [{"finishReason": "RECITATION"}]}"#,
                "blocked_recitation",
            ),
            (
                r#"{"candidates": [{"content": {"parts": [{"text": "half"}]}, "finishReason": "MAX_TOKENS"}]}"#,
                "max_tokens",
            ),
        ] {
            let keys: Vec<String> = json::value(answer)
                .unwrap()
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect();
            assert!(is_service(&keys), "{answer}");
            let (entry, _) = entry(answer, "a.json", 0, &mut Vec::new()).unwrap();
            assert_eq!(
                (entry.text, entry.failed.as_deref()),
                (None, Some(reason)),
                "{answer}"
            );
        }
        for answer in [
            "{}",
            r#"{"results": []}"#,
            r#"{"totalBilledTime": "0s", "requestId": "1"}"#,
            r#"{"metadata": {"totalBilledDuration": "1s"}}"#,
            r#"{"name": "1", "done": true, "response": {"@type": "x", "totalBilledTime": "0s"}}"#,
            r#"{"id": "t", "status": "completed", "audio_url": "x", "text": null}"#,
            r#"{"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}]}, "finishReason": "STOP"}]}"#,
        ] {
            let mut remarks = Vec::new();
            let (entry, _) = entry(answer, "a.json", 0, &mut remarks).unwrap();
            assert_eq!(
                (entry.text.as_deref(), entry.failed),
                (Some(""), None),
                "{answer}"
            );
            assert_eq!(remarks.len(), usize::from(answer == "{}"));
        }
        for unknown in [
            r#"{"metadata": {"a": 1}}"#,
            r#"{"name": "1", "done": true, "response": {"x": 1}}"#,
        ] {
            assert!(
                entry(unknown, "a.json", 0, &mut Vec::new()).is_err(),
                "{unknown}"
            );
        }
    }
}
