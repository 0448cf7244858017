//! What is told of two sides that fit together in part.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use stt_eval_formats::files::{InMemory, stem};
use stt_eval_formats::markup::Markup;
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
fn lists_of_ids_are_such_though_one_comes_again_or_a_line_is_empty() {
    let right = ("r.txt", "u-1 घर\nu-2 ठीक\nu-3 हाँ\nu-4 आज\n");
    for (heard, told) in [
        (
            "u-1 घर\nu-2 a\nu-3 हाँ\nu-4 आज\nu-2 b\n",
            vec!["h.txt line 5: the id u-2 is there again, first on line 2; the first counts"],
        ),
        ("u-4 आज\n\nu-1 घर\nU-2 a\nu-3\tहाँ\n", vec![]),
    ] {
        for right in [
            right,
            ("r.csv", "id,text\nu-1,घर\nu-2,ठीक\nu-3,हाँ\nu-4,आज\n"),
        ] {
            let made = scored(&[right, ("h.txt", heard)]).unwrap();
            let texts = [text("घर"), text("a"), text("हाँ"), text("आज")];
            assert_eq!(made.heard[0], texts, "{heard}");
            assert_eq!(made.remarks, told);
            assert_eq!(made.hypotheses, Format::KaldiText);
        }
    }
    // So is a short one.
    let again = ("again.txt", "utt1 घर\nutt1 जाओ\nutt2 ठीक है\n");
    let three = ("three.txt", "utt1 घर\nutt2 ठीक है\nutt3 हाँ\n");
    let (house, fine, missing) = (text("घर"), text("ठीक है"), Hypothesis::Missing);
    for (sides, wanted) in [
        ([three, again], [&house, &fine, &missing]),
        ([again, three], [&house, &missing, &fine]),
    ] {
        let made = scored(&sides).unwrap();
        assert_eq!(made.references, Format::KaldiText);
        assert_eq!(made.heard[0].iter().collect::<Vec<_>>(), wanted);
    }
    // What nearly all lines begin with is a word; others that may be ids are told.
    let words = "one-1 a\none-1 b\none-1 c\n";
    let made = scored(&[("r.txt", words), ("h.txt", words)]).unwrap();
    assert_eq!((made.references, made.remarks.len()), (Format::Lines, 0));
    let other = "7-2 घर\n8-3 ठीक\n9-4 हाँ\n7-1 आज\n";
    let made = scored(&[right, ("h.txt", other)]).unwrap();
    assert_eq!(made.references, Format::Lines);
    assert_eq!(
        made.remarks,
        [
            "every line of r.txt and h.txt begins with what may be an id (u-1 …; 7-2 …), and these \
             are not the same: they are compared line by line, and such ids count as words"
        ]
    );
}

