//! Datasets from samples in the request.

use serde_json::{Value, json};
use stt_eval_tests::Answer;

use crate::support::store::{bare, rows};
use crate::support::{Expect, World, audio, each, id, items, text, with};

async fn make(w: &World, name: &str, samples: Value) -> Answer {
    w.post(
        "/datasets",
        &json!({ "name": name, "language": "hi", "samples": samples }),
    )
    .await
}

#[test]
fn a_dataset_counts_what_is_in_it() {
    with(async |w| {
        let files = [
            w.recording().await,
            w.recording().await,
            w.recording().await,
        ];
        let body = json!({
            "name": "  गाँव\u{200d}  ",
            "description": "first\nsecond line",
            "language": "HI-in",
            "samples": [
                { "file_id": files[0], "ground_truth": "नमस्ते {आप|तुम} <*>",
                  "metadata": { "speaker": "s1", "age": 47, "consent": true } },
                { "file_id": files[1], "ground_truth": "" },
                { "file_id": files[2], "language": "en" },
            ],
        });
        let made = w.post("/datasets", &body).await.data(201).clone();
        assert_eq!(made["name"], "गाँव\u{200d}");
        assert_eq!(made["description"], "first\nsecond line");
        assert_eq!(made["language"], "hi-IN", "tags are canonical");
        assert_eq!(made["other_languages"], json!(["en"]));
        let numbers = &made["dataset_metadata"];
        assert_eq!(numbers["sample_count"], 3);
        assert_eq!(
            numbers["has_ground_truth_count"], 2,
            "an empty reference is one"
        );
        assert!((numbers["total_duration_seconds"].as_f64().unwrap() - 0.6).abs() < 1e-9);
        let path = format!("/datasets/{}", id(&made));
        assert_eq!(w.get(&path).await.data(200), &made);
        let full = w.get(&format!("{path}?include_samples=true")).await;
        let samples = &full.data(200)["samples"];
        assert_eq!(each(samples, "file_id"), files.iter().collect::<Vec<_>>());
        let truths = each(samples, "ground_truth");
        assert_eq!(
            truths,
            [&json!("नमस्ते {आप|तुम} <*>"), &json!(""), &Value::Null]
        );
        assert_eq!(each(samples, "language"), ["hi-IN", "hi-IN", "en"]);
        assert_eq!(each(samples, "reference_version"), [1, 1, 1]);
        let metadata = json!({ "speaker": "s1", "age": "47", "consent": "true" });
        assert_eq!(samples[0]["metadata"], metadata);
        assert_eq!(samples[1]["metadata"], json!({}));
    });
}

#[test]
fn every_sample_is_checked_and_nothing_is_half_made() {
    with(async |w| {
        let stranger = w.stranger().await;
        let good = w.recording().await;
        let awaited = id(&w.announce("a.wav", "audio/wav", 5).await["file"]);
        let rejected = w
            .machine
            .upload(w, "x.mp3", "audio/mpeg", b"only some text here")
            .await;
        let manifest = w.file("m.csv", "text/csv", b"filename\na\n".to_vec()).await;
        let foreign = w
            .machine
            .upload(&stranger, "f.wav", "audio/wav", &audio())
            .await;
        let unknown = "file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1";
        for (what, sample, field) in [
            ("unknown", json!({ "file_id": unknown }), "file_id"),
            ("foreign", json!({ "file_id": foreign["id"] }), "file_id"),
            ("malformed", json!({ "file_id": "../x" }), "file_id"),
            (
                "of another kind",
                json!({ "file_id": unknown.replace("file", "ds") }),
                "file_id",
            ),
            ("awaited", json!({ "file_id": awaited }), "file_id"),
            ("rejected", json!({ "file_id": rejected["id"] }), "file_id"),
            ("manifest", json!({ "file_id": manifest }), "file_id"),
            ("twice", json!({ "file_id": good }), "file_id"),
            ("missing", json!({}), "file_id"),
            ("null", json!({ "file_id": null }), "file_id"),
            (
                "markup",
                json!({ "file_id": unknown, "ground_truth": "ab {a|" }),
                "ground_truth",
            ),
            (
                "number",
                json!({ "file_id": unknown, "ground_truth": 5 }),
                "ground_truth",
            ),
            (
                "nul",
                json!({ "file_id": unknown, "ground_truth": "a\u{0}" }),
                "ground_truth",
            ),
            (
                "long",
                json!({ "file_id": unknown, "ground_truth": "x".repeat(100_001) }),
                "ground_truth",
            ),
            (
                "language",
                json!({ "file_id": unknown, "language": "tlh" }),
                "language",
            ),
            (
                "array",
                json!({ "file_id": unknown, "metadata": { "a": [] } }),
                "metadata.a",
            ),
            (
                "hostile name",
                json!({ "file_id": unknown, "metadata": { "a\u{202e}": "x" } }),
                "metadata.a\u{202e}",
            ),
            (
                "long value",
                json!({ "file_id": unknown, "metadata": { "a": "x".repeat(1_001) } }),
                "metadata.a",
            ),
            (
                "many fields",
                json!({ "file_id": unknown, "metadata": (0..51)
                    .map(|n| (n.to_string(), json!("x")))
                    .collect::<serde_json::Map<_, _>>() }),
                "metadata",
            ),
            (
                "no object",
                json!({ "file_id": unknown, "metadata": "x" }),
                "metadata",
            ),
        ] {
            let answer = make(w, "half", json!([{ "file_id": good }, sample])).await;
            let field = format!("samples[1].{field}");
            let named = answer.status == 422 && answer.refused(422).contains(&field);
            assert!(
                named,
                "{what}: {field} is not in {} {}",
                answer.status, answer.text
            );
        }
        let same = make(w, "half", json!([{ "file_id": foreign["id"] }])).await;
        let never = make(w, "half", json!([{ "file_id": unknown }])).await;
        assert_eq!(
            same.body["errors"], never.body["errors"],
            "foreign is like unknown"
        );
        let markup = make(
            w,
            "half",
            json!([{ "file_id": good, "ground_truth": "ab {a|" }]),
        )
        .await;
        assert!(markup.text.contains("character 4"), "{}", markup.text);

        assert_eq!(w.get("/datasets").await.body["metadata"]["total"], 0);
        make(w, "half", json!([{ "file_id": good }])).await.ok(201);
    });
}

