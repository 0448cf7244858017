//! What is told instead of being done silently: splits, commands, garbled texts, files that are
//! not understood, options that choose nothing.

use stt_eval_formats::files::InMemory;
use stt_eval_formats::markup::Markup;
use stt_eval_formats::{Code, FindingKind, Format, Options, Problem, judge};

use super::{count, files, folder, said};

fn refused(all: &[(&str, &str)], options: &Options) -> Problem {
    judge(&files(all), None, options).unwrap_err()
}

fn told(problem: &Problem) -> String {
    let hint = problem.hint.iter().map(|hint| format!(". {hint}"));
    problem.to_string() + &hint.collect::<String>()
}

fn of_column(name: &str) -> Options {
    Options {
        text_column: Some(name.to_owned()),
        ..Options::default()
    }
}

const SPLITS: &str = "audio,text,split\na.wav,x,train\nb.wav,y,dev\nc.wav,z,test\nd.wav,w,train\n";
const FOUR: [(&str, &str); 4] = [("a.wav", ""), ("b.wav", ""), ("c.wav", ""), ("d.wav", "")];

fn with_four<'a>(name: &'a str, text: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut all = FOUR.to_vec();
    all.push((name, text));
    all
}

#[test]
fn of_a_table_with_several_splits_one_is_taken() {
    let judged = folder(&with_four("all.csv", SPLITS));
    assert_eq!(said(&judged), [("c.wav", Some("z"))]);
    assert_eq!(judged.split.as_deref(), Some("test"));
    assert_eq!(
        judged.remarks,
        [
            "1 of 4 rows are of the split test, which is taken; there is dev, train as well (--split)"
        ]
    );
    let of = |split: &str, all_splits| Options {
        split: (!split.is_empty()).then(|| split.to_owned()),
        all_splits,
        ..Options::default()
    };
    let four = with_four("all.csv", SPLITS);
    let read = |options: &Options| judge(&files(&four), None, options).unwrap();
    let judged = read(&of("validation", false));
    assert_eq!(said(&judged), [("b.wav", Some("y"))]);
    assert_eq!(judged.split.as_deref(), Some("dev"));
    assert_eq!(read(&of("", true)).samples.len(), 4);
    assert_eq!(
        told(&refused(&four, &of("other", false))),
        "all.csv: there is no split \"other\"; there are dev, test, train. --split with one of these"
    );
    // Without one for tests, the one for development; and names that are no splits are none.
    let judged = folder(&with_four("all.csv", &SPLITS.replace("test", "train")));
    assert_eq!(said(&judged), [("b.wav", Some("y"))]);
    let judged = folder(&with_four(
        "all.csv",
        &SPLITS
            .replace("train", "x")
            .replace("dev", "y")
            .replace("test", "z"),
    ));
    assert_eq!((judged.samples.len(), judged.split), (4, None));
    // Rows that name none are no part of the one that is named, as with --split.
    let unnamed = SPLITS.replace("train", "").replace("dev", "");
    let judged = folder(&with_four("all.csv", &unnamed));
    assert_eq!(said(&judged), [("c.wav", Some("z"))]);
    let told = "1 of 4 rows are of the split test, which is taken; the others name no split";
    assert_eq!(judged.remarks, [told]);
    let judged = folder(&with_four("all.csv", &unnamed.replace("test", "x")));
    assert_eq!((judged.samples.len(), judged.split), (4, None));
    // Common Voice's spontaneous speech, and lines of JSON.
    let spontaneous = "client_id\taudio_id\taudio_file\ttranscription\tsplit\nc\t1\ta.wav\tx\ttrain\nc\t2\tb.wav\ty\ttest\nc\t3\tc.wav\t\tunassigned\n";
    let judged = folder(&[
        ("ss-corpus-hi.tsv", spontaneous),
        ("audios/a.wav", ""),
        ("audios/b.wav", ""),
        ("audios/c.wav", ""),
    ]);
    assert_eq!(said(&judged), [("audios/b.wav", Some("y"))]);
    let lines = "{\"audio_filepath\": \"a.wav\", \"duration\": 1, \"text\": \"x\", \"split\": \"train\"}\n{\"audio_filepath\": \"b.wav\", \"duration\": 1, \"text\": \"y\", \"split\": \"valid\"}\n";
    let judged = folder(&with_four("manifest.json", lines));
    assert_eq!(said(&judged), [("b.wav", Some("y"))]);
}

