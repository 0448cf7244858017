//! Annotations of ELAN and Praat beside recordings, and as sources of texts.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use proptest::prelude::*;
use stt_eval_formats::files::InMemory;
use stt_eval_formats::transcripts::{ReadOptions, Side, read};
use stt_eval_formats::{Code, Format, Options, judge};

const GRID: &str = "File type = \"ooTextFile\"\r\nObject class = \"TextGrid\"\r\n\r\n0\r\n2\r\n<exists>\r\n2\r\n\"IntervalTier\"\r\n\"words\"\r\n0\r\n2\r\n2\r\n0\r\n1\r\n\"नमस्ते\"\r\n1\r\n2\r\n\"जी\"\r\n\"IntervalTier\"\r\n\"phones\"\r\n0\r\n2\r\n1\r\n0\r\n2\r\n\"n\"\r\n";
const EAF: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID=\"ts1\" TIME_VALUE=\"0\"/></TIME_ORDER><TIER TIER_ID=\"default\"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a1\" TIME_SLOT_REF1=\"ts1\"><ANNOTATION_VALUE>ठीक है</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>";

/// As Praat saves what is beyond ASCII: UTF-16, big end first.
fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_be_bytes).collect()
}

fn set() -> InMemory {
    InMemory::new([
        ("a.wav", Vec::new()),
        ("a.TextGrid", utf16(GRID)),
        ("b.wav", Vec::new()),
        ("b.eaf", EAF.as_bytes().to_vec()),
    ])
}

#[test]
fn annotations_beside_recordings_are_their_texts() {
    let judged = judge(&set(), None, &Options::default()).unwrap();
    assert_eq!(judged.format, Format::SideFiles);
    let said: Vec<_> = judged
        .samples
        .iter()
        .map(|one| one.text.as_deref().unwrap())
        .collect();
    assert_eq!(said, ["नमस्ते जी", "ठीक है"]);
    let asked = Options {
        text_column: Some("phones".to_owned()),
        ..Options::default()
    };
    // The other file has no such tier.
    let told = judge(&set(), None, &asked).unwrap_err();
    assert_eq!(
        (told.code, told.file.as_deref()),
        (Code::ChooseColumn, Some("b.eaf"))
    );
}

#[test]
fn annotations_are_read_for_score() {
    let files = InMemory::new([("a.TextGrid", utf16(GRID)), ("b.eaf", EAF.into())]);
    let whole = read(&files, None, Side::References, &ReadOptions::default()).unwrap();
    let texts: Vec<_> = whole
        .entries
        .iter()
        .map(|one| (one.id.as_deref().unwrap(), one.text.as_deref().unwrap()))
        .collect();
    assert_eq!(texts, [("a", "नमस्ते जी"), ("b", "ठीक है")]);
    let tier = ReadOptions {
        text_column: Some("phones".to_owned()),
        ..ReadOptions::default()
    };
    let one = read(&files, Some("a.TextGrid"), Side::Hypotheses, &tier).unwrap();
    assert_eq!(
        (one.format, one.entries[0].text.as_deref()),
        (Format::TextGrid, Some("n"))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_said_comes_out(words in prop::collection::vec("[a-zअ-ह\"&<]{1,6}", 1..6)) {
        let intervals: Vec<String> = words
            .iter()
            .enumerate()
            .map(|(n, word)| format!("{n}\n{}\n\"{}\"\n", n + 1, word.replace('"', "\"\"")))
            .collect();
        let grid = format!(
            "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\n0\n9\n<exists>\n1\n\"IntervalTier\"\n\"a\"\n0\n9\n{}\n{}",
            words.len(),
            intervals.concat()
        );
        let said: Vec<&str> = words.iter().map(String::as_str).filter(|word| !matches!(*word, "sil" | "sp")).collect();
        let files = InMemory::new([("a.TextGrid", grid)]);
        let read = read(&files, Some("a.TextGrid"), Side::References, &ReadOptions::default()).unwrap();
        prop_assert_eq!(read.entries[0].text.clone().unwrap(), said.join(" "));
    }

    #[test]
    fn damaged_annotations_are_told(at in 0_usize..2_000, byte: u8, cut in 0_usize..2_000) {
        for (name, whole) in [("a.TextGrid", GRID), ("a.eaf", EAF)] {
            let mut bytes = whole.as_bytes().to_vec();
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(length - cut % length);
            let files = InMemory::new([(name, bytes), ("a.wav", Vec::new())]);
            let _ = judge(&files, None, &Options::default());
            let _ = read(&files, Some(name), Side::References, &ReadOptions::default());
        }
    }
}
