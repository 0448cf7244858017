//! What is not taken.

use serde_json::{Value, json};
use stt_eval_tests::Machine;

use crate::{dataset, id, report, run, told};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_requests_are_named_and_foreign_runs_unknown() {
    let machine = Machine::start().await;
    let client = machine.client("demo");
    let samples = [told(
        "one two",
        Some("one two"),
        Some("one"),
        json!({ "speaker": "a" }),
    )];
    let made = dataset(&machine, &client, json!({}), &samples).await;
    let run = run(&machine, &client, &made).await;
    let path = format!("/runs/{}", id(&run));
    for (query, status, field) in [
        ("groupby=x", 400, "groupby"),
        ("group_by=speaker&group_by=speaker", 400, "group_by"),
        ("group_by=", 422, "group_by"),
        ("group_by=nothing", 422, "group_by"),
        ("block_by=nothing", 422, "block_by"),
        ("normalizer=nfc-v1", 422, "normalizer"),
        ("normalizer=", 422, "normalizer"),
        ("scoring=2", 422, "scoring"),
        ("scoring=x", 422, "scoring"),
        ("scoring=1&normalizer=indic-v1", 422, "scoring"),
    ] {
        let answer = client.get(&format!("{path}/report?{query}")).await;
        assert_eq!(answer.refused(status), [field], "{query}");
    }
    let missing = client
        .get(&format!("{path}/report?normalizer=nfc-v1"))
        .await;
    assert!(missing.text.contains("1 (indic-v1)"), "{}", missing.text);
    let _ = report(&client, &run, "scoring=1&group_by=speaker").await;

    let rescore = format!("{path}/rescore");
    let unknown = client
        .post(&rescore, &json!({ "normaliser": "raw-v1" }))
        .await;
    assert_eq!(unknown.refused(400), ["normaliser"]);
    let unknown = client
        .post(&rescore, &json!({ "normalizer": "whisper" }))
        .await;
    assert_eq!(unknown.refused(422), ["normalizer"]);

    // A run of another project is as one that never was.
    let stranger = machine.client("other");
    let never = path.replace(&id(&run), "run_01ARZ3NDEKTSV4RRFFQ0000000");
    for (method, end) in [("GET", "/report"), ("POST", "/rescore")] {
        let foreign = stranger
            .send(stranger.request(method, &format!("{path}{end}")))
            .await;
        let never = stranger
            .send(stranger.request(method, &format!("{never}{end}")))
            .await;
        assert_eq!((foreign.status, never.status), (404, 404));
        assert_eq!(foreign.body["error"], never.body["error"]);
    }
    for method in ["GET", "POST"] {
        let end = if method == "GET" { "report" } else { "rescore" };
        let anonymous = machine.anonymous();
        let answer = anonymous
            .send(anonymous.request(method, &format!("{path}/{end}")))
            .await;
        assert_eq!(answer.status, 401);
    }
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keywords_are_checked() {
    let machine = Machine::start().await;
    let client = machine.client("demo");
    let audio = stt_eval_tests::audio::wav(1, 0.2);
    let file = machine.upload(&client, "a.wav", "audio/wav", &audio).await;
    let make = async |keywords: Value| {
        let samples = json!([{ "file_id": file["id"] }]);
        let body =
            json!({ "name": "k", "language": "en", "samples": samples, "keywords": keywords });
        client.post("/datasets", &body).await
    };
    let many: Vec<String> = (0..201).map(|n| n.to_string()).collect();
    for (keywords, field) in [
        (json!(many), "keywords"),
        (json!(["a", " "]), "keywords[1]"),
        (json!(["a", "b", " a "]), "keywords[2]"),
        (json!(["x".repeat(101)]), "keywords[0]"),
        (json!([1]), "keywords[0]"),
        (json!("a"), "keywords"),
    ] {
        assert_eq!(make(keywords).await.refused(422), [field]);
    }
    let made = make(json!([" two tablets ", "अ".repeat(100)]))
        .await
        .data(201)
        .clone();
    assert_eq!(made["keywords"][0], "two tablets");
    let shown = client.get(&format!("/datasets/{}", id(&made))).await;
    assert_eq!(shown.data(200)["keywords"], made["keywords"]);
    machine.stop().await;
}
