//! A name that was public when a model was made of it, and is this machine when it is asked.
//!
//! The server is the program as it is, and its resolver the C library's: what that answers is
//! exchanged (`LD_PRELOAD`), which no parameter of the product could do.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::{Server, provider};

struct Door {
    http: reqwest::Client,
    base: String,
    key: String,
}

impl Door {
    async fn sent(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let answer = request.header("x-api-key", &self.key).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self
            .sent(self.http.get(format!("{}{path}", self.base)))
            .await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer["data"].clone()
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.base));
        self.sent(request.json(body)).await
    }
}

/// The resolver that answers what a file says.
fn resolver(folder: &Path) -> std::path::PathBuf {
    let source = folder.join("rebinding.c");
    std::fs::write(&source, include_str!("rebinding.c")).unwrap();
    let library = folder.join("rebinding.so");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status();
    assert!(made.unwrap().success());
    library
}

#[tokio::test]
async fn a_name_that_comes_to_mean_this_machine_is_not_asked() {
    provider();
    let folder = tempfile::tempdir().unwrap();
    let (library, answer) = (resolver(folder.path()), folder.path().join("answer"));
    let says = |address: &str| std::fs::write(&answer, address).unwrap();
    // Where the requests would go.
    let inside = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    inside.set_nonblocking(true).unwrap();
    let port = inside.local_addr().unwrap().port();
    let server = Server::start_with(
        &folder.path().join("data"),
        &["--poll-interval", "100ms"],
        |command| {
            command
                .env("LD_PRELOAD", &library)
                .env("REBINDING_ANSWER", &answer);
        },
    );
    let door = Door {
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
        base: format!("{}/api/v1/evaluations/stt", server.text("url")),
        key: server.ready["api_keys"]["demo"]
            .as_str()
            .unwrap()
            .to_owned(),
    };
    let model = |name: &str| {
        let url = format!("https://rebinding.example:{port}/v1");
        json!({ "name": name, "base_url": url, "model": "m" })
    };
    // What it means now is seen when a model is made.
    for inward in [
        "127.0.0.1",
        "169.254.169.254",
        "::ffff:10.0.0.1",
        "fd00:ec2::254",
    ] {
        says(inward);
        let (status, refused) = door.post("/models", &model("inward")).await;
        assert_eq!(status, 422, "{inward}: {refused}");
        assert_eq!(refused["errors"][0]["field"], "base_url", "{refused}");
    }
    says("8.8.8.8");
    let (status, made) = door.post("/models", &model("turned")).await;
    assert_eq!(status, 201, "{made}");

    let audio = Part::bytes(include_bytes!("../../clips/en-01.wav").as_slice());
    let audio = audio.file_name("en-01.wav").mime_str("audio/wav").unwrap();
    let upload = door.http.post(format!("{}/files", door.base));
    let (status, file) = door
        .sent(upload.multipart(Form::new().part("file", audio)))
        .await;
    assert_eq!(status, 201, "{file}");
    let file = file["data"]["file"]["id"]
        .as_str()
        .or(file["data"]["id"].as_str());
    let run = json!({
        "run_name": "r", "providers": ["custom/turned"],
        "dataset": { "name": "d", "language": "en", "samples": [{ "file_id": file }] },
    });
    says("127.0.0.1");
    let (status, run) = door.post("/runs", &run).await;
    assert_eq!(status, 202, "{run}");
    let path = format!("/runs/{}", run["data"]["id"].as_str().unwrap());
    let begun = Instant::now();
    while door.get(&path).await["status"] != "failed" {
        assert!(
            begun.elapsed() < Duration::from_secs(90),
            "the run does not end"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let results = door.get(&format!("{path}/results")).await;
    assert_eq!(results[0]["error_code"], "address_refused", "{results}");
    let reached = inside.accept().unwrap_err();
    assert_eq!(reached.kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(server.stop().0, Some(0));
}
