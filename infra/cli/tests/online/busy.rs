//! Deployments that are busy or gone.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Bench, code, document, with};

/// A door before a machine that says 503 to every second connection, and when to come back.
async fn unsteady(url: &str, seconds: u32) -> String {
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: {seconds}\r\n\
         content-length: 0\r\nconnection: close\r\n\r\n"
    );
    door(url, answer, |count, _| count % 2 == 1).await
}

/// A door before a machine: each connection has one request, and what `refuses` of its number
/// and its head is answered here.
async fn door(
    url: &str,
    answer: String,
    refuses: impl Fn(u32, &str) -> bool + Clone + Send + 'static,
) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let behind = url.strip_prefix("http://").unwrap().to_owned();
    tokio::spawn(async move {
        let mut count = 0_u32;
        while let Ok((mut front, _)) = listener.accept().await {
            count += 1;
            let (behind, answer, refuses) = (behind.clone(), answer.clone(), refuses.clone());
            tokio::spawn(async move {
                let mut head = vec![0_u8; 4_096];
                let read = front.read(&mut head).await.unwrap_or_default();
                head.truncate(read);
                let text = String::from_utf8_lossy(&head);
                if refuses(count, &text) {
                    let _ = front.write_all(answer.as_bytes()).await;
                    return;
                }
                let only = text.replacen("\r\n", "\r\nconnection: close\r\n", 1);
                let mut back = tokio::net::TcpStream::connect(behind).await.unwrap();
                back.write_all(only.as_bytes()).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut front, &mut back).await;
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_is_busy_is_asked_again_and_one_that_is_gone_is_told() {
    let bench = Bench::new().await;
    let unsteady_door = unsteady(&bench.machine.node.url, 0).await;
    let mut through = bench.command(&with(&["--yes", "--json"]));
    through.env("STT_EVAL_URL", &unsteady_door);
    let through = bench.told(through.output().await.unwrap());
    assert_eq!(document(&through)["run"]["status"], "completed");
    assert_eq!(bench.counts().await, (1, 1));

    // It is not asked before the time that it names.
    let slow = unsteady(&bench.machine.node.url, 1).await;
    let mut waits = bench.command(&["models", "--json"]);
    waits.env("STT_EVAL_URL", &slow);
    let begun = std::time::Instant::now();
    let waits = bench.told(waits.output().await.unwrap());
    assert_eq!(code(&waits), 0);
    assert!(begun.elapsed() >= std::time::Duration::from_secs(1));

    // What was uploaded before it was gone is kept, and told.
    let gateway = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
                   content-length: 33\r\nconnection: close\r\n\r\n{\"message\":\"Service Unavailable\"}";
    let leaves = door(&bench.machine.node.url, gateway.to_owned(), |_, head| {
        head.starts_with("GET /api/v1/evaluations/stt/files/")
    });
    let leaves = leaves.await;
    // A dataset of the same content is there: nothing is sent, and nothing asked of files.
    let mut same = bench.command(&with(&["--yes", "--detach", "--patience", "1"]));
    same.env("STT_EVAL_URL", &leaves);
    let same = bench.told(same.output().await.unwrap());
    assert_eq!(code(&same), 0);
    assert_eq!(bench.counts().await, (2, 1));
    let named = ["--yes", "--json", "--patience", "1", "--name", "kept"];
    let mut kept = bench.command(&with(&named));
    kept.env("STT_EVAL_URL", &leaves);
    let kept = bench.told(kept.output().await.unwrap());
    assert_eq!(code(&kept), 1);
    let kept = document(&kept);
    let error = &kept["error"];
    let told = error["message"].as_str().unwrap();
    assert!(told.starts_with("the deployment answers 503"), "{told}");
    assert!(told.ends_with("; 4 of 4 are uploaded and kept"), "{told}");
    assert_eq!(
        (&error["code"], &error["hint"]),
        (
            &"unavailable".into(),
            &"the same command again goes on".into()
        )
    );

    let mut gone = bench.command(&["models", "--json", "--patience", "1"]);
    gone.env("STT_EVAL_URL", "http://127.0.0.1:9");
    let gone = bench.told(gone.output().await.unwrap());
    assert_eq!(code(&gone), 1);
    assert_eq!(document(&gone)["error"]["code"], "unreachable");
    bench.machine.stop().await;
}

/// How long a deployment is away: other tests run meanwhile, and this one begins first.
const AWAY: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_is_away_for_long_is_waited_for_as_long_as_patience_lasts() {
    let bench = Bench::new().await;
    // As gateways answer, but for the time: without it, pauses are drawn, up to 20 s.
    let answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
                  retry-after: 2\r\ncontent-length: 33\r\nconnection: close\r\n\r\n\
                  {\"message\":\"Service Unavailable\"}";
    // It goes away in the midst of it: the first upload is announced, and then nothing more.
    let gone = Arc::new(Mutex::new(None::<Instant>));
    let refused = Arc::new(AtomicUsize::new(0));
    let (since, count) = (gone.clone(), refused.clone());
    let leaves = move |_: u32, head: &str| {
        let mut since = since.lock().unwrap();
        if since.is_none() && head.starts_with("GET /api/v1/evaluations/stt/files/") {
            *since = Some(Instant::now());
        }
        let is_away = since.is_some_and(|since| since.elapsed() < AWAY);
        count.fetch_add(usize::from(is_away), Ordering::Relaxed);
        is_away
    };
    let away = door(&bench.machine.node.url, answer.to_owned(), leaves).await;
    let mut patient = bench.command(&with(&["--yes", "--json", "--patience", "90"]));
    patient.env("STT_EVAL_URL", &away);
    let patient = patient.spawn().unwrap();
    let never = door(&bench.machine.node.url, answer.to_owned(), |_, _| true).await;
    let mut hasty = bench.command(&["models", "--json", "--patience", "6"]);
    hasty.env("STT_EVAL_URL", &never);
    let hasty = hasty.spawn().unwrap();

    let hasty = bench.told(hasty.wait_with_output().await.unwrap());
    let error = &document(&hasty)["error"];
    assert_eq!((code(&hasty), &error["code"]), (1, &"unavailable".into()));
    let told = error["message"].as_str().unwrap();
    assert!(
        told.starts_with("the deployment answers 503 for "),
        "{told}"
    );

    let patient = bench.told(patient.wait_with_output().await.unwrap());
    let done = document(&patient);
    assert_eq!(done["run"]["status"], "completed", "{done}");
    assert_eq!(done["models"][0]["wer"], 0.0, "{done}");
    assert!(gone.lock().unwrap().unwrap().elapsed() >= AWAY);
    // It was asked again, and not all the time: 4 files, each at most every 2 s.
    let refused = refused.load(Ordering::Relaxed);
    assert!((2..=160).contains(&refused), "{refused}");
    assert_eq!(bench.counts().await, (1, 1));
    bench.machine.stop().await;
}
