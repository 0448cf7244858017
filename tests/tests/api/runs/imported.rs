//! What a report makes of transcripts that were made elsewhere, and which column of a table they
//! are.

use serde_json::{Value, json};

use super::transcripts::{of, report};
use crate::support::{World, with};

/// A run of these lists over so many clips, at its end.
async fn ended(w: &World, clips: usize, lists: Value) -> Value {
    let truths = vec![Some("one two three"); clips];
    let made = w.dataset("d", &truths).await;
    let body = json!({ "run_name": "r", "dataset_id": made.id, "transcripts": lists });
    let run = w.post("/runs", &body).await.data(202).clone();
    w.ended(&run).await
}

/// A list with a text for each clip that `heard` has one for; at others its service failed.
fn list(name: &str, clips: usize, heard: impl Fn(usize) -> Option<&'static str>) -> Value {
    let item = |at: usize| match heard(at) {
        Some(text) => json!({ "filename": format!("{at}.wav"), "text": text }),
        None => json!({ "filename": format!("{at}.wav"), "error": "HTTP 503" }),
    };
    json!({ "name": name, "items": (0..clips).map(item).collect::<Vec<_>>() })
}

#[test]
fn a_model_with_few_clips_does_not_hide_what_the_others_show() {
    with(async |w| {
        let right = Some("one two three");
        let lists = json!([
            list("good", 24, |_| right),
            list("bad", 24, |at| if at % 2 == 0 {
                Some("one")
            } else {
                right
            }),
            list("few", 24, |at| if at == 0 { right } else { None }),
        ]);
        let run = ended(w, 24, lists).await;
        let report = report(w, &run).await;
        let comparison = &report["comparison"];
        assert_eq!(comparison["samples"], 24, "{report}");
        assert_eq!(comparison["pairs"][0]["distinguishable"], true);
        assert_eq!(of(&report, "imported/few")["rank"], Value::Null);
        let warnings = report["warnings"].as_array().unwrap();
        let told = warnings.iter().find(|one| one["code"] == "not_compared");
        let told = told.unwrap()["message"].as_str().unwrap();
        assert!(
            told.starts_with("imported/few had its chance at 1 of 24 clips and is not compared"),
            "{told}"
        );
    });
}

#[test]
fn an_hour_costs_what_the_hours_with_a_known_cost_do() {
    with(async |w| {
        let item = |at: usize| {
            let mut item = json!({ "filename": format!("{at}.wav"), "text": "one two three" });
            if at < 2 {
                item["cost_usd"] = json!(0.5);
            }
            item
        };
        let items: Vec<Value> = (0..4).map(item).collect();
        let run = ended(w, 4, json!([{ "name": "m", "items": items }])).await;
        let report = report(w, &run).await;
        let cost = &of(&report, "imported/m")["cost"];
        let hours = cost["audio_hours"].as_f64().unwrap() / 2.0;
        let an_hour = cost["usd_per_audio_hour"].as_f64().unwrap();
        assert!((an_hour * hours - 1.0).abs() < 1e-6, "{cost}");
    });
}

#[test]
fn a_reference_beside_what_was_heard_is_no_transcript() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two"), Some("three four")]).await;
        let table = "file_name,text,whisper\n0.wav,one two,one too\n1.wav,three four,three four\n";
        let file = w.file("t.csv", "text/csv", table.into()).await;
        let asked = |name: &str| {
            json!({ "run_name": "r", "dataset_id": made.id,
                    "transcripts": [{ "name": name, "manifest_file_id": file }] })
        };
        let refused = w.post("/runs", &asked("mine")).await;
        assert_eq!(refused.refused(422), ["transcripts[0].manifest_file_id"]);
        let told = "the columns text and whisper may both be the transcript";
        assert!(refused.text.contains(told), "{}", refused.text);
        // The column that is called as the model is.
        let run = w.post("/runs", &asked("whisper")).await.data(202).clone();
        let run = w.ended(&run).await;
        assert_eq!(run["score"]["imported/whisper"]["wer"], 0.25, "{run}");
    });
}
