//! The command against the embedded cloud: keys, lists, and a folder that becomes a
//! verdict, whatever happens on the way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

mod again;
mod busy;
mod columns;
#[cfg(unix)]
mod demo;
mod documents;
mod ended;
mod exports;
mod failed;
mod heard_before;
mod imported;
mod joined;
#[cfg(unix)]
mod keys;
#[cfg(unix)]
mod login;
#[cfg(unix)]
mod many;
mod noticed;
mod parts;
#[path = "../support/promised.rs"]
mod promised;
mod references;
mod refused;
mod rescored;
mod silent;
#[cfg(unix)]
mod stopped;
mod unknown;
#[cfg(unix)]
mod untouched;
mod verdict;
#[cfg(unix)]
mod wishes;

use std::path::PathBuf;
use std::process::{Output, Stdio};

use serde_json::Value;
use stt_eval_tests::audio::wav;
use stt_eval_tests::{Machine, MachineOptions};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const TEXTS: [&str; 4] = [
    "one two three four",
    "five six seven eight",
    "nine ten eleven twelve",
    "red green blue black",
];

/// A machine, a home, and a folder of recordings with their texts.
struct Bench {
    machine: Machine,
    home: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        Self::with(MachineOptions::default()).await
    }

    async fn with(options: MachineOptions) -> Self {
        let machine = Machine::start_with(options).await;
        let home = tempfile::tempdir().unwrap();
        let set = home.path().join("set");
        std::fs::create_dir_all(&set).unwrap();
        let mut table = "file_name,transcription,speaker\n".to_owned();
        for (seed, text) in (1..).zip(TEXTS) {
            let audio = wav(seed, 0.4);
            machine.record(&audio, "gemini-2.5-pro", text);
            let rest = text.split_once(' ').unwrap().1;
            machine.record(&audio, "gemini-2.5-flash", rest);
            std::fs::write(set.join(format!("{seed}.wav")), &audio).unwrap();
            table += &format!("{seed}.wav,{text},s{seed}\n");
        }
        std::fs::write(set.join("metadata.csv"), table).unwrap();
        Self { machine, home }
    }

    /// A folder of recordings, with what is told of each in a line of JSON.
    fn set_of(&self, folder: &str, seed: u32, lines: &[Value]) {
        let folder = self.home.path().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let mut all = String::new();
        for (seed, line) in (seed..).zip(lines) {
            let name = format!("{seed}.wav");
            std::fs::write(folder.join(&name), wav(seed, 0.3)).unwrap();
            let mut line = line.clone();
            line["file_name"] = name.into();
            all += &format!("{line}\n");
        }
        std::fs::write(folder.join("metadata.jsonl"), all).unwrap();
    }

    fn key(&self) -> &str {
        &self.machine.node.api_keys["demo"]
    }

    fn bare(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stt-eval"));
        command
            .current_dir(self.home.path())
            .env_clear()
            .env("LANG", "en_US.UTF-8")
            .env("HOME", self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// The command, with address and key as variables, after a line of shell.
    #[cfg(unix)]
    fn within(&self, limit: &str) -> Command {
        let plain = self.command(&[]);
        let mut command = Command::new("/bin/sh");
        let line = format!("{limit} && exec \"$0\" \"$@\"");
        command
            .args(["-c", &line, env!("CARGO_BIN_EXE_stt-eval")])
            .current_dir(self.home.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for (name, value) in plain.as_std().get_envs() {
            command.envs(value.map(|value| (name, value)));
        }
        command
    }

    /// The command, with address and key as variables.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare();
        command
            .env("STT_EVAL_URL", &self.machine.node.url)
            .env("STT_EVAL_API_KEY", self.key())
            .args(arguments);
        command
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        self.told(self.command(arguments).output().await.unwrap())
    }

    /// No output holds the key.
    fn told(&self, output: Output) -> Output {
        for text in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(text);
            assert!(!text.contains(self.key()), "{text}");
        }
        output
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.push("--json");
        document(&self.run(&all).await)
    }

    async fn with_input(&self, mut command: Command, input: &str) -> Output {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // It may end before it reads.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        self.told(child.wait_with_output().await.unwrap())
    }

    fn config(&self, name: &str) -> PathBuf {
        self.home.path().join(".config/stt-eval").join(name)
    }

    async fn counts(&self) -> (usize, usize) {
        let runs = self.json(&["runs"]).await;
        let datasets = self.json(&["datasets"]).await;
        let count = |value: &Value| value.as_array().unwrap().len();
        (count(&runs["runs"]), count(&datasets["datasets"]))
    }
}

const RUN: [&str; 8] = [
    "run",
    "set",
    "-p",
    "gemini-2.5-pro",
    "-p",
    "gemini-2.5-flash",
    "--language",
    "en",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut all: Vec<&str> = RUN.to_vec();
    all.extend(more);
    all
}

fn code(output: &Output) -> i32 {
    let words = String::from_utf8_lossy(&output.stderr);
    output.status.code().unwrap_or_else(|| panic!("{words}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The one document on standard output.
fn document(output: &Output) -> Value {
    let words = text(&output.stderr);
    let value: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}\n{words}", text(&output.stdout)));
    assert_eq!(value["schema"], 1);
    assert_eq!(value["ok"], code(output) == 0, "{value}\n{words}");
    value
}
