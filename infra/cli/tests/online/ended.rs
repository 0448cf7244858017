//! Runs that have ended, in what way: what now, and what there is nothing to do about.

use std::time::Duration;

use stt_eval_tests::MachineOptions;

use super::{Bench, code, document, text, with};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_cancelled_names_what_goes_on() {
    let bench = Bench::with(MachineOptions {
        batch_delay: Duration::from_secs(600),
        ..MachineOptions::default()
    })
    .await;
    bench.json(&with(&["--yes", "--detach"])).await;
    bench.json(&["cancel", "latest"]).await;
    let told = bench.run(&with(&["--json"])).await;
    let error = document(&told)["error"].clone();
    assert_eq!(code(&told), 1, "{error}");
    assert_eq!(error["code"], "run_cancelled");
    assert_eq!(error["message"], "the run was cancelled");
    let hint = "--new makes a new run over the same dataset";
    assert_eq!(error["hint"], hint);
    let words = bench.run(&with(&[])).await;
    let words = text(&words.stderr);
    let ends = format!("error: the run was cancelled\nhint: {hint}\n");
    assert!(words.ends_with(&ends), "{words}");
    // A gate on it can't be judged.
    let gate = bench.run(&with(&["--fail-if", "wer>0.5"])).await;
    assert_eq!(code(&gate), 101, "{}", text(&gate.stderr));
    // What was never asked is nobody's mistake.
    for (format, note) in [
        ("csv", "has the error \"cancelled\" in the file"),
        ("jsonl", "has the error \"cancelled\" in the file"),
        ("trn", "is listed in failed.jsonl"),
        ("stm", "is listed in failed.jsonl"),
        ("seglst", "is listed in failed.jsonl"),
        (
            "nemo",
            "is not in the file, and score counts it as nothing heard",
        ),
        (
            "label_studio",
            "is not in the file, and score counts it as nothing heard",
        ),
    ] {
        let saved = bench
            .run(&["export", "latest", "--format", format, "--json"])
            .await;
        let words = text(&saved.stderr);
        let wanted = "note: the run was cancelled, 0 of 8 done: what was never asked ";
        assert!(words.starts_with(&format!("{wanted}{note}")), "{words}");
        if ["nemo", "label_studio"].contains(&format) {
            continue;
        }
        let file = document(&saved)["output"].as_str().unwrap().to_owned();
        let score = bench
            .run(&["score", &file, "--json", "--fail-if", "wer>0.3"])
            .await;
        let told = document(&score);
        let system = &told["systems"][0];
        let figures = (&system["samples"], &system["wer"]);
        assert_eq!(
            figures,
            (&0.into(), &serde_json::Value::Null),
            "{format}: {told}"
        );
        assert_eq!(system["failed"], 4, "{format}: {told}");
    }
    bench.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_failures_has_nothing_to_retry() {
    let bench = Bench::new().await;
    bench.json(&with(&["--yes"])).await;
    let told = bench.run(&["retry", "latest", "--json"]).await;
    let error = document(&told)["error"].clone();
    assert_eq!(
        (code(&told), &error["code"]),
        (5, &"nothing".into()),
        "{error}"
    );
    // What is ours is ASCII where nothing else can be shown.
    for asked in [
        &["report", "latest"][..],
        &["status", "latest"],
        &["diff", "latest", "latest"],
        &["whoami"],
    ] {
        let mut plain = bench.command(asked);
        let told = bench.told(plain.env("LC_ALL", "C").output().await.unwrap());
        let words = text(&told.stdout) + &text(&told.stderr);
        assert!(code(&told) == 0 && words.is_ascii(), "{asked:?}: {words}");
    }
    #[cfg(target_os = "linux")]
    drawn_lines_are_cut(&bench).await;
    bench.machine.stop().await;
}

/// On a terminal of 40 columns: what is drawn ends at its edge, and all of it is taken away.
#[cfg(target_os = "linux")]
async fn drawn_lines_are_cut(bench: &Bench) {
    let plain = bench.command(&[]);
    let line = "stty cols 40 && exec \"$STT_EVAL\" run set -p gemini-2.5-pro -p gemini-2.5-flash \
                --language en --yes --new --name drawn";
    let mut command = tokio::process::Command::new("/usr/bin/script");
    command
        .args(["-qec", line, "/dev/null"])
        .current_dir(bench.home.path())
        .env_clear()
        .stdin(std::process::Stdio::null());
    for (name, value) in plain.as_std().get_envs() {
        command.envs(value.map(|value| (name, value)));
    }
    command
        .env("PATH", "/usr/bin:/bin")
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm")
        .env("STT_EVAL", env!("CARGO_BIN_EXE_stt-eval"));
    let told = bench.told(command.output().await.unwrap());
    let shown = text(&told.stdout);
    assert_eq!(code(&told), 0, "{shown}");
    let mut drawn = shown.split("\u{1b}[?7l").skip(1).peekable();
    assert!(drawn.peek().is_some(), "{shown}");
    let mut is_long = false;
    for part in drawn {
        let (lines, rest) = part.split_once("\u{1b}[?7h").unwrap();
        is_long |= lines.lines().any(|line| line.chars().count() > 40);
        let count = lines.matches('\n').count();
        let away = format!("\u{1b}[{count}A\u{1b}[J");
        assert!(rest.starts_with(&away), "{lines:?} {rest:?}");
    }
    assert!(is_long, "{shown}");
}
