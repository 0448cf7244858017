//! Judgements of reviewers.

use serde_json::{Value, json};
use stt_eval_tests::{Answer, Client};

use crate::support::{Expect, PRO, World, id, text, with};

/// A run over one sample and its result.
async fn reviewed(w: &World) -> (Value, Value) {
    let made = w.dataset("d", &[Some("one two")]).await;
    let run = w.run(&made.id, &[PRO]).await;
    let result = w.results(&run, "").await.remove(0);
    (run, result)
}

async fn patch_if(client: &Client, path: &str, tag: &str, body: &Value) -> Answer {
    client
        .send(
            client
                .request("PATCH", path)
                .header("if-match", tag)
                .json(body),
        )
        .await
}

async fn judged(w: &World, run: &Value) -> (i64, i64) {
    let run = w.get(&format!("/runs/{}", id(run))).await;
    let score = &run.data(200)["score"][PRO];
    (
        score["correct"].as_i64().unwrap(),
        score["incorrect"].as_i64().unwrap(),
    )
}

#[test]
fn feedback_is_given_changed_and_cleared() {
    with(async |w| {
        let (run, result) = reviewed(w).await;
        let path = format!("/results/{}", id(&result));
        for member in ["is_correct", "comment", "reviewed_by", "reviewed_at"] {
            assert_eq!(result[member], Value::Null, "{member}");
        }
        let reviewer = w.role("reviewer").await;
        let keys = w.get("//api/v1/keys").await;
        let keys = keys.data(200).as_array().unwrap().clone();
        let key = |role: &str| id(keys.iter().find(|key| key["role"] == role).unwrap());

        let given = reviewer
            .patch(
                &path,
                &json!({ "is_correct": true, "comment": "clear <b>speech</b>" }),
            )
            .await;
        let given = given.data(200).clone();
        assert_eq!(given["is_correct"], true);
        assert_eq!(given["comment"], "clear <b>speech</b>");
        assert_eq!(given["reviewed_by"], key("reviewer"));
        assert!(text(&given["reviewed_at"]) >= text(&result["inserted_at"]));
        assert_ne!(given["etag"], result["etag"]);
        assert_eq!(judged(w, &run).await, (1, 0));
        for same in ["id", "transcription", "score", "inserted_at", "provider"] {
            assert_eq!(given[same], result[same], "{same}");
        }

        let changed = reviewer
            .patch(&path, &json!({ "is_correct": false }))
            .await
            .data(200)
            .clone();
        assert_eq!(
            changed["comment"], "clear <b>speech</b>",
            "what is not named stays"
        );
        assert_eq!(judged(w, &run).await, (0, 1));
        // Another one finds the opposite: they tie, and neither says what the other does.
        let tied = w
            .patch(&path, &json!({ "is_correct": true }))
            .await
            .data(200)
            .clone();
        assert_eq!(tied["is_correct"], Value::Null);
        assert_eq!(tied["comment"], "clear <b>speech</b>");
        assert_eq!(tied["reviewed_by"], key("admin"));
        assert_eq!(tied["reviews"], 2);
        assert_eq!(judged(w, &run).await, (0, 0));
        w.patch(&path, &json!({ "is_correct": null })).await.ok(200);
        assert_eq!(judged(w, &run).await, (0, 1));

        let cleared = reviewer
            .patch(&path, &json!({ "is_correct": null }))
            .await
            .data(200)
            .clone();
        assert_eq!(cleared["is_correct"], Value::Null);
        assert_eq!(cleared["comment"], "clear <b>speech</b>");
        assert_eq!(judged(w, &run).await, (0, 0));
        let cleared = reviewer
            .patch(&path, &json!({ "comment": null }))
            .await
            .data(200)
            .clone();
        assert_eq!(cleared["comment"], Value::Null);
        assert_eq!(cleared["reviews"], 0);
        assert_eq!(w.get(&path).await.data(200), &cleared);
        assert_eq!(w.results(&run, "").await[0], cleared);
    });
}

