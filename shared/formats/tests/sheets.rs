//! Excel sheets in the shape that tools write, mistakes included.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

#[path = "support/packed.rs"]
mod packed;

use packed::{archive, packed};
use proptest::prelude::*;
use stt_eval_formats::files::InMemory;
use stt_eval_formats::transcripts::ReadOptions;
use stt_eval_formats::{
    Code, FindingKind, Format, Hypothesis, Judged, Options, Problem, Source, judge, pairs,
};

/// openpyxl: a hidden sheet first, texts in a table of their own, a formula without its
/// value, dates, an empty row, and a sheet behind.
const OPENPYXL: &[u8] = include_bytes!("fixtures/openpyxl.xlsx");
/// `XlsxWriter`: a text of two runs, an index like that of pandas, a cell with a format
/// and nothing else.
const XLSXWRITER: &[u8] = include_bytes!("fixtures/xlsxwriter.xlsx");

fn judged(name: &str, sheet: &[u8]) -> Result<Judged, Problem> {
    let audio = (1..=4).map(|n| (format!("set/a/{n}.wav"), Vec::new()));
    let sheet = std::iter::once((format!("set/{name}"), sheet.to_vec()));
    judge(
        &InMemory::new(sheet.chain(audio)),
        None,
        &Options::default(),
    )
}

#[test]
fn the_first_visible_sheet_is_read() {
    let judged = judged("clips.xlsx", OPENPYXL).unwrap();
    assert_eq!(judged.format, Format::Xlsx);
    let read: Vec<_> = judged
        .samples
        .iter()
        .map(|one| (one.line, one.audio.as_deref().unwrap(), one.text.as_deref()))
        .collect();
    let wanted = [
        (2, "set/a/1.wav", Some("नमस्ते, \"कैसे\" हैं & <ठीक>")),
        (3, "set/a/2.wav", Some("two\nlines")),
        (5, "set/a/3.wav", None),
        (6, "set/a/4.wav", Some("12")),
    ];
    assert_eq!(read, wanted);
    let first = &judged.samples[0];
    assert_eq!(first.language.as_deref(), Some("hi"));
    assert_eq!(first.metadata.get("recorded"), Some("2026-11-27"));
    assert_eq!(first.metadata.get("n"), Some("844424931537866"));
    assert_eq!(
        judged.samples[1].metadata.get("recorded"),
        Some("2026-11-27 09:30:00")
    );
    assert_eq!(judged.samples[1].metadata.get("n"), Some("0.1"));
    let remarks: Vec<&str> = judged
        .kept()
        .iter()
        .map(|one| one.message.as_str())
        .collect();
    for wanted in [
        "\"Clips\" is read",
        "1 cell is a formula",
        "2 cells are dates",
    ] {
        assert!(
            remarks.iter().any(|one| one.contains(wanted)),
            "{wanted}: {remarks:?}"
        );
    }
    assert_eq!(judged.findings.count(FindingKind::LossySource), 3);
}

#[test]
fn sheets_are_scored() {
    let files = InMemory::new([("results.xlsx", XLSXWRITER)]);
    let source = Source {
        files: &files,
        file: Some("results.xlsx"),
        name: "results",
    };
    let wanted = ReadOptions {
        hypotheses: vec!["whisper".to_owned()],
        ..ReadOptions::default()
    };
    let found = pairs(&source, &[], &wanted).unwrap();
    assert_eq!(found.heard.len(), 1);
    let read: Vec<_> = found
        .samples
        .iter()
        .zip(&found.heard[0])
        .map(|(one, heard)| (one.reference.as_str(), heard.clone()))
        .collect();
    let heard = |text: &str| Hypothesis::Text(text.into());
    assert_eq!(read, [("घर जाओ", heard("घर जाओ")), ("ठीक है", heard(""))]);
    assert!(
        found
            .remarks
            .iter()
            .any(|one| one.contains("1 cell is a date")),
        "{:?}",
        found.remarks
    );
}

/// A sheet of one page with these rows; numbers are numbers.
fn sheet(rows: &[(u64, &[&str])]) -> Vec<u8> {
    let cell = |text: &&str| match text.parse::<f64>() {
        Ok(_) => format!("<c><v>{text}</v></c>"),
        Err(_) => format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>"),
    };
    let row = |(number, cells): &(u64, &[&str])| {
        let cells: String = cells.iter().map(cell).collect();
        format!("<row r=\"{number}\">{cells}</row>")
    };
    let rows: String = rows.iter().map(row).collect();
    let relations = "<Relationships><Relationship Id=\"r1\" Type=\"x/worksheet\" Target=\"s.xml\"/></Relationships>";
    archive(&[
        packed(
            "xl/workbook.xml",
            "<workbook><sheets><sheet name=\"s\" id=\"r1\"/></sheets></workbook>",
        ),
        packed("xl/_rels/workbook.xml.rels", relations),
        packed(
            "xl/s.xml",
            format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"),
        ),
    ])
}

