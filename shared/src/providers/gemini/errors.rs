//! What an answer of Google's means, where its status alone says too little.
//!
//! | seen | meaning |
//! | --- | --- |
//! | 400 with reason `API_KEY_INVALID` (or another reason about the key), 402 | `Rejected(Unauthorized)` |
//! | 403 about a file, without a reason about the key | `Rejected(NotFound)`: Google answers so for files that are gone |
//! | 409 | `Rejected(Exists)`; with status `ABORTED` ambiguous |
//! | 429 | `Rejected(Quota)` with `Retry-After` or `RetryInfo`, the longer one |
//! | anything else | as for every vendor: see [`by_status`] |

use std::time::Duration;

use reqwest::header::HeaderMap;
use time::OffsetDateTime;

use super::super::{CallError, Rejection};
use super::wire;
use crate::providers::http::{by_status, retry_after};
pub(super) use crate::providers::http::{refused_here, unreadable};

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
        400 if about_key => Some(Rejection::Unauthorized),
        402 => Some(Rejection::Unauthorized),
        403 if about == About::File && !about_key => Some(Rejection::NotFound),
        409 if name != Some("ABORTED") => Some(Rejection::Exists),
        _ => {
            let in_body = parsed.as_ref().and_then(retry_info);
            by_status(status, retry_after(headers, in_body, now))
        }
    };
    let Some(kind) = kind else {
        return CallError::Ambiguous {
            message: format!("{status}, {message}"),
        };
    };
    CallError::Rejected {
        status,
        kind,
        message,
    }
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

/// When to come back by `google.rpc.RetryInfo`.
fn retry_info(error: &wire::Status) -> Option<Duration> {
    let details = error.details.as_deref().unwrap_or_default();
    details.iter().find_map(|detail| {
        let delay = detail
            .get("retryDelay")
            .or_else(|| detail.get("retry_delay"))?;
        duration(delay.as_str()?)
    })
}

/// `34s`, `34.074824224s` (proto-JSON of `google.protobuf.Duration`).
fn duration(value: &str) -> Option<Duration> {
    let seconds: f64 = value.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
#[path = "errors_tests.rs"]
mod tests;
