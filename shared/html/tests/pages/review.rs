//! Clips to be judged.

use serde_json::json;
use stt_eval_html::results::Choice;
use stt_eval_html::review::{self, Around, Clip, Left, Notice, Rest, Said, Slot};
use stt_eval_wire::results::{Reason, Result as Heard, Review, Verdict};

use crate::others::{HOSTILE, UNMARKED, WHEN, check, frame, heard, score};
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
        always_blind: false,
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

/// The page of a clip with these transcriptions, to one who has not judged it.
fn unjudged(all: &[Heard]) -> String {
    unjudged_in(around(), None, all)
}

fn unjudged_in(around: Around<'_>, left: Option<Left>, all: &[Heard]) -> String {
    let slots = ('A'..).zip(all).map(|(letter, heard)| Slot {
        letter,
        heard,
        said: Said::default(),
        seen: String::new(),
        stands: None,
        others: &[],
    });
    let of = Clip {
        around,
        path: "/runs/x/review/smp_1",
        number: 1,
        total: 1,
        left,
        slots: slots.collect(),
        without: 0,
        revealed: false,
        slots_tag: "t",
        by: ("Asha", "demo"),
        says_now: None,
        may_edit: false,
        next: "/runs/x/review",
        notice: None,
    };
    let html = review::clip(frame(), of).unwrap();
    check(&html);
    html
}

#[test]
fn each_word_can_be_played_from_whichever_transcription_came_with_times() {
    let said = "one two three";
    let of = |number, text: &str, times: serde_json::Value| {
        let value = json!({ "language": "en", "ground_truth": said, "transcription": text,
            "alignment": aligned(said, text), "word_times": times });
        heard(number, value)
    };
    let times = json!([{ "start": 0, "at_ms": 100 }, { "start": 4, "at_ms": 400 },
        { "start": 8, "at_ms": 900 }]);
    let none = serde_json::Value::Null;
    let words = |html: &str| -> Vec<String> {
        let places = html.split(" data-at=\"").skip(1);
        places
            .map(|rest| {
                let (at, rest) = rest.split_once("\">").unwrap();
                let text = rest
                    .split('<')
                    .find(|text| !text.is_empty() && !text.contains('>'));
                format!("{at} {}", text.unwrap_or_default().trim())
            })
            .collect()
    };
    let (first, second) = ("one too three", "one three");
    let told = unjudged(&[of(0, first, times.clone()), of(1, second, none.clone())]);
    assert!(told.contains("Press a word to play from it."));
    let lines = told.split("</table>").nth(1).unwrap();
    let (a, b) = lines.split_once("Transcription B").unwrap();
    assert_eq!(words(a)[..1], ["100 one"]);
    assert_eq!(words(a).len(), 3, "{a}");
    assert!(a.contains("data-at=\"900\">three"), "{a}");
    // A word that is missing is looked for behind the one before.
    assert_eq!(words(b), ["100 one", "400 t", "400 three"], "{b}");
    let reference = told.split("</section>").next().unwrap();
    assert_eq!(words(reference), ["100 one", "400 two", "900 three"]);
    // Which of them came with times would tell of their models.
    let shorter = json!([{ "start": 0, "at_ms": 100 }, { "start": 4, "at_ms": 900 }]);
    let other = unjudged(&[of(0, first, none.clone()), of(1, second, shorter)]);
    assert_eq!(words(&other).len(), words(&told).len());
    // A phrase tells of its begin alone: words are taken where they are told.
    let phrase = json!([{ "start": 0, "at_ms": 100 }]);
    let best = unjudged(&[of(0, first, phrase), of(1, first, times.clone())]);
    assert!(best.contains("data-at=\"400\""), "{best}");
    // Without a reference times are nobody else's, and one alone is not told.
    let alone = |times| {
        let value = json!({ "language": "en", "ground_truth": null, "alignment": null,
            "transcription": first, "word_times": times });
        heard(0, value)
    };
    let told = unjudged(&[alone(times.clone()), alone(none)]);
    assert!(!told.contains("data-at"), "{told}");
    let told = unjudged(&[alone(times.clone()), alone(times)]);
    assert_eq!(
        words(&told),
        [
            "100 one",
            "400 too",
            "900 three",
            "100 one",
            "400 too",
            "900 three"
        ]
    );
}