#[test]
fn rows_of_a_model_that_come_again_are_told_and_the_first_counts() {
    let long = "model,id,reference,hypothesis\na,u1,घर,घर\nb,u1,घर,x\na,u2,ठीक,ठीक\n\
                a,u1,घर,और\nb,u1,घर,और\nb,u2,ठीक,ठीक\n";
    let made = scored(&[("l.csv", long)]).unwrap();
    assert_eq!(made.systems, ["a", "b"]);
    assert_eq!(made.heard[0], [text("घर"), text("ठीक")]);
    assert_eq!(made.heard[1], [text("x"), text("ठीक")]);
    assert_eq!(
        made.remarks,
        ["l.csv line 5: a has u1 again; the first counts (1 further line is so)",]
    );
    let heard = "model,id,hypothesis\na,u1,घर\na,u2,a\na,u3,हाँ\na,u2,b\n";
    let made = scored(&[TABLE, ("h.csv", heard)]).unwrap();
    assert_eq!(made.heard[0], [text("घर"), text("a"), text("हाँ")]);
    assert_eq!(
        made.remarks,
        ["h.csv line 5: a has u2 again; the first counts"]
    );
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

/// Their rows were taken for lines, with numbers, ids and names of recordings as words.
#[test]
fn tables_whose_columns_nobody_has_named_are_told_until_one_is_chosen() {
    for (name, table) in [
        ("r.csv", "clip no,what she said\n1,one two\n2,four\n"),
        ("r.csv", "फ़ाइल;वाक्य\n1;क ख\n"),
        ("r.csv", "u1,one two\nu2,three\n"),
        ("r.csv", "a.wav,one two\nb.wav,three\n"),
        ("r.tsv", "clip no\twhat she said\n1\tone two\n2\tfour\n"),
        (
            "r.txt",
            "u1\tspeaker one\tone two\nu2\tspeaker two\tthree\n",
        ),
    ] {
        let problem = scored(&[(name, table), LIST]).unwrap_err();
        let told = format!("{name} line 1: is no header: no column has a name that is known");
        assert_eq!(problem.to_string(), told);
        let hint = problem.hint.unwrap_or_default();
        assert!(hint.contains("--text-column"), "{hint}");
    }
    let files = InMemory::new([
        ("r.csv", "clip no,what she said\n1,one two\n2,four\n"),
        ("h.txt", "one two\nfor\n"),
    ]);
    let source = |name| Source {
        files: &files,
        file: Some(name),
        name: stem(name),
    };
    let chosen = ReadOptions {
        text_column: Some("what she said".to_owned()),
        ..ReadOptions::default()
    };
    let made = pairs(&source("r.csv"), &[source("h.txt")], &chosen).unwrap();
    assert_eq!(made.samples.len(), 2);
    // Ids and texts, and texts with commas where the file is no CSV, are none.
    for (name, lines) in [
        ("r.tsv", "u1\tone two\nu2\tthree\n"),
        ("r.txt", "well, yes\nno, two\n"),
        ("r.csv", "well, yes\nno\nas, we, said\n"),
    ] {
        assert!(scored(&[(name, lines), (name, lines)]).is_ok(), "{lines}");
    }
}

/// What a service answered stands in a field of its own, and its text inside of that.
#[test]
fn what_is_no_text_is_never_scored_as_silence() {
    let right = (
        "r.jsonl",
        "{\"id\":\"u1\",\"reference\":\"a b\"}\n{\"id\":\"u2\",\"reference\":\"c\"}\n",
    );
    for (row, told) in [
        (
            r#""result":{"text":"a b"}"#,
            "result is an object and no text",
        ),
        (
            r#""results":[{"sentence":"a b"}]"#,
            "results is a list of 1 value",
        ),
        (
            r#""whisper":{"text":"a b"}"#,
            "whisper is an object and no text",
        ),
        (
            r#""hyps":[{"text":"a"},{"text":"b"},{},{},{},{},{},{},{},{}]"#,
            "hyps is a list of values",
        ),
    ] {
        let lines = format!("{{\"id\":\"u1\",{row}}}\n{{\"id\":\"u2\",{row}}}\n");
        let problem = scored(&[right, ("h.jsonl", &lines)]).unwrap_err();
        assert!(problem.message.contains(told), "{problem}");
    }
    let files = InMemory::new([
        right,
        (
            "h.jsonl",
            "{\"id\":\"u1\",\"base\":\"a b\",\"other\":null}\n{\"id\":\"u2\",\"base\":\"c\"}\n",
        ),
    ]);
    let source = |name| Source {
        files: &files,
        file: Some(name),
        name: stem(name),
    };
    let chosen = ReadOptions {
        hypotheses: vec!["base".to_owned(), "other".to_owned()],
        ..ReadOptions::default()
    };
    let problem = pairs(&source("r.jsonl"), &[source("h.jsonl")], &chosen).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "h.jsonl: has no text of other in any row"
    );
}

