//! Two invocations at the same piece of work: the late one finds that it
//! is done, or leaves it to the other, and undoes nothing.

use std::sync::Arc;
use std::time::Duration;

use gemini_sim::Route;
use serde_json::json;
use stt_eval_shared::Deadline;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::unit::UnitState;
use stt_eval_shared::domain::upload::Upload;
use stt_eval_shared::providers::StagedInput;

use crate::failing::codes;
use crate::rig::{Case, FLASH, Ground, Options};
use crate::state::left;

/// A poll that nothing holds.
async fn poll_beside(case: &Case) {
    let deadline = Deadline::after(Duration::from_secs(110));
    poll::handle(json!({}), &case.clean, deadline).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_finds_its_output_landed_and_deleted_by_another() {
    let ground = Ground::start().await;
    let case = Arc::new(Case::start(&ground, Options::default()).await);
    let dataset = case.dataset().await;
    let run = case.run(&dataset, &[FLASH]).await;
    case.pump_once().await;
    case.pump_once().await;
    // The first one stands between its claim and the download.
    let seen = case.clone();
    let held = case.injector.hold(move |site| {
        let asked = seen.sim.ledger().count(Route::BatchGet) > 0;
        site.handler == "poll" && site.call == "dynamodb GetItem access" && asked
    });
    let first = tokio::spawn({
        let case = case.clone();
        async move {
            while case.sim.ledger().count(Route::BatchGet) == 0 {
                case.poll().await;
            }
        }
    });
    held.reached().await;
    let state = async || {
        let units = case.clean.store.units_of(&case.project, run).await;
        units.unwrap().remove(0).state
    };
    assert!(matches!(state().await, UnitState::Collecting { .. }));
    // Its lease runs out, and the second one does all of it.
    while state().await != UnitState::Collected {
        poll_beside(&case).await;
    }
    let downloads = case.sim.ledger().count(Route::FileDownload);
    held.release();
    first.await.unwrap();
    let asked = case.sim.ledger().count(Route::FileDownload);
    assert!(asked > downloads, "the first one asked for it, in vain");
    case.settle().await;
    assert_eq!(codes(&case, run).await[&0], ["-"; 3]);
    let ended = case.clean.store.run(&case.project, run).await.unwrap();
    let ended = ended.unwrap();
    assert_eq!(ended.units_done, 1);
    assert!(left(&case).is_empty(), "{:?}", left(&case));
    Arc::into_inner(case).unwrap().end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn audio_is_cleared_by_one_alone() {
    let ground = Ground::start().await;
    let options = Options {
        settings: vec![("TASK_LEASE_SECONDS", "60")],
        ..Options::default()
    };
    let case = Arc::new(Case::start(&ground, options).await);
    let dataset = case.dataset().await;
    let run = case.run(&dataset, &[FLASH]).await;
    // No use of the audio may begin any more; it is about to be deleted.
    let held = case
        .injector
        .hold(|site| site.handler == "poll" && site.call == "dynamodb PutItem files");
    let first = tokio::spawn({
        let case = case.clone();
        async move { case.settle().await }
    });
    held.reached().await;
    let audio = || {
        let files = left(&case).into_iter();
        files.filter(|file| file.contains("audio")).count()
    };
    // It deletes the others meanwhile, by itself.
    while audio() > 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for _ in 0..5 {
        poll_beside(&case).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let held_back = audio();
    held.release();
    first.await.unwrap();
    assert_eq!(held_back, 1, "another invocation cleared as well");
    assert_eq!(codes(&case, run).await[&0], ["-"; 3]);
    assert!(left(&case).is_empty(), "{:?}", left(&case));
    Arc::into_inner(case).unwrap().end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_deletion_of_audio_leaves_what_was_sent_anew() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let (store, project) = (&case.clean.store, &case.project);
    let file = case.file(1).await;
    let (now, user) = (Timestamp::now(), "run#c0000");
    let sent = async |name: &str| {
        let begun = Upload::begun(file, "google", "key", name.into(), user.into(), now);
        store.save_upload(project, &begun).await.unwrap();
        let staged = StagedInput {
            name: format!("files/{name}"),
            uri: name.into(),
            mime_type: "audio/wav".into(),
            expires_at: (now + Duration::from_secs(3_600)).into(),
        };
        let sent = Upload {
            staged: Some(staged),
            rev: begun.rev + 1,
            ..begun
        };
        store.save_same_upload(project, &sent).await.unwrap();
        sent
    };
    let release = async |upload| store.release_upload(project, upload, user).await.unwrap();
    let stored = async || {
        let all = store.uploads(project, &[file], "google", "key").await;
        all.unwrap()
    };

    let first = sent("first").await;
    let gone = release(&first).await.unwrap();
    store.delete_unused_upload(project, &gone).await.unwrap();
    assert!(stored().await.is_empty());

    // Another run sends it anew, and its record is at the same revision.
    let second = sent("second").await;
    assert_eq!(second.rev, first.rev);
    assert_eq!(release(&first).await, None);
    store.delete_unused_upload(project, &first).await.unwrap();
    assert_eq!(stored().await, [second]);
    case.end().await;
}
