//! Tables with a column of hypotheses for each system, beside references of their own.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use proptest::prelude::*;
use stt_eval_formats::files::{InMemory, stem};
use stt_eval_formats::transcripts::ReadOptions;
use stt_eval_formats::write::{self, Written};
use stt_eval_formats::{Code, Hypothesis, Pairs, Problem, Source, pairs};

fn scored(files: &InMemory, right: &str, heard: &[&str], hyp: &[&str]) -> Result<Pairs, Problem> {
    let source = |name| Source {
        files,
        file: Some(name),
        name: stem(name),
    };
    let heard: Vec<Source<'_>> = heard.iter().map(|name| source(*name)).collect();
    let wanted = ReadOptions {
        hypotheses: hyp.iter().map(|name| (*name).to_owned()).collect(),
        ..ReadOptions::default()
    };
    pairs(&source(right), &heard, &wanted)
}

fn text(text: &str) -> Hypothesis {
    Hypothesis::Text(text.into())
}

const REFERENCES: (&str, &str) = ("refs.csv", "id,text\nu1,घर जाओ\nu2,ठीक है\nu3,हाँ\n");

#[test]
fn every_column_that_can_be_nothing_else_is_a_system() {
    let wide = [
        (
            "hyps.csv",
            "id,audio,language,duration,model_a,model_b,model_a_wer,gender,latency_ms\n\
             u2,u2.wav,hi,1.5,ठीक,ठीक है,0.5,female,812\n\
             u1,u1.wav,hi,1.5,घर जाओ,,0,male,640\n\
             u9,u9.wav,hi,1.5,और,और,1,male,20\n",
        ),
        (
            "hyps.tsv",
            "utt_id\tmodel_a\tmodel_b\nu2\tठीक\tठीक है\nu1\tघर जाओ\t\nu9\tx\ty\n",
        ),
        (
            "hyps.jsonl",
            "{\"id\":\"u2\",\"model_a\":\"ठीक\",\"model_b\":\"ठीक है\",\"cost_usd\":0.01}\n\
             {\"id\":\"u1\",\"model_a\":\"घर जाओ\",\"model_b\":\"\",\"cost_usd\":0.01}\n\
             {\"id\":\"u9\",\"model_a\":\"घर\",\"model_b\":\"\",\"cost_usd\":0.01}\n",
        ),
        // The table that the references were taken from.
        (
            "hyps-and-refs.csv",
            "id,reference,model_a,model_b\nu1,घर जाओ,घर जाओ,\nu2,ठीक है,ठीक,ठीक है\nu9,x,x,x\n",
        ),
    ];
    for one in wide {
        let files = InMemory::new([REFERENCES, one]);
        let made = scored(&files, "refs.csv", &[one.0], &[]).unwrap();
        assert_eq!(made.systems, ["model_a", "model_b"], "{}", one.0);
        let heard = [
            vec![text("घर जाओ"), text("ठीक"), Hypothesis::Missing],
            vec![text(""), text("ठीक है"), Hypothesis::Missing],
        ];
        assert_eq!(made.heard, heard, "{}", one.0);
        assert_eq!(made.missing, ["u3"]);
        assert!(
            made.remarks[0].contains("taken as what systems heard: model_a, model_b"),
            "{:?}",
            made.remarks
        );
        // Once, and not for each system.
        let strangers = format!("1 row of {} has no reference", one.0);
        let told = made.remarks.iter().filter(|remark| **remark == strangers);
        assert_eq!(told.count(), 1, "{:?}", made.remarks);
    }
    let files = InMemory::new([REFERENCES, wide[0]]);
    let made = scored(&files, "refs.csv", &["hyps.csv"], &[]).unwrap();
    assert!(
        made.remarks[0].contains("not model_a_wer, gender, latency_ms (--hyp chooses)"),
        "{:?}",
        made.remarks
    );
}

