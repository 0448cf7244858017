//! From a folder to a verdict, what can be looked at then, and what is asked before.

use serde_json::Value;

use super::{Bench, RUN, code, document, exports, text, with};

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_becomes_a_verdict_and_the_same_command_makes_nothing_new() {
    let bench = Bench::new().await;
    let exports = ["--yes", "--export", "nemo", "--export", "csv:table.csv"];
    let first = bench.json(&with(&exports)).await;
    assert_eq!(first["run"]["status"], "completed");
    let table = std::fs::read(bench.home.path().join("table.csv")).unwrap();
    assert_eq!(first["exports"][1]["output"], "table.csv");
    assert_eq!(first["exports"][1]["bytes"], table.len());
    let nemo = first["exports"][0]["output"].as_str().unwrap();
    assert!(nemo.ends_with(".nemo.json"), "{nemo}");
    assert!(bench.home.path().join(nemo).exists());
    let models = first["models"].as_array().unwrap();
    assert_eq!(models[0]["model"], "gemini-2.5-pro", "{first}");
    assert_eq!(models[0]["wer"], 0.0);
    assert_eq!(models[1]["wer"], 0.25);
    assert_eq!(models[1]["words"]["deletions"], 4);
    assert_eq!(first["comparisons"].as_array().unwrap().len(), 1);

    // No agreement is needed for what is there already.
    let again = bench.run(&RUN).await;
    assert_eq!(code(&again), 0, "{}", text(&again.stderr));
    assert!(
        text(&again.stdout).contains("gemini-2.5-pro"),
        "{}",
        text(&again.stdout)
    );
    // How long it took and what it cost stand first.
    let told = text(&again.stdout);
    let line = told.lines().next().unwrap();
    let is_told = line.starts_with("Finished in ") && line.contains(" s, ") && line.contains('$');
    assert!(is_told, "{told}");
    assert!(!text(&again.stdout).contains('\u{1b}'));
    assert!(!text(&again.stderr).contains('\u{1b}'));
    assert_eq!(bench.counts().await, (1, 1));

    // The gate counts by the same rules.
    let passed = bench
        .json(&with(&[
            "--fail-if",
            "wer>0.5",
            "--fail-if",
            "cost_usd>100",
        ]))
        .await;
    assert_eq!(passed["gates"].as_array().unwrap().len(), 6, "{passed}");
    assert_eq!(passed["gates"][1]["value"], 0.25);
    let failed = bench
        .run(&with(&["--fail-if", "wer>0.1 model=gemini-2.5-flash"]))
        .await;
    assert_eq!(code(&failed), 100, "{}", text(&failed.stdout));
    let id = first["run"]["id"].as_str().unwrap();
    let first_told = first.clone();
    let same = [
        "--fail-if",
        "regression>0.01",
        "--baseline",
        id,
        "--allow-weak",
    ];
    let same = bench.json(&with(&same)).await;
    assert_eq!(same["gates"][0]["value"], 0.0, "{same}");

    // What can't be saved is told at once.
    #[cfg(unix)]
    let _socket = std::os::unix::net::UnixListener::bind(bench.home.path().join("socket")).unwrap();
    #[cfg(not(unix))]
    std::fs::create_dir(bench.home.path().join("socket")).unwrap();
    let long = format!("csv:{}", "long".repeat(70));
    for (wrong, wanted) in [
        ("docx", 2),
        ("csv:", 2),
        ("csv:-", 2),
        ("csv:no/such/t.csv", 2),
        ("csv:set", 2),
        ("csv:socket", 2),
        (&long, 1),
        // Nobody can make a file there.
        #[cfg(target_os = "linux")]
        ("csv:/proc/t.csv", 1),
    ] {
        let wrong = bench.run(&with(&["--export", wrong])).await;
        assert_eq!(code(&wrong), wanted, "{}", text(&wrong.stderr));
        assert!(wrong.stdout.is_empty());
    }

    // What is there can be looked at.
    let status = bench.json(&["status", "latest"]).await;
    assert_eq!(status["run"]["id"], id);
    exports::name_their_run(&bench, &first["run"]).await;
    let by_name = bench.json(&["status", "set "]).await;
    assert_eq!(by_name["run"]["id"], id);
    let results = bench
        .json(&["results", id, "--worst", "-p", "gemini-2.5-flash"])
        .await;
    assert_eq!(results["results"].as_array().unwrap().len(), 4);
    let diff = bench.json(&["diff", id, "latest"]).await;
    assert_eq!(diff["models"][1]["figures"]["difference"], 0.0, "{diff}");
    let diff = bench.run(&["diff", id, id, "--block-by", "speaker"]).await;
    let words = text(&diff.stdout);
    assert!(
        words.contains("can't be told apart in the two runs, in blocks by speaker"),
        "{words}"
    );
    let diff = bench.run(&["diff", id, id, "--normalizer", "raw-v1"]).await;
    assert_eq!(code(&diff), 101, "{}", text(&diff.stderr));
    assert!(
        text(&diff.stdout).contains(&format!(
            "was not scored with raw-v1; stt-eval rescore {id} --normalizer raw-v1 does that"
        )),
        "{}",
        text(&diff.stdout)
    );
    let report = bench.json(&["report", id, "--html", "report.html"]).await;
    assert_eq!(report["models"][1]["wer"], 0.25);
    // One verdict of one run, whichever command tells it.
    assert_eq!(report["report"]["block_by"], "speaker");
    for part in ["models", "comparisons", "references", "scorer"] {
        assert_eq!(report[part], first_told[part], "{part}");
    }
    std::fs::write(bench.home.path().join("told.json"), report.to_string()).unwrap();
    let gate = [
        "--fail-if",
        "regression>0",
        "--baseline",
        "told.json",
        "--allow-weak",
    ];
    let gate = bench.json(&with(&gate)).await;
    assert_eq!(gate["gates"][0]["value"], 0.0, "{gate}");
    let gate = bench
        .json(&with(&["--fail-if", "wer.high>0.9", "--allow-weak"]))
        .await;
    let ends = &gate["models"][1]["wer_interval"];
    assert_eq!(
        (&gate["gates"][1]["low"], &gate["gates"][1]["high"]),
        (&ends["low"], &ends["high"])
    );
    let page = std::fs::read_to_string(bench.home.path().join("report.html")).unwrap();
    assert!(page.contains("gemini-2.5-flash"));
    let saved = bench.json(&["export", id, "--format", "csv"]).await;
    let name = format!("{id}.csv");
    assert_eq!(saved["output"], name.as_str());
    let table = std::fs::read(bench.home.path().join(&name)).unwrap();
    assert_eq!(saved["bytes"], table.len());
    assert!(text(&table).contains("one two three four,one two three four,two three four,"));
    let lines = bench
        .run(&["export", "latest", "--format", "jsonl", "-o", "-"])
        .await;
    let first: Value = serde_json::from_str(text(&lines.stdout).lines().next().unwrap()).unwrap();
    assert_eq!(first["speaker"], "s1");
    let nowhere = [
        "export",
        id,
        "--format",
        "html",
        "--output",
        "no/such/folder",
    ];
    let nowhere = bench.run(&nowhere).await;
    assert_eq!(code(&nowhere), 2);
    assert_eq!(
        text(&nowhere.stderr),
        "error: --output: there is no folder no/such\n"
    );
    let page = ["export", id, "--format", "html", "--output", "export.html"];
    bench.json(&page).await;
    let page = std::fs::read(bench.home.path().join("export.html")).unwrap();
    let report = std::fs::read(bench.home.path().join("report.html")).unwrap();
    assert_eq!(page, report);
    let none = bench.run(&["results", id, "--status", "failed"]).await;
    assert_eq!((code(&none), text(&none.stdout)), (0, String::new()));
    assert_eq!(text(&none.stderr), "note: no result is like that: failed\n");
    for (wrong, told) in [
        (
            ["results", id, "--status", "bogus"],
            "[possible values: pending, completed, failed]",
        ),
        (
            ["results", id, "-p", "nosuch"],
            "there are gemini-2.5-pro, gemini-2.5-flash",
        ),
    ] {
        let wrong = bench.run(&wrong).await;
        assert_eq!(code(&wrong), 2, "{}", text(&wrong.stderr));
        assert!(
            text(&wrong.stderr).contains(told),
            "{}",
            text(&wrong.stderr)
        );
    }
    exports::are_read_back(&bench, id).await;
    for list in ["models", "languages", "datasets", "files", "runs"] {
        assert!(
            !bench.json(&[list]).await[list]
                .as_array()
                .unwrap()
                .is_empty(),
            "{list}"
        );
        assert_eq!(code(&bench.run(&[list]).await), 0, "{list}");
    }
    let providers = bench.json(&["credentials", "list"]).await;
    assert!(!providers["providers"].as_array().unwrap().is_empty());
    let made = bench.json(&["keys", "new", "ci", "--role", "viewer"]).await;
    let key = made["key"]["key"].as_str().unwrap();
    let mut weak = bench.command(&["whoami", "--json"]);
    weak.env("STT_EVAL_API_KEY", key);
    let weak = document(&weak.output().await.unwrap());
    assert_eq!(
        (&weak["key_name"], &weak["role"]),
        (&"ci".into(), &"viewer".into())
    );
    let mut weak = bench.command(&["cancel", id, "--json"]);
    weak.env("STT_EVAL_API_KEY", key);
    let weak = weak.output().await.unwrap();
    assert_eq!(code(&weak), 4, "{}", text(&weak.stdout));
    let revoked = made["key"]["id"].as_str().unwrap();
    bench.json(&["keys", "revoke", revoked]).await;
    let rescored = bench.json(&["rescore", id, "--normalizer", "raw-v1"]).await;
    assert_eq!(rescored["run"]["id"], id);
    let begun = std::time::Instant::now();
    while bench.json(&["report", id]).await["normalizer"] != "raw-v1" {
        assert!(begun.elapsed() < stt_eval_tests::machine::PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    // The same command tells that, and the usual normaliser makes no other run.
    for more in [&[][..], &["--normalizer", "indic-v1"]] {
        let told = bench.run(&with(more)).await;
        let words = text(&told.stderr);
        let note = "note: the run was scored again, with raw-v1, which report and export tell";
        assert!(code(&told) == 0 && words.contains(note), "{words}");
    }
    assert_eq!(bench.counts().await, (1, 1));

    // A new one only if it is asked for; the dataset stays.
    let new = bench.json(&with(&["--yes", "--new"])).await;
    assert_ne!(new["run"]["id"], id);
    assert_eq!(bench.counts().await, (2, 1));

    // The deployment knows what was uploaded, without a journal and in another folder;
    // a recording that is there twice is two files.
    std::fs::remove_dir_all(bench.home.path().join(".local")).unwrap();
    let set = bench.home.path().join("set");
    std::fs::copy(set.join("1.wav"), set.join("5.wav")).unwrap();
    let table = std::fs::read_to_string(set.join("metadata.csv")).unwrap();
    let table = format!("{table}5.wav,one two three four,s5\n");
    std::fs::write(set.join("metadata.csv"), table).unwrap();
    let other = bench
        .run(&with(&["--yes", "--detach", "--name", "other"]))
        .await;
    let lines = text(&other.stderr);
    let lines: Vec<&str> = lines
        .lines()
        .filter(|line| line.starts_with("Uploading "))
        .collect();
    // What is known is never told as what is still to be sent.
    assert!(
        lines.iter().all(|line| line.contains("/1 files  ")),
        "{lines:?}"
    );
    let last = lines.last().unwrap();
    assert!(
        last.starts_with("Uploading  1/1 files  ") && last.ends_with("(4 known from before)"),
        "{lines:?}"
    );
    assert_eq!(bench.counts().await, (3, 2));
    std::fs::remove_dir_all(bench.home.path().join(".local")).unwrap();
    let all = bench
        .run(&with(&["--yes", "--detach", "--name", "third"]))
        .await;
    let wanted = "Uploading  nothing: 5 files are known from before";
    let lines = text(&all.stderr);
    assert_eq!(
        lines.lines().filter(|line| *line == wanted).count(),
        1,
        "{lines}"
    );
    assert_eq!(bench.counts().await, (4, 3));
    let files = bench.json(&["files"]).await;
    assert_eq!(files["files"].as_array().unwrap().len(), 5);
    bench.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_before_it_was_agreed_to_and_can_be_used() {
    let bench = Bench::new().await;
    let silent = bench.run(&with(&["--json"])).await;
    assert_eq!(code(&silent), 2);
    assert!(
        document(&silent)["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("--yes")
    );
    let unknown = bench
        .run(&["run", "set", "-p", "no-such", "--language", "en", "--yes"])
        .await;
    assert_eq!(code(&unknown), 2, "{}", text(&unknown.stderr));
    std::fs::write(bench.home.path().join("set/4.wav"), b"no audio").unwrap();
    let broken = bench.run(&with(&["--json", "--yes"])).await;
    assert_eq!(code(&broken), 3);
    assert_eq!(
        bench.json(&["files"]).await["files"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    assert_eq!(bench.counts().await, (0, 0));

    let left = bench
        .json(&with(&["--yes", "--skip-broken", "--detach"]))
        .await;
    assert_eq!(left["run"]["total"], 6);
    let late = bench
        .run(&with(&["--skip-broken", "--timeout", "90s"]))
        .await;
    assert_eq!(code(&late), 0, "{}", text(&late.stderr));
    assert_eq!(bench.counts().await, (1, 1));
    bench.machine.stop().await;
}
