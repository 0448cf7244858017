//! Two runs side by side.

use serde_json::{Value, json};
use stt_eval_html::compare::{self, Asked};
use stt_eval_wire::run_comparison::RunComparison;

use crate::others::{HOSTILE, check, frame, run};

const OTHER: &str = "run_01KAR8F3V4N7C3Q8Z5W2Y0H6M2";

fn model(name: &str, difference: f64, distinguishable: bool) -> Value {
    json!({
        "provider": name, "reason": null, "samples": 180,
        "left_out": { "other_reference": 2, "only_in_run": 0, "only_in_other": 0, "in_neither": 1 },
        "figures": {
            "wer": 0.1 + difference, "other_wer": 0.1, "difference": difference,
            "low": difference - 0.01, "high": difference + 0.01, "p_value": 0.0002,
            "p_adjusted": if distinguishable { 0.0006 } else { 0.41 },
            "distinguishable": distinguishable, "blocks": 180, "reliable": true,
        },
    })
}

#[test]
fn what_only_one_run_transcribed_is_told() {
    let mut one = model("imported/beta", -0.3, true);
    let told = |model: Value| page(Some(&comparison(&[model], json!({}))));
    assert!(!told(one.clone()).contains("count as missing"));
    one["missing_in_other"] = json!(20);
    let page = told(one);
    assert!(
        page.contains("20\u{a0}clips have a transcription by")
            && page.contains("all words of these count as missing."),
        "{page}"
    );
}

fn comparison(models: &[Value], changes: Value) -> RunComparison {
    let one = |id: &str, name: &str, complete: bool| {
        json!({ "id": id, "run_name": name, "dataset_id": "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1",
                "complete": complete, "scoring": 1 })
    };
    let mut value = json!({
        "run": one("run_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", HOSTILE, true),
        "other": one(OTHER, "October", true), "comparable": !models.is_empty(), "reason": null,
        "normalizer": "indic-v1", "block_by": null, "test": "paired_permutation",
        "adjustment": "holm", "permutations": 10_000, "replicates": 1_000, "seed": 7,
        "models": models, "only_in_run": [HOSTILE], "only_in_other": [],
    });
    let into = value.as_object_mut().unwrap();
    into.extend(changes.as_object().unwrap().clone());
    serde_json::from_value(value).unwrap()
}

fn page(found: Option<&RunComparison>) -> String {
    page_of(found, false)
}

fn page_of(found: Option<&RunComparison>, outdated: bool) -> String {
    let (this, other) = (
        run(json!({})),
        run(json!({ "id": OTHER, "run_name": "October" })),
    );
    let asked = Asked {
        run: &this,
        others: std::slice::from_ref(&other),
        may_start: true,
        more_runs: true,
        block_by: Some("speaker"),
        outdated: if outdated {
            std::slice::from_ref(&other)
        } else {
            &[]
        },
        normalizer: "",
    };
    let html = compare::page(frame(), asked, found).unwrap();
    // A chart has a title of its own.
    let (before, rest) = html.split_once("<svg").unwrap_or((html.as_str(), ""));
    let after = rest.split_once("</svg>").map_or("", |(_, after)| after);
    check(&format!("{before}{after}"));
    html
}

#[test]
fn another_run_is_chosen_and_what_else_was_asked_is_kept() {
    let html = page(None);
    assert!(html.contains(&format!(
        "<option value=\"{OTHER}\">\u{2068}October\u{2069} · 2026-11-26 10:00"
    )));
    assert!(html.contains("<option value=\"\">Choose a run</option>"));
    assert!(html.contains("name=\"block_by\" value=\"speaker\""));
    assert!(!html.contains("normalizer"), "{html}");
    assert!(!html.contains("class=\"verdict\""));
}

#[test]
fn clips_of_one_speaker_count_together_and_need_not() {
    let models = [model("a", -0.03, true)];
    let by_speaker = comparison(&models, json!({ "block_by": "speaker" }));
    let html = page(Some(&by_speaker));
    assert!(
        html.contains("Clips of one speaker count together"),
        "{html}"
    );
    let clips = format!("href=\"?with={OTHER}&#38;block_by=\">Draw intervals clip by clip</a>");
    assert!(html.contains(&clips), "{html}");
    let html = page(Some(&comparison(&models, json!({}))));
    assert!(!html.contains("count together") && !html.contains("Draw intervals"));
}

