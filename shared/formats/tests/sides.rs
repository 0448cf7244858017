//! What is told of two sides that fit together in part.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use stt_eval_formats::files::{InMemory, stem};
use stt_eval_formats::transcripts::ReadOptions;
use stt_eval_formats::{Format, Hypothesis, Pairs, Problem, Source, pairs};

fn scored(files: &[(&str, &str)]) -> Result<Pairs, Problem> {
    let all = InMemory::new(files.iter().copied());
    let source = |name| Source {
        files: &all,
        file: Some(name),
        name: stem(name),
    };
    let mut names = files.iter().map(|(name, _)| source(*name));
    let right = names.next().unwrap();
    let heard: Vec<Source<'_>> = names.collect();
    pairs(&right, &heard, &ReadOptions::default())
}

fn text(text: &str) -> Hypothesis {
    Hypothesis::Text(text.into())
}

const TABLE: (&str, &str) = ("r.csv", "id,text\nu1,घर\nu2,ठीक\nu3,हाँ\n");
const LIST: (&str, &str) = ("r.trn", "घर (u1)\nठीक (u2)\nहाँ (u3)\n");

#[test]
fn an_id_that_is_there_again_is_told_with_its_lines() {
    for (right, heard) in [
        (
            TABLE,
            ("h.csv", "id,hypothesis\nu1,घर\nu2,a\nu3,हाँ\nu2,b\nu2,c\n"),
        ),
        (
            LIST,
            ("h.trn", "घर (u1)\na (u2)\nहाँ (u3)\nb (u2)\nc (u2)\n"),
        ),
        (
            LIST,
            (
                "h.jsonl",
                "{\"id\":\"u1\",\"hypothesis\":\"घर\"}\n{\"id\":\"u2\",\"hypothesis\":\"a\"}\n\
                 {\"id\":\"u3\",\"hypothesis\":\"हाँ\"}\n{\"id\":\"u2\",\"hypothesis\":\"b\"}\n\
                 {\"id\":\"u2\",\"hypothesis\":\"c\"}\n",
            ),
        ),
    ] {
        let made = scored(&[right, heard]).unwrap();
        assert_eq!(made.heard[0], [text("घर"), text("a"), text("हाँ")]);
        // A table has a line more, its header.
        let first = if heard.0 == "h.csv" { 3 } else { 2 };
        let told = format!(
            "{} line {}: the id u2 is there again, first on line {first}; the first counts (1 \
             further line is so)",
            heard.0,
            first + 2
        );
        assert_eq!(made.remarks, [told]);
    }
    let made = scored(&[
        ("r.trn", "घर (u1)\nठीक (u2)\nहाँ (u2)\n"),
        ("h.trn", "घर (u1)\nठीक (u2)\n"),
    ]);
    let made = made.unwrap();
    assert_eq!(made.missing, ["u2#2"]);
    assert_eq!(
        made.remarks,
        ["r.trn line 3: the id u2 is there again, first on line 2; each is a sample of its own"]
    );
    // What both sides have as often is joined in order.
    let twice = "घर (u1)\nठीक (u2)\nहाँ (u2)\n";
    let made = scored(&[("r.trn", twice), ("h.trn", twice)]).unwrap();
    assert_eq!(made.heard[0], [text("घर"), text("ठीक"), text("हाँ")]);
    assert_eq!(made.remarks.len(), 1);
}

#[test]
fn ids_of_one_side_alone_are_told_for_they_count_as_words() {
    let (with, without) = ("u-1 घर जाओ\nu-2 ठीक\nu-3 हाँ\n", "घर जाओ\nठीक\nहाँ\n");
    for (right, heard) in [(with, without), (without, with)] {
        let made = scored(&[("r.txt", right), ("h.txt", heard)]).unwrap();
        let (one, other) = if right == with {
            ("r.txt", "h.txt")
        } else {
            ("h.txt", "r.txt")
        };
        let told = format!(
            "every line of {one} begins with what may be an id (u-1 …), and those of {other} do \
             not: ids count as words; give both sides ids, or take them out of {one}"
        );
        assert_eq!(made.remarks, [told]);
    }
    for same in [with, without, "1 घर\n2 घर\n", "one 2\n3 four\nfive\n"] {
        let made = scored(&[("r.txt", same), ("h.txt", same)]).unwrap();
        assert!(made.remarks.is_empty(), "{:?}", made.remarks);
    }
}

#[test]
fn odd_tables_are_told() {
    let problem = scored(&[TABLE, ("head.csv", "id,hypothesis\n")]).unwrap_err();
    assert_eq!(problem.to_string(), "head.csv: has a header and no row");
    // A sheet with a title above its header is a table as well.
    let titled = InMemory::new([TABLE, ("h.csv", "Results of May,\nu1,घर\n")]);
    let source = |name| Source {
        files: &titled,
        file: Some(name),
        name: stem(name),
    };
    let as_table = ReadOptions {
        format: Some(Format::Table),
        ..ReadOptions::default()
    };
    let problem = pairs(&source("r.csv"), &[source("h.csv")], &as_table).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "h.csv line 1: is no header: no column has a name that is known"
    );
    assert_eq!(
        problem.hint.as_deref(),
        Some("put a line like `id,hypothesis` in front")
    );
    let made = scored(&[
        TABLE,
        (
            "h.csv",
            "id,hypothesis,hypothesis\nu1,घर,x\nu2,ठीक,x\nu3,हाँ,x\n",
        ),
    ]);
    let made = made.unwrap();
    assert_eq!(made.heard[0][0], text("घर"));
    assert_eq!(
        made.remarks,
        ["h.csv: several columns are called hypothesis; the first is taken"]
    );
    let made = scored(&[
        ("r.csv", "id,text,sentence\n844424930000001,घर,x\n2,ठीक,x\n"),
        ("h.csv", "id,hypothesis\n8.44425E+14,घर\n2,ठीक\n"),
    ]);
    let made = made.unwrap();
    assert_eq!(
        made.remarks,
        [
            "r.csv: sentence is taken as the reference, and not text (--text-column chooses)",
            "h.csv: 1 id is a number like 8.44425E+14: a spreadsheet has rounded what was there",
            "1 hypothesis of h has no reference"
        ]
    );
}
