//! The recognisers as a vendor that answers each item in its call.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stt_eval_shared::domain::failure::FailureCode;
use stt_eval_shared::domain::transcribe::ModelConfig;
use stt_eval_shared::domain::usage::Usage;
use stt_eval_shared::domain::word_times::WordTimes;
use stt_eval_shared::providers::answer;
use stt_eval_shared::providers::model::{Format, Languages, Takes};
use stt_eval_shared::providers::{
    Adapter, CallAnswer, CallError, CallItem, Calls, Consult, Credential, ItemOutcome, Limits,
    Measured, Model, OutputLine, ReadsLines, Rejection, Vendor, Works,
};
use tempfile::NamedTempFile;
use tokio_util::sync::CancellationToken;

use super::process::{self, Failed};
use super::program::{Output, Recogniser};

/// What its models' ids begin with.
const LOCAL: &str = "local";

/// Programs at once.
const AT_ONCE: usize = 2;

/// The recognisers as a vendor and its client. They live as long as the process, of which
/// there is one machine: so what they are called is kept for good.
pub(crate) fn connected(
    recognisers: Vec<Recogniser>,
    limit: Duration,
    stop: CancellationToken,
) -> (&'static Vendor, Adapter) {
    let models: Vec<Model> = recognisers.iter().map(model).collect();
    let vendor = Box::leak(Box::new(Vendor {
        name: LOCAL,
        title: "This machine",
        models: models.leak(),
        credential: &[],
        limits: Limits::of_calls(AT_ONCE),
        works: Works::Commands,
        ..Vendor::OF_CALLS
    }));
    let by_name = recognisers.into_iter().map(|one| (one.name.clone(), one));
    let programs = Programs {
        by_name: by_name.collect(),
        limit,
        stop,
    };
    (vendor, Adapter::Calls(Arc::new(programs)))
}

fn model(recogniser: &Recogniser) -> Model {
    let name: &'static str = recogniser.name.clone().leak();
    // Nothing tells what a program reads: it gets each recording as it is.
    let formats = Format::EVERY.iter().map(|format| Format {
        documented: false,
        ..*format
    });
    let formats: Vec<Format> = formats.collect();
    Model {
        id: format!("{LOCAL}/{name}").leak(),
        provider: LOCAL,
        model: name,
        display_name: name,
        languages: match recogniser.languages {
            [] => Languages::All,
            table => Languages::Table(table),
        },
        formats: formats.leak(),
        notes: "A program of this machine. It costs nothing.",
        takes: Takes::NOTHING,
        ..Model::OF_CALLS
    }
}

struct Programs {
    by_name: BTreeMap<String, Recogniser>,
    limit: Duration,
    stop: CancellationToken,
}

/// What came of an item, as it is kept.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Came {
    Text(String),
    Failed(String),
}

/// What may be said of a failure: without paths.
fn told(failed: &Failed) -> &'static str {
    match failed {
        Failed::Start(_) => "the recogniser could not be started",
        Failed::Slow(_) => "the recogniser took too long",
        Failed::Long => "the recogniser printed too much",
        Failed::Status { .. } => "the recogniser ended with an error",
        Failed::Encoding => "the recogniser printed something that is no UTF-8",
        Failed::Output(_) => "what the recogniser printed could not be read",
    }
}

/// The `text` of a JSON object, or else the text itself; on one line. Other JSON with
/// something in it is no speech: an error that a program printed and ended well. Nor is an
/// object that breaks off, nor the mark that some systems put before a text.
fn text(printed: &str) -> Came {
    let printed = printed.trim_start_matches('\u{feff}').trim();
    let json = serde_json::from_str::<Value>(printed).ok();
    if json.is_none() && printed.starts_with("{\"") {
        return Came::Failed("the recogniser printed JSON that is broken".to_owned());
    }
    let text = match &json {
        Some(Value::Object(fields)) => fields.get("text").and_then(Value::as_str),
        Some(Value::Array(_)) => None,
        _ => Some(printed),
    };
    let Some(text) = text else {
        return Came::Failed("the recogniser printed JSON without a text".to_owned());
    };
    if text.contains('\0') {
        return Came::Failed("the recogniser printed a NUL character".to_owned());
    }
    let words = text.split_whitespace();
    Came::Text(words.collect::<Vec<_>>().join(" "))
}

/// The texts of the phrases, in order.
fn phrases(printed: &str) -> String {
    let phrases = printed
        .lines()
        .filter_map(|line| line.strip_prefix("lavfi.asr.text="));
    let phrases: Vec<&str> = phrases
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .collect();
    phrases.join(" ")
}

