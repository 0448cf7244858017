//! What a gate may judge, and what it says of it: baselines of the same kind, one interval of
//! one figure, floors, annotations, samples in the XML.

use serde_json::Value;

use super::gate::lines;
use super::{Set, code, command, document, text};

fn set() -> Set {
    Set::new(&[
        ("r.txt", lines(400, 500).replace('x', "a").as_bytes()),
        ("now.txt", lines(400, 2).as_bytes()),
        ("before.txt", lines(400, 10).as_bytes()),
        ("other-r.txt", "so\n".repeat(400).as_bytes()),
    ])
}

/// The first verdict of a score, and the exit code.
fn judged(set: &Set, arguments: &[&str]) -> (i32, Value) {
    let mut all = vec!["score", "--json", "r.txt", "now.txt"];
    all.extend(arguments);
    let told = set.run(&all);
    (code(&told), document(&told))
}

#[test]
fn a_saved_document_of_other_references_or_another_scorer_is_not_judged() {
    let set = set();
    let save = |references: &str, name: &str, more: &[&str]| {
        let mut all = vec!["score", references, "before.txt", "--json"];
        all.extend(more);
        let saved = set.run(&all).stdout;
        std::fs::write(set.path(name), &saved).unwrap();
        serde_json::from_slice::<Value>(&saved).unwrap()
    };
    let same = save("r.txt", "same.json", &[]);
    assert_eq!(same["scorer"], "1");
    assert!(same["references"].as_str().unwrap().starts_with("xxh3:"));
    save("other-r.txt", "other.json", &[]);
    save("r.txt", "hindi.json", &["--language", "hi"]);
    let changed = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut document = same.clone();
        change(&mut document);
        std::fs::write(set.path(name), document.to_string()).unwrap();
    };
    changed("newer.json", &|document| document["scorer"] = "2".into());
    changed("old.json", &|document| {
        document.as_object_mut().unwrap().remove("references");
    });
    for (file, exit, reason) in [
        (
            "same.json",
            0,
            "against 1.0 % of same.json (before) (+4.0 points",
        ),
        ("other.json", 101, "is of other references"),
        ("hindi.json", 101, "is of other references"),
        ("newer.json", 101, "version 2 of the scorer, this by 1"),
        ("old.json", 101, "save it again"),
    ] {
        let condition = ["--fail-if", "regression>0.05", "--baseline", file];
        let (code, told) = judged(&set, &condition);
        let message = told["gates"][0]["message"].as_str().unwrap();
        assert!(
            code == exit && message.contains(reason),
            "{file}: {message}"
        );
    }
    // What counts as not heard, or was in no figure, is not what both have.
    changed("without.json", &|document| {
        document["missing"] = serde_json::json!(["7", "9"]);
    });
    changed("failed.json", &|document| {
        document["systems"][0]["failed"] = 1.into();
    });
    for (file, reason) in [
        (
            "without.json",
            "2 samples of the baseline have no hypothesis, so what both have is not known: \
             name its hypotheses or its run instead",
        ),
        ("failed.json", "1 sample of the baseline has no hypothesis"),
    ] {
        let condition = ["--fail-if", "regression>0.05", "--baseline", file];
        let (code, told) = judged(&set, &condition);
        let message = told["gates"][0]["message"].as_str().unwrap();
        assert!(code == 101 && message.contains(reason), "{file}: {message}");
    }
    // A difference has one sign, of one kind.
    std::fs::copy(set.path("now.txt"), set.path("worse.txt")).unwrap();
    let better = set.run(&[
        "score",
        "r.txt",
        "before.txt",
        "--baseline",
        "worse.txt",
        "--fail-if",
        "regression>0.05",
    ]);
    let words = text(&better.stdout);
    assert!(
        words.contains("(-4.0 points; -") && !words.contains('−'),
        "{words}"
    );
}

#[test]
fn a_figure_has_one_interval() {
    let set = set();
    for conditions in [
        &["--fail-if", "wer>0.9"][..],
        &["--fail-if", "wer.low>0.9", "--fail-if", "wer>0.9"],
        &["--fail-if", "wer.high>0.9"],
    ] {
        let (_, told) = judged(&set, conditions);
        let ends = &told["systems"][0]["wer_interval"];
        for gate in told["gates"].as_array().unwrap() {
            if gate["condition"].as_str().unwrap().starts_with("wer") {
                assert_eq!((&gate["low"], &gate["high"]), (&ends["low"], &ends["high"]));
            }
        }
    }
}