#[test]
fn columns_are_chosen_in_the_table_of_hypotheses() {
    let files = InMemory::new([
        REFERENCES,
        (
            "a.csv",
            "id,text,base,large\nu1,घर,घर जाओ,घर जाओ\nu2,है,ठीक,\nu3,x,हाँ,हाँ\n",
        ),
        ("b.csv", "id,base\nu1,घर\nu2,ठीक\nu3,हाँ\n"),
        ("c.trn", "घर (u1)\nठीक (u2)\nहाँ (u3)\n"),
    ]);
    let of = |heard: &[&str], hyp: &[&str]| scored(&files, "refs.csv", heard, hyp);
    let made = of(&["a.csv"], &["large"]).unwrap();
    assert_eq!(
        (made.systems, &made.heard[0][1]),
        (vec!["large".to_owned()], &text(""))
    );
    // A text is what was heard; that others could be as well is told.
    let made = of(&["a.csv"], &[]).unwrap();
    assert_eq!(
        (made.systems, &made.heard[0][2]),
        (vec!["a".to_owned()], &text("x"))
    );
    assert!(
        made.remarks[0].contains("text is taken as what was heard, and not base, large"),
        "{:?}",
        made.remarks
    );
    // Of several tables each has those that it has; the others are one system each.
    let made = of(&["a.csv", "b.csv", "c.trn"], &["base", "large"]).unwrap();
    assert_eq!(made.systems, ["base", "large", "b", "c"]);
    // Two tables with the same models.
    let files = InMemory::new([
        REFERENCES,
        ("old.csv", "id,base,large\nu1,घर,घर\n"),
        ("new.csv", "id,base,large\nu1,घर,घर\n"),
    ]);
    let made = scored(&files, "refs.csv", &["old.csv", "new.csv"], &[]).unwrap();
    assert_eq!(
        made.systems,
        ["base", "large", "base (new.csv)", "large (new.csv)"]
    );
}

#[test]
fn a_column_that_is_named_twice_is_one_system() {
    let files = InMemory::new([
        REFERENCES,
        (
            "hyps.csv",
            "id,base,large\nu1,घर,घर\nu2,ठीक है,ठीक\nu3,हाँ,हाँ\n",
        ),
        ("wide.csv", "id,text,base,large\nu1,घर,घर,घर\n"),
    ]);
    for (right, heard) in [("refs.csv", &["hyps.csv"][..]), ("wide.csv", &[])] {
        let made = scored(&files, right, heard, &["base", "large", "base"]).unwrap();
        assert_eq!(made.systems, ["base", "large"], "{right}");
        assert_eq!(made.remarks, Vec::<String>::new());
    }
}

#[test]
fn hypotheses_of_several_formats_are_told_with_theirs() {
    let files = InMemory::new([
        ("refs.stm", "c A s 0.0 1.0 घर जाओ\n"),
        ("a.stm", "c A s 0.0 1.0 घर\n"),
        ("b.stm", "c A s 0.0 1.0 जाओ\n"),
        ("b.ctm", "c A 0.1 0.2 घर\nc A 0.4 0.2 जाओ\n"),
    ]);
    let of = |heard: &[&str]| {
        let made = scored(&files, "refs.stm", heard, &[]);
        made.unwrap().remarks
    };
    assert_eq!(of(&["a.stm", "b.stm"]), Vec::<String>::new());
    let told = "hypotheses are of several formats: a.stm is read as STM, b.ctm is read as CTM";
    assert_eq!(of(&["a.stm", "b.ctm"]), [told]);
}

#[test]
fn a_lone_column_is_the_system_of_its_table() {
    let files = InMemory::new([
        REFERENCES,
        (
            "whisper.csv",
            "id,output,duration\nu1,घर,1\nu2,ठीक,1\nu3,हाँ,1\n",
        ),
        ("digits.csv", "id,output\nu1,1\nu2,2\nu3,3\n"),
        (
            "long.csv",
            "id,model,text\nu1,a,घर जाओ\nu1,b,घर\nu2,a,ठीक है\nu3,b,हाँ\n",
        ),
    ]);
    let of = |heard: &str| scored(&files, "refs.csv", &[heard], &[]).unwrap();
    for name in ["whisper", "digits"] {
        let made = of(&format!("{name}.csv"));
        assert_eq!((made.systems.len(), made.missing.len()), (1, 0));
        assert_eq!(made.systems[0], name);
    }
    let long = of("long.csv");
    assert_eq!(long.systems, ["a", "b"]);
    assert_eq!(long.heard[1][1], Hypothesis::Missing);
}

