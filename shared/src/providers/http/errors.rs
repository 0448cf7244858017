//! From what happened to a request to what may be done about it.
//!
//! What is decided here is whether a call *definitely* had no effect
//! ([`CallError::Rejected`]) or perhaps had one ([`CallError::Ambiguous`]).
//! Adapters refine it by what their vendor writes in a refusal's body.
//!
//! | seen | meaning |
//! | --- | --- |
//! | 401, 403 | `Rejected(Unauthorized)` |
//! | 402 | `Rejected(OutOfCredit)` |
//! | 404, 410 | `Rejected(NotFound)` |
//! | 429 | `Rejected(Quota)` with the vendor's advice |
//! | other 4xx | `Rejected(Invalid)` |
//! | 408, 409, 425, 499, 5xx, 1xx, 3xx | ambiguous |
//! | 200 that can't be read, or without what it must have | ambiguous |
//! | time-out, reset, anything after the connection stood | ambiguous |
//! | no connection | `Rejected(Unreachable)`, status 0: see [`transport`] |

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use secrecy::SecretString;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::guard::was_refused;
use super::scrub::scrubbed;
use crate::providers::error::{CallError, Rejection};

/// Status of refusals by our own side: nothing was sent.
pub const NOT_SENT: u16 = 0;

/// Longest pause that is believed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// What a status says where the vendor's own words say no more: the kind of a
/// definite refusal, or `None` when the call may have had an effect.
#[must_use]
pub fn by_status(status: u16, retry_after: Option<Duration>) -> Option<Rejection> {
    Some(match status {
        401 | 403 => Rejection::Unauthorized,
        402 => Rejection::OutOfCredit,
        404 | 410 => Rejection::NotFound,
        429 => Rejection::Quota { retry_after },
        408 | 409 | 425 | 499 => return None,
        400..=498 => Rejection::Invalid,
        _ => return None,
    })
}

/// The advice of an answer's headers on when to come back, or a longer one that
/// stood in its body: `retry-after-ms`, or `Retry-After` in seconds or as a date.
#[must_use]
pub fn retry_after(
    headers: &HeaderMap,
    in_body: Option<Duration>,
    now: OffsetDateTime,
) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let millis = text("retry-after-ms").and_then(|v| v.parse().ok());
    let header = millis.map(Duration::from_millis).or_else(|| {
        let value = text(RETRY_AFTER.as_str())?;
        seconds_or_date(value, now)
    });
    header.max(in_body).map(|wait| wait.min(MAX_RETRY_AFTER))
}

/// `120`, or a date (RFC 9110 §10.2.3).
fn seconds_or_date(value: &str, now: OffsetDateTime) -> Option<Duration> {
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = OffsetDateTime::parse(value, &Rfc2822).ok()?;
    Some(Duration::try_from(at - now).unwrap_or(Duration::ZERO))
}

/// An answer 200 that could not be understood.
#[must_use]
pub fn unreadable(what: &str) -> CallError {
    CallError::Ambiguous {
        message: format!("200, but {what}"),
    }
}

/// A refusal by our own side: nothing was sent.
#[must_use]
pub fn refused_here(message: &str) -> CallError {
    CallError::not_sent(Rejection::Invalid, format!("{message}; nothing was sent"))
}

/// How a request without an answer failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// It could not even be put together.
    Build,
    /// Our own side does not connect to such an address.
    Address,
    /// No connection: name, route, refusal, TLS.
    Connect,
    /// Anything later.
    Later,
}

/// What a request without an answer means.
///
/// `Connect` is a definite "not done". It is reported only by the connector
/// (name resolution, TCP, TLS, a proxy's tunnel), before a byte of the request
/// is written; repetition inside the client is off, and what costs money always
/// uses a connection of its own, so a pooled connection that died can't be
/// behind it. Treating it as unknown would cost the grace and an attempt for
/// every outage of the network, and end in quarantine without the vendor having
/// seen anything.
#[must_use]
pub fn transport(failure: Unanswered, message: String) -> CallError {
    match failure {
        Unanswered::Build => CallError::not_sent(
            Rejection::Invalid,
            format!("the request could not be made: {message}"),
        ),
        Unanswered::Address => CallError::not_sent(
            Rejection::AddressRefused,
            format!("not asked, nothing was sent: {message}"),
        ),
        Unanswered::Connect => CallError::not_sent(
            Rejection::Unreachable,
            format!("not reached, nothing was sent: {message}"),
        ),
        Unanswered::Later => CallError::Ambiguous { message },
    }
}

/// The kind and text of an error of the HTTP client, without its URL.
#[must_use]
pub fn of_reqwest(error: reqwest::Error) -> (Unanswered, String) {
    let failure = if error.is_builder() {
        Unanswered::Build
    } else if was_refused(&error) {
        Unanswered::Address
    } else if error.is_connect() {
        Unanswered::Connect
    } else {
        Unanswered::Later
    };
    (failure, chain(&error.without_url()))
}

/// What a request that ended in an error of the HTTP client means, without the
/// key it was sent with.
#[must_use]
pub fn lost(key: &SecretString, error: reqwest::Error) -> CallError {
    let (failure, message) = of_reqwest(error);
    scrubbed(transport(failure, message), key)
}

/// A request that was answered too late.
#[must_use]
pub fn slow(limit: Duration) -> CallError {
    CallError::Ambiguous {
        message: format!("no answer within {limit:?}"),
    }
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

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00:00 UTC);

    #[test]
    fn every_status() {
        let wait = Some(Duration::from_secs(3));
        for status in 100..1000 {
            let want = match status {
                401 | 403 => Some(Rejection::Unauthorized),
                402 => Some(Rejection::OutOfCredit),
                404 | 410 => Some(Rejection::NotFound),
                429 => Some(Rejection::Quota { retry_after: wait }),
                408 | 409 | 425 | 499 => None,
                400..500 => Some(Rejection::Invalid),
                _ => None,
            };
            assert_eq!(by_status(status, wait), want, "{status}");
        }
    }

    #[test]
    fn advice_on_when_to_come_back() {
        let secs = Duration::from_secs;
        let told = |headers: &[(&'static str, &'static str)], in_body| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, HeaderValue::from_static(value));
            }
            retry_after(&map, in_body, NOW)
        };
        assert_eq!(told(&[], None), None);
        assert_eq!(told(&[("retry-after", "7")], None), Some(secs(7)));
        assert_eq!(
            told(&[("retry-after", "7")], Some(secs(34))),
            Some(secs(34))
        );
        let both = [("retry-after-ms", "1500"), ("retry-after", "2")];
        assert_eq!(told(&both, None), Some(Duration::from_millis(1500)));
        let odd = [("retry-after-ms", "soon"), ("retry-after", "2")];
        assert_eq!(told(&odd, None), Some(secs(2)));
        let date = [("retry-after", "Mon, 23 Nov 2026 12:01:30 GMT")];
        assert_eq!(told(&date, None), Some(secs(90)));
        let long = [("retry-after", "99999999999")];
        assert_eq!(told(&long, None), Some(MAX_RETRY_AFTER));
    }

    #[test]
    fn requests_without_an_answer() {
        let of = |failure| transport(failure, "x".to_owned());
        assert!(of(Unanswered::Build).is_invalid());
        assert!(matches!(
            of(Unanswered::Connect),
            CallError::Rejected {
                status: NOT_SENT,
                kind: Rejection::Unreachable,
                ..
            }
        ));
        assert!(matches!(of(Unanswered::Later), CallError::Ambiguous { .. }));
    }
}
