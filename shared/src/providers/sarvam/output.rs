//! Results as lines, and lines as outcomes.
//!
//! A line of an item that was transcribed has the vendor's result; one of an item that
//! was not has what the vendor said of it. A result that is no JSON is kept as a text.

use std::io;

use bytes::Bytes;
use futures::StreamExt;
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

use super::client::Client;
use super::parts::{ids, key};
use super::wire::{FailedFile, Task};
use crate::domain::failure::FailureCode;
use crate::domain::usage::Usage;
use crate::providers::answer;
use crate::providers::audio::ByteStream;
use crate::providers::credential::Credential;
use crate::providers::error::CallError;
use crate::providers::lines::{ItemOutcome, OutputLine};
use crate::providers::spoken::{self, Spoken, number};

/// Results that are fetched at once.
const AT_ONCE: usize = 4;
/// Said of a result that the vendor named and has not.
const MISSING: &str = "missing";

/// One item of an output.
struct Piece {
    key: String,
    from: From,
}

enum From {
    Result { job: String, file: String, url: Url },
    Failure(FailedFile),
}

/// The output of jobs, as lines.
pub(super) async fn open(
    client: &Client,
    credential: &Credential,
    name: &str,
) -> Result<ByteStream, CallError> {
    let mut pieces = Vec::new();
    for job in ids(name) {
        let status = client.status(credential, job).await?;
        let tasks = status.tasks();
        let files = tasks.iter().filter_map(Task::output).map(str::to_owned);
        let files: Vec<String> = files.collect();
        let urls = match files.is_empty() {
            true => Vec::new(),
            false => client.download_urls(credential, job, &files).await?,
        };
        let mut urls = files.into_iter().zip(urls);
        for task in tasks {
            let from = match task.output().and_then(|_| urls.next()) {
                Some((file, url)) => From::Result {
                    job: job.to_owned(),
                    file,
                    url,
                },
                None => From::Failure(failure(task)),
            };
            // What can't be told whose it is is told by none being there.
            if let Some(input) = task.input() {
                let key = key(input).to_owned();
                pieces.push(Piece { key, from });
            }
        }
    }
    let (client, credential) = (client.clone(), credential.clone());
    let lines = futures::stream::iter(pieces).map(move |piece| {
        let (client, credential) = (client.clone(), credential.clone());
        async move {
            let line = line(&client, &credential, piece).await;
            line.map_err(io::Error::other)
        }
    });
    Ok(lines.buffered(AT_ONCE).boxed())
}

fn failure(task: &Task) -> FailedFile {
    FailedFile {
        state: task.state.clone().unwrap_or_default(),
        error_message: task.error_message.clone(),
        exception_name: task.exception_name.clone(),
    }
}

async fn line(client: &Client, credential: &Credential, piece: Piece) -> Result<Bytes, CallError> {
    let key = &piece.key;
    let mut line = match piece.from {
        From::Failure(failure) => answer::kept(key, &failure)?,
        From::Result { job, file, url } => {
            let once = fetched(client, credential, key, &url).await;
            match once {
                Ok(Some(line)) => line,
                // Once may be an accident, or the URL was too old.
                Ok(None) | Err(CallError::Rejected { .. }) => {
                    let files = [file];
                    let urls = client.download_urls(credential, &job, &files).await?;
                    let url = urls.first().unwrap_or(&url);
                    again(client, credential, key, url).await?
                }
                Err(error) => return Err(error),
            }
        }
    };
    line.push(b'\n');
    Ok(line.into())
}

/// A result as a line; `None` if it is none.
async fn fetched(
    client: &Client,
    credential: &Credential,
    key: &str,
    url: &Url,
) -> Result<Option<Vec<u8>>, CallError> {
    let body = client.result(credential, url).await?;
    let heard = serde_json::from_slice::<Heard>(&body).ok();
    if heard.is_none_or(|heard| heard.transcript.is_none()) {
        return Ok(None);
    }
    Ok(answer::untimed(key, &body).ok().map(|line| line.0))
}

