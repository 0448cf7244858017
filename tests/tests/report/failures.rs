//! Whose failure it was: what the service failed at is no error of the model.

use gemini_sim::{Fault, FaultRule};
use serde_json::{Value, json};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ProjectId, RunId};
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::scoring::{CorpusSums, FailedBy, score};
use stt_eval_tests::{Client, Machine};

use crate::{FLASH, PRO, Told, close, dataset, id, report, run, told};

/// Words: 4 + 2 + 3 + 2. PRO gets one wrong, FLASH none; and see [`failing`].
fn samples() -> Vec<Told> {
    let of = |reference, pro, flash| told(reference, pro, flash, json!({}));
    vec![
        of(
            "one two three four",
            Some("one"),
            Some("one two three four"),
        ),
        of("five six", Some("five six"), None),
        of(
            "seven eight nine",
            Some("seven eight nein"),
            Some("seven eight nine"),
        ),
        of("ten eleven", Some("ten eleven"), Some("ten eleven")),
    ]
}

/// A run in which the service refuses the first item of PRO, and FLASH is blocked
/// at the second sample.
async fn failing(machine: &Machine, client: &Client) -> Value {
    let error = Fault::ItemError {
        member: Default::default(),
        code: 3,
        message: "the audio is not taken".into(),
    };
    let rule = FaultRule {
        model: Some(PRO.into()),
        ..FaultRule::once(error)
    };
    let made = dataset(machine, client, json!({}), &samples()).await;
    machine.sim().faults().add(rule);
    let run = run(machine, client, &made).await;
    assert_eq!(
        run["counts"],
        json!({ "pending": 0, "completed": 6, "failed": 2 })
    );
    run
}

fn warned<'a>(report: &'a Value, code: &str) -> Option<&'a Value> {
    let warnings = report["warnings"].as_array().unwrap();
    warnings.iter().find(|warning| warning["code"] == code)
}

