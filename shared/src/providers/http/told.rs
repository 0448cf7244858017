//! What a refusal says in its body, whatever shape the vendor gives it.
//!
//! Seen in the field: `{"error": {"message", "type", "code"}}` (`OpenAI`, Groq,
//! vLLM, Sarvam), `{"error": "…"}` (whisper.cpp, `AssemblyAI`), `{"detail": "…"}`
//! and `{"detail": [{"loc", "msg"}]}` (`FastAPI`: speaches, vLLM, Mistral),
//! `{"detail": {"status", "message"}}` (`ElevenLabs`), `{"err_code", "err_msg"}` and
//! `{"category", "message"}` (Deepgram), plain text.

use reqwest::header::HeaderMap;
use serde_json::Value;
use time::OffsetDateTime;

use super::errors::{by_status, retry_after};
use crate::providers::error::{CallError, Rejection};

/// What a refusal says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Every code in it: of the error, of its type, of its category.
    pub codes: Vec<String>,
    /// Its text. For logs only.
    pub message: String,
}

impl Told {
    /// Reads the body of a refusal. Never fails: what is no JSON is a text.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return Self {
                codes: Vec::new(),
                message: String::from_utf8_lossy(body).into_owned(),
            };
        };
        let mut told = Self::default();
        told.of(&value);
        for inner in ["error", "detail"] {
            told.of(&value[inner]);
        }
        if told.message.is_empty() {
            told.message = value.to_string();
        }
        told
    }

    fn of(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.say(text),
            Value::Array(several) => {
                for one in several {
                    self.of(one);
                }
            }
            Value::Object(fields) => {
                for name in ["code", "type", "status", "err_code", "category"] {
                    if let Some(Value::String(code)) = fields.get(name) {
                        self.codes.push(code.clone());
                    }
                }
                for name in ["message", "msg", "err_msg"] {
                    if let Some(Value::String(text)) = fields.get(name) {
                        self.say(text);
                    }
                }
            }
            _ => {}
        }
    }

    fn say(&mut self, text: &str) {
        if !self.message.is_empty() {
            self.message.push_str("; ");
        }
        self.message.push_str(text);
    }

    /// Whether it has one of these codes.
    #[must_use]
    pub fn has(&self, codes: &[&str]) -> bool {
        let mut own = self.codes.iter();
        own.any(|code| codes.iter().any(|c| c.eq_ignore_ascii_case(code)))
    }
}

/// What a refusal of a call that costs money means. `refine` is the vendor's own
/// reading of it, where that says more than the status.
///
/// Besides what [`by_status`] says: a redirection is a definite refusal, for the
/// audio was not taken there and it is not followed; 503 with advice on when to
/// come back is a pause, and without it the outcome is unknown.
pub fn refused_call(
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    refine: impl FnOnce(u16, &Told) -> Option<Rejection>,
) -> CallError {
    let told = Told::read(body);
    let wait = retry_after(headers, None, OffsetDateTime::now_utc());
    let kind = refine(status, &told).or(match status {
        300..=399 => Some(Rejection::Redirected),
        503 if wait.is_some() => Some(Rejection::Quota { retry_after: wait }),
        _ => by_status(status, wait),
    });
    let code = told.codes.first().map(String::as_str).unwrap_or_default();
    let message = format!("{status} {code} {}", told.message);
    match kind {
        // The advice stands in the headers, whoever told the kind.
        Some(Rejection::Quota { retry_after }) => CallError::Rejected {
            status,
            kind: Rejection::Quota {
                retry_after: retry_after.max(wait),
            },
            message,
        },
        Some(kind) => CallError::Rejected {
            status,
            kind,
            message,
        },
        None => CallError::Ambiguous { message },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn every_shape_is_read() {
        for (body, code, message) in [
            (
                r#"{"error":{"message":"No credit","type":"insufficient_quota","code":null}}"#,
                "insufficient_quota",
                "No credit",
            ),
            (r#"{"error":"no 'file' field"}"#, "", "no 'file' field"),
            (r#"{"detail":"Not Found"}"#, "", "Not Found"),
            (
                r#"{"detail":[{"loc":["body","file"],"msg":"Field required","type":"missing"}]}"#,
                "missing",
                "Field required",
            ),
            (
                r#"{"detail":{"status":"quota_exceeded","message":"0 credits"}}"#,
                "quota_exceeded",
                "0 credits",
            ),
            (
                r#"{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials."}"#,
                "INVALID_AUTH",
                "Invalid credentials.",
            ),
            (
                r#"{"object":"error","message":"Unauthorized","type":"auth"}"#,
                "auth",
                "Unauthorized",
            ),
            ("<html>", "", "<html>"),
            ("", "", ""),
            ("[]", "", "[]"),
        ] {
            let told = Told::read(body.as_bytes());
            assert_eq!(told.message, message, "{body}");
            assert!(code.is_empty() || told.has(&[code]), "{told:?}");
        }
    }

    fn kind(status: u16, wait: Option<&'static str>, body: &str) -> Option<Rejection> {
        let mut headers = HeaderMap::new();
        if let Some(wait) = wait {
            headers.insert("retry-after", HeaderValue::from_static(wait));
        }
        let refine = |_, told: &Told| {
            told.has(&["rate"])
                .then_some(Rejection::Quota { retry_after: None })
        };
        match refused_call(status, &headers, body.as_bytes(), refine) {
            CallError::Rejected { kind, .. } => Some(kind),
            _ => None,
        }
    }

    #[test]
    fn what_a_refused_call_means() {
        let secs = |s| Some(Duration::from_secs(s));
        assert_eq!(kind(302, None, ""), Some(Rejection::Redirected));
        assert_eq!(kind(503, None, ""), None);
        let pause = Some(Rejection::Quota {
            retry_after: secs(7),
        });
        assert_eq!(kind(503, Some("7"), ""), pause);
        // The vendor's own reading goes first, with the advice of the headers.
        assert_eq!(kind(500, Some("7"), r#"{"error":{"code":"rate"}}"#), pause);
        assert_eq!(kind(500, Some("7"), ""), None);
        assert_eq!(kind(402, None, ""), Some(Rejection::OutOfCredit));
    }
}
