//! Folders in which several things lie: what is meant is asked where nobody can know it, and
//! nothing is passed over.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

#[path = "support/paired.rs"]
mod paired;

use paired::{rows, scored, told};
use stt_eval_formats::files::InMemory;
use stt_eval_formats::{Options, judge};

const RIGHT: &[(&str, &str)] = &[("r.csv", "id,text\na,one two\nb,three\n")];
const A: (&str, &str) = ("h/a.json", "{\"text\": \"one too\", \"segments\": []}");
const B: (&str, &str) = ("h/b.json", "{\"text\": \"three\", \"segments\": []}");
const MANIFEST: &str = "{\"audio_filepath\":\"a.wav\",\"duration\":1,\"text\":\"one two\"}\n\
                        {\"audio_filepath\":\"b.wav\",\"duration\":1,\"text\":\"three\"}\n";

#[test]
fn a_list_among_results_is_never_all_that_is_scored() {
    let right = scored(RIGHT, &[A, B]).unwrap();
    assert_eq!(rows(&right, 0)[0][2], "one too");
    for list in [
        ("h/manifest.json", MANIFEST),
        ("h/text", "a one two\nb three\n"),
        ("h/refs.tsv", "a\tone two\nb\tthree\n"),
    ] {
        let problem = scored(RIGHT, &[A, B, list]).unwrap_err();
        let told = told(&problem);
        let wanted = format!(
            "the folder has results of single recordings (h/a.json, h/b.json) and a list ({})",
            list.0
        );
        assert!(told.contains(&wanted), "{told}");
        // Texts are results as well; one alone may be about the list.
        let texts = [("h/a.txt", "one too"), ("h/b.txt", "three"), list];
        let is_kaldi = list.0.ends_with("/text");
        assert_eq!(scored(RIGHT, &texts).is_err(), !is_kaldi, "{list:?}");
    }
    // A file that is nothing known is named.
    for (odd, said) in [
        ("<html>502 Bad Gateway</html>", "h/c.json: is not JSON"),
        (
            "{\"state\": 3}",
            "h/c.json: is the result of no service that is known",
        ),
    ] {
        let problem = scored(RIGHT, &[A, B, ("h/c.json", odd)]).unwrap_err();
        assert!(told(&problem).starts_with(said), "{}", told(&problem));
    }
}

#[test]
fn of_several_lists_none_is_passed_over() {
    let line = |id: &str, said: &str| {
        format!("{{\"audio_filepath\":\"{id}.wav\",\"duration\":1,\"text\":\"{said}\"}}\n")
    };
    let (a, b) = (line("a", "one two"), line("b", "three"));
    let lists = [("d/a.json", &*a), ("d/b.json", &*b)];
    let problem = scored(RIGHT, &lists).unwrap_err();
    assert!(
        told(&problem).contains("the folder has 2 tables: d/a.json, d/b.json"),
        "{}",
        told(&problem)
    );
    let heard = [("h.txt", "a one two\nb x\n")];
    let problem = scored(&lists, &heard).unwrap_err();
    assert!(
        told(&problem).contains("two manifests do not agree: "),
        "{}",
        told(&problem)
    );
    // One that says the same again, and one without texts, do no harm.
    let same = "file_name,text\na.wav,one two\nb.wav,three\n";
    let table = [
        ("d/m_manifest.json", &*(a.clone() + &b)),
        ("d/same.csv", same),
        ("d/speakers.csv", "speaker,age\nx,3\n"),
    ];
    let made = scored(&table, &[("h.csv", "id,hypothesis\na,one two\nb,x\n")]).unwrap();
    assert_eq!(made.samples.len(), 2);
}

#[test]
fn lists_of_other_recordings_are_not_the_same_list() {
    let files = |second: &'static str| {
        let recordings = ["w/1.wav", "w/2.wav", "w/3.wav", "w/4.wav"];
        let lists = [
            ("part1.csv", "file_name,text\nw/1.wav,one\nw/2.wav,two\n"),
            ("part2.csv", second),
        ];
        InMemory::new(
            lists
                .into_iter()
                .chain(recordings.map(|name| (name, "RIFF"))),
        )
    };
    let judged = |second| judge(&files(second), None, &Options::default());
    let problem = judged("file_name,text\nw/3.wav,three\nw/4.wav,four\n").unwrap_err();
    assert!(
        told(&problem).contains("two manifests do not agree: "),
        "{}",
        told(&problem)
    );
    let same = judged("path,sentence\nw/2.wav,two\nw/1.wav,one\n").unwrap();
    assert_eq!(same.samples.len(), 2);
}

#[test]
fn what_services_answer_without_a_text_is_silence_or_a_failure() {
    let azure = "{\"RecognitionStatus\": \"Success\", \"DisplayText\": \"one two\", \"Offset\": 1, \
                 \"Duration\": 2}";
    let silent = "{\"RecognitionStatus\": \"NoMatch\", \"Offset\": 1, \"Duration\": 2}";
    let made = scored(RIGHT, &[("h/a.json", azure), ("h/b.json", silent)]).unwrap();
    assert_eq!(rows(&made, 0)[1][2], "");
    let failed = "{\"text\": \"\", \"error\": \"timeout\"}";
    let made = scored(RIGHT, &[A, ("h/b.json", failed)]).unwrap();
    assert_eq!(rows(&made, 0)[1][2], "failed: timeout");
}

#[test]
fn a_cue_of_subrip_may_have_empty_lines() {
    let cues = "1\n00:00:01,000 --> 00:00:02,000\none\n\ntwo\n\n2\n00:00:02,000 --> 00:00:03,000\n\n\n\
                3\n00:00:03,000 --> 00:00:04,000\n12\n\n4\n00:00:05,000 --> 00:00:06,000\nend\n\n";
    let made = scored(&[("r.txt", "x\n")], &[("h.srt", cues)]).unwrap();
    assert_eq!(rows(&made, 0)[0][2], "one two 12 end");
}
