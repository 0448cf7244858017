//! Uploads that never come, or come after they were given up.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use stt_eval_shared::domain::file::{File, FileStatus};
use stt_eval_shared::domain::{FileId, Timestamp};
use stt_eval_tests::audio::wav;

use crate::rig::{Case, Ground, Options};

async fn file(case: &Case, id: FileId) -> File {
    let found = case.clean.store.file(&case.project, id).await.unwrap();
    found.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_never_comes_is_given_up_and_taken_all_the_same_if_it_does() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let audio = wav(1, 0.1);
    let wanted = json!({
        "filename": "1.wav", "content_type": "audio/wav", "size_bytes": audio.len(),
    });
    let made = case
        .ask("api files", "POST", "/files", Some(&wanted), "file")
        .await;
    let id: FileId = made["file"]["id"].as_str().unwrap().parse().unwrap();

    // While there is time it is waited for.
    let first_look = case.clean.config.bounds.missed_upload;
    tokio::time::sleep(first_look).await;
    case.poll().await;
    let waiting = file(&case, id).await;
    assert_eq!(waiting.status, FileStatus::Uploading);
    assert!(waiting.due_at > Some(Timestamp::now()), "{waiting:?}");

    let late = File {
        upload_expires_at: Some(Timestamp::now() - Duration::from_secs(3_600)),
        due_at: Some(Timestamp::now()),
        rev: waiting.rev + 1,
        ..waiting
    };
    case.clean.store.save_file(&late).await.unwrap();
    case.poll().await;
    let expired = file(&case, id).await;
    assert_eq!(
        (expired.status, expired.due_at),
        (FileStatus::Expired, None)
    );

    case.put(&made["upload"], audio).await;
    case.register(&case.s3_event(id).await).await;
    assert_eq!(file(&case, id).await.status, FileStatus::Ready);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_files_have_a_name_the_next_one_is_registered() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let first = case.file(1).await;
    assert_eq!(file(&case, first).await.status, FileStatus::Ready);
    // As if a thousand were called like that.
    let mut names = case.rows("files").await;
    names.retain(|row| row["sk"].as_s().unwrap().starts_with("name#"));
    let mut name = names.remove(0);
    let many = (0..1_000u64).map(|n| FileId::mint(n, [9; 10]).to_string());
    name.insert("file_ids".into(), AttributeValue::Ss(many.collect()));
    let db = case.ground.cloud.dynamodb_client();
    let put = db.put_item().table_name(case.table("files"));
    put.set_item(Some(name)).send().await.unwrap();

    let again = case.file_again(1).await;
    assert_ne!(again, first);
    assert_eq!(file(&case, again).await.status, FileStatus::Ready);
    case.end().await;
}
