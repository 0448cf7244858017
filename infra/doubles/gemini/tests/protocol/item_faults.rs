//! Faults of single results.

use gemini_sim::{ErrorMember, Fault, FaultRule, MalformedForm};
use serde_json::{Value, json};

use crate::rig::{MODEL, Rig, text};

/// Runs a batch of a and b with a fault on b and returns the rows.
async fn with(fault: Fault) -> Vec<Value> {
    let rig = Rig::new().await;
    rig.fault(FaultRule::once(fault).item_key("b"));
    let rows = rig.rows(&["a", "b"]).await;
    assert_eq!(rows[0]["key"], "a");
    assert_eq!(text(&rows[0]), "a", "the other line is whole");
    rows[1..].to_vec()
}

/// The only candidate of a row.
fn candidate(row: &Value) -> &Value {
    &row["response"]["candidates"][0]
}

#[tokio::test]
async fn lines_can_be_missing_double_or_under_another_key() {
    assert!(with(Fault::ItemMissing).await.is_empty());
    let rows = with(Fault::ItemDuplicate { text: None }).await;
    assert_eq!((rows.len(), &rows[0]), (2, &rows[1]));
    let rows = with(Fault::ItemDuplicate {
        text: Some("other".to_owned()),
    })
    .await;
    assert_eq!((text(&rows[0]), text(&rows[1])), ("b", "other"));
    assert_eq!(rows[0]["key"], rows[1]["key"]);
    let rows = with(Fault::ItemUnknownKey {
        key: "ghost".to_owned(),
    })
    .await;
    assert_eq!((rows.len(), &rows[0]["key"]), (1, &json!("ghost")));
}

#[tokio::test]
async fn lines_can_be_malformed() {
    for form in [
        MalformedForm::Truncated,
        MalformedForm::NotJson,
        MalformedForm::NotObject,
        MalformedForm::BadUtf8,
        MalformedForm::Empty,
    ] {
        let rig = Rig::new().await;
        rig.fault(FaultRule::once(Fault::ItemMalformed { form }).item_key("b"));
        let lines = rig.lines(&["a", "b", "c"]).await;
        let usable = |line: &Vec<u8>| {
            serde_json::from_slice::<Value>(line).is_ok_and(|row| row["key"].is_string())
        };
        let good: Vec<bool> = lines.iter().map(usable).collect();
        assert_eq!(good, [true, false, true], "{form:?}");
    }
}

#[tokio::test]
async fn items_can_fail_in_two_places() {
    for (member, name) in [
        (ErrorMember::Error, "error"),
        (ErrorMember::Status, "status"),
    ] {
        let message = "The operation was cancelled.".to_owned();
        let rows = with(Fault::ItemError {
            member,
            code: 1,
            message,
        })
        .await;
        assert_eq!(rows[0][name]["code"], 1);
        assert!(rows[0].get("response").is_none());
        assert_eq!(rows[0]["key"], "b");
    }
}

#[tokio::test]
async fn all_lines_can_fail_in_a_batch_that_succeeds() {
    let rig = Rig::new().await;
    let fault = Fault::ItemError {
        member: ErrorMember::Error,
        code: 13,
        message: "no".to_owned(),
    };
    rig.fault(FaultRule::new(fault));
    let ended = rig
        .done(&rig.create("x", &rig.input(&["a", "b"]).await).await)
        .await;
    assert_eq!(ended["metadata"]["state"], "BATCH_STATE_SUCCEEDED");
    assert_eq!(
        ended["metadata"]["batchStats"],
        json!({"requestCount": "2", "failedRequestCount": "2"})
    );
}

#[tokio::test]
async fn responses_can_have_no_text() {
    let rows = with(Fault::ItemNoCandidates).await;
    assert!(rows[0]["response"].get("candidates").is_none());
    let rows = with(Fault::ItemBlocked {
        reason: "PROHIBITED_CONTENT".to_owned(),
    })
    .await;
    assert_eq!(
        rows[0]["response"]["promptFeedback"]["blockReason"],
        "PROHIBITED_CONTENT"
    );
    assert!(rows[0]["response"].get("candidates").is_none());
    for reason in ["RECITATION", "SAFETY"] {
        let rows = with(Fault::ItemFinish {
            reason: reason.to_owned(),
            text: None,
        })
        .await;
        assert_eq!(candidate(&rows[0])["finishReason"], reason);
        assert!(candidate(&rows[0]).get("content").is_none());
    }
    let rows = with(Fault::ItemThoughtOnly).await;
    let parts = candidate(&rows[0])["content"]["parts"].as_array().unwrap();
    assert!(parts.iter().all(|part| part["thought"] == true));
}

#[tokio::test]
async fn responses_can_be_unusual() {
    let cut = Fault::ItemFinish {
        reason: "MAX_TOKENS".to_owned(),
        text: Some("b b b".to_owned()),
    };
    let rows = with(cut).await;
    assert_eq!(candidate(&rows[0])["finishReason"], "MAX_TOKENS");
    assert_eq!(text(&rows[0]), "b b b");
    let rows = with(Fault::ItemText {
        text: "x".repeat(1 << 20),
    })
    .await;
    assert_eq!(text(&rows[0]).len(), 1 << 20);
    let rows = with(Fault::ItemNoUsage).await;
    assert_eq!(text(&rows[0]), "b");
    assert!(rows[0]["response"].get("usageMetadata").is_none());
    let rows = with(Fault::ItemParts).await;
    let joined: String = candidate(&rows[0])["content"]["parts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|part| part["thought"] != true)
        .filter_map(|part| part["text"].as_str())
        .collect();
    assert_eq!(joined, "b");
}

#[tokio::test]
async fn faults_reach_inline_and_synchronous_answers() {
    let rig = Rig::new().await;
    let audio = rig.audio("said").await;
    let data = json!({"fileUri": audio["uri"], "mimeType": "audio/wav"});
    let request = json!({"contents": [{"role": "user", "parts": [{"fileData": data}]}]});
    rig.fault(FaultRule::once(Fault::ItemFinish {
        reason: "SAFETY".to_owned(),
        text: None,
    }));
    let (_, answer) = rig
        .post(&format!("models/{MODEL}:generateContent"), request.clone())
        .await;
    assert_eq!(answer["candidates"][0]["finishReason"], "SAFETY");
    let item = |key: &str| json!({"request": request, "metadata": {"key": key}});
    rig.fault(FaultRule::once(Fault::ItemMissing).item_key("a"));
    let requests = json!({"requests": {"requests": [item("a"), item("b")]}});
    let body = json!({"batch": {"inputConfig": requests}});
    let (_, created) = rig
        .post(&format!("models/{MODEL}:batchGenerateContent"), body)
        .await;
    let ended = rig.done(&created).await;
    let items = ended
        .pointer("/response/inlinedResponses/inlinedResponses")
        .unwrap();
    assert_eq!(items.as_array().unwrap().len(), 1);
    assert_eq!(items[0]["metadata"]["key"], "b");
}