#[test]
fn a_manifest_that_leads_to_recordings_goes_before_a_list_beside_them() {
    let list = "a.wav\tघर\nb.wav\tठीक\n";
    let manifest = |folder: &str| {
        format!(
            "{{\"audio_filepath\": \"{folder}/a.wav\", \"duration\": 1, \"text\": \"घर\", \"lang\": \"hi\"}}\n{{\"audio_filepath\": \"{folder}/b.wav\", \"duration\": 1, \"text\": \"ठीक\", \"lang\": \"hi\"}}\n"
        )
    };
    let there = manifest("/nlsasfs/home/vistaar/hindi/audio");
    let elsewhere = there.replace("a.wav", "x1.wav").replace("b.wav", "x2.wav");
    for (manifest, format) in [(&there, Format::Nemo), (&elsewhere, Format::Transcriptions)] {
        let judged = judge(
            &files(&[
                ("transcript.txt", list),
                ("manifest.json", manifest),
                ("audio/a.wav", ""),
                ("audio/b.wav", ""),
            ]),
            None,
            &Options::default(),
        );
        let judged = judged.unwrap();
        assert_eq!(judged.format, format);
        assert_eq!(
            said(&judged),
            [("audio/a.wav", Some("घर")), ("audio/b.wav", Some("ठीक"))]
        );
    }
}

#[test]
fn commands_are_shown_where_they_stand() {
    let scp = "u1 sox /data/wavs/b.wav -t wav -r 8000 - remix 1 |\nu2 rm -rf / |\n";
    let judged = folder(&[
        ("wav.scp", scp),
        ("text", "u1 x\nu2 y\n"),
        ("wavs/b.wav", ""),
    ]);
    let shown = judged.kept().iter();
    let shown: Vec<_> = shown
        .filter(|found| found.kind == FindingKind::Command)
        .map(|found| (found.file.as_deref(), found.line, found.message.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (
                Some("wav.scp"),
                Some(1),
                "the audio is a command of a shell, which is not run: sox /data/wavs/b.wav -t wav -r \
                 8000 - remix 1 |; its file /data/wavs/b.wav is taken as it is"
            ),
            (
                Some("wav.scp"),
                Some(2),
                "the audio is a command of a shell, which is not run: rm -rf / |; no file is named in \
                 it"
            ),
        ]
    );
    assert_eq!(
        judged.samples[0].audio_as_written.as_deref(),
        Some("sox /data/wavs/b.wav -t wav -r 8000 - remix 1 |")
    );
    assert_eq!(judged.samples[0].audio.as_deref(), Some("wavs/b.wav"));
}

#[test]
fn a_row_whose_text_is_elsewhere_and_not_there_is_unusable() {
    let lines = "{\"audio_filepath\": \"a.wav\", \"duration\": 1, \"text_filepath\": \"no.txt\"}\n{\"audio_filepath\": \"b.wav\", \"duration\": 1, \"text\": \"y\"}\n";
    let judged = folder(&with_four("manifest.json", lines));
    let usable: Vec<bool> = judged.samples.iter().map(|sample| sample.usable).collect();
    assert_eq!(usable, [false, true]);
    let found = &judged.kept()[0];
    assert_eq!(
        (found.kind, found.line, found.id.as_deref()),
        (FindingKind::BadRow, Some(1), Some("a"))
    );
}

