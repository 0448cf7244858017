//! From what happened to a call to what may be done about it.
//!
//! Two things are decided here and nowhere else: whether a call *definitely*
//! had no effect ([`CallError::Rejected`]) or perhaps had one
//! ([`CallError::Ambiguous`]), and that no key, URL query or body of a user
//! gets into an error text.
//!
//! | seen | meaning |
//! | --- | --- |
//! | 400 with reason `API_KEY_INVALID` (or another reason about the key), 401, 402, 403 | `Rejected(Unauthorized)` |
//! | 403 about a file, without a reason about the key | `Rejected(NotFound)`: Google answers so for files that are gone |
//! | 404, 410 | `Rejected(NotFound)` |
//! | 409 | `Rejected(Exists)`; with status `ABORTED` ambiguous |
//! | 429 | `Rejected(Quota)` with `Retry-After` or `RetryInfo`, the longer one |
//! | other 4xx | `Rejected(Invalid)` |
//! | 408, 425, 499, 5xx, 1xx, 3xx | ambiguous |
//! | 200 that can't be read, or without what it must have | ambiguous |
//! | time-out, reset, anything after the connection stood | ambiguous |
//! | no connection | `Rejected(Quota)`, status 0, retry after 30 s: see `transport` |

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::super::{CallError, Rejection};
use super::wire;

/// Status of refusals by this client itself: nothing was sent.
pub const NOT_SENT: u16 = 0;

/// Pause to advise when the provider could not be reached at all.
const UNREACHABLE_PAUSE: Duration = Duration::from_secs(30);

/// Longest pause that is believed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// What stands for a key. Without a character that ends a word, so that what
/// follows it in a URL is still seen as part of that.
const REDACTED: &str = "REDACTED";

/// Longest text kept of anything from outside.
const MAX_TEXT: usize = 400;

/// What a call was about, where that changes what an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// A file: 403 is how its absence is answered.
    File,
    /// Anything else.
    Other,
}

/// What an answer that is not 200 says.
pub(super) fn classify(
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    about: About,
    now: OffsetDateTime,
) -> CallError {
    let parsed = serde_json::from_slice::<wire::ErrorBody>(body)
        .ok()
        .and_then(|b| b.error);
    let name = parsed.as_ref().and_then(|e| e.status.as_deref());
    let message = match &parsed {
        Some(error) => format!(
            "{}: {}",
            name.unwrap_or("no status"),
            error.message.as_deref().unwrap_or("no message")
        ),
        // Not the body itself: it is from some proxy, and could hold anything.
        None => format!("an answer of {} bytes that is not of the API", body.len()),
    };
    let about_key = parsed.as_ref().is_some_and(is_about_key);
    let kind = match status {
        400 if about_key => Rejection::Unauthorized,
        401 | 402 => Rejection::Unauthorized,
        403 if about == About::File && !about_key => Rejection::NotFound,
        403 => Rejection::Unauthorized,
        404 | 410 => Rejection::NotFound,
        409 if name != Some("ABORTED") => Rejection::Exists,
        429 => Rejection::Quota {
            retry_after: retry_after(headers, parsed.as_ref(), now),
        },
        408 | 409 | 425 | 499 => return ambiguous(status, &message),
        400..=498 => Rejection::Invalid,
        _ => return ambiguous(status, &message),
    };
    CallError::Rejected {
        status,
        kind,
        message,
    }
}

fn ambiguous(status: u16, message: &str) -> CallError {
    CallError::Ambiguous {
        message: format!("{status}, {message}"),
    }
}

/// An answer 200 that could not be understood.
pub(super) fn unreadable(what: &str) -> CallError {
    CallError::Ambiguous {
        message: format!("200, but {what}"),
    }
}

/// A refusal by this client: nothing was sent.
pub(super) fn refused_here(message: &str) -> CallError {
    CallError::Rejected {
        status: NOT_SENT,
        kind: Rejection::Invalid,
        message: format!("{message}; nothing was sent"),
    }
}

/// How a request without an answer failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// It could not even be put together.
    Build,
    /// No connection: name, route, refusal, TLS.
    Connect,
    /// Anything later.
    Later,
}

/// What a request without an answer means.
///
/// `Connect` is a definite "not done". It is reported only by the connector
/// (name resolution, TCP, TLS, a proxy's tunnel), before a byte of the request
/// is written; repetition inside the client is off, and the creation of a
/// batch always uses a connection of its own, so a pooled connection that died
/// can't be behind it. Treating it as unknown would cost ten minutes and an
/// attempt for every outage of the network, and end in quarantine without
/// Google having seen anything. There is no kind for it: `Quota`, "worth
/// repeating after a pause", is what it means for the caller, and the status
/// [`NOT_SENT`] tells it apart in logs.
pub(super) fn transport(failure: Failure, message: String) -> CallError {
    match failure {
        Failure::Build => CallError::Rejected {
            status: NOT_SENT,
            kind: Rejection::Invalid,
            message: format!("the request could not be made: {message}"),
        },
        Failure::Connect => CallError::Rejected {
            status: NOT_SENT,
            kind: Rejection::Quota {
                retry_after: Some(UNREACHABLE_PAUSE),
            },
            message: format!("not reached, nothing was sent: {message}"),
        },
        Failure::Later => CallError::Ambiguous { message },
    }
}

