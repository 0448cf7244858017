//! Answers of services as JSON lines, as batches come back and as scripts write them.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

#[path = "support/paired.rs"]
mod paired;

use paired::{rows, scored, scored_as, told};
use stt_eval_formats::Format;

const RIGHT: &[(&str, &str)] = &[("r.csv", "id,reference\na,hello world\nb,how are you\n")];

/// What was heard of both samples.
fn heard(lines: &str) -> Vec<String> {
    heard_in("h.jsonl", lines)
}

fn heard_in(file: &str, lines: &str) -> Vec<String> {
    let made = scored(RIGHT, &[(file, lines)]).unwrap_or_else(|problem| panic!("{problem}"));
    assert_eq!(made.hypotheses, Format::Service, "{lines}");
    assert_eq!(made.systems, ["h"]);
    rows(&made, 0)
        .into_iter()
        .map(|[_, _, heard]| heard)
        .collect()
}

/// The second is first, so that order tells nothing.
#[test]
fn batches_are_joined_by_what_was_given_to_them() {
    let gemini = r#"{"key": "b", "response": {"candidates": [{"content": {"parts": [{"text": "how are"}]}, "finishReason": "STOP"}], "usageMetadata": {}}}
{"key": "a", "response": {"candidates": [{"content": {"parts": [{"text": "hello world\n"}]}, "finishReason": "STOP"}]}}
"#;
    let inlined = r#"[{"metadata": {"key": "b"}, "response": {"candidates": [{"content": {"parts": [{"text": "how are"}]}}]}},
 {"metadata": {"key": "a"}, "response": {"candidates": [{"content": {"parts": [{"text": "hello world"}]}}]}}]"#;
    let vertex = r#"{"status": "", "processed_time": "2026-11-20T10:00:00Z", "request": {"contents": [{"role": "user", "parts": [{"text": "Transcribe."}, {"fileData": {"fileUri": "gs://bucket/set/b.wav", "mimeType": "audio/wav"}}]}]}, "response": {"candidates": [{"content": {"parts": [{"text": "how are"}]}, "finishReason": "STOP"}]}}
{"status": "", "request": {"contents": [{"parts": [{"file_data": {"file_uri": "gs://bucket/set/a.wav"}}]}]}, "response": {"candidates": [{"content": {"parts": [{"text": "hello world"}]}, "finishReason": "STOP"}]}}
"#;
    let groq = r#"{"id": "batch_req_1", "custom_id": "b", "response": {"status_code": 200, "request_id": "r", "body": {"task": "transcribe", "text": " how are", "segments": []}}, "error": null}
{"id": "batch_req_2", "custom_id": "a.wav", "response": {"status_code": 200, "request_id": "r", "body": {"text": " hello world"}}, "error": null}
"#;
    let chat = r#"{"id": "batch_req_1", "custom_id": "b", "response": {"status_code": 200, "body": {"object": "chat.completion", "choices": [{"index": 0, "message": {"role": "assistant", "content": "how are"}, "finish_reason": "stop"}]}}, "error": null}
{"id": "batch_req_2", "custom_id": "a", "response": {"status_code": 200, "body": {"choices": [{"message": {"content": [{"type": "text", "text": "hello world"}]}}]}}, "error": null}
"#;
    let responses = r#"{"id": "1", "custom_id": "b", "response": {"status_code": 200, "body": {"object": "response", "output": [{"type": "reasoning", "summary": []}, {"type": "message", "content": [{"type": "output_text", "text": "how are"}]}]}}, "error": null}
{"id": "2", "custom_id": "a", "response": {"status_code": 200, "body": {"output": [{"type": "message", "content": [{"type": "output_text", "text": "hello world"}]}]}}, "error": null}
"#;
    for lines in [gemini, inlined, vertex, groq, chat, responses] {
        assert_eq!(heard(lines), ["hello world", "how are"], "{lines}");
    }
    assert_eq!(heard_in("h.json", gemini), ["hello world", "how are"]);
}

