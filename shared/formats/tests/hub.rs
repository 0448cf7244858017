//! Parquet as pyarrow writes it for the hub of Hugging Face, packed in all ways that are
//! read: rows without a recording, with one elsewhere, without a name, with a bad one.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;
use stt_eval_formats::files::InMemory;
use stt_eval_formats::{Code, FindingKind, Format, Judged, Options, Problem, judge, recordings};

const FILES: [(&str, &[u8]); 4] = [
    ("snappy", include_bytes!("fixtures/hub-snappy.parquet")),
    ("zstd", include_bytes!("fixtures/hub-zstd.parquet")),
    ("gzip", include_bytes!("fixtures/hub-gzip.parquet")),
    ("plain", include_bytes!("fixtures/hub-plain.parquet")),
];
const NAME: &str = "data/test-00000-of-00001.parquet";

fn files(bytes: &[u8]) -> InMemory {
    InMemory::new([
        (NAME, bytes.to_vec()),
        ("data/train-00000-of-00001.parquet", bytes.to_vec()),
        ("data/extra/u3.wav", Vec::new()),
    ])
}

fn judged(bytes: &[u8], options: &Options) -> Result<Judged, Problem> {
    judge(&files(bytes), None, options)
}

fn heard(bytes: &[u8], column: Option<&str>) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
    let mut found = Vec::new();
    recordings(&files(bytes), NAME, column, |row, bytes| {
        found.push((row, bytes.to_vec()));
        Ok::<(), Problem>(())
    })?;
    Ok(found)
}

#[test]
fn sets_of_the_hub_are_read_however_they_are_packed() {
    for (packing, bytes) in FILES {
        let judged = judged(bytes, &Options::default()).unwrap();
        assert_eq!(
            (judged.format, judged.split.as_deref()),
            (Format::Parquet, Some("test"))
        );
        assert_eq!(judged.audio_column.as_deref(), Some("audio_filepath"));
        let read: Vec<_> = judged
            .samples
            .iter()
            .map(|one| {
                (
                    one.line,
                    one.audio.as_deref(),
                    one.text.as_deref(),
                    one.is_embedded,
                )
            })
            .collect();
        let name = |end: &str| format!("{NAME}/{end}");
        let (first, second, last) = (name("1/u1.wav"), name("2/audio"), name("5/u5.flac"));
        let wanted = [
            (1, Some(first.as_str()), Some("हाँ जी"), true),
            (2, Some(second.as_str()), Some(""), true),
            (3, Some("data/extra/u3.wav"), Some("तीन"), false),
            (4, None, None, false),
            (5, Some(last.as_str()), Some("पाँच"), true),
        ];
        assert_eq!(read, wanted, "{packing}");
        // A recording without a name is told by its row.
        let ids: Vec<&str> = judged.samples.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["u1", "2", "u3", "", "u5"], "{packing}");
        let facts = &judged.samples[4];
        assert_eq!(facts.metadata.get("gender"), Some("Female"), "{packing}");
        assert_eq!(facts.metadata.get("ok"), Some("true"));
        assert_eq!(
            (
                facts.speaker.as_deref(),
                facts.language.as_deref(),
                facts.seconds
            ),
            (Some("8"), Some("hi"), Some(2.5))
        );
        assert_eq!(judged.samples[0].seconds, Some(0.01));
        assert_eq!(judged.findings.count(FindingKind::MissingAudio), 1);
        let remarks: Vec<&str> = judged
            .kept()
            .iter()
            .map(|one| one.message.as_str())
            .collect();
        assert!(
            remarks.iter().any(|one| one.ends_with("left out: tags")),
            "{remarks:?}"
        );

        let heard = heard(bytes, Some("audio_filepath")).unwrap();
        let rows: Vec<u64> = heard.iter().map(|(row, _)| *row).collect();
        assert_eq!(rows, [1, 2, 5], "{packing}");
        assert!(heard[0].1.starts_with(b"RIFF") && heard[0].1.len() == 204);
        assert_eq!(heard[2].1, b"no audio");
    }
}

#[test]
fn what_is_asked_for_is_taken_or_refused() {
    let (_, bytes) = FILES[0];
    let of_split = Options {
        split: Some("train".to_owned()),
        ..Options::default()
    };
    let judged_split = judged(bytes, &of_split).unwrap();
    assert_eq!(judged_split.split.as_deref(), Some("train"));
    let of_column = Options {
        audio_column: Some("speech".to_owned()),
        ..Options::default()
    };
    let told = judged(bytes, &of_column).unwrap_err();
    assert_eq!(told.code, Code::ChooseColumn);
    assert!(told.message.contains("audio_filepath"), "{told}");
    let stopped = recordings(&files(bytes), NAME, None, |row, _| {
        Err(Problem::new(Code::Nothing, format!("row {row}")))
    });
    assert_eq!(stopped.unwrap_err().message, "row 1");
    let cut = judged(&bytes[..bytes.len() / 2], &Options::default()).unwrap_err();
    assert_eq!(cut.code, Code::Malformed, "{cut}");
}

