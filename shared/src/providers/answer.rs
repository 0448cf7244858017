//! The raw answer of a call, as a line of output.
//!
//! `{"key": …, "latency_ms": …, "answer": …}`: what the item's result is joined by,
//! how long the call took (of the result of a job nothing is told), and what the vendor said, to the byte but for line breaks
//! between the parts of its JSON.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::calls::{CallAnswer, RawLine};
use super::error::{CallError, Rejection};
use super::http::{Sending, Told, told_limits, unreadable};
use super::lines::{ItemOutcome, Measured, OutputLine};

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u32>,
    #[serde(borrow)]
    answer: &'a RawValue,
}

/// An answer that was kept.
#[derive(Debug, PartialEq)]
struct Answered<T> {
    key: String,
    /// What the vendor said, or `None` when it is not what was expected.
    answer: Option<T>,
}

/// Sends a request that costs money, once, and gives its answer as a line. `refine` is
/// the vendor's own reading of a refusal.
pub async fn paid(
    key: &str,
    request: reqwest::RequestBuilder,
    sending: &Sending,
    secret: &SecretString,
    refine: impl FnOnce(u16, &Told) -> Option<Rejection>,
) -> Result<CallAnswer, CallError> {
    let begun = Instant::now();
    let reply = sending.finish(request, secret, refine).await?;
    let line = line(key, begun.elapsed(), &reply.body).map_err(|error| match error {
        CallError::Ambiguous { message } => CallError::Unreadable { message },
        other => other,
    })?;
    Ok(CallAnswer {
        line,
        limits: told_limits(&reply.headers),
    })
}

/// An answer as a line. One that is no JSON is as good as lost: the item may have
/// been billed, and there is no text.
pub fn line(key: &str, took: Duration, body: &[u8]) -> Result<RawLine, CallError> {
    made(key, u32::try_from(took.as_millis()).ok(), body)
}

/// The same of an answer that no one waited for: the result of a job.
pub fn untimed(key: &str, body: &[u8]) -> Result<RawLine, CallError> {
    made(key, None, body)
}

/// Something else that is to stand in the place of an answer, as a line.
pub fn kept(key: &str, answer: &impl Serialize) -> Result<Vec<u8>, CallError> {
    let not_json = |error: serde_json::Error| CallError::Input {
        message: format!("what is to be kept is no JSON ({:?})", error.classify()),
    };
    let answer = serde_json::to_vec(answer).map_err(not_json)?;
    made(key, None, &answer).map(|line| line.0)
}

fn made(key: &str, latency_ms: Option<u32>, body: &[u8]) -> Result<RawLine, CallError> {
    let not_json = |_| unreadable(&format!("{} bytes that are no JSON", body.len()));
    let text = std::str::from_utf8(body).map_err(|_| unreadable("a body that is no UTF-8"))?;
    // Within a text JSON has no line breaks, so these are between the parts.
    let text = text.replace(['\n', '\r'], " ");
    let answer = serde_json::from_str::<&RawValue>(&text).map_err(not_json)?;
    let line = Line {
        key: Cow::Borrowed(key),
        latency_ms,
        answer,
    };
    serde_json::to_vec(&line).map(RawLine).map_err(not_json)
}

/// Reads a line. `outcome` is the vendor's own reading of what it said, `None` where that
/// is not what was expected.
pub fn read<'a, T: Deserialize<'a>>(
    line: &'a [u8],
    outcome: impl FnOnce(Option<T>) -> ItemOutcome,
) -> OutputLine {
    match parts(line) {
        Ok(Answered { key, answer }) => OutputLine::Item {
            key,
            outcome: outcome(answer),
        },
        Err(said) => *said,
    }
}

/// The parts of a line; an error is what is to be said of it.
fn parts<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<Answered<T>, Box<OutputLine>> {
    if line.trim_ascii().is_empty() {
        return Err(Box::new(OutputLine::Blank));
    }
    let read: Line<'a> = serde_json::from_slice(line).map_err(|error| {
        let reason = format!("not a line of a call ({:?})", error.classify());
        Box::new(OutputLine::Malformed { reason })
    })?;
    Ok(Answered {
        key: read.key.into_owned(),
        answer: serde_json::from_str(read.answer.get()).ok(),
    })
}

/// What a line tells besides: how long the call took.
#[must_use]
pub fn measured(line: &[u8]) -> Measured {
    let read = serde_json::from_slice::<Line<'_>>(line);
    Measured {
        latency_ms: read.ok().and_then(|line| line.latency_ms),
        ..Measured::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_answer_is_one_line_and_is_read_again() {
        let body = b"{\r\n  \"text\": \"a\\nb\",\n \"n\": 1.10\n}";
        let RawLine(kept) = line("res_1", Duration::from_millis(1_234), body).unwrap();
        assert!(!kept.contains(&b'\n'));
        // Numbers stay as they were written.
        assert!(kept.windows(4).any(|w| w == b"1.10"));
        let read = parts::<Value>(&kept).unwrap();
        assert_eq!(read.key, "res_1");
        assert_eq!(measured(&kept).latency_ms, Some(1_234));
        assert_eq!(read.answer, Some(json!({"text": "a\nb", "n": 1.1})));
    }

    #[test]
    fn what_is_no_answer() {
        for body in [&b""[..], b"<html>", b"{\"text\": \"a", b"\xff\xfe"] {
            let error = line("k", Duration::ZERO, body).unwrap_err();
            assert!(matches!(error, CallError::Ambiguous { .. }), "{error:?}");
        }
        assert_eq!(parts::<Value>(b" \n"), Err(Box::new(OutputLine::Blank)));
        for odd in [&b"{}"[..], b"[1]", b"{\"key\": 1, \"answer\": 2}", b"\xff"] {
            let said = parts::<Value>(odd).unwrap_err();
            assert!(matches!(*said, OutputLine::Malformed { .. }), "{said:?}");
        }
        let read = parts::<u64>(br#"{"key": "k", "answer": "text"}"#).unwrap();
        assert_eq!(read.answer, None);
    }
}