#[test]
fn a_column_that_is_not_there_is_told() {
    let files = InMemory::new([
        REFERENCES,
        ("hyps.csv", "id,base,large\nu1,घर,घर\n"),
        ("h.trn", "घर (u1)\n"),
        ("facts.csv", "id,gender,notes\nu1,male,x\n"),
        ("other.csv", "id,base,large\nw1,घर,घर\n"),
        ("wide.csv", "id,text,base,large,gender\nu1,घर,घर,घर,male\n"),
    ]);
    for (right, heard, hyp, code, wanted) in [
        (
            "refs.csv",
            &["hyps.csv"][..],
            &["small"][..],
            Code::ChooseColumn,
            "hyps.csv: has no column \"small\"; there are id, base, large. --hyp with one of these",
        ),
        (
            "refs.csv",
            &["hyps.csv", "h.trn"],
            &["base", "small"],
            Code::ChooseColumn,
            "no column \"small\" is in hyps.csv, h.trn. --hyp names columns of tables; other \
             sources are one system each",
        ),
        (
            "refs.csv",
            &["h.trn"],
            &["base"],
            Code::ChooseColumn,
            "no column \"base\" is in h.trn. --hyp names columns of tables; other sources are one \
             system each",
        ),
        (
            "refs.csv",
            &["facts.csv"],
            &[],
            Code::ChooseColumn,
            "facts.csv: no column could be a hypothesis; there are id, gender, notes. --hyp with \
             one of these, or with several: A,B",
        ),
        (
            "refs.csv",
            &["other.csv"],
            &[],
            Code::Mismatch,
            "refs.csv and other.csv share no ids (refs.csv: u1 …, 3 ids; other.csv: w1 …, 1 id)",
        ),
        (
            "wide.csv",
            &[],
            &[],
            Code::ChooseColumn,
            "wide.csv has no column of a hypothesis. name a file of hypotheses, or columns with \
             --hyp base,large",
        ),
    ] {
        let problem = scored(&files, right, heard, hyp).unwrap_err();
        let hint = problem.hint.iter().map(|hint| format!(". {hint}"));
        let told = problem.to_string() + &hint.collect::<String>();
        assert_eq!((problem.code, told.as_str()), (code, wanted));
    }
}

fn samples() -> impl Strategy<Value = Vec<Written>> {
    let text = || "[अ-ऊa-e ,\"']{0,12}";
    let one = (text(), text(), text());
    prop::collection::vec(one, 1..12).prop_map(|all| {
        let of = |((reference, one, other), n): ((String, String, String), u32)| Written {
            id: format!("utt-{n}"),
            reference: Some(reference),
            heard: vec![Some(one), Some(other)],
            ..Written::default()
        };
        all.into_iter().zip(1..).map(of).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A table that is cut into its references and its hypotheses, in another order of rows.
    #[test]
    fn a_wide_table_counts_the_same_in_one_piece_and_in_two(samples in samples(), turn in 0_usize..12) {
        let systems = ["one".to_owned(), "two-b".to_owned()];
        let whole = write::csv(&systems, &samples, false);
        let bare = |cells: &dyn Fn(&Written) -> Vec<String>, header: &str| {
            let quoted = |cell: String| format!("\"{}\"", cell.replace('"', "\"\""));
            let line = |sample: &Written| cells(sample).into_iter().map(quoted).collect::<Vec<_>>().join(",");
            let mut rows: Vec<String> = samples.iter().map(line).collect();
            let places = rows.len();
            rows.rotate_left(turn % places);
            format!("{header}\n{}\n", rows.join("\n"))
        };
        let refs = bare(&|sample| vec![sample.id.clone(), sample.reference.clone().unwrap_or_default()], "id,text");
        let hyps = bare(&|sample| {
            let heard = sample.heard.iter().cloned().map(Option::unwrap_or_default);
            std::iter::once(sample.id.clone()).chain(heard).collect()
        }, "id,one,two-b");
        let files = InMemory::new([("w.csv", whole), ("r.csv", refs), ("h.csv", hyps)]);
        let one = scored(&files, "w.csv", &[], &["one", "two-b"]).unwrap();
        for hyp in [&[][..], &["one", "two-b"]] {
            let two = scored(&files, "r.csv", &["h.csv"], hyp).unwrap();
            prop_assert_eq!(&two.systems, &one.systems);
            prop_assert!(two.missing.is_empty());
            for (at, sample) in one.samples.iter().enumerate() {
                let other = two.samples.iter().position(|other| other.id == sample.id).unwrap();
                prop_assert_eq!(&two.samples[other].reference, &sample.reference);
                for (a, b) in one.heard.iter().zip(&two.heard) {
                    prop_assert_eq!(&b[other], &a[at]);
                }
            }
        }
    }
}
