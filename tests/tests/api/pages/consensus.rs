//! References for clips without one, from what models agree on; a second wording in every
//! reference that says the same; and orders that need what models disagree on.

use serde_json::{Value, json};

use super::{Browser, Page, key};
use crate::support::{Expect, FLASH, Made, PRO, World, each, id, items, text, with};

/// Clips: both models alike, not alike, with references that both are in, and one more that
/// says the same.
async fn heard(w: &World) -> (Made, Value) {
    let references = [
        None,
        None,
        Some("one two three"),
        Some("say one two, or twofold"),
    ];
    let made = w.unknown("clips", &references).await;
    for (clip, pro, flash) in [
        (0, "alpha {beta", "Alpha {beta."),
        (1, "one too", "two"),
        (2, "one too three", "one two three"),
        (3, "say one two, or twofold", "say one two, or twofold"),
    ] {
        w.record(&made.audio[clip], PRO, pro);
        w.record(&made.audio[clip], FLASH, flash);
    }
    let run = w.run(&made.id, &[PRO, FLASH]).await;
    (made, run)
}

async fn samples(w: &World, made: &Made) -> Value {
    let set = format!("/datasets/{}?include_samples=true", made.id);
    w.get(&set).await.data(200)["samples"].clone()
}

/// The value of a field of a page.
fn field<'a>(page: &'a Page, name: &str) -> &'a str {
    let rest = page.text.split(&format!("name=\"{name}\" value=\"")).nth(1);
    let rest = rest.unwrap_or_else(|| panic!("{name}: {}", page.text));
    rest.split('"').next().unwrap()
}

