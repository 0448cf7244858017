//! Reports by free fields, which change without the run.

use std::time::Duration;

use serde_json::{Value, json};
use stt_eval_shared::domain::{SampleId, Timestamp};
use stt_eval_tests::Machine;

use crate::{PRO, dataset, id, report, run, told};

/// Groups of a report, and figures of the comparison that go by blocks.
fn seen(report: &Value) -> (Vec<String>, Value) {
    let groups = report["groups"]["groups"].as_array().unwrap();
    let values = groups.iter().map(|group| group["value"].to_string());
    (values.collect(), report["comparison"]["blocks"].clone())
}

/// What is kept of a report by fields holds without a look at the samples until one of them is
/// changed; a change counts at once, and also after it has settled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_kept_until_a_field_is_changed() {
    let machine = Machine::start().await;
    let client = machine.client("demo");
    let of = |speaker: &str| json!({ "speaker": speaker });
    let rows = [
        told("one two", Some("one two"), Some("one"), of("a")),
        told("three four", Some("three"), Some("three four"), of("b")),
    ];
    let made = dataset(&machine, &client, json!({}), &rows).await;
    let run = run(&machine, &client, &made).await;
    let store = &machine.node.app.store;
    let project = "demo".parse().unwrap();
    // From there on nothing of the run changes by itself.
    machine
        .wait("the run is closed", async || {
            let kept = store.run(&project, id(&run).parse().unwrap()).await;
            (!kept.unwrap().unwrap().closing).then_some(())
        })
        .await;
    let query = "group_by=speaker&block_by=speaker";
    let path = format!("/runs/{}/compare/{}?block_by=speaker", id(&run), id(&run));
    let first = report(&client, &run, query).await;
    assert_eq!(seen(&first).0, ["\"a\"", "\"b\""]);
    let compared = client.get(&path).await.data(200).clone();

    // Behind everybody's back: nothing looks at it.
    let at = format!("/datasets/{}?include_samples=true", id(&made));
    let samples = client.get(&at).await.data(200)["samples"].clone();
    let sample: SampleId = id(&samples[0]).parse().unwrap();
    let mut changed = store.sample(&project, sample).await.unwrap().unwrap();
    changed.metadata.insert("speaker".into(), "b".into());
    changed.rev += 1;
    store.save_sample(&project, &changed).await.unwrap();
    assert_eq!(seen(&report(&client, &run, query).await), seen(&first));
    assert_eq!(*client.get(&path).await.data(200), compared);

    // Counted long ago, it is what is told.
    let long_ago = Timestamp::now();
    let long_ago = Timestamp::from_millis(long_ago.millis() - 120_000);
    let counted = store.count_field_change(&project, sample.dataset(), long_ago);
    counted.await.unwrap();
    let second = report(&client, &run, query).await;
    assert_eq!(seen(&second), (vec!["\"b\"".to_owned()], json!(1)));
    let again = client.get(&path).await.data(200).clone();
    let blocks = |compared: &Value| compared["models"][0]["figures"]["blocks"].clone();
    assert_ne!(blocks(&compared), blocks(&again), "{again}");

    // As people change it.
    let path = format!("/samples/{sample}");
    for (speaker, groups) in [("c", vec!["\"b\"", "\"c\""]), ("b", vec!["\"b\""])] {
        let body = json!({ "metadata": { "speaker": speaker } });
        client.patch(&path, &body).await.data(200);
        assert_eq!(seen(&report(&client, &run, query).await).0, groups);
    }
    let changes = store.field_changes(&project, sample.dataset()).await;
    let changes = changes.unwrap().unwrap();
    assert_eq!(changes.changes, 3);
    assert!(Timestamp::now().since(changes.at) < Duration::from_secs(60));
    // The same once more is no change, and neither is another reference.
    for body in [
        json!({ "metadata": { "speaker": "b" } }),
        json!({ "ground_truth": "one too" }),
    ] {
        client.patch(&path, &body).await.data(200);
    }
    let same = store.field_changes(&project, sample.dataset()).await;
    assert_eq!(same.unwrap().unwrap(), changes);
    assert_eq!(second["providers"][0]["provider"], PRO);
    machine.stop().await;
}