#[test]
fn samples_are_one_to_a_thousand() {
    with(async |w| {
        World::names(&make(w, "d", json!([])).await, 422, "samples");
        let many = vec![json!({ "file_id": "file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1" }); 1_001];
        World::names(&make(w, "d", json!(many)).await, 422, "samples");
        World::names(&make(w, "d", json!({})).await, 422, "samples");
        let neither = w
            .post("/datasets", &json!({ "name": "d", "language": "hi" }))
            .await;
        World::names(&neither, 422, "samples");
        assert_eq!(w.get("/datasets").await.body["metadata"]["total"], 0);
    });
}

#[test]
fn names_languages_and_descriptions_are_checked() {
    with(async |w| {
        let file = w.recording().await;
        for (field, value) in [
            ("name", json!("")),
            ("name", json!(" \t ")),
            ("name", json!("x".repeat(300))),
            ("name", json!("a\u{7}")),
            ("name", json!("a\u{0}b")),
            ("name", json!("a\nb")),
            ("name", json!("a\u{202e}b")),
            ("name", json!("a\u{2066}b")),
            ("name", json!("a\u{200b}b")),
            ("name", json!("a\u{feff}b")),
            ("name", json!(7)),
            ("language", json!("")),
            ("language", json!("klingon")),
            ("language", json!("fr")),
            ("language", json!("hi_IN!")),
            ("language", json!(null)),
            ("description", json!("x".repeat(2_001))),
            ("description", json!("a\u{0}")),
        ] {
            let mut body =
                json!({ "name": "d", "language": "hi", "samples": [{ "file_id": file }] });
            body[field] = value.clone();
            let answer = w.post("/datasets", &body).await;
            let named = answer.status == 422 && answer.refused(422).contains(&field.to_owned());
            assert!(named, "{field} {value}: {} {}", answer.status, answer.text);
        }
        assert_eq!(w.get("/datasets").await.body["metadata"]["total"], 0);
        let long = "க".repeat(255);
        let made = make(w, &long, json!([{ "file_id": file }])).await;
        assert_eq!(made.data(201)["name"], *long);
    });
}

#[test]
fn a_name_is_taken_once_in_a_project() {
    with(async |w| {
        let first = w.dataset("Survey", &[Some("a b")]).await;
        let file = w.recording().await;
        let sample = json!([{ "file_id": file }]);
        World::names(&make(w, "Survey", sample.clone()).await, 409, "name");
        World::names(&make(w, "  Survey ", sample.clone()).await, 409, "name");
        let left = rows(w, bare(&file)).await;
        assert!(
            left.iter().all(|row| !row.starts_with("samples")),
            "{left:?}"
        );

        let stranger = w.stranger().await;
        let theirs = w
            .machine
            .upload(&stranger, "a.wav", "audio/wav", &audio())
            .await;
        let body = json!({
            "name": "Survey", "language": "hi", "samples": [{ "file_id": theirs["id"] }]
        });
        stranger.post("/datasets", &body).await.ok(201);

        w.delete(&format!("/datasets/{}", first.id)).await.ok(200);
        let again = w
            .machine
            .wait("the name is free again", async || {
                let answer = make(w, "Survey", sample.clone()).await;
                (answer.status != 409).then_some(answer)
            })
            .await;
        assert_ne!(id(again.data(201)), first.id);
    });
}

#[test]
fn of_many_that_want_a_name_one_gets_it() {
    with(async |w| {
        let file = w.recording().await;
        let tries = (0..6).map(|_| make(w, "wanted", json!([{ "file_id": file }])));
        let answers = futures::future::join_all(tries).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        let refused = answers.iter().filter(|answer| answer.status == 409).count();
        assert_eq!((made, refused), (1, 5), "{answers:?}");
        let listed = w.get("/datasets").await;
        assert_eq!(items(listed.data(200)).len(), 1);
        let winner = answers.iter().find(|answer| answer.status == 201).unwrap();
        let found = w
            .get(&format!(
                "/datasets/{}?include_samples=true",
                id(winner.data(201))
            ))
            .await;
        assert_eq!(text(&found.data(200)["samples"][0]["file_id"]), file);
        // What the losers had begun is cleared away and keeps the file no longer.
        w.machine
            .wait("one dataset uses the file", async || {
                let uses = rows(w, bare(&file)).await;
                (uses.iter().filter(|row| row.starts_with("samples")).count() == 1).then_some(())
            })
            .await;
        w.delete(&format!("/datasets/{}", id(winner.data(201))))
            .await
            .ok(200);
        w.machine
            .wait("file and dataset are gone", async || {
                rows(w, bare(&file)).await.is_empty().then_some(())
            })
            .await;
    });
}
