//! The gate: what fails, passes or cannot be judged, and what is written of it.

use serde_json::Value;

use super::{Set, code, document, keys, text};

/// Texts of `count` lines, of which every `nth` has one wrong word of ten.
pub(super) fn lines(count: usize, nth: usize) -> String {
    let line = |n: usize| {
        let first = if n.is_multiple_of(nth) { "x" } else { "a" };
        format!("{first} b c d e f g h i j\n")
    };
    (0..count).map(line).collect()
}

#[test]
fn the_gate_fails_passes_or_cannot_judge() {
    let set = Set::new(&[
        ("r.txt", lines(400, 500).replace('x', "a").as_bytes()),
        ("now.txt", lines(400, 2).as_bytes()),
        ("before.txt", lines(400, 10).as_bytes()),
        ("few-r.txt", lines(20, 50).replace('x', "a").as_bytes()),
        ("few.txt", lines(20, 2).as_bytes()),
    ]);
    let gates = |arguments: &[&str]| {
        let all: Vec<&str> = ["score", "--json"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let output = set.run(&all);
        (code(&output), document(&output)["gates"].clone())
    };
    let (exit, told) = gates(&["r.txt", "now.txt", "--fail-if", "wer>0.04"]);
    assert_eq!((exit, &told[0]["status"]), (100, &Value::from("failed")));
    assert_eq!(
        keys(&told[0]),
        [
            "condition",
            "group",
            "high",
            "low",
            "message",
            "model",
            "p",
            "smallest_visible",
            "status",
            "value"
        ]
    );
    assert_eq!(told[1]["condition"], "failed>0.01");
    assert_eq!(gates(&["r.txt", "now.txt", "--fail-if", "wer>0.06"]).0, 0);
    assert_eq!(
        gates(&["r.txt", "now.txt", "--fail-if", "wer>0.04", "--exit-zero"]).0,
        0
    );
    let base = ["--baseline", "before.txt"];
    let with = |condition: &'static str, now: &'static str| {
        let all = ["r.txt", now, "--fail-if", condition];
        gates(&all.iter().chain(&base).copied().collect::<Vec<_>>())
    };
    let (exit, told) = with("regression>0.01 p<0.05", "now.txt");
    assert_eq!(exit, 100, "{told}");
    assert!(
        (told[0]["value"].as_f64().unwrap() - 0.04).abs() < 1e-9,
        "{told}"
    );
    assert!(told[0]["p"].as_f64().unwrap() < 0.05);
    assert_eq!(with("regression>0.01 p<0.05", "before.txt").0, 0);
    assert_eq!(with("regression.high>0.02", "before.txt").0, 0);
    assert_eq!(with("regression.high>0.02", "now.txt").0, 100);
    // Too few to say anything.
    let few = ["few-r.txt", "few.txt", "--fail-if", "wer.high>0.2"];
    assert_eq!(gates(&few).0, 101);
    let weak: Vec<&str> = few.iter().copied().chain(["--allow-weak"]).collect();
    let (exit, told) = gates(&weak);
    assert_eq!(exit, 0);
    let told = told[0]["message"].as_str().unwrap().to_owned();
    assert!(told.ends_with("100 are needed (--allow-weak)"), "{told}");
    assert_eq!(
        gates(&["few-r.txt", "few.txt", "--fail-if", "cost_usd>1"]).0,
        101
    );
    // What failed goes before what can't be judged.
    assert_eq!(
        gates(&[
            "few-r.txt",
            "few.txt",
            "--fail-if",
            "cost_usd>1",
            "--fail-if",
            "wer>0"
        ])
        .0,
        100
    );
    let usage = set.run(&["score", "r.txt", "now.txt", "--fail-if", "regression>0"]);
    assert_eq!(code(&usage), 2);
}

/// The table of the release before has its systems in the same columns, whatever its reference
/// is called.
#[test]
fn the_same_columns_of_another_table_are_the_baseline() {
    let table = |nth: usize| {
        let rows = lines(400, nth);
        let row = |(at, heard): (usize, &str)| format!("{at},a b c d e f g h i j,{heard}\n");
        let rows: String = rows.lines().enumerate().map(row).collect();
        format!("id,text,m1\n{rows}")
    };
    let set = Set::new(&[
        ("now.csv", table(10).as_bytes()),
        ("before.csv", table(10).as_bytes()),
        ("worse.csv", table(2).as_bytes()),
    ]);
    for (now, exit) in [("now.csv", 0), ("worse.csv", 100)] {
        let gate = ["--hyp", "m1", "--baseline", "before.csv"];
        let gate = [&gate[..], &["--fail-if", "regression>0.02 p<0.05"]].concat();
        let told = set.run(&[&["score", now, "--json"], &gate[..]].concat());
        let told = (code(&told), document(&told));
        assert_eq!(told.0, exit, "{}", told.1);
        let message = told.1["gates"][0]["message"].as_str().unwrap();
        assert!(message.contains("against 1.0 %"), "{message}");
    }
}

#[test]
fn a_saved_document_is_a_baseline_for_points() {
    let set = Set::new(&[
        ("r.txt", lines(400, 500).replace('x', "a").as_bytes()),
        ("now.txt", lines(400, 2).as_bytes()),
        ("before.txt", lines(400, 10).as_bytes()),
    ]);
    let saved = set.run(&["score", "r.txt", "before.txt", "--json"]);
    std::fs::write(set.path("saved.json"), &saved.stdout).unwrap();
    let with = |condition: &str| {
        code(&set.run(&[
            "score",
            "r.txt",
            "now.txt",
            "--baseline",
            "saved.json",
            "--fail-if",
            condition,
        ]))
    };
    assert_eq!(with("regression>0.03"), 100);
    assert_eq!(with("regression>0.05"), 0);
    // Figures that can't be are no baseline.
    let good = text(&saved.stdout);
    let wer = document(&saved)["systems"][0]["wer"].clone();
    let is = format!("\"wer\":{wer}");
    assert!(good.contains(&is), "{good}");
    for (changed, told) in [
        (
            good.replace(&is, "\"wer\":-0.5"),
            "is -0.5: no rate is below 0",
        ),
        (
            good.replace(&is, "\"wer\":5.0"),
            "is 5, and its counts say ",
        ),
    ] {
        std::fs::write(set.path("changed.json"), changed).unwrap();
        let refused = [
            "score",
            "r.txt",
            "now.txt",
            "--baseline",
            "changed.json",
            "--fail-if",
            "regression>0.03",
        ];
        let refused = set.run(&refused);
        let words = text(&refused.stderr);
        assert_eq!(code(&refused), 2, "{words}");
        let place = "error: changed.json: its wer of before ";
        assert!(words.contains(place) && words.contains(told), "{words}");
    }
    assert_eq!(with("regression>0.03 p<0.05"), 101);
    let other = set.run(&[
        "score",
        "r.txt",
        "now.txt",
        "--baseline",
        "saved.json",
        "--fail-if",
        "regression>0.03",
        "--normalizer",
        "nfc-v1",
    ]);
    assert_eq!(code(&other), 101);
}

#[test]
fn junit_and_summary_are_written() {
    let set = Set::new(&[
        ("r.txt", b"a b\n"),
        ("h|x.txt", b"a c\n"),
        ("sum.md", b"before\n"),
    ]);
    let output = set.run(&[
        "score",
        "r.txt",
        "h|x.txt",
        "--fail-if",
        "wer>0.1",
        "--junit",
        "j.xml",
        "--summary",
        "sum.md",
    ]);
    assert_eq!(code(&output), 100);
    let xml = std::fs::read_to_string(set.path("j.xml")).unwrap();
    assert!(
        xml.contains("<testcase classname=\"stt-eval.h|x\" name=\"wer&gt;0.1\">"),
        "{xml}"
    );
    assert!(
        xml.contains("tests=\"2\" failures=\"1\" errors=\"0\""),
        "{xml}"
    );
    let summary = std::fs::read_to_string(set.path("sum.md")).unwrap();
    assert!(summary.starts_with("before\n### stt-eval"), "{summary}");
    assert!(summary.contains("| h\\|x | 50.0 % |"), "{summary}");
    // Looked at before anything is done.
    let nowhere = set.run(&["score", "r.txt", "h|x.txt", "--junit", "no/j.xml"]);
    assert_eq!((code(&nowhere), text(&nowhere.stdout)), (2, ""));
    assert_eq!(
        text(&nowhere.stderr),
        "error: --junit: there is no folder no\n"
    );
}

#[test]
fn groups_are_of_any_column() {
    let table = "id,reference,hypothesis,domain\n1,a b,a b,read\n2,a b,a c,call\n3,a b,d c,call\n";
    let set = Set::new(&[("t.csv", table.as_bytes())]);
    let judged = |condition: &str| {
        let told = set.run(&["score", "t.csv", "--json", "--fail-if", condition]);
        (code(&told), document(&told)["gates"][0].clone())
    };
    let (exit, gate) = judged("wer>0.7 group=domain:call");
    assert_eq!((exit, &gate["value"]), (100, &0.75.into()), "{gate}");
    let (exit, gate) = judged("wer>0.7 group=domain:read");
    assert_eq!((exit, &gate["value"]), (0, &0.0.into()), "{gate}");
    let (exit, gate) = judged("wer>0.7 group=nope:read");
    let message = gate["message"].as_str().unwrap();
    assert!(
        exit == 101 && message.ends_with("no sample has nope"),
        "{gate}"
    );
}

#[test]
fn a_condition_that_is_there_twice_counts_once() {
    let set = Set::new(&[
        ("r.txt", lines(20, 50).replace('x', "a").as_bytes()),
        ("now.txt", lines(20, 2).as_bytes()),
    ]);
    let twice = [
        "score",
        "r.txt",
        "now.txt",
        "--json",
        "--junit",
        "j.xml",
        "--fail-if",
        "wer>0.1",
        "--fail-if",
        "wer > 0.10",
        "--fail-if",
        "wer>0.2",
    ];
    let told = document(&set.run(&twice));
    let gates = told["gates"].as_array().unwrap();
    let all: Vec<&Value> = gates.iter().map(|gate| &gate["condition"]).collect();
    assert_eq!(all, ["wer>0.1", "wer>0.2", "failed>0.01"]);
    let junit = std::fs::read_to_string(set.path("j.xml")).unwrap();
    assert_eq!(junit.matches("<testcase ").count(), 3, "{junit}");
}
