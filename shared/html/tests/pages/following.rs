//! What changes of a run's page while it is looked at.

use serde_json::{Value, json};
use stt_eval_html::following;
use stt_eval_html::runs::{self, Actions, ListField};

use crate::others::{HOSTILE, WHEN, check, frame, now, run};

const ALL: Actions = Actions {
    cancel: true,
    review: true,
    retry: false,
    keys: true,
    stopping: false,
    rescore: false,
    changed: None,
    add: false,
    delete: false,
    propose: 3,
    stand_in: None,
};

#[test]
fn what_a_simulation_does_not_know_is_told() {
    let failed = |vendor: &str, failed: u64| {
        run(json!({
            "config": { "normalizer": "indic-v1", "providers": { "gemini-2.5-pro": {
                "provider": vendor, "model": "m", "prompt": "", "prompt_version": "",
                "temperature": 0.0 } } },
            "model_counts": { "gemini-2.5-pro": { "completed": 1, "failed": failed, "pending": 0 } },
        }))
    };
    let actions = Actions {
        stand_in: Some("google"),
        ..ALL
    };
    let told = |run, actions| {
        let html = following::fragment(&run, actions, now()).unwrap();
        html.contains("Simulated on this machine: <bdi>gemini-2.5-pro</bdi>")
    };
    assert!(told(failed("google", 2), actions));
    assert!(!told(failed("google", 0), actions));
    assert!(!told(failed("openai", 2), actions));
    // On a deployment nothing is simulated.
    assert!(!told(failed("google", 2), ALL));
}

#[test]
fn the_fragment_is_what_stands_in_the_page() {
    let run = run(json!({}));
    let page = runs::page(frame(), &run, ALL, now()).unwrap();
    check(&page);
    let fragment = following::fragment(&run, ALL, now()).unwrap();
    assert!(page.contains(&fragment), "{fragment}");
    assert!(page.contains("/progress\""), "{page}");
    assert!(page.contains("/progress.js\""), "{page}");
    assert!(!fragment.contains("<h1") && !fragment.contains("<script"));
    assert!(fragment.contains("data-followed=\"true\""));
    assert!(fragment.contains("ago."), "{fragment}");
    assert!(
        fragment.contains("3\u{a0}clips have no reference. <a href=\"/runs/"),
        "{fragment}"
    );
}

#[test]
fn what_a_person_must_do_is_told_with_the_way_there() {
    let waiting = |reason: &str| {
        run(json!({
            "config": { "normalizer": "indic-v1", "providers": { "gemini-2.5-pro": {
                "provider": "google", "model": "m", "prompt": "", "prompt_version": "",
                "temperature": 0.0 } } },
            "waiting": [{ "provider": "gemini-2.5-pro", "waiting_reason": reason,
                          "message": "because of that", "items": 1,
                          "next_attempt_at": "2026-11-26T11:40:00.000Z" }],
        }))
    };
    let refused = waiting("provider_key_refused");
    let html = following::fragment(&refused, ALL, now()).unwrap();
    assert!(html.contains("href=\"/settings#google\""), "{html}");
    assert!(
        html.contains("Because of that. Tried again in 10\u{a0}min."),
        "{html}"
    );
    let others = Actions { keys: false, ..ALL };
    let html = following::fragment(&refused, others, now()).unwrap();
    assert!(html.contains("An administrator") && !html.contains("/settings"));
    let html = following::fragment(&waiting("provider_out_of_credit"), ALL, now()).unwrap();
    assert!(html.contains("top up the account"), "{html}");
    let html = following::fragment(&waiting("provider_rate_limited"), ALL, now()).unwrap();
    assert!(!html.contains("What to do"), "{html}");
}

#[test]
fn a_run_that_has_ended_is_followed_no_more() {
    let over = run(json!({
        "status": "completed", "waiting": [], "error_message": HOSTILE,
        "counts": { "pending": 0, "completed": 1_997, "failed": 3 },
        "finished_at": "2026-11-26T10:12:00.000Z", "max_cost_usd": 2.5,
    }));
    let actions = Actions {
        cancel: false,
        retry: true,
        ..ALL
    };
    let page = runs::page(frame(), &over, actions, now()).unwrap();
    check(&page);
    assert!(!page.contains("progress.js") && !page.contains("Pause updates"));
    assert!(
        page.contains("after 12\u{a0}min.") && page.contains("At most $2.50"),
        "{page}"
    );
    assert!(page.contains(">Retry failed</button>") && page.contains("data-followed=\"false\""));
    // Once it was retried, or transcripts joined it, the time between is no work of its own.
    let ended = |mut changes: Value| {
        changes["status"] = "completed".into();
        changes["finished_at"] = "2026-11-26T10:12:00.000Z".into();
        following::fragment(&run(changes), actions, now()).unwrap()
    };
    let by_itself = ended(json!({ "round": 2, "asked_again": 4 }));
    assert!(by_itself.contains("after 12\u{a0}min."), "{by_itself}");
    for went_on in [
        json!({ "round": 2, "asked_again": 0 }),
        json!({ "providers": ["gemini-2.5-pro", "imported/mine"] }),
    ] {
        let html = ended(went_on);
        assert!(html.contains("; ended 2026-11-26 10:12 UTC."), "{html}");
    }
}

