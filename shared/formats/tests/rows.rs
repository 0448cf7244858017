//! Tables whose rows stand in another order than the references: by what they are paired where no
//! column has a name of ids, and that it is told.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

#[path = "support/paired.rs"]
mod paired;

use paired::{rows, scored, told};
use stt_eval_formats::Pairs;

/// Whether every reference has what was heard of it.
fn is_right(made: &Pairs, system: usize) -> bool {
    let rows = rows(made, system);
    rows.iter().all(|[_, one, other]| one == other)
}

#[test]
fn columns_of_one_name_are_told() {
    let made = scored(
        &[("r.csv", "id,text,text\nu1,one,two\n")],
        &[("h.csv", "id,hypothesis\nu1,one\n")],
    );
    let made = made.unwrap();
    assert_eq!(rows(&made, 0), [["u1", "one", "one"].map(str::to_owned)]);
    assert_eq!(
        made.remarks[0],
        "r.csv has more than one column \"text\": the first counts"
    );
}

#[test]
fn a_column_of_any_name_joins_tables_where_its_values_are_the_same() {
    let right = (
        "r.csv",
        "nr,clipno,text\n1,A-7,one\n2,B-3,two\n3,C-1,three\n",
    );
    let heard = (
        "h.csv",
        "nr,clipno,prediction\n1,c-1,three\n2,A-7,one\n3,B-3,two\n",
    );
    let made = scored(&[right], &[heard]).unwrap();
    assert!(
        rows(&made, 0).iter().all(|[_, one, other]| one == other),
        "{made:?}"
    );
    assert_eq!(
        made.remarks,
        [
            "no column of r.csv and h.csv is known to name samples: rows are paired by \"clipno\", \
          which has the same values in each; \"nr\" would pair them otherwise"
        ]
    );
    assert!(
        made.samples
            .iter()
            .all(|sample| sample.field("clipno").is_none())
    );
    // A row that nobody heard is one; JSON lines have such columns as well.
    let fewer = (
        "h.jsonl",
        "{\"clipno\": \"C-1\", \"pred\": \"three\"}\n{\"clipno\": \"A-7\", \"pred\": \"one\"}\n",
    );
    let made = scored(&[right], &[fewer]).unwrap();
    let heard: Vec<String> = rows(&made, 0)
        .into_iter()
        .map(|[_, _, heard]| heard)
        .collect();
    assert_eq!(
        (heard, made.missing),
        (
            ["one", "-", "three"].map(str::to_owned).to_vec(),
            vec!["B-3".to_owned()]
        )
    );
    // What differs, comes twice or is the text itself joins nothing.
    for (right, heard) in [
        (
            "mos,text\n1.5,one\n2.5,two\n",
            "mos,prediction\n2.5,one\n3.5,two\n",
        ),
        (
            "site,text\nx,one\nx,two\n",
            "site,prediction\nx,one\nx,two\n",
        ),
        ("text,mos\none,1\ntwo,2\n", "text,dur\none,2\ntwo,1\n"),
        ("site,text\nx,one\n,two\n", "site,prediction\nx,one\n,two\n"),
    ] {
        let made = scored(&[("r.csv", right)], &[("h.csv", heard)]).unwrap();
        assert!(
            rows(&made, 0).iter().all(|[_, one, other]| one == other),
            "{right}"
        );
        assert!(
            !made.remarks.iter().any(|one| one.contains("paired by")),
            "{:?}",
            made.remarks
        );
    }
}

#[test]
fn a_column_joins_where_ids_only_count_rows() {
    let (by_id, by_index) = (
        "id,ticket,text\n1,T9,one\n2,T7,two\n3,T5,three\n",
        ",ticket,text\n0,T9,one\n1,T7,two\n2,T5,three\n",
    );
    let (bare, counted) = (
        "ticket,prediction\nT5,three\nT9,one\nT7,two\n",
        "id,ticket,prediction\n1,T5,three\n2,T9,one\n3,T7,two\n",
    );
    let with_text = "ticket,text\nT9,one\nT7,two\nT5,three\n";
    for (right, heard) in [(by_id, bare), (by_index, bare), (with_text, counted)] {
        let made = scored(&[("r.csv", right)], &[("h.csv", heard)]).unwrap();
        assert!(is_right(&made, 0), "{right}{heard}");
        assert!(
            made.remarks[0].contains("paired by \"ticket\""),
            "{:?}",
            made.remarks
        );
    }
    // Another file changes nothing of it, and one of names that is not there no more.
    let lines = ("g.txt", "one\ntwo\nthree\n");
    let made = scored_with(("r.csv", with_text), &[("h.csv", bare), lines]);
    assert!(is_right(&made, 0) && is_right(&made, 1), "{made:?}");
    let other = bare.replace("T7,two", "T8,two");
    let made = scored(&[("r.csv", with_text)], &[("h.csv", &other)]).unwrap();
    assert_eq!(made.missing, ["T7"]);
    let heard: Vec<String> = rows(&made, 0)
        .into_iter()
        .map(|[_, _, heard]| heard)
        .collect();
    assert_eq!(heard, ["one", "-", "three"]);
    // Labels of rows give way to names, which is told.
    let right = "line,ticket,text\nL1,T9,one\nL2,T7,two\n";
    let heard = "line,ticket,prediction\nL1,T7,two\nL2,T9,one\n";
    let made = scored(&[("r.csv", right)], &[("h.csv", heard)]).unwrap();
    assert!(is_right(&made, 0), "{made:?}");
    let remark = &made.remarks[0];
    assert!(
        remark.ends_with("; \"line\" would pair them otherwise"),
        "{remark}"
    );
}

