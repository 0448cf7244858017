//! Transcripts as lines, and lines as outcomes.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::connected::Connected;
use super::name::places;
use super::service::State;
use crate::domain::failure::FailureCode;
use crate::domain::usage::Usage;
use crate::providers::answer;
use crate::providers::audio::ByteStream;
use crate::providers::error::CallError;
use crate::providers::handles::{Handle, Handles};
use crate::providers::http::unreadable;
use crate::providers::lines::{ItemOutcome, OutputLine};
use crate::providers::own_bucket::Left;
use crate::providers::spoken::{self, Spoken};

/// Transcripts that are read at once.
const AT_ONCE: usize = 4;
/// Longest transcript that is read: four hours of quick speech have some eight million
/// bytes, and a line of output may have 16 MiB, of which base64 takes a third.
pub(super) const MOST: u64 = 11 * 1024 * 1024;
/// So long jobs that were seen to be over may have no transcript yet, or be told of no more.
const MAY_LACK: Duration = Duration::from_secs(3_600);
/// Said of an item of which there is no job.
const NOT_MADE: &str = "not made";
/// Said of a job that there was, and is not, nor a transcript of it.
const MISSING: &str = "missing";
/// Said of a transcript that is too long for a line; it stays where it lies.
const TOO_LARGE: &str = "too large";
/// Said of a transcript that is none, or another job's; it stands beside, as it came.
const UNREADABLE: &str = "unreadable";
/// The service's own words.
const COMPLETED: &str = "COMPLETED";
const FAILED: &str = "FAILED";

/// What stands in the place of a transcript.
#[derive(Debug, Serialize)]
struct Nothing<'a> {
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// What was there instead, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    instead: Option<String>,
    /// Where in our bucket it lies, and its bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    stays: Option<Stays<'a>>,
}

/// A transcript that is left where the service wrote it.
#[derive(Debug, Serialize)]
struct Stays<'a> {
    key: &'a str,
    bytes: u64,
}

impl<'a> Nothing<'a> {
    const fn new(status: &'a str) -> Self {
        Self {
            status,
            reason: None,
            instead: None,
            stays: None,
        }
    }
}

/// The transcripts of a job as lines.
pub(super) fn open(connected: &Connected, handles: Handles) -> ByteStream {
    let age = handles.age();
    let connected = connected.clone();
    let lines = futures::stream::iter(handles.each).map(move |(key, handle)| {
        let connected = connected.clone();
        async move {
            let line = line(&connected, &key, &handle, age).await;
            line.map_err(io::Error::other)
        }
    });
    lines.buffered(AT_ONCE).boxed()
}

async fn line(
    connected: &Connected,
    key: &str,
    handle: &Handle,
    age: Duration,
) -> Result<Bytes, CallError> {
    let mut line = match handle {
        Handle::Known(name) => of_job(connected, key, name, age).await?,
        Handle::Asked(_) | Handle::None => nothing(key, NOT_MADE)?,
    };
    line.push(b'\n');
    Ok(line.into())
}

fn nothing(key: &str, status: &str) -> Result<Vec<u8>, CallError> {
    answer::kept(key, &Nothing::new(status))
}

/// The line of what lies where a transcript belongs. What is no transcript of the job may
/// still become one. After an hour the job's others are held up for it no longer: it is
/// kept in its line, byte for byte, as the object goes with the job.
fn of_left(key: &str, name: &str, body: &[u8], age: Duration) -> Result<Vec<u8>, CallError> {
    let told: Option<Told> = serde_json::from_slice(body).ok();
    let is_its = told.is_some_and(|told| told.job_name == name);
    if let Some(line) = answer::untimed(key, body).ok().filter(|_| is_its) {
        return Ok(line.0);
    }
    if age < MAY_LACK {
        return Err(unreadable("a transcript that is none, or another"));
    }
    tracing::error!(
        key,
        name,
        bytes = body.len(),
        "a transcript that is none is kept as it came"
    );
    let instead = Some(BASE64.encode(body));
    let kept = Nothing {
        instead,
        ..Nothing::new(UNREADABLE)
    };
    answer::kept(key, &kept)
}

/// The line of a transcript that no line can hold. It was paid for: so it is not deleted with
/// its job, and its line tells where it is to be had until its run is deleted.
fn of_too_large(key: &str, place: &str, bytes: u64) -> Result<Vec<u8>, CallError> {
    tracing::error!(
        key,
        place,
        bytes,
        "a transcript is too long for a line, and stays where it lies"
    );
    let stays = Some(Stays { key: place, bytes });
    let kept = Nothing {
        stays,
        ..Nothing::new(TOO_LARGE)
    };
    answer::kept(key, &kept)
}

/// The line of a job: first of all by what lies in our bucket, which is there whatever
/// became of the job since.
async fn of_job(
    connected: &Connected,
    key: &str,
    name: &str,
    age: Duration,
) -> Result<Vec<u8>, CallError> {
    let bucket = &*connected.bucket;
    let place = places(bucket, name)?.output;
    match bucket.left(&place, MOST).await? {
        Left::Bytes(body) => return of_left(key, name, &body, age),
        Left::TooLarge(bytes) => return of_too_large(key, &place, bytes),
        Left::Nothing => {}
    }
    match connected.service.state(name).await {
        Ok(State::Failed(reason)) => {
            let failed = Nothing {
                reason: Some(&*reason),
                ..Nothing::new(FAILED)
            };
            answer::kept(key, &failed)
        }
        Ok(State::Completed) if age < MAY_LACK => {
            Err(unreadable("a job that is over has no transcript yet"))
        }
        Ok(State::Completed) => nothing(key, MISSING),
        Ok(State::Queued | State::Running | State::Other(_)) => {
            Err(unreadable("a job that was over is so no more"))
        }
        // Said of one among several, that is no proof soon after: what is collected is
        // deleted there, and this one with it.
        Err(error) if error.is_unknown() && age < MAY_LACK => {
            Err(unreadable("a job that was started is not told of"))
        }
        Err(error) if error.is_unknown() => nothing(key, MISSING),
        Err(error) => Err(error),
    }
}