#[test]
fn odd_feedback_is_refused() {
    with(async |w| {
        let (_, result) = reviewed(w).await;
        let path = format!("/results/{}", id(&result));
        w.patch(&path, &json!({})).await.no(422);
        for (body, status, field) in [
            (json!({ "is_correct": "yes" }), 422, "is_correct"),
            (json!({ "is_correct": 1 }), 422, "is_correct"),
            (json!({ "comment": 5 }), 422, "comment"),
            (json!({ "comment": "x".repeat(5_001) }), 422, "comment"),
            (json!({ "comment": "a\u{0}" }), 422, "comment"),
            (json!({ "is_corect": true }), 400, "is_corect"),
            (json!({ "verdict": "maybe" }), 422, "verdict"),
            (
                json!({ "verdict": "right", "is_correct": true }),
                422,
                "verdict",
            ),
            (json!({ "reasons": ["name", "mood"] }), 422, "reasons[1]"),
            (json!({ "reasons": "name" }), 422, "reasons"),
            (json!({ "listened": 101 }), 422, "listened"),
            (json!({ "listened": -1 }), 422, "listened"),
            (json!({ "queue": "best" }), 422, "queue"),
            (json!({ "is_correct": true, "score": 1 }), 400, "score"),
        ] {
            World::names(&w.patch(&path, &body).await, status, field);
        }
        assert_eq!(w.get(&path).await.data(200), &result);
        let unknown = "/results/res_01KAR8F3V4N7C3Q8Z5W2Y0H6M1";
        w.patch(unknown, &json!({ "is_correct": true }))
            .await
            .no(404);
        // A result beyond the last of a run.
        let beyond = text(&result["id"]);
        let beyond = format!("{}9", &beyond[..beyond.len() - 1]);
        w.get(&format!("/results/{beyond}")).await.no(404);
        w.patch(
            &format!("/results/{beyond}"),
            &json!({ "is_correct": true }),
        )
        .await
        .no(404);
    });
}

#[test]
fn two_reviewers_do_not_overwrite_each_other() {
    with(async |w| {
        let (run, result) = reviewed(w).await;
        let path = format!("/results/{}", id(&result));
        let tag = text(&result["etag"]).to_owned();
        let body = json!({ "is_correct": true });
        let first = patch_if(w, &path, &format!("\"{tag}\""), &body).await;
        let next = text(&first.data(200)["etag"]).to_owned();
        assert_eq!(first.header("etag"), Some(&*format!("\"{next}\"")));
        let second = patch_if(w, &path, &tag, &json!({ "is_correct": false })).await;
        second.no(412);
        assert_eq!(w.get(&path).await.data(200)["is_correct"], true);
        patch_if(w, &path, "\"nonsense\"", &body).await.no(412);
        patch_if(w, &path, &next, &json!({ "is_correct": null }))
            .await
            .ok(200);

        // At once: with the same tag one wins, and counts stay right.
        let tag = text(&w.get(&path).await.data(200)["etag"]).to_owned();
        let tries = (0..5).map(|_| patch_if(w, &path, &tag, &body));
        let answers = futures::future::join_all(tries).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(won, 1, "{answers:?}");
        assert!(
            answers.iter().all(|a| [200, 409, 412].contains(&a.status)),
            "{answers:?}"
        );
        assert_eq!(judged(w, &run).await, (1, 0));
    });
}

#[test]
fn only_completed_results_are_judged_and_judgements_outlive_a_retry() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two"), Some("three four")]).await;
        w.record_finish(&made.audio[1], PRO, "SAFETY");
        let run = w.run(&made.id, &[PRO]).await;
        let results = w.results(&run, "").await;
        let body = json!({ "is_correct": true, "comment": "kept" });
        w.patch(&format!("/results/{}", id(&results[0])), &body)
            .await
            .ok(200);
        let failed = format!("/results/{}", id(&results[1]));
        w.patch(&failed, &body).await.no(409);
        // An old tag is told before the state.
        patch_if(w, &failed, "\"x\"", &body).await.no(412);

        let stuck = gemini_sim::Fault::Stuck {
            state: "RUNNING".to_owned(),
        };
        let number = w.strike(w.fault(stuck));
        let pending = w.start(&made.id, &[PRO]).await;
        let first = w.results(&pending, "").await.remove(0);
        assert_eq!(first["status"], "pending");
        w.patch(&format!("/results/{}", id(&first)), &body)
            .await
            .no(409);
        w.machine.sim().faults().remove(number);

        w.record(&made.audio[1], PRO, "three four");
        w.post(&format!("/runs/{}/retry", id(&run)), &json!({}))
            .await
            .ok(202);
        w.ended(&run).await;
        let after = w.results(&run, "").await;
        assert_eq!(after[0]["is_correct"], true);
        assert_eq!(after[0]["comment"], "kept");
        assert_eq!(judged(w, &run).await, (1, 0));
        w.patch(&failed, &body).await.ok(200);
        assert_eq!(judged(w, &run).await, (2, 0));
    });
}

#[test]
fn many_judgements_at_once_are_all_counted() {
    with(async |w| {
        let references: Vec<Option<&str>> = vec![Some("one two"); 6];
        let made = w.dataset("d", &references).await;
        let run = w.run(&made.id, &[PRO]).await;
        let results = w.results(&run, "").await;
        let judge = |result: &Value, right: bool| {
            let path = format!("/results/{}", id(result));
            async move {
                loop {
                    let answer = w.patch(&path, &json!({ "is_correct": right })).await;
                    // The run's counts were busy; the answer says so.
                    if answer.status != 409 {
                        return answer;
                    }
                }
            }
        };
        let all = results
            .iter()
            .enumerate()
            .map(|(at, result)| judge(result, at % 3 == 0));
        for answer in futures::future::join_all(all).await {
            answer.ok(200);
        }
        assert_eq!(judged(w, &run).await, (2, 4));
    });
}
