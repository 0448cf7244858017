//! References that are proposed from what models agree on.

use serde_json::{Value, json};
use stt_eval_html::consensus::{self, Proposed, Saved, Shown};
use stt_eval_wire::consensus::Proposal;

use crate::others::{HOSTILE, check, frame};

fn proposal(changes: Value) -> Proposal {
    let heard = |model: &str, text: &str| json!({ "provider": model, "transcription": text });
    let mut value = json!({
        "sample_id": "smp_01KAR8F3V4N7C3Q8Z5W2Y00000",
        "file_id": "file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "filename": HOSTILE,
        "duration_seconds": 4.2, "language": "ur-IN", "ground_truth": "مجھے بخار ہے",
        "provider": "a", "sure": false, "same": 1, "agreement": 0.5, "etag": "0123456789abcdef",
        "transcriptions": [heard("a", "مجھے بخار ہے"), heard(HOSTILE, HOSTILE), heard("c", "")],
    });
    let into = value.as_object_mut().unwrap();
    into.extend(changes.as_object().unwrap().clone());
    serde_json::from_value(value).unwrap()
}

fn shown<'a>(clips: &'a [Proposed<'a>], may_edit: bool) -> Shown<'a> {
    Shown {
        run_name: HOSTILE,
        run: "/runs/run_01KAR8F3V4N7C3Q8Z5W2Y0H6M1",
        clips,
        without: 2,
        from: 25,
        next: Some(50),
        may_edit,
        saved: None,
    }
}

#[test]
fn only_what_is_sure_is_ticked_and_only_editors_tick() {
    let silence =
        json!([{ "provider": "a", "transcription": "" }, { "provider": "c", "transcription": "" }]);
    let proposals = [
        proposal(json!({})),
        proposal(json!({ "sure": true, "same": 3, "agreement": 1.0 })),
        proposal(json!({ "sure": true, "same": 2, "ground_truth": "", "transcriptions": silence })),
    ];
    let clips = proposals.each_ref().map(|proposal| Proposed {
        proposal,
        aligned: &[],
    });
    let html = consensus::page(frame(), shown(&clips, true)).unwrap();
    check(&html);
    assert_eq!(html.matches("type=\"checkbox\"").count(), 3, "{html}");
    assert_eq!(html.matches(" checked>").count(), 2, "{html}");
    assert_eq!(html.matches("Not sure").count(), 1, "{html}");
    for told in [
        "1 of 3\u{a0}models says this; two of them share 50.0\u{202f}% of their words.",
        "All 3\u{a0}models say the same.",
        "Nothing is said.",
        "href=\"/samples/smp_01KAR8F3V4N7C3Q8Z5W2Y00000\"",
        "?from=50\"",
        "2\u{a0}clips more have no reference and fewer than two transcriptions",
    ] {
        assert!(html.contains(told), "{told}: {html}");
    }
    let html = consensus::page(frame(), shown(&clips, false)).unwrap();
    check(&html);
    assert!(!html.contains("checkbox") && !html.contains("<button class=\"primary\">"));
}

#[test]
fn what_became_of_them_is_told() {
    let of = |saved, left_alone| {
        let saved = Some(Saved { saved, left_alone });
        let of = Shown {
            saved,
            ..shown(&[], true)
        };
        let html = consensus::page(frame(), of).unwrap();
        check(&html);
        assert!(html.contains("There is nothing to propose here"), "{html}");
        html
    };
    assert!(of(3, 0).contains("3\u{a0}references were saved.</p>"));
    assert!(of(1, 2).contains("1\u{a0}reference was saved. 2\u{a0}clips were left alone"));
    assert!(of(0, 0).contains("Nothing was ticked"));
}
