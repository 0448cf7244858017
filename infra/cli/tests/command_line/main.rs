//! The command as people and scripts meet it: exit codes, documents, what goes where.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

mod check;
mod documents;
mod gate;
mod gate_simulations;
mod judged;
mod keywords;
mod left_out;
mod noticed;
mod output;
mod page;
#[cfg(unix)]
mod profiles;
#[path = "../support/promised.rs"]
mod promised;
#[cfg(unix)]
mod room;
mod score;
mod silence;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

struct Set {
    folder: tempfile::TempDir,
}

impl Set {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let set = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for (name, bytes) in files {
            let path = set.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        set
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        command(self.folder.path())
            .args(arguments)
            .output()
            .unwrap()
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stt-eval"));
    command
        .current_dir(folder)
        .env_clear()
        .env("LANG", "en_US.UTF-8");
    command
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The one document on standard output.
fn document(output: &Output) -> Value {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    let value: Value = serde_json::from_str(text).unwrap();
    assert_eq!(value["schema"], 1);
    assert_eq!(value["ok"], code(output) == 0, "{text}");
    value
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// One second of silence: 8 kHz, 16 bits.
fn wav() -> Vec<u8> {
    let data = vec![0_u8; 16_000];
    let mut out = b"RIFF".to_vec();
    out.extend((36 + data.len() as u32).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend(8_000_u32.to_le_bytes());
    out.extend(16_000_u32.to_le_bytes());
    out.extend(b"\x02\0\x10\0data");
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out
}
