//! Results as services and this project leave them: folders with a file for each recording,
//! and our own exports.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use std::collections::BTreeMap;

use stt_eval_formats::files::{InMemory, stem};
use stt_eval_formats::markup::Markup;
use stt_eval_formats::transcripts::ReadOptions;
use stt_eval_formats::write::{self, Told, Written};
use stt_eval_formats::{Code, Format, Hypothesis, Pairs, Problem, Source, pairs};

fn text(text: &str) -> Hypothesis {
    Hypothesis::Text(text.into())
}

const RIGHT: [(&str, &str); 3] = [("u1.txt", "घर जाओ"), ("u2.txt", "ठीक है"), ("u3.txt", "हाँ")];

/// A folder of references, and one of results.
fn scored(heard: &[(&str, &str)], channel: usize) -> Result<Pairs, Problem> {
    let right = InMemory::new(RIGHT);
    let heard = InMemory::new(heard.iter().copied());
    let folder = |files, name| Source {
        files,
        file: None,
        name,
    };
    let wanted = ReadOptions {
        channel,
        ..ReadOptions::default()
    };
    pairs(&folder(&right, "refs"), &[folder(&heard, "nova")], &wanted)
}

/// One file, or a pair of them.
fn of_files(files: &InMemory, right: &str, heard: &[&str]) -> Result<Pairs, Problem> {
    let source = |name| Source {
        files,
        file: Some(name),
        name: stem(name),
    };
    let heard: Vec<Source<'_>> = heard.iter().map(|name| source(*name)).collect();
    pairs(&source(right), &heard, &ReadOptions::default())
}

fn told(problem: &Problem) -> String {
    let hint = problem.hint.iter().map(|hint| format!(". {hint}"));
    problem.to_string() + &hint.collect::<String>()
}

fn samples() -> Vec<Written> {
    let known = |error: Option<&str>| Told {
        wer: error.is_none().then_some(0.5),
        cer: error.is_none().then_some(0.25),
        error: error.map(str::to_owned),
        comment: Some("x".to_owned()),
        ..Told::default()
    };
    let sample = |id: &str, heard: [Option<&str>; 2]| Written {
        id: id.to_owned(),
        audio: Some(format!("{id}.wav")),
        seconds: Some(1.5),
        reference: Some("घर जाओ {x}".to_owned()),
        reference_from: Some("people".to_owned()),
        told: heard
            .map(|text| known(text.is_none().then_some("provider_timeout")))
            .to_vec(),
        heard: heard.map(|text| text.map(str::to_owned)).to_vec(),
        fields: BTreeMap::from([("transcript".to_owned(), format!("place of {id}"))]),
        ..Written::default()
    };
    vec![
        sample("u1", [None, Some("घर")]),
        sample("u2", [Some(""), None]),
        sample("u3", [Some("घर जाओ"), Some("x, \"y\"")]),
    ]
}