/// The same a second time: now whatever comes is so.
async fn again(
    client: &Client,
    credential: &Credential,
    key: &str,
    url: &Url,
) -> Result<Vec<u8>, CallError> {
    match client.result(credential, url).await {
        Ok(body) => match answer::untimed(key, &body) {
            Ok(line) => Ok(line.0),
            Err(_) => answer::kept(key, &String::from_utf8_lossy(&body)),
        },
        Err(error) if error.is_unknown() => {
            let state = MISSING.to_owned();
            let failure = FailedFile {
                state,
                ..FailedFile::default()
            };
            answer::kept(key, &failure)
        }
        Err(error) => Err(error),
    }
}

#[derive(Debug, Deserialize)]
struct Heard {
    #[serde(default)]
    transcript: Option<String>,
    /// Three lists of one length, in seconds; of phrases, whatever its first is called.
    #[serde(default)]
    timestamps: Option<Value>,
    #[serde(default)]
    state: Option<String>,
}

impl Heard {
    fn list(&self, name: &str) -> &[Value] {
        let list = self.timestamps.as_ref().and_then(|times| times.get(name));
        list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn spoken(&self) -> impl Iterator<Item = Spoken<'_>> {
        let phrases = self.list("words").iter();
        let phrases = phrases.zip(self.list("start_time_seconds"));
        phrases.filter_map(|(text, start)| {
            let text = text.as_str()?;
            Some(Spoken { text, start })
        })
    }
}

pub(super) fn read(line: &[u8]) -> OutputLine {
    answer::read(line, outcome)
}

fn outcome(answer: Option<Heard>) -> ItemOutcome {
    let usage = Usage::default();
    let Some(heard) = answer else {
        return ItemOutcome::failed(FailureCode::ProviderMalformed, usage, None);
    };
    let text = heard.transcript.as_deref().map(str::trim);
    match (text, heard.state.as_deref()) {
        (Some(text), _) => ItemOutcome::Transcribed {
            text: text.to_owned(),
            word_times: spoken::times(text, heard.spoken()),
            model_version: None,
            usage: Usage {
                heard_until_seconds: number(heard.list("end_time_seconds").last()),
                ..usage
            },
        },
        (None, Some(MISSING)) => ItemOutcome::failed(FailureCode::ProviderLost, usage, None),
        // An error inside the vendor; of a file that can't be read it says no other.
        (None, Some(_)) => ItemOutcome::failed(FailureCode::ProviderError, usage, None),
        (None, None) => ItemOutcome::failed(FailureCode::ProviderMalformed, usage, None),
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
    fn results_are_read() {
        let heard = read_of(
            r#"{"request_id":"r","transcript":" एक दो ","language_code":"hi-IN","timestamps":{"words":["एक दो"],"start_time_seconds":[0.1],"end_time_seconds":[1.5]}}"#,
        );
        let want = ItemOutcome::Transcribed {
            text: "एक दो".to_owned(),
            word_times: spoken::made_of(&[(0, 100)]),
            model_version: None,
            usage: Usage {
                heard_until_seconds: Some(1.5),
                ..Usage::default()
            },
        };
        assert_eq!(heard, want);
        for silence in [
            r#"{"transcript":"","timestamps":null}"#,
            r#"{"transcript":"","timestamps":[7]}"#,
        ] {
            let heard = read_of(silence);
            assert!(matches!(heard, ItemOutcome::Transcribed { text, .. } if text.is_empty()));
        }
    }

    #[test]
    fn what_is_no_transcript_has_its_reason() {
        let code = |answer: &str| match read_of(answer) {
            ItemOutcome::Failed { code, .. } => code,
            other => panic!("{other:?}"),
        };
        for (answer, want) in [
            (
                r#"{"state":"Internal Server Error","error_message":"m"}"#,
                "provider_error",
            ),
            (r#"{"state":"API Error"}"#, "provider_error"),
            (r#"{"state":"missing"}"#, "provider_lost"),
            (r#"{"request_id":"r"}"#, "provider_malformed"),
            (r#""{\"transcript\": \"cut o""#, "provider_malformed"),
            (r#"{"transcript":7}"#, "provider_malformed"),
        ] {
            assert_eq!(code(answer), want, "{answer}");
        }
    }
}