/// Whose transcript it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    job_name: String,
}

#[derive(Debug, Deserialize)]
struct Heard {
    status: String,
    /// Missing where no speech was found.
    #[serde(default)]
    results: Option<Results>,
}

#[derive(Debug, Default, Deserialize)]
struct Results {
    #[serde(default)]
    transcripts: Vec<Transcript>,
    /// Their times are in seconds, as texts; punctuation has none.
    #[serde(default)]
    items: Option<Value>,
}

impl Results {
    fn spoken(&self) -> impl Iterator<Item = Spoken<'_>> {
        spoken::listed(self.items.as_ref(), |item| {
            Some(Spoken {
                text: item.pointer("/alternatives/0/content")?.as_str()?,
                start: item.get("start_time")?,
            })
        })
    }
}

#[derive(Debug, Deserialize)]
struct Transcript {
    transcript: String,
}

pub(super) fn read(line: &[u8]) -> OutputLine {
    answer::read(line, outcome)
}

fn outcome(answer: Option<Heard>) -> ItemOutcome {
    let failed = |code| ItemOutcome::failed(code, Usage::default(), None);
    let Some(heard) = answer else {
        return failed(FailureCode::ProviderMalformed);
    };
    match &*heard.status {
        COMPLETED => {
            let results = heard.results.unwrap_or_default();
            // The length that is billed is not told.
            let usage = Usage {
                heard_until_seconds: spoken::last_end(results.items.as_ref(), "end_time"),
                ..Usage::default()
            };
            let first = results.transcripts.first();
            let text = first.map_or("", |first| first.transcript.trim());
            ItemOutcome::Transcribed {
                text: text.to_owned(),
                word_times: spoken::times(text, results.spoken()),
                model_version: None,
                usage,
            }
        }
        FAILED => failed(FailureCode::ProviderError),
        NOT_MADE => failed(FailureCode::ProviderQuota),
        MISSING => failed(FailureCode::ProviderLost),
        TOO_LARGE => failed(FailureCode::OutputTooLong),
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
    fn what_is_no_transcript_is_waited_for_and_then_kept_as_it_came() {
        let (name, young, old) = ("d.p.res_1.r01", MAY_LACK / 2, MAY_LACK);
        for body in [
            &br#"{"jobName":"d.p.res_2.r01"}"#[..],
            b"{\"cut o",
            b"\xff\0",
        ] {
            assert!(of_left("k", name, body, young).is_err());
            let line = of_left("k", name, body, old).unwrap();
            let OutputLine::Item { key, outcome } = read(&line) else {
                panic!("{line:?}");
            };
            assert_eq!(key, "k");
            assert!(
                matches!(&outcome, ItemOutcome::Failed { code, .. } if code == FailureCode::ProviderMalformed.as_str()),
                "{outcome:?}"
            );
            let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
            let kept = line["answer"]["instead"].as_str().unwrap();
            assert_eq!(BASE64.decode(kept).unwrap(), body);
        }
        let body = br#"{"jobName":"d.p.res_1.r01","status":"COMPLETED"}"#;
        assert!(of_left("k", name, body, young).is_ok());
    }

    #[test]
    fn transcripts_are_read() {
        let heard = read_of(
            r#"{"jobName":"d.p.res_1.r01","accountId":"1","status":"COMPLETED","results":{
                "transcripts":[{"transcript":" एक दो. "}],
                "items":[{"type":"pronunciation","start_time":"0.1","end_time":"1.25","alternatives":[{"confidence":"0.9","content":"एक"}]},
                         {"type":"punctuation","alternatives":[{"confidence":"0.0","content":"."}]}]}}"#,
        );
        let want = ItemOutcome::Transcribed {
            text: "एक दो.".to_owned(),
            word_times: spoken::made_of(&[(0, 100)]),
            model_version: None,
            usage: Usage {
                heard_until_seconds: Some(1.25),
                ..Usage::default()
            },
        };
        assert_eq!(heard, want);
        for silence in [
            r#"{"jobName":"n","status":"COMPLETED"}"#,
            r#"{"status":"COMPLETED","results":{"transcripts":[{"transcript":""}],"items":[]}}"#,
        ] {
            let heard = read_of(silence);
            assert!(matches!(heard, ItemOutcome::Transcribed { text, .. } if text.is_empty()));
        }
    }

    #[test]
    fn what_is_no_transcript_has_its_reason() {
        for (answer, want) in [
            (
                r#"{"status":"FAILED","reason":"media format"}"#,
                "provider_error",
            ),
            (r#"{"status":"not made"}"#, "provider_quota"),
            (r#"{"status":"missing"}"#, "provider_lost"),
            (
                r#"{"status":"too large","stays":{"key":"k","bytes":9}}"#,
                "output_too_long",
            ),
            ("[]", "provider_malformed"),
        ] {
            match read_of(answer) {
                ItemOutcome::Failed { code, .. } => assert_eq!(code, want, "{answer}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
