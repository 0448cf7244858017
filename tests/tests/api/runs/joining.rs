//! Transcripts that join a run which has ended.

use serde_json::{Value, json};
use stt_eval_tests::Answer;

use super::transcripts::{of, report};
use crate::support::{Expect, FLASH, PRO, World, id, items, text, with};

/// Adds lists to a run.
async fn add(w: &World, run: &Value, body: &Value) -> Answer {
    w.post(&format!("/runs/{}/transcripts", id(run)), body)
        .await
}

#[test]
fn they_join_a_run_that_has_ended_and_its_reviews_stay() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two"), Some("three four")]).await;
        let run = w.run(&made.id, &[PRO, FLASH]).await;
        let before = w.results(&run, "").await;
        let reviewed = format!("/results/{}", id(&before[0]));
        let review = json!({ "is_correct": true, "comment": "heard it" });
        w.patch(&reviewed, &review).await.ok(200);
        let one = json!({ "name": "a", "items": [
            { "filename": "0.wav", "text": "one two" }, { "filename": "1.wav", "text": "three" },
        ] });
        let joined = add(w, &run, &one).await.data(202).clone();
        assert_eq!(joined["id"], run["id"]);
        assert_eq!(joined["providers"], json!([PRO, FLASH, "imported/a"]));
        let joined = w.ended(&joined).await;
        assert_eq!(joined["status"], "completed");
        assert_eq!(joined["total_items"], 6);
        assert_eq!(joined["round"], run["round"]);
        assert_eq!(joined["score"]["imported/a"]["wer"], 0.25);
        assert_eq!(joined["score"][FLASH], run["score"][FLASH]);
        let kept = w.get(&reviewed).await.data(200).clone();
        assert_eq!(kept["is_correct"], true);
        assert_eq!(kept["comment"], "heard it");
        let told = report(w, &joined).await;
        assert_eq!(told["complete"], true);
        assert_eq!(items(&told["providers"]).len(), 3);
        assert_eq!(of(&told, PRO)["human"]["correct"], 1);
        assert_eq!(told["comparison"]["pairs"].as_array().unwrap().len(), 3);
        assert_eq!(w.batches().await.len(), 2, "no provider was asked again");

        // The same again is the same, by whatever way it comes.
        let csv = "file_id,text\n".to_owned()
            + &format!("{},one two\n{},three\n", made.files[0], made.files[1]);
        let table = w.file("t.csv", "text/csv", csv.into()).await;
        let by_table = json!({ "transcripts": [{ "name": "a", "manifest_file_id": table }] });
        for body in [&one, &by_table] {
            let again = add(w, &run, body).await.data(202).clone();
            assert_eq!(again["providers"], joined["providers"]);
            assert_eq!(again["updated_at"], joined["updated_at"]);
        }
        // Other content of the same name is not.
        let mut other = one.clone();
        other["items"][1]["text"] = json!("three four");
        World::names(&add(w, &run, &other).await, 409, "name");
        let both = json!({ "transcripts": [one, { "name": "b", "items": [
            { "file_id": made.files[1], "text": "three four" },
        ] }] });
        let more = add(w, &run, &both).await.data(202).clone();
        let more = w.ended(&more).await;
        assert_eq!(items(&more["providers"]).len(), 4);
        assert_eq!(more["counts"]["failed"], 1, "{more}");

        for (body, field) in [
            (json!({}), "name"),
            (json!({ "name": "c" }), "items"),
            (
                json!({ "name": "c", "items": [{ "text": "" }] }),
                "items[0]",
            ),
            (
                json!({ "name": "c", "items": [{ "filename": "0.wav", "text": "" }],
                        "transcripts": [] }),
                "transcripts",
            ),
        ] {
            World::names(&add(w, &run, &body).await, 422, field);
        }
        // Scored again, all four are; and what joins afterwards is in that scoring.
        let path = format!("/runs/{}", id(&run));
        let wanted = json!({ "normalizer": "raw-v1" });
        w.post(&format!("{path}/rescore"), &wanted).await.ok(202);
        w.machine
            .wait("it is scored again", async || {
                let run = w.get(&path).await.data(200).clone();
                (run["scorings"][1]["status"] == "completed").then_some(())
            })
            .await;
        let late = json!({ "name": "c", "items": [{ "filename": "0.wav", "text": "one two" }] });
        let late = add(w, &run, &late).await.data(202).clone();
        let late = w.ended(&late).await;
        let now = report(w, &late).await;
        assert_eq!(now["scoring"]["normalizer"], "raw-v1");
        assert_eq!(of(&now, "imported/c")["completed"], 1);
        assert_eq!(of(&now, "imported/c")["score"]["wer"], 0.5, "{now}");
        let before = w.get(&format!("{path}/report?scoring=1")).await;
        let before = before.data(200);
        assert_eq!(items(&before["providers"]).len(), 5);
        assert_eq!(of(before, "imported/c")["completed"], 0);
        assert_eq!(of(before, "imported/a")["completed"], 2);
    });
}

#[test]
fn a_run_under_way_or_cancelled_is_not_joined() {
    with(async |w| {
        w.strike(w.fault(gemini_sim::Fault::Stuck {
            state: "PENDING".to_owned(),
        }));
        let made = w.dataset("d", &[Some("one two")]).await;
        let run = w.start(&made.id, &[PRO]).await;
        let one = json!({ "name": "a", "items": [{ "filename": "0.wav", "text": "one two" }] });
        let refused = add(w, &run, &one).await;
        refused.no(409);
        assert!(refused.text.contains("ended"), "{}", refused.text);
        w.post(&format!("/runs/{}/cancel", id(&run)), &json!({}))
            .await
            .ok(200);
        add(w, &run, &one).await.no(409);
        let found = w.get(&format!("/runs/{}", id(&run))).await;
        assert_eq!(found.data(200)["providers"], json!([PRO]));
        assert_eq!(text(&found.data(200)["status"]), "cancelled");
    });
}