#[test]
fn answers_of_scripts_are_joined_by_their_files() {
    for lines in [
        r#"{"file": "clips/b.wav", "response": {"metadata": {}, "results": {"channels": [{"alternatives": [{"transcript": "how are"}]}]}}}
{"file": "clips/a.wav", "response": {"metadata": {}, "results": {"channels": [{"alternatives": [{"transcript": "hello world"}]}]}}}
"#,
        r#"{"id": "b", "metadata": {}, "results": {"channels": [{"alternatives": [{"transcript": "how are"}]}]}}
{"id": "a", "metadata": {}, "results": {"channels": [{"alternatives": [{"transcript": "hello world"}]}]}}
"#,
        r#"{"audio_filepath": "b.wav", "response": {"text": " how are", "segments": [{"text": " how are", "avg_logprob": -0.1}]}}
{"audio_filepath": "a.wav", "response": {"text": " hello world", "segments": [{"text": " hello world", "avg_logprob": -0.1}]}}
"#,
        r#"{"file_name": "b.wav", "segments": [{"text": " how"}, {"text": " are"}], "word_segments": []}
{"file_name": "a.wav", "segments": [{"text": " hello world"}], "word_segments": []}
"#,
        r#"{"jobName": "b", "accountId": "0", "results": {"transcripts": [{"transcript": "how are"}], "items": []}}
{"jobName": "a", "accountId": "0", "results": {"transcripts": [{"transcript": "hello world"}], "items": []}}
"#,
        r#"{"source": "https://x/b.wav?sig=1", "combinedRecognizedPhrases": [{"channel": 0, "display": "how are"}]}
{"source": "https://x/a.wav?sig=1", "combinedRecognizedPhrases": [{"channel": 0, "display": "hello world"}]}
"#,
    ] {
        assert_eq!(heard(lines), ["hello world", "how are"], "{lines}");
    }
}

#[test]
fn answers_without_a_name_are_taken_in_their_order_and_that_is_told() {
    let lines = r#"{"metadata": {"request_id": "1"}, "results": {"channels": [{"alternatives": [{"transcript": "hello world"}]}]}}

{"metadata": {"request_id": "2"}, "results": {"channels": [{"alternatives": [{"transcript": "how are"}]}]}}
"#;
    let made = scored(RIGHT, &[("h.jsonl", lines)]).unwrap();
    assert_eq!(rows(&made, 0)[1][2], "how are");
    let remark = "r.csv has ids (a …), and h.jsonl has none: they are paired line by line, in the order \
                  that they have";
    assert_eq!(made.remarks, [remark]);
    let google = r#"{"results": [{"alternatives": [{"transcript": "hello"}]}, {"alternatives": [{"transcript": " world"}]}], "totalBilledTime": "2s"}
{"results": []}
"#;
    assert_eq!(heard(google), ["hello world", ""]);
}

#[test]
fn what_services_failed_at_is_no_text() {
    for (line, wanted) in [
        (
            r#"{"id": "1", "custom_id": "b", "response": null, "error": {"code": "batch_expired", "message": "not done in time"}}"#,
            "failed: not done in time",
        ),
        (
            r#"{"id": "1", "custom_id": "b", "response": {"status_code": 400, "body": {"error": {"message": "bad audio"}}}, "error": null}"#,
            "failed: bad audio",
        ),
        (
            r#"{"id": "1", "custom_id": "b", "response": {"status_code": 500, "body": {}}, "error": null}"#,
            "failed: answered with status 500",
        ),
        (
            r#"{"key": "b", "error": {"code": 8, "message": "quota"}}"#,
            "failed: quota",
        ),
        (
            r#"{"key": "b", "status": "Bad Request: no such file", "response": {}}"#,
            "failed: Bad Request: no such file",
        ),
        // The model's own failures count as nothing heard.
        (
            r#"{"key": "b", "response": {"candidates": [{"content": {"parts": [{"text": "how"}]}, "finishReason": "MAX_TOKENS"}]}}"#,
            "-",
        ),
        (
            r#"{"custom_id": "b", "response": {"status_code": 200, "body": {"choices": [{"message": {"content": "how"}, "finish_reason": "length"}]}}}"#,
            "-",
        ),
    ] {
        let first = r#"{"key": "a", "response": {"candidates": [{"content": {"parts": [{"text": "hello"}]}}]}}"#;
        assert_eq!(
            heard(&format!("{first}\n{line}\n")),
            ["hello", wanted],
            "{line}"
        );
        assert_eq!(
            heard(&format!("{line}\n{first}\n")),
            ["hello", wanted],
            "{line}"
        );
    }
}

