//! What the deployment would refuse is told before anything is sent.

use serde_json::{Value, json};

use super::{Bench, code, document, text, with};

/// Nothing was uploaded and nothing made.
async fn is_untouched(bench: &Bench) {
    let files = bench.json(&["files"]).await;
    assert_eq!(files["files"].as_array().unwrap().len(), 0);
    assert_eq!(bench.counts().await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn languages_are_judged_before_anything_is_sent() {
    let bench = Bench::new().await;
    let run = ["run", "set", "-p", "gemini-2.5-flash", "--yes", "--json"];
    let asked = async |more: &[&str]| {
        let all: Vec<&str> = run.iter().chain(more).copied().collect();
        let told = bench.run(&all).await;
        let error = document(&told)["error"].clone();
        let message = error["message"].as_str().unwrap().to_owned();
        (code(&told), message, error)
    };
    let (exit, message, _) = asked(&["--language", "xx"]).await;
    assert_eq!(exit, 2, "{message}");
    assert_eq!(
        message,
        "--language: the deployment knows no language \"xx\""
    );

    // A model that can't be asked for it, once, with those that can.
    let (exit, message, error) = asked(&["-p", "deepgram/nova-3", "--language", "brx"]).await;
    assert_eq!(exit, 2, "{message}");
    assert_eq!(
        message,
        "deepgram/nova-3 can't transcribe Bodo (brx), the dataset's language: metadata.csv line \
         2 (4 utterances)"
    );
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.starts_with("such as gemini-"), "{hint}");

    // A column of the source: its file and line, and one sentence for all of its rows.
    let table = bench.home.path().join("set/metadata.csv");
    let lines = std::fs::read_to_string(&table).unwrap();
    let mut with_language = String::new();
    for (at, line) in lines.lines().enumerate() {
        let language = ["language", "en", "xx", "xx", "yy"][at];
        with_language += &format!("{line},{language}\n");
    }
    std::fs::write(&table, with_language).unwrap();
    let (exit, message, error) = asked(&[]).await;
    assert_eq!(exit, 3, "{message}");
    assert_eq!(
        message,
        "metadata.csv line 3 (2 utterances): the deployment knows no language \"xx\"; 1 more is \
         not known either"
    );
    assert_eq!(error["rows"].as_array().unwrap().len(), 0);
    is_untouched(&bench).await;
    std::fs::write(&table, lines).unwrap();

    // Once it is there, its run is told in one line.
    bench.json(&with(&["--yes"])).await;
    let again = bench.run(&with(&["--yes"])).await;
    let lines: Vec<String> = text(&again.stderr)
        .lines()
        .filter(|line| line.starts_with("Run "))
        .map(str::to_owned)
        .collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("/runs/run_") && lines[0].ends_with("(made before)"));
    // The same models in another order are the same run.
    let swapped = [
        "run",
        "set",
        "-p",
        "gemini-2.5-flash",
        "-p",
        "gemini-2.5-pro",
        "--language",
        "en",
    ];
    let swapped = bench.run(&swapped).await;
    assert_eq!(code(&swapped), 0, "{}", text(&swapped.stderr));
    assert_eq!(bench.counts().await, (1, 1));
    bench.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_is_asked_is_judged_before_anything_is_sent() {
    let bench = Bench::new().await;
    std::fs::write(bench.home.path().join("bl.json"), "{}").unwrap();
    let regression = ["--fail-if", "regression>0.01", "--baseline"];
    for (more, told) in [
        (
            vec!["--normalizer", "bogus"],
            "there is no normaliser \"bogus\"",
        ),
        (
            vec!["--fail-if", "wer>0.01 model=nope"],
            "condition \"wer>0.01 model=nope\": no -p nope is asked",
        ),
        (
            [&regression[..], &["run_nope"]].concat(),
            "--baseline: no run has the id or name \"run_nope\"",
        ),
        (
            [&regression[..], &["bl.json"]].concat(),
            "--baseline: the source and bl.json share no ids (the source: 1 …, 4 ids; bl.json: bl …, 1 id)",
        ),
    ] {
        let all = [&["--yes", "--json"][..], &more].concat();
        let refused = bench.run(&with(&all)).await;
        let error = &document(&refused)["error"];
        assert_eq!(code(&refused), 2, "{error}");
        assert_eq!(error["message"], told);
    }
    is_untouched(&bench).await;

    // What can't be used has rows, with file and line.
    std::fs::write(bench.home.path().join("set/3.wav"), b"no audio").unwrap();
    let broken = bench.run(&with(&["--yes", "--json"])).await;
    let rows = &document(&broken)["error"]["rows"];
    assert_eq!(
        (code(&broken), &rows[0]["field"]),
        (3, &"metadata.csv line 4 (3)".into()),
        "{rows}"
    );
    is_untouched(&bench).await;

    // More than it may cost is refused, and what is told would be enough.
    let capped = async |cap: &str| {
        let more = ["--yes", "--json", "--skip-broken", "--max-cost", cap];
        bench.run(&with(&more)).await
    };
    let refused = capped("0.000001").await;
    let error = document(&refused)["error"].clone();
    assert_eq!(
        (code(&refused), &error["code"]),
        (2, &"above_max_cost".into())
    );
    is_untouched(&bench).await;

    // Another model is no baseline, unless it is named.
    let first = bench
        .json(&[
            "run",
            "set",
            "-p",
            "gemini-2.5-pro",
            "--language",
            "en",
            "--yes",
            "--skip-broken",
        ])
        .await;
    let id = first["run"]["id"].as_str().unwrap();
    let gate = [
        "run",
        "set",
        "-p",
        "gemini-2.5-flash",
        "--language",
        "en",
        "--yes",
        "--skip-broken",
        "--allow-weak",
        "--fail-if",
        "regression>0.9",
        "--baseline",
        id,
    ];
    std::fs::write(bench.home.path().join("first.json"), first.to_string()).unwrap();
    bench.set_of("other", 50, &[serde_json::json!({"transcription": "a b"})]);
    let counts = bench.counts().await;
    let is_refused = async |more: &[&str], told: &str| {
        let refused = bench.run(&[&gate[..], more].concat()).await;
        let words = text(&refused.stderr);
        assert_eq!(code(&refused), 2, "{words}");
        assert!(words.contains(&format!("error: {told}")), "{words}");
        assert_eq!(bench.counts().await, counts);
    };
    let unknown = format!("--baseline: {id} has no system gemini-2.5-flash\nhint: ");
    is_refused(&[], &unknown).await;
    let unknown = format!("--baseline-model: {id} has no system nope\nhint: it has gemini-2.5-pro");
    is_refused(&["--baseline-model", "nope"], &unknown).await;
    let mut saved = gate.to_vec();
    saved[gate.len() - 1] = "first.json";
    saved.extend(["--baseline-model", "nope"]);
    let saved = bench.run(&saved).await;
    let words = text(&saved.stderr);
    let unknown = "error: --baseline-model: first.json has no system nope\n";
    assert!(code(&saved) == 2 && words.contains(unknown), "{words}");
    let mut elsewhere = gate.to_vec();
    elsewhere[1] = "other";
    elsewhere.extend(["--baseline-model", "gemini-2.5-pro"]);
    let elsewhere = bench.run(&elsewhere).await;
    let words = text(&elsewhere.stderr);
    let other = format!("error: --baseline: {id} is over another dataset\n");
    assert!(code(&elsewhere) == 2 && words.contains(&other), "{words}");
    assert_eq!(bench.counts().await, counts);
    let named = [&gate[..], &["--baseline-model", "gemini-2.5-pro"]].concat();
    let named = bench.run(&named).await;
    assert_eq!(code(&named), 0, "{}", text(&named.stdout));
    let wanted = format!("against 0.0 % of {id} (gemini-2.5-pro) (+25.0 points");
    assert!(
        text(&named.stdout).contains(&wanted),
        "{}",
        text(&named.stdout)
    );
    // A dataset that is run as it is has the same intervals, and a single field is told once.
    let plain = bench.json(&gate[..gate.len() - 5]).await;
    let name = plain["run"]["name"].as_str().unwrap();
    let reused = [
        &gate[..gate.len() - 5],
        &["--name", name, "--reuse", "--new"],
    ]
    .concat();
    let reused = bench.json(&reused).await;
    assert_ne!(plain["run"]["id"], reused["run"]["id"]);
    assert_eq!(
        plain["models"][0]["wer_interval"],
        reused["models"][0]["wer_interval"]
    );
    let told = bench.run(&["runs", "--dataset", "nope"]).await;
    let words = text(&told.stderr);
    assert_eq!((code(&told), words.lines().count()), (1, 1), "{words}");
    let diff = bench.json(&["diff", id, id]).await;
    assert_eq!(
        (
            &diff["models"][0]["model"],
            &diff["models"][0]["difference"]
        ),
        (&"gemini-2.5-pro".into(), &0.0.into())
    );
    assert_eq!(
        (&diff["run"]["id"], &diff["run"]["name"]),
        (&id.into(), &first["run"]["name"])
    );
    bench.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_estimated_as_the_deployment_does_and_not_begun_above_what_it_may_cost() {
    let bench = Bench::new().await;
    let run =
        |more: &[&'static str]| with(&[&["--yes", "--events", "--detach"][..], more].concat());
    let estimate = |stderr: &[u8]| -> f64 {
        let lines = text(stderr);
        let events = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut events = events.filter(|event| event["event"] == "estimate");
        events.next().unwrap()["cost_usd"].as_f64().unwrap()
    };
    let models = ["gemini-2.5-pro", "gemini-2.5-flash", "deepgram/nova-3"];
    let client = bench.machine.client("demo");
    for (name, prompt) in [("usual", None), ("own", Some("Write {language}."))] {
        let mut all = run(&["--name", name]);
        all.extend(prompt.into_iter().flat_map(|prompt| ["--prompt", prompt]));
        let begun = bench.run(&all).await;
        assert_eq!(code(&begun), 0, "{}", text(&begun.stderr));
        let datasets = bench.json(&["datasets"]).await;
        let datasets = datasets["datasets"].as_array().unwrap().clone();
        let dataset = datasets.iter().find(|one| one["name"] == name).unwrap();
        let body = json!({
            "run_name": "x", "dataset_id": dataset["id"], "providers": models[..2],
            "config": {"prompt": prompt},
        });
        let told = client.post("/runs/estimate", &body).await;
        let theirs = told.data(200)["cost_usd"].as_f64().unwrap();
        let ours = estimate(&begun.stderr);
        // Half a second of audio costs less than what it is asked with.
        let most = if prompt.is_some() { 1.7 } else { 1.1 };
        assert!(
            ours >= theirs && ours <= theirs * most,
            "{name}: {ours} {theirs}"
        );
    }

    // What the deployment estimates is enough, and a little less is not.
    let datasets = bench.json(&["datasets"]).await;
    let dataset = &datasets["datasets"][0]["id"];
    let body = json!({"run_name": "x", "dataset_id": dataset, "providers": models[..2]});
    let told = client.post("/runs/estimate", &body).await;
    let theirs = told.data(200)["cost_usd"].as_f64().unwrap();
    let capped = async |cap: f64| {
        let cap = format!("{cap:.6}");
        let more = [
            "--yes",
            "--json",
            "--detach",
            "--new",
            "--name",
            "usual",
            "--max-cost",
            &cap,
        ];
        bench.run(&with(&more)).await
    };
    // One that goes on is no new one: the one before is at its end.
    let ended = bench.run(&with(&["--yes", "--name", "usual"])).await;
    assert_eq!(code(&ended), 0, "{}", text(&ended.stderr));
    let before = bench.counts().await;
    let refused = capped(theirs - 0.000_001).await;
    let error = document(&refused)["error"].clone();
    assert_eq!(
        (code(&refused), &error["code"]),
        (2, &"above_max_cost".into())
    );
    let message = error["message"].as_str().unwrap();
    let wanted = format!("the estimate of the deployment, ${theirs}, is above --max-cost");
    assert!(message.starts_with(&wanted), "{message}");
    assert_eq!(bench.counts().await, before);
    let begun = capped(theirs).await;
    assert_eq!(code(&begun), 0, "{}", text(&begun.stderr));
    bench.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wishes_that_no_deployment_grants_are_told_before_anything_is_made() {
    let bench = Bench::new().await;
    let run = ["run", "set", "--language", "en", "--yes", "--json"];
    let (long, prompt) = ("x".repeat(300), "x".repeat(8_001));
    let many: Vec<String> = (0..17).map(|at| format!("m{at}")).collect();
    let many: Vec<&str> = many.iter().flat_map(|one| ["-p", one]).collect();
    let pro = ["-p", "gemini-2.5-pro"];
    for (models, more, told) in [
        (
            &pro[..],
            &["--name", &long][..],
            "--name: must have 1 to 255 characters, has 300",
        ),
        (
            &pro,
            &["--name", " "],
            "--name: must not be empty (1 to 255 characters)",
        ),
        (
            &pro,
            &["--name", "a\u{7}b"],
            "--name: must not contain control or bidirectional characters (found U+0007)",
        ),
        (
            &["-p", "deepgram/nova-3"],
            &["--limit", "3", "--prompt", "x"],
            "--prompt: no model of the run takes a prompt: deepgram/nova-3",
        ),
        (
            &pro,
            &["--prompt", " "],
            "--prompt: must not be empty; leave it out for the usual one",
        ),
        (
            &pro,
            &["--prompt", &prompt],
            "--prompt: must have at most 8000 characters, has 8001",
        ),
        (&pro, &["--keyword", " "], "--keyword: must not be empty"),
        (
            &pro,
            &["--keyword", "a", "--keyword", "a"],
            "--keyword: “a” is there twice",
        ),
        (&many, &[], "17 models; a run has at most 16"),
    ] {
        let refused = bench.run(&[&run[..], models, more].concat()).await;
        let error = &document(&refused)["error"];
        assert_eq!((code(&refused), &error["message"]), (2, &told.into()));
        if let Some((field, message)) = told.split_once(": ") {
            assert_eq!(error["rows"], json!([{"field": field, "message": message}]));
        }
        let words = text(&refused.stderr);
        assert!(!words.contains("Estimate"), "{words}");
    }
    let most = bench
        .run(&[&run[..], &pro, &["--max-cost", "1e7"]].concat())
        .await;
    assert_eq!(code(&most), 2, "{}", text(&most.stderr));
    // A reference that is not kept has its line.
    let folder = bench.home.path().join("set");
    let kept = std::fs::read_to_string(folder.join("metadata.csv")).unwrap();
    std::fs::remove_file(folder.join("metadata.csv")).unwrap();
    let (one, long) = (
        json!({"file_name": "1.wav", "text": "one"}),
        "word ".repeat(20_001),
    );
    let lines = format!("{one}\n{}\n", json!({"file_name": "2.wav", "text": long}));
    std::fs::write(folder.join("metadata.jsonl"), lines).unwrap();
    let refused = bench.run(&[&run[..], &pro].concat()).await;
    let error = &document(&refused)["error"];
    assert_eq!(
        (code(&refused), &error["code"]),
        (3, &"bad_row".into()),
        "{error}"
    );
    let told = error["message"].as_str().unwrap();
    let wanted =
        "metadata.jsonl line 2: the reference must have at most 100000 characters, has 1000";
    assert!(told.starts_with(wanted), "{told}");
    is_untouched(&bench).await;

    // What a name can't have and nobody has asked for is no reason to refuse: names of folders,
    // recordings and columns.
    std::fs::remove_file(folder.join("metadata.jsonl")).unwrap();
    let odd = bench.home.path().join("odd\u{202e}d");
    std::fs::rename(&folder, &odd).unwrap();
    std::fs::rename(odd.join("1.wav"), odd.join("1\u{7}.wav")).unwrap();
    let kept = kept.replace("1.wav,", "1\u{7}.wav,");
    std::fs::write(
        odd.join("metadata.csv"),
        kept.replace("speaker", "no\u{200b}te"),
    )
    .unwrap();
    let mut taken = run.to_vec();
    taken[1] = odd.to_str().unwrap();
    let done = bench.json(&[&taken[..5], &pro].concat()).await;
    assert_eq!(done["run"]["total"], 4, "{done}");
    let name = done["run"]["name"].as_str().unwrap();
    assert!(name.starts_with("odd_d "), "{name}");
    bench.machine.stop().await;
}
