//! Reading answers, long after they came.

use serde::Deserialize;
use serde_json::Value;

use super::super::answer;
use super::super::lines::{ItemOutcome, Measured, OutputLine, ReadsLines};
use super::super::spoken::{self, Spoken, number};
use super::client::Client;
use crate::domain::failure::FailureCode;
use crate::domain::usage::Usage;

/// An answer, as far as any server has it. Numbers may come as texts (vLLM's
/// `duration`), and what is of no use here is left out.
#[derive(Debug, Deserialize)]
struct Answer {
    text: Option<String>,
    /// Some gateways answer 200 with an error inside.
    #[serde(default)]
    error: Option<Value>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    usage: Option<Value>,
    #[serde(default)]
    duration: Option<Value>,
    #[serde(default)]
    segments: Option<Value>,
    #[serde(default)]
    words: Option<Value>,
}

impl Answer {
    /// Words where they are told, and else segments.
    fn spoken(&self) -> impl Iterator<Item = Spoken<'_>> {
        let words = self.words.as_ref().and_then(Value::as_array);
        let has_words = words.is_some_and(|words| !words.is_empty());
        let (list, name) = match has_words {
            true => (&self.words, "word"),
            false => (&self.segments, "text"),
        };
        spoken::listed(list.as_ref(), move |entry| {
            Some(Spoken {
                text: entry.get(name)?.as_str()?,
                start: entry.get("start")?,
            })
        })
    }
}

impl ReadsLines for Client {
    fn measured(&self, line: &[u8]) -> Measured {
        answer::measured(line)
    }

    fn read_line(&self, line: &[u8]) -> OutputLine {
        answer::read(line, outcome)
    }
}

fn outcome(answer: Option<Answer>) -> ItemOutcome {
    let Some(answer) = answer else {
        return ItemOutcome::failed(FailureCode::ProviderMalformed, Usage::default(), None);
    };
    let usage = used(&answer);
    // One line a segment at whisper.cpp.
    let text = answer.text.as_deref();
    let text = text.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    match text {
        _ if answer.error.as_ref().is_some_and(|error| !error.is_null()) => {
            ItemOutcome::failed(FailureCode::ErrorInAnswer, usage, answer.model)
        }
        Some(text) => ItemOutcome::Transcribed {
            word_times: spoken::times(&text, answer.spoken()),
            text,
            model_version: answer.model,
            usage,
        },
        None => ItemOutcome::failed(FailureCode::ProviderMalformed, usage, answer.model),
    }
}

/// What an answer says of what it took: by tokens or by time, in the words of
/// `OpenAI` or of Mistral.
fn used(answer: &Answer) -> Usage {
    let usage = answer.usage.as_ref();
    let field = |name: &str| number(usage.and_then(|usage| usage.get(name)));
    let details = usage.and_then(|usage| usage.get("input_token_details"));
    let detail = |name: &str| number(details.and_then(|details| details.get(name)));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates"
    )]
    let tokens = |count: Option<f64>| count.unwrap_or_default() as u64;
    let ends = answer.segments.as_ref().and_then(Value::as_array);
    let last = ends.and_then(|segments| number(segments.last()?.get("end")));
    Usage {
        audio_input_tokens: tokens(detail("audio_tokens").or(field("input_tokens"))),
        text_input_tokens: tokens(detail("text_tokens")),
        output_tokens: tokens(field("output_tokens").or(field("completion_tokens"))),
        audio_seconds: field("seconds")
            .or(field("prompt_audio_seconds"))
            .or(number(answer.duration.as_ref())),
        heard_until_seconds: last,
        ..Usage::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &str) -> ItemOutcome {
        let line = format!(r#"{{"key":"k","latency_ms":5,"answer":{answer}}}"#);
        match Client::default().read_line(line.as_bytes()) {
            OutputLine::Item { key, outcome } if key == "k" => outcome,
            other => panic!("{other:?}"),
        }
    }

    fn text(answer: &str) -> (String, Usage) {
        match read(answer) {
            ItemOutcome::Transcribed { text, usage, .. } => (text, usage),
            other => panic!("{other:?}"),
        }
    }

    fn code(answer: &str) -> String {
        match read(answer) {
            ItemOutcome::Failed { code, .. } => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_of_every_server() {
        let (heard, usage) = text(
            r#"{"text":"नमस्ते","languages":[{"code":"hi"}],"usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":4,"audio_tokens":10},"output_tokens":45,"total_tokens":59}}"#,
        );
        assert_eq!(heard, "नमस्ते");
        assert_eq!((usage.audio_input_tokens, usage.text_input_tokens), (10, 4));
        assert_eq!(usage.output_tokens, 45);
        // vLLM: a length as a text, and segments.
        let (_, usage) = text(
            r#"{"text":"a b","duration":"4.2","segments":[{"end":1.0},{"end":3.9}],"x_groq":{"id":"r"}}"#,
        );
        assert_eq!(
            (usage.audio_seconds, usage.heard_until_seconds),
            (Some(4.2), Some(3.9))
        );
        // whisper.cpp: a line a segment, with the space of its tokens.
        assert_eq!(text(r#"{"text":" one\n two\n"}"#).0, "one two");
        // Words where they are told, and else phrases.
        for (answer, want) in [
            (
                r#"{"text":" one two\n one","segments":[{"start":0.5,"end":1,"text":" one two"},{"start":2.25,"end":3,"text":" one"}]}"#,
                [(0, 500), (8, 2_250)],
            ),
            (
                r#"{"text":"one two","segments":[{"start":0,"end":1,"text":"one two"}],"words":[{"word":"one","start":0.5,"end":0.7},{"word":"two","start":"0.9"}]}"#,
                [(0, 500), (4, 900)],
            ),
        ] {
            let ItemOutcome::Transcribed { word_times, .. } = read(answer) else {
                panic!("{answer}")
            };
            assert_eq!(word_times, spoken::made_of(&want), "{answer}");
        }
        // Silence is a result.
        assert_eq!(text(r#"{"text":""}"#).0, "");
        let (_, usage) = text(
            r#"{"model":"voxtral","text":"x","language":null,"segments":[],"usage":{"prompt_audio_seconds":7,"prompt_tokens":1,"completion_tokens":3,"total_tokens":4}}"#,
        );
        assert_eq!((usage.audio_seconds, usage.output_tokens), (Some(7.0), 3));
        let (_, usage) = text(r#"{"text":"x","usage":{"type":"duration","seconds":12}}"#);
        assert_eq!(usage.audio_seconds, Some(12.0));
    }

    #[test]
    fn answers_without_a_text() {
        for odd in [
            "{}",
            r#"{"text":null}"#,
            r#"{"text":7}"#,
            "[]",
            "null",
            "\"text\"",
        ] {
            assert_eq!(code(odd), "provider_malformed", "{odd}");
        }
        let lying = r#"{"text":"", "error":{"message":"overloaded"}}"#;
        assert_eq!(code(lying), "error_in_answer");
        assert_eq!(text(r#"{"text":"x","error":null,"usage":"free"}"#).0, "x");
    }
}
