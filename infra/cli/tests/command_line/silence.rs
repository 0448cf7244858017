//! References without a word.

use super::{Set, document, text};

#[test]
fn no_rate_is_made_of_no_words() {
    let lines = |field: &str, texts: [&str; 2]| {
        let line =
            |(id, text): (usize, &str)| format!("{{\"id\":\"{id}\",\"{field}\":\"{text}\"}}\n");
        texts.into_iter().enumerate().map(line).collect::<String>()
    };
    let set = Set::new(&[
        ("r.jsonl", lines("reference", ["", ""]).as_bytes()),
        (
            "a.jsonl",
            lines("hypothesis", ["you", "thank you"]).as_bytes(),
        ),
        ("b.jsonl", lines("hypothesis", ["", ""]).as_bytes()),
    ]);
    let asked = ["score", "r.jsonl", "a.jsonl", "b.jsonl"];
    let told = set.run(&[&asked[..], &["--summary", "s.md"]].concat());
    let words = text(&told.stdout);
    let note = "note: every reference is silent: no rate is made of no words; a wrote 3 words, b \
                wrote 0 words on them\n";
    assert!(words.contains(note), "{words}");
    assert!(!words.contains('%') || !words.contains("00.0 %"), "{words}");
    assert!(!words.contains("points"), "{words}");
    let summary = std::fs::read_to_string(set.folder.path().join("s.md")).unwrap();
    assert!(summary.contains("| a | – | – | – | 2 |"), "{summary}");
    assert!(summary.contains("every reference is silent"), "{summary}");
    let document = document(&set.run(&[&asked[..], &["--json"]].concat()));
    assert_eq!(document["systems"][0]["wer"], 3.0);
}
