//! The same command again: what makes another run, what does not, and what is told of it.

use super::{Bench, code, text, with};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_may_cost_makes_no_other_run() {
    let bench = Bench::new().await;
    let silent = bench.run(&with(&["--no-input"])).await;
    assert_eq!(code(&silent), 2);
    let told = "error: a run costs money, and --no-input asks nothing\n";
    assert!(
        text(&silent.stderr).contains(told),
        "{}",
        text(&silent.stderr)
    );

    let first = bench.json(&with(&["--yes", "--max-cost", "5"])).await;
    let id = first["run"]["id"].as_str().unwrap();
    let stays = format!("{id} was made before with --max-cost $5.00, which stays");
    for (cap, is_told) in [("5", false), ("6", true), ("4", true), ("", false)] {
        let cap = match cap {
            "" => vec![],
            cap => vec!["--max-cost", cap],
        };
        let again = bench.json(&with(&[&["--yes"], &cap[..]].concat())).await;
        assert_eq!(again["run"]["id"], id, "{cap:?}");
        let remarks = again["remarks"].as_array().unwrap();
        assert_eq!(remarks.contains(&stays.as_str().into()), is_told, "{again}");
    }
    assert_eq!(bench.counts().await, (1, 1));

    // A run that is held against itself: what makes another one is told.
    let gate = ["--fail-if", "regression>0.01", "--baseline", id];
    let gate = bench.run(&with(&gate)).await;
    assert_eq!(code(&gate), 101, "{}", text(&gate.stderr));
    let words = text(&gate.stdout);
    assert!(
        words.contains("the baseline itself: --new makes another one to hold against it"),
        "{words}"
    );

    // Two of one name.
    let second = bench.json(&with(&["--yes", "--new"])).await;
    let other = second["run"]["id"].as_str().unwrap();
    assert_ne!(other, id);
    for (name, wanted) in [
        ("", "error: no run is named: it takes an id"),
        (
            "set",
            "error: 2 runs have a name that begins with \"set\": ",
        ),
    ] {
        for command in ["status", "cancel"] {
            let told = bench.run(&[command, name]).await;
            let words = text(&told.stderr);
            assert_eq!(code(&told), 2, "{words}");
            assert!(words.starts_with(wanted), "{words}");
        }
    }

    // Columns say once what they are of.
    let diff = bench.run(&["diff", id, other]).await;
    let words = text(&diff.stdout);
    assert_eq!(code(&diff), 0, "{}", text(&diff.stderr));
    assert!(words.contains("difference (points)"), "{words}");
    assert!(!words.contains("p 1.000"), "{words}");

    // Nothing is no number to show.
    for list in [&["runs"][..], &["datasets"], &["files"], &["results", id]] {
        let told = bench.run(&[list, &["--limit", "0"]].concat()).await;
        let words = text(&told.stderr);
        assert_eq!(code(&told), 2, "{words}");
        assert!(
            words.contains("a whole number from 1 on is needed"),
            "{words}"
        );
    }
    bench.machine.stop().await;
}
