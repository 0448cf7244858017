//! Commands that are killed or stopped on the way.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use stt_eval_tests::MachineOptions;
use tokio::process::Command;

use super::{Bench, code, document, text, with};

/// Whether the journal has come so far.
fn has(home: &Path, what: &str) -> bool {
    let state = home.join(".local/state/stt-eval");
    let folders = std::fs::read_dir(state).into_iter().flatten().flatten();
    let found = |folder: PathBuf| match what {
        "uploads.jsonl" => folder.join(what).exists(),
        kind => std::fs::read_dir(folder.join(kind))
            .into_iter()
            .flatten()
            .flatten()
            .any(|entry| entry.path().extension().is_some_and(|end| end == "json")),
    };
    folders.map(|folder| folder.path()).any(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_killed_goes_on_and_makes_nothing_twice() {
    let bench = Bench::with(MachineOptions {
        batch_delay: Duration::from_secs(2),
        ..MachineOptions::default()
    })
    .await;
    for moment in ["start", "uploads.jsonl", "datasets", "runs", "later"] {
        let mut child = bench.command(&with(&["--yes", "-j", "1"])).spawn().unwrap();
        let begun = std::time::Instant::now();
        loop {
            let reached = match moment {
                "start" => begun.elapsed() > Duration::from_millis(100),
                "later" => begun.elapsed() > Duration::from_millis(700),
                file => has(bench.home.path(), file),
            };
            if reached || child.try_wait().unwrap().is_some() {
                break;
            }
            assert!(
                begun.elapsed() < stt_eval_tests::machine::PATIENCE,
                "{moment}"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // It may have come to its end by itself.
        let _ = child.kill().await;
    }
    let done = bench.json(&with(&["--yes"])).await;
    assert_eq!(done["run"]["status"], "completed");
    assert_eq!(bench.counts().await, (1, 1));

    // Killed just before it knew what it had made, days ago: the deployment has forgotten
    // the key of the request.
    let step = journal_file(bench.home.path(), "runs");
    let mut begun: Value = serde_json::from_slice(&std::fs::read(&step).unwrap()).unwrap();
    begun["id"] = Value::Null;
    begun["key"] = "another".into();
    begun["at"] = "2026-01-01T00:00:00.000Z".into();
    std::fs::write(&step, begun.to_string()).unwrap();
    let found = bench.json(&with(&["--yes"])).await;
    assert_eq!(found["run"]["id"], done["run"]["id"]);

    // A journal that is lost: the name of the dataset tells its content.
    std::fs::remove_dir_all(bench.home.path().join(".local")).unwrap();
    let new = bench.json(&with(&["--yes", "--detach"])).await;
    assert_eq!(new["run"]["dataset_id"], done["run"]["dataset_id"]);
    assert_eq!(bench.counts().await, (2, 1));
    bench.machine.stop().await;
}

/// A command that was killed before it knew what it had made, at a time or just now.
fn killed(bench: &Bench, at: Option<&str>) {
    let step = journal_file(bench.home.path(), "runs");
    let mut begun: Value = serde_json::from_slice(&std::fs::read(&step).unwrap()).unwrap();
    begun["id"] = Value::Null;
    if let Some(at) = at {
        begun["at"] = at.into();
    }
    std::fs::write(&step, begun.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_command_hides_no_limit_and_stops_no_other_run() {
    let bench = Bench::new().await;
    let client = bench.machine.client("demo");
    let capped = |cap| with(&["--yes", "--max-cost", cap]);
    let run_of = |document: &Value| document["run"]["id"].as_str().unwrap().to_owned();

    // What it had made has no limit, and that is told.
    let first = run_of(&bench.json(&with(&["--yes"])).await);
    killed(&bench, None);
    let found = bench.json(&capped("1")).await;
    assert_eq!(run_of(&found), first);
    let told = format!(
        "{first} was made before without --max-cost, and that of this command changes nothing"
    );
    let remarks = found["remarks"].as_array().unwrap();
    assert!(remarks.contains(&told.into()), "{found}");

    // The deployment knows the key of another request, and no run of it: as after a failure.
    let gone = client.delete(&format!("/runs/{first}")).await;
    assert_eq!(gone.status, 200, "{}", gone.text);
    killed(&bench, None);
    let refused = bench.run(&capped("2")).await;
    let words = text(&refused.stderr);
    assert_eq!(code(&refused), 1, "{words}");
    assert!(words.contains("with --new now"), "{words}");
    let new = bench
        .json(&with(&["--yes", "--max-cost", "2", "--new"]))
        .await;
    let second = run_of(&new);
    assert_eq!(new["run"]["status"], "completed", "{new}");

    // Later nothing of it is under way any more.
    let gone = client.delete(&format!("/runs/{second}")).await;
    assert_eq!(gone.status, 200, "{}", gone.text);
    killed(&bench, Some("2026-01-01T00:00:00.000Z"));
    let third = run_of(&bench.json(&capped("3")).await);

    // Who wants a new one gets it: neither what was made by a killed command, nor its key again.
    killed(&bench, Some("2026-01-01T00:00:00.000Z"));
    let fourth = run_of(
        &bench
            .json(&with(&["--yes", "--max-cost", "3", "--new"]))
            .await,
    );
    assert_ne!(fourth, third);
    assert_eq!(bench.counts().await, (2, 1));
    bench.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_goes_while_one_waits_does_not_hide_the_verdict() {
    let bench = Bench::with(MachineOptions {
        batch_delay: Duration::from_secs(2),
        ..MachineOptions::default()
    })
    .await;
    let folder = bench.home.path().join("saved");
    std::fs::create_dir(&folder).unwrap();
    let asked = with(&["--yes", "--json", "--export", "csv:saved/t.csv"]);
    let child = bench
        .command(&asked)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let begun = std::time::Instant::now();
    while !has(bench.home.path(), "runs") {
        assert!(begun.elapsed() < stt_eval_tests::machine::PATIENCE);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    std::fs::remove_dir_all(folder).unwrap();
    let unsaved = child.wait_with_output().await.unwrap();
    assert_eq!(code(&unsaved), 1, "{}", text(&unsaved.stderr));
    assert_eq!(document(&unsaved)["models"][1]["wer"], 0.25);
    bench.machine.stop().await;
}

/// Moments that nothing chose: ten folders' worth of runs, each killed three times.
#[tokio::test(flavor = "multi_thread")]
async fn kills_at_random_moments_make_nothing_twice() {
    const ROUNDS: usize = 10;
    const KILLS: usize = 3;
    let bench = Bench::new().await;
    // A generator of Knuth's; the seed makes a failure come again.
    let mut seed = 0x5eed_u64;
    let mut next = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % 120
    };
    for round in 0..ROUNDS {
        let name = format!("round {round}");
        let arguments = with(&["--yes", "--detach", "--name", &name]);
        for _ in 0..KILLS {
            let mut child = bench.command(&arguments).spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(next())).await;
            // It may have come to its end by itself.
            let _ = child.kill().await;
        }
        let done = bench.run(&arguments).await;
        assert_eq!(code(&done), 0, "{name}: {}", text(&done.stderr));
    }
    assert_eq!(bench.counts().await, (ROUNDS, ROUNDS));
    bench.machine.stop().await;
}

/// The one file of a kind in the journal.
pub(super) fn journal_file(home: &Path, kind: &str) -> PathBuf {
    let state = home.join(".local/state/stt-eval");
    let deployment = std::fs::read_dir(state).unwrap().next().unwrap().unwrap();
    let files = std::fs::read_dir(deployment.path().join(kind)).unwrap();
    let files = files.map(|file| file.unwrap().path());
    // A kill may leave a file behind that was not in its place yet.
    let in_place = |file: &PathBuf| file.extension().is_some_and(|end| end == "json");
    let mut files: Vec<PathBuf> = files.filter(in_place).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.pop().unwrap()
}

/// What a terminal sends for Ctrl-C.
async fn interrupt(pid: &str) {
    let mut kill = Command::new("/bin/kill");
    let sent = kill.args(["-INT", pid]).output().await.unwrap();
    // It may have ended.
    drop(sent);
}

/// Once, and twice at once as somebody does who is in a hurry.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_the_run_going() {
    let bench = Bench::with(MachineOptions {
        batch_delay: Duration::from_secs(3),
        ..MachineOptions::default()
    })
    .await;
    for times in [1, 2] {
        let name = format!("stopped {times}");
        let run = with(&["--yes", "--name", &name]);
        let child = bench.command(&[&run[..], &["--json"]].concat()).spawn();
        let child = child.unwrap();
        let pid = child.id().unwrap().to_string();
        let made = async || (bench.counts().await.0 == times).then_some(());
        bench.machine.wait("the run is made", made).await;
        bench
            .machine
            .wait("the run is known", async || {
                let state = bench.home.path().join(".local/state/stt-eval");
                let folder = std::fs::read_dir(state).ok()?.flatten().next()?.path();
                let latest = std::fs::read_dir(folder.join("folders")).ok()?;
                latest.flatten().next()
            })
            .await;
        for _ in 0..times {
            interrupt(&pid).await;
        }
        let stopped = bench.told(child.wait_with_output().await.unwrap());
        let words = text(&stopped.stderr);
        assert_eq!(code(&stopped), 130, "{words}");
        assert_eq!(document(&stopped)["error"]["code"], "interrupted");
        if times == 1 {
            assert!(words.contains("goes on"), "{words}");
        }
        let done = bench.json(&run).await;
        assert_eq!(done["run"]["status"], "completed");
        assert_eq!(bench.counts().await, (times, times));
    }
    bench.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_command_twice_at_once_makes_one_run() {
    let bench = Bench::new().await;
    let mut both = Vec::new();
    for _ in 0..2 {
        both.push(bench.command(&with(&["--yes", "--json"])).spawn().unwrap());
    }
    let mut runs = Vec::new();
    for one in both {
        let told = document(&bench.told(one.wait_with_output().await.unwrap()));
        assert_eq!(told["ok"], true, "{told}");
        runs.push(told["run"]["id"].clone());
    }
    assert_eq!(runs[0], runs[1]);
    assert_eq!(bench.counts().await, (1, 1));
    bench.machine.stop().await;
}

/// While recordings are sent, the first Ctrl-C begins no new one; the second does not even
/// wait for those under way. Nothing is lost by either.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_twice_ends_at_once_and_the_same_command_goes_on() {
    let bench = Bench::with(MachineOptions {
        batch_delay: Duration::from_secs(3),
        ..MachineOptions::default()
    })
    .await;
    let lines: Vec<Value> = (0..200)
        .map(|at| serde_json::json!({"transcription": format!("one two {at}")}))
        .collect();
    bench.set_of("long", 5_000, &lines);
    let run = ["run", "long", "-p", "gemini-2.5-pro", "--language", "en"];
    let run = [&run[..], &["--yes", "--detach", "--json"]].concat();
    for times in [1, 2] {
        let child = bench.command(&[&run[..], &["-j", "2"]].concat()).spawn();
        let child = child.unwrap();
        let pid = child.id().unwrap().to_string();
        let file = |name: &str| {
            let state = std::fs::read_dir(bench.home.path().join(".local/state/stt-eval"));
            let folder = state.ok()?.flatten().next()?.path();
            std::fs::read_to_string(folder.join(name)).ok()
        };
        let sent = || file("uploads.jsonl").map_or(0, |lines| lines.lines().count());
        let before = sent();
        let more = async || (sent() > before).then_some(());
        bench.machine.wait("an upload is kept", more).await;
        let begun = std::time::Instant::now();
        for _ in 0..times {
            interrupt(&pid).await;
        }
        let stopped = bench.told(child.wait_with_output().await.unwrap());
        let words = text(&stopped.stderr);
        assert_eq!(code(&stopped), 130, "{words}");
        let error = document(&stopped)["error"].clone();
        assert_eq!(error["code"], "interrupted");
        assert_eq!(error["hint"], "the same command goes on");
        // 5 s are the most that uploads are waited for, on a machine that has time.
        assert!(begun.elapsed() < Duration::from_secs(15), "{words}");
        assert!(sent() < lines.len(), "{words}");
        assert_eq!(bench.counts().await, (0, 0));
    }
    let done = document(&bench.run(&run).await);
    assert_eq!(done["run"]["total"], lines.len(), "{done}");
    assert_eq!(bench.counts().await, (1, 1));

    bench.machine.stop().await;
}
