//! Transcripts that were made elsewhere, as models of a run.

use std::time::Duration;

use serde_json::{Value, json};
use stt_eval_shared::Deadline;
use stt_eval_shared::domain::{RunId, Timestamp};
use stt_eval_shared::objects::import_key;
use stt_eval_tests::Answer;

use crate::support::store::{bare, objects, rows};
use crate::support::{Expect, Made, PRO, World, each, id, items, with};

/// Starts a run of these lists alone.
async fn start(w: &World, made: &Made, transcripts: Value) -> Answer {
    let body = json!({ "run_name": "r", "dataset_id": made.id, "transcripts": transcripts });
    w.post("/runs", &body).await
}

/// A run of these lists alone, at its end.
async fn run(w: &World, made: &Made, transcripts: Value) -> Value {
    let run = start(w, made, transcripts).await.data(202).clone();
    w.ended(&run).await
}

/// The report of a run.
pub(super) async fn report(w: &World, run: &Value) -> Value {
    let path = format!("/runs/{}/report", id(run));
    w.get(&path).await.data(200).clone()
}

/// What a report says of a model.
pub(super) fn of<'a>(report: &'a Value, model: &str) -> &'a Value {
    let found = items(&report["providers"]).iter();
    let mut found = found.filter(|entry| entry["provider"] == model);
    found.next().unwrap_or_else(|| panic!("no {model}"))
}

#[test]
fn a_clip_is_found_by_the_path_that_another_machine_had_it_at() {
    with(async |w| {
        let made = w
            .dataset("d", &["one", "two", "three", "four"].map(Some))
            .await;
        let paths = json!([{ "name": "m", "items": [
            { "filename": "audio/0.wav", "text": "one" },
            { "filename": "C:\\speech\\1.wav", "text": "two" },
            { "filename": "2", "text": "three" },
            { "filename": "audio/3", "text": "four" },
        ] }]);
        let run = run(w, &made, paths).await;
        assert_eq!(run["counts"]["completed"], 4, "{run}");
    });
}

#[test]
fn they_are_scored_without_a_credential_and_beside_other_models() {
    with(async |w| {
        let truths = [Some("one two three"), Some("four five"), None];
        let made = w.dataset("d", &truths).await;
        w.delete("/credentials/google").await.ok(200);
        let alone = json!([{ "name": "whisper.v3", "items": [
            { "filename": "0.wav", "text": "one two", "latency_ms": 100.4, "cost_usd": 0.25 },
            { "file_id": made.files[1], "text": "", "latency_ms": 300 },
            { "filename": "2.wav", "text": "எது", "cost_usd": 0.5 },
        ] }]);
        let accepted = start(w, &made, alone).await.data(202).clone();
        assert_eq!(accepted["providers"], json!(["imported/whisper.v3"]));
        assert_eq!(accepted["total_items"], 3);
        assert_eq!(accepted["warnings"], json!([]));
        let config = &accepted["config"]["providers"]["imported/whisper.v3"];
        assert_eq!(config["provider"], "imported");
        assert_eq!(config["model"], "whisper.v3");
        let run = w.ended(&accepted).await;
        assert_eq!(run["status"], "completed", "{run}");
        let counts = json!({ "pending": 0, "completed": 3, "failed": 0 });
        assert_eq!(run["counts"], counts);
        let results = json!(w.results(&run, "").await);
        // What was given is kept, an empty text too.
        assert_eq!(each(&results, "transcription"), ["one two", "", "எது"]);
        assert_eq!(
            each(&results, "latency_ms"),
            [&json!(100), &json!(300), &Value::Null]
        );
        assert_eq!(each(&results, "cost_usd"), [0.25, 0.0, 0.5]);
        assert_eq!(results[0]["score"]["deletions"], 1);
        assert_eq!(results[1]["score"]["deletions"], 2);
        assert_eq!(results[2]["score"], Value::Null);
        let report = report(w, &run).await;
        let of = of(&report, "imported/whisper.v3");
        assert_eq!(of["latency"], json!({ "p50_ms": 100, "p95_ms": 300 }));
        assert_eq!(of["cost"]["usd"], 0.75);
        assert_eq!(of["score"]["wer"], 0.6);
        assert_eq!(w.batches().await.len(), 0, "no provider was asked");

        // Replayed from what has landed they are what they are.
        let request = json!({
            "action": "replay", "project": w.project.name, "run": id(&run),
        });
        let deadline = Deadline::after(Duration::from_secs(110));
        let event = json!({ "operator": request });
        let answer = poll::handle(event, &w.machine.node.app, deadline).await;
        assert_eq!(each(&answer["units"], "unchanged"), [3], "{answer}");
        assert_eq!(each(&answer["units"], "recounted"), [false], "{answer}");
    });
}

