//! What fails fails alone, says why, and can be tried again; what is deleted
//! is gone, whatever it was doing.

use std::collections::BTreeMap;

use gemini_sim::{ErrorMember, Fault, FaultRule, Route};
use stt_eval_shared::domain::RunId;

use crate::rig::{Case, FLASH, Ground, Options, PRO};
use crate::state::{kept, left};

/// Error codes by model, with `-` for a transcription.
pub async fn codes(case: &Case, run: RunId) -> BTreeMap<u8, Vec<String>> {
    let mut found = BTreeMap::new();
    for provider in 0..2 {
        let rows = case
            .clean
            .store
            .results_between(&case.project, run, provider, 0, 9_999);
        let code = |o: stt_eval_shared::domain::result::Outcome| {
            o.transcription
                .map_or_else(|| o.error_code.unwrap(), |_| "-".into())
        };
        let rows = rows.await.unwrap().into_iter().map(|row| code(row.outcome));
        found.insert(provider, rows.collect());
    }
    found
}

pub async fn retry(case: &Case, run: RunId) {
    let path = format!("/runs/{run}/retry");
    case.ask("api", "POST", &path, None, &format!("retry-{run}"))
        .await;
    case.settle().await;
}

pub fn end(state: &str) -> Fault {
    Fault::End {
        state: state.into(),
        code: 13,
        message: "no luck".into(),
        with_output: false,
    }
}