/// What is the same whichever release summed the run up.
fn check(found: &Value) {
    let [pro, flash] = &found["providers"].as_array().unwrap()[..] else {
        panic!("two models")
    };
    assert_eq!(
        (&pro["provider"], &flash["provider"]),
        (&json!(PRO), &json!(FLASH))
    );
    // Left out of the score of the one; two missing words of the other.
    close(&pro["score"]["wer"], 1.0 / 7.0);
    close(&flash["score"]["wer"], 2.0 / 11.0);
    assert_eq!(
        (&pro["score"]["samples"], &flash["score"]["samples"]),
        (&json!(3), &json!(4))
    );
    for (model, by_model, by_service) in [(pro, 0, 1), (flash, 1, 0)] {
        close(&model["score"]["coverage"], 0.75);
        assert_eq!(model["score"]["failed_by_model"], by_model);
        assert_eq!(model["score"]["failed_by_service"], by_service);
        let coverage = json!({
            "share": 0.75, "transcribed": 3,
            "failed_by_model": by_model, "failed_by_service": by_service,
        });
        assert_eq!(model["coverage"], coverage);
        close(
            &model["wer_interval"]["rate"],
            model["score"]["wer"].as_f64().unwrap(),
        );
        assert!(model["temperature"].is_number());
        // An hour has its price by what was transcribed, 3 clips of half a second.
        let cost = &model["cost"];
        close(&cost["audio_hours"], 1.5 / 3600.0);
        let by_the_hour = cost["usd"].as_f64().unwrap() * 3600.0 / 1.5;
        close(&cost["usd_per_audio_hour"], by_the_hour);
    }
    // Compared where both had their chance: 7 words.
    let comparison = &found["comparison"];
    assert_eq!(
        (&comparison["samples"], &comparison["comparisons"]),
        (&json!(3), &json!(1))
    );
    close(&comparison["providers"][PRO]["wer"], 1.0 / 7.0);
    close(&comparison["providers"][FLASH]["wer"], 2.0 / 7.0);
    let pair = &comparison["pairs"][0];
    close(&pair["difference"], -1.0 / 7.0);
    assert_eq!(pair["distinguishable"], false);
    assert_eq!(pair["p_value"], pair["p_adjusted"]);
    assert_eq!(pair["more_blocks"], Value::Null);
    for model in [pro, flash] {
        assert_eq!(model["rank"], json!({ "group": 1, "best": 1, "worst": 2 }));
    }
    // And it is said, with what to do.
    let lost = warned(found, "service_failures").unwrap();
    assert_eq!((&lost["model"], &lost["count"]), (&json!(PRO), &json!(1)));
    let message = lost["message"].as_str().unwrap();
    assert!(
        message.contains("a retry of the run") && message.contains("provider_rejected 1"),
        "{message}"
    );
    let own = warned(found, "model_failures").unwrap();
    assert_eq!((&own["model"], &own["count"]), (&json!(FLASH), &json!(1)));
    assert_eq!(warned(found, "fewer_shared_samples").unwrap()["count"], 3);
    let few = warned(found, "few_blocks").unwrap()["message"]
        .as_str()
        .unwrap();
    assert!(few.contains("no two models can be told apart"), "{few}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_service_failed_at_is_no_error_of_the_model() {
    let machine = Machine::start().await;
    let client = machine.client("demo");
    let run = failing(&machine, &client).await;
    close(&run["score"][PRO]["wer"], 1.0 / 7.0);
    close(&run["score"][PRO]["coverage"], 0.75);
    assert_eq!(run["score"][PRO]["failed_by_service"], 1);
    assert_eq!(run["score"][FLASH]["failed_by_model"], 1);
    check(&report(&client, &run, "").await);

    // Asked again it counts, and nothing is left to be warned of but the other.
    let retried = client
        .post(&format!("/runs/{}/retry", id(&run)), &json!({}))
        .await;
    let run = machine.ended(&client, retried.data(202)).await;
    close(&run["score"][PRO]["wer"], 4.0 / 11.0);
    assert_eq!(run["score"][PRO]["coverage"], 1.0);
    let found = report(&client, &run, "").await;
    assert_eq!(found["comparison"]["samples"], 4);
    assert_eq!(warned(&found, "service_failures"), None);
    assert_eq!(warned(&found, "fewer_shared_samples"), None);
    assert!(warned(&found, "model_failures").is_some());
    machine.stop().await;
}

/// The sums as release 0.1.0 kept them: every failure among the deletions.
fn as_before(run: &Run) -> Run {
    let mut run = Run {
        rev: run.rev + 1,
        ..run.clone()
    };
    let missing = score("one two three four", "", "en", &Normaliser::default(), None).unwrap();
    for provider in &mut run.models {
        if provider.model == PRO {
            provider.sums.clear_failures();
            let size = missing.reference_size();
            provider.sums.add_failure(&size, FailedBy::Model);
        }
        let mut kept = serde_json::to_value(&provider.sums).unwrap();
        let fields = kept.as_object_mut().unwrap();
        fields.remove("left_out").unwrap();
        fields.remove("told_apart").unwrap();
        provider.sums = serde_json::from_value::<CorpusSums>(kept).unwrap();
    }
    run
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_of_release_0_1_0_is_read_and_shows_the_new_verdicts() {
    let machine = Machine::start().await;
    let client = machine.client("demo");
    let ended = failing(&machine, &client).await;
    let (project, run_id): (ProjectId, RunId) =
        ("demo".parse().unwrap(), id(&ended).parse().unwrap());
    let store = &machine.node.app.store;
    // The run is closed in between: until it fits.
    machine
        .wait("the sums are those of before", async || {
            let run = store.run(&project, run_id).await.unwrap().unwrap();
            store.save_run(&as_before(&run)).await.ok()
        })
        .await;
    let shown = client.get(&format!("/runs/{}", id(&ended))).await;
    let shown = &shown.data(200)["score"];
    // The sums do not tell; the page of the run shows what it showed.
    close(&shown[PRO]["wer"], 5.0 / 11.0);
    close(&shown[PRO]["coverage"], 0.75);
    assert_eq!(shown[PRO]["failed_by_model"], Value::Null);
    assert_eq!(shown[PRO]["failed_by_service"], Value::Null);
    // The report looks at the results.
    check(&report(&client, &ended, "").await);
    machine.stop().await;
}
