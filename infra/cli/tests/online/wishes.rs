//! What is shown on the way, which utterances are taken, and machines without room.

use std::collections::BTreeSet;

use serde_json::Value;
use stt_eval_tests::audio::wav;
use stt_eval_wire::paths;

use super::{Bench, code, document, text, with};

/// Every line of standard error is an event.
fn events(stderr: &[u8]) -> Vec<Value> {
    let lines = text(stderr);
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    lines.lines().map(read).collect()
}

fn of<'a>(all: &'a [Value], event: &str) -> &'a Value {
    let found = all.iter().find(|one| one["event"] == event);
    found.unwrap_or_else(|| panic!("{event}: {all:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn wishes_of_a_run_are_kept_and_without_room_nothing_is_half_done() {
    let bench = Bench::new().await;
    as_wished(&bench).await;
    unknown_to_a_stand_in(&bench).await;
    without_room(&bench).await;
    bench.machine.stop().await;
}

async fn as_wished(bench: &Bench) {
    let runs = paths::runs();
    let told = bench
        .run(&with(&["--yes", "--events", "-v", "--name", "x"]))
        .await;
    assert_eq!(code(&told), 0, "{}", text(&told.stderr));
    assert!(text(&told.stdout).contains("gemini-2.5-flash"));
    let all = events(&told.stderr);
    assert_eq!(of(&all, "source")["summary"]["usable"], 4);
    assert_eq!(of(&all, "estimate")["samples"], 4);
    assert_eq!(of(&all, "upload")["of_files"], 4);
    assert_eq!(of(&all, "progress")["of"], 8);
    let dataset = of(&all, "dataset")["dataset"].as_str().unwrap().to_owned();
    let request = all
        .iter()
        .find(|one| one["method"] == "POST" && one["path"] == runs);
    assert_eq!(request.unwrap()["status"], 202, "{all:?}");
    assert!(!all.iter().any(|one| one.to_string().contains("X-Amz")));
    // What the run warns of names its model, once.
    let capped = ["--yes", "--new", "--name", "y", "--max-cost", "1"];
    let capped = bench.run(&with(&capped)).await;
    let words = text(&capped.stderr);
    assert_eq!(code(&capped), 0, "{words}");
    let noted = "note: gemini-2.5-flash: what is under way when --max-cost";
    let mut lines = words.lines();
    let line = lines.find(|line| line.starts_with(noted)).unwrap();
    // Money is written in one way.
    assert!(
        line.contains("by $0.") && line.ends_with(" at most"),
        "{line}"
    );
    let wrong = bench.run(&["run", "--events", "--limit", "x"]).await;
    assert_eq!(of(&events(&wrong.stderr), "error")["code"], "usage");
    let words = bench.run(&["runs", "-v"]).await;
    assert!(
        text(&words.stderr).starts_with(&format!("GET {runs}  200  ")),
        "{}",
        text(&words.stderr)
    );
    let silent = bench
        .run(&with(&["--name", "x", "--progress", "none"]))
        .await;
    assert!(
        !text(&silent.stderr).contains("done,"),
        "{}",
        text(&silent.stderr)
    );

    // A sample is the same for the same number, and its dataset's name tells its content.
    let mut names = BTreeSet::new();
    for (at, seed) in ["1", "2", "3", "1"].into_iter().enumerate() {
        let told = bench
            .run(&with(&[
                "--yes",
                "--detach",
                "--events",
                "--limit",
                "2",
                "--sample-seed",
                seed,
            ]))
            .await;
        assert_eq!(code(&told), 0, "{}", text(&told.stderr));
        let all = events(&told.stderr);
        // Two of four clips: two numbers may well choose the same ones.
        let before = all.iter().any(|one| one["event"] == "made_before");
        assert!(at < 3 || before, "{all:?}");
        if before {
            continue;
        }
        names.insert(of(&all, "dataset")["name"].to_string());
    }
    assert!(names.len() > 1, "{names:?}");

    // A name that is taken.
    let other = with(&["--yes", "--detach", "--name", "x", "--limit", "3"]);
    let taken = bench.run(&other).await;
    assert_eq!(code(&taken), 1, "{}", text(&taken.stderr));
    let words = text(&taken.stderr);
    assert!(
        words.contains("error: dataset “x” exists with other content\n"),
        "{words}"
    );
    assert!(words.contains("--reuse"), "{words}");
    // That is known before anything is sent.
    let files = async || bench.json(&["files", "--limit", "100"]).await["files"].clone();
    let before = files().await;
    let new = bench.home.path().join("new.d");
    std::fs::create_dir(&new).unwrap();
    std::fs::write(new.join("new.wav"), wav(77, 0.3)).unwrap();
    let new_content = "run new.d -p gemini-2.5-pro --language en --yes --name x";
    let new_content: Vec<&str> = new_content.split(' ').collect();
    for _ in 0..2 {
        let taken = bench.run(&new_content).await;
        let words = text(&taken.stderr);
        assert_eq!(code(&taken), 1, "{words}");
        let told = "error: dataset “x” exists with other content\n";
        assert!(
            words.contains(told) && !words.contains("Uploading"),
            "{words}"
        );
    }
    assert_eq!(files().await, before);
    std::fs::remove_dir_all(new).unwrap();
    // A summary takes no gate.
    let summed = with(&["--name", "x", "--summary", "sum.md"]);
    let summed = bench.run(&summed).await;
    assert_eq!(code(&summed), 0, "{}", text(&summed.stderr));
    let summary = bench.home.path().join("sum.md");
    let told = std::fs::read_to_string(&summary).unwrap();
    assert!(told.contains("| gemini-2.5-flash | 25.0"), "{told}");
    std::fs::remove_file(summary).unwrap();
    let reused = [&other[..], &["--reuse", "--json"]].concat();
    let reused = document(&bench.run(&reused).await);
    assert_eq!(reused["run"]["dataset_id"], dataset.as_str());
    assert_eq!(reused["run"]["total"], 8);
}

/// A stand-in says of a recording it was not told of what Gemini says of one that is gone.
async fn unknown_to_a_stand_in(bench: &Bench) {
    let own = bench.home.path().join("own.d");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("own.wav"), wav(99, 0.2)).unwrap();
    std::fs::write(own.join("own.txt"), "one two\n").unwrap();
    let told = bench
        .run(&[
            "run",
            "own.d",
            "-p",
            "gemini-2.5-pro",
            "--language",
            "en",
            "--yes",
        ])
        .await;
    assert_eq!(code(&told), 1, "{}", text(&told.stderr));
    assert!(
        text(&told.stderr).contains("--demo SOURCE"),
        "{}",
        text(&told.stderr)
    );
    // Advice is what can be typed here.
    assert!(
        text(&told.stdout).contains("stt-eval retry run_"),
        "{}",
        text(&told.stdout)
    );
    assert!(
        !text(&told.stdout).contains("POST /"),
        "{}",
        text(&told.stdout)
    );
    std::fs::remove_dir_all(own).unwrap();
}

