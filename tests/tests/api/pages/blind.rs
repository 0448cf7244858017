//! Runs that hide their models from reviewers, elsewhere than in the review.

use serde_json::json;

use super::review::{begin, field, follow, send};
use super::{Browser, Page, key};
use crate::support::{FLASH, PRO, id, with};

#[test]
fn results_of_a_blind_run_are_a_reviewers_once_they_have_judged() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two"), Some("three")]).await;
        let asked = json!({ "run_name": "r", "dataset_id": made.id, "providers": [PRO, FLASH],
            "blind_review": true });
        let run = w.post("/runs", &asked).await;
        let run = run.data(202).clone();
        let run = w.ended(&run).await;
        let (reviewer, _) = key(w, "reviewer").await;
        let mut asha = Browser::signed_in(w, &reviewer).await;
        let path = format!("/runs/{}/results", id(&run));
        let clips = |page: &Page| page.text.matches("<article class=\"clip\">").count();
        let left_out = "Clips that you have not judged are left out here.";
        for query in ["", "?sort=-wer", "?sort=-disagreement", "?status=completed"] {
            let page = asha.get(&format!("{path}{query}")).await;
            assert_eq!((page.status, clips(&page)), (200, 0), "{}", page.text);
            assert!(page.text.contains(left_out), "{}", page.text);
            assert!(!page.text.contains("WER"), "{}", page.text);
        }
        for file in ["csv", "jsonl"] {
            let page = asha.get(&format!("{path}.{file}")).await;
            assert_eq!(page.status, 403);
            assert!(
                page.text
                    .contains("models are hidden until you have judged")
            );
        }
        // One who has started it knows its models.
        let mut editor = Browser::signed_in(w, &w.project.key).await;
        let page = editor.get(&path).await;
        assert_eq!(clips(&page), 2, "{}", page.text);
        assert!(!page.text.contains(left_out));
        assert_ne!(editor.get(&format!("{path}.csv")).await.status, 403);

        let (at, page) = begin(&mut asha, &run, "queue=clips").await;
        let half = [("A.verdict", "wrong"), ("go", "stay")];
        let answer = send(&mut asha, &at, &page.text, &half).await;
        let (at, page) = follow(&mut asha, answer).await;
        // By the one that is judged, the other would be known.
        assert_eq!(clips(&asha.get(&path).await), 0);
        let whole = [("B.verdict", "right"), ("go", "next")];
        let answer = send(&mut asha, &at, &page.text, &whole).await;
        let (at, page) = follow(&mut asha, answer).await;
        let shown = asha.get(&path).await;
        assert_eq!(clips(&shown), 1);
        assert!(shown.text.contains(&format!("class=\"model\">{PRO}")));
        assert_eq!(asha.get(&format!("{path}.csv")).await.status, 403);
        // What is proposed on the pages of a review tells no model.
        let clip = at.split('?').next().unwrap();
        let form = [
            ("of", "A"),
            ("slots", &*field(&page.text, "slots")),
            ("ground_truth", "three {or|four}"),
        ];
        let proposed = asha.post(&format!("{clip}/propose"), &form).await;
        assert_eq!(proposed.status, 303, "{}", proposed.text);
        // The window of the clip is still open, and is judged in as if nothing had been.
        let all = [
            ("A.verdict", "right"),
            ("B.verdict", "right"),
            ("go", "next"),
        ];
        let answer = send(&mut asha, &at, &page.text, &all).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let kept = w.results(&run, "reason=spelling_variant").await;
        assert_eq!(kept.len(), 1);
        assert_eq!(clips(&asha.get(&path).await), 2);
        assert_ne!(asha.get(&format!("{path}.csv")).await.status, 403);
    });
}

#[test]
fn programs_are_not_told_either_what_a_blind_run_hides_from_a_reviewer() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two"), Some("three")]).await;
        let asked = json!({ "run_name": "r", "dataset_id": made.id, "providers": [PRO, FLASH],
            "blind_review": true });
        let run = w.post("/runs", &asked).await;
        let run = run.data(202).clone();
        let run = w.ended(&run).await;
        let (reviewer, viewer) = (w.role("reviewer").await, w.role("viewer").await);
        let seen = w.results(&run, "").await;
        assert_eq!(seen.len(), 4);
        let list = format!("/runs/{}/results", id(&run));
        for query in [
            "",
            "?sort=-wer",
            "?sort=-disagreement",
            "?provider=gemini-2.5-pro",
        ] {
            let path = format!("{list}{query}");
            let told = reviewer.get(&path).await;
            assert_eq!(told.data(200), &json!([]), "{query}");
            // One who judges nothing can't be misled.
            assert_ne!(viewer.get(&path).await.data(200), &json!([]), "{query}");
        }
        let right = json!({ "is_correct": true });
        for result in &seen {
            let path = format!("/results/{}", id(result));
            for answer in [
                reviewer.get(&path).await,
                reviewer.get(&format!("{path}/reviews")).await,
                reviewer.patch(&path, &right).await,
                reviewer.post(&format!("{path}/score"), &json!({})).await,
            ] {
                answer.refused(403);
                assert!(!answer.text.contains("gemini"), "{}", answer.text);
                assert!(answer.text.contains("hidden until you have judged"));
            }
            assert_eq!(viewer.get(&path).await.data(200), result);
            // One who starts runs judges what they like.
            w.patch(&path, &right).await.data(200);
        }
        assert_eq!(reviewer.get(&list).await.data(200), &json!([]));
    });
}