#[test]
fn shares_have_floors_and_intervals() {
    let set = set();
    for (condition, exit) in [
        ("failed.high>0.1", 0),
        ("failed.high>0.005", 100),
        ("hallucinated.high>0.1", 0),
        ("unscored.low>0", 0),
    ] {
        let (code, told) = judged(&set, &["--fail-if", condition]);
        let gate = &told["gates"][0];
        assert_eq!(code, exit, "{gate}");
        assert_eq!(gate["low"], 0.0);
        let high = gate["high"].as_f64().unwrap();
        assert!((high - 0.009_51).abs() < 1e-4, "{gate}");
    }
    // Per cent is not taken for a fraction, and what has no interval is told at once.
    for (wrong, told) in [
        ("wer>18", "18 % is 0.18"),
        ("failed>5", "500 %"),
        ("cost_usd.high>1", "has no interval"),
    ] {
        let (code, document) = judged(&set, &["--fail-if", wrong]);
        let message = document["error"]["message"].as_str().unwrap();
        assert!(code == 2 && message.contains(told), "{message}");
    }
}

#[test]
fn what_is_not_judged_is_told() {
    let set = set();
    let words = |arguments: &[&str]| {
        let mut all = vec!["score", "r.txt", "now.txt"];
        all.extend(arguments);
        let told = set.run(&all);
        (code(&told), text(&told.stderr).to_owned())
    };
    let (exit, told) = words(&["--baseline", "before.txt"]);
    assert!(
        exit == 0 && told.contains("note: --baseline is not looked at"),
        "{told}"
    );
    let (exit, told) = words(&["--junit", "j.xml"]);
    assert!(
        exit == 0 && told.contains("note: nothing is judged"),
        "{told}"
    );
    for option in ["--junit", "--summary"] {
        let (exit, told) = words(&[option, "-", "--fail-if", "wer>0.9"]);
        assert!(
            exit == 2 && told.contains("standard output has the result"),
            "{told}"
        );
        assert!(!set.path("-").exists());
    }
    let (exit, told) = words(&["--allow-weak", "--exit-zero", "--baseline-model", "x"]);
    for idle in [
        "note: --baseline-model chooses nothing: there is no --baseline\n",
        "note: --allow-weak changes nothing: there is no --fail-if\n",
        "note: --exit-zero changes nothing: there is no --fail-if\n",
    ] {
        assert!(exit == 0 && told.contains(idle), "{told}");
    }
    let (exit, told) = words(&["--junit-samples", "worst=5"]);
    assert!(exit == 2 && told.contains("--junit"), "{told}");
}