#[test]
fn our_own_exports_are_read_back_without_being_told_their_columns() {
    let systems = ["gemini-2.5 flash".to_owned(), "deepgram/nova-3".to_owned()];
    let files = InMemory::new([
        ("run.jsonl", write::jsonl(&systems, &samples())),
        ("run.csv", write::csv(&systems, &samples(), true)),
        ("refs.csv", "id,text\nu1,घर\nu2,घर\nu3,घर\n".to_owned()),
    ]);
    let failed = || Hypothesis::Failed("provider_timeout".to_owned());
    for name in ["run.jsonl", "run.csv"] {
        let made = of_files(&files, name, &[]).unwrap();
        let place = |system: &str| made.systems.iter().position(|one| one == system).unwrap();
        let of = |system: &str| &made.heard[place(system)];
        assert_eq!(made.systems.len(), 2, "{name}");
        assert_eq!(of(&systems[0]), &[failed(), text(""), text("घर जाओ")]);
        assert_eq!(of(&systems[1]), &[text("घर"), failed(), text("x, \"y\"")]);
        assert_eq!(made.samples[0].reference, "घर जाओ {x}");
        // Free fields are what clips can be parted by, whatever they are called.
        let source = Source {
            files: &files,
            file: Some(name),
            name: stem(name),
        };
        let wanted = ReadOptions {
            fields: vec!["transcript".to_owned()],
            ..ReadOptions::default()
        };
        let parted = pairs(&source, &[], &wanted).unwrap();
        let field = parted.samples[1].field("transcript");
        assert_eq!(field, Some("place of u2"), "{name}");
        // The same beside other references.
        let beside = of_files(&files, "refs.csv", &[name]).unwrap();
        assert_eq!(beside.systems, made.systems, "{name}");
        assert_eq!(beside.heard, made.heard, "{name}");
    }
    // One system alone is called as its table, and its failures are failures still.
    let one: Vec<Written> = samples()
        .into_iter()
        .map(|mut sample| {
            sample.heard.truncate(1);
            sample.told.truncate(1);
            sample
        })
        .collect();
    let files = InMemory::new([
        ("one.csv", write::csv(&systems[..1], &one, false)),
        ("one.jsonl", write::jsonl(&systems[..1], &one)),
        ("refs.csv", "id,text\nu1,घर\nu2,घर\nu3,घर\n".to_owned()),
    ]);
    for name in ["one.csv", "one.jsonl"] {
        let made = of_files(&files, "refs.csv", &[name]).unwrap();
        assert_eq!(made.systems, ["one"]);
        assert_eq!(
            made.heard[0],
            [failed(), text(""), text("घर जाओ")],
            "{name}"
        );
    }
}

#[test]
fn names_of_columns_can_be_pasted_and_facts_of_systems_are_not_offered() {
    let files = InMemory::new([(
        "wide.csv",
        "id,text,whisper-large,gemini 2.5,whisper-large comment,gemini 2.5 error\nu1,x,x,x,y,\n",
    )]);
    let problem = of_files(&files, "wide.csv", &[]).unwrap_err();
    assert_eq!(
        told(&problem),
        "wide.csv has no column of a hypothesis. name a file of hypotheses, or columns with --hyp \
         'whisper-large,gemini 2.5'"
    );
}

#[test]
fn an_empty_file_of_subtitles_says_that_nothing_was_heard() {
    let cue = "1\n00:00:00,000 --> 00:00:01,000\nघर जाओ\n";
    let web = "WEBVTT\n\n00:00.000 --> 00:01.000\nघर जाओ\n";
    for (end, first, empty) in [("srt", cue, ""), ("srt", cue, "\n\n"), ("vtt", web, "")] {
        let names = ["u1", "u2", "u3"].map(|id| format!("{id}.{end}"));
        let heard = [
            (names[0].as_str(), first),
            (names[1].as_str(), empty),
            (names[2].as_str(), first),
        ];
        let made = scored(&heard, 0).unwrap();
        let said = text("घर जाओ");
        assert_eq!(made.heard[0], [said.clone(), text(""), said], "{end}");
        assert!(made.missing.is_empty());
    }
    // The same of one file.
    let files = InMemory::new([("r.txt", "घर"), ("h.srt", "")]);
    let made = of_files(&files, "r.txt", &["h.srt"]).unwrap();
    assert_eq!(made.heard[0], [text("")]);
}

