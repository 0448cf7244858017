//! By what references and hypotheses are paired: ids that both sides know, and never an order
//! that is a guess, unless that is told.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

#[path = "support/paired.rs"]
mod paired;

use paired::{Files, rows, scored, scored_as, told};
use stt_eval_formats::files::InMemory;
use stt_eval_formats::transcripts::ReadOptions;
use stt_eval_formats::{Code, Format, Hypothesis, Source, pairs};

const RESULTS: Files<'static> = &[
    ("greeting.json", "{\"text\": \"hello there\"}"),
    ("time.json", "{\"text\": \"what time\"}"),
    ("weather.json", "{\"text\": \"the weather\"}"),
];

#[test]
fn files_are_joined_with_lines_that_begin_with_their_names() {
    for lines in [
        "weather\tthe weather\ngreeting\thello there\ntime\twhat time\n",
        "weather the weather\ngreeting hello there\ntime what time\n",
        "Weather.wav\tthe weather\ngreeting.wav\thello there\ntime.wav\twhat time\n",
    ] {
        let made = scored(&[("refs.tsv", lines)], RESULTS).unwrap();
        for [_, reference, heard] in rows(&made, 0) {
            assert_eq!(reference, heard, "{lines}");
        }
        assert!(made.missing.is_empty() && made.remarks.is_empty());
    }
    // The other way round, and with one that is not there.
    let lines = "weather\tthe weather\ntime\twhat time\n";
    let made = scored(RESULTS, &[("hyps.tsv", lines)]).unwrap();
    assert_eq!(made.missing, ["greeting"]);
    assert_eq!(made.heard[0][2], Hypothesis::Text("the weather".into()));
}

#[test]
fn files_of_a_folder_have_no_order() {
    let plain = "the weather\nhello there\nwhat time\n";
    let other = "rain\tthe weather\nname\thello there\nage\twhat time\n";
    for (lines, wanted) in [
        (
            plain,
            "refs.txt has 3 lines without ids, and hyps has 3 files, one for each recording \
             (greeting …): which line is of which file is not known. begin each line of refs.txt \
             with the name of its file and a TAB",
        ),
        (
            other,
            "refs.txt and hyps share no ids (refs.txt: rain …, 3 ids; hyps: greeting …, 3 ids). \
             where lines have no ids, say so with --format lines",
        ),
    ] {
        let problem = scored(&[("refs.txt", lines)], RESULTS).unwrap_err();
        assert_eq!(problem.code, Code::Mismatch);
        assert_eq!(told(&problem), wanted);
    }
    // A table without ids is in no better place.
    let table = "text,language\nthe weather,en\nhello there,en\nwhat time,en\n";
    assert!(scored(&[("r.csv", table)], RESULTS).is_err());
}

#[test]
fn numbers_of_files_are_those_of_lines() {
    let lines: String = (1..=11)
        .map(|n| format!("line number {n} of all\n"))
        .collect();
    let names: Vec<String> = (1..=11).map(|n| format!("{n}.txt")).collect();
    let texts: Vec<String> = (1..=11)
        .map(|n| format!("line number {n} of all"))
        .collect();
    let heard: Vec<(&str, &str)> = names
        .iter()
        .zip(&texts)
        .map(|(a, b)| (&**a, &**b))
        .collect();
    for (right, own) in [
        (&[("refs.txt", lines.as_str())][..], &heard[..]),
        (&heard[..], &[("hyps.txt", lines.as_str())][..]),
    ] {
        let made = scored(right, own).unwrap();
        for [_, reference, heard] in rows(&made, 0) {
            assert_eq!(reference, heard);
        }
        assert_eq!(made.remarks.len(), 1, "{:?}", made.remarks);
        assert!(made.remarks[0].contains("paired by number"));
    }
    // Numbers that are those of no lines are not.
    let few = [("1.txt", "a"), ("2.txt", "b"), ("10.txt", "c")];
    assert!(scored(&[("refs.txt", "a\nb\nc\n")], &few).is_err());
    let table = "id,hypothesis\n3,c\n1,a\n2,b\n";
    let made = scored(&[("refs.txt", "a\nb\nc\n")], &[("h.csv", table)]).unwrap();
    assert!(rows(&made, 0).iter().all(|[_, one, other]| one == other));
}

