//! Settings and help.

use serde_json::json;
use stt_eval_html::help;
use stt_eval_html::own_models::{Filled, OwnModels};
use stt_eval_html::settings::{self, OfAdmins, Told, Vendor, You};
use stt_eval_wire::access::{Credential, Role};
use stt_eval_wire::models::OwnModel;

use crate::others::{HOSTILE, WHEN, check, frame};

const YOU: You<'_> = You {
    name: HOSTILE,
    project: "demo",
    role: Role::Admin,
    key: "key_01KAR8F3V4N7C3Q8Z5W2Y0H6M1",
    until: WHEN,
};

fn page(told: Option<Told<'_>>) -> String {
    let kept = json!({ "provider": "google", "last_four": "ab<d", "inserted_at": WHEN, "updated_at": WHEN });
    let kept: Credential = serde_json::from_value(kept).unwrap();
    let vendor = |name, kept| Vendor {
        name,
        title: name,
        models: 2,
        longest: 512,
        regions: &["eu", "in"],
        kept,
        by_role: None,
    };
    let role = |name, is_on| Vendor {
        by_role: Some(is_on),
        ..vendor(name, None)
    };
    let own = json!({
        "id": "custom/one", "name": "one", "base_url": HOSTILE, "model": "m", "has_api_key": true,
        "dialect": "vllm", "languages": ["hi"], "formats": ["wav"], "max_bytes": 1,
        "max_seconds": 1, "price_per_audio_hour": 12.5, "currency": "INR", "at_once": 1,
        "inserted_at": WHEN, "updated_at": WHEN,
    });
    let own: OwnModel = serde_json::from_value(own).unwrap();
    let of_any = stt_eval_domain::language::all().iter();
    let of_any = OwnModel {
        languages: of_any.map(|known| known.code.to_owned()).collect(),
        ..own.clone()
    };
    let problems = [("languages", "“xx” is not known"), ("base_url", HOSTILE)];
    let problems = problems.map(|(field, why)| (field.to_owned(), why.to_owned()));
    let of = OfAdmins {
        vendors: &[
            vendor("google", Some(&kept)),
            vendor("groq", None),
            role("aws", true),
            role("other", false),
        ],
        own: OwnModels {
            models: &[own, of_any],
            dialects: &["openai", "vllm"],
            currencies: &["USD", "INR"],
            formats: &["wav", "flac"],
            filled: Filled {
                name: "\"<b>\u{202e}",
                dialect: "vllm",
                formats: vec!["flac"],
                ..Filled::default()
            },
            problems: &problems,
        },
    };
    let html = settings::page(frame(), YOU, Some(of), told).unwrap();
    check(&html);
    html
}

#[test]
fn a_model_of_ones_own_is_made_and_what_is_wrong_is_told() {
    let html = page(None);
    for told in [
        "<li><a href=\"#model-address\">Address</a>: &#60;img",
        "<li><a href=\"#model-languages\">Languages</a>: “xx” is not known</li>",
        "aria-describedby=\"model-address-hint model-address-wrong\" aria-invalid=\"true\" autofocus>",
        "aria-describedby=\"model-languages-hint model-languages-wrong\" aria-invalid=\"true\">",
        "<p class=\"error\" id=\"model-languages-wrong\">“xx” is not known</p>",
        "name=\"format.flac\" value=\"1\" checked>",
        "name=\"format.wav\" value=\"1\">",
        "<option selected>vllm</option>",
        "<details id=\"new-model\" open>",
        "name=\"name\" value=\"one\"",
        "12.5 INR",
        "<td>1\u{a0}language<",
        "<td>any<",
        "Empty counts as free of charge.",
        "value=\"&#34;&#60;b&#62;⟨RLO⟩\"",
    ] {
        assert!(html.contains(told), "{told}: {html}");
    }
    assert!(page(Some(Told::ModelMade)).contains("can be chosen in new runs"));
}

#[test]
fn of_a_key_only_its_end_is_shown_and_since_when() {
    let html = page(None);
    assert!(
        html.contains("<code>ab&#60;d</code> · 2026-11-26 10:00 UTC"),
        "{html}"
    );
    assert!(html.contains("No key is kept."), "{html}");
    // What is not kept can't be removed.
    let (vendors, own) = html.split_once("id=\"own\"").unwrap();
    assert_eq!(vendors.matches("value=\"remove\"").count(), 1, "{html}");
    assert_eq!(vendors.matches("type=\"password\"").count(), 2, "{html}");
    // Of models of one's own, each can be.
    assert_eq!(own.matches("value=\"remove\"").count(), 2, "{html}");
    // A role is nothing that could be kept.
    assert!(html.contains("there is no key to keep") && html.contains("has not switched on"));
    assert!(html.contains("12.5 INR") && html.contains("custom/one"));
    assert!(!html.contains("Keep it unchecked"));
    assert!(page(Some(Told::Saved)).contains("The key is kept."));
}

#[test]
fn a_refused_key_is_told_at_its_vendor() {
    let told = |unasked| Told::Refused {
        region: "",
        vendor: "groq",
        why: HOSTILE,
        unasked,
    };
    let html = page(Some(told(false)));
    assert_eq!(
        html.matches("role=\"alert\" id=\"wrong-groq\"").count(),
        1,
        "{html}"
    );
    // The form of a model of ones own has two of its own.
    let (vendors, _) = html.split_once("id=\"own\"").unwrap();
    assert_eq!(
        vendors.matches("aria-invalid=\"true\"").count(),
        1,
        "{html}"
    );
    let html = page(Some(told(true)));
    assert_eq!(html.matches("name=\"unchecked\"").count(), 1, "{html}");
}

#[test]
fn others_see_who_they_are_and_no_keys() {
    let html = settings::page(frame(), YOU, None, Some(Told::Saved)).unwrap();
    check(&html);
    assert!(html.contains("Signed in as") && !html.contains("password"));
}

#[test]
fn help_tells_what_words_mean() {
    let html = help::page(frame()).unwrap();
    check(&html);
    for word in [
        "WER",
        "CER",
        "Reference",
        "Hypothesis",
        "Substitution",
        "Insertion",
        "Deletion",
        "Normalisation",
        "Rank interval",
        "Not distinguishable",
    ] {
        assert!(html.contains(&format!("<dt>{word}</dt>")), "{word}");
    }
}

#[test]
fn help_names_each_key_of_the_review() {
    // The sheet of the review is data of its script: what it calls its actions is here too.
    let script = include_str!("../../assets/keys.js");
    let html = help::page(frame()).unwrap();
    let keys = script
        .split("const KEYS = [")
        .nth(1)
        .unwrap()
        .split("];")
        .next()
        .unwrap();
    for line in keys.lines().filter(|line| line.contains("['")) {
        let codes = line.split('\'').nth(3).unwrap();
        for code in codes.split(' ') {
            let shown = match code {
                "BracketLeft" => "[",
                "BracketRight" => "]",
                "Backslash" => "\\",
                "ArrowUp" => "↑",
                "ArrowDown" => "↓",
                // From one to eight.
                "Digit2" | "Digit3" | "Digit4" | "Digit5" | "Digit6" | "Digit7" => continue,
                code => code.trim_start_matches("Key").trim_start_matches("Digit"),
            };
            assert!(html.contains(&format!("<kbd>{shown}</kbd>")), "{code}");
        }
    }
}
