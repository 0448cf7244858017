//! All other pages.

use serde_json::{Value, json};
use stt_eval_html::datasets;
use stt_eval_html::keys::{self, Keys, ShownOnce};
use stt_eval_html::layout::{Frame, Medium, Section, Visitor};
use stt_eval_html::offers::Offers;
use stt_eval_html::problem::Problem as Page;
use stt_eval_html::results::{self, Choice, Recording, Results};
use stt_eval_html::runs::{self, Actions};
use stt_eval_html::sessions::{Session, Sessions};
use stt_eval_html::sign_in::{Problem, SignIn};
use stt_eval_wire::access::{ApiKey, Role};
use stt_eval_wire::datasets::Dataset;
use stt_eval_wire::results::{Result as Heard, Review};
use stt_eval_wire::runs::{Run, Timestamp};

use crate::samples::aligned;

pub const HOSTILE: &str = "<img src=x onerror=alert(1)>\u{202e}\"'&#x3c;";
const SECTIONS: &[Section] = &[Section::Datasets, Section::Runs];
const OFFERS: Offers = Offers {
    make: true,
    no_datasets: false,
    demo: true,
};
pub const WHEN: &str = "2026-11-26T10:00:00.000Z";

pub fn frame() -> Frame<'static> {
    Frame {
        title: HOSTILE,
        part: None,
        medium: Medium::Site,
        section: Some(Section::Runs),
        visitor: Some(Visitor {
            left: 43_200,
            name: HOSTILE,
            sections: SECTIONS,
        }),
        unencrypted: false,
    }
}

/// What holds of every page.
#[track_caller]
pub fn check(html: &str) {
    assert!(!html.contains("<img"), "{html}");
    assert!(!html.contains('\u{202e}') && !html.contains('\0'), "{html}");
    for tag in html.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        // A script has an address of ours, and nothing in it.
        let is_ours = tag.starts_with("script type=\"module\" src=\"/assets/");
        assert!(!tag.starts_with("script") || is_ours, "{tag}");
        assert!(!tag.starts_with("style"), "{tag}");
        assert!(!tag.contains(" style=") && !tag.contains(" on"), "{tag}");
    }
    for once in ["<h1", "<main ", "<title>", "<!doctype html>"] {
        assert_eq!(html.matches(once).count(), 1, "{once}: {html}");
    }
    let labels = html.matches("<label").count();
    let fields = html.matches("<input").count() - html.matches("type=\"hidden\"").count();
    assert!(labels >= fields, "{html}");
}

/// An hour and a half after what samples were made at.
pub fn now() -> Timestamp {
    serde_json::from_value(json!("2026-11-26T11:30:00.000Z")).unwrap()
}

pub fn run(changes: Value) -> Run {
    let mut value = json!({
        "id": "run_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "run_name": HOSTILE,
        "dataset_id": "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "dataset_name": HOSTILE, "type": "stt",
        "language": "hi-IN", "providers": ["gemini-2.5-pro", HOSTILE], "status": "processing",
        "total_items": 2_000, "counts": { "pending": 500, "completed": 1_497, "failed": 3 },
        "score": null, "error_message": HOSTILE,
        "warnings": [{ "code": "missing_transcript", "model": HOSTILE, "count": 1, "message": HOSTILE }],
        "waiting": [{ "provider": "gemini-2.5-pro", "waiting_reason": "provider_out_of_credit",
                      "message": "The account is empty.", "items": 500, "next_attempt_at": null }],
        "round": 1, "asked_again": 0, "scorings": [], "inserted_at": WHEN, "updated_at": WHEN,
        "finished_at": null,
    });
    let into = value.as_object_mut().unwrap();
    into.extend(changes.as_object().unwrap().clone());
    serde_json::from_value(value).unwrap()
}

