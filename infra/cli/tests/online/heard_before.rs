//! Hypotheses of an earlier day as the baseline of a run.

use super::{Bench, TEXTS, code, text, with};

#[tokio::test(flavor = "multi_thread")]
async fn hypotheses_of_an_earlier_day_are_a_baseline() {
    let bench = Bench::new().await;
    let write = |name: &str, lines: &str| {
        std::fs::write(bench.home.path().join(name), lines).unwrap();
    };
    let lines = |texts: &[&str]| texts.iter().fold(String::new(), |all, t| all + t + "\n");
    write("lines.txt", &lines(&TEXTS));
    write("three.txt", &lines(&TEXTS[..3]));
    // By name of the recording, in another order, and one more that is not asked for.
    let mut by_name = "file,hypothesis\n".to_owned();
    for seed in [4, 2, 9, 1, 3] {
        by_name += &format!("{seed}.wav,{}\n", TEXTS.get(seed - 1).unwrap_or(&"more"));
    }
    write("named.csv", &by_name);
    write("others.csv", "file,hypothesis\nx.wav,one\ny.wav,two\n");
    let mut wide = "file,old,older\n".to_owned();
    for (seed, said) in (1..).zip(TEXTS) {
        wide += &format!("{seed}.wav,{said},{}\n", &said[..said.len() - 2]);
    }
    write("wide.csv", &wide);

    let gate = ["--yes", "--allow-weak", "--fail-if"];
    let asked = |condition: &'static str, file: &'static str| {
        let more = [&gate[..], &[condition, "--baseline", file]].concat();
        with(&more)
    };
    let flash = "regression>0.01 model=gemini-2.5-flash";
    // What does not belong to the utterances is refused before anything is sent.
    for (file, told) in [
        ("three.txt", "error: --baseline: three.txt has 3 lines"),
        ("others.csv", "error: --baseline: "),
        (
            "wide.csv",
            "error: --baseline: wide.csv has no system gemini-2.5-flash\nhint: --baseline-model \
             NAME, or model= in the condition; it has old, older\n",
        ),
    ] {
        let refused = bench.run(&asked(flash, file)).await;
        let words = text(&refused.stderr);
        assert_eq!(code(&refused), 2, "{file}: {words}");
        assert!(words.contains(told), "{file}: {words}");
        assert_eq!(bench.counts().await, (0, 0));
    }

    let by_lines = bench.run(&asked(flash, "lines.txt")).await;
    let words = text(&by_lines.stdout);
    assert_eq!(code(&by_lines), 100, "{words}{}", text(&by_lines.stderr));
    let wanted = "gemini-2.5-flash: WER 25.0 % against 0.0 % of lines.txt (+25.0 points";
    assert!(words.contains(wanted), "{words}");

    // The same run, by other lists.
    let by_name = bench.run(&asked(flash, "named.csv")).await;
    let told = text(&by_name.stdout);
    let wanted = wanted.replace("lines.txt", "named.csv");
    assert!(code(&by_name) == 100 && told.contains(&wanted), "{told}");
    let told = text(&by_name.stderr);
    let stranger = "note: --baseline: 1 hypothesis of named has no reference\n";
    assert!(told.contains(stranger), "{told}");
    let mut named = asked("regression>0.01 model=gemini-2.5-pro", "wide.csv");
    named.extend(["--baseline-model", "older"]);
    let told = bench.json(&named).await;
    assert_eq!(told["gates"][0]["value"], -0.25, "{told}");
    assert_eq!(bench.counts().await, (1, 1));
    bench.machine.stop().await;
}
