//! Files dropped into a bucket as S3 really is one: with versions, and with any
//! keys that people think of.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use stt_eval_shared::App;
use stt_eval_shared::domain::file::{File, FileStatus};
use stt_eval_shared::providers::CLIENTS;
use stt_eval_tests::audio::{sha256, wav};
use stt_eval_tests::versioned::Versioned;

use crate::rig::{Case, Ground, Options, event};

fn over(case: &Case, bucket: &Arc<Versioned>) -> App {
    let aws = case.ground.cloud.sdk_config();
    let client = bucket.before(aws.http_client().unwrap());
    let aws = aws.to_builder().http_client(client).build();
    let mut config = (*case.clean.config).clone();
    config.bucket_versioned = true;
    App::build(config, &aws, true, CLIENTS).unwrap()
}

/// The event as S3 sends it; `key` as it is written there.
fn created(key: &str, version: Option<&str>) -> Value {
    let mut object = json!({ "key": key, "size": 1, "sequencer": "0" });
    if let Some(version) = version {
        object["versionId"] = json!(version);
    }
    json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
        "eventTime": "2026-01-01T00:00:00.000Z", "eventName": "ObjectCreated:Put",
        "userIdentity": { "principalId": "AWS:1" },
        "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": { "x-amz-request-id": "1", "x-amz-id-2": "2" },
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": { "name": "b", "arn": "arn:aws:s3:::b" },
            "object": object
        }
    })
}

async fn taken(app: &App, records: &[Value]) -> bool {
    let body = json!({ "Records": records }).to_string();
    let response = register::handle(event(&body), app).await;
    response.batch_item_failures.is_empty()
}

async fn files(case: &Case) -> Vec<File> {
    let listed = case.clean.store.list_files(&case.project, None, 100).await;
    let (page, total) = listed.unwrap();
    assert_eq!(total, page.items.len() as u64);
    page.items
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_quick_writes_to_one_key_are_two_files() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let bucket = Arc::new(Versioned::default());
    let app = over(&case, &bucket);
    let key = format!("incoming/{}/same.wav", case.project);
    let (one, two) = (wav(1, 0.1), wav(2, 0.2));
    // Both are there before the first event is seen.
    let first = bucket.put(&key, &one);
    let second = bucket.put(&key, &two);
    // In any order, and again.
    for version in [&second, &first, &second, &first] {
        assert!(taken(&app, &[created(&key, Some(version))]).await);
    }
    let found = files(&case).await;
    let mut sums: Vec<(Option<&str>, Option<&str>)> = found
        .iter()
        .map(|file| {
            (
                file.object_version.as_deref(),
                file.checksum_sha256.as_deref(),
            )
        })
        .collect();
    sums.sort_unstable();
    let (one, two) = (sha256(&one), sha256(&two));
    assert_eq!(
        sums,
        [
            (Some("v1"), Some(one.as_str())),
            (Some("v2"), Some(two.as_str()))
        ]
    );
    // A version that is gone brings nothing; neither does one from before the
    // bucket had any, of which the latest is looked at.
    assert!(taken(&app, &[created(&key, Some("v9"))]).await);
    assert!(taken(&app, &[created(&key, Some("null"))]).await);
    assert_eq!(files(&case).await.len(), 2);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_key_that_a_url_can_say_is_registered_by_its_path() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let bucket = Arc::new(Versioned::default());
    let app = over(&case, &bucket);
    let project = &case.project;
    for (number, (path, written)) in (1u32..).zip([
        ("a//b.wav", "a//b.wav"),
        ("a/..b.wav", "a/..b.wav"),
        (".../b.wav", ".../b.wav"),
        (".b.wav", ".b.wav"),
        ("/b.wav", "/b.wav"),
        ("a b+c%41.wav", "a+b%2Bc%2541.wav"),
        ("%2e%2e/b.wav", "%252e%252e/b.wav"),
        (
            "ஒலி?x=1&y#z.wav",
            "%E0%AE%92%E0%AE%B2%E0%AE%BF%3Fx%3D1%26y%23z.wav",
        ),
    ]) {
        let audio = wav(number, 0.05);
        let version = bucket.put(&format!("incoming/{project}/{path}"), &audio);
        let written = format!("incoming/{project}/{written}");
        assert!(
            taken(&app, &[created(&written, Some(&version))]).await,
            "{path}"
        );
        let found = files(&case).await;
        assert_eq!(found.len(), usize::try_from(number).unwrap(), "{path}");
        let sum = sha256(&audio);
        let file = found
            .iter()
            .find(|file| file.checksum_sha256.as_deref() == Some(&*sum));
        let file = file.unwrap_or_else(|| panic!("{path}: {found:?}"));
        assert_eq!((&*file.filename, file.status), (path, FileStatus::Ready));
        assert_eq!(file.object_key, format!("incoming/{project}/{path}"));
    }
    // A URL can't say these: they would be asked for by other keys, even by another project's.
    let known = files(&case).await.len();
    for path in ["a/../b.wav", "../b.wav", "./b.wav", "../other/b.wav"] {
        let key = format!("incoming/{project}/{path}");
        let version = bucket.put(&key, &wav(99, 0.05));
        assert!(taken(&app, &[created(&key, Some(&version))]).await);
    }
    assert_eq!(files(&case).await.len(), known);
    let other = "other".parse().unwrap();
    let (page, _) = case.clean.store.list_files(&other, None, 10).await.unwrap();
    assert!(page.items.is_empty(), "{:?}", page.items);
    case.end().await;
}

/// Collects lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_log_line_says_what_people_call_their_recordings() {
    let lines = Lines::default();
    let written = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
        .with_writer(move || written.clone())
        .finish();
    // While only one dispatcher lives, a span or event that another thread
    // reaches first is switched off for all (tracing-core, `Rebuilder::JustOne`):
    // with a second one, every dispatcher is asked.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let ground = Ground::start().await;
            let case = Case::start(&ground, Options::default()).await;
            let bucket = Arc::new(Versioned::default());
            let app = over(&case, &bucket);
            let key = format!("incoming/{}/Patient-Name.wav", case.project);
            let version = bucket.put(&key, &wav(1, 0.1));
            let event = created(&key, Some(&version));
            assert!(taken(&app, std::slice::from_ref(&event)).await);
            tracing::callsite::rebuild_interest_cache();
            bucket.refuse();
            assert!(!taken(&app, &[event]).await, "S3 refuses");
            case.end().await;
        });
    });
    let written = lines.0.lock().unwrap().clone();
    let all = String::from_utf8(written).unwrap();
    let ours: Vec<&str> = all
        .lines()
        .filter(|line| line.contains("upload{"))
        .collect();
    let failed = ours.iter().find(|line| line.contains("will come again"));
    let failed = failed.unwrap_or_else(|| panic!("nothing is told of the failure: {all}"));
    assert!(failed.contains("(500"), "{failed}");
    let told: Vec<_> = ours
        .iter()
        .filter(|line| line.contains("Patient"))
        .collect();
    assert!(told.is_empty(), "{told:?}");
}