#[test]
fn garbled_texts_are_refused_with_the_byte() {
    let good = "file_name,text,language\na.wav,नमस्ते जी आप कैसे हैं,hi\n";
    let lost = "b.wav,à¤¨à¤®à¤¸à¥à¤¤à¥ à¤œà¥€,hi\n";
    let problem = refused(
        &with_four("t.csv", &format!("{good}{lost}")),
        &Options::default(),
    );
    assert_eq!(problem.code, Code::Undecodable);
    assert_eq!(
        (problem.file.as_deref(), problem.line),
        (Some("t.csv"), Some(3))
    );
    let byte = good.len() + "b.wav,".len();
    assert!(
        problem.message.contains(&format!("at byte {byte}")),
        "{problem}"
    );
    // Other languages have such letters, and a foreign word is a word.
    for kept in [
        "b.wav,é à ç ü ñ é à ç é é é é é,fr\n",
        "b.wav,हम कैफ़े café में मिलेंगे और बात करेंगे ठीक है,hi\n",
    ] {
        let text = format!("{good}{kept}");
        assert_eq!(
            folder(&with_four("t.csv", &text)).samples.len(),
            2,
            "{kept}"
        );
    }
}

#[test]
fn sources_that_are_not_understood_are_told() {
    let problem = refused(
        &with_four("data.csv", "file_id,ground_truth\n17,घर\n18,ठीक\n"),
        &Options {
            format: None,
            ..Options::default()
        },
    );
    assert!(told(&problem).contains("ids of a database"), "{problem}");
    let judged = folder(&with_four("cuts.yaml", "- id: x\n"));
    assert_eq!(judged.format, Format::Audio);
    assert_eq!(
        judged.remarks,
        ["not understood and left out: cuts.yaml (lhotse can write its YAML as .jsonl)"]
    );
    let arrow = [
        ("dataset_info.json", "{\"features\": {}}"),
        ("data-00000-of-00001.arrow", "x"),
    ];
    assert!(told(&refused(&arrow, &Options::default())).contains("to_parquet"));
    let stream = InMemory::new([("data.arrow", vec![0xff, 0xff, 0xff, 0xff, 0x10, 0, 0, 0])]);
    let problem = judge(&stream, Some("data.arrow"), &Options::default()).unwrap_err();
    assert!(told(&problem).contains("to_parquet"), "{problem}");
    let wanted = Options {
        format: Some(Format::Nemo),
        ..Options::default()
    };
    assert_eq!(
        told(&refused(
            &with_four("t.csv", "file_name,text\na.wav,x\n"),
            &wanted
        )),
        "the folder is no nemo; it could be: table (t.csv), audio"
    );
}

#[test]
fn a_column_that_is_not_there_is_told_of_every_format() {
    let fleurs = "1\ta.wav\tRaw.\traw\tr a w |\t100\tMALE\n";
    let all = [("test.tsv", fleurs), ("test/a.wav", "")];
    assert_eq!(
        told(&refused(&all, &of_column("bogus"))),
        "test.tsv: has no column \"bogus\"; there are raw_transcription, transcription. \
         --text-column with one of these"
    );
    let plain = judge(&files(&all), None, &of_column("transcription")).unwrap();
    assert_eq!(plain.samples[0].text.as_deref(), Some("raw"));
    let kaldi = [("wav.scp", "u1 a.wav\n"), ("text", "u1 x\n"), ("a.wav", "")];
    assert_eq!(
        told(&refused(&kaldi, &of_column("bogus"))),
        "wav.scp: has no columns, and so no \"bogus\": it is read as Kaldi data folder. \
         --text-column names a column of a table"
    );
    let speech = [
        ("metadata.csv", "LJ1|Dr. Rao|Doctor Rao\n"),
        ("wavs/LJ1.wav", ""),
    ];
    let raw = judge(&files(&speech), None, &of_column("raw")).unwrap();
    assert_eq!(raw.samples[0].text.as_deref(), Some("Dr. Rao"));
}

#[test]
fn lengths_that_can_not_be_are_told() {
    let rows = "file_name,text,duration\na.wav,x,0\nb.wav,y,4020\nc.wav,z,2\n";
    let mut judged = folder(&with_four("t.csv", rows));
    assert_eq!(count(&judged, FindingKind::OddDuration), 2);
    // What the table has told is not told again.
    for (sample, seconds) in [(0, 0.001), (1, 4_020.0), (2, 0.001)] {
        judged.lasts(sample, seconds);
    }
    assert_eq!(count(&judged, FindingKind::OddDuration), 3);
    // What is only written wrong is told as that.
    let mut again = folder(&with_four("t.csv", rows));
    again.lasts(0, 2.3);
    assert_eq!(
        again.kept()[0].message,
        "is written to last 0.000 s; it lasts 2.300 s, which counts"
    );
    assert_eq!(again.samples[0].seconds, Some(2.3));
    judged.samples[2].end = Some(9.0);
    judged.ends_too_late(2, 9.1);
    judged.ends_too_late(2, 5.0);
    let last = judged.kept().last().unwrap();
    assert_eq!(
        last.message,
        "ends at 9 s, its recording at 5.000 s: the text may be of more than is there"
    );
    assert!(judged.samples[2].usable);
}

