//! What release 0.1.0 left behind: it kept no names of what it had sent, and
//! counted runs as users of audio.

use aws_sdk_dynamodb::types::AttributeValue;
use gemini_sim::Route;

use crate::failing::codes;
use crate::rig::{Case, FLASH, Ground, Options};
use crate::state::left;

/// Rewrites the records of audio at the provider as that release had them.
async fn as_of_0_1(case: &Case, user: &str) -> usize {
    let db = case.ground.cloud.dynamodb_client();
    let mut uploads = case.rows("files").await;
    uploads.retain(|row| row["sk"].as_s().unwrap().starts_with("up#"));
    let count = uploads.len();
    for mut row in uploads {
        for added in ["name", "sent_at", "before", "users", "retired", "w"] {
            row.remove(added);
        }
        let users = AttributeValue::Ss(vec![user.to_owned()]);
        row.insert("runs".into(), users);
        let put = db.put_item().table_name(case.table("files"));
        put.set_item(Some(row)).send().await.unwrap();
    }
    count
}

fn audio(case: &Case) -> usize {
    let files = left(case).into_iter();
    files.filter(|file| file.contains("audio")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_audio_serves_new_runs_and_goes_with_its_file() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let dataset = case.dataset().await;
    let first = case.run(&dataset, &[FLASH]).await;
    case.pump_once().await;
    case.pump_once().await;
    assert_eq!(as_of_0_1(&case, &first.to_string()).await, 3);
    case.settle().await;
    assert_eq!(codes(&case, first).await[&0], ["-"; 3]);
    assert_eq!(audio(&case), 3, "its runs may still need it");

    case.sim.reset_ledger();
    let second = case.run_named("second", &dataset, &[FLASH]).await;
    case.settle().await;
    assert_eq!(codes(&case, second).await[&0], ["-"; 3]);
    let sent = case.sim.ledger().count(Route::UploadStart);
    assert_eq!(sent, 1, "the request document, and no audio again");
    assert_eq!(audio(&case), 3);

    let path = format!("/datasets/{dataset}");
    case.ask("api", "DELETE", &path, None, "delete").await;
    case.settle().await;
    assert!(left(&case).is_empty(), "{:?}", left(&case));
    case.end().await;
}