impl ReadsLines for Programs {
    fn measured(&self, line: &[u8]) -> Measured {
        answer::measured(line)
    }

    fn read_line(&self, line: &[u8]) -> OutputLine {
        answer::read(line, outcome)
    }
}

fn outcome(answer: Option<Came>) -> ItemOutcome {
    let usage = Usage::default();
    match answer {
        Some(Came::Text(text)) => ItemOutcome::Transcribed {
            text,
            word_times: WordTimes::default(),
            model_version: None,
            usage,
        },
        Some(Came::Failed(message)) => ItemOutcome::Failed {
            code: FailureCode::RecogniserFailed.into(),
            message,
            retryable: true,
            usage,
            model_version: None,
        },
        None => ItemOutcome::failed(FailureCode::ProviderMalformed, usage, None),
    }
}

#[async_trait]
impl Consult for Programs {
    async fn check_credential(&self, _credential: &Credential) -> Result<(), CallError> {
        Ok(())
    }

    fn is_free(&self, _config: &ModelConfig) -> bool {
        true
    }
}

#[async_trait]
impl Calls for Programs {
    async fn call(
        &self,
        _credential: &Credential,
        item: &CallItem<'_>,
        config: &ModelConfig,
    ) -> Result<CallAnswer, CallError> {
        let unread = |error: std::io::Error| CallError::Input {
            message: error.to_string(),
        };
        let Some(recogniser) = self.by_name.get(&config.model) else {
            let message = "this machine was started without it";
            return Err(CallError::not_sent(Rejection::NotFound, message));
        };
        let suffix = item
            .file_name
            .rsplit_once('.')
            .map_or("", |(_, extension)| extension);
        let named = tempfile::Builder::new()
            .suffix(&format!(".{suffix}"))
            .tempfile();
        let mut file: NamedTempFile = named.map_err(unread)?;
        let mut bytes = item.audio.open(0, item.audio.len()).await.map_err(unread)?;
        while let Some(piece) = bytes.next().await {
            file.write_all(&piece.map_err(unread)?).map_err(unread)?;
        }
        file.flush().map_err(unread)?;
        let begun = Instant::now();
        let arguments = recogniser.arguments(file.path(), item.language);
        let ended = tokio::select! {
            ended = process::run(&recogniser.program, arguments, self.limit) => ended,
            // It is asked again after the next start: that costs nothing.
            () = self.stop.cancelled() => {
                return Err(CallError::not_sent(Rejection::Unreachable, "the machine stops"));
            }
        };
        let came = match ended {
            Ok(printed) => match recogniser.output {
                Output::Text => text(&printed),
                Output::Phrases => Came::Text(phrases(&printed)),
            },
            Err(failed) => {
                let program = recogniser.program.display();
                tracing::warn!(%program, error = %failed, "a recogniser gave no text");
                Came::Failed(told(&failed).to_owned())
            }
        };
        let body = serde_json::to_vec(&came).map_err(|error| unread(error.into()))?;
        Ok(answer::line(item.key, begun.elapsed(), &body)?.into())
    }

    fn shortest_time_out(&self) -> Duration {
        // The program's own time-out comes first, and says more.
        self.limit + Duration::from_secs(10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read() {
        let said = |text: &str| Came::Text(text.to_owned());
        assert_eq!(text(" one\n two \n"), said("one two"));
        assert_eq!(
            text(r#"{"text": " एक दो ", "segments": []}"#),
            said("एक दो")
        );
        // Words that are JSON by chance.
        for word in ["7", "true", "\"so\"", "{not json"] {
            assert_eq!(text(word), said(word));
        }
        assert_eq!(text(""), said(""));
        assert_eq!(text("\u{feff}one\r\n"), said("one"));
        assert_eq!(text("\u{feff}{\"text\": \"one\"}"), said("one"));
        for odd in [
            "{}",
            "[1]",
            r#"{"text": 7}"#,
            r#"{"error": "no model"}"#,
            r#"[{"text": "a"}]"#,
            r#"{"text": "cut o"#,
            "a\0b",
        ] {
            assert!(matches!(text(odd), Came::Failed(_)), "{odd}");
        }
        let printed = "frame:0    pts:0\nlavfi.asr.text=the quick\nframe:9\nlavfi.asr.text=\nlavfi.asr.text=brown fox\n";
        assert_eq!(phrases(printed), "the quick brown fox");
        assert_eq!(phrases("frame:0\n"), "");
    }
}
