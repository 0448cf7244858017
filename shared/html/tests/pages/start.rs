//! The form that starts a run.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stt_eval_html::start::{self, Field, Filled, Form, Kept, Wrong};
use stt_eval_wire::catalogue::{Language, Model};
use stt_eval_wire::datasets::Dataset;
use stt_eval_wire::estimate::Estimate;

use crate::others::{HOSTILE, WHEN, check, frame};

const DATASET: &str = "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1";

fn model(id: &str, vendor: &str, has_key: bool, languages: &[&str]) -> Model {
    let value = json!({
        "id": id, "provider": vendor, "provider_name": format!("The {vendor}"), "model": id, "display_name": format!("The model {id}"), "has_credentials": has_key,
        "languages": languages,
        "limits": { "max_audio_seconds": 1, "max_file_bytes": 1, "max_output_tokens": 1 },
        "formats": [], "batch": false, "price_per_audio_hour_usd": 0.36, "price_read_on": null,
        "lifecycle": "stable", "routed_to": null, "default_temperature": 0.0, "notes": HOSTILE,
        "mode": "calls", "audio": { "formats": [], "max_bytes": 1, "max_seconds": 1 },
        "settings": [], "price": null, "retires_at": null, "credential_fields": ["api_key"],
        "asked_with": "key",
    });
    serde_json::from_value(value).unwrap()
}

/// With clips of its own language by a longer tag, and of others.
fn dataset() -> Dataset {
    let value = json!({
        "id": DATASET, "name": HOSTILE, "description": null, "language": "hi", "other_languages": ["bn", "hi-IN", "ta-IN"], "keywords": [],
        "dataset_metadata": { "sample_count": 180, "has_ground_truth_count": 179,
                              "total_duration_seconds": 2_232.0 },
        "inserted_at": WHEN, "updated_at": WHEN,
    });
    serde_json::from_value(value).unwrap()
}

fn languages() -> Vec<Language> {
    let language = |(code, name): (&str, &str)| json!({ "code": code, "name": name, "native_name": name, "scripts": [], "providers": [] });
    let all: Vec<Value> = [("hi", "Hindi"), ("en", "English")].map(language).to_vec();
    serde_json::from_value(json!(all)).unwrap()
}

fn filled() -> Filled {
    Filled {
        name: "<first> \"look\"".to_owned(),
        dataset: DATASET.to_owned(),
        models: BTreeSet::from(["b".to_owned(), "locked".to_owned()]),
        max_cost: "0.10".to_owned(),
        lossless_flac: true,
        blind_review: false,
        leave_out: false,
        transcripts: "mine".to_owned(),
        table: Some(Kept {
            id: "file_1".to_owned(),
            name: "<heard>.csv".to_owned(),
        }),
        token: "0123abcd".to_owned(),
    }
}

fn page(wrong: &[Wrong], estimate: Option<&Estimate>, may_add_keys: bool) -> String {
    let models = [
        model("locked", "elsewhere", false, &["hi"]),
        model("a", "google", true, &["en"]),
        model("b", "google", true, &["hi", "en"]),
        model("custom/one", "custom/one", true, &["hi"]),
        model("custom/two", "custom/two", true, &["hi"]),
    ];
    let of = Form {
        filled: &filled(),
        datasets: &[dataset()],
        more_datasets: true,
        models: &models,
        languages: &languages(),
        may_add_keys,
        stand_in: Some("google"),
        wrong,
        estimate,
        again: "/runs/new?run_name=a&b",
    };
    let html = start::page(frame(), &of).unwrap();
    check(&html);
    html
}

#[test]
fn models_stand_by_vendor_and_those_that_can_be_asked_come_first() {
    let html = page(&[], None, true);
    let places = [
        "model.b\"",
        "model.custom/one\"",
        "model.custom/two\"",
        "model.locked\"",
        // What does not take the language of the dataset is folded behind all others.
        "<details><summary>1\u{a0}model that does not take Hindi</summary>",
        "model.a\"",
    ]
    .map(|name| html.find(name).unwrap_or_else(|| panic!("{name}: {html}")));
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(html.matches("Your own models").count(), 1);
    assert!(html.contains("<legend>The google</legend><p class=\"hint\">Simulated on"));
    assert_eq!(html.matches("Simulated on this machine").count(), 1);
    assert!(html.contains("Hindi and 1\u{a0}other language"), "{html}");
    assert!(
        html.contains("$0.36 an hour of audio · English</small>"),
        "{html}"
    );
    // What else is known of models is folded, vendor by vendor.
    assert_eq!(
        html.matches("<summary>About these models</summary>")
            .count(),
        3
    );
    assert!(html.contains("$0.36 an hour of audio"), "{html}");
    // A model is called by its id, as on all pages.
    assert!(
        html.contains("<bdi class=\"model\">b</bdi> <small><bdi>The model b</bdi> · "),
        "{html}"
    );
    // Without a key it can't be ticked, and it is told where one is added.
    assert!(
        html.contains("name=\"model.locked\" value=\"1\" disabled"),
        "{html}"
    );
    assert!(
        html.contains("name=\"model.b\" value=\"1\" checked"),
        "{html}"
    );
    assert!(html.contains("href=\"/settings#elsewhere\""), "{html}");
    assert!(!page(&[], None, false).contains("/settings#"));
    let choice = html.split("</option>").nth(1).unwrap();
    let languages = " · Hindi, Bengali, Tamil (ta-IN) · 180\u{a0}clips";
    assert!(choice.contains(languages), "{choice}");
    assert!(html.contains("Only the newest are listed"));
    assert!(html.contains("value=\"0123abcd\"") && html.contains(" selected>"));
}