#[test]
fn an_order_that_is_taken_for_a_pairing_is_told() {
    let lines = ("refs.txt", "a b\nc d\n");
    for (heard, remark) in [
        (
            ("h.csv", "id,hypothesis\nu1,a b\nu2,c d\n"),
            Some("h.csv has ids (u1 …), and refs.txt has none: they are paired line by line"),
        ),
        (("h.csv", "hypothesis,latency\na b,1\nc d,2\n"), None),
        (("h.txt", "a b\nc d\n"), None),
    ] {
        let made = scored(&[lines], &[heard]).unwrap();
        assert_eq!(
            made.remarks.len(),
            usize::from(remark.is_some()),
            "{:?}",
            made.remarks
        );
        let is_told = |remark: &str| made.remarks.iter().any(|told| told.starts_with(remark));
        assert!(remark.is_none_or(is_told), "{:?}", made.remarks);
    }
    let made = scored(
        &[("r.csv", "foo,text\nx,a b\ny,c d\n")],
        &[("h.csv", "bar,prediction\nx,a b\ny,c d\n")],
    );
    let remarks = made.unwrap().remarks;
    assert!(
        remarks[0].starts_with("no column of r.csv and h.csv is known to name")
            && remarks[0].contains("rows are paired in the order"),
        "{remarks:?}"
    );
}

#[test]
fn lines_that_begin_with_numbers_keep_them() {
    let right = "9845 123 456\n10 20 30\n77 1\n5 6 7\n12 13\n";
    let heard = "9845 123 456\n10 20 30\n78 1\n5 6 7\n13 13\n";
    for format in [None, Some(Format::Lines)] {
        for heard in [heard, right] {
            let made = scored_as(&[("r.txt", right)], &[("h.txt", heard)], format).unwrap();
            assert_eq!(made.references, Format::Lines);
            assert_eq!(&*made.samples[0].reference, "9845 123 456");
            assert_eq!(made.remarks.len(), usize::from(format.is_none()));
            assert!(made.missing.is_empty());
        }
    }
    let words = "e-mail me\nco-op shop\nx-ray him\n";
    let made = scored(&[("r.txt", words)], &[("h.txt", words)]).unwrap();
    assert_eq!(made.references, Format::Lines);
    assert!(
        made.remarks[0].contains("--format kaldi_text"),
        "{:?}",
        made.remarks
    );
    // Lines are lines, whatever they begin with.
    let ids = "u1 a\nu2 b\nu3 c\n";
    for format in [None, Some(Format::Lines)] {
        let made = scored_as(&[("r.txt", ids)], &[("h.txt", ids)], format).unwrap();
        let wanted = format.unwrap_or(Format::KaldiText);
        assert_eq!((made.references, made.hypotheses), (wanted, wanted));
    }
}

#[test]
fn first_words_that_both_sides_have_in_another_order_are_ids() {
    for (right, heard, is_told) in [
        // Behind a TAB, in whatever order.
        ("time\tx y\nweather\tz\n", "weather\tz\ntime\tx y\n", false),
        ("time\tx y\nweather\tz\n", "time\tx y\nweather\tz\n", false),
        ("time\tx y\nweather\tz\n", "weather z\ntime x y\n", false),
        // Numbers of lines, and others.
        ("1 x\n2 y\n3 z\n", "3 z\n1 x\n2 y\n", false),
        ("71 x\n52 y\n93 z\n", "93 z\n71 x\n52 y\n", true),
        ("71 x\n52 y\n93 z\n", "52 y\n93 z\n", true),
        (
            "time x\nweather y\nage z\n",
            "age z\ntime x\nweather y\n",
            true,
        ),
    ] {
        let made = scored(&[("r.txt", right)], &[("h.txt", heard)]).unwrap();
        assert_eq!(made.hypotheses, Format::KaldiText, "{right}");
        let same = rows(&made, 0)
            .iter()
            .filter(|[_, one, other]| one == other)
            .count();
        assert_eq!(same, heard.lines().count(), "{right}");
        assert_eq!(
            made.remarks.len(),
            usize::from(is_told),
            "{:?}",
            made.remarks
        );
    }
    // Nothing of both.
    let problem = scored(
        &[("r.tsv", "a\tx\nb\ty\nc\tz\n")],
        &[("h.tsv", "d\tx\ne\ty\nf\tz\n")],
    );
    assert!(told(&problem.unwrap_err()).starts_with("r.tsv and h.tsv share no ids (r.tsv: a …, 3"));
    // Sentences in two files of different lengths are none, though they begin alike.
    assert!(scored(&[("r.txt", "a x\nb y\nc z\n")], &[("h.txt", "a x\nc z\n")]).is_err());
}

