//! What goes wrong stays small: an item, a model, never the rest.

use gemini_sim::{Fault, FaultRule, Recording, Route};
use serde_json::{Value, json};
use stt_eval_tests::audio::sha256;

use crate::support::{Expect, FLASH, PRO, World, id, text, with};

#[test]
fn a_model_that_fails_whole_leaves_the_others_alone() {
    with(async |w| {
        let refused = Fault::Status {
            code: 400,
            message: Some("the model is not for you; see projects/31415".to_owned()),
            after_commit: false,
            retry_after: None,
        };
        let mut rule: FaultRule = w.fault(refused).on(Route::BatchCreate);
        rule.model = Some(FLASH.to_owned());
        w.strike(rule);
        let made = w.dataset("d", &[Some("one two"), Some("three four")]).await;
        let run = w.run(&made.id, &[FLASH, PRO]).await;
        assert_eq!(run["status"], "completed", "{run}");
        assert_eq!(
            run["counts"],
            json!({ "pending": 0, "completed": 2, "failed": 2 })
        );
        assert_eq!(run["score"][PRO]["wer"], 0.0);
        assert_eq!(
            run["score"][FLASH],
            Value::Null,
            "it never had its chance: that is no error of the model"
        );
        let report = w.get(&format!("/runs/{}/report", id(&run))).await;
        let report = report.data(200);
        let flash = &report["providers"][0];
        assert_eq!(
            (&flash["provider"], &flash["score"]),
            (&json!(FLASH), &Value::Null)
        );
        let coverage = json!({
            "share": 0.0, "transcribed": 0, "failed_by_model": 0, "failed_by_service": 2,
        });
        assert_eq!(flash["coverage"], coverage);
        assert_eq!(flash["rank"], Value::Null);
        let warnings = report["warnings"].as_array().unwrap().iter();
        let codes: Vec<&str> = warnings.map(|w| text(&w["code"])).collect();
        assert!(
            codes.contains(&"service_failures") && codes.contains(&"not_compared"),
            "{codes:?}"
        );
        for result in w.results(&run, &format!("provider={FLASH}")).await {
            assert_eq!(result["status"], "failed");
            assert_eq!(result["transcription"], Value::Null);
            assert_eq!(result["retryable"], true);
            let message = text(&result["error_message"]);
            assert!(
                !message.is_empty() && !message.contains("31415"),
                "{message}"
            );
        }
    });
}

#[test]
fn a_run_of_which_nothing_succeeded_is_failed() {
    with(async |w| {
        let made = w.unknown("d", &[Some("one two"), None]).await;
        let run = w.run(&made.id, &[PRO]).await;
        assert_eq!(run["status"], "failed", "{run}");
        assert_eq!(
            run["counts"],
            json!({ "pending": 0, "completed": 0, "failed": 2 })
        );
        assert!(run["error_message"].is_string(), "{run}");
        for result in w.results(&run, "").await {
            assert_eq!(result["status"], "failed");
            assert!(!text(&result["error_message"]).is_empty());
            assert_eq!(result["score"], Value::Null);
        }
    });
}

/// The only result of a run over one recording.
async fn only(w: &World, name: &str, teach: impl FnOnce(&World, &[u8])) -> (Value, Value) {
    let made = w.unknown(name, &[Some("one two")]).await;
    teach(w, &made.audio[0]);
    let run = w.run(&made.id, &[PRO]).await;
    let result = w.results(&run, "").await.remove(0);
    (run, result)
}

#[test]
fn blocked_and_empty_answers_are_failures_with_their_reason() {
    with(async |w| {
        for (name, reason) in [("a", "SAFETY"), ("b", "RECITATION"), ("c", "MAX_TOKENS")] {
            let (run, result) = only(w, name, |w, audio| w.record_finish(audio, PRO, reason)).await;
            assert_eq!(result["status"], "failed", "{result}");
            assert_eq!(run["status"], "failed");
            let words = reason.to_lowercase().replace('_', "");
            let told = format!(
                "{} {}",
                text(&result["error_message"]),
                result["error_code"]
            );
            let told = told.to_lowercase().replace(['_', ' '], "");
            assert!(told.contains(&words), "{reason}: {result}");
            assert_eq!(result["retryable"], reason == "RECITATION", "{result}");
        }
        let (run, result) = only(w, "empty", |w, audio| w.record(audio, PRO, "")).await;
        assert_eq!(
            result["status"], "failed",
            "an empty answer is no success: {result}"
        );
        assert_eq!(run["status"], "failed");
        assert!(!text(&result["error_message"]).is_empty());
        let (_, result) = only(w, "blocked", |w, audio| {
            let recording = Recording {
                block_reason: Some("PROHIBITED_CONTENT".to_owned()),
                ..Recording::default()
            };
            w.machine
                .sim()
                .recordings()
                .insert(&sha256(audio), PRO, recording);
        })
        .await;
        assert_eq!(result["status"], "failed", "{result}");
    });
}

