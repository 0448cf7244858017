//! Transcripts as lines, and lines as outcomes.

use std::io;

use bytes::Bytes;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::Client;
use super::wire::Transcript;
use crate::domain::failure::FailureCode;
use crate::domain::usage::Usage;
use crate::providers::answer;
use crate::providers::audio::ByteStream;
use crate::providers::credential::Credential;
use crate::providers::error::CallError;
use crate::providers::handles::{Handle, Handles};
use crate::providers::lines::{ItemOutcome, OutputLine};
use crate::providers::spoken::{self, Spoken};

/// Transcripts that are fetched at once.
const AT_ONCE: usize = 4;
/// Said of an item of which the vendor made no transcript.
const NOT_MADE: &str = "not made";
/// Said of a transcript that the vendor made and has not.
const MISSING: &str = "missing";

/// What stands in the place of a transcript.
#[derive(Debug, Serialize)]
struct Nothing {
    status: &'static str,
}

/// The transcripts of a job as lines.
pub(super) fn open(client: &Client, credential: &Credential, handles: Handles) -> ByteStream {
    let (client, credential) = (client.clone(), credential.clone());
    let lines = futures::stream::iter(handles.each).map(move |(key, handle)| {
        let (client, credential) = (client.clone(), credential.clone());
        async move {
            let line = line(&client, &credential, &key, &handle).await;
            line.map_err(io::Error::other)
        }
    });
    lines.buffered(AT_ONCE).boxed()
}

async fn line(
    client: &Client,
    credential: &Credential,
    key: &str,
    handle: &Handle,
) -> Result<Bytes, CallError> {
    let mut line = match handle {
        Handle::Known(id) => match client.get(credential, id).await {
            Ok(body) => {
                Transcript::read(&body, id)?.ended()?;
                answer::untimed(key, &body)?.0
            }
            // That there is none was said before: see the adapter.
            Err(error) if error.is_unknown() => answer::kept(key, &Nothing { status: MISSING })?,
            Err(error) => return Err(error),
        },
        Handle::Asked(_) | Handle::None => answer::kept(key, &Nothing { status: NOT_MADE })?,
    };
    line.push(b'\n');
    Ok(line.into())
}

#[derive(Debug, Deserialize)]
struct Heard {
    status: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    audio_duration: Option<f64>,
    #[serde(default)]
    speech_model_used: Option<String>,
    /// Their times are in milliseconds.
    #[serde(default)]
    words: Option<Value>,
}

impl Heard {
    fn spoken(&self) -> impl Iterator<Item = Spoken<'_>> {
        spoken::listed(self.words.as_ref(), |word| {
            Some(Spoken {
                text: word.get("text")?.as_str()?,
                start: word.get("start")?,
            })
        })
    }
}

pub(super) fn read(line: &[u8]) -> OutputLine {
    answer::read(line, outcome)
}

fn outcome(answer: Option<Heard>) -> ItemOutcome {
    let Some(heard) = answer else {
        return ItemOutcome::failed(FailureCode::ProviderMalformed, Usage::default(), None);
    };
    let usage = Usage {
        audio_seconds: heard.audio_duration,
        heard_until_seconds: spoken::last_end(heard.words.as_ref(), "end").map(|end| end / 1_000.0),
        ..Usage::default()
    };
    let model = heard.speech_model_used.clone();
    let failed = |code| ItemOutcome::failed(code, usage, model.clone());
    match (&*heard.status, heard.text.as_deref().map(str::trim)) {
        ("completed", Some(text)) => ItemOutcome::Transcribed {
            text: text.to_owned(),
            word_times: spoken::times_in_ms(text, heard.spoken()),
            model_version: model,
            usage,
        },
        // It is not billed, and asking again costs nothing that was not asked for.
        ("error", _) => failed(FailureCode::ProviderError),
        (NOT_MADE, _) => failed(FailureCode::ProviderQuota),
        (MISSING, _) => failed(FailureCode::ProviderLost),
        _ => failed(FailureCode::ProviderMalformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(answer: &str) -> ItemOutcome {
        let line = format!(r#"{{"key":"k","answer":{answer}}}"#);
        match read(line.as_bytes()) {
            OutputLine::Item { key, outcome } if key == "k" => outcome,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn transcripts_are_read() {
        let heard = read_of(
            r#"{"id":"t","status":"completed","text":" ab ","audio_duration":3,"speech_model_used":"universal-2","words":[{"text":"ab","start":10,"end":1500,"confidence":0.9}]}"#,
        );
        let want = ItemOutcome::Transcribed {
            text: "ab".to_owned(),
            word_times: spoken::made_of(&[(0, 10)]),
            model_version: Some("universal-2".to_owned()),
            usage: Usage {
                audio_seconds: Some(3.0),
                heard_until_seconds: Some(1.5),
                ..Usage::default()
            },
        };
        assert_eq!(heard, want);
        let silence = read_of(r#"{"status":"completed","text":"","words":[]}"#);
        assert!(matches!(silence, ItemOutcome::Transcribed { text, .. } if text.is_empty()));
    }

    #[test]
    fn what_is_no_transcript_has_its_reason() {
        for (answer, want) in [
            (
                r#"{"status":"error","error":"too short"}"#,
                "provider_error",
            ),
            (r#"{"status":"not made"}"#, "provider_quota"),
            (r#"{"status":"missing"}"#, "provider_lost"),
            (
                r#"{"status":"completed","text":null}"#,
                "provider_malformed",
            ),
            (r#"{"status":"processing"}"#, "provider_malformed"),
            ("[]", "provider_malformed"),
        ] {
            match read_of(answer) {
                ItemOutcome::Failed { code, .. } => assert_eq!(code, want, "{answer}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