#[test]
fn how_many_blocks_there_are_is_told_and_what_they_cannot_tell() {
    let of_blocks = |name: &str, blocks: usize| {
        let mut model = model(name, -0.03, false);
        model["figures"]["blocks"] = json!(blocks);
        model
    };
    let by_speaker = json!({ "block_by": "speaker" });
    let few = comparison(&[of_blocks("a", 4)], by_speaker.clone());
    let html = page(Some(&few));
    for told in [
        "count together for intervals and verdicts: 4\u{a0}blocks in all.",
        "With 4\u{a0}blocks no difference can be shown, however large: that takes more speakers.",
        "clips of one “speaker” are a block: 4\u{a0}blocks",
    ] {
        assert!(html.contains(told), "{told}: {html}");
    }
    // Two tests take more of them than one, and one that could tell is enough.
    let models = [of_blocks("a", 6), of_blocks("b", 6)];
    let html = page(Some(&comparison(&models, json!({}))));
    assert!(html.contains("With 6\u{a0}blocks no difference"), "{html}");
    let models = [of_blocks("a", 6), of_blocks("b", 12)];
    let html = page(Some(&comparison(&models, by_speaker)));
    assert!(html.contains("6 to 12\u{a0}blocks in all."), "{html}");
    assert!(!html.contains("no difference can be shown"), "{html}");
}

#[test]
fn a_run_is_better_only_where_the_comparison_says_so() {
    let models = [
        model("a", -0.03, true),
        model("b", 0.02, true),
        model("c", -0.002, false),
        model("d", 0.001, false),
    ];
    let html = page(Some(&comparison(&models, json!({}))));
    let told = |text: &str| assert!(html.contains(text), "{text}: {html}");
    told("<bdi class=\"model\">a</bdi> makes fewer errors in <bdi class=\"model\">&#60;img");
    told(
        "<bdi class=\"model\">b</bdi> makes fewer errors in <bdi class=\"model\">October</bdi> than in",
    );
    told(
        "By <bdi class=\"model\">c</bdi> and <bdi class=\"model\">d</bdi>, <bdi class=\"model\">&#60;img",
    );
    told("can’t be told apart: on the clips that both have, chance may explain the difference.");
    told("left out: 2 against another reference, 1 in neither");
    told("How this was measured");
    told("p is adjusted for 4\u{a0}models");
    // The chart says in words what it shows, and the table has its figures.
    told("<desc>a makes fewer errors in &#60;img");
    told("\u{2212}3.0 ✓");
    told("\u{2212}0.2 ≈");
    told("<b>\u{2212}3.0</b><small>\u{2212}4.0 to \u{2212}2.0</small>");
    told("selected>\u{2068}October");
    assert!(
        !html.contains("provisional") && !html.contains("rough"),
        "{html}"
    );
}

#[test]
fn what_cannot_be_compared_is_told_with_the_reason() {
    let reason = |code: &str| json!({ "reason": { "code": code, "message": HOSTILE } });
    // What the sentence says already is not said twice.
    for (code, told, has_more) in [
        ("other_dataset", "they are over different datasets", false),
        (
            "other_normalizer",
            "they were scored by different rules",
            true,
        ),
        ("other_scorer", "Score both again", true),
        ("no_common_model", "no model is in both", false),
    ] {
        let html = page(Some(&comparison(&[], reason(code))));
        assert!(
            html.contains(told) && !html.contains("<svg"),
            "{code}: {html}"
        );
        // Of what was not measured no method is told; the other run is led to all the same.
        assert!(!html.contains("How this was measured"), "{code}: {html}");
        assert!(!html.contains("permutation"), "{code}: {html}");
        let other = format!("<a href=\"/runs/{OTHER}\">The other run");
        assert!(html.contains(&other), "{code}: {html}");
        assert_eq!(
            html.contains("<p class=\"hint\">&#60;img"),
            has_more,
            "{code}"
        );
    }
    let none = json!({
        "provider": "a", "samples": 0, "figures": null,
        "left_out": { "other_reference": 9, "only_in_run": 0, "only_in_other": 0, "in_neither": 0 },
        "reason": { "code": "other_references", "message": "score both again" },
    });
    let under_way = json!({ "run": { "id": OTHER, "run_name": "October", "complete": false,
        "dataset_id": "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "scoring": null } });
    let html = page(Some(&comparison(&[none], under_way)));
    assert!(
        html.contains("No model of these runs can be compared"),
        "{html}"
    );
    assert!(
        html.contains("<td colspan=\"5\">Not compared. score both again</td>"),
        "{html}"
    );
    assert!(html.contains("provisional"), "{html}");
}

#[test]
fn runs_that_were_scored_before_references_were_changed_are_named() {
    let found = comparison(&[model("a", -0.05, true)], json!({}));
    let told = "References were changed since this was scored";
    assert!(!page_of(Some(&found), false).contains(told));
    let html = page_of(Some(&found), true);
    assert!(html.contains(told), "{html}");
    let link = format!("<li><a href=\"/runs/{OTHER}\"><bdi>October</bdi></a></li>");
    assert!(html.contains(&link), "{html}");
}