#[test]
fn a_file_that_is_no_result_is_named() {
    let good = "{\"text\": \"x\"}";
    for (heard, wanted) in [
        (
            &[
                ("u1.json", good),
                ("u2.json", "{\"out\": {\"words\": \"x\"}}"),
            ][..],
            "u2.json: is the result of no service that is known",
        ),
        (
            &[
                ("u1.json", "{\"out\": \"x\"}"),
                ("u2.json", "{\"out\": \"y\"}"),
            ],
            "u1.json: is the result of no service that is known",
        ),
        (
            &[
                ("meta.json", "{\"a\": 1}"),
                ("u1.json", good),
                ("u2.json", good),
            ],
            "meta.json: is the result of no service that is known. take it out of the folder if \
             it is no result; the clip of a result that is not there counts as missing",
        ),
        (
            &[("u1.json", good), ("u2.json", "")],
            "u2.json: is empty: a result has its text in it",
        ),
        (
            &[("u1.json", good), ("u2.json", "{\"text\": \"x")],
            "u2.json: is not JSON",
        ),
    ] {
        let problem = scored(heard, 0).unwrap_err();
        assert!(told(&problem).starts_with(wanted), "{}", told(&problem));
    }
    // A list of all is none of these.
    let list = "[{\"id\": \"u1\", \"hypothesis\": \"x\"}, {\"id\": \"u2\", \"hypothesis\": \"y\"}]";
    let made = scored(&[("all.json", list), ("notes.txt", "x")], 0).unwrap();
    assert_eq!(made.heard[0][1], text("y"));
}

fn two_channels(one: &str, other: &str) -> String {
    format!(
        "{{\"results\": {{\"channels\": [{{\"alternatives\": [{{\"transcript\": \"{one}\"}}]}}, \
         {{\"alternatives\": [{{\"transcript\": \"{other}\"}}]}}]}}}}"
    )
}

#[test]
fn channels_are_chosen_of_those_that_are_there_and_told_once() {
    let both = two_channels("a", "b");
    let heard = [
        ("u1.json", both.as_str()),
        ("u2.json", &both),
        ("u3.json", &both),
    ];
    let made = scored(&heard, 1).unwrap();
    assert_eq!(made.heard[0], [text("b"), text("b"), text("b")]);
    assert_eq!(
        made.remarks,
        ["3 files such as u1.json: 2 channels; number 1 is taken (--channel)"]
    );
    let problem = scored(&heard, 7).unwrap_err();
    assert_eq!(problem.code, Code::ChooseColumn);
    assert_eq!(
        told(&problem),
        "u1.json: has 2 channels, 0 to 1, and no channel 7. --channel with one of these"
    );
    // One channel is the one, and that nothing was chosen is told.
    let mono = [
        ("u1.json", "{\"text\": \"a\"}"),
        ("u2.json", "{\"text\": \"b\"}"),
    ];
    let made = scored(&mono, 7).unwrap();
    assert_eq!(
        made.remarks,
        ["--channel 7 chooses nothing: no result has several channels"]
    );
}

#[test]
fn marks_of_stm_are_no_words_and_a_line_of_trn_without_its_id_is_told() {
    let files = InMemory::new([
        ("r.trn", "घर जाओ (u1)\nठीक है (u2)\nहाँ (u3)\n"),
        (
            "h.stm",
            "u1 A s 0.0 1.0 घर\nu1 A s 1.0 2.0 IGNORE_TIME_SEGMENT_IN_SCORING\nu2 A s 0.0 1.0 ठीक\n",
        ),
        ("h.trn", "घर जाओ (u1)\nठीक है\nहाँ (u3)\n"),
        ("lines.txt", "घर (एक)\nहाँ\nx\n"),
    ]);
    let made = of_files(&files, "r.trn", &["h.stm"]).unwrap();
    assert_eq!(made.heard[0][0], text("घर"));
    let problem = of_files(&files, "r.trn", &["h.trn"]).unwrap_err();
    assert_eq!(problem.to_string(), "h.trn line 2: has no (id) at its end");
    assert!(of_files(&files, "lines.txt", &["lines.txt"]).is_ok());
}

