//! `run --demo`.

use std::process::Stdio;
use std::time::Duration;

use stt_eval_tests::audio::wav;
use tokio::process::Command;

use super::{RUN, TEXTS, code, document, text};

/// The program that makes the machine of `--demo`, if the tests were given one.
fn local() -> Option<(&'static str, std::ffi::OsString)> {
    const NAME: &str = "STT_EVAL_LOCAL_BIN";
    std::env::var_os(NAME).map(|path| (NAME, path))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demonstration_says_so_on_every_line_and_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let (set, temporary) = (home.path().join("set"), home.path().join("tmp"));
    std::fs::create_dir_all(&set).unwrap();
    std::fs::create_dir_all(&temporary).unwrap();
    let mut table = "file_name,transcription\n".to_owned();
    for (seed, text) in (1..).zip(TEXTS) {
        std::fs::write(set.join(format!("{seed}.wav")), wav(seed, 0.4)).unwrap();
        table += &format!("{seed}.wav,{text}\n");
    }
    std::fs::write(set.join("metadata.csv"), table).unwrap();
    let demo = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stt-eval"));
        command
            .current_dir(home.path())
            .env_clear()
            .env("HOME", home.path())
            .env("TMPDIR", &temporary)
            .envs(local())
            .args(["run", "set", "--demo"])
            .args(&RUN[6..])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    };
    let left = || std::fs::read_dir(&temporary).unwrap().count();

    let told = demo(&[]).output().await.unwrap();
    let (out, notes) = (text(&told.stdout), text(&told.stderr));
    assert_eq!(code(&told), 0, "{notes}");
    assert!(out.contains("gemini-3.5-flash-lite"), "{out}");
    for line in out.lines().chain(notes.lines()) {
        assert!(line.starts_with("SIMULATED  "), "{line}");
    }
    assert_eq!(left(), 0);
    assert!(!home.path().join(".local").exists());

    for refused in ["--detach", "--junit=x.xml", "--export=csv", "--profile=a"] {
        assert_eq!(
            code(&demo(&[refused]).output().await.unwrap()),
            2,
            "{refused}"
        );
    }
    let mut without = demo(&["--json"]);
    without.env("STT_EVAL_LOCAL_BIN", "/no/such/program");
    let without = without.output().await.unwrap();
    assert_eq!(code(&without), 1);
    assert_eq!(document(&without)["error"]["code"], "no_demo");
    let mut silent = demo(&["--json"]);
    silent.env("STT_EVAL_LOCAL_BIN", "/bin/true");
    let silent = silent.output().await.unwrap();
    assert_eq!(document(&silent)["error"]["code"], "no_demo");
    assert_eq!(left(), 0);
    // Without room a program can't say what it lacks.
    let program = env!("CARGO_BIN_EXE_stt-eval");
    let full = "trap '' XFSZ && ulimit -f 0 && exec \"$0\" run set --demo --language en --json";
    let full = Command::new("/bin/sh")
        .args(["-c", full, program])
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .env("TMPDIR", &temporary)
        .env("STT_EVAL_LOCAL_BIN", "/bin/true")
        .output()
        .await
        .unwrap();
    let error = document(&full)["error"].clone();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("--demo has no room in "), "{error}");
    assert_eq!(left(), 0);

    // Killed, it can clear nothing away; its machine does.
    for signal in ["-INT", "-KILL"] {
        let child = demo(&["--json"]).spawn().unwrap();
        let machine = || {
            let names = std::fs::read_dir(&temporary).unwrap().flatten();
            let mut paths = names.map(|entry| entry.path());
            paths.find(|path| path.join("deployment").exists())
        };
        let patience = stt_eval_tests::machine::PATIENCE;
        let until = std::time::Instant::now() + patience;
        while machine().is_none() {
            assert!(std::time::Instant::now() < until);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let pid = child.id().unwrap().to_string();
        let sent = Command::new("/bin/kill").args([signal, &pid]).status();
        assert!(sent.await.unwrap().success());
        drop(child.wait_with_output().await.unwrap());
        let until = std::time::Instant::now() + patience;
        while machine().is_some() {
            assert!(std::time::Instant::now() < until, "{signal}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