/// Words of two people at once: by their times they come in another order than their turns.
#[test]
fn channels_come_one_after_the_other_where_both_sides_tell_them() {
    let turns = "c 1 a 0.0 4.0 one two\nc 2 b 1.0 3.0 three four\nd 1 a 0.0 1.0 five\n";
    let words =
        "c 1 0.0 0.5 one\nc 2 1.0 0.5 three\nc 2 2.0 0.5 four\nc 1 3.0 0.5 two\nd 1 0 1 five\n";
    let made = scored(&[("r.stm", turns), ("h.ctm", words)]).unwrap();
    assert_eq!(&*made.samples[0].reference, "one two three four");
    assert_eq!(made.heard[0], [text("one two three four"), text("five")]);
    let told = "1 recording has several channels: one channel after the other";
    assert!(
        made.remarks.iter().any(|remark| remark == told),
        "{:?}",
        made.remarks
    );
    // One who hears both at once does not tell them apart.
    let mixed = "id\ttext\nc\tone two three four\nd\tfive\n";
    let made = scored(&[("r.stm", turns), ("h.tsv", mixed)]).unwrap();
    assert!(
        !made.remarks.iter().any(|remark| remark == told),
        "{:?}",
        made.remarks
    );
}

#[test]
fn recordings_inside_of_objects_are_ids_as_well() {
    let right = "{\"audio\":{\"path\":\"x/a.wav\"},\"sentence\":\"one\"}\n{\"audio\":{\"path\":\"x/b.wav\"},\"sentence\":\"two\"}\n";
    let heard = "{\"id\":\"b\",\"hypothesis\":\"two\"}\n{\"id\":\"a\",\"hypothesis\":\"one\"}\n";
    let made = scored(&[("r.jsonl", right), ("h.jsonl", heard)]).unwrap();
    assert_eq!(made.heard[0], [text("one"), text("two")]);
}

/// Excel's own first line, and names of columns that others use for something else.
#[test]
fn what_others_write_at_their_beginning_hides_no_columns() {
    let made = scored(&[
        TABLE,
        (
            "h.csv",
            "sep=;\r\nid;hypothesis\r\nu1;घर\r\nu2;ठीक\r\nu3;हाँ\r\n",
        ),
    ]);
    assert_eq!(made.unwrap().heard[0].len(), 3);
    let row = |id: &str| {
        format!(
            "{{\"recording_id\":\"{id}\",\"duration\":2.5,\"reference\":\"a\",\"hypothesis\":\"a\"}}\n\
             "
        )
    };
    let rows = row("u1") + &row("u2");
    let made = scored(&[("t.jsonl", &rows)]).unwrap();
    assert_eq!((made.samples.len(), made.systems.len()), (2, 1));
    let rows = "{\"id\":\"u1\",\"speaker_id\":\"s\",\"normalized\":\"a\",\"hypothesis\":\"a\"}\n\
                {\"id\":\"u2\",\"speaker_id\":\"s\",\"normalized\":\"b\",\"hypothesis\":\"b\"}\n";
    assert!(scored(&[("t.jsonl", rows)]).is_ok());
}

/// Rows that were shuffled and counted anew.
#[test]
fn ids_that_count_rows_give_way_to_recordings_that_contradict_them() {
    let right = (
        "r.csv",
        "id,audio_path,text\n0,x/a.wav,one\n1,x/b.wav,two\n2,x/c.wav,three\n",
    );
    let heard = "id,audio_path,hypothesis\n0,y/c.wav,three\n1,y/a.wav,one\n2,y/b.wav,two\n";
    let made = scored(&[right, ("h.csv", heard)]).unwrap();
    assert_eq!(made.heard[0], [text("one"), text("two"), text("three")]);
    let told = "ids of r.csv and h.csv only count rows, and stand at other recordings in each";
    assert!(
        made.remarks.iter().any(|remark| remark.starts_with(told)),
        "{:?}",
        made.remarks
    );
    // Of the same rows in the same order nothing is told.
    let same = right.1.replace("text", "hypothesis");
    let made = scored(&[right, ("h.csv", &same)]).unwrap();
    assert!(made.remarks.is_empty(), "{:?}", made.remarks);
}

