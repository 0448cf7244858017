//! Which columns of transcripts are chosen makes other runs, and no other dataset.

use serde_json::{Value, json};

use super::{Bench, code, text};

#[tokio::test(flavor = "multi_thread")]
async fn another_choice_of_columns_is_another_run_over_the_same_dataset() {
    let bench = Bench::new().await;
    let texts = ["one two three", "four five six", "seven eight nine"];
    let line = |said: &&str| {
        json!({
            "text": said, "whisper": said.to_uppercase(), "azure": said.replace("one", "won"),
            "azure error": "", "pred_text_nova": said, "domain": "call", "batch": 7,
        })
    };
    let lines: Vec<Value> = texts.iter().map(line).collect();
    bench.set_of("several.d", 360, &lines);
    let run = async |hyp: &str| {
        let run = ["run", "several.d", "--language", "en", "--hyp", hyp];
        bench.json(&run).await["run"].clone()
    };
    let first = run("whisper,azure").await;
    for hyp in ["azure", "whisper", "nova,azure"] {
        let other = run(hyp).await;
        assert_eq!(other["dataset_id"], first["dataset_id"], "{hyp}");
        assert_ne!(other["id"], first["id"], "{hyp}");
    }
    assert_eq!(bench.counts().await, (4, 1));
    // Facts of an utterance stay what they are; without a choice every column is one.
    let fields = async |more: &[&str]| {
        let checked = bench.json(&[&["check", "several.d"], more].concat()).await;
        checked["samples"][0]["metadata"].clone()
    };
    let facts = json!({"domain": "call", "batch": "7"});
    assert_eq!(fields(&["--hyp", "azure"]).await, facts);
    let all = json!({
        "domain": "call", "batch": "7", "whisper": "ONE TWO THREE", "azure": "won two three",
    });
    assert_eq!(fields(&[]).await, all);

    // What a run asks no model for is told, and is no reason to refuse it.
    let idle = "run several.d --language en --hyp azure --prompt x --lossless-flac --keyword two";
    let idle: Vec<&str> = idle.split(' ').collect();
    let told = bench.run(&idle).await;
    let words = text(&told.stderr);
    assert_eq!(code(&told), 0, "{words}");
    let noted = "note: no -p is asked, so nothing comes of --prompt, --lossless-flac\n";
    assert!(words.contains(noted), "{words}");
    bench.machine.stop().await;
}
