//! References on which nothing is said: there is no rate, and none that two runs could differ by.

use serde_json::json;

use super::{Bench, text};

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_over_silence_have_no_rates_that_differ() {
    let bench = Bench::new().await;
    let run = async |heard: &str| {
        let lines = [
            json!({"text": "", "whisper": heard}),
            json!({"text": "", "whisper": ""}),
        ];
        bench.set_of("still.d", 300, &lines);
        let run = ["run", "still.d", "--language", "en", "--hyp", "whisper"];
        bench.json(&run).await["run"]["id"].clone()
    };
    let (first, second) = (run("thank you").await, run("thanks").await);
    let (first, second) = (first.as_str().unwrap(), second.as_str().unwrap());
    assert_ne!(first, second);
    let told = bench.run(&["diff", first, second]).await;
    let words = text(&told.stdout);
    let row = words
        .lines()
        .find(|line| line.starts_with("  imported/whisper"));
    let cells: Vec<&str> = row.unwrap().split_whitespace().collect();
    assert_eq!(cells, ["imported/whisper", "–", "–", "–", "–", "–", "2"]);
    let noted = "imported/whisper: every reference is silent: no rate is made of no words; it wrote \
                 2 words on them in the run, and 1 word in the other one.\n";
    assert!(words.contains(noted), "{words}");
    assert!(!words.contains("00.0 %") && !words.contains("told apart"));
    // Documents keep the number, which is that count.
    let told = bench.json(&["diff", first, second]).await;
    assert_eq!(told["models"][0]["wer"], 2.0, "{told}");
    bench.machine.stop().await;
}