#[test]
fn folders_tell_recordings_of_one_name_apart() {
    let table = |rows: &[(&str, &str)], text: &str| {
        let line = |(path, said): &(&str, &str)| format!("{path},{said}\n");
        format!("file_name,{text}\n") + &rows.iter().map(line).collect::<String>()
    };
    let right = table(
        &[("a/1.wav", "alpha"), ("b/1.wav", "beta"), ("b/2.wav", "c")],
        "text",
    );
    for heard in [
        &[("b/1.wav", "beta"), ("b/2.wav", "c"), ("a/1.wav", "alpha")][..],
        &[
            ("/data/set/b/1.wav", "beta"),
            ("/data/set/a/1.mp3", "alpha"),
            ("/data/set/b/2.wav", "c"),
        ],
        &[
            ("D:\\b\\1.wav", "beta"),
            ("D:\\a\\1.wav", "alpha"),
            ("D:\\b\\2.wav", "c"),
        ],
    ] {
        let heard = table(heard, "hypothesis");
        let made = scored(&[("r.csv", &right)], &[("h.csv", &heard)]).unwrap();
        let all = [
            ["a/1", "alpha", "alpha"],
            ["b/1", "beta", "beta"],
            ["2", "c", "c"],
        ];
        assert_eq!(rows(&made, 0), all.map(|row| row.map(String::from)));
        assert!(made.remarks.is_empty(), "{:?}", made.remarks);
    }
    // One that says nothing of folders is told.
    let bare = "id,hypothesis\n1,alpha\n1,beta\n2,c\n";
    let made = scored(&[("r.csv", &right)], &[("h.csv", bare)]).unwrap();
    assert!(
        made.remarks
            .iter()
            .any(|told| told.contains("the id 1 is there again"))
    );
    // Folders of the same files, one of which was not recognised.
    let folders = [
        ("b1/sent_1.txt", "one"),
        ("b1/sent_2.txt", "two"),
        ("b2/sent_1.txt", "three"),
        ("b2/sent_2.txt", "four"),
        ("b3/sent_1.txt", "five"),
        ("b3/sent_2.txt", "six"),
    ];
    let made = scored(&folders, &folders[2..]).unwrap();
    assert_eq!(made.missing, ["b1/sent_1", "b1/sent_2"]);
    assert!(
        rows(&made, 0)[2..]
            .iter()
            .all(|[_, one, other]| one == other)
    );
    let made = scored(&folders, &folders[4..]).unwrap();
    assert_eq!(made.missing.len(), 4);
    assert!(
        rows(&made, 0)[4..]
            .iter()
            .all(|[_, one, other]| one == other)
    );
}

#[test]
fn offsets_tell_pieces_of_one_recording_apart() {
    let line = |start: &str, field: &str, text: &str| {
        format!(
            "{{\"audio_filepath\": \"call.wav\", \"offset\": {start}, \"duration\": 2.0, \
             \"{field}\": \"{text}\"}}\n"
        )
    };
    let right = line("0.0", "text", "a") + &line("2.5", "text", "b") + &line("7", "text", "c");
    let heard = line("7.0", "pred_text", "c") + &line("0", "pred_text", "a");
    let made = scored(&[("r.json", &right)], &[("h.json", &heard)]).unwrap();
    let all = [
        ["call@0", "a", "a"],
        ["call@2.5", "b", "-"],
        ["call@7", "c", "c"],
    ];
    assert_eq!(rows(&made, 0), all.map(|row| row.map(String::from)));
    assert_eq!(made.missing, ["call@2.5"]);
}

