//! Results of fairseq: ids are numbers of rows, in any order.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

#[path = "support/paired.rs"]
mod paired;

use paired::{Files, rows, scored, scored_all};
use stt_eval_formats::Pairs;

const HYPO: (&str, &str) = (
    "hypo.word-best.pt-test.txt",
    "मैं घर (None-2)\n (None-0)\nठीक है (None-1)\n",
);
const REF: (&str, &str) = (
    "ref.word-best.pt-test.txt",
    "ठीक है (None-1)\nमैं घर हूँ (None-2)\nनमस्ते (None-0)\n",
);
const WRD: (&str, &str) = ("test.wrd", "नमस्ते\nठीक है\nमैं घर हूँ\n");

/// What was heard of each reference.
fn heard(made: &Pairs) -> Vec<[String; 2]> {
    let rows = rows(made, 0).into_iter();
    let mut all: Vec<[String; 2]> = rows.map(|[_, said, heard]| [said, heard]).collect();
    all.sort();
    all
}

fn wanted() -> Vec<[String; 2]> {
    let all = [["ठीक है", "ठीक है"], ["नमस्ते", ""], ["मैं घर हूँ", "मैं घर"]];
    all.map(|pair| pair.map(str::to_owned)).to_vec()
}

#[test]
fn numbers_of_rows_join_whatever_the_other_side_has() {
    let bare = |text: &str| text.replace("None-", "");
    let bare = bare(HYPO.1);
    let table = (
        "r.tsv",
        "id\ttext\nNone-0\tनमस्ते\nNone-2\tमैं घर हूँ\nNone-1\tठीक है\n",
    );
    let manifest: Files<'_> = &[
        (
            "set/test.tsv",
            "/data/set\nx/a.wav\t100\nx/b.wav\t100\nx/c.wav\t100\n",
        ),
        ("set/test.wrd", WRD.1),
        ("set/x/a.wav", ""),
        ("set/x/b.wav", ""),
        ("set/x/c.wav", ""),
    ];
    let rows_of = |name: &str| {
        format!(
            "ids of {} are the numbers of rows of {name}, from 0 on: they are paired by them",
            HYPO.0
        )
    };
    for (right, heard_in, remarks) in [
        (&[REF][..], HYPO, vec![]),
        (&[REF][..], ("h.txt", bare.as_str()), vec![]),
        (&[table][..], HYPO, vec![]),
        (&[WRD][..], HYPO, vec![rows_of("test.wrd")]),
        (manifest, HYPO, vec![rows_of("refs")]),
    ] {
        let made = scored(right, &[heard_in]).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(heard(&made), wanted(), "{} {}", right[0].0, heard_in.0);
        assert_eq!(made.remarks, remarks);
        assert_eq!(made.missing, Vec::<String>::new());
    }
}

#[test]
fn a_row_that_was_left_out_shifts_nothing() {
    let made = scored(&[WRD], &[("h.txt", "मैं घर (None-2)\nनमस्ते (None-0)\n")]).unwrap();
    let heard = rows(&made, 0).into_iter().map(|[_, _, heard]| heard);
    assert_eq!(heard.collect::<Vec<_>>(), ["नमस्ते", "-", "मैं घर"]);
    assert_eq!(made.missing, ["1"]);
    // One that the list does not have is told.
    let made = scored(&[WRD], &[("h.txt", "x (None-7)\nनमस्ते (None-0)\n")]).unwrap();
    assert_eq!(made.remarks[1], "1 hypothesis of h has no reference");
    // Two systems at once.
    let made = scored_all(
        &[WRD],
        &[&[HYPO], &[("g.txt", "ठीक (None-1)\nनमस्ते (None-0)\n")]],
    );
    let made = made.unwrap();
    assert_eq!(rows(&made, 0)[2][2], "मैं घर");
    assert_eq!(rows(&made, 1)[1][2], "ठीक");
}

#[test]
fn a_folder_of_results_has_both_sides() {
    let letters = (
        "hypo.units-best.pt-test.txt",
        "म ै ं | (None-2)\n | (None-0)\nx (None-1)\n",
    );
    let of = |name: &str| format!("out/{name}");
    let all = [HYPO, REF, letters].map(|(name, text)| (of(name), text));
    let all: Vec<(&str, &str)> = all
        .iter()
        .map(|(name, text)| (name.as_str(), *text))
        .collect();
    let made = scored_all(&all, &[]).unwrap_or_else(|problem| panic!("{problem}"));
    assert_eq!(made.systems, ["hypo.word-best.pt-test"]);
    assert_eq!(heard(&made), wanted());
    // As hypotheses only what was heard is taken of it.
    let made = scored(&[WRD], &all).unwrap_or_else(|problem| panic!("{problem}"));
    assert_eq!(heard(&made), wanted());
}