#[test]
fn several_models_and_a_provider_are_one_run() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two"), Some("three four")]).await;
        let sample = {
            let path = format!("/datasets/{}?include_samples=true", made.id);
            id(&w.get(&path).await.data(200)["samples"][1])
        };
        let csv = "filename,hypothesis,latency_ms,speaker\n1.wav,three for,12,x\n0.wav,,7,y\n";
        let table = w.file("t.csv", "text/csv", csv.into()).await;
        let body = json!({
            "run_name": "r", "dataset_id": made.id, "providers": [PRO],
            "transcripts": [
                { "name": "a", "items": [{ "sample_id": sample, "text": "three four" }] },
                { "name": "b", "manifest_file_id": table },
            ],
        });
        let accepted = w.post("/runs", &body).await.data(202).clone();
        assert_eq!(
            accepted["providers"],
            json!([PRO, "imported/a", "imported/b"])
        );
        // What is missing is told at once.
        assert_eq!(each(&accepted["warnings"], "code"), ["missing_transcript"]);
        assert_eq!(each(&accepted["warnings"], "model"), ["imported/a"]);
        assert_eq!(each(&accepted["warnings"], "count"), [1]);
        let run = w.ended(&accepted).await;
        assert_eq!(run["status"], "completed", "{run}");
        assert_eq!(run["score"][PRO]["wer"], 0.0);
        // The model's failure: as if it had heard nothing.
        let a = json!(w.results(&run, "provider=imported/a").await);
        assert_eq!(each(&a, "status"), ["failed", "completed"]);
        assert_eq!(a[0]["error_code"], "missing_transcript");
        assert_eq!(a[0]["retryable"], false);
        assert_eq!(run["score"]["imported/a"]["wer"], 0.5);
        let b = json!(w.results(&run, "provider=imported/b").await);
        assert_eq!(each(&b, "transcription"), ["", "three for"]);
        let report = report(w, &run).await;
        assert_eq!(of(&report, "imported/a")["score"]["failed_by_model"], 1);
        let told = "no transcript of imported/a was given for 1 of 2 clips";
        assert!(report["warnings"].to_string().contains(told), "{report}");
        assert_eq!(of(&report, PRO)["latency"], Value::Null);
        assert_eq!(report["comparison"]["pairs"].as_array().unwrap().len(), 3);

        // A retry asks for nothing that is not there, and brings the same.
        let path = format!("/runs/{}/retry", id(&run));
        w.post(&path, &json!({})).await.ok(202);
        let again = w.ended(&run).await;
        assert_eq!(again["counts"], run["counts"]);
        assert_eq!(again["score"], run["score"]);
        assert_eq!(w.batches().await.len(), 1, "nothing was asked again");

        // Scored again like any other.
        let path = format!("/runs/{}/rescore", id(&run));
        let wanted = json!({ "normalizer": "raw-v1" });
        w.post(&path, &wanted).await.ok(202);
        let path = format!("/runs/{}", id(&run));
        let rescored = w
            .machine
            .wait("it is scored again", async || {
                let run = w.get(&path).await.data(200).clone();
                let last = items(&run["scorings"]).last().unwrap().clone();
                (last["status"] == "completed").then_some(run)
            })
            .await;
        assert_eq!(rescored["score"]["imported/a"]["wer"], 0.5);

        // And gone with the run.
        let run = bare(&id(&run)).to_owned();
        let kept = objects(w, &run).await;
        assert!(kept.iter().any(|key| key.starts_with("imports/")));
        w.delete(&path).await.ok(200);
        w.get(&path).await.no(404);
        let left = async || [rows(w, &run).await, objects(w, &run).await].concat();
        w.machine
            .wait("nothing of the run is left", async || {
                left().await.is_empty().then_some(())
            })
            .await;
    });
}

