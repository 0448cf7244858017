//! Names at the provider: whose a batch is, and how the batch of an intent is
//! found whatever release wrote it.

use std::sync::Arc;

use gemini_sim::{BatchView, Fault, FaultRule, Route};
use stt_eval_shared::domain::unit::{Unit, UnitState};
use stt_eval_shared::domain::{RunId, Timestamp};
use stt_eval_shared::providers::gemini::{BatchItem, file_name};
use stt_eval_shared::providers::{Credential, ModelConfig, StagedInput};

use crate::failing::codes;
use crate::rig::{Case, FLASH, Ground, Options};
use crate::state::left;

async fn start(ground: &Arc<Ground>, settings: &[(&'static str, &'static str)]) -> Case {
    let options = Options {
        settings: settings.to_vec(),
        ..Options::default()
    };
    Case::start(ground, options).await
}

/// A run of one unit, which was submitted.
async fn submitted(case: &Case) -> (RunId, Unit) {
    let dataset = case.dataset().await;
    let run = case.run(&dataset, &[FLASH]).await;
    case.pump_once().await;
    case.pump_once().await;
    (run, unit(case, run).await)
}

/// The only unit.
async fn unit(case: &Case, run: RunId) -> Unit {
    let mut units = case.clean.store.units_of(&case.project, run).await.unwrap();
    assert_eq!(units.len(), 1);
    units.remove(0)
}

fn credential(case: &Case, unit: &Unit) -> Credential {
    Credential {
        id: unit.credential.clone().unwrap(),
        secret: format!("simulated-key-of-{}", case.project).into(),
    }
}

/// Two deployments may share an account: whose a batch is, its name must say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_deployment_has_in_the_same_account_is_left_alone() {
    let ground = Ground::start().await;
    let case = start(&ground, &[("AUDIT_SECONDS", "0.1")]).await;
    let state = "RUNNING".to_owned();
    let hangs = case
        .sim
        .faults()
        .add(FaultRule::new(Fault::Stuck { state }));
    let (run, own) = submitted(&case).await;
    let client = case.gemini();
    let credential = credential(&case, &own);
    // A copy of these tables at work elsewhere has the same runs and units; and
    // release 0.1.0 gave names that may be read as another's.
    let mut stranger = own.clone();
    stranger.run = RunId::mint(1_800_000_000_000, [7; 10]);
    for name in [
        own.display_name("another", 1),
        stranger.display_name("another", 1),
        stranger.name_of_0_1("case", 1),
    ] {
        let item = BatchItem {
            key: "item".into(),
            audio: StagedInput {
                name: own.batch_input.clone().unwrap(),
                uri: "https://generativelanguage.googleapis.com/v1beta/files/x".into(),
                mime_type: "audio/wav".into(),
                expires_at: Timestamp::now().into(),
            },
            language: "hi".into(),
            duration_seconds: 1.0,
        };
        let config = ModelConfig {
            model: FLASH.into(),
            prompt: Some("p".into()),
            temperature: Some(0.0),
            prompt_version: Some("v".into()),
            endpoint: None,
        };
        let id = file_name(&[&name]);
        let items = [item];
        let document = client.stage_batch(&credential, &id, &name, &items, &config);
        let document = document.await.unwrap();
        let batch = client.create(&credential, FLASH, &document.name, &name);
        batch.await.unwrap();
    }
    // Audits come by while the unit's own batch is looked at.
    for _ in 0..20 {
        case.poll().await;
    }
    let states = async || {
        let mut batches = case.sim.batches().await;
        batches.retain(|batch| batch.display_name != own.batch_name);
        let told = |b: BatchView| (b.state, b.deleted);
        batches.into_iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(states().await, vec![("RUNNING".to_owned(), false); 3]);
    let path = format!("/runs/{run}/cancel");
    case.ask("api", "POST", &path, None, "cancel").await;
    case.settle().await;
    assert_eq!(states().await, vec![("RUNNING".to_owned(), false); 3]);
    let documents = left(&case).into_iter().filter(|f| f.contains("json"));
    assert_eq!(documents.count(), 3, "their request documents");
    case.sim.faults().remove(hangs);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_intent_of_another_release_is_found_by_the_name_of_its_batch() {
    let ground = Ground::start().await;
    let case = start(&ground, &[]).await;
    let lost = FaultRule::once(Fault::LoseReply).on(Route::BatchCreate);
    case.sim.faults().add(lost);
    let (run, claimed) = submitted(&case).await;
    assert!(matches!(claimed.state, UnitState::Creating { .. }));
    let db = case.ground.cloud.dynamodb_client();
    // As release 0.1.0 left it: its batch has that release's name, and the intent
    // none.
    let mut rows = case.rows("units").await;
    rows.retain(|row| row["sk"].as_s().unwrap() == &claimed.key.to_string());
    let mut row = rows.remove(0);
    row.remove("batch_name").unwrap();
    let put = db.put_item().table_name(case.table("units"));
    put.set_item(Some(row)).send().await.unwrap();
    let credential = credential(&case, &claimed);
    let client = case.gemini();
    let [first] = &*case.sim.batches().await else {
        panic!("one batch");
    };
    client.delete_batch(&credential, &first.name).await.unwrap();
    let input = StagedInput {
        name: claimed.batch_input.clone().unwrap(),
        uri: String::new(),
        mime_type: String::new(),
        expires_at: Timestamp::now().into(),
    };
    let name = claimed.name_of_0_1("case", 1);
    let made = client.create(&credential, FLASH, &input.name, &name);
    made.await.unwrap();
    case.settle().await;

    assert_eq!(case.sim.batches().await.len(), 2, "none was made again");
    assert_eq!(codes(&case, run).await[&0], ["-"; 3]);
    assert_eq!(unit(&case, run).await.attempt, 1);
    case.end().await;
}
