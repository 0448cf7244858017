//! Clips to be judged.

use serde_json::json;
use stt_eval_html::results::Choice;
use stt_eval_html::review::{self, Around, Clip, Notice, Said, Slot};
use stt_eval_wire::results::{Reason, Review, Verdict};

use crate::others::{HOSTILE, WHEN, check, frame, heard};
use crate::samples::aligned;

fn around() -> Around<'static> {
    let choice = |value: &str, chosen| Choice {
        value: value.to_owned(),
        name: "An order".to_owned(),
        chosen,
    };
    Around {
        run_name: HOSTILE,
        run: "/runs/x",
        queues: vec![choice("clips", false), choice("worst", true)],
        blind: true,
        did: "3.100",
    }
}

fn by(name: &str, comment: &str) -> Review {
    let value = json!({
        "reviewer": { "key_id": "key_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "name": name }, "mine": false,
        "verdict": "wrong", "is_correct": false, "reasons": ["name"], "comment": comment,
        "listened": null, "blind": false, "queue": null, "reviewed_at": WHEN,
    });
    serde_json::from_value(value).unwrap()
}

#[test]
fn words_stand_under_words_where_all_are_aligned_with_one_text() {
    let (said, second) = ("مجھے بخار ہے", "مجھے بخار ہے جی");
    let other = json!({ "transcription": second, "alignment": aligned(said, second) });
    let page = |second: serde_json::Value| {
        let all = [heard(0, json!({})), heard(1, second)];
        let slots = ('A'..).zip(&all).map(|(letter, heard)| Slot {
            letter,
            heard,
            said: Said::default(),
            seen: String::new(),
            stands: None,
            others: &[],
        });
        let of = Clip {
            around: around(),
            path: "/runs/x/review/smp_1",
            number: 1,
            total: 1,
            left: None,
            slots: slots.collect(),
            without: 0,
            revealed: false,
            slots_tag: "t",
            may_edit: false,
            next: "/runs/x/review",
            notice: None,
        };
        let html = review::clip(frame(), of).unwrap();
        check(&html);
        html
    };
    let html = page(other.clone());
    assert!(html.contains("<table class=\"transcript\" lang=\"ur-IN\" dir=\"rtl\">"));
    // A column for each word that was said, and one for a word that was added.
    assert_eq!(html.matches("<th scope=\"col\"><bdi>").count(), 3, "{html}");
    assert_eq!(html.matches("<td></td>").count(), 2, "{html}");
    assert_eq!(html.matches("<td><ins>").count(), 1, "{html}");
    assert_eq!(html.matches("<td><del>").count(), 1, "{html}");
    for changes in [
        json!({ "alignment": null }),
        json!({ "ground_truth": "مجھے" }),
    ] {
        let mut changed = other.clone();
        let into = changed.as_object_mut().unwrap();
        into.extend(changes.as_object().unwrap().clone());
        assert!(!page(changed).contains("data-grid"));
    }
}

#[test]
fn a_clip_is_judged_by_letters_until_it_may_be_known() {
    let all = [
        heard(0, json!({ "provider": "model-x" })),
        heard(
            1,
            json!({ "provider": "model-y", "transcription": HOSTILE, "alignment": null }),
        ),
    ];
    let (others, stands) = ([by(HOSTILE, HOSTILE)], by("Asha", "stands"));
    let page = |revealed, notice| {
        let slot = |(letter, heard)| Slot {
            letter,
            heard,
            said: Said {
                verdict: Some(Verdict::Wrong),
                reasons: vec![Reason::MissingText, Reason::AudioUnusable],
                comment: HOSTILE.to_owned(),
            },
            seen: "7".to_owned(),
            stands: Some(&stands),
            others: if revealed { &others } else { &[] },
        };
        let of = Clip {
            around: around(),
            path: "/runs/x/review/smp_1",
            number: 14,
            total: 1_800,
            left: Some(1_009),
            slots: ['A', 'B'].into_iter().zip(&all).map(slot).collect(),
            without: 1,
            revealed,
            slots_tag: "0123",
            may_edit: revealed,
            next: "/runs/x/review?queue=worst&after=13",
            notice,
        };
        review::clip(frame(), of).unwrap()
    };
    let blind = page(false, Some(Notice::Elsewhere));
    check(&blind);
    for told in ["model-x", "model-y", "res_", "WER"] {
        assert!(!blind.contains(told), "{told}: {blind}");
    }
    for there in [
        "Clip 14 of 1,800",
        "1,009 left in this queue",
        ">Transcription A</h2>",
        ">Transcription B</h2>",
        "name=\"A.judge\" value=\"wrong\" aria-pressed=\"true\">Wrong<",
        "name=\"A.judge\" value=\"right\" aria-pressed=\"false\">Right<",
        "name=\"B.missing_text\" value=\"1\" checked",
        "name=\"audio_unusable\" value=\"1\" checked",
        "name=\"queue\" value=\"worst\"",
        "data-next=\"/runs/x/review?queue=worst&#38;after=13\"",
        "1\u{a0}model has no transcription",
        "What stands: <bdi>Wrong · Name · stands</bdi>",
        "lang=\"ur-IN\" dir=\"rtl\"",
    ] {
        assert!(blind.contains(there), "{there}: {blind}");
    }
    let known = page(true, None);
    check(&known);
    assert!(known.contains("model-x") && known.contains("model-y"));
    assert!(known.contains("aria-label=\"Others\""), "{known}");
}

#[test]
fn an_order_has_an_end() {
    let page = review::end(frame(), around(), true).unwrap();
    check(&page);
    assert!(
        page.contains("/runs/x/review?queue=worst&amp;blind=1\""),
        "{page}"
    );
    assert!(page.contains(">Saved.<"));
}
