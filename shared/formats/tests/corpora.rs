//! Corpora of several languages as references: recordings of each are called alike, and what was
//! heard of one is never held against the other.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

#[path = "support/paired.rs"]
mod paired;

use paired::{Files, rows, scored};

/// A corpus as Vistaar has it, with lists that `list` writes for a language; with its recordings
/// or without.
fn corpus(file: &str, has_audio: bool, list: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for language in ["hindi", "tamil"] {
        all.push((format!("set/{language}/{file}"), list(language)));
        for number in (1..=2).filter(|_| has_audio) {
            all.push((format!("set/{language}/audio/{number}.wav"), String::new()));
        }
    }
    all
}

fn borrowed(all: &[(String, String)]) -> Vec<(&str, &str)> {
    all.iter().map(|(name, text)| (&**name, &**text)).collect()
}

const BY_PATH: (&str, &str) = (
    "h.csv",
    "audio_filepath,hypothesis\n/x/set/tamil/audio/2.wav,tamil 2\n/x/set/hindi/audio/1.wav,hindi 1\n\
     /x/set/tamil/audio/1.wav,tamil 1\n",
);
/// A file for each recording, in folders as the languages are.
const BY_FILE: Files<'_> = &[
    ("hindi/1.json", r#"{"text": "hindi 1"}"#),
    ("tamil/1.json", r#"{"text": "tamil 1"}"#),
    ("tamil/2.json", r#"{"text": "tamil 2"}"#),
];

#[test]
fn recordings_of_languages_are_held_against_their_own_texts() {
    let nemo = |path: &str| {
        let path = path.to_owned();
        move |language: &str| {
            let line = |number: u32| {
                let path = path.replace('%', language);
                format!(
                    "{{\"audio_filepath\": \"{path}{number}.wav\", \"duration\": 1, \"text\": \"{language} {number}\"}}\n"
                )
            };
            line(1) + &line(2)
        }
    };
    let plain = |language: &str| format!("1.wav\t{language} 1\n2.wav\t{language} 2\n");
    for right in [
        corpus("manifest.json", true, nemo("audio/")),
        corpus("manifest.json", true, nemo("")),
        corpus("manifest.json", true, nemo("/home/vistaar/%/audio/")),
        corpus("manifest.json", false, nemo("audio/")),
        corpus("transcript.txt", true, plain),
    ] {
        let right = borrowed(&right);
        for heard in [&[BY_PATH][..], BY_FILE] {
            let made = scored(&right, heard).unwrap_or_else(|problem| panic!("{problem}"));
            let heard: Vec<[String; 2]> = rows(&made, 0)
                .into_iter()
                .map(|[_, said, heard]| [said, heard])
                .collect();
            // The second of Hindi was not heard.
            let wanted = [
                ["hindi 1", "hindi 1"],
                ["hindi 2", "-"],
                ["tamil 1", "tamil 1"],
                ["tamil 2", "tamil 2"],
            ];
            assert_eq!(heard, wanted, "{right:?}");
        }
    }
}
