//! What writers write is read back the same; any bytes are rows, findings or a problem.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use proptest::prelude::*;
use stt_eval_formats::files::InMemory;
use stt_eval_formats::transcripts::{ReadOptions, Side, read};
use stt_eval_formats::write::{self, Written};
use stt_eval_formats::{Format, Hypothesis, Options, Pairs, Source, judge, layouts, pairs};

/// Texts as they come: quotes, commas, TABs, braces, scripts, joiners; no line ends, and
/// no blanks at their ends, which no format of lines keeps.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "घर",
        "हूँ",
        "க்‍ஷ",
        "a",
        "\"",
        "\"\"",
        ",",
        ";",
        "|",
        "{",
        "}",
        "{a|b}",
        "<*>",
        "\\",
        "'",
        "(x)",
        "NaN",
        "null",
        "1.0",
        "é",
        "=1",
        "@",
        "😀",
        "–",
    ]);
    let words = prop::collection::vec(prop::collection::vec(piece, 1..3), 0..6);
    words.prop_map(|words| {
        let words: Vec<String> = words.into_iter().map(|parts| parts.concat()).collect();
        words.join(" ")
    })
}

fn samples() -> impl Strategy<Value = Vec<Written>> {
    let one = (text(), prop::option::of(text()), text());
    prop::collection::vec(one, 1..8).prop_map(|all| {
        let written = all
            .into_iter()
            .zip(1..)
            .map(|((reference, heard, other), n): (_, u32)| Written {
                id: format!("utt-{n}"),
                audio: Some(format!("wavs/utt-{n}.wav")),
                seconds: Some(f64::from(n)),
                language: Some("hi".to_owned()),
                speaker: Some(format!("s{n}")),
                reference: Some(reference),
                heard: vec![heard, Some(other)],
                ..Written::default()
            });
        written.collect()
    })
}

fn systems() -> Vec<String> {
    vec!["one".to_owned(), "two-b".to_owned()]
}

fn set(name: &str, text: &str, samples: &[Written]) -> InMemory {
    let audio = samples.iter().filter_map(|sample| sample.audio.clone());
    let audio = audio.map(|name| (name, String::new()));
    let all = std::iter::once((name.to_owned(), text.to_owned())).chain(audio);
    InMemory::new(all)
}

fn paired(name: &str, text: &str) -> Pairs {
    let files = InMemory::new([(name, text)]);
    let source = Source {
        files: &files,
        file: Some(name),
        name,
    };
    let wanted = ReadOptions {
        hypotheses: systems(),
        ..ReadOptions::default()
    };
    let wanted = if name.ends_with("csv") {
        wanted
    } else {
        ReadOptions::default()
    };
    pairs(&source, &[], &wanted).unwrap()
}