/// Another service's failure is in no figure, one of its model's counts as nothing heard.
#[test]
fn what_their_service_failed_at_is_told_as_its_failure() {
    with(async |w| {
        let truths = ["one two", "three four", "five six", "seven eight"].map(Some);
        let made = w.dataset("d", &truths).await;
        let csv = "filename,hypothesis,error\n0.wav,one two,\n1.wav,,HTTP 503\n2.wav,,max_tokens\n";
        let table = w.file("t.csv", "text/csv", csv.into()).await;
        let run = run(
            w,
            &made,
            json!([
                { "name": "a", "items": [
                    { "filename": "0.wav", "text": "one two" },
                    { "filename": "1.wav", "error": "HTTP 503" },
                    { "filename": "2.wav", "error": "max_tokens" },
                ] },
                { "name": "b", "manifest_file_id": table },
            ]),
        )
        .await;
        assert_eq!(each(&run["warnings"], "count"), [1, 1], "{run}");
        let report = report(w, &run).await;
        for model in ["imported/a", "imported/b"] {
            let results = json!(w.results(&run, &format!("provider={model}")).await);
            let codes = json!([
                null,
                "transcript_failed",
                "max_tokens",
                "missing_transcript"
            ]);
            assert_eq!(json!(each(&results, "error_code")), codes, "{model}");
            let message = results[1]["error_message"].as_str().unwrap();
            assert!(message.ends_with(": HTTP 503"), "{message}");
            let retryable = json!([null, false, false, false]);
            assert_eq!(json!(each(&results, "retryable")), retryable);
            let score = &of(&report, model)["score"];
            assert_eq!(score["failed_by_service"], 1, "{score}");
            assert_eq!(score["failed_by_model"], 2, "{score}");
            // Four of six words: the clip that failed is not counted.
            assert_eq!(run["score"][model]["wer"], 4.0 / 6.0, "{run}");
        }
    });
}

#[test]
fn what_a_request_that_died_has_left_is_cleared_away() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one")]).await;
        let list = json!([{ "name": "a", "items": [{ "filename": "0.wav", "text": "one" }] }]);
        let run: RunId = id(&run(w, &made, list).await).parse().unwrap();
        let app = &w.machine.node.app;
        let project = w.project.name.parse().unwrap();
        let run = app.store.run(&project, run).await.unwrap().unwrap();
        // As far as it came: announced, and a block is in the bucket.
        let mut died = run.clone();
        died.id = RunId::mint(1_800_000_000_000, [9; 10]);
        died.rev = 1;
        died.updated_at = Timestamp::default();
        let key = import_key(&project, died.id, "digest", 0);
        let due = Timestamp::now() + Duration::from_secs(2);
        app.store.announce_run(&died, due).await.unwrap();
        let kind = "application/jsonl";
        app.objects.put(&key, kind, "{}".into()).await.unwrap();
        let total = || async { w.get("/runs").await.body["metadata"]["total"].clone() };
        assert_eq!(total().await, 1);
        let part = bare(&died.id.to_string()).to_owned();
        let left = async || [rows(w, &part).await, objects(w, &part).await].concat();
        assert_eq!(left().await.len(), 2);
        w.machine
            .wait("nothing is left", async || {
                left().await.is_empty().then_some(())
            })
            .await;
        // What was accepted is no leftover.
        assert_eq!(total().await, 1);
        assert_eq!(rows(w, &format!("del#{}", run.id)).await.len(), 0);
        let kept = objects(w, bare(&run.id.to_string())).await;
        assert!(!kept.is_empty());
    });
}

#[test]
fn a_large_table_is_read_and_counted_whole() {
    with(async |w| {
        let references = vec![Some("one two"); 120];
        let made = w.unknown("d", &references).await;
        let rows: String = (0..119)
            .map(|n| json!({ "filename": format!("{n}.wav"), "text": "one two" }).to_string())
            .collect::<Vec<_>>()
            .join("\n");
        let table = w.file("t.jsonl", "application/jsonl", rows.into()).await;
        let run = run(
            w,
            &made,
            json!([{ "name": "a", "manifest_file_id": table }]),
        )
        .await;
        let counts = json!({ "pending": 0, "completed": 119, "failed": 1 });
        assert_eq!(run["counts"], counts, "{run}");
        let failed = w.results(&run, "status=failed").await;
        assert_eq!(failed[0]["file_id"], *made.files[119]);
    });
}