#[test]
fn an_option_that_chooses_nothing_is_told() {
    let files = InMemory::new([("r.txt", "घर\nx\n"), ("h.txt", "घर\ny\n")]);
    let source = |name| Source {
        files: &files,
        file: Some(name),
        name: stem(name),
    };
    let wanted = ReadOptions {
        text_column: Some("foo".to_owned()),
        ..ReadOptions::default()
    };
    let problem = pairs(&source("r.txt"), &[source("h.txt")], &wanted).unwrap_err();
    assert_eq!(
        told(&problem),
        "no column \"foo\" is in r.txt, which is read as plain lines. --text-column names a \
         column of a table"
    );
}

#[test]
fn an_option_that_chooses_nothing_of_texts_is_told_or_refused() {
    let files = InMemory::new([
        ("r.txt", "घर\nx\n"),
        ("h.csv", "id,foo,hypothesis\n1,घर,x\n2,y,z\n"),
        ("braces.txt", "{घर|घऱ}\nx\n"),
        (
            "tasks.json",
            r#"[{"data": {"audio": "a.wav"}, "predictions": [{"model_version": "nova",
         "result": [{"type": "textarea", "from_name": "t", "value": {"text": ["घर"]}}]}]}]"#,
        ),
    ]);
    let source = |name| Source {
        files: &files,
        file: Some(name),
        name: stem(name),
    };
    // The column of the reference is none of a table of hypotheses.
    let of_text = ReadOptions {
        text_column: Some("foo".to_owned()),
        ..ReadOptions::default()
    };
    let problem = pairs(&source("r.txt"), &[source("h.csv")], &of_text).unwrap_err();
    assert!(
        told(&problem).starts_with("no column \"foo\" is in r.txt"),
        "{problem}"
    );
    let of_markup = ReadOptions {
        markup: Some(Markup::Braces),
        ..ReadOptions::default()
    };
    let remark = "--markup chooses nothing: no reference has braces or <*>";
    let made = pairs(&source("r.txt"), &[source("h.csv")], &of_markup).unwrap();
    assert!(made.remarks.iter().any(|one| one == remark));
    let made = pairs(&source("braces.txt"), &[source("h.csv")], &of_markup).unwrap();
    assert!(!made.remarks.iter().any(|one| one == remark));
    let of_models = ReadOptions {
        hypotheses: vec!["nova".to_owned(), "bogus".to_owned()],
        ..ReadOptions::default()
    };
    let problem = pairs(&source("tasks.json"), &[], &of_models).unwrap_err();
    assert_eq!(
        told(&problem),
        "tasks.json: has no column \"bogus\"; there is nova. --hyp with one of these"
    );
}

#[test]
fn a_format_is_chosen_in_a_folder_too() {
    let right = InMemory::new([
        ("u1.txt", "घर"),
        ("u1.srt", "1\n00:00:00,100 --> 00:00:02,300\nx\n"),
    ]);
    let heard = InMemory::new([("u1.txt", "घर"), ("u2.txt", "x")]);
    let folder = |files, name| Source {
        files,
        file: None,
        name,
    };
    let of_format = |format| ReadOptions {
        format: Some(format),
        ..ReadOptions::default()
    };
    let sides = [folder(&heard, "hyps")];
    let made = pairs(
        &folder(&right, "refs"),
        &sides,
        &of_format(Format::SideFiles),
    )
    .unwrap();
    assert_eq!((made.samples.len(), &made.heard[0][0]), (1, &text("घर")));
    let problem = pairs(&folder(&right, "refs"), &sides, &of_format(Format::Srt)).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "hyps: the folder is no srt; it could be: lines (u1.txt and 1 more)"
    );
    let problem = pairs(&folder(&right, "refs"), &sides, &of_format(Format::Nemo)).unwrap_err();
    assert!(problem.to_string().contains("no nemo"), "{problem}");
}