#[test]
fn a_packing_that_is_not_read_is_named() {
    let (_, bytes) = FILES[0];
    let mut packed = bytes.to_vec();
    // The codec of each column, and the field behind it: snappy becomes brotli.
    for at in 0..packed.len() - 2 {
        if packed[at..].starts_with(&[0x15, 0x02, 0x16]) {
            packed[at + 1] = 0x08;
        }
    }
    let told = judged(&packed, &Options::default()).unwrap_err();
    assert_eq!(told.code, Code::Unsupported, "{told}");
    assert!(told.message.contains("packed with brotli"), "{told}");
    assert!(told.hint.unwrap().contains("snappy or zstd"));
}

/// A column of a table: its name, what it is called in the language of schemas, its values.
enum Column {
    Texts(&'static str, &'static [&'static str]),
    Days(&'static str, &'static [i32]),
}

/// A table with recordings in it, by the crate that also reads it.
fn written(columns: &[Column], rows: usize) -> Vec<u8> {
    let fields = columns.iter().map(|column| match column {
        Column::Texts(name, _) => format!("required binary {name} (UTF8);"),
        Column::Days(name, _) => format!("required int32 {name} (DATE);"),
    });
    let fields: String = fields.collect();
    let schema = format!(
        "message t {{ required group audio {{ required binary bytes; required binary path (UTF8); }} {fields} }}"
    );
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let mut out = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut out, schema, Arc::default()).unwrap();
    if rows > 0 {
        let names: Vec<String> = (1..=rows).map(|row| format!("{row}.wav")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let sounds = vec!["RIFF"; rows];
        let mut group = writer.next_row_group().unwrap();
        let mut texts = |values: &[&str]| {
            let mut column = group.next_column().unwrap().unwrap();
            let values: Vec<ByteArray> = values.iter().map(|one| ByteArray::from(*one)).collect();
            let typed = column.typed::<ByteArrayType>();
            typed.write_batch(&values, None, None).unwrap();
            column.close().unwrap();
        };
        texts(&sounds);
        texts(&names);
        for column in columns {
            match column {
                Column::Texts(_, values) => texts(values),
                Column::Days(..) => {}
            }
        }
        for column in columns {
            if let Column::Days(_, values) = column {
                let mut column = group.next_column().unwrap().unwrap();
                let typed = column.typed::<Int32Type>();
                typed.write_batch(values, None, None).unwrap();
                column.close().unwrap();
            }
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    out
}

#[test]
fn of_several_columns_that_could_be_the_text_one_is_asked_for() {
    let columns = [
        Column::Texts("foo", &["so it is", "and so on"]),
        Column::Texts("bar", &["so it was", "and so forth"]),
        Column::Days("made", &[18_262, 18_263]),
    ];
    let bytes = written(&columns, 2);
    let told = judged(&bytes, &Options::default()).unwrap_err();
    assert_eq!(told.code, Code::ChooseColumn, "{told}");
    assert_eq!(
        told.to_string(),
        format!("{NAME}: 2 columns could hold the text: \"foo\", \"bar\"")
    );
    let asked = Options {
        text_column: Some("bar".to_owned()),
        ..Options::default()
    };
    let read = judged(&bytes, &asked).unwrap();
    assert_eq!(read.samples[0].text.as_deref(), Some("so it was"));
    assert_eq!(read.samples[0].metadata.get("made"), Some("2020-01-01"));
    // Single words are no sign of a text, and may be one.
    let words = [
        Column::Texts("foo", &["x", "y"]),
        Column::Texts("gender", &["f", "m"]),
        Column::Days("made", &[18_262, 18_263]),
    ];
    let read = judged(&written(&words, 2), &Options::default()).unwrap();
    assert_eq!(read.findings.count(FindingKind::NoText), 2);
    assert_eq!(
        read.remarks,
        [format!(
            "{NAME}: no column is taken as the text; could it be foo? (--text-column)"
        )]
    );
    let empty = judged(&written(&columns, 0), &Options::default()).unwrap_err();
    assert_eq!(empty.to_string(), format!("{NAME}: no rows"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_files_are_told(which in 0_usize..4, at in 0_usize..10_000, byte: u8) {
        let mut bytes = FILES[which].1.to_vec();
        let length = bytes.len();
        bytes[at % length] = byte;
        let _ = judged(&bytes, &Options::default());
        let _ = heard(&bytes, None);
    }
}
