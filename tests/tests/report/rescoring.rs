//! Scoring again: old scores stay, new ones count all at once.

use serde_json::{Value, json};
use stt_eval_tests::{Client, Machine};

use crate::{FLASH, PRO, close, dataset, id, report, run, scored, told};

fn headline<'a>(report: &'a Value, model: &str) -> &'a Value {
    let providers = report["providers"].as_array().unwrap();
    &providers
        .iter()
        .find(|provider| provider["provider"] == model)
        .unwrap()["score"]
}

async fn by_wer(client: &Client, run: &Value) -> Vec<Value> {
    let path = format!("/runs/{}/results?sort=-wer", id(run));
    client
        .get(&path)
        .await
        .data(200)
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_scores_stay_and_new_ones_count() {
    let machine = Machine::start().await;
    let client = machine.client("demo");
    let samples = [
        told(
            "One two, three.",
            Some("one two three"),
            Some("one two"),
            json!({}),
        ),
        told("four five", Some("four six"), None, json!({})),
    ];
    let made = dataset(&machine, &client, json!({}), &samples).await;
    let run = run(&machine, &client, &made).await;
    assert_eq!(run["scorings"].as_array().unwrap().len(), 1);
    close(&run["score"][PRO]["wer"], 1.0 / 5.0);
    close(&run["score"][FLASH]["wer"], 3.0 / 5.0);
    let before = report(&client, &run, "").await;
    let first = by_wer(&client, &run).await;
    assert_eq!(first[0]["transcription"], "four six");

    // A corrected reference counts only once the run is scored again.
    let set = format!("/datasets/{}?include_samples=true", id(&made));
    let set = client.get(&set).await.data(200)["samples"].clone();
    let corrected = json!({ "ground_truth": "four six" });
    let _ = client
        .patch(&format!("/samples/{}", id(&set[1])), &corrected)
        .await
        .data(200);
    let warned = async |run: &Value| {
        let found = report(&client, run, "").await;
        let warnings = found["warnings"].as_array().unwrap().clone();
        let changed = |warning: &&Value| warning["code"] == "references_changed";
        warnings.iter().find(changed).cloned()
    };
    let told = warned(&run).await.unwrap();
    assert_eq!(told["count"], 1);
    assert!(
        told["message"]
            .as_str()
            .unwrap()
            .contains("score the run again"),
        "{told}"
    );
    let path = format!("/runs/{}/rescore", id(&run));
    let request = || {
        client
            .request("POST", &path)
            .header("idempotency-key", "again")
            .json(&json!({ "normalizer": "raw-v1" }))
    };
    let accepted = client.send(request()).await.data(202).clone();
    assert_eq!(accepted["scorings"][1]["normalizer"], "raw-v1");
    assert_eq!(accepted["status"], "completed");
    assert_eq!(client.send(request()).await.data(202)["id"], run["id"]);
    let run = scored(&machine, &client, &run).await;
    assert_eq!(warned(&run).await, None);
    let scorings = run["scorings"].as_array().unwrap();
    assert_eq!(scorings.len(), 2, "the same request scores once");
    assert_eq!(
        (&scorings[0]["current"], &scorings[1]["current"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(run["config"]["normalizer"], "indic-v1");

    // Untouched texts: "One" and "two," and "three." are other words.
    close(&run["score"][PRO]["wer"], 3.0 / 5.0);
    close(&run["score"][FLASH]["wer"], 5.0 / 5.0);
    let now = by_wer(&client, &run).await;
    assert_eq!(now.len(), 3);
    let rates: Vec<f64> = now
        .iter()
        .map(|r| r["score"]["wer"].as_f64().unwrap())
        .collect();
    assert!(rates.is_sorted_by(|a, b| a >= b), "{rates:?}");
    let corrected = now
        .iter()
        .find(|r| r["transcription"] == "four six")
        .unwrap();
    assert_eq!(corrected["ground_truth"], "four six");
    assert_eq!(corrected["reference_version"], 2);
    assert_eq!(corrected["score"]["normalizer"], "raw-v1");
    assert_eq!(corrected["score"]["scorer_version"], "1");
    close(&corrected["score"]["wer"], 0.0);
    let alone = client.get(&format!("/results/{}", id(corrected))).await;
    assert_eq!(alone.data(200), corrected);
    let cursor = client
        .get(&format!("/runs/{}/results?sort=wer&limit=2", id(&run)))
        .await;
    let cursor = cursor.body["metadata"]["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    let rest = client
        .get(&format!(
            "/runs/{}/results?sort=wer&limit=2&cursor={cursor}",
            id(&run)
        ))
        .await;
    assert_eq!(rest.data(200).as_array().unwrap().len(), 1);

    // Both can be asked for; the old one says what it said.
    let new = report(&client, &run, "").await;
    close(&headline(&new, PRO)["wer"], 3.0 / 5.0);
    assert_eq!(new["scoring"]["id"], 2);
    for query in ["normalizer=indic-v1", "scoring=1"] {
        let old = report(&client, &run, query).await;
        assert_eq!(old["providers"], before["providers"], "{query}");
        assert_eq!(old["comparison"], before["comparison"], "{query}");
    }

    // A retry goes on in the scoring that counts.
    for (number, _) in samples.iter().enumerate() {
        let audio = stt_eval_tests::audio::wav(7_000 + u32::try_from(number).unwrap(), 0.5);
        crate::teach(&machine, &audio, FLASH, Some("four six"));
    }
    let retried = client
        .post(&format!("/runs/{}/retry", id(&run)), &json!({}))
        .await;
    let run = machine.ended(&client, retried.data(202)).await;
    close(&run["score"][FLASH]["wer"], 3.0 / 5.0);
    let late = by_wer(&client, &run).await;
    assert_eq!(late.len(), 4);
    let old = report(&client, &run, "scoring=1").await;
    close(&headline(&old, FLASH)["wer"], 3.0 / 5.0);
    assert_eq!(old["providers"][1]["failures"]["retried_since"], 1);

    // And once more, with the default of what counts; then it can be deleted.
    let again = client
        .post(&format!("/runs/{}/rescore", id(&run)), &json!({}))
        .await;
    assert_eq!(again.data(202)["scorings"][2]["normalizer"], "raw-v1");
    let run = scored(&machine, &client, &run).await;
    close(&run["score"][FLASH]["wer"], 3.0 / 5.0);
    let _ = client
        .delete(&format!("/runs/{}", id(&run)))
        .await
        .data(200);
    let gone = client.get(&format!("/runs/{}/report", id(&run))).await;
    assert_eq!(gone.status, 404);
    machine.stop().await;
}