/// A table of one column beside plain lines.
#[test]
fn a_header_that_one_side_has_alone_is_told() {
    let made = scored(&[("r.txt", "transcription\nघर\n"), ("h.txt", "gemini\nघर\n")]).unwrap();
    let told = "the first line of r.txt is “transcription”, as columns of texts are called";
    assert!(
        made.remarks.iter().any(|remark| remark.starts_with(told)),
        "{:?}",
        made.remarks
    );
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
        Some(
            "put a line like `id,hypothesis` in front; --format lines takes each line as one text"
        )
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

#[test]
fn references_that_are_not_known_are_told() {
    let heard = ("h.csv", "id,hypothesis\nu1,a\nu2,b\nu3,c\nu4,d\n");
    let lines = "{\"id\":\"u1\",\"reference\":\"a\"}\n{\"id\":\"u2\",\"reference\":null}\n\
                 {\"id\":\"u3\",\"reference\":NaN}\n{\"id\":\"u4\",\"reference\":\"\"}\n";
    for (name, text, line) in [
        ("r.jsonl", lines, 2),
        ("r.csv", "id,reference\nu1,a\nu2,\nu3, \nu4,d\n", 3),
    ] {
        let made = scored(&[(name, text), heard]).unwrap();
        let told = format!(
            "{name}: 2 references are not known (line {line}: empty, or null); each counts as \
             nothing said: take out what is not to be scored"
        );
        assert_eq!(made.remarks, [told]);
        let references: Vec<&str> = made.samples.iter().map(|one| &*one.reference).collect();
        assert_eq!(references[..3], ["a", "", ""]);
    }
    // What is said to be nothing is known.
    let nothing = "{\"id\":\"u1\",\"reference\":\"\"}\n";
    let made = scored(&[("r.jsonl", nothing), ("h.csv", "id,hypothesis\nu1,a\n")]);
    assert!(made.unwrap().remarks.is_empty());
}

#[test]
fn what_nemo_and_label_studio_have_no_reference_of_is_left_out() {
    let region = |text: &str| {
        format!(
            "{{\"result\":[{{\"from_name\":\"t\",\"type\":\"textarea\",\"value\":{{\"text\":[\"{text}\"]}}}}]}}"
        )
    };
    let task = |id: &str, right: &[&str]| {
        let right: Vec<String> = right.iter().map(|text| region(text)).collect();
        let heard = region("c").replacen('{', "{\"model_version\":\"A\",", 1);
        format!(
            "{{\"data\":{{\"audio\":\"{id}.wav\",\"id\":\"{id}\"}},\"annotations\":[{}],\
             \"predictions\":[{heard}]}}",
            right.join(",")
        )
    };
    let tasks = [task("u1", &["a"]), task("u2", &[]), task("u3", &[""])].join(",");
    let tasks = format!("[{tasks}]");
    let lines = "{\"audio_filepath\":\"u2.wav\",\"duration\":1.0,\"pred_text_A\":\"c\"}\n\
                 {\"audio_filepath\":\"u1.wav\",\"duration\":1.0,\"text\":\"a\",\"pred_text_A\":\"c\"}\n\
                 {\"audio_filepath\":\"u3.wav\",\"duration\":1.0,\"text\":\"\",\"pred_text_A\":\"c\"}\n";
    for (name, text, told) in [
        ("run.json", &*tasks, "1 task has no annotation"),
        ("run.nemo.json", lines, "1 line has no text"),
    ] {
        let made = scored(&[(name, text)]).unwrap();
        let ids: Vec<String> = made.samples.iter().map(|one| one.id.to_string()).collect();
        assert_eq!(ids, ["u1", "u3"], "{name}");
        let told = format!("{name}: {told}: left out, as by a run");
        assert_eq!(made.remarks, [told]);
    }
    // Each line of NeMo has its own place for the text.
    let lines = "{\"audio_filepath\":\"u1.wav\",\"duration\":1.0,\"text\":\"a\",\"pred_text_A\":\"c\"}\n\
                 {\"audio_filepath\":\"u2.wav\",\"duration\":1.0,\"normalized_text\":\"b\",\"pred_text_A\":\"c\"}\n\
                 {\"audio_filepath\":\"u3.wav\",\"duration\":1.0,\"text_filepath\":\"u3.txt\",\"pred_text_A\":\"c\"}\n";
    let made = scored(&[("run.json", lines)]).unwrap();
    let samples = made.samples.iter();
    let samples = samples.map(|one| (one.id.to_string(), one.reference.to_string()));
    let wanted = [("u1", "a"), ("u2", "b")].map(|(id, text)| (id.to_owned(), text.to_owned()));
    assert_eq!(samples.collect::<Vec<_>>(), wanted);
    assert_eq!(
        made.remarks,
        [
            "run.json: 1 line has its text in a file of its own: left out",
            "run.json: 1 row has no text, and normalized_text is taken there, as NeMo does",
        ]
    );
}

#[test]
fn a_failure_without_a_reason_or_beside_a_text_is_none() {
    let line = |hyp: &str, error: &str| {
        format!("{{\"id\":\"1\",\"text\":\"a\",\"hyp\":{hyp},\"hyp error\":\"{error}\"}}\n")
    };
    for (hyp, error, failed) in [
        ("\"\"", "", false),
        ("\"\"", " ", false),
        ("\"\"", "none", false),
        ("\"\"", "0.5", false),
        ("\"\"", "quota", true),
        ("null", "quota", true),
        ("\"a\"", "quota", false),
    ] {
        let made = scored(&[("r.jsonl", &line(hyp, error))]).unwrap();
        let is_failed = matches!(made.heard[0][0], Hypothesis::Failed(_));
        assert_eq!(is_failed, failed, "{hyp} {error:?}");
    }
}

#[test]
fn a_folder_of_several_tables_is_not_one_system() {
    for (one, other, text) in [
        (
            "a.jsonl",
            "b.jsonl",
            "{\"id\":\"u1\",\"hypothesis\":\"x\"}\n",
        ),
        ("a.csv", "b.csv", "id,hypothesis\nu1,x\n"),
        ("m1/hyp.tsv", "m2/hyp.tsv", "id\thypothesis\nu1\tx\n"),
    ] {
        let right = InMemory::new([TABLE]);
        let heard = InMemory::new([(one, text), (other, text)]);
        let source = |files, file, name| Source { files, file, name };
        let told = pairs(
            &source(&right, Some("r.csv"), "r"),
            &[source(&heard, None, "both")],
            &ReadOptions::default(),
        );
        let problem = told.unwrap_err();
        let wanted = format!("the folder has 2 tables: {one}, {other}");
        assert!(problem.to_string().contains(&wanted), "{problem}");
    }
}

#[test]
fn columns_of_failures_are_known_however_they_are_written() {
    for (text, error) in [
        ("whisper", "whisper error"),
        ("whisper", "Whisper_Error"),
        ("whisper", "whisper-error"),
        ("pred_text_whisper", "whisper error"),
        ("pred_text_whisper", "pred_text_whisper error"),
        ("hypothesis", "error"),
        ("Prediction", "Error"),
    ] {
        let table = format!("id,reference,{text},{error}\n1,a,,timeout\n2,b,b,\n");
        let wanted = ReadOptions {
            hypotheses: vec![text.trim_start_matches("pred_text_").to_owned()],
            ..ReadOptions::default()
        };
        let files = InMemory::new([("t.csv", table)]);
        for options in [wanted, ReadOptions::default()] {
            if options.hypotheses.is_empty() && text == "whisper" {
                continue;
            }
            let source = Source {
                files: &files,
                file: Some("t.csv"),
                name: "t",
            };
            let made = pairs(&source, &[], &options).unwrap();
            assert_eq!(made.systems.len(), 1, "{text} {error}: {:?}", made.systems);
            let is_failed = matches!(made.heard[0][0], Hypothesis::Failed(_));
            assert!(is_failed, "{text} {error}: {:?}", made.heard);
        }
    }
}

#[test]
fn references_of_our_own_export_keep_their_markup() {
    let table = "id,reference,A,A wer,A cer,A error,reference_from\n\
                 1,ठीक है \\{x\\|y\\},ठीक है {x|y},0,0,,\n";
    let line = "{\"id\":\"1\",\"reference\":\"{a|b} c\",\"hypotheses\":{\"A\":\"b c\"},\
                \"reference_from\":null}\n";
    for (name, text) in [("run.csv", table), ("run.jsonl", line)] {
        let made = scored(&[(name, text)]).unwrap();
        assert_eq!(made.systems, ["A"]);
        assert_eq!(made.samples[0].markup(), Some(Markup::Braces), "{name}");
    }
    // Other tables have plain texts.
    let made = scored(&[("r.csv", &table.replace("reference_from", "from"))]).unwrap();
    assert_eq!(made.samples[0].markup(), None);
}

#[test]
fn what_a_table_of_references_mixes_is_told() {
    let table = "id,reference,hypothesis,split,language\n1,a,a,test,hi\n2,b,b,train,klingon\n\
                 3,c,c,train,und\n4,d,d,train,elvish\n";
    let made = scored(&[("t.csv", table)]).unwrap();
    assert_eq!(
        made.remarks,
        [
            "t.csv: rows of all splits are scored: test (1), train (3); take out those that are \
             not meant",
            "t.csv line 3: the language \"klingon\" is not known, and counts as none (1 further \
             row is so)",
        ]
    );
    let one = table.replace("train", "test").replace("klingon", "ta");
    let made = scored(&[("t.csv", &one.replace("elvish", "Tamil"))]).unwrap();
    assert!(made.remarks.is_empty(), "{:?}", made.remarks);
}

#[test]
fn a_column_is_the_reference_or_what_was_heard() {
    let table = [("w.csv", "id,reference,transcription,A\n1,a,b,c\n")];
    let read = |hyp: &str, text: Option<&str>| {
        let all = InMemory::new(table);
        let source = Source {
            files: &all,
            file: Some("w.csv"),
            name: "w",
        };
        let wanted = ReadOptions {
            hypotheses: vec![hyp.to_owned()],
            text_column: text.map(str::to_owned),
            ..ReadOptions::default()
        };
        pairs(&source, &[], &wanted)
    };
    assert_eq!(
        read("reference", None).unwrap_err().to_string(),
        "w.csv: the column \"reference\" has the reference by its name"
    );
    let made = read("reference", Some("transcription")).unwrap();
    assert_eq!(&*made.samples[0].reference, "b");
    assert_eq!(made.heard, [[text("a")]]);
    // Another column that could be the reference is.
    let made = read("transcription", None).unwrap();
    assert_eq!(&*made.samples[0].reference, "a");
    assert_eq!(
        read("A", Some("A")).unwrap_err().to_string(),
        "w.csv: the column \"A\" is asked for as the reference, and as what a system heard"
    );
    let lone = InMemory::new([("w.csv", "id,text,A\n1,a,c\n")]);
    let source = Source {
        files: &lone,
        file: Some("w.csv"),
        name: "w",
    };
    let wanted = ReadOptions {
        hypotheses: vec!["text".to_owned()],
        ..ReadOptions::default()
    };
    let refused = pairs(&source, &[], &wanted).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "w.csv: no column could be the reference; there are id, text, A"
    );
}

#[test]
fn rows_of_our_own_export_without_a_reference_are_left_out() {
    let table = "id,reference,A,A wer,A cer,reference_from\n1,a,a,0,0,\n2,,b c,,,\n3,,you,1,3,\n";
    let of = |id: &str, reference: &str| {
        format!(
            "{{\"id\":\"{id}\",\"reference\":{reference},\"hypotheses\":{{\"A\":\"x\"}},\
             \"reference_from\":null}}\n"
        )
    };
    let lines = of("1", "\"a\"") + &of("2", "null") + &of("3", "\"\"");
    for (name, content) in [("run.csv", table), ("run.jsonl", &lines)] {
        let made = scored(&[(name, content)]).unwrap();
        let ids: Vec<String> = made.samples.iter().map(|one| one.id.to_string()).collect();
        assert_eq!(ids, ["1", "3"], "{name}");
        let told = format!("{name}: 1 row has no reference, and no figure in the run: left out");
        assert_eq!(made.remarks, [told]);
    }
}