#[test]
fn an_option_that_chooses_nothing_of_a_source_is_told_or_refused() {
    let rows = "file_name,text,language\na.wav,घर,hi\nb.wav,ठीक,hi\nc.wav,x y,hi\n";
    let all = with_four("t.csv", rows);
    let asked = Options {
        split: Some("test".to_owned()),
        language: Some("ta".to_owned()),
        markup: Some(Markup::Braces),
        ..Options::default()
    };
    assert_eq!(
        judge(&files(&all), None, &asked).unwrap().remarks,
        [
            "--split test chooses nothing: nothing tells of which split its rows are",
            "--language ta chooses nothing: every row names its own",
            "--markup chooses nothing: no text has braces or <*>",
        ]
    );
    // What chooses something is not told.
    let rows = "file_name,text,language,split\na.wav,{घर|घऱ},hi,fold1\nb.wav,ठीक,,fold2\n";
    let all = with_four("t.csv", rows);
    let fold = Options {
        split: Some("fold1".to_owned()),
        ..asked.clone()
    };
    let judged = judge(&files(&all), None, &fold).unwrap();
    assert_eq!(judged.split.as_deref(), Some("fold1"));
    assert_eq!(
        judged.remarks,
        ["--language ta chooses nothing: every row names its own"]
    );
    // A file that is called as a split is of that one.
    let rows = "file_name,text\na.wav,{घर|घऱ}\n";
    let all = with_four("test.csv", rows);
    let judged = judge(&files(&all), Some("test.csv"), &asked).unwrap();
    assert_eq!(judged.split.as_deref(), Some("test"));
    assert_eq!(judged.remarks, Vec::<String>::new());
    let of_train = Options {
        split: Some("train".to_owned()),
        ..Options::default()
    };
    let problem = judge(&files(&all), Some("test.csv"), &of_train).unwrap_err();
    assert_eq!(
        told(&problem),
        "test.csv: is of the split test, and not of \"train\". leave --split out, or name the \
         folder"
    );
}

#[test]
fn columns_are_asked_for_of_what_has_some() {
    let of_audio = Options {
        audio_column: Some("clip".to_owned()),
        ..Options::default()
    };
    let kaldi = [("wav.scp", "u1 a.wav\n"), ("text", "u1 x\n"), ("a.wav", "")];
    assert_eq!(
        told(&refused(&kaldi, &of_audio)),
        "wav.scp: has no columns, and so no \"clip\": it is read as Kaldi data folder. \
         --audio-column names a column of a table"
    );
    let sides = [("a.wav", ""), ("a.txt", "घर")];
    let told_of_sides = told(&refused(&sides, &of_column("foo")));
    assert!(told_of_sides.starts_with("a.txt: has no columns, and so no \"foo\""));
    assert!(told(&refused(&sides, &of_audio)).contains("--audio-column"));
    let tasks = r#"[{"data": {"clip": "a.wav", "audio": "b.wav"}, "annotations": [{"result": [
        {"type": "textarea", "from_name": "said", "value": {"text": ["घर"]}},
        {"type": "textarea", "from_name": "meant", "value": {"text": ["घऱ"]}}]}]}]"#;
    let tasks = with_four("tasks.json", tasks);
    let taken = judge(&files(&tasks), None, &of_audio).unwrap();
    assert_eq!(said(&taken), [("a.wav", Some("घर"))]);
    let meant = judge(&files(&tasks), None, &of_column("meant")).unwrap();
    assert_eq!(said(&meant), [("b.wav", Some("घऱ"))]);
    assert_eq!(
        told(&refused(&tasks, &of_column("bogus"))),
        "tasks.json: has no column \"bogus\"; there are meant, said. --text-column with one of \
         these"
    );
    let of_bogus = Options {
        audio_column: Some("bogus".to_owned()),
        ..Options::default()
    };
    assert!(told(&refused(&tasks, &of_bogus)).contains("there are audio, clip"));
}