#[test]
fn lists_for_sclite_in_one_folder_are_references_and_systems() {
    let files = InMemory::new([
        ("ref.trn", "घर जाओ (s-u1)\nठीक है (s-u2)\n"),
        ("hyp.gemini-2.5-pro.trn", "ठीक (s-u2)\nघर जाओ (s-u1)\n"),
        ("hyp.nova.trn", "घर (s-u1)\n(s-u2)\nx (s-u3)\n"),
    ]);
    let folder = |name| Source {
        files: &files,
        file: None,
        name,
    };
    let made = pairs(&folder("run.trn"), &[], &ReadOptions::default()).unwrap();
    assert_eq!(made.systems, ["gemini-2.5-pro", "nova"]);
    assert_eq!(
        made.heard,
        [[text("घर जाओ"), text("ठीक")], [text("घर"), text("")]]
    );
    assert_eq!(made.remarks, ["hyp.nova.trn: 1 line has no reference"]);
    // The folder of a decoder has one of each.
    let right = InMemory::new([("r.trn", "घर जाओ (u1)\n")]);
    let decoded = InMemory::new([("ref.trn", "x (u1)\n"), ("hyp.trn", "घर (u1)\n")]);
    let source = |files, file, name| Source { files, file, name };
    let made = pairs(
        &source(&right, Some("r.trn"), "r"),
        &[source(&decoded, None, "decode")],
        &ReadOptions::default(),
    );
    let made = made.unwrap();
    assert_eq!(
        (made.systems[0].as_str(), &made.heard[0][0]),
        ("decode", &text("घर"))
    );
}

#[test]
fn what_failed_is_told_beside_lists_that_have_no_word_for_it() {
    let mut samples = samples();
    for sample in &mut samples {
        sample.speaker = Some("s 1".to_owned());
    }
    // What a model fails at counts as nothing heard, and as failed.
    samples[1].told[1].error = Some("empty_output".to_owned());
    let systems = ["a".to_owned(), "b".to_owned()];
    let mut same = |text: &str, _: &Written| text.to_owned();
    let side = |system| write::trn(&samples, system, &mut same).text;
    let mut side = side;
    let lists = [
        ("run/ref.trn", side(None)),
        ("run/hyp.a.trn", side(Some(0))),
        ("run/hyp.b.trn", side(Some(1))),
        (
            "run/failed.jsonl",
            write::failed(&systems, &samples, write::trn_id),
        ),
    ];
    let files = InMemory::new(lists.clone());
    let folder = |files, name| Source {
        files,
        file: None,
        name,
    };
    let failed = || Hypothesis::Failed("provider_timeout".to_owned());
    let made = pairs(&folder(&files, "run"), &[], &ReadOptions::default()).unwrap();
    assert_eq!(made.systems, systems);
    let wanted = [
        [failed(), text(""), text("घर जाओ")],
        [text("घर"), Hypothesis::Missing, text("x, \"y\"")],
    ];
    assert_eq!(made.heard, wanted);
    assert_eq!(made.missing.len(), 1);
    assert_eq!(made.remarks, Vec::<String>::new());
    // Of one system beside other references.
    let [right, heard, _, list] = lists;
    let files = InMemory::new([right.clone(), heard, list]);
    let right = InMemory::new([right]);
    let source = Source {
        files: &right,
        file: Some("run/ref.trn"),
        name: "ref",
    };
    let made = pairs(&source, &[folder(&files, "run")], &ReadOptions::default()).unwrap();
    assert_eq!(made.heard[0], wanted[0]);
    // Our own tables say the same.
    let files = InMemory::new([("run.csv", write::csv(&systems, &samples, false))]);
    let made = of_files(&files, "run.csv", &[]).unwrap();
    assert_eq!(made.heard, wanted);
    // Tasks have the ids of their samples.
    let files = InMemory::new([("run.json", write::label_studio(&systems, &samples))]);
    let made = of_files(&files, "run.json", &[]).unwrap();
    let ids: Vec<String> = made.samples.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(ids, ["u1", "u2", "u3"]);
    assert_eq!(made.remarks, Vec::<String>::new());
}