#[test]
fn columns_of_other_names_are_ids_where_each_row_has_its_own() {
    for name in [
        "clip_id",
        "utterance",
        "Utt",
        "key",
        "sample",
        "name",
        "uid",
        "segment_id",
        "recording_id",
        "index",
        "Sentence-ID",
    ] {
        let right = format!("{name},text\na9,one\nb7,two\nc5,three\n");
        let heard = format!("{name},prediction\nc5,three\na9,one\nb7,two\n");
        let made = scored(&[("r.csv", &right)], &[("h.csv", &heard)]).unwrap();
        assert!(
            rows(&made, 0).iter().all(|[_, one, other]| one == other),
            "{name}"
        );
        assert!(made.remarks.is_empty(), "{name}: {:?}", made.remarks);
        // It is none of the systems either.
        let heard = heard.replace("prediction\n", "whisper,duration\n");
        let heard = ["one", "two", "three"]
            .iter()
            .fold(heard, |all, text| all.replace(text, &format!("{text},1")));
        let made = scored(&[("r.csv", &right)], &[("h.csv", &heard)]).unwrap();
        assert_eq!(made.systems, ["h"], "{name}");
    }
    let lines = |field: &str| {
        format!("{{\"key\": \"b\", \"{field}\": \"x\"}}\n{{\"key\": \"a\", \"{field}\": \"y\"}}\n")
    };
    let made = scored(&[("r.jsonl", &lines("text"))], RESULTS);
    assert!(told(&made.unwrap_err()).contains("share no ids (r.jsonl: b …, 2 ids"));
    // Names of speakers come again, and are no ids.
    let right = "name,text\nasha,one\nravi,two\nasha,three\n";
    let heard = "name,prediction\nasha,one\nravi,two\nasha,three\n";
    let made = scored(&[("r.csv", right)], &[("h.csv", heard)]).unwrap();
    assert!(made.remarks[0].starts_with("no column of r.csv and h.csv is known"));
}

#[test]
fn a_header_of_one_column_is_no_text() {
    for (right, heard) in [
        ("reference\na\nb\n", "prediction\na\nb\n"),
        ("text\na\n\n", "Hypothesis\na\n\n"),
        (
            "reference\n\"a\"\n\"b, \"\"c\"\"\"\n",
            "hypothesis\na\n\"b, \"\"c\"\"\"\n",
        ),
        ("text\na\nb\n", "hypothesis,latency_ms\na,1\nb,2\n"),
    ] {
        let made = scored(&[("r.csv", right)], &[("h.csv", heard)]).unwrap();
        assert_eq!(made.samples.len(), 2, "{right}");
        let all = rows(&made, 0);
        assert!(all.iter().all(|[_, one, other]| one == other), "{all:?}");
        assert!(made.remarks[0].starts_with("first lines are headers, and no texts: "));
    }
    // Not of one side alone, which is told, and not where lines are asked for.
    let made = scored(&[("r.txt", "text\nb\n")], &[("h.txt", "test\nb\n")]).unwrap();
    assert_eq!((made.samples.len(), made.remarks.len()), (2, 1));
    let lines = Some(Format::Lines);
    let made = scored_as(&[("r.txt", "text\nb\n")], &[("h.txt", "text\nb\n")], lines);
    assert_eq!(made.unwrap().samples.len(), 2);
}

