//! Lists of results.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Expect, FLASH, Made, PRO, World, each, id, items, text, with};

/// A run with all there can be: right, wrong, without a reference, failed.
async fn varied(w: &World) -> (Made, Value) {
    let references = [
        Some("one two three four"),
        Some("five six"),
        Some("seven"),
        None,
        Some("eight nine"),
    ];
    let made = w.dataset("d", &references).await;
    w.record_finish(&made.audio[4], FLASH, "SAFETY");
    let run = w.run(&made.id, &[PRO, FLASH]).await;
    assert_eq!(
        run["counts"],
        json!({ "pending": 0, "completed": 9, "failed": 1 }),
        "{run}"
    );
    (made, run)
}

fn ids(results: &[Value]) -> Vec<String> {
    results.iter().map(id).collect()
}

#[test]
fn results_are_listed_in_the_order_of_samples_and_of_models() {
    with(async |w| {
        let (made, run) = varied(w).await;
        let all = w.results(&run, "").await;
        let places: Vec<_> = all
            .iter()
            .map(|r| (text(&r["file_id"]), text(&r["provider"])))
            .collect();
        let wanted: Vec<_> = made
            .files
            .iter()
            .flat_map(|file| [(&**file, PRO), (&**file, FLASH)])
            .collect();
        assert_eq!(places, wanted);
        assert_eq!(ids(&all).into_iter().collect::<BTreeSet<_>>().len(), 10);
        let samples = w
            .get(&format!("/datasets/{}?include_samples=true", made.id))
            .await;
        let samples = each(&samples.data(200)["samples"], "id");
        let named: Vec<&Value> = all.iter().step_by(2).map(|r| &r["sample_id"]).collect();
        assert_eq!(named, samples);
        for result in &all {
            let alone = w.get(&format!("/results/{}", id(result))).await;
            assert_eq!(alone.data(200), result);
            assert_eq!(
                alone.header("etag").unwrap().trim_matches('"'),
                text(&result["etag"])
            );
        }
    });
}

#[test]
fn pages_have_neither_gaps_nor_twins_in_any_order() {
    with(async |w| {
        let (_, run) = varied(w).await;
        let path = format!("/runs/{}/results", id(&run));
        for sort in ["sort=sample", "sort=wer", "sort=-wer"] {
            for filter in ["", "&status=completed", &format!("&provider={FLASH}")] {
                let path = format!("{path}?{sort}{filter}");
                let whole = w.get(&format!("{path}&limit=100")).await;
                let whole = ids(items(whole.data(200)));
                let twins: BTreeSet<_> = whole.iter().collect();
                assert_eq!(twins.len(), whole.len(), "{path}");
                for limit in [1, 4] {
                    assert_eq!(
                        ids(&w.pages(&path, limit).await),
                        whole,
                        "{path} by {limit}"
                    );
                }
            }
        }
        let rates = async |sort: &str| -> Vec<f64> {
            let results = w.results(&run, &format!("sort={sort}")).await;
            // What has a score comes in order of it; what has none may follow.
            results
                .iter()
                .filter_map(|r| r["score"]["wer"].as_f64())
                .collect()
        };
        let (best, worst) = (rates("wer").await, rates("-wer").await);
        assert_eq!(best.len(), 7);
        assert!(best.is_sorted(), "{best:?}");
        assert!(worst.is_sorted_by(|a, b| a >= b), "{worst:?}");
        let cursor = w.get(&format!("{path}?limit=1&sort=wer")).await.body["metadata"].clone();
        let cursor = text(&cursor["next_cursor"]).to_owned();
        for other in [
            "sort=-wer",
            "sort=wer&status=completed",
            "",
            "sort=wer&is_correct=null",
        ] {
            let answer = w
                .get(&format!("{path}?limit=1&{other}&cursor={cursor}"))
                .await;
            World::names(&answer, 400, "cursor");
        }
    });
}

#[test]
fn filters_narrow_a_list_and_its_total() {
    with(async |w| {
        let (_, run) = varied(w).await;
        let all = w.results(&run, "").await;
        let patch = |at: usize, is_correct: bool| {
            let path = format!("/results/{}", id(&all[at]));
            async move { w.patch(&path, &json!({ "is_correct": is_correct })).await }
        };
        patch(0, true).await.ok(200);
        patch(1, false).await.ok(200);
        patch(2, true).await.ok(200);
        let path = format!("/runs/{}/results", id(&run));
        for (query, count) in [
            ("", 10),
            (&*format!("provider={PRO}"), 5),
            (&*format!("provider={FLASH}"), 5),
            ("status=completed", 9),
            ("status=failed", 1),
            ("status=pending", 0),
            (&*format!("provider={PRO}&status=failed"), 0),
            (&*format!("provider={FLASH}&status=failed"), 1),
            ("is_correct=true", 2),
            ("is_correct=false", 1),
            ("is_correct=null", 7),
            ("is_correct=null&status=completed", 6),
            (&*format!("is_correct=true&provider={FLASH}"), 0),
            (&*format!("is_correct=false&provider={FLASH}"), 1),
        ] {
            let listed = w.get(&format!("{path}?{query}")).await;
            assert_eq!(items(listed.data(200)).len(), count, "{query}");
            assert_eq!(listed.body["metadata"]["total"], count, "{query}");
            assert_eq!(
                w.pages(&format!("{path}?{query}"), 1).await.len(),
                count,
                "{query}"
            );
        }
        for (query, status, field) in [
            ("provider=gemini-9", 422, "provider"),
            ("status=done", 422, "status"),
            ("is_correct=maybe", 422, "is_correct"),
            ("sort=cer", 422, "sort"),
            ("include_alignment=1", 422, "include_alignment"),
            ("limit=0", 422, "limit"),
            ("cursor=x", 400, "cursor"),
            ("providers=x", 400, "providers"),
        ] {
            World::names(&w.get(&format!("{path}?{query}")).await, status, field);
        }
    });
}

