//! What the deployment would refuse is told before anything is sent.

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
