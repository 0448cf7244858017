//! Operations as Google writes them (shapes of `PROTOCOL.md` §2.3,
//! written anew) and as they should not be.

use super::*;
use serde_json::Value;
use time::macros::datetime;

fn credential() -> Credential {
    Credential {
        id: "cred_1".to_owned(),
        secret: "AQ.secret".into(),
    }
}

fn read(operation: Value) -> BatchStatus {
    let operation: wire::Operation = serde_json::from_value(operation).unwrap();
    status_of("batches/asked".to_owned(), operation, &credential())
}

fn finished() -> Value {
    json!({
        "name": "batches/0a1b2c3d4e5f60718293a4b5c6d7e8f9g0h1",
        "metadata": {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
            "model": "models/gemini-2.5-flash",
            "displayName": "test-unit-a1",
            "inputConfig": {"fileName": "files/sttabc"},
            "output": {"responsesFile": "files/batch-0a1b2c3d4e5f60718293a4b5c6d7e8f9g0h1"},
            "createTime": "2026-07-02T14:40:59.019821594Z",
            "endTime": "2026-07-02T14:41:59.019821594Z",
            "batchStats": {"requestCount": "4", "successfulRequestCount": "4"},
            "state": "BATCH_STATE_SUCCEEDED",
            "name": "batches/0a1b2c3d4e5f60718293a4b5c6d7e8f9g0h1",
        },
        "done": true,
        "response": {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatchOutput",
            "responsesFile": "files/batch-0a1b2c3d4e5f60718293a4b5c6d7e8f9g0h1",
        },
    })
}

#[test]
fn a_finished_batch() {
    let status = read(finished());
    assert_eq!(status.state, BatchState::Succeeded);
    assert_eq!(status.display_name, "test-unit-a1");
    assert_eq!(
        status.created_at,
        Some(datetime!(2026-07-02 14:40:59.019821594 UTC))
    );
    let output = Some("files/batch-0a1b2c3d4e5f60718293a4b5c6d7e8f9g0h1".to_owned());
    assert_eq!((status.output.clone(), status.error), (output, None));
    // Either of the two places is enough.
    let mut only_response = finished();
    only_response["metadata"]["output"].take();
    assert_eq!(read(only_response).output, status.output);
    let mut only_metadata = finished();
    only_metadata["response"].take();
    assert_eq!(read(only_metadata).output, status.output);
}

#[test]
fn succeeded_without_output_is_just_that() {
    let status = read(json!({"metadata": {"state": "BATCH_STATE_SUCCEEDED"}, "done": true}));
    assert_eq!((status.state, status.output), (BatchState::Succeeded, None));
    // A reference that is not a name is no reference.
    let odd = read(json!({"response": {"responsesFile": "https://evil/files/x"}}));
    assert_eq!(odd.output, None);
}

#[test]
fn every_state() {
    let unknown = |s: &str| BatchState::Unknown(s.to_owned());
    for prefix in ["BATCH_STATE_", "JOB_STATE_", ""] {
        for (state, want) in [
            ("PENDING", BatchState::Pending),
            ("RUNNING", BatchState::Running),
            ("SUCCEEDED", BatchState::Succeeded),
            ("FAILED", BatchState::Failed),
            ("CANCELLED", BatchState::Cancelled),
            ("EXPIRED", BatchState::Expired),
            ("UNSPECIFIED", unknown("UNSPECIFIED")),
            ("HIBERNATING", unknown("HIBERNATING")),
        ] {
            let status = read(json!({"metadata": {"state": format!("{prefix}{state}")}}));
            assert_eq!(status.state, want, "{prefix}{state}");
        }
    }
    let long = read(json!({"metadata": {"state": format!("<script>{}", "X".repeat(500))}}));
    let BatchState::Unknown(text) = long.state else {
        panic!()
    };
    assert!(text.len() == MAX_STATE && text.starts_with("scriptX"));
}

#[test]
fn without_a_state_the_operation_tells() {
    for (operation, want) in [
        (
            json!({"done": true, "error": {"code": 1, "message": "x"}}),
            BatchState::Cancelled,
        ),
        (
            json!({"done": true, "error": {"code": 13}}),
            BatchState::Failed,
        ),
        (
            json!({"done": true, "response": {"responsesFile": "files/a"}}),
            BatchState::Succeeded,
        ),
        (
            json!({"done": true}),
            BatchState::Unknown("UNSPECIFIED".to_owned()),
        ),
        (
            json!({"metadata": {"state": 4}}),
            BatchState::Unknown("UNSPECIFIED".to_owned()),
        ),
    ] {
        assert_eq!(read(operation.clone()).state, want, "{operation}");
    }
}

#[test]
fn reasons_are_cleaned() {
    let status = read(json!({"error": {"code": 3, "message": "bad AQ.secret https://h/x?sig=1"}}));
    assert_eq!(
        status.error.as_deref(),
        Some("3: bad REDACTED https://h/x?[query]")
    );
}

#[test]
fn names_of_either_place() {
    let name = |value: Value| name_of(&serde_json::from_value(value).unwrap());
    assert_eq!(
        name(json!({"name": "batches/a"})).as_deref(),
        Some("batches/a")
    );
    assert_eq!(
        name(json!({"metadata": {"name": "batches/a"}})).as_deref(),
        Some("batches/a")
    );
    assert_eq!(
        name(json!({"name": "operations/a", "metadata": {"name": "batches/b"}})).as_deref(),
        Some("batches/b")
    );
    for odd in [
        json!({}),
        json!({"name": "batches/"}),
        json!({"name": "batches/../a"}),
        json!({"name": 3}),
    ] {
        assert_eq!(name(odd.clone()), None, "{odd}");
    }
}

#[test]
fn a_job_that_is_paused_or_updated_is_still_open() {
    for (told, state) in [
        ("JOB_STATE_PAUSED", BatchState::Pending),
        ("BATCH_STATE_PAUSED", BatchState::Pending),
        ("JOB_STATE_UPDATING", BatchState::Running),
    ] {
        let mut operation = finished();
        operation["metadata"]["state"] = told.into();
        assert_eq!(read(operation).state, state, "{told}");
    }
}

#[test]
fn a_refused_creation_says_what_it_is_about() {
    let of = |status, kind, message: &str| {
        let error = CallError::Rejected {
            status,
            kind,
            message: message.to_owned(),
        };
        match not_created(error) {
            CallError::Rejected { kind, .. } => kind,
            other => panic!("{other}"),
        }
    };
    let gone = "PERMISSION_DENIED: You do not have permission to access the File sttabc or it \
                may not exist.";
    assert_eq!(of(403, Rejection::Unauthorized, gone), Rejection::InputGone);
    let key = "PERMISSION_DENIED: The caller does not have permission";
    assert_eq!(
        of(403, Rejection::Unauthorized, key),
        Rejection::Unauthorized
    );
    let model = "NOT_FOUND: This model models/gemini-2.5-flash is no longer available to new \
                 users.";
    assert_eq!(of(404, Rejection::NotFound, model), Rejection::NotFound);
    let bad_key = "INVALID_ARGUMENT: API key not valid, files/x";
    assert_eq!(
        of(400, Rejection::Unauthorized, bad_key),
        Rejection::Unauthorized
    );
}
