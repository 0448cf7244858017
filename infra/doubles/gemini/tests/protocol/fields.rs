//! Partial responses, and lists that are hard to read.

use gemini_sim::{Fault, FaultRule, Route};
use serde_json::{Value, json};

use crate::rig::{MODEL, Rig, id};

const WHOLE: &str = "batches?pageSize=50";
const FEW: &str = "batches?fields=nextPageToken,operations(name,metadata(displayName,state),response/responsesFile)";

async fn inline(rig: &Rig, name: &str) -> Value {
    let request = json!({"contents": [{"parts": [{"text": "?"}]}]});
    let batch = json!({"batch": {
        "displayName": name,
        "inputConfig": {"requests": {"requests": [{ "request": request }]}},
    }});
    let path = format!("models/{MODEL}:batchGenerateContent");
    rig.call(reqwest::Method::POST, &path, Some(batch)).await.1
}

#[tokio::test]
async fn an_answer_has_what_is_asked_for() {
    let rig = Rig::new().await;
    for name in ["one", "two", "three"] {
        inline(&rig, name).await;
    }
    let (status, page) = rig.get(&format!("{FEW}&pageSize=2")).await;
    assert_eq!(status, 200);
    let entries = page["operations"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["metadata"].as_object().unwrap().len(), 2);
    assert!(page["nextPageToken"].is_string());
    let (_, page) = rig.get("batches?fields=nextPageToken&pageSize=1").await;
    assert_eq!(page.as_object().unwrap().len(), 1);
    let (_, one) = rig.get(&format!("{}?fields=name", id(&entries[0]))).await;
    assert_eq!(one, json!({"name": entries[0]["name"]}));
    let (status, refused) = rig.get("batches?fields=operations(").await;
    assert_eq!(status, 400);
    let told = refused["error"]["details"][0]["fieldViolations"][0]["description"].as_str();
    assert!(told.unwrap().starts_with("Error expanding 'fields'"));
}

#[tokio::test]
async fn a_mask_may_be_refused_or_ignored() {
    let rig = Rig::new().await;
    inline(&rig, "one").await;
    let outside = "batches?fields=operations(name,metadata)";
    let inside = rig.fault(FaultRule::new(Fault::RefuseFields { inside: true }));
    assert_eq!(rig.get(FEW).await.0, 400);
    assert_eq!(rig.get(outside).await.0, 200);
    rig.sim.faults().remove(inside);
    let all = rig.fault(FaultRule::new(Fault::RefuseFields { inside: false }));
    assert_eq!(rig.get(outside).await.0, 400);
    assert_eq!(rig.get(WHOLE).await.0, 200);
    rig.sim.faults().remove(all);
    rig.fault(FaultRule::new(Fault::IgnoreFields).on(Route::BatchList));
    let (_, page) = rig.get(FEW).await;
    assert!(page["operations"][0]["metadata"]["createTime"].is_string());
}

#[tokio::test]
async fn lists_can_be_large_and_unreadable() {
    let rig = Rig::new().await;
    let batch = inline(&rig, "foreign").await;
    let large = rig.fault(FaultRule::new(Fault::Inlined { bytes: 2_000_000 }));
    let length = async |path: &str| rig.get(path).await.1.to_string().len();
    assert!(length(WHOLE).await > 2_000_000);
    assert!(length(FEW).await < 1_000);
    rig.sim.faults().remove(large);

    let rule = |malformed, by_name| {
        FaultRule::new(Fault::Poison { malformed, by_name }).display_name("foreign")
    };
    let names = "batches?fields=operations/name";
    let failing = rig.fault(rule(false, false));
    assert_eq!(rig.get(WHOLE).await.0, 500);
    assert_eq!(rig.get(names).await.0, 200);
    assert_eq!(rig.get(id(&batch)).await.0, 200);
    rig.sim.faults().remove(failing);
    rig.fault(rule(true, true));
    let (_, page) = rig.get(WHOLE).await;
    assert!(page["operations"][0]["metadata"].is_array());
    assert!(rig.get(id(&batch)).await.1["metadata"].is_array());
}
