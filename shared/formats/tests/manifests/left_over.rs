//! What is left over: texts without a recording, and rows that sum up a sheet.

use stt_eval_formats::{FindingKind, Options, judge};

use super::{count, files, folder, said};

#[test]
fn a_text_without_a_recording_is_told_and_is_no_sample_to_be_sent() {
    let found = folder(&[
        ("a.wav", ""),
        ("a.txt", "one"),
        ("b.wav", ""),
        ("b.txt", "two\n"),
        ("c.txt", "three\n"),
    ]);
    assert_eq!(
        said(&found),
        [
            ("a.wav", Some("one")),
            ("b.wav", Some("two")),
            ("-", Some("three"))
        ]
    );
    let told = &found.kept()[0];
    assert_eq!(
        (
            told.kind,
            told.file.as_deref(),
            told.id.as_deref(),
            told.message.as_str()
        ),
        (
            FindingKind::MissingAudio,
            Some("c.txt"),
            Some("c"),
            "no recording is called so"
        )
    );
    assert_eq!(found.findings.errors(), 1);
    let usable: Vec<bool> = found.samples.iter().map(|one| one.usable).collect();
    assert_eq!(usable, [true, true, false]);
}

#[test]
fn files_about_a_folder_are_no_texts_of_recordings() {
    let found = folder(&[
        ("x/a.wav", ""),
        ("x/a.txt", "one"),
        ("x/a.json", r#"{"text": "one"}"#),
        ("x/b.wav", ""),
        ("x/b.wav.txt", "of b"),
        ("x/README.txt", "about"),
        ("x/._c.txt", "litter"),
        ("x/speakers.txt", "s1 f\ns2 m\n"),
        // Of other kinds than those beside recordings, or of folders without any.
        ("x/c.lab", "of nothing"),
        ("y/c.txt", "elsewhere"),
    ]);
    assert_eq!(
        count(&found, FindingKind::MissingAudio),
        0,
        "{:?}",
        found.kept()
    );
    assert_eq!(found.samples.len(), 2);
    assert_eq!(
        found.remarks,
        ["no recording is called as x/speakers.txt: left out, for they are no text of one"]
    );
    // Answers of services are told as texts are; facts are none.
    let found = folder(&[
        ("a.wav", ""),
        ("a.json", r#"{"text": "one"}"#),
        ("c.json", r#"{"text": "three"}"#),
        ("set.json", r#"{"speaker": "s1"}"#),
    ]);
    assert_eq!(said(&found), [("a.wav", Some("one")), ("-", Some("three"))]);
}

#[test]
fn a_file_of_indic_voices_without_its_recording_is_told_too() {
    let facts = |text: &str| {
        format!("{{\"speaker_id\": \"S7\", \"normalized\": [{{\"text\": \"{text}\"}}]}}")
    };
    let (x, y) = (facts("சரி"), facts("ஆம்"));
    let found = folder(&[
        ("Tamil/v1/valid/X.json", x.as_str()),
        ("Tamil/v1/valid/X.wav", ""),
        ("Tamil/v1/valid/Y.json", &y),
        ("Tamil/v1/valid/set.json", "{\"speaker\": 1}"),
    ]);
    assert_eq!(
        said(&found),
        [("Tamil/v1/valid/X.wav", Some("சரி")), ("-", Some("ஆம்"))]
    );
    assert_eq!(found.kept()[0].message, "Y.wav is not there");
}

/// What is told of a table beside two recordings.
fn told(table: &str) -> (usize, Vec<String>) {
    let all = [("t.csv", table), ("a1.wav", ""), ("a2.wav", "")];
    let judged = judge(&files(&all), Some("t.csv"), &Options::default()).unwrap();
    let told = judged.kept().iter().map(|one| {
        let line = one.line.unwrap_or_default();
        format!("{line} {:?}: {}", one.kind, one.message)
    });
    (judged.samples.len(), told.collect())
}

#[test]
fn a_row_of_totals_is_told_as_one_that_names_nothing() {
    let total = "the last row has neither a recording (“Total” is none) nor a text";
    let none = "the last row has neither a recording nor a text";
    let head = "file_name,text,wer\na1.wav,one,0.1\na2.wav,two,0.2\n";
    for (end, line, message) in [
        ("Total,,\n", 4, total),
        ("Total,,0.15\n", 4, total),
        ("Total,,15 %\n", 4, total),
        (",,0.15\n", 4, none),
        ("\nTotal,,\n", 5, total),
        (",,\n,,\nTotal,,0.15\n,,\n", 6, total),
    ] {
        let wanted = vec![format!("{line} BadRow: {message}")];
        assert_eq!(told(&format!("{head}{end}")), (2, wanted), "{end}");
    }
}

/// What may be an utterance is told as one.
#[test]
fn a_last_row_that_may_be_an_utterance_stays_one() {
    let head = "file_name,text,speaker\na1.wav,one,s1\n";
    for (end, samples) in [
        // It names a recording, or what is no number.
        ("a3.wav,,\n", 2),
        ("clip-7,,\n", 2),
        ("Total,,s1\n", 2),
        ("Total,two,\n", 2),
        // There is such a recording.
        ("a2,,\n", 2),
    ] {
        let (count, told) = told(&format!("{head}{end}"));
        assert_eq!(count, samples, "{end}");
        assert!(!told.iter().any(|one| one.contains("BadRow")), "{told:?}");
    }
    // Only the last one sums up.
    let (count, _) = told("file_name,text,wer\na1.wav,one,0.1\nTotal,,0.1\na2.wav,two,0.2\n");
    assert_eq!(count, 3);
}
