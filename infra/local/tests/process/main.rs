//! The command as people run it.
#![allow(
    clippy::unwrap_used,
    reason = "the exception for tests does not cover their helpers"
)]

mod reached;
#[cfg(target_os = "linux")]
mod rebinding;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_stt-eval-local");

fn command() -> Command {
    let mut command = Command::new(BINARY);
    command
        .env_remove("GEMINI_API_KEY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A server that was started; killed if a test fails.
struct Server {
    child: Child,
    ready: Value,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(data: &Path, more: &[&str]) -> Self {
        Self::start_with(data, more, |_| {})
    }

    fn start_with(data: &Path, more: &[&str], set: impl FnOnce(&mut Command)) -> Self {
        Self::start_at("127.0.0.1:0", data, more, set)
    }

    fn start_at(listen: &str, data: &Path, more: &[&str], set: impl FnOnce(&mut Command)) -> Self {
        let mut command = command();
        set(&mut command);
        command
            .args(["serve", "--listen", listen, "--data"])
            .arg(data)
            .args(more);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        child.stdout = Some(stdout.into_inner());
        Self {
            child,
            ready: serde_json::from_str(&line).unwrap(),
        }
    }

    fn text(&self, field: &str) -> &str {
        self.ready[field].as_str().unwrap()
    }

    /// Asks it to stop; gives its exit status and what else it printed.
    fn stop(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut rest)
            .unwrap();
        (status.code(), rest)
    }
}

async fn get(url: &str, key: Option<&str>) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.get(url);
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

fn provider() {
    // Without TLS there is no handshake, but the client wants a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[tokio::test]
async fn serve_prints_one_line_stops_on_sigterm_and_goes_on_where_it_was() {
    provider();
    let data = tempfile::tempdir().unwrap();
    let more = [
        "--project",
        "north",
        "--project",
        "south",
        "--poll-interval",
        "100ms",
    ];
    let server = Server::start(data.path(), &more);
    assert_eq!(server.ready["ready"], true);
    for field in ["url", "s3", "dynamodb", "sqs", "gemini"] {
        assert!(
            server.text(field).starts_with("http://127.0.0.1:"),
            "{}",
            server.ready
        );
    }
    assert!(!server.text("bucket").is_empty());
    let keys = server.ready["api_keys"].clone();
    let names: Vec<&String> = keys.as_object().unwrap().keys().collect();
    assert_eq!(names, ["north", "south"]);
    let key = keys["north"].as_str().unwrap();
    assert!(key.starts_with("sk_"));

    let (status, health) = get(&format!("{}/healthz", server.text("url")), None).await;
    assert_eq!((status, &health["success"]), (200, &Value::Bool(true)));
    let files = format!("{}/api/v1/evaluations/stt/files", server.text("url"));
    assert_eq!(get(&files, None).await.0, 401);
    assert_eq!(get(&files, Some(key)).await.0, 200);
    assert_eq!(
        server.stop(),
        (Some(0), String::new()),
        "stdout has the one line only"
    );

    let again = Server::start(data.path(), &more);
    assert_eq!(again.ready["api_keys"], keys, "keys outlive a restart");
    let files = format!("{}/api/v1/evaluations/stt/files", again.text("url"));
    assert_eq!(get(&files, Some(key)).await.0, 200);
    assert_eq!(again.stop().0, Some(0));
}

#[test]
fn demo_shows_the_whole_flow_and_says_that_the_provider_was_simulated() {
    let output = command()
        .args(["demo", "--recordings-only"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}\n{errors}");
    for part in [
        "gemini-2.5-pro",
        "gemini-2.5-flash",
        "WER",
        "CER",
        "SIMULATED",
        "failed",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    // So few clips make no winner.
    assert!(text.contains("too few to name a winner"), "{text}");
    assert!(!text.contains("is best"), "{text}");
    assert!(
        text.contains("[-") && text.contains("{+"),
        "an aligned diff is missing in\n{text}"
    );
    assert_eq!(errors, "", "nothing went wrong on the way");
}

/// What a member of each line of a bundled file says.
fn said(lines: &str, member: &str) -> Vec<String> {
    let said = lines.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line[member].as_str().unwrap().to_owned()
    });
    // Shorter ones may be part of an ordinary log line.
    said.filter(|text| text.chars().count() > 8).collect()
}

#[test]
fn no_log_line_of_the_whole_flow_tells_what_was_said_or_a_secret() {
    let log = "info,stt_eval_shared=trace,stt_eval_local=trace,gemini_sim=trace,\
               api=trace,register=trace,submit=trace,poll=trace";
    let output = command()
        .args(["demo", "--recordings-only"])
        .env("RUST_LOG", log)
        .output()
        .unwrap();
    assert!(output.status.success());
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("a unit was collected"), "{log}");
    let mut never = vec![
        "sk_".to_owned(),
        "simulated-key".to_owned(),
        "X-Amz-Signature".to_owned(),
        "X-Amz-Credential".to_owned(),
        "local-secret".to_owned(),
    ];
    never.extend(said(
        include_str!("../../clips/clips.jsonl"),
        "ground_truth",
    ));
    never.extend(said(include_str!("../../clips/recordings.jsonl"), "text"));
    assert!(never.len() > 40);
    for line in log.lines() {
        let found = never.iter().find(|part| line.contains(part.as_str()));
        assert_eq!(found, None, "in {line}");
    }
}

#[tokio::test]
async fn a_run_is_replayed_from_what_was_landed() {
    provider();
    let data = tempfile::tempdir().unwrap();
    let demo = command()
        .args(["demo", "--recordings-only", "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    assert!(demo.status.success());
    let server = Server::start(data.path(), &[]);
    let key = server.ready["api_keys"]["demo"]
        .as_str()
        .unwrap()
        .to_owned();
    let runs = format!("{}/api/v1/evaluations/stt/runs", server.text("url"));
    let (_, before) = get(&runs, Some(&key)).await;
    let run = before["data"][0]["id"].as_str().unwrap().to_owned();
    let replay = |more: &[&str]| {
        let mut replay = command();
        replay.args(["replay", "--project", "demo", "--data"]);
        replay.arg(data.path()).args(more).output().unwrap()
    };
    let error = |output: &std::process::Output| {
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let errors = String::from_utf8(output.stderr.clone()).unwrap();
        assert_eq!(errors.lines().count(), 1, "{errors}");
        errors
    };
    // Not beside a server.
    error(&replay(&["--run", &run]));
    assert_eq!(server.stop().0, Some(0));

    let output = replay(&["--run", &run]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&answer["run"], &answer["continue_after"]),
        (&before["data"][0]["id"], &Value::Null)
    );
    let units = answer["units"].as_array().unwrap();
    let items: u64 = units
        .iter()
        .map(|unit| unit["unchanged"].as_u64().unwrap())
        .sum();
    assert_eq!(before["data"][0]["total_items"], items, "{answer}");
    assert!(units.iter().all(|unit| unit["changed"] == 0), "{answer}");
    let one = replay(&["--run", &run, "--unit", "p00-r01-c0000"]);
    assert!(one.status.success());
    let absent = error(&replay(&["--run", &run, "--unit", "p99-r01-c0000"]));
    assert!(absent.contains("p99"), "{absent}");
    error(&replay(&["--run", "run_x"]));
    let nowhere = data.path().join("nowhere");
    let mut elsewhere = command();
    elsewhere.args(["replay", "--project", "demo", "--run", &run, "--data"]);
    error(&elsewhere.arg(&nowhere).output().unwrap());
    assert!(!nowhere.exists());

    let again = Server::start(data.path(), &[]);
    let runs = format!("{}/api/v1/evaluations/stt/runs", again.text("url"));
    assert_eq!(get(&runs, Some(&key)).await.1["data"], before["data"]);
    assert_eq!(again.stop().0, Some(0));
}

/// One vendor's address is set beside stand-ins: it alone is asked there, and the line says so.
#[test]
fn an_address_that_is_set_takes_the_place_of_one_stand_in() {
    let data = tempfile::tempdir().unwrap();
    let set = |pairs: &'static str| {
        let more = ["--gemini", "sim", "--simulate-others", "--set", pairs];
        let server = Server::start(data.path(), &more);
        let told = (
            server.ready["gemini"].clone(),
            server.ready["providers"].clone(),
        );
        server.stop();
        told
    };
    let (gemini, providers) =
        set("PROVIDER_URLS=google=http://127.0.0.1:9/,groq=http://127.0.0.1:9/v1");
    assert_eq!(gemini, "http://127.0.0.1:9");
    assert_eq!(providers["groq"], "http://127.0.0.1:9/v1");
    let of = |name: &str| providers[name].as_str().unwrap().to_owned();
    assert!(of("openai").ends_with("/openai/v1"), "{providers}");
    assert!(of("sarvam").ends_with("/sarvam"), "{providers}");
    let (gemini, providers) = set("PROVIDER_URLS=groq=http://127.0.0.1:9/v1");
    assert_ne!(gemini, "http://127.0.0.1:9");
    assert_eq!(providers["google"], gemini);
}

#[test]
fn what_cannot_start_says_why_in_one_line() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let output = command()
        .args(["serve", "--data"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors.lines().count(), 1, "{errors}");
    for bad in [
        ["--project", "No Good"],
        ["--poll-interval", "soon"],
        ["--set", "nothing"],
        ["--gemini", "somewhere"],
    ] {
        let output = command()
            .args(["serve", "--data", "x"])
            .args(bad)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{bad:?}");
    }
}

/// The first line of standard error that holds a link.
fn link(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let found = lines.find_map(|line| {
        let line = line.unwrap();
        line.contains("/open/").then(|| line.trim().to_owned())
    });
    // What else it says must not block it.
    std::thread::spawn(move || lines.for_each(drop));
    found.unwrap()
}

#[tokio::test]
async fn a_browser_is_signed_in_by_a_link_that_is_good_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = command();
    command
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--gemini",
            "sim",
            "--open",
            "--data",
        ])
        .arg(dir.path())
        // No browser of this machine is to open.
        .env("PATH", "")
        .env("USER", "Asha");
    let mut child = command.spawn().unwrap();
    let link = link(&mut child);
    let mut server = Server {
        child,
        ready: Value::Null,
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let plain = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let first = plain.get(&link).send().await.unwrap();
    assert_eq!(first.status(), 303);
    assert_eq!(first.headers()["location"], "/");
    let cookie = first.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let base = link.split("/open/").next().unwrap();
    let runs = plain.get(format!("{base}/runs")).header("cookie", &cookie);
    let runs = runs.send().await.unwrap();
    assert_eq!(runs.status(), 200);
    assert!(runs.text().await.unwrap().contains("Asha"));
    // The second one finds the form.
    let second = plain.get(&link).send().await.unwrap();
    assert_eq!(second.status(), 200);
    assert!(second.headers().get("set-cookie").is_none());
    assert!(second.text().await.unwrap().contains("Sign in"));
    server.child.kill().unwrap();
}

#[test]
fn a_machine_that_others_reach_opens_no_browser() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = command();
    let asked = command
        .args(["serve", "--listen", "0.0.0.0:0", "--open", "--data"])
        .arg(dir.path());
    let ended = asked.output().unwrap();
    assert!(!ended.status.success());
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(told.contains("--open"), "{told}");
}