#[test]
fn what_a_cancellation_left_can_be_tried_again_once_it_is_over() {
    let left = run(json!({
        "status": "cancelled", "waiting": [], "score": null,
        "model_counts": { "gemini-2.5-pro": { "pending": 500, "completed": 497, "failed": 3 } },
    }));
    let stopping = Actions {
        cancel: false,
        retry: false,
        stopping: true,
        delete: true,
        ..ALL
    };
    let html = following::fragment(&left, stopping, now()).unwrap();
    assert!(html.contains("tried again in a moment.</p>"), "{html}");
    let reads = Actions {
        delete: false,
        ..stopping
    };
    let html_of_reader = following::fragment(&left, reads, now()).unwrap();
    assert!(html_of_reader.contains("being stopped at the vendors.</p>"));
    // It is followed until it is: without scripts by loading it again.
    assert!(html.contains("data-followed=\"true\"") && html.contains(">Refresh</a>"));
    let page = runs::page(frame(), &left, stopping, now()).unwrap();
    check(&page);
    assert!(page.contains("/progress.js\"") && page.contains("Pause updates"));
    let over = Actions {
        retry: true,
        stopping: false,
        ..stopping
    };
    let html = following::fragment(&left, over, now()).unwrap();
    assert!(html.contains(">Retry what is left</button>") && !html.contains("in a moment"));
    assert!(html.contains("data-followed=\"false\"") && !html.contains(">Refresh</a>"));
    // What is transcribed is told without a reference as well; its rate is not.
    assert!(html.contains("–</td><td class=\"number\">497</td><td class=\"number\">3</td>"));
}

#[test]
fn a_run_that_is_scored_again_is_followed() {
    let scoring = |status: &str| {
        run(json!({
            "status": "completed", "waiting": [], "scorings": [{
                "id": 2, "normalizer": "indic-v1", "scorer_version": "5", "status": status,
                "current": false, "inserted_at": WHEN, "completed_at": null,
            }],
        }))
    };
    let actions = Actions {
        cancel: false,
        ..ALL
    };
    let html = following::fragment(&scoring("pending"), actions, now()).unwrap();
    assert!(html.contains("It is being scored again."), "{html}");
    assert!(html.contains("data-followed=\"true\"") && html.contains(">Refresh</a>"));
    let html = following::fragment(&scoring("completed"), actions, now()).unwrap();
    assert!(html.contains("data-followed=\"false\""), "{html}");
}

#[test]
fn what_was_not_asked_for_is_no_failure() {
    let told = |completed: u64, failed: u64| {
        let pending = 18 - completed - failed;
        let run = run(json!({
            "providers": ["mistral/voxtral"], "waiting": [], "score": null, "total_items": 18,
            "counts": { "pending": pending, "completed": completed, "failed": failed },
            "model_counts": { "mistral/voxtral":
                { "pending": pending, "completed": completed, "failed": failed } },
            "warnings": [{ "code": "unsupported_by_model", "model": "mistral/voxtral",
                           "count": 11, "message": "m" }],
        }));
        let html = following::fragment(&run, ALL, now()).unwrap();
        assert!(html.contains("is left out of its score"), "{html}");
        html
    };
    let row = |failed: &str, not_asked: &str| {
        format!("<td class=\"number\">{failed}<small>{not_asked}</small></td></tr>")
    };
    for (completed, failed, said, row) in [
        (7, 11, "11 not asked for", row("0", "11 not asked for")),
        (
            4,
            14,
            "3 failed and 11 not asked for",
            row("3", "11 not asked for"),
        ),
        // Which of them are behind is not known yet.
        (
            0,
            5,
            "5 failed or not asked for",
            row("5", "or not asked for"),
        ),
    ] {
        let html = told(completed, failed);
        let said = format!("{} of 18, of which {said}</p>", completed + failed);
        assert!(html.contains(&said), "{said}: {html}");
        assert!(html.contains(&row), "{row}: {html}");
    }
    assert!(told(5, 0).contains("5 of 18</p>"));
}

#[test]
fn transcripts_that_were_not_taken_can_be_sent_again() {
    let problems = [
        (ListField::Name, HOSTILE.to_owned()),
        (ListField::Table, "rows[3].text: is missing".to_owned()),
        (ListField::Form, "the run is under way".to_owned()),
    ];
    let list = runs::NotTaken {
        name: "<mine> \"\u{202e}",
        problems: &problems,
        could_leave_out: Some(("file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", 12)),
    };
    let page = runs::page_with(frame(), &run(json!({})), ALL, now(), list).unwrap();
    check(&page);
    assert!(page.contains("<details open>"));
    // What came anew would take the form with it.
    assert!(page.contains("data-followed=\"false\""));
    // At the top, where the page begins, and at the field.
    assert_eq!(
        page.matches("role=\"alert\" tabindex=\"-1\" autofocus>")
            .count(),
        1
    );
    for told in [
        "<a href=\"#list-table\">Table of transcripts</a>: rows[3].text: is missing",
        "<a href=\"#list-wrong\">Add transcripts made elsewhere</a>: the run is under way",
        "<div class=\"error\" id=\"list-wrong\"><p>the run is under way</p>",
        "<div class=\"error\" id=\"list-table-wrong\"><p>rows[3].text: is missing</p>",
        "list-name-hint list-name-wrong\" aria-invalid=\"true\"",
        "list-table-hint list-table-wrong\" aria-invalid=\"true\"",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(page.contains("Leave out 12\u{a0}lines of clips that this dataset does not have"));
    assert!(page.contains("value=\"file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1:12\""));
    assert!(page.contains("name=\"kept\" value=\"file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1\""));
    let asked = runs::delete(frame(), &run(json!({}))).unwrap();
    check(&asked);
    assert!(asked.contains("/delete\"><p class=\"actions\">"), "{asked}");
}
