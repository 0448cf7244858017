//! What one cycle of the poller asks of the provider while everything runs.
//!
//! `RELIABILITY_CREDENTIALS=100` for the full number: 100 open batches each.

use std::time::Duration;

use futures::future::join_all;
use futures::{StreamExt, stream};
use gemini_sim::{Route, SimConfig};
use secrecy::SecretString;
use serde_json::json;
use stt_eval_shared::Deadline;
use stt_eval_shared::domain::poll_task::PollTask;
use stt_eval_shared::domain::unit::{Event, Span, Unit, UnitKey};
use stt_eval_shared::domain::{ProjectId, ResultId, RunId, Timestamp};
use stt_eval_shared::providers::gemini::BatchItem;
use stt_eval_shared::providers::{Credential, ModelConfig, StagedInput};

use crate::draw::setting;
use crate::rig::{Case, Ground, Options, PRO};

/// As many as the provider allows a key to have.
const OPEN: u16 = 100;

/// A project with a credential and as many batches under way as there may be.
async fn busy_project(case: &Case, number: u64) {
    let (app, store) = (&case.clean, &case.clean.store);
    let project: ProjectId = format!("{}-{number:03}", case.project).parse().unwrap();
    let now = Timestamp::now();
    let secret = SecretString::from(format!("simulated-key-of-{project}"));
    let vault = app.vault.as_ref().unwrap();
    let sealed = vault
        .seal(&project, "google", &secret, now, now)
        .await
        .unwrap();
    store.save_credential(&project, &sealed).await.unwrap();
    let credential = Credential {
        id: sealed.id.clone(),
        secret,
    };

    let client = case.gemini();
    let run = RunId::mint(number, [7; 10]);
    let config = ModelConfig {
        model: PRO.into(),
        prompt: Some("{language}".into()),
        temperature: Some(0.0),
        prompt_version: Some("1".into()),
        endpoint: None,
    };
    let item = BatchItem {
        key: ResultId::new(run, 0, 0).to_string(),
        audio: StagedInput {
            name: "files/none".into(),
            uri: format!("{}/v1beta/files/none", case.sim.url()),
            mime_type: "audio/wav".into(),
            expires_at: now.into(),
        },
        language: "en".into(),
        duration_seconds: 1.0,
    };
    let input = client
        .stage_batch(&credential, &format!("in-{number}"), "in", &[item], &config)
        .await
        .unwrap();
    let mut units = Vec::new();
    for chunk in 0..OPEN {
        let key = UnitKey {
            model: 0,
            round: 1,
            chunk,
        };
        let span = Span { start: 0, end: 1 };
        let policy = &app.config.policy;
        let unit = Unit::new(
            project.clone(),
            run,
            key,
            1,
            "google".into(),
            vec![span],
            now,
            policy,
        );
        let claim = Event::Claim {
            fence: 1,
            batch_input: input.name.clone(),
            batch_name: unit.display_name(&app.config.deployment, 1),
            credential: credential.id.clone(),
            unsent: Vec::new(),
        };
        let unit = unit.step(claim, now, policy).unwrap().unit;
        let name = unit.display_name(&app.config.deployment, unit.attempt);
        let batch = client
            .create(&credential, PRO, &input.name, &name)
            .await
            .unwrap();
        let created = Event::Created { fence: 1, batch };
        let mut unit = unit.step(created, now, policy).unwrap().unit;
        unit.rev = 1;
        units.push(unit);
    }
    store.create_units(&units).await.unwrap();
    let task = PollTask {
        project,
        provider: "google".into(),
        credential: credential.id,
        quiet: 0,
        audited_at: None,
        audit_after: None,
        asked_at: None,
        refused: false,
        busy: false,
        watch_until: None,
        due_at: Some(now),
        rev: 1,
    };
    store.save_poll_task(&task).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cycle_over_many_open_batches_takes_few_calls() {
    let credentials = setting("RELIABILITY_CREDENTIALS", 10);
    let ground = Ground::start().await;
    let options = Options {
        settings: vec![
            ("UNIT_BACKSTOP_SECONDS", "1800"),
            ("TASK_LEASE_SECONDS", "300"),
            ("POLL_PAUSES_SECONDS", "300"),
        ],
        sim: Some(SimConfig {
            batch_delay: Duration::from_secs(24 * 3_600),
            ..SimConfig::default()
        }),
        ..Options::default()
    };
    let case = Case::start(&ground, options).await;
    let projects = (0..credentials).map(|number| busy_project(&case, number));
    stream::iter(projects)
        .buffer_unordered(4)
        .collect::<()>()
        .await;

    case.sim.reset_ledger();
    // Invocations overlap; each credential is asked by one of them.
    let polls = (0..3).map(|_| {
        let deadline = Deadline::after(Duration::from_secs(290));
        poll::handle(json!({}), &case.clean, deadline)
    });
    join_all(polls).await;
    let ledger = case.sim.ledger();
    let (all, lists) = (ledger.total(), ledger.count(Route::BatchList));
    println!(
        "{} open batches over {credentials} credentials: {all} calls, {lists} of them lists",
        credentials * u64::from(OPEN)
    );
    // One list of its batches does for a credential, to see which ones ended and
    // which ones are unrecorded, in pages of twenty; and one of its files for
    // what was left behind.
    let files = ledger.count(Route::FileList);
    let pages = u64::from(OPEN).div_ceil(20);
    assert_eq!((lists, files), (credentials * pages, credentials));
    assert_eq!(all, lists + files, "no batch is asked for by its name");
    case.end().await;
}