#[test]
fn what_is_wrong_is_told_at_the_top_and_at_the_field_and_nothing_typed_is_lost() {
    let wrong = [
        (Field::Name, "is odd"),
        (Field::Dataset, "is gone"),
        (Field::Models, "are too many"),
        (Field::Model("b".to_owned()), HOSTILE),
        (Field::Transcripts, "are odd"),
        (Field::MaxCost, "is too much"),
        (Field::Form, "was sent before"),
    ]
    .map(|(field, message)| Wrong {
        field,
        message: message.to_owned(),
    });
    let html = page(&wrong, None, true);
    assert_eq!(html.matches("role=\"alert\"").count(), 1);
    for anchor in ["run-name", "dataset", "models", "transcripts", "max-cost"] {
        assert!(html.contains(&format!("href=\"#{anchor}\"")), "{anchor}");
        assert!(html.contains(&format!("id=\"{anchor}\"")), "{anchor}");
    }
    assert_eq!(html.matches("aria-invalid=\"true\"").count(), 4, "{html}");
    for message in [
        "is odd",
        "is gone",
        "are too many",
        "are odd",
        "is too much",
    ] {
        assert_eq!(html.matches(message).count(), 2, "{message}");
    }
    assert!(
        html.contains("value=\"&#60;first&#62; &#34;look&#34;\""),
        "{html}"
    );
    assert!(html.contains("value=\"0.10\""));
    // A table that was sent need not be sent again, and may be left out.
    let kept = "type=\"checkbox\" name=\"kept\" value=\"file_1\" checked";
    assert!(
        html.contains(kept) && html.contains("value=\"mine\""),
        "{html}"
    );
}

#[test]
fn an_estimate_tells_money_hours_time_and_what_is_refused() {
    let estimate = json!({
        "audio_hours": 0.62, "cost_usd": 0.4464, "models": [
            { "model": "b", "items": 180, "unsupported": 2, "unsupported_why": "no <Odia>", "audio_hours": 0.61,
              "cost_usd": 0.2232, "usual_seconds": 725, "price_read_at": "2026-10-14",
              "given_up_after_seconds": 86400 },
            { "model": "d", "items": 180, "unsupported": 11,
              "unsupported_why": "the model can't be asked for bn; the model can't be asked for gu; too <long>; …",
              "audio_hours": 0.1, "cost_usd": 0.0, "usual_seconds": null, "price_read_at": null },
            { "model": HOSTILE, "items": 180, "unsupported": 0, "audio_hours": 0.62,
              "cost_usd": 0.2232, "usual_seconds": null, "price_read_at": null },
            { "model": "c", "items": 180, "unsupported": 0, "audio_hours": 0.0, "cost_usd": 0.0,
              "usual_seconds": null, "price_read_at": null, "given_up_after_seconds": 86400 },
        ],
    });
    let estimate: Estimate = serde_json::from_value(estimate).unwrap();
    let html = page(&[], Some(&estimate), true);
    for text in [
        ">$0.45<",
        ">178<",
        "it can&#39;t take 2\u{a0}clips: no &#60;Odia&#62;<",
        "it can&#39;t take 11\u{a0}clips: the model can&#39;t be asked for Bengali, Gujarati; too &#60;long&#62;; …<",
        ">37\u{a0}min<",
        ">1.3\u{a0}h<",
        ">12\u{a0}min<",
        ">not known yet<",
        ">not known yet, at most 24.0\u{a0}h<",
    ] {
        assert!(html.contains(text), "{text}: {html}");
    }
    // It is above the ten cents of the form.
    assert!(html.contains("the run would end early"), "{html}");
}