#[test]
fn what_is_wrong_is_named_and_nothing_is_written() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two"), Some("three")]).await;
        let other = w.dataset("e", &[Some("four")]).await;
        let stranger = w.stranger().await;
        let foreign = stranger
            .client
            .get("/files")
            .await
            .data(200)
            .as_array()
            .map(Vec::len);
        assert_eq!(foreign, Some(0));
        let samples = |dataset: String| async move {
            let path = format!("/datasets/{dataset}?include_samples=true");
            w.get(&path).await.data(200)["samples"].clone()
        };
        let own = id(&samples(made.id.clone()).await[0]);
        let elsewhere = id(&samples(other.id.clone()).await[0]);
        let table = |text: &str| w.file("t.csv", "text/csv", text.as_bytes().to_vec());
        let unknown = table("filename,text\n0.wav,a\nnone.wav,b\n").await;
        let twice = table("filename,text\n0.wav,a\n0.wav,b\n").await;
        let odd = table("filename,text,latency_ms\n0.wav,a,soon\n").await;
        let headless = table("filename,words\n0.wav,a\n").await;
        let item = |item: Value| json!([{ "name": "a", "items": [item] }]);
        let many: Vec<Value> = (0..1_001)
            .map(|_| json!({ "filename": "0.wav", "text": "" }))
            .collect();
        let long = "x".repeat(400_000);
        let pair = json!([
            { "filename": "0.wav", "text": "a" }, { "file_id": made.files[0], "text": "b" },
        ]);
        let place = "transcripts[0].items[0]";
        for (what, transcripts, field) in [
            ("none", json!([]), "transcripts".to_owned()),
            (
                "an odd name",
                json!([{ "name": "A b", "items": [{ "filename": "0.wav", "text": "" }] }]),
                "transcripts[0].name".into(),
            ),
            (
                "no source",
                json!([{ "name": "a" }]),
                "transcripts[0].items".into(),
            ),
            (
                "both sources",
                json!([{ "name": "a", "items": [{ "filename": "0.wav", "text": "" }],
                         "manifest_file_id": unknown }]),
                "transcripts[0].manifest_file_id".into(),
            ),
            (
                "no items",
                json!([{ "name": "a", "items": [] }]),
                "transcripts[0].items".into(),
            ),
            (
                "1,001 items",
                json!([{ "name": "a", "items": many }]),
                "transcripts[0].items".into(),
            ),
            ("no clip", item(json!({ "text": "a" })), place.into()),
            (
                "two clips",
                item(json!({ "text": "a", "filename": "0.wav", "sample_id": own })),
                place.into(),
            ),
            (
                "no text",
                item(json!({ "filename": "0.wav" })),
                format!("{place}.text"),
            ),
            (
                "null",
                item(json!({ "filename": "0.wav", "text": null })),
                format!("{place}.text"),
            ),
            (
                "NUL",
                item(json!({ "filename": "0.wav", "text": "a\0b" })),
                format!("{place}.text"),
            ),
            (
                "a long text",
                item(json!({ "filename": "0.wav", "text": long })),
                format!("{place}.text"),
            ),
            (
                "an unknown name",
                item(json!({ "filename": "9.wav", "text": "a" })),
                format!("{place}.filename"),
            ),
            (
                "an odd sample",
                item(json!({ "sample_id": "smp_x", "text": "a" })),
                format!("{place}.sample_id"),
            ),
            (
                "another dataset's sample",
                item(json!({ "sample_id": elsewhere, "text": "a" })),
                format!("{place}.sample_id"),
            ),
            (
                "another dataset's file",
                item(json!({ "file_id": other.files[0], "text": "a" })),
                format!("{place}.file_id"),
            ),
            (
                "an odd file",
                item(json!({ "file_id": "x", "text": "a" })),
                format!("{place}.file_id"),
            ),
            (
                "time that runs back",
                item(json!({ "filename": "0.wav", "text": "a", "latency_ms": -1 })),
                format!("{place}.latency_ms"),
            ),
            (
                "riches",
                item(json!({ "filename": "0.wav", "text": "a", "cost_usd": 1e9 })),
                format!("{place}.cost_usd"),
            ),
            (
                "a clip twice",
                json!([{ "name": "a", "items": pair }]),
                "transcripts[0].items[1].file_id".into(),
            ),
            (
                "a name twice",
                json!([
                    { "name": "a", "items": [{ "filename": "0.wav", "text": "" }] },
                    { "name": "a", "items": [{ "filename": "1.wav", "text": "" }] },
                ]),
                "transcripts[1].name".into(),
            ),
            (
                "a table with an unknown name",
                json!([{ "name": "a", "manifest_file_id": unknown }]),
                "transcripts[0].manifest_file_id: line 3: filename".into(),
            ),
            (
                "a table with a clip twice",
                json!([{ "name": "a", "manifest_file_id": twice }]),
                "transcripts[0].manifest_file_id: line 3: filename".into(),
            ),
            (
                "a table with an odd number",
                json!([{ "name": "a", "manifest_file_id": odd }]),
                "transcripts[0].manifest_file_id: line 2: latency_ms".into(),
            ),
            (
                "a table without transcripts",
                json!([{ "name": "a", "manifest_file_id": headless }]),
                "transcripts[0].manifest_file_id".into(),
            ),
            (
                "a recording for a table",
                json!([{ "name": "a", "manifest_file_id": made.files[0] }]),
                "transcripts[0].manifest_file_id".into(),
            ),
            (
                "no such table",
                json!([{ "name": "a", "manifest_file_id": "file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1" }]),
                "transcripts[0].manifest_file_id".into(),
            ),
        ] {
            let answer = start(w, &made, transcripts).await;
            assert_eq!(answer.status, 422, "{what}: {}", answer.text);
            World::names(&answer, 422, &field);
        }
        let typo = item(json!({ "filename": "0.wav", "text": "a", "wer": 1 }));
        World::names(&start(w, &made, typo).await, 400, &format!("{place}.wer"));
        // Settings would be of no use.
        for (field, value) in [("prompt", json!("Write.")), ("temperature", json!(0.5))] {
            let body = json!({
                "run_name": "r", "dataset_id": made.id, "config": { field: value },
                "transcripts": item(json!({ "filename": "0.wav", "text": "a" })),
            });
            let answer = w.post("/runs", &body).await;
            World::names(&answer, 422, &format!("config.{field}"));
        }
        // With sixteen models there is no room for another.
        let list = |n: usize| {
            json!({ "name": format!("m{n}"),
            "items": [{ "filename": "0.wav", "text": "" }] })
        };
        let lists: Vec<Value> = (0..16).map(list).collect();
        let body = json!({
            "run_name": "r", "dataset_id": made.id, "providers": [PRO], "transcripts": lists,
        });
        World::names(&w.post("/runs", &body).await, 422, "transcripts");
        assert_eq!(w.get("/runs").await.body["metadata"]["total"], 0);
        let imports = format!("imports/{}/", w.project.name);
        assert!(objects(w, &imports).await.is_empty());
    });
}