#[test]
fn odd_lines_fail_their_items_only() {
    with(async |w| {
        let texts = [
            Some("one two"),
            Some("three four"),
            Some("five six"),
            Some("seven eight"),
        ];
        let made = w.dataset("d", &texts).await;
        // One line is missing, the next is broken, the one after comes twice: of a
        // line the first rule that matches is applied.
        for fault in [
            Fault::ItemMissing,
            Fault::ItemMalformed {
                form: gemini_sim::MalformedForm::NotJson,
            },
            Fault::ItemDuplicate {
                text: Some("other words".to_owned()),
            },
        ] {
            w.strike(w.fault(fault).times(1));
        }
        w.strike(w.fault(Fault::ExtraLines {
            lines: vec!["{\"key\":\"nobody\"}".to_owned(), "}{".to_owned()],
        }));
        let run = w.run(&made.id, &[PRO]).await;
        assert_eq!(run["status"], "completed", "{run}");
        assert_eq!(
            run["counts"],
            json!({ "pending": 0, "completed": 2, "failed": 2 })
        );
        let failed = w.results(&run, "status=failed").await;
        assert!(
            failed.iter().all(|r| !text(&r["error_message"]).is_empty()),
            "{failed:?}"
        );
        let completed = w.results(&run, "status=completed").await;
        assert!(
            completed.iter().all(|r| r["score"]["wer"] == 0.0),
            "the first of a key counts"
        );
    });
}

#[test]
fn transient_errors_of_the_provider_end_nothing() {
    with(async |w| {
        let status = |code| Fault::Status {
            code,
            message: None,
            after_commit: false,
            retry_after: None,
        };
        w.strike(w.fault(status(503)).on(Route::UploadStart).times(1));
        w.strike(w.fault(status(429)).on(Route::BatchCreate).times(1));
        w.strike(w.fault(status(500)).on(Route::BatchList).times(2));
        w.strike(w.fault(status(503)).on(Route::FileDownload).times(1));
        w.strike(
            w.fault(Fault::Html {
                after_commit: false,
            })
            .on(Route::BatchList)
            .times(1)
            .after(2),
        );
        w.strike(w.fault(Fault::UnknownState {
            state: "BATCH_STATE_PONDERING".to_owned(),
            polls: Some(3),
        }));
        let made = w.dataset("d", &[Some("one two")]).await;
        let run = w.run(&made.id, &[PRO]).await;
        assert_eq!(run["status"], "completed", "{run}");
        assert_eq!(run["counts"]["completed"], 1);
        let batches = w.batches().await;
        assert_eq!(batches.len(), 1, "the provider was asked once: {batches:?}");
    });
}

#[test]
fn a_lost_reply_does_not_start_a_second_batch() {
    with(async |w| {
        w.strike(w.fault(Fault::LoseReply).on(Route::BatchCreate).times(1));
        let made = w.dataset("d", &[Some("one two")]).await;
        let run = w.run(&made.id, &[PRO]).await;
        assert_eq!(run["status"], "completed", "{run}");
        assert_eq!(w.batches().await.len(), 1);
        assert_eq!(w.results(&run, "").await.len(), 1);
        w.get(&format!("/runs/{}", id(&run))).await.ok(200);
    });
}

#[test]
fn a_batch_that_ends_badly_fails_its_items_with_the_reason_and_can_be_retried() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two"), Some("three four")]).await;
        for state in ["FAILED", "EXPIRED", "CANCELLED"] {
            let end = Fault::End {
                state: state.to_owned(),
                code: 13,
                message: "upstream detail 271828".to_owned(),
                with_output: false,
            };
            let mut rule = w.fault(end).times(1);
            rule.model = Some(FLASH.to_owned());
            w.strike(rule);
            let run = w.run(&made.id, &[PRO, FLASH]).await;
            assert_eq!(run["status"], "completed", "{state}: {run}");
            let counts = json!({ "pending": 0, "completed": 2, "failed": 2 });
            assert_eq!(run["counts"], counts, "{state}");
            for result in w.results(&run, "status=failed").await {
                assert_eq!(result["provider"], FLASH);
                let message = text(&result["error_message"]);
                assert!(message.len() > 10, "{state}: {result}");
                assert!(!result.to_string().contains("271828"), "{state}: {result}");
            }
            let path = format!("/runs/{}/retry", id(&run));
            w.post(&path, &json!({})).await.ok(202);
            let run = w.ended(&run).await;
            assert_eq!(run["counts"]["completed"], 4, "{state}: {run}");
        }
    });
}

#[test]
fn a_run_whose_credentials_are_removed_still_ends() {
    with(async |w| {
        let stuck = Fault::Stuck {
            state: "RUNNING".to_owned(),
        };
        w.strike(w.fault(stuck));
        let made = w.dataset("d", &[Some("one two")]).await;
        let run = w.start(&made.id, &[PRO]).await;
        w.machine
            .wait("the batch is at the provider", async || {
                (w.batches().await.len() == 1).then_some(())
            })
            .await;
        w.delete("/credentials/google").await.ok(200);
        let run = w.ended(&run).await;
        assert_eq!(run["status"], "failed", "{run}");
        let result = w.results(&run, "").await.remove(0);
        assert!(!text(&result["error_message"]).is_empty(), "{result}");
    });
}

#[test]
fn poison_in_the_submission_queue_harms_no_other_message() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two")]).await;
        let cloud = &w.machine.node.cloud;
        for body in [
            "no message",
            "{}",
            "[]",
            "{\"type\":\"run_accepted\"}",
            "\u{1f4a5}",
        ] {
            let queue = cloud.queue_url("submissions");
            let message = cloud.sqs_client().send_message().queue_url(queue);
            message.message_body(body).send().await.unwrap();
        }
        let run = w.run(&made.id, &[PRO]).await;
        assert_eq!(run["status"], "completed", "{run}");
    });
}