#[test]
fn folders_with_the_same_files_are_systems() {
    let right = &[("r.tsv", "u1\tone\nu2\ttwo\n")];
    let made = scored(
        right,
        &[
            ("A/u1.txt", "one"),
            ("A/u2.txt", "x"),
            ("B/u1.json", "{\"text\": \"one\"}"),
            ("B/u2.json", "{\"status\": \"error\", \"error\": \"quota\"}"),
        ],
    );
    let made = made.unwrap();
    assert_eq!(made.systems, ["A", "B"]);
    assert_eq!(rows(&made, 0)[1][2], "x");
    assert_eq!(rows(&made, 1)[1][2], "failed: quota");
    assert_eq!(
        made.remarks,
        ["hyps has the same files in A, B: each folder is scored as a system"]
    );
    // Parts of one system have other files each.
    let parts = [("A/u1.txt", "one"), ("B/u2.txt", "two")];
    assert_eq!(scored(right, &parts).unwrap().systems, ["hyps"]);
    let some = [("A/u1.txt", "one"), ("A/u2.txt", "x"), ("B/u1.txt", "one")];
    let problem = scored(right, &some).unwrap_err();
    assert_eq!(problem.code, Code::Ambiguous);
    assert_eq!(
        told(&problem),
        "hyps has files of one name in several folders, and they have not all the same: hyps/A, \
         hyps/B. name the folders of systems: score r.tsv hyps/A hyps/B"
    );
}

#[test]
fn results_that_are_called_by_their_recording_have_its_id() {
    let cpp = |text: &str| {
        format!("{{\"systeminfo\": \"\", \"transcription\": [{{\"text\": \" {text}\"}}]}}")
    };
    let (one, two) = (cpp("one"), cpp("two"));
    let heard = [("utt1.wav.json", one.as_str()), ("utt2.mp3.json", &two)];
    for right in [
        ("r.tsv", "utt2\ttwo\nutt1\tone\n"),
        ("text", "utt2 two\nutt1 one\n"),
        ("r.csv", "id,text\nutt2.mp3,two\nutt1.wav,one\n"),
        ("r.csv", "file_name,text\nutt2.mp3,two\nutt1.wav,one\n"),
    ] {
        let made = scored(&[right], &heard).unwrap();
        assert!(
            rows(&made, 0).iter().all(|[_, one, other]| one == other),
            "{right:?}"
        );
    }
}

#[test]
fn a_list_of_speakers_has_no_text() {
    let turns = "SPEAKER call 1 0.10 2.25 <NA> <NA> asha <NA> <NA>\n";
    let problem = scored(&[("x.rttm", turns)], &[("x.rttm", turns)]).unwrap_err();
    assert_eq!(problem.code, Code::Unsupported);
    assert!(
        told(&problem).starts_with("x.rttm: is RTTM: it tells who speaks when, and has no text")
    );
    let said = "SPEAKER one said yes\n";
    assert!(scored(&[("x.txt", said)], &[("y.txt", said)]).is_ok());
}

#[test]
fn a_recording_is_neither_a_reference_nor_what_was_heard() {
    // Bytes that begin as UTF-16 does.
    let (sound, list) = (("x.wav", "R\0I\0F\0F\0"), ("refs.txt", "one\n"));
    for (right, heard) in [(sound, list), (list, sound)] {
        let problem = scored(&[right], &[heard]).unwrap_err();
        assert_eq!(problem.code, Code::Unsupported);
        let wanted = "x.wav: is a recording, and has no text. name what was said or heard";
        assert!(told(&problem).starts_with(wanted), "{}", told(&problem));
    }
    // A text may be called so, and what somebody says to be one is read.
    assert!(scored(&[list], &[("hyp.au", "one\n")]).is_ok());
    let made = scored_as(&[list], &[sound], Some(Format::Lines));
    assert!(!made.is_err_and(|problem| problem.code == Code::Unsupported));
}

#[test]
fn rows_of_one_sample_with_other_references_are_refused() {
    let long = "model,id,reference,hypothesis\na,u1,one two,x\nb,u1,one  two,x\na,u2,,x\n\
                b,u2,three,x\n";
    let alone = |table: &str| {
        let files = InMemory::new([("l.csv", table)]);
        let source = Source {
            files: &files,
            file: Some("l.csv"),
            name: "l",
        };
        pairs(&source, &[], &ReadOptions::default())
    };
    let made = alone(long).unwrap();
    assert_eq!(&*made.samples[1].reference, "three");
    let problem = alone(&(long.to_owned() + "c,u1,four,x\nc,u2,five,x\n")).unwrap_err();
    assert_eq!(
        told(&problem),
        "l.csv line 6: the reference of u1 is another one than on line 2 (1 further line is so): \
         models can't be compared on one id with two references. give each sample an id of its \
         own, or score a table for each model"
    );
}