/// A cell that a spreadsheet would take for a formula has `'` before it.
fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tables_are_read_back(samples in samples(), mark: bool) {
        let csv = write::csv(&systems(), &samples, mark);
        let read = paired("x.csv", &csv);
        for (at, (sample, pair)) in samples.iter().zip(&read.samples).enumerate() {
            prop_assert_eq!(&pair.id.text(), &sample.id);
            prop_assert_eq!(&pair.reference, &guarded(sample.reference.as_deref().unwrap()));
            let heard = sample.heard.iter().map(|text| {
                Hypothesis::Text(guarded(text.as_deref().unwrap_or_default()).into())
            });
            let own = read.heard.iter().map(|system| system[at].clone());
            prop_assert_eq!(own.collect::<Vec<_>>(), heard.collect::<Vec<_>>());
        }
        let audiofolder = write::audiofolder(&samples);
        let judged = judge(&set("metadata.csv", &audiofolder, &samples), None, &Options::default()).unwrap();
        prop_assert_eq!(judged.findings.errors(), 0);
        for (sample, read) in samples.iter().zip(&judged.samples) {
            prop_assert_eq!(&read.audio, &sample.audio);
            let known = sample.reference.clone().filter(|text| !text.is_empty());
            prop_assert_eq!(&read.text, &known);
        }
    }

    #[test]
    fn json_is_read_back(samples in samples()) {
        let nemo = write::nemo(&systems(), &samples);
        let judged = judge(&set("manifest.json", &nemo, &samples), None, &Options::default()).unwrap();
        prop_assert_eq!(judged.format, Format::Nemo);
        let tasks = write::label_studio(&systems(), &samples);
        let of_tasks = judge(&set("tasks.json", &tasks, &samples), None, &Options::default()).unwrap();
        for (index, sample) in samples.iter().enumerate() {
            for read in [&judged.samples[index], &of_tasks.samples[index]] {
                prop_assert_eq!(&read.audio, &sample.audio);
                prop_assert_eq!(&read.text, &sample.reference);
                prop_assert_eq!(read.hypotheses.get("one"), sample.heard[0].as_deref());
                prop_assert_eq!(read.hypotheses.get("two-b"), sample.heard[1].as_deref());
                let literal = read.ground_truth().map(write::plain);
                prop_assert_eq!(&literal, &sample.reference);
            }
        }
    }

    #[test]
    fn segments_and_lines_of_sctk_are_read_back(samples in samples()) {
        let segments = write::seg_lst(&samples, None);
        let files = InMemory::new([("a.json", segments)]);
        let read_back = read(&files, Some("a.json"), Side::References, &ReadOptions::default()).unwrap();
        prop_assert_eq!(read_back.format, Format::SegLst);
        for (sample, entry) in samples.iter().zip(&read_back.entries) {
            prop_assert_eq!(entry.text.as_deref(), sample.reference.as_deref());
        }
        let mut same = |text: &str, _: &Written| text.to_owned();
        let trn = write::trn(&samples, None, &mut same);
        let files = InMemory::new([("a.trn", trn.text)]);
        let read_back = read(&files, Some("a.trn"), Side::Hypotheses, &ReadOptions::default()).unwrap();
        prop_assert_eq!(read_back.entries.len(), samples.len());
        if trn.changed == 0 {
            for (sample, entry) in samples.iter().zip(&read_back.entries) {
                prop_assert_eq!(entry.text.as_deref(), sample.reference.as_deref());
            }
        }
    }

    #[test]
    fn any_bytes_are_rows_or_findings_or_a_problem(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        name in prop::sample::select(NAMES.to_vec()),
    ) {
        harmless(name, &bytes);
    }

    #[test]
    fn pieces_of_formats_are_rows_or_findings_or_a_problem(
        pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..30),
        name in prop::sample::select(NAMES.to_vec()),
    ) {
        harmless(name, pieces.concat().as_bytes());
    }
}

const NAMES: &[&str] = &[
    "wav.scp",
    "text",
    "segments",
    "metadata.csv",
    "m.csv",
    "m.tsv",
    "m.jsonl",
    "m_manifest.json",
    "cuts.json",
    "a.json",
    "recordings.jsonl",
    "supervisions.jsonl",
    "test.tsv",
    "test.wrd",
    "x.trans.txt",
    "transcripts.txt",
    "a.txt",
    "a.srt",
    "a.vtt",
    "a.trn",
    "a.stm",
    "a.ctm",
    "a.nlp",
    "ss-corpus-hi.tsv",
    "stt.csv",
    "data.csv",
    "a.jsonl.gz",
    "a.xlsx",
    "a.parquet",
];
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "\t",
    "\n",
    " ",
    "|",
    "(",
    ")",
    "a.wav",
    "id",
    "text",
    "file_name",
    "1",
    "0.5",
    "-1",
    "NaN",
    "\"text\": ",
    "\"audio_filepath\": ",
    "\"sources\": [",
    "\"supervisions\": ",
    "\"results\": ",
    "00:00:00,000 --> 00:00:01,000",
    "WEBVTT\n",
    "<v a>",
    "{\\an8}",
    "<ALT>",
    "घर",
    "\u{feff}",
    "\0",
    "\\ud83d",
    "a/../",
    "client_id",
    "path",
    "token|speaker",
    "MALE",
    ";;",
    "-->",
    "|\n",
];

/// Reads bytes in every way there is; nothing may panic.
fn harmless(name: &str, bytes: &[u8]) {
    let files = InMemory::new([
        (name, bytes),
        ("a.wav", &[]),
        ("audio/b.wav", &[]),
        ("text", &b"a x\n"[..]),
    ]);
    let _ = judge(&files, None, &Options::default());
    for format in Format::ALL {
        let options = Options {
            format: Some(*format),
            ..Options::default()
        };
        let _ = judge(&files, Some(name), &options);
        let wanted = ReadOptions {
            format: Some(*format),
            ..ReadOptions::default()
        };
        for side in [Side::References, Side::Hypotheses] {
            let _ = read(&files, Some(name), side, &wanted);
        }
    }
    for side in [Side::References, Side::Hypotheses] {
        let _ = read(&files, None, side, &ReadOptions::default());
        let _ = read(&files, Some(name), side, &ReadOptions::default());
    }
    let _ = layouts(&files, Some(name), None);
}