#[test]
fn runs_tell_how_far_they_are_and_what_they_wait_for() {
    let list = runs::list(
        frame(),
        &[run(json!({}))],
        1,
        Some("/runs?cursor=x"),
        OFFERS,
    )
    .unwrap();
    check(&list);
    assert!(list.contains("href=\"/runs/new\">New run</a>"), "{list}");
    // A run knows one of the languages of its clips: none is told for all.
    assert!(!list.contains("Hindi"), "{list}");
    // On a phone what is done has no head of a column above it.
    let done = "data-label=\"Done\">1,500 of 2,000, of which 3 failed</td>";
    assert!(list.contains(done), "{list}");
    assert!(list.contains("<bdi class=\"model\">"), "{list}");
    assert!(list.contains("href=\"/runs?cursor=x\">Older</a>"), "{list}");
    let nothing = runs::list(frame(), &[], 0, None, Offers::default()).unwrap();
    check(&nothing);
    assert!(!nothing.contains("New run") && !nothing.contains("Load the demo"));
    // The demo is for those who have nothing.
    assert!(!list.contains("Load the demo"));
    let nothing = runs::list(frame(), &[], 0, None, OFFERS).unwrap();
    check(&nothing);
    assert!(nothing.contains("action=\"/demo\">"), "{nothing}");
    assert!(!nothing.contains("/datasets/new"), "{nothing}");
    // A run needs a dataset: where there is none, that comes first.
    let offers = Offers {
        no_datasets: true,
        ..OFFERS
    };
    let nothing = runs::list(frame(), &[], 0, None, offers).unwrap();
    check(&nothing);
    assert!(nothing.contains("Make a dataset first"), "{nothing}");
    assert!(nothing.contains("href=\"/datasets/new\">New dataset</a>"));
    assert!(!nothing.contains("/runs/new") && nothing.contains("action=\"/demo\">"));
    let actions = Actions {
        cancel: true,
        review: true,
        retry: false,
        keys: false,
        stopping: false,
        rescore: true,
        changed: Some((3, true)),
        add: true,
        delete: true,
        propose: 0,
        stand_in: None,
    };
    let page = runs::page(frame(), &run(json!({})), actions, now()).unwrap();
    check(&page);
    assert!(
        page.contains("500\u{a0}clips wait. The account is empty."),
        "{page}"
    );
    assert!(
        page.contains("<progress max=\"2000\" value=\"1500\""),
        "{page}"
    );
    assert!(!page.contains("Hindi"), "{page}");
    assert!(page.contains("The references of at least 3 clips were changed since"));
    let dataset = "<a href=\"/datasets/ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1\">";
    assert!(page.contains(dataset), "{page}");
    assert!(
        page.contains("/review?queue=unreviewed\">Review</a>"),
        "{page}"
    );
    assert!(page.contains(">Cancel run</button>") && !page.contains("Retry failed"));
    let over = run(json!({ "status": "completed", "waiting": [], "error_message": null }));
    let page = runs::page(frame(), &over, Actions::default(), now()).unwrap();
    assert!(!page.contains(">Review</a>"));
    assert!(!page.contains("Cancel run") && !page.contains(">Refresh<"));
}

#[test]
fn datasets_tell_what_they_hold() {
    let value = json!({
        "id": "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "name": HOSTILE, "description": HOSTILE,
        "language": "ur-IN", "keywords": [],
        "dataset_metadata": { "sample_count": 180, "has_ground_truth_count": 179,
                              "total_duration_seconds": 2_232.0 },
        "inserted_at": WHEN, "updated_at": WHEN,
    });
    let dataset: Dataset = serde_json::from_value(value).unwrap();
    let html = datasets::list(frame(), &[dataset], 1, None, None, Offers::default()).unwrap();
    check(&html);
    assert!(
        html.contains(">37\u{a0}min<") && html.contains(">179<"),
        "{html}"
    );
    let link = "<a href=\"/datasets/ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1\">";
    assert!(
        html.contains(link) && !html.contains("New dataset"),
        "{html}"
    );
    let html = datasets::list(frame(), &[], 0, None, Some(HOSTILE), OFFERS).unwrap();
    check(&html);
    assert!(
        html.contains("href=\"/datasets/new\">New dataset</a>"),
        "{html}"
    );
    assert!(html.contains("</bdi>” was deleted.</p>"), "{html}");
    assert!(html.contains("<button>Load the demo</button>"), "{html}");
}

pub fn heard(number: u32, changes: Value) -> Heard {
    let (said, text) = ("مجھے بخار ہے", "مجھے بکھار");
    let mut value = json!({
        "id": format!("res_01KAR8F3V4N7C3Q8Z5W2Y0H{number:03}"),
        "sample_id": "smp_01KAR8F3V4N7C3Q8Z5W2Y00000",
        "file_id": "file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "provider": HOSTILE, "status": "completed",
        "ground_truth": said, "reference_version": 1, "language": "ur-IN", "transcription": text,
        "score": null, "alignment": aligned(said, text), "is_correct": false, "comment": HOSTILE,
        "reviewed_by": null, "reviewed_at": null, "error_code": null, "error_message": null,
        "retryable": null, "attempts": 1, "model_version": null, "usage": null, "cost_usd": null,
        "latency_ms": null, "etag": "x", "inserted_at": WHEN, "updated_at": WHEN,
    });
    let into = value.as_object_mut().unwrap();
    into.extend(changes.as_object().unwrap().clone());
    serde_json::from_value(value).unwrap()
}