#[test]
fn words_stand_under_words_where_all_are_aligned_with_one_text() {
    let (said, second) = ("مجھے بخار ہے", "مجھے بخار ہے جی");
    let other = json!({ "transcription": second, "alignment": aligned(said, second) });
    let page = |second: serde_json::Value| unjudged(&[heard(0, json!({})), heard(1, second)]);
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
fn what_was_not_counted_to_the_end_is_told_as_the_least_there_is() {
    for (clips, or_more, told) in [
        (5, false, ">5 left in this queue<"),
        (5, true, ">at least 5 left in this queue<"),
        (0, false, ">The last clip of this queue<"),
    ] {
        let left = Left {
            clips,
            or_more,
            untold: 0,
        };
        let html = unjudged_in(around(), Some(left), &[heard(0, json!({}))]);
        assert!(html.contains(told), "{told}: {html}");
    }
}

#[test]
fn a_transcription_that_is_too_long_to_be_marked_does_not_look_right() {
    let long = json!({ "score": score(), "alignment": null });
    let html = unjudged(&[heard(0, long), heard(1, json!({ "score": score() }))]);
    assert_eq!(html.matches(UNMARKED).count(), 1, "{html}");
    let (a, b) = html.split_once("Transcription B").unwrap();
    assert!(a.contains(UNMARKED) && !b.contains(UNMARKED), "{html}");
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
            left: Some(Left {
                clips: 1_009,
                or_more: false,
                untold: 2,
            }),
            slots: ['A', 'B'].into_iter().zip(&all).map(slot).collect(),
            without: 1,
            revealed,
            slots_tag: "0123",
            by: ("Asha", "demo"),
            says_now: None,
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
        "1,009 left in this queue; 2\u{a0}other clips have no transcription<",
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
    let settled = page(true, Some(Notice::Settled));
    assert!(settled.contains("“Right” goes with no reason but the spelling"));
}

#[test]
fn that_models_are_told_later_is_said_only_where_they_are_hidden() {
    let all = [heard(0, json!({}))];
    let told = "Which model made which is told once you have judged.";
    assert!(unjudged(&all).contains(told));
    let open = Around {
        blind: false,
        ..around()
    };
    assert!(!unjudged_in(open, None, &all).contains(told));
}

#[test]
fn an_order_has_an_end() {
    let page = review::end(
        frame(),
        around(),
        Some(Notice::Saved),
        Rest::Skipped,
        Some("/runs/x/review/y/undo".to_owned()),
    )
    .unwrap();
    check(&page);
    assert!(
        page.contains("/runs/x/review?queue=worst&amp;blind=1\""),
        "{page}"
    );
    assert!(page.contains(">Saved.<"));
    assert!(page.contains("That was the last clip"), "{page}");
    let empty = review::end(
        frame(),
        around(),
        Some(Notice::PassedOver(2)),
        Rest::Nothing,
        None,
    )
    .unwrap();
    check(&empty);
    assert!(page.contains("action=\"/runs/x/review/y/undo\""), "{page}");
    assert!(!empty.contains("/undo\""), "{empty}");
    assert!(
        empty.contains("No clip of this order is left to judge"),
        "{empty}"
    );
    assert!(!empty.contains("skipped"), "{empty}");
    let told = "Saved. Passed over: 2\u{a0}transcriptions.";
    assert!(empty.contains(told), "{empty}");
    let all = review::end(frame(), around(), None, Rest::NothingAtAll, None).unwrap();
    check(&all);
    assert!(all.contains("You have judged every clip"), "{all}");
    assert!(!all.contains("Begin again"), "{all}");
    for (rest, said) in [
        (Rest::NothingYet, "There is nothing more to judge yet"),
        (Rest::NothingThere, "No clip of this run was transcribed"),
    ] {
        let page = review::end(frame(), around(), None, rest, None).unwrap();
        check(&page);
        assert!(
            page.contains(said) && !page.contains("every clip"),
            "{page}"
        );
    }
}
