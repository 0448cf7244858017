//! A machine that listens to others.

use std::net::SocketAddr;

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use super::{Server, provider};

const CLIP: &[u8] = include_bytes!("../../clips/hi-01.wav");
/// A name that no resolver knows; the client is told where it is.
const HOST: &str = "box.example";

/// A client of a phone's: this machine is `HOST` to it, at the port that it listens on.
fn phone(server: &Server) -> (Client, String, String) {
    provider();
    let port = server.text("url").rsplit(':').next().unwrap();
    let at = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
    let client = Client::builder()
        .no_proxy()
        .resolve(HOST, at)
        .redirect(reqwest::redirect::Policy::none());
    let client = client.build().unwrap();
    let key = server.ready["api_keys"]["demo"]
        .as_str()
        .unwrap()
        .to_owned();
    (client, format!("http://{HOST}:{port}"), key)
}

async fn read(answer: Response) -> Value {
    let status = answer.status();
    let body: Value = answer.json().await.unwrap();
    assert!(status.is_success(), "{status} {body}");
    body["data"].clone()
}

#[tokio::test]
async fn recordings_are_sent_and_heard_by_the_name_that_the_machine_was_asked_by() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_at("0.0.0.0:0", data.path(), &[], |_| {});
    let (client, url, key) = phone(&server);
    let files = format!("{url}/api/v1/evaluations/stt/files");
    let new = json!({
        "filename": "a.wav", "content_type": "audio/wav", "size_bytes": CLIP.len(),
    });
    let asked = client.post(&files).header("x-api-key", &key).json(&new);
    let file = read(asked.send().await.unwrap()).await;
    let upload = &file["upload"];
    let to = upload["url"].as_str().unwrap();
    assert!(to.starts_with(&format!("{url}/")), "{to}");
    let mut sent = client.put(to).body(CLIP);
    for (name, value) in upload["headers"].as_object().unwrap() {
        sent = sent.header(name, value.as_str().unwrap());
    }
    let sent = sent.send().await.unwrap();
    assert_eq!(
        sent.status(),
        StatusCode::OK,
        "{}",
        sent.text().await.unwrap()
    );

    let shown = format!(
        "{files}/{}?include_signed_url=true",
        file["file"]["id"].as_str().unwrap()
    );
    let mut from = String::new();
    for _ in 0..200 {
        let asked = client.get(&shown).header("x-api-key", &key);
        let file = read(asked.send().await.unwrap()).await;
        if let Some(url) = file["signed_url"].as_str() {
            url.clone_into(&mut from);
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(from.starts_with(&format!("{url}/")), "{from}");
    let heard = client.get(&from).header("range", "bytes=0-99").send();
    let heard = heard.await.unwrap();
    assert_eq!(heard.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(heard.bytes().await.unwrap(), CLIP[..100]);

    // A page may load what is signed for its own name.
    let page = client.get(format!("{url}/sign-in")).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains(&format!("media-src 'self' {url};")),
        "{policy}"
    );

    // Nothing is read without a signature, or with one that was changed.
    let (object, query) = from.split_once('?').unwrap();
    for (asked, told) in [
        (object.to_owned(), StatusCode::NOT_FOUND),
        (format!("{object}?{query}0"), StatusCode::BAD_REQUEST),
        (format!("{object}x?{query}"), StatusCode::FORBIDDEN),
    ] {
        let answer = client.get(&asked).send().await.unwrap();
        assert_eq!(answer.status(), told, "{asked}");
    }
    let stopped = server.stop();
    assert_eq!(stopped.0, Some(0));
}

#[tokio::test]
async fn the_bucket_takes_no_signature_that_all_know() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_at("0.0.0.0:0", data.path(), &[], |_| {});
    let config = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_s3::config::Region::new("us-east-1"))
        .credentials_provider(aws_sdk_s3::config::Credentials::new(
            "local",
            "local-secret",
            None,
            None,
            "test",
        ))
        .endpoint_url(server.text("s3"))
        .force_path_style(true)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let bucket = server.text("bucket");
    let asked = aws_sdk_s3::Client::from_conf(config);
    let told = asked.list_objects_v2().bucket(bucket).send().await;
    let told = told.unwrap_err().into_service_error();
    assert_eq!(told.meta().code(), Some("SignatureDoesNotMatch"));
}
