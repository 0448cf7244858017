//! Folders of lists with times: STM, CTM and `SegLST`, references with systems beside them, a
//! list for each system, a list for each recording.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use stt_eval_formats::files::{InMemory, stem};
use stt_eval_formats::transcripts::ReadOptions;
use stt_eval_formats::{Format, Hypothesis, Pairs, Problem, Source, pairs};

const REF_STM: &str = "s1 A asha 0.1 2.0 <o,F> घर जाओ\ns2 A ravi 0.0 1.0 ठीक है\n";
const HYP_CTM: &str = "s2 A 0.1 0.2 ठीक\ns1 A 0.5 0.2 जाओ\ns1 A 0.1 0.3 घर\n";
const HYP_SEGLST: &str = r#"[{"session_id": "s1", "speaker": "1", "start_time": "0.1",
 "end_time": "2.0", "words": "घर जा"}, {"session_id": "s2", "words": "ठीक है"}]"#;

fn text(text: &str) -> Hypothesis {
    Hypothesis::Text(text.into())
}

fn folder<'a>(files: &'a InMemory, name: &'a str) -> Source<'a> {
    Source {
        files,
        file: None,
        name,
    }
}

/// One folder with everything in it.
fn whole(all: &[(&str, &str)]) -> Result<Pairs, Problem> {
    let files = InMemory::new(all.iter().copied());
    pairs(&folder(&files, "run"), &[], &ReadOptions::default())
}

/// A list of references, and a folder of hypotheses.
fn beside(right: (&str, &str), heard: &[(&str, &str)]) -> Result<Pairs, Problem> {
    let (name, right) = (right.0, InMemory::new([right]));
    let heard = InMemory::new(heard.iter().copied());
    let source = Source {
        files: &right,
        file: Some(name),
        name: stem(name),
    };
    pairs(&source, &[folder(&heard, "hyps")], &ReadOptions::default())
}

#[test]
fn references_with_times_have_their_systems_beside_them() {
    let found = whole(&[
        ("ref.stm", REF_STM),
        ("hyp.nova.ctm", HYP_CTM),
        ("hyp.whisper.large.seglst.json", HYP_SEGLST),
        ("readme.txt", "x"),
    ]);
    let found = found.unwrap();
    assert_eq!(found.systems, ["nova", "whisper.large"]);
    assert_eq!(
        found.heard,
        [
            [text("घर जाओ"), text("ठीक")],
            [text("घर जा"), text("ठीक है")]
        ]
    );
    assert_eq!(
        (found.references, found.hypotheses),
        (Format::Stm, Format::Ctm)
    );
    assert_eq!(found.samples[0].speaker(), Some("asha"));
    // Without a name that says so, every other list is a system.
    let other = r#"[{"session_id": "s1", "words": "घर"}, {"session_id": "s3", "words": "x"}]"#;
    let found = whole(&[
        ("a/ref.seglst.json", HYP_SEGLST),
        ("a/nova.json", other),
        ("a/info.json", r#"{"model": "nova"}"#),
    ]);
    let found = found.unwrap();
    assert_eq!(found.systems, ["nova"]);
    assert_eq!(found.missing, ["s2"]);
    assert_eq!(found.remarks, ["a/nova.json: 1 recording has no reference"]);
}

#[test]
fn lists_of_the_same_recordings_are_of_several_systems() {
    for second in [
        ("b/x.seglst.json", HYP_SEGLST),
        ("hyp.b.seglst.json", HYP_SEGLST),
    ] {
        let first = if second.0.starts_with("b/") {
            ("a/x.ctm", HYP_CTM)
        } else {
            ("a.ctm", HYP_CTM)
        };
        let found = beside(("refs.stm", REF_STM), &[first, second]).unwrap();
        assert_eq!(found.systems, ["a", "b"], "{first:?}");
        assert_eq!(found.heard[0], [text("घर जाओ"), text("ठीक")]);
        assert_eq!(found.heard[1], [text("घर जा"), text("ठीक है")]);
        assert_eq!(found.remarks, Vec::<String>::new());
    }
}

#[test]
fn lists_for_each_recording_or_part_of_one_are_one_system() {
    let found = beside(
        ("refs.stm", REF_STM),
        &[
            ("s1.stm", "s1 A 1 0.1 1.0 घर जाओ\n"),
            ("s2.stm", "s2 A 1 0.1 1.0 ठीक है\n"),
        ],
    );
    let found = found.unwrap();
    assert_eq!(found.systems, ["hyps"]);
    assert_eq!(found.heard, [[text("घर जाओ"), text("ठीक है")]]);
    // One for each speaker: in order of time.
    let found = beside(
        ("refs.stm", REF_STM),
        &[
            ("s1-asha.stm", "s1 A asha 0.5 1.0 जाओ\n"),
            ("s1-ravi.stm", "s1 A ravi 0.1 0.5 घर\n"),
            ("s2.stm", "s2 A 1 0.1 1.0 ठीक है\n"),
        ],
    );
    let found = found.unwrap();
    assert_eq!(found.systems, ["hyps"]);
    assert_eq!(found.heard, [[text("घर जाओ"), text("ठीक है")]]);
    assert_eq!(
        found.remarks,
        ["1 recording has several speakers: joined by time to one text each"]
    );
}

#[test]
fn a_line_of_a_list_that_can_not_be_read_is_told() {
    let one_in_forty = format!("{}s2\n", "s2 A 0.1 0.2 x\n".repeat(39));
    let found = beside(
        ("refs.stm", REF_STM),
        &[
            ("s1.stm", "s1 A 1 0.1 1.0 x\n"),
            ("s2.ctm", one_in_forty.as_str()),
        ],
    );
    let told = found.map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        told,
        "s2.ctm line 40: is not <file> <channel> <start> <duration> <word>"
    );
}

