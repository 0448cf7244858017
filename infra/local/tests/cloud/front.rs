//! The HTTP front, from outside.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::http;
use serde_json::{Value, json};
use stt_eval_local::cloud::front::{self, FrontOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

struct Front {
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

impl Front {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// A function that answers by path.
async fn function(event: Value) -> Result<Value, String> {
    let path = event["rawPath"].as_str().unwrap_or_default().to_owned();
    match path.as_str() {
        "/fails" => Err("broken".to_owned()),
        "/panics" => panic!("as it should"),
        "/hangs" => std::future::pending().await,
        "/huge" => Ok(json!({"statusCode": 200, "body": "x".repeat(7 << 20)})),
        "/slow" => {
            tokio::time::sleep(Duration::from_millis(400)).await;
            Ok(json!({"statusCode": 204}))
        }
        "/nonsense" => Ok(json!({"statusCode": "yes"})),
        _ => {
            let length = event["body"].as_str().map_or(0, str::len);
            let mut echo = event;
            if length > 1000 {
                echo["body"] = json!(length);
            }
            Ok(json!({
                "statusCode": 200,
                "headers": {"content-type": "application/json"},
                "cookies": ["a=1", "b=2"],
                "body": echo.to_string(),
            }))
        }
    }
}

async fn start() -> Front {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let options = FrontOptions {
        handler_timeout: Duration::from_millis(700),
        ..FrontOptions::default()
    };
    let served = tokio::spawn(front::serve(listener, options, function, stop.clone()));
    Front {
        address,
        stop,
        served,
    }
}

#[tokio::test]
async fn requests_become_events_and_answers_responses() {
    let front = start().await;
    let answer = http()
        .post(front.url("/files/a%2Fb%20c?x=1&x=%26"))
        .header("cookie", "s=1; t=2")
        .header("content-type", "application/json")
        .header("x-forwarded-for", "10.0.0.1")
        .body("{\"a\":1}")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 2);
    let event: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["rawPath"], "/files/a%2Fb%20c");
    assert_eq!(event["rawQueryString"], "x=1&x=%26");
    assert_eq!(event["queryStringParameters"]["x"], "1,&");
    assert_eq!(event["cookies"], json!(["s=1", "t=2"]));
    assert_eq!(event["body"], "{\"a\":1}");
    assert_eq!(event["isBase64Encoded"], false);
    assert_eq!(event["headers"]["x-forwarded-for"], "10.0.0.1, 127.0.0.1");
    let port = front.address.port().to_string();
    assert_eq!(event["headers"]["x-forwarded-port"], json!(port));
    assert_eq!(event["requestContext"]["http"]["method"], "POST");
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");

    let form = reqwest::multipart::Form::new().text("a", "b");
    let answer = http().post(front.url("/")).multipart(form).send();
    let event: Value = serde_json::from_str(&answer.await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(event["isBase64Encoded"], true);
    front.stop.cancel();
    front.served.await.unwrap();
}

#[tokio::test]
async fn failures_have_the_words_of_api_gateway() {
    let front = start().await;
    for (path, status, message) in [
        ("/fails", 500, "Internal Server Error"),
        ("/panics", 500, "Internal Server Error"),
        ("/nonsense", 500, "Internal Server Error"),
        ("/huge", 500, "Internal Server Error"),
        ("/hangs", 503, "Service Unavailable"),
    ] {
        let answer = http().get(front.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(body, json!({"message": message}), "{path}");
    }
    assert_eq!(
        http().get(front.url("/")).send().await.unwrap().status(),
        200
    );
}

#[tokio::test]
async fn the_limit_is_on_the_event() {
    let front = start().await;
    for (kind, megabytes, expected) in [
        ("text/plain", 5.5, 200),
        ("text/plain", 6.1, 413),
        ("audio/wav", 4.4, 200),
        ("audio/wav", 4.8, 413),
        ("audio/wav", 40.0, 413),
    ] {
        let body = vec![b'x'; (megabytes * f64::from(1 << 20)) as usize];
        let request = http().post(front.url("/")).header("content-type", kind);
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.status(), expected, "{kind} {megabytes}");
        if expected == 413 {
            assert_eq!(
                answer.text().await.unwrap(),
                r#"{"message":"Request Too Long"}"#
            );
        }
    }
    // Control characters are six bytes in JSON.
    let body = vec![1_u8; 2 << 20];
    let request = http()
        .post(front.url("/"))
        .header("content-type", "text/plain");
    assert_eq!(request.body(body).send().await.unwrap().status(), 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_sees_the_refusal_of_a_long_body() {
    let front = start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), vec![0; 10 << 20]).unwrap();
    let data = format!("@{}", file.path().display());
    for more in [
        &["-H", "Expect:"][..],
        &["-H", "Expect: 100-continue"],
        &["-H", "Expect:", "-H", "Transfer-Encoding: chunked"],
    ] {
        let started = Instant::now();
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-w", "\n%{http_code}", "--data-binary", &data])
            .args(more)
            .arg(front.url("/files"));
        let output = tokio::task::spawn_blocking(move || curl.output());
        let output = output.await.unwrap().expect("curl is there");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            text, "{\"message\":\"Request Too Long\"}\n413",
            "{more:?} {output:?}"
        );
        assert!(started.elapsed() < Duration::from_secs(3), "{more:?}");
    }
}

#[tokio::test]
async fn connections_are_kept_and_open_requests_end_before_a_stop() {
    let front = start().await;
    let mut stream = TcpStream::connect(front.address).await.unwrap();
    let mut buffer = vec![0; 65_536];
    for _ in 0..3 {
        stream
            .write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(buffer[..read].starts_with(b"HTTP/1.1 204"));
    }
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    front.stop.cancel();
    let read = stream.read(&mut buffer).await.unwrap();
    assert!(buffer[..read].starts_with(b"HTTP/1.1 204"));
    front.served.await.unwrap();
    assert!(TcpStream::connect(front.address).await.is_err());
}