pub fn of_model(fault: Fault, model: &str) -> FaultRule {
    FaultRule {
        model: Some(model.into()),
        ..FaultRule::new(fault)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_fails_fails_alone_and_a_retry_submits_its_items_only() {
    let ground = Ground::start().await;
    for (fault, code) in [
        (end("FAILED"), "provider_failed"),
        (end("CANCELLED"), "provider_cancelled"),
        (Fault::OutputLate { polls: 1_000_000 }, "provider_no_output"),
        (
            Fault::ReplaceOutput {
                base64: String::new(),
            },
            "provider_missing",
        ),
    ] {
        let case = Case::start(&ground, Options::default()).await;
        case.sim.faults().add(of_model(fault, FLASH));
        let run = case.flow().await;
        let found = codes(&case, run).await;
        assert_eq!(
            found[&0], ["-"; 3],
            "{code}: the other model is not touched"
        );
        assert_eq!(found[&1], [code; 3]);
        let files = left(&case);
        assert!(files.is_empty(), "{code}: {files:?}");
        // Its batch is not forgotten: by it the output may still be found.
        let batches = usize::from(code == "provider_no_output");
        assert_eq!(kept(&case).await.len(), batches, "{code}");
        case.sim.faults().clear();
        retry(&case, run).await;
        assert_eq!(codes(&case, run).await[&1], ["-"; 3], "{code}: retried");
        let models: Vec<String> = case
            .sim
            .batches()
            .await
            .into_iter()
            .map(|b| b.model)
            .collect();
        let flash = models.iter().filter(|m| *m == FLASH).count();
        assert_eq!(
            (models.len(), flash),
            (3, 2),
            "{code}: only what had failed"
        );
        // Audio that was gone from the provider is sent again.
        assert_eq!(
            case.sim.ledger().count(Route::UploadStart),
            3 + 2 + 3 + 1,
            "{code}"
        );
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_fails_fails_alone() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let error = Fault::ItemError {
        member: ErrorMember::Error,
        code: 3,
        message: "not audio".into(),
    };
    let rule = FaultRule {
        item_key: Some("_01_00001".into()),
        ..of_model(error, FLASH)
    };
    let id = case.sim.faults().add(FaultRule {
        item_key: None,
        times: Some(1),
        ..rule
    });
    let run = case.flow().await;
    assert_eq!(case.sim.faults().struck(id), 1);
    let found = codes(&case, run).await;
    assert_eq!(found[&0], ["-"; 3]);
    assert_eq!(
        found[&1].iter().filter(|code| *code == "-").count(),
        2,
        "{found:?}"
    );
    retry(&case, run).await;
    assert_eq!(codes(&case, run).await[&1], ["-"; 3]);
    let asked: u64 = case
        .sim
        .batches()
        .await
        .iter()
        .map(|batch| batch.requests)
        .sum();
    assert_eq!(asked, 7, "one item more");
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_state_is_polled_on() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let unknown = Fault::UnknownState {
        state: "BATCH_STATE_RESTING".into(),
        polls: Some(4),
    };
    case.sim.faults().add(of_model(unknown, PRO));
    case.sim
        .faults()
        .add(of_model(Fault::OutputLate { polls: 1 }, FLASH));
    let run = case.flow().await;
    let found = codes(&case, run).await;
    assert_eq!(
        (&found[&0], &found[&1]),
        (&vec!["-".to_owned(); 3], &vec!["-".to_owned(); 3])
    );
    let ledger = case.sim.ledger();
    assert!(ledger.count(Route::BatchGet) + ledger.count(Route::BatchList) >= 5);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_messages_strand_nothing() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    // The upload's event never comes: only the sweeper knows.
    let file = case.file_unregistered(4).await;
    case.settle().await;
    let found = case
        .clean
        .store
        .file(&case.project, file)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(format!("{:?}", found.status), "Ready");
    let dataset = case.dataset().await;
    let run = case.run(&dataset, &[PRO, FLASH]).await;
    case.purge().await;
    // The run's own message comes by the outbox; those of its units are lost.
    while case
        .clean
        .store
        .units_of(&case.project, run)
        .await
        .unwrap()
        .is_empty()
    {
        case.pump().await;
        case.poll().await;
    }
    case.purge().await;
    case.settle().await;
    let found = codes(&case, run).await;
    assert_eq!((found[&0].len(), found[&1].len()), (3, 3));
    assert!(
        found.values().flatten().all(|code| code == "-"),
        "{found:?}"
    );
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_never_answers_again_strands_nothing() {
    let ground = Ground::start().await;
    let broken = |route| {
        let status = Fault::Status {
            code: 500,
            message: None,
            after_commit: false,
            retry_after: None,
        };
        FaultRule::new(status).on(route)
    };
    for (routes, code) in [
        // The reply was lost, and the batch can't be looked for.
        (
            &[Route::BatchCreate, Route::BatchList][..],
            "submission_unknown",
        ),
        (&[Route::BatchGet, Route::BatchList][..], "provider_lost"),
        (&[Route::FileDownload][..], "provider_lost"),
    ] {
        let options = Options {
            // A look takes seconds here, with all its attempts: so long may pass
            // between two that count as one row.
            settings: vec![
                ("BATCH_DEADLINE_SECONDS", "2.5"),
                ("BATCH_DOUBT_SECONDS", "2"),
            ],
            ..Options::default()
        };
        let case = Case::start(&ground, options).await;
        for route in routes {
            let mut rule = broken(*route);
            if *route == Route::BatchCreate {
                rule.fault = Fault::LoseReply;
            }
            case.sim.faults().add(rule);
        }
        let dataset = case.dataset().await;
        let run = case.run(&dataset, &[PRO]).await;
        case.settle().await;
        assert_eq!(codes(&case, run).await[&0], [code; 3], "{routes:?}");
        assert!(case.sim.batches().await.len() < 2, "none was made again");
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_is_not_offered_any_more_ends_its_run_with_the_reason() {
    let ground = Ground::start().await;
    for submitted in [false, true] {
        let case = Case::start(&ground, Options::default()).await;
        let dataset = case.dataset().await;
        let run = case.run(&dataset, &[PRO]).await;
        case.pump_once().await;
        if submitted {
            case.pump_once().await;
        }
        let store = &case.clean.store;
        let mut gone = store.run(&case.project, run).await.unwrap().unwrap();
        gone.models[0].model = "gemini-of-yesterday".into();
        gone.rev += 1;
        store.save_run(&gone).await.unwrap();
        case.settle().await;
        // What was paid for is kept.
        let wanted = if submitted { "-" } else { "model_unavailable" };
        assert_eq!(codes(&case, run).await[&0], [wanted; 3]);
        case.end().await;
    }
}