#[test]
fn an_alignment_shows_the_words_side_by_side() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two three"), None]).await;
        w.record(&made.audio[0], PRO, "one too three four");
        let run = w.run(&made.id, &[PRO]).await;
        let plain = w.results(&run, "").await;
        assert!(plain[0].get("alignment").is_none());
        let aligned = w.results(&run, "include_alignment=true").await;
        let steps = items(&aligned[0]["alignment"]);
        let ops: Vec<&str> = steps.iter().map(|step| text(&step["op"])).collect();
        assert_eq!(ops, ["equal", "substitute", "equal", "insert"]);
        assert_eq!(steps[1]["reference"]["text"], "two");
        assert_eq!(steps[1]["hypothesis"]["text"], "too");
        assert_eq!(steps[3]["reference"], Value::Null);
        assert_eq!(steps[3]["hypothesis"]["text"], "four");
        assert_eq!(
            aligned[1]["alignment"],
            Value::Null,
            "nothing to compare with"
        );
        let score = &aligned[0]["score"];
        assert_eq!(score["wer"].as_f64().unwrap(), 2.0 / 3.0);
        let counts = ["hits", "substitutions", "deletions", "insertions"].map(|c| score[c].clone());
        assert_eq!(counts, [json!(2), json!(1), json!(0), json!(1)]);
        let alone = format!("/results/{}?include_alignment=true", id(&aligned[0]));
        assert_eq!(w.get(&alone).await.data(200), &aligned[0]);
    });
}

#[test]
fn results_can_be_listened_to() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two")]).await;
        let run = w.run(&made.id, &[PRO]).await;
        assert!(w.results(&run, "").await[0].get("signed_url").is_none());
        let signed = w.results(&run, "include_signed_url=true").await;
        let alone = format!("/results/{}?include_signed_url=true", id(&signed[0]));
        let alone = w.get(&alone).await.data(200).clone();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        for url in [&signed[0]["signed_url"], &alone["signed_url"]] {
            let played = http.get(text(url)).send().await.unwrap();
            assert_eq!(played.bytes().await.unwrap(), made.audio[0]);
        }
    });
}

#[test]
fn results_are_found_by_what_is_suspicious_about_them() {
    with(async |w| {
        let references = [Some("one two"), Some("three four"), Some("five six")];
        let made = w.dataset("flags", &references).await;
        w.record(
            &made.audio[1],
            PRO,
            "Here is the transcription:\n\n**three four**",
        );
        w.record(&made.audio[2], PRO, "{\"transcription\": \"five six\"}");
        let run = w.run(&made.id, &[PRO, FLASH]).await;
        for sort in ["sample", "wer", "-wer"] {
            let query = format!("flag=wrapped&sort={sort}");
            let found = w.results(&run, &query).await;
            assert_eq!(found.len(), 2, "{sort}");
            for result in &found {
                let flags = items(&result["score"]["flags"]);
                assert!(flags.contains(&json!("wrapped")), "{sort}: {result}");
                assert_eq!(result["provider"], PRO);
            }
        }
        let path = format!("/runs/{}/results", id(&run));
        let listed = w.get(&format!("{path}?flag=wrapped")).await;
        assert_eq!(listed.body["metadata"]["total"], 2, "{}", listed.text);
        assert!(w.results(&run, "flag=loop").await.is_empty());
        World::names(&w.get(&format!("{path}?flag=odd")).await, 422, "flag");

        // Without the wrapping nothing is wrong; the text stays as it came, and says so.
        let body = json!({ "normalizer": "indic-v1+unwrap" });
        w.post(&format!("/runs/{}/rescore", id(&run)), &body)
            .await
            .ok(202);
        let found = w
            .machine
            .wait("the scores are those of the other normaliser", async || {
                let found = w.results(&run, "flag=wrapped").await;
                let scored = found
                    .iter()
                    .all(|result| result["score"]["normalizer"] == "indic-v1+unwrap");
                (scored && found.len() == 2).then_some(found)
            })
            .await;
        for result in &found {
            assert_eq!(result["score"]["wer"], 0.0, "{result}");
        }
        assert!(text(&found[0]["transcription"]).starts_with("Here is"));
    });
}