#[track_caller]
fn tells(page: &Page, parts: &[&str]) {
    for part in parts {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
}

#[test]
fn references_start_from_what_models_agree_on() {
    with(async |w| {
        let (made, run) = heard(w).await;
        let path = format!("/runs/{}/consensus", id(&run));
        let proposals = w.pages(&path, 1).await;
        let answer = w.get(&path).await;
        assert_eq!(*answer.data(200), json!(proposals));
        assert_eq!(answer.body["metadata"]["total"], 2);
        let [sure, unsure] = &proposals[..] else {
            panic!("{proposals:?}");
        };
        // Signs that mean something in references are escaped.
        assert_eq!(sure["ground_truth"], "alpha \\{beta");
        assert_eq!((&sure["sure"], &sure["same"]), (&json!(true), &json!(2)));
        assert_eq!(sure["provider"], PRO);
        assert_eq!(
            (&unsure["sure"], &unsure["same"]),
            (&json!(false), &json!(1))
        );
        // Two as far from each other take turns, so that none is favoured.
        assert_eq!(
            (text(&unsure["provider"]), &unsure["agreement"]),
            (FLASH, &json!(0.0))
        );
        let heard = &unsure["transcriptions"];
        assert_eq!(each(heard, "transcription"), ["one too", "two"]);

        // The way in, and the one step.
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let way = format!("href=\"{path}\">Start from what models agree on</a>");
        for at in [
            format!("/datasets/{}", made.id),
            format!("/runs/{}", id(&run)),
        ] {
            tells(
                &browser.get(&at).await,
                &["2\u{a0}clips have no reference.", &way],
            );
        }
        let page = browser.get(&path).await;
        tells(
            &page,
            &[
                "All 2\u{a0}models say the same.",
                "Not sure</strong> 1 of 2\u{a0}models says this; two of them share 0.0\u{202f}%",
            ],
        );
        assert_eq!(page.text.matches(" checked>").count(), 1, "{}", page.text);
        let of = |proposal: &Value| format!("accept.{}", text(&proposal["sample_id"]));
        let (first, second) = (of(sure), of(unsure));
        let tag = field(&page, &first).to_owned();
        assert_eq!(tag, text(&sure["etag"]));
        let stale = field(&page, &second).to_owned();

        // Who may look may not save; others find nothing.
        let (reviewer, _) = key(w, "reviewer").await;
        let mut reviewer = Browser::signed_in(w, &reviewer).await;
        let looked = reviewer.get(&path).await;
        assert!(
            looked.status == 200 && !looked.text.contains("checkbox"),
            "{}",
            looked.text
        );
        let stranger = w.stranger().await;
        let mut stranger = Browser::signed_in(w, &stranger.key).await;
        let form = [(&*first, &*tag)];
        for (browser, status) in [(&mut reviewer, 403), (&mut stranger, 404)] {
            assert_eq!(browser.post(&path, &form).await.status, status);
        }

        // A person was faster with the second: that stays.
        let person = json!({ "ground_truth": "one two" });
        let sample = format!("/samples/{}", text(&unsure["sample_id"]));
        w.patch(&sample, &person).await.ok(200);
        for _ in 0..2 {
            // Sent twice it is saved once.
            let form = [("from", "0"), (&*first, &*tag), (&*second, &*stale)];
            let answer = browser.post(&path, &form).await;
            assert_eq!(answer.status, 303, "{}", answer.text);
            let page = browser.get(answer.header("location")).await;
            tells(
                &page,
                &[
                    "1\u{a0}reference was saved. 1\u{a0}clip was left alone",
                    "There is nothing to propose here",
                    "/rescore\"",
                ],
            );
        }
        let page = browser.post(&path, &[("from", "0")]).await;
        tells(
            &browser.get(page.header("location")).await,
            &["Nothing was ticked"],
        );
        let set = samples(w, &made).await;
        assert_eq!(set[0]["ground_truth"], "alpha \\{beta");
        assert_eq!(set[0]["reference_version"], 2);
        let from = &set[0]["from_models"];
        assert_eq!(each(from, "how"), ["consensus"]);
        assert_eq!(each(from, "provider"), [PRO]);
        assert_eq!(each(from, "run_id"), [&run["id"]]);
        assert_eq!(set[1]["ground_truth"], "one two");
        assert_eq!(set[1]["from_models"], json!([]));
        let page = browser.get(&format!("/datasets/{}", made.id)).await;
        tells(&page, &["version 2 · began as what models agreed on"]);
        assert!(!page.text.contains(&way), "{}", page.text);

        // What is wrong with a request is named.
        let (one, nowhere) = (&sure["sample_id"], "smp_01KAR8F3V4N7C3Q8Z5W2Y0H6M1");
        let item = |id: &Value| json!({ "sample_id": id, "etag": "0" });
        for (accept, named) in [
            (json!([]), "accept"),
            (json!([item(one), item(one)]), "accept[1].sample_id"),
            (json!([item(&json!(nowhere))]), "accept[0].sample_id"),
        ] {
            let answer = w.post(&path, &json!({ "accept": accept })).await;
            World::names(&answer, 422, named);
        }
        let answer = w
            .post(&path, &json!({ "accept": [item(&unsure["sample_id"])] }))
            .await;
        let left = &answer.data(200)["left_alone"];
        assert!(
            text(&left[0]["message"]).contains("has a reference by now"),
            "{left}"
        );

        wordings(w, &mut browser, &made, &run).await;
        orders(w, &run).await;
        used_again(w, &made).await;
    });
}

/// A second wording for every clip with the pair, and what reports say of all that.
async fn wordings(w: &World, browser: &mut Browser, made: &Made, run: &Value) {
    let set = samples(w, made).await;
    let clip = format!("/runs/{}/review/{}", id(run), text(&set[2]["id"]));
    let tag = field(&browser.get(&clip).await, "slots").to_owned();
    let mut found = None;
    for letter in ["A", "B"] {
        let at = format!("{clip}/variant?of={letter}&slots={tag}");
        let page = browser.get(&at).await;
        if page.text.contains("one {two|too} three") {
            tells(&page, &["name=\"everywhere\""]);
            assert!(!page.text.contains(
                "name=\"everywhere\" value=\"true\" aria-describedby=\"everywhere\" checked"
            ));
            found = Some((letter, field(&page, "etag").to_owned()));
        }
    }
    let (letter, etag) = found.unwrap();
    let form = [
        ("of", letter),
        ("slots", &*tag),
        ("etag", &*etag),
        ("ground_truth", "one {two|too} three"),
        ("everywhere", "true"),
    ];
    let variant = format!("{clip}/variant");
    let answer = browser.post(&variant, &form).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let page = browser.get(answer.header("location")).await;
    // Of "one two", which a person wrote, and of the last one; not of a part of a word.
    tells(&page, &["2\u{a0}other references take both now."]);
    let set = samples(w, made).await;
    assert_eq!(
        each(&set, "ground_truth"),
        [
            "alpha \\{beta",
            "one {two|too}",
            "one {two|too} three",
            "say one {two|too}, or twofold"
        ]
    );
    // Gone on with, there is nothing left to do.
    let on = [("of", letter), ("slots", &*tag), ("from", "0")];
    let answer = browser.post(&variant, &on).await;
    tells(
        &browser.get(answer.header("location")).await,
        &["0\u{a0}other references take"],
    );

    let path = format!("/runs/{}", id(run));
    w.post(&format!("{path}/rescore"), &json!({})).await.ok(202);
    w.machine
        .wait("the run is scored again", async || {
            let run = w.get(&path).await.data(200).clone();
            let done = each(&run["scorings"], "status");
            (done.len() == 2 && done.iter().all(|status| *status == "completed")).then_some(())
        })
        .await;
    let report = w.get(&format!("{path}/report")).await.data(200).clone();
    let told: Vec<_> = items(&report["warnings"])
        .iter()
        .map(|told| (text(&told["code"]), &told["model"], &told["count"]))
        .filter(|(code, ..)| code.ends_with("_from_models"))
        .collect();
    assert_eq!(
        told,
        [
            ("references_from_models", &Value::Null, &json!(1)),
            ("variants_from_models", &json!(PRO), &json!(3)),
        ]
    );
    let page = browser.get(&format!("{path}/report")).await;
    tells(
        &page,
        &["3 variants of references came from", "<dt>References</dt>"],
    );
}

/// What a reference said before is as much of models as it was, once it is used again.
async fn used_again(w: &World, made: &Made) {
    for (at, earlier, how) in [
        (0, "alpha \\{beta", vec!["consensus"]),
        (1, "one two", vec![]),
        (1, "one {two|too}", vec!["variant"]),
        (1, "typed now", vec!["variant"]),
    ] {
        let sample = samples(w, made).await[at].clone();
        let path = format!("/samples/{}", id(&sample));
        if at == 0 {
            let cleared = json!({ "ground_truth": null });
            let cleared = w.patch(&path, &cleared).await.data(200).clone();
            assert_eq!(cleared["from_models"], json!([]));
        }
        let again = json!({ "ground_truth": earlier });
        let again = w.patch(&path, &again).await.data(200).clone();
        assert_eq!(each(&again["from_models"], "how"), how, "{again}");
    }
}

/// Results by what models disagree on, and by what nobody has reviewed.
async fn orders(w: &World, run: &Value) {
    let path = format!("/runs/{}/results", id(run));
    let all = w.pages(&path, 100).await;
    let of =
        |places: &[usize]| -> Vec<&Value> { places.iter().map(|at| &all[*at]["id"]).collect() };
    for (sort, places) in [
        ("-disagreement", [2, 3, 4, 5, 0, 1, 6, 7]),
        ("disagreement", [6, 7, 0, 1, 4, 5, 2, 3]),
    ] {
        let sorted = w.pages(&format!("{path}?sort={sort}"), 3).await;
        let found: Vec<&Value> = sorted.iter().map(|result| &result["id"]).collect();
        assert_eq!(found, of(&places), "{sort}");
    }
    let flash = w
        .pages(&format!("{path}?sort=-disagreement&provider={FLASH}"), 3)
        .await;
    let found: Vec<&Value> = flash.iter().map(|result| &result["id"]).collect();
    assert_eq!(found, of(&[3, 5, 1, 7]));
    let verdict = json!({ "is_correct": true });
    for at in [0, 5] {
        let result = format!("/results/{}", text(&all[at]["id"]));
        w.patch(&result, &verdict).await.ok(200);
    }
    for limit in [3, 6, 100] {
        let sorted = w.pages(&format!("{path}?sort=unreviewed"), limit).await;
        let found: Vec<&Value> = sorted.iter().map(|result| &result["id"]).collect();
        assert_eq!(found, of(&[1, 2, 3, 4, 6, 7, 0, 5]), "{limit}");
    }
}