#[test]
fn a_quote_that_is_not_closed_is_told_with_its_line_and_what_is_not_read() {
    let of = |text| judge(&files(&with_four("t.csv", text)), None, &Options::default());
    // Of no row anything can be read.
    let problem = of("file,text\na.wav,\"hello\nb.wav,world\nc.wav,x\n").unwrap_err();
    assert_eq!(
        problem.to_string(),
        "t.csv line 2: a quote in it is not closed: the 2 lines behind it are not read"
    );
    let all = files(&[("t.csv", "file,\"text\na.wav,x\n")]);
    let problem = judge(&all, Some("t.csv"), &Options::default()).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "t.csv line 1: a quote in it is not closed: the line behind it is not read"
    );
    let bad = |text| -> Vec<(Option<u64>, String)> {
        let judged = of(text).unwrap();
        let all = judged.kept().iter();
        let all = all.filter(|one| one.kind == FindingKind::BadRow);
        all.map(|one| (one.line, one.message.clone())).collect()
    };
    assert_eq!(
        bad("file,text\na.wav,x\nb.wav,\"world"),
        [(Some(3), "a quote in it is not closed".to_owned())]
    );
    assert_eq!(
        bad("file,text\na.wav,\"x\nb.wav,\"y\nc.wav,z\n"),
        [(
            Some(2),
            "a quote in it meets the next one on line 3, in the middle of a text: the line behind \
             it is not read. A quote inside a text is doubled, and that text quoted"
                .to_owned()
        )]
    );
    assert_eq!(
        bad("file,text\na.wav,\"x\nb.wav,y\",z\nc.wav,z\n"),
        [(
            Some(2),
            "3 columns, the header has 2; a quote on line 2 holds all up to line 3 together: is it \
             not closed?"
                .to_owned()
        )]
    );
    // A text may have line breaks.
    let judged = of("file,text\na.wav,\"x\ny\"\nb.wav,z\n").unwrap();
    assert_eq!(judged.findings.errors(), 0);
}

#[test]
fn files_beside_one_recording_that_do_not_say_the_same_are_told() {
    let all = [
        ("a.wav", ""),
        ("a.txt", "Hello, world"),
        ("a.lab", "hello word"),
        ("b.wav", ""),
        ("b.txt", "So it is."),
        ("b.json", r#"{"text": "so it is"}"#),
        ("c.wav", ""),
        ("c.txt", "x"),
        ("c.json", r#"{"text": "y"}"#),
    ];
    assert_eq!(
        told(&refused(&all, &Options::default())),
        "a.txt and a.lab beside one recording do not say the same, and so for 1 other recording. \
         choose: --text-column txt or --text-column lab"
    );
    let judged = judge(&files(&all), None, &of_column("txt")).unwrap();
    assert_eq!(judged.samples[2].text.as_deref(), Some("x"));
    let judged = judge(&files(&all), None, &of_column("json")).unwrap();
    let texts: Vec<_> = judged
        .samples
        .iter()
        .map(|one| one.text.as_deref())
        .collect();
    assert_eq!(texts, [None, Some("so it is"), Some("y")]);
    // Facts are no text, and marks no other one.
    let all = [
        ("b.wav", ""),
        ("b.txt", "So it is."),
        ("b.lab", "so it is"),
        ("b.json", r#"{"speaker": "s"}"#),
    ];
    assert_eq!(folder(&all).samples[0].text.as_deref(), Some("So it is."));
    // What a service failed at is no text that says nothing.
    let all = [
        ("a.wav", ""),
        ("a.json", r#"{"status": "error", "error": "no audio"}"#),
    ];
    let judged = folder(&all);
    assert_eq!(
        (judged.samples[0].usable, &judged.samples[0].text),
        (false, &None)
    );
    assert_eq!(judged.kept()[0].message, "its service failed: no audio");
}