#[test]
fn lines_that_are_none_or_have_no_name_are_told_with_their_line() {
    let answer = |key: &str, text: &str| {
        format!(
            "{{{key}\"response\": {{\"candidates\": [{{\"content\": {{\"parts\": [{{\"text\": \"{text}\"}}]}}}}]}}}}\n"
        )
    };
    let a = answer("\"key\": \"a\", ", "hello");
    for (lines, wanted) in [
        (
            format!("{a}\n{{\"key\": \"b\", \"response\": {{\"x\": 1}}}}\n"),
            "h.jsonl line 3: is the answer of no service that is known",
        ),
        (
            format!("{a}{}", answer("", "how")),
            "h.jsonl line 2: has no name of what was asked, as those before it have",
        ),
        (
            format!("{}{a}", answer("", "how")),
            "h.jsonl line 2: has a name of what was asked, and those before it have none",
        ),
        (
            format!("{a}{{\"key\": \"b\", \n"),
            "h.jsonl line 2: is not JSON (EOF while parsing a value, column 13)",
        ),
    ] {
        let problem = scored(RIGHT, &[("h.jsonl", &lines)]).unwrap_err();
        assert_eq!(told(&problem), wanted);
    }
}

#[test]
fn channels_are_chosen_and_told_once() {
    let line = |id: &str, text: &str| {
        format!(
            "{{\"id\": \"{id}\", \"results\": {{\"channels\": [{{\"alternatives\": [{{\"transcript\": \"{text}\"}}]}}, {{\"alternatives\": [{{\"transcript\": \"x\"}}]}}]}}}}\n"
        )
    };
    let lines = line("b", "how are") + &line("a", "hello world");
    let made = scored(RIGHT, &[("h.jsonl", &lines)]).unwrap();
    assert_eq!(
        made.remarks,
        ["h.jsonl: 2 lines have several channels; number 0 is taken (--channel)"]
    );
}

/// One that is asked for as a result, and rows of tables, stay what they are.
#[test]
fn only_answers_are_read_as_such() {
    let gemini = r#"{"key": "a", "response": {"candidates": [{"content": {"parts": [{"text": "hello world"}]}}]}}
{"key": "b", "response": {"candidates": [{"content": {"parts": [{"text": "how are"}]}}]}}
"#;
    let made = scored_as(RIGHT, &[("h.jsonl", gemini)], Some(Format::Service));
    // References are no results.
    assert!(made.is_err());
    let rows_of_tables = r#"{"id": "b", "text": "how are", "segments": [{"text": "how are"}], "language": "en"}
{"id": "a", "text": "hello world", "segments": [], "language": "en"}
"#;
    let made = scored(RIGHT, &[("h.jsonl", rows_of_tables)]).unwrap();
    assert_eq!(made.hypotheses, Format::Jsonl);
    assert_eq!(rows(&made, 0)[1][2], "how are");
    let plain = "{\"id\": \"b\", \"response\": \"how are\"}\n{\"id\": \"a\", \"response\": \"hello world\"}\n";
    let made = scored(RIGHT, &[("h.jsonl", plain)]).unwrap();
    assert_eq!(
        (made.hypotheses, rows(&made, 0)[1][2].as_str()),
        (Format::Jsonl, "how are")
    );
}