#[test]
fn results_stand_beside_what_was_said() {
    let all = [
        heard(0, json!({})),
        heard(
            1,
            json!({ "transcription": "", "alignment": null, "is_correct": null }),
        ),
        heard(
            2,
            json!({ "transcription": null, "alignment": null, "error_message": HOSTILE }),
        ),
        heard(
            3,
            json!({ "transcription": null, "alignment": null, "status": "pending" }),
        ),
        heard(
            4,
            json!({ "transcription": HOSTILE, "alignment": null, "ground_truth": null,
                         "reference_version": 2 }),
        ),
    ];
    let choice = |value: &str| Choice {
        value: value.to_owned(),
        name: value.to_owned(),
        chosen: true,
    };
    let review = |reasons: &[&str], proposed: Option<&str>| -> Review {
        let value = json!({
            "reviewer": { "key_id": "key_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "name": HOSTILE }, "mine": false, "verdict": "wrong",
            "is_correct": false, "reasons": reasons, "comment": null,
            "proposed_reference": proposed, "listened": null, "blind": false, "queue": null,
            "reviewed_at": "2026-11-30T11:00:00.000Z",
        });
        serde_json::from_value(value).unwrap()
    };
    let said = [
        (all[0].id, vec![review(&[], None)]),
        (all[1].id, vec![review(&["name"], Some("{a|b}"))]),
    ];
    let of = Results {
        run_name: HOSTILE,
        run: "/runs/x",
        models: vec![choice("gemini-2.5-pro")],
        states: vec![choice("failed")],
        reasons: vec![choice("name")],
        orders: vec![choice("sample")],
        results: &all,
        said: &said,
        recordings: &[Recording {
            sample: all[0].sample_id,
            name: HOSTILE.to_owned(),
            seconds: 3.24,
        }],
        may_review: true,
        may_edit: true,
        total: Some(5),
        hides: true,
        scored_alone: true,
        more: Some("/runs/x/results?cursor=y"),
    };
    let html = results::page(frame(), of).unwrap();
    check(&html);
    assert!(html.contains("Clips that you have not judged are left out here."));
    assert!(html.contains("This order has what was scored:"), "{html}");
    // A verdict by itself is told once, by what most say.
    assert_eq!(html.matches("proposes: {a|b}").count(), 1, "{html}");
    assert_eq!(html.matches("<ul class=\"others\"").count(), 1, "{html}");
    assert_eq!(html.matches("href=\"/samples/").count(), 1, "{html}");
    // One clip with a reference for four models, and one wording without.
    assert_eq!(html.matches("<article class=\"clip\"").count(), 2, "{html}");
    // It is known by its file, and judged where those who may can listen.
    let file = "</bdi> · 3.2\u{a0}s</small></h2>";
    assert_eq!(html.matches(file).count(), 2, "{html}");
    let review =
        "href=\"/runs/x/review/smp_01KAR8F3V4N7C3Q8Z5W2Y00000\" aria-label=\"Review: Clip ";
    assert_eq!(html.matches(review).count(), 2, "{html}");
    // What is in Latin letters is read from the left.
    for (direction, count) in [("rtl", 3), ("ltr", 1)] {
        let of = format!("lang=\"ur-IN\" dir=\"{direction}\"");
        assert_eq!(html.matches(&of).count(), count, "{html}");
    }
    assert!(html.contains("<bdi class=\"replaced\">"), "{html}");
    assert!(html.contains("<del>"), "{html}");
    assert!(html.contains("Nothing was heard.") && html.contains("judged wrong"));
}

/// What says of a text without marks that it is not right for that.
pub const UNMARKED: &str = "errors are not marked. The error rate counts all of them.";

/// A score of half of the words.
pub fn score() -> Value {
    json!({
        "wer": 0.5, "cer": 0.5, "mer": 0.5, "wil": 0.5, "wip": 0.5, "hits": 1, "substitutions": 1,
        "deletions": 0, "insertions": 0, "reference_words": 2, "hypothesis_words": 2,
        "characters": { "hits": 5, "substitutions": 5, "deletions": 0, "insertions": 0 },
        "cer_grapheme": 0.5, "raw_wer": 0.5, "raw_cer": 0.5, "normalizer": "indic-v1",
        "scorer_version": "5", "flags": [],
    })
}

#[test]
fn a_transcription_that_is_too_long_to_be_marked_does_not_look_right() {
    let told = |changes: Value| {
        let all = [heard(0, changes)];
        let of = Results {
            run_name: "r",
            run: "/runs/x",
            models: vec![],
            states: vec![],
            reasons: vec![],
            orders: vec![],
            results: &all,
            said: &[],
            recordings: &[],
            may_review: false,
            may_edit: true,
            total: None,
            hides: false,
            scored_alone: false,
            more: None,
        };
        let html = results::page(frame(), of).unwrap();
        check(&html);
        html.matches(UNMARKED).count()
    };
    assert_eq!(told(json!({ "score": score(), "alignment": null })), 1);
    for marked in [
        json!({ "score": score() }),
        // Nothing was scored here.
        json!({ "alignment": null }),
        json!({ "score": score(), "alignment": null, "ground_truth": null }),
        json!({ "alignment": null, "transcription": "" }),
    ] {
        assert_eq!(told(marked.clone()), 0, "{marked}");
    }
}

#[test]
fn sign_in_says_what_is_wrong_at_the_field() {
    let frame = Frame {
        visitor: None,
        unencrypted: true,
        ..frame()
    };
    let form = |problem| {
        let form = SignIn {
            frame,
            name: "Asha",
            next: "/runs",
            problem,
        };
        form.page().unwrap()
    };
    let first = form(None);
    check(&first);
    assert!(first.contains("not encrypted") && !first.contains("role=\"alert\""));
    for problem in [Problem::Key, Problem::Name] {
        let again = form(Some(problem));
        check(&again);
        assert_eq!(again.matches("aria-invalid=\"true\"").count(), 1);
        assert!(again.contains("role=\"alert\""));
    }
}

#[test]
fn a_problem_says_what_happened_and_where_to_go() {
    let page = Page {
        frame: frame(),
        heading: "Please try again",
        message: HOSTILE,
        again: Some("/runs?a=1&b=\"2\""),
        back: None,
        request_id: "Abc=",
    };
    let html = page.page().unwrap();
    check(&html);
    assert!(
        html.contains("href=\"/runs?a=1&#38;b=&#34;2&#34;\">Try again</a>"),
        "{html}"
    );
    assert!(html.contains("<code>Abc=</code>"));
    for (back, told) in [
        ("/runs/run_1", "Back to the run"),
        ("/runs/run_1/review/smp_1", "Back to the clip"),
        ("/datasets/ds_1", "Back to the dataset"),
    ] {
        let page = Page {
            frame: frame(),
            again: None,
            back: Some(back),
            ..page
        };
        let html = page.page().unwrap();
        let link = format!("class=\"button primary\" href=\"{back}\">{told}</a>");
        assert!(html.contains(&link), "{html}");
    }
}

#[test]
fn a_key_is_shown_where_it_was_made_and_can_be_revoked_unless_it_is_ones_own() {
    let key = |entropy: &str| -> ApiKey {
        let value = json!({
            "id": format!("key_01KAR8F3V4N7C3Q8Z5W2Y0H6M{entropy}"), "name": HOSTILE,
            "role": "reviewer", "last_four": "abcd", "inserted_at": WHEN, "updated_at": WHEN,
        });
        serde_json::from_value(value).unwrap()
    };
    let all = [key("1"), key("2")];
    let session = |id: &str| Session {
        id: id.to_owned(),
        person: HOSTILE.to_owned(),
        key: HOSTILE.to_owned(),
        since: WHEN.to_owned(),
        until: WHEN.to_owned(),
    };
    let signed_in = [session("ses_1"), session("ses_2")];
    let of = |made, problem| Keys {
        typed: ("", Role::Reviewer),
        keys: &all,
        total: 2,
        older: None,
        own: "key_01KAR8F3V4N7C3Q8Z5W2Y0H6M1",
        made,
        token: "t",
        problem,
        sessions: Sessions {
            list: &signed_in,
            older: None,
            own: "ses_1",
        },
    };
    let html = keys::page(frame(), of(None, None)).unwrap();
    check(&html);
    assert_eq!(html.matches("/end\"").count(), 1, "{html}");
    assert!(html.contains("action=\"/sessions/ses_2/end\""), "{html}");
    assert!(html.contains("2026-11-26 10:00 UTC"), "{html}");
    assert_eq!(html.matches("/revoke\"").count(), 1, "{html}");
    assert!(!html.contains("never shown again"));
    let made = ShownOnce {
        name: HOSTILE,
        key: "sk_1_2_3",
    };
    let html = keys::page(frame(), of(Some(made), None)).unwrap();
    check(&html);
    assert!(
        html.contains("<code id=\"new-key\">sk_1_2_3</code>") && html.contains("never shown again")
    );
    let refused = Keys {
        typed: ("<mine> \"\u{202e}", Role::Editor),
        ..of(None, Some(HOSTILE))
    };
    let html = keys::page(frame(), refused).unwrap();
    check(&html);
    assert!(html.contains("aria-invalid=\"true\""));
    // What was typed and chosen is there still.
    assert!(html.contains("value=\"editor\" checked"), "{html}");
    assert!(
        html.contains("autocomplete=\"off\" value=\"&#60;mine&#62; &#34;⟨RLO⟩"),
        "{html}"
    );
}
