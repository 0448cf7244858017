//! Tables: what was seen, what it means, what is said of it.

use super::*;
use crate::providers::http::scrubbed;
use reqwest::header::{HeaderValue, RETRY_AFTER};
use secrecy::SecretString;
use serde_json::json;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-23 12:00:00 UTC);

fn body(code: u16, status: &str, details: serde_json::Value) -> Vec<u8> {
    json!({"error": {"code": code, "message": "told", "status": status, "details": details}})
        .to_string()
        .into_bytes()
}

fn seen(status: u16, body: &[u8]) -> CallError {
    classify(status, &HeaderMap::new(), body, About::Other, NOW)
}

fn kind(error: &CallError) -> Option<Rejection> {
    match error {
        CallError::Rejected { kind, .. } => Some(*kind),
        CallError::Ambiguous { .. } | CallError::Unreadable { .. } | CallError::Input { .. } => {
            None
        }
    }
}

#[test]
fn every_status() {
    let quota = Rejection::Quota { retry_after: None };
    let table = [
        (400, "INVALID_ARGUMENT", Some(Rejection::Invalid)),
        (400, "FAILED_PRECONDITION", Some(Rejection::Invalid)),
        (401, "UNAUTHENTICATED", Some(Rejection::Unauthorized)),
        (402, "", Some(Rejection::Unauthorized)),
        (403, "PERMISSION_DENIED", Some(Rejection::Unauthorized)),
        (404, "NOT_FOUND", Some(Rejection::NotFound)),
        (405, "", Some(Rejection::Invalid)),
        (408, "", None),
        (409, "ALREADY_EXISTS", Some(Rejection::Exists)),
        (409, "ABORTED", None),
        (410, "", Some(Rejection::NotFound)),
        (413, "", Some(Rejection::Invalid)),
        (415, "", Some(Rejection::Invalid)),
        (422, "", Some(Rejection::Invalid)),
        (425, "", None),
        (429, "RESOURCE_EXHAUSTED", Some(quota)),
        (499, "CANCELLED", None),
        (500, "INTERNAL", None),
        (501, "UNIMPLEMENTED", None),
        (502, "", None),
        (503, "UNAVAILABLE", None),
        (504, "DEADLINE_EXCEEDED", None),
        (599, "", None),
        (301, "", None),
        (302, "", None),
        (204, "", None),
        (100, "", None),
        (999, "", None),
    ];
    for (status, name, want) in table {
        let said = seen(status, &body(status, name, json!([])));
        assert_eq!(kind(&said), want, "{status} {name}: {said:?}");
        // The same without a body of the API: only ABORTED needs one.
        if name != "ABORTED" {
            for other in ["", "<html>sorry</html>", "[]", "null", "{\"error\":\"x\"}"] {
                assert_eq!(
                    kind(&seen(status, other.as_bytes())),
                    want,
                    "{status} {other}"
                );
            }
        }
    }
}

#[test]
fn a_wrong_key_is_400_with_a_reason() {
    let info =
        json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]);
    let wrong = body(400, "INVALID_ARGUMENT", info.clone());
    assert_eq!(kind(&seen(400, &wrong)), Some(Rejection::Unauthorized));
    let text = br#"{"error":{"message":"API key not valid. Please pass a valid API key."}}"#;
    assert_eq!(kind(&seen(400, text)), Some(Rejection::Unauthorized));
    let disabled = body(
        403,
        "PERMISSION_DENIED",
        json!([{"reason": "SERVICE_DISABLED"}]),
    );
    for about in [About::File, About::Other] {
        let said = classify(403, &HeaderMap::new(), &disabled, about, NOW);
        assert_eq!(kind(&said), Some(Rejection::Unauthorized));
    }
}

#[test]
fn forbidden_files_are_gone() {
    let body = body(403, "PERMISSION_DENIED", json!([]));
    let said = classify(403, &HeaderMap::new(), &body, About::File, NOW);
    assert_eq!(kind(&said), Some(Rejection::NotFound));
}

#[test]
fn advice_on_when_to_come_back() {
    let secs = Duration::from_secs;
    let told = |header: Option<&'static str>, details: serde_json::Value| {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(header));
        }
        let body = body(429, "RESOURCE_EXHAUSTED", details);
        match kind(&classify(429, &headers, &body, About::Other, NOW)) {
            Some(Rejection::Quota { retry_after }) => retry_after,
            other => panic!("{other:?}"),
        }
    };
    let info = |delay: &str| json!([{"@type": "x"}, {"retryDelay": delay}, 5]);
    assert_eq!(told(None, json!([])), None);
    assert_eq!(told(Some("7"), json!([])), Some(secs(7)));
    assert_eq!(told(Some(" 7 "), info("34s")), Some(secs(34)));
    assert_eq!(told(None, info("0.5s")), Some(Duration::from_millis(500)));
    assert_eq!(told(Some("40"), info("34.25s")), Some(secs(40)));
    assert_eq!(
        told(Some("Mon, 23 Nov 2026 12:01:30 GMT"), json!([])),
        Some(secs(90))
    );
    assert_eq!(
        told(Some("Mon, 23 Nov 2026 11:00:00 GMT"), json!([])),
        Some(secs(0))
    );
    assert_eq!(told(Some("99999999999"), json!([])), Some(secs(24 * 3600)));
    for odd in ["-5", "soon", "1.5", ""] {
        assert_eq!(told(Some(odd), json!([])), None, "{odd}");
    }
    for odd in ["34", "-3s", "NaNs", "infs", "s", ""] {
        assert_eq!(told(None, info(odd)), None, "{odd}");
    }
}

#[test]
fn no_error_keeps_the_key() {
    let key = SecretString::from("AQ.secret");
    let body = br#"{"error":{"status":"INVALID_ARGUMENT","message":"bad key AQ.secret in https://x/y?key=AQ.secret"}}"#;
    for status in [400, 401, 403, 404, 409, 429, 500, 302] {
        let said = scrubbed(seen(status, body), &key);
        assert!(
            !format!("{said:?} {said}").contains("AQ.secret"),
            "{said:?}"
        );
    }
    let input = scrubbed(
        CallError::Input {
            message: "s3://b?k=AQ.secret".to_owned(),
        },
        &key,
    );
    assert!(!input.to_string().contains("AQ.secret"));
}

proptest::proptest! {
    #[test]
    fn any_answer_is_classified(status in 100_u16..1000, body: Vec<u8>) {
        let _ = classify(status, &HeaderMap::new(), &body, About::File, NOW);
    }
}