#[test]
fn failures_are_annotations_under_github_alone() {
    let set = set();
    let asked = |arguments: &[&str], github: bool| {
        let mut command = command(set.folder.path());
        command.args(["score", "r.txt"]).args(arguments);
        if github {
            command.env("GITHUB_ACTIONS", "true");
        }
        command.output().unwrap()
    };
    let gate = [
        "now.txt",
        "--fail-if",
        "wer>0.03",
        "--fail-if",
        "wer>0.9",
        "--json",
    ];
    let there = asked(&gate, true);
    // The document is alone on standard output.
    document(&there);
    let told: Vec<&str> = text(&there.stderr)
        .lines()
        .filter(|line| line.starts_with("::"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("::error title=stt-eval gate::now: WER 5.0 %25 ("),
        "{told:?}"
    );
    assert!(!text(&asked(&gate, false).stderr).contains("::"));
    let zero = asked(&["now.txt", "--fail-if", "wer>0.03", "--exit-zero"], true);
    assert!(
        text(&zero.stderr).contains("::warning title=stt-eval gate::"),
        "{zero:?}"
    );
    let broken = asked(&["nothing.txt"], true);
    let words = text(&broken.stderr);
    assert!(
        words.contains("\n::error title=stt-eval::nothing.txt"),
        "{words}"
    );
}

#[test]
fn the_worst_samples_are_cases_that_pass() {
    let set = Set::new(&[
        ("r.txt", "a b\nc d\ne f\ng h i j k l m n o p\n".as_bytes()),
        (
            "h.txt",
            "a <x>\u{1}\nx y\ne f\n1 2 3 j k l m n o p\n".as_bytes(),
        ),
    ]);
    let told = set.run(&[
        "score",
        "r.txt",
        "h.txt",
        "--fail-if",
        "wer>0.9",
        "--junit",
        "j.xml",
        "--junit-samples",
        "worst=2",
    ]);
    assert_eq!(code(&told), 0, "{told:?}");
    let xml = std::fs::read_to_string(set.path("j.xml")).unwrap();
    assert!(
        xml.contains("<testsuite name=\"stt-eval.h\" tests=\"4\" failures=\"0\""),
        "{xml}"
    );
    let case = "<testcase classname=\"stt-eval.h\" name=\"worst 1: line 2\">\n      <system-out>WER \
                100.0 %; said: c d; heard: x y</system-out>\n    </testcase>";
    assert!(xml.contains(case), "{xml}");
    assert_eq!(xml.matches("<system-out>").count(), 2);
    // By their rates: three of ten words are no worse than one of two.
    assert!(xml.contains("name=\"worst 2: line 1\""), "{xml}");
}

#[test]
fn what_a_service_failed_at_is_in_the_document() {
    let done: &[u8] = br#"{"status": "completed", "audio_url": "x", "text": "a b"}"#;
    let failed: &[u8] = br#"{"status": "error", "audio_url": "x", "error": "no audio"}"#;
    let set = Set::new(&[
        ("refs/u1.txt", b"a b"),
        ("refs/u2.txt", b"c d"),
        ("hyp/u1.json", done),
        ("hyp/u2.json", failed),
    ]);
    let told = document(&set.run(&["score", "refs", "hyp", "--json"]));
    assert_eq!(told["systems"][0]["samples"], 1, "{told}");
    assert_eq!(told["systems"][0]["failed"], 1);
}

#[test]
fn a_text_that_can_not_be_scored_is_told_by_file_and_line() {
    let lines = [
        r#"{"id": "u1", "text": "a"}"#,
        r#"{"id": "u2", "text": "\"a{"}"#,
    ]
    .join("\n");
    let heard = lines.replace(r#"\"a{"#, "a");
    let set = Set::new(&[
        ("r.csv", b"id,text\n1,a\n2,b\n3,a{\n"),
        ("h.csv", b"id,hypothesis\n1,a\n2,b\n3,a\n"),
        ("r.txt", b"a\nb{\n"),
        ("h.txt", b"a\nb\n"),
        ("r.jsonl", lines.as_bytes()),
        ("h.jsonl", heard.as_bytes()),
        ("rs/u1.txt", b"a{"),
        ("hs/u1.txt", b"a"),
    ]);
    for (references, hypotheses, place) in [
        ("r.csv", "h.csv", "r.csv line 4 (3): "),
        ("r.txt", "h.txt", "r.txt line 2: "),
        ("r.jsonl", "h.jsonl", "r.jsonl line 2 (u2): "),
        ("rs", "hs", "rs/u1.txt (u1): "),
    ] {
        let told = set.run(&["score", references, hypotheses, "--markup", "braces"]);
        let words = text(&told.stderr);
        assert_eq!(code(&told), 3, "{words}");
        assert!(words.contains(&format!("error: {place}")), "{words}");
    }
}

#[test]
fn what_was_not_scored_is_no_pass() {
    let failed: &[u8] = br#"{"status": "error", "audio_url": "x", "error": "no audio"}"#;
    let done: &[u8] = br#"{"status": "completed", "audio_url": "x", "text": "a x"}"#;
    let set = Set::new(&[
        ("refs/u1.txt", b"a b"),
        ("refs/u2.txt", b"c d"),
        ("all/u1.json", failed),
        ("all/u2.json", failed),
        ("half/u1.json", done),
        ("half/u2.json", failed),
        ("empty.txt", b"\n\n"),
        ("h.txt", b"\n\n"),
    ]);
    let judged = |sides: &[&str]| {
        let mut all = vec![
            "score",
            "--json",
            "--fail-if",
            "wer>0.1",
            "--fail-if",
            "failed<0",
        ];
        all.extend(sides);
        let told = set.run(&all);
        let gate = document(&told)["gates"][0].clone();
        (code(&told), gate["message"].as_str().unwrap().to_owned())
    };
    let (exit, message) = judged(&["refs", "all"]);
    assert_eq!(
        (exit, &*message),
        (101, "all: wer>0.1 can't be judged: no sample counts")
    );
    let (exit, message) = judged(&["empty.txt", "h.txt"]);
    assert!(exit == 101 && message.contains("have no word"), "{message}");
    // What failed is in no figure; beside it stands what it would be as not heard.
    let (exit, message) = judged(&["refs", "half"]);
    assert_eq!(
        (exit, &*message),
        (
            100,
            "half: WER 50.0 % (1 sample; 75.0 % with what failed as not heard): wer>0.1"
        )
    );
}

#[test]
fn a_regression_names_its_baseline_and_what_is_left_out() {
    let set = set();
    let ids = |nth: usize, most: usize| -> String {
        let texts = lines(400, nth);
        let lines = (0..).zip(texts.lines()).take(most);
        lines.map(|(n, text)| format!("u{n} {text}\n")).collect()
    };
    for (name, text) in [
        ("r.kaldi", ids(500, 400).replace('x', "a")),
        ("b.kaldi", ids(10, 400)),
        ("few.kaldi", ids(10, 380)),
    ] {
        std::fs::write(set.path(name), text).unwrap();
    }
    let told = set.run(&[
        "score",
        "r.kaldi",
        "few.kaldi",
        "--baseline",
        "b.kaldi",
        "--fail-if",
        "regression>0.01",
        "--fail-if",
        "failed>0.1",
    ]);
    let words = text(&told.stdout);
    assert!(
        words.contains("against 1.0 % of b.kaldi (+0.0 points"),
        "{words}"
    );
    assert!(
        words.contains("380 samples, 20 without a hypothesis left out)"),
        "{words}"
    );
}