/// The kind and text of an error of the HTTP client, without its URL.
pub(super) fn of_reqwest(error: reqwest::Error) -> (Failure, String) {
    let failure = if error.is_builder() {
        Failure::Build
    } else if error.is_connect() {
        Failure::Connect
    } else {
        Failure::Later
    };
    (failure, chain(&error.without_url()))
}

/// An error and its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// Whether repeating the call soon can help: only for calls that may be
/// repeated at all. Gives the provider's advice.
pub(super) fn is_transient(error: &CallError) -> Option<Option<Duration>> {
    match error {
        CallError::Ambiguous { .. } => Some(None),
        CallError::Rejected {
            status: NOT_SENT,
            kind: Rejection::Quota { .. },
            ..
        } => Some(None),
        CallError::Rejected {
            kind: Rejection::Quota { retry_after },
            ..
        } => Some(*retry_after),
        CallError::Rejected { .. } | CallError::Input { .. } => None,
    }
}

/// The same error with its text cleaned. Every error passes here on its way
/// out of the client.
pub(super) fn scrubbed(error: CallError, key: &SecretString) -> CallError {
    let clean = |message: String| scrub(&message, key.expose_secret());
    match error {
        CallError::Rejected {
            status,
            kind,
            message,
        } => CallError::Rejected {
            status,
            kind,
            message: clean(message),
        },
        CallError::Ambiguous { message } => CallError::Ambiguous {
            message: clean(message),
        },
        CallError::Input { message } => CallError::Input {
            message: clean(message),
        },
    }
}

/// Removes the key, anything that looks like a Google key, and the query of
/// every URL (signatures, upload ids); drops control characters; shortens.
pub(super) fn scrub(text: &str, key: &str) -> String {
    let without_key = if key.is_empty() {
        text.to_owned()
    } else {
        text.replace(key, REDACTED)
    };
    let mut out = String::new();
    for piece in without_key.split_inclusive(ends_word) {
        let word = piece.trim_end_matches(ends_word);
        let delimiter = piece.strip_prefix(word).unwrap_or_default();
        let (before_query, query) = match word.split_once('?') {
            Some((before, query)) if query.contains('=') => (before, "?[query]"),
            _ => (word, ""),
        };
        match before_query.split_once("AIza") {
            Some((before, _)) => out.extend([before, REDACTED]),
            None => out.push_str(before_query),
        }
        out.push_str(query);
        out.push_str(delimiter);
    }
    let mut clean: String = out
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if let Some((end, _)) = clean.char_indices().nth(MAX_TEXT) {
        clean.truncate(end);
        clean.push('…');
    }
    clean
}

/// Ends of a URL in running text. Not `,` and `;`: signed URLs have them.
fn ends_word(c: char) -> bool {
    c.is_whitespace() || "\"'<>()[]{}".contains(c)
}

/// Whether an error is about the key rather than about what was asked for:
/// `google.rpc.ErrorInfo` of the API gateway says so.
fn is_about_key(error: &wire::Status) -> bool {
    let reasons = error.details.iter().flatten().filter_map(|detail| {
        let reason = detail.get("reason")?;
        reason.as_str()
    });
    let told = reasons.into_iter().any(|reason| {
        reason.starts_with("API_KEY_")
            || matches!(
                reason,
                "SERVICE_DISABLED" | "CONSUMER_INVALID" | "CONSUMER_SUSPENDED" | "BILLING_DISABLED"
            )
    });
    let text = error.message.as_deref().unwrap_or_default();
    told || text.contains("API key not valid") || text.contains("API key expired")
}

/// The provider's advice on when to come back: the longer of the header and
/// `google.rpc.RetryInfo`.
fn retry_after(
    headers: &HeaderMap,
    error: Option<&wire::Status>,
    now: OffsetDateTime,
) -> Option<Duration> {
    let header = headers
        .get(RETRY_AFTER)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| seconds_or_date(v.trim(), now));
    let details = error.and_then(|e| e.details.as_deref()).unwrap_or_default();
    let info = details.iter().find_map(|detail| {
        let delay = detail
            .get("retryDelay")
            .or_else(|| detail.get("retry_delay"))?;
        duration(delay.as_str()?)
    });
    header.max(info).map(|wait| wait.min(MAX_RETRY_AFTER))
}

/// `120`, or a date (RFC 9110 §10.2.3).
fn seconds_or_date(value: &str, now: OffsetDateTime) -> Option<Duration> {
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = OffsetDateTime::parse(value, &Rfc2822).ok()?;
    Some(Duration::try_from(at - now).unwrap_or(Duration::ZERO))
}

/// `34s`, `34.074824224s` (proto-JSON of `google.protobuf.Duration`).
fn duration(value: &str) -> Option<Duration> {
    let seconds: f64 = value.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
#[path = "errors_tests.rs"]
mod tests;