#[test]
fn the_index_of_pandas_tells_where_a_row_was() {
    let right = ("r.csv", ",text\n0,one\n1,two\n2,three\n");
    for first in ["", "Unnamed: 0"] {
        let heard = format!("{first},pred\n2,three\n0,one\n1,two\n");
        let made = scored(&[right], &[("h.csv", &heard)]).unwrap();
        assert!(is_right(&made, 0), "{made:?}");
        assert!(
            made.remarks[0].contains("paired by number"),
            "{:?}",
            made.remarks
        );
        let shuffled = "\u{feff},text\n1,two\n2,three\n0,one\n";
        let made = scored(&[("r.csv", shuffled)], &[("h.csv", &heard)]).unwrap();
        assert!(is_right(&made, 0), "{made:?}");
    }
    // An order that nothing confirms is told.
    let right = ("r.csv", "id,site,text\n1,x,one\n2,x,two\n");
    let heard = ("h.csv", "mos,pred\n4,one\n4,two\n");
    let made = scored(&[right], &[heard]).unwrap();
    let told = "ids of r.csv only count rows, and no column of h.csv is known to name samples";
    assert!(made.remarks[0].starts_with(told), "{:?}", made.remarks);
}

#[test]
fn recordings_join_what_ids_do_not() {
    let export = "{\"id\": \"smp_2\", \"audio\": \"c2.wav\", \"text\": \"two\"}\n\
                  {\"id\": \"smp_1\", \"audio\": \"set/c1.wav\", \"text\": \"one\"}\n";
    for (right, heard) in [
        (("r.csv", "id,text\nc1,one\nc2,two\n"), ("h.jsonl", export)),
        (
            ("r.csv", "id,file,text\nx1,c1.wav,one\nx2,c2.wav,two\n"),
            ("h.csv", "file,hypothesis\nc2.wav,two\nc1.wav,one\n"),
        ),
    ] {
        let made = scored(&[right], &[heard]).unwrap();
        assert!(is_right(&made, 0), "{made:?}");
        let told = "have nothing in common: rows are paired by their recordings";
        assert!(
            made.remarks.iter().any(|one| one.ends_with(told)),
            "{:?}",
            made.remarks
        );
    }
    // Other recordings are another set, and so are those of which few are the same.
    let few = (
        "h.csv",
        "file,hypothesis\nc2.wav,two\nd1.wav,one\nd3.wav,x\n",
    );
    let many = (
        "r.csv",
        "id,file,text\nx1,c1.wav,one\nx2,c2.wav,two\nx3,c3.wav,x\n",
    );
    assert!(scored(&[many], &[few]).is_err());
    let heard = ("h.csv", "file,hypothesis\nd2.wav,two\nd1.wav,one\n");
    let right = ("r.csv", "id,file,text\nx1,c1.wav,one\nx2,c2.wav,two\n");
    let problem = scored(&[right], &[heard]).unwrap_err();
    assert!(
        told(&problem).contains("share no ids"),
        "{}",
        told(&problem)
    );
}

#[test]
fn empty_rows_of_a_spreadsheet_are_none() {
    let right = ("r.csv", "id,text\na,one\nb,two\n,\n,\n");
    let heard = ("h.csv", "id,hypothesis\nb,two\n,\na,one\n");
    let made = scored(&[right], &[heard]).unwrap();
    assert!(is_right(&made, 0) && made.samples.len() == 2, "{made:?}");
    // Where nothing names samples, a row without a word has its place.
    let right = ("r.csv", "text,mos\none,1\ntwo,2\n");
    let heard = ("h.csv", "prediction,dur\n,\ntwo,2\n");
    let made = scored(&[right], &[heard]).unwrap();
    assert_eq!(rows(&made, 0)[0][2], "");
}

fn scored_with(right: (&str, &str), heard: &[(&str, &str)]) -> Pairs {
    let all: Vec<_> = heard.iter().map(std::slice::from_ref).collect();
    paired::scored_all(&[right], &all).unwrap()
}