#[test]
fn lists_of_trn_are_of_systems_and_none_is_taken_for_the_references() {
    let (a, b) = ("घर (s-1)\nठीक (s-2)\n", "घर (s-1)\nठीक है (s-2)\n");
    let right = ("right.trn", "घर (s-1)\nठीक है (s-2)\n");
    let found = beside(right, &[("nova.trn", a), ("hyp.whisper.trn", b)]).unwrap();
    assert_eq!(found.systems, ["whisper", "nova"]);
    assert_eq!(found.heard[1], [text("घर"), text("ठीक")]);
    assert!(found.missing.is_empty() && found.remarks.is_empty());
    let found = beside(right, &[("nova/hyp.trn", a), ("whisper/hyp.trn", b)]).unwrap();
    assert_eq!(found.systems, ["nova/hyp", "whisper/hyp"]);
    // Parts of one list, and one alone.
    let parts = [("1.trn", "घर (s-1)\n"), ("2.trn", "ठीक (s-2)\n")];
    for all in [&parts[..], &[("nova.trn", a)]] {
        let found = beside(right, all).unwrap();
        assert_eq!(found.systems, ["hyps"]);
        assert_eq!(found.heard, [[text("घर"), text("ठीक")]]);
    }
    let refused = whole(&[("a.trn", a), ("b.trn", b)]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "run: a.trn and b.trn have the same ids (s-1 …), and which of them has the references is \
         not known"
    );
    let hint = "call it ref.trn; or name it first, and what was heard behind it: a.trn b.trn";
    assert_eq!(refused.hint.as_deref(), Some(hint));
}

#[test]
fn an_id_of_two_files_is_told_with_both() {
    let found = beside(
        ("right.trn", "घर (u1)\nx (u2)\n"),
        &[("u1.json", "{\"text\": \"घर\"}"), ("u1.txt", "जाओ")],
    );
    let told = "hyps: the id u1 is in u1.json and in u1.txt; the first counts";
    assert_eq!(found.unwrap().remarks, [told]);
}

#[test]
fn what_failed_is_of_the_system_that_its_file_is_called_by() {
    let failed = r#"{"id": "s-2", "system": "imported/a", "error": "quota"}"#;
    let found = whole(&[
        ("ref.trn", "घर (s-1)\nठीक (s-2)\n"),
        ("hyp.imported-a.trn", "घर (s-1)\n (s-2)\n"),
        ("hyp.imported-b.trn", "घर (s-1)\n (s-2)\n"),
        ("failed.jsonl", failed),
    ]);
    let found = found.unwrap();
    let failed = Hypothesis::Failed("quota".to_owned());
    assert_eq!(found.heard, [[text("घर"), failed], [text("घर"), text("")]]);
}