#[test]
fn a_name_that_two_clips_have_is_refused() {
    with(async |w| {
        let mut samples = Vec::new();
        for _ in 0..2 {
            let file = w.recording().await;
            samples.push(json!({ "file_id": file, "ground_truth": "one" }));
        }
        // A dataset that is made with the run is known by its files as well.
        let dataset = json!({ "name": "d", "language": "en", "samples": samples });
        let named = |clip: Value| {
            let mut item = clip;
            item["text"] = json!("one");
            json!({
                "run_name": "r", "dataset": dataset,
                "transcripts": [{ "name": "a", "items": [item] }],
            })
        };
        let body = named(json!({ "filename": "recording.wav" }));
        let refused = w.post("/runs", &body).await;
        World::names(&refused, 422, "transcripts[0].items[0].filename");
        assert!(refused.text.contains("several"), "{}", refused.text);
        assert_eq!(w.get("/datasets").await.body["metadata"]["total"], 0);
        let body = named(json!({ "file_id": samples[1]["file_id"] }));
        let run = w.post("/runs", &body).await.data(202).clone();
        let run = w.ended(&run).await;
        assert_eq!(run["counts"]["completed"], 1, "{run}");
        assert_eq!(run["counts"]["failed"], 1, "{run}");
    });
}

#[test]
fn a_request_comes_twice_and_makes_one_run() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one")]).await;
        let body = json!({
            "run_name": "r", "dataset_id": made.id,
            "transcripts": [{ "name": "a", "items": [{ "filename": "0.wav", "text": "one" }] }],
        });
        let send = || {
            let request = w.request("POST", "/runs").json(&body);
            w.send(request.header("Idempotency-Key", "k"))
        };
        let first = id(send().await.data(202));
        assert_eq!(id(send().await.data(202)), first);
        assert_eq!(w.get("/runs").await.body["metadata"]["total"], 1);
    });
}