/// Ids of a table may be numbers of its own, or of a database.
#[test]
fn lines_that_begin_with_names_of_recordings_are_paired_by_them() {
    let lines = "utt_1 one\nutt_2 two\nutt_3 three\nutt_4 four\n";
    let names = "asha one\nbina two\nchitra three\ndevi four\n";
    let csv = "id,file_name,text\n1,utt_4.wav,four\n2,w/utt_3.wav,three\n3,utt_2.wav,two\n\
               4,utt_1.wav,one\n";
    let pair = "id,file_name,text\n1,utt_2.wav,two\n2,utt_1.wav,one\n";
    let named = "id,file_name,text\n10,devi.wav,four\n17,chitra.wav,three\n24,bina.wav,two\n\
                 31,asha.wav,one\n";
    let studio = "[{\"id\": 1, \"audio\": \"/data/upload/1/0a1b2c3d-utt_2.wav\", \"annotation_id\": 1, \
                  \"transcription\": \"two\"}, {\"id\": 2, \"audio\": \
                  \"/data/local-files/?d=a%20b/0a1b2c4d-utt_1.wav\", \"annotation_id\": 2, \"transcription\": \
                  \"one\"}]";
    let trn = "one (utt_1)\ntwo (utt_2)\n";
    let pair_of_lines = "utt_1 one\nutt_2 two\n";
    for (table, lines, format) in [
        (("r.csv", csv), ("text", lines), None),
        (("r.csv", csv), ("text", lines), Some(Format::KaldiText)),
        (("r.csv", named), ("text", names), None),
        (("r.csv", pair), ("text", pair_of_lines), None),
        (("r.json", studio), ("text", pair_of_lines), None),
        (("r.json", studio), ("h.trn", trn), None),
    ] {
        for (right, heard) in [(table, lines), (lines, table)] {
            let made = scored_as(&[right], &[heard], format).unwrap();
            assert!(
                rows(&made, 0).iter().all(|[_, one, other]| one == other),
                "{right:?} {heard:?} {made:?}"
            );
            assert!(made.missing.is_empty());
            let is_told = |told: &String| told.contains("rows are paired by their recordings");
            assert!(made.remarks.iter().any(is_told), "{:?}", made.remarks);
        }
    }
}

#[test]
fn ids_of_two_corpora_are_no_words() {
    let lines = |from: usize, to: usize| -> String {
        (from..to)
            .map(|n| format!("utt_{n:04} text {n}\n"))
            .collect()
    };
    for (right, heard) in [
        (lines(0, 100), lines(1_000, 1_100)),
        (lines(0, 2), lines(10, 12)),
        (
            lines(0, 3),
            "a1b one\nrec-2 two\ncall_3x three\n".to_owned(),
        ),
    ] {
        let problem = scored(&[("a.txt", &right)], &[("b.txt", &heard)]).unwrap_err();
        assert_eq!(problem.code, Code::Mismatch);
        let said = told(&problem);
        assert!(
            said.starts_with("a.txt and b.txt share no ids (a.txt: utt_0000 …, ")
                && said.ends_with("where lines have no ids, say so with --format lines"),
            "{said}"
        );
        let lines = Some(Format::Lines);
        let made = scored_as(&[("a.txt", &right)], &[("b.txt", &heard)], lines);
        assert!(made.is_ok());
    }
    let tabbed = ("a.tsv", "time\tx y\nweather\tz\n");
    let problem = scored(&[tabbed], &[("b.tsv", "age\tx y\nrain\tz\n")]);
    assert_eq!(problem.unwrap_err().code, Code::Mismatch);
    // Parts of one corpus: only those that both have.
    let made = scored(&[("a.txt", &lines(0, 10))], &[("b.txt", &lines(8, 18))]).unwrap();
    assert_eq!(
        (made.references, made.missing.len()),
        (Format::KaldiText, 8)
    );
}