/// A limit of the size of files stands for a disk that is full.
async fn without_room(bench: &Bench) {
    let full = async |arguments: &[&str]| {
        let mut command = bench.within("trap '' XFSZ && ulimit -f 0");
        bench.told(command.args(arguments).output().await.unwrap())
    };
    let before = bench.counts().await;
    // The journal is looked at before anything is sent.
    let told = full(&with(&["--yes", "--json"])).await;
    assert_eq!(code(&told), 1, "{}", text(&told.stderr));
    let error = document(&told)["error"].clone();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(".local/state/stt-eval/"), "{message}");
    assert!(
        message.contains("the journal can't be written: "),
        "{message}"
    );
    assert!(
        error["hint"].as_str().unwrap().contains("XDG_STATE_HOME"),
        "{error}"
    );
    let mut nowhere = bench.command(&with(&["--yes"]));
    nowhere.env("XDG_STATE_HOME", "/proc");
    let nowhere = nowhere.output().await.unwrap();
    assert_eq!(code(&nowhere), 1, "{}", text(&nowhere.stderr));
    assert!(
        text(&nowhere.stderr).contains("/proc/stt-eval/"),
        "{}",
        text(&nowhere.stderr)
    );
    assert_eq!(bench.counts().await, before);

    let key = bench.home.path().join("key");
    std::fs::write(&key, bench.key()).unwrap();
    let url = bench.machine.node.url.clone();
    let told = full(&["login", &url, "--key-file", key.to_str().unwrap()]).await;
    assert_eq!(code(&told), 1, "{}", text(&told.stderr));
    let config = bench.config("");
    let left = std::fs::read_dir(&config).map_or(0, Iterator::count);
    assert_eq!(left, 0, "{}", text(&told.stderr));
    std::fs::remove_dir_all(bench.home.path().join(".config")).unwrap();
    std::fs::remove_file(key).unwrap();

    let run = bench.json(&with(&["--yes"])).await;
    let id = run["run"]["id"].as_str().unwrap();
    let told = full(&["export", id, "--format", "csv", "-o", "t.csv"]).await;
    assert_eq!(code(&told), 1, "{}", text(&told.stderr));
    assert!(
        text(&told.stderr).contains("t.csv: "),
        "{}",
        text(&told.stderr)
    );
    let left = std::fs::read_dir(bench.home.path()).unwrap().flatten();
    let left: Vec<_> = left
        .map(|one| one.file_name())
        .filter(|name| name != "set")
        .collect();
    assert!(left.iter().all(|name| name == ".local"), "{left:?}");
}