#[test]
fn a_row_of_totals_is_no_utterance() {
    let head: [(u64, &[&str]); 3] = [
        (1, &["file_name", "text", "wer"]),
        (2, &["a/1.wav", "one", "0.1"]),
        (3, &["a/2.wav", "two", "0.2"]),
    ];
    for end in [
        (4, &["Total", "", "0.15"][..]),
        (5, &["Total"]),
        (6, &["", "", "0.15"]),
    ] {
        let rows = [&head[..], &[end]].concat();
        let found = judged("x.xlsx", &sheet(&rows)).unwrap();
        assert_eq!(found.samples.len(), 2, "{end:?}");
        let told = &found.kept()[0];
        assert_eq!((told.kind, told.line), (FindingKind::BadRow, Some(end.0)));
        assert!(
            told.message.contains("neither a recording"),
            "{}",
            told.message
        );
        assert_eq!(found.findings.errors(), 1);
    }
}

#[test]
fn what_is_no_sheet_says_so() {
    let workbook = |sheets: &str| {
        let relations = "<Relationships><Relationship Id=\"r1\" Type=\"x/worksheet\" Target=\"/xl/s.xml\"/></Relationships>";
        let workbook = format!("<workbook xmlns:r=\"r\"><sheets>{sheets}</sheets></workbook>");
        archive(&[
            packed("xl/workbook.xml", workbook),
            packed("xl/_rels/workbook.xml.rels", relations),
            packed(
                "xl/s.xml",
                "<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>a</t></is></c></row></sheetData></worksheet>",
            ),
        ])
    };
    let code = |bytes: &[u8]| judged("x.xlsx", bytes).unwrap_err();
    assert_eq!(code(&archive(&[packed("a", "b")])).code, Code::Malformed);
    assert_eq!(code(b"PK\x03\x04").code, Code::Malformed);
    let hidden =
        "<sheet name=\"h\" state=\"veryHidden\" r:id=\"r1\"/><sheet name=\"chart\" r:id=\"r2\"/>";
    assert_eq!(code(&workbook(hidden)).code, Code::Nothing);
    let told = code(&workbook("<sheet name=\"s\" r:id=\"r1\"/>"));
    assert_eq!(
        (told.code, told.line),
        (Code::ChooseColumn, Some(1)),
        "{told}"
    );
    let broken = code(&archive(&[packed("xl/workbook.xml", "<workbook><sheets>")]));
    assert_eq!(broken.code, Code::Malformed, "{broken}");
    assert!(broken.to_string().contains("ends too early"), "{broken}");
    let cut = code(&archive(&[packed(
        "xl/workbook.xml",
        "<workbook><sheets></x>",
    )]));
    assert!(
        cut.to_string()
            .contains("x.xlsx: xl/workbook.xml: is no XML"),
        "{cut}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn texts_come_out_as_they_were(texts in prop::collection::vec("[ -~अ-ह\u{200d}]{1,12}", 1..6)) {
        let mut rows = "<row><c t=\"inlineStr\"><is><t>file_name</t></is></c><c t=\"inlineStr\"><is><t>text</t></is></c></row>".to_owned();
        for text in &texts {
            let text: String = text.chars().map(|c| match c {
                '&' => "&amp;".to_owned(),
                '<' => "&lt;".to_owned(),
                // So that no escape of Excel comes about by chance.
                '_' => "_x005F_".to_owned(),
                'x' => "&#120;".to_owned(),
                c => c.to_string(),
            }).collect();
            rows += &format!("<row><c t=\"inlineStr\"><is><t>a/1.wav</t></is></c><c t=\"inlineStr\"><is><t>{text}</t></is></c></row>");
        }
        let relations = "<Relationships><Relationship Id=\"r1\" Type=\"x/worksheet\" Target=\"s.xml\"/></Relationships>";
        let bytes = archive(&[
            packed("xl/workbook.xml", "<workbook><sheets><sheet name=\"s\" id=\"r1\"/></sheets></workbook>"),
            packed("xl/_rels/workbook.xml.rels", relations),
            packed("xl/s.xml", format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")),
        ]);
        let judged = judged("x.xlsx", &bytes).unwrap();
        let read: Vec<String> = judged.samples.iter().map(|one| one.text.clone().unwrap_or_default()).collect();
        let wanted: Vec<String> = texts.iter().map(|text| {
            if text.trim().is_empty() { String::new() } else { stt_eval_formats::markup::without_marks(text) }
        }).collect();
        prop_assert_eq!(read, wanted);
    }

    #[test]
    fn damaged_sheets_are_told(at in 0_usize..10_000, byte: u8) {
        let mut bytes = OPENPYXL.to_vec();
        let length = bytes.len();
        bytes[at % length] = byte;
        let _ = judged("x.xlsx", &bytes);
    }
}
