//! Deployments that are busy or gone.

use tokio::io::AsyncWriteExt;

use super::{Bench, code, document, with};

/// A door before a machine that says 503 to every second connection, and when to come back.
async fn unsteady(url: &str, seconds: u32) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let behind = url.strip_prefix("http://").unwrap().to_owned();
    tokio::spawn(async move {
        let mut count = 0_u32;
        while let Ok((mut front, _)) = listener.accept().await {
            count += 1;
            let behind = behind.clone();
            let refuses = count % 2 == 1;
            tokio::spawn(async move {
                if refuses {
                    let mut head = [0_u8; 4_096];
                    let _ = tokio::io::AsyncReadExt::read(&mut front, &mut head).await;
                    let answer = format!(
                        "HTTP/1.1 503 Service Unavailable\r\nretry-after: {seconds}\r\n\
                         content-length: 0\r\nconnection: close\r\n\r\n"
                    );
                    let _ = front.write_all(answer.as_bytes()).await;
                    return;
                }
                let mut back = tokio::net::TcpStream::connect(behind).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut front, &mut back).await;
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_is_busy_is_asked_again_and_one_that_is_gone_is_told() {
    let bench = Bench::new().await;
    let door = unsteady(&bench.machine.node.url, 0).await;
    let mut through = bench.command(&with(&["--yes", "--json"]));
    through.env("STT_EVAL_URL", &door);
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

    let mut gone = bench.command(&["models", "--json", "--patience", "1"]);
    gone.env("STT_EVAL_URL", "http://127.0.0.1:9");
    let gone = bench.told(gone.output().await.unwrap());
    assert_eq!(code(&gone), 1);
    assert_eq!(document(&gone)["error"]["code"], "unreachable");
    bench.machine.stop().await;
}
