//! What toolkits for training read: `NeMo`, Kaldi, lhotse, fairseq; and what Label Studio writes.

use stt_eval_formats::{Code, FindingKind, Format, Options, judge};

use super::{count, files, folder, said};

#[test]
fn nemo() {
    let judged = folder(&[
        (
            "test_manifest.json",
            "{\"audio_filepath\": \"/nlsasfs/x/wavs/u01.wav\", \"duration\": 3.21, \"text\": \"कल बारिश होगी\", \"lang\": \"hi\", \"speaker\": \"s1\", \"offset\": NaN}\n\n\
             {\"audio_filepath\": \"wavs/call.wav\", \"offset\": 12.5, \"duration\": 4.0, \"text\": \"हाँ\", \"pred_text_conformer\": \"हां\"}\n\
             {\"audio_filepath\": [\"wavs/a.wav\", \"wavs/b.wav\"], \"duration\": 1, \"text\": \"\"}\n\
             {\u{201c}audio_filepath\u{201d}: 1}\n",
        ),
        ("wavs/u01.wav", ""),
        ("wavs/call.wav", ""),
        ("wavs/a.wav", ""),
    ]);
    assert_eq!(judged.format, Format::Nemo);
    assert_eq!(
        said(&judged),
        [
            ("wavs/u01.wav", Some("कल बारिश होगी")),
            ("wavs/call.wav", Some("हाँ")),
            ("-", Some(""))
        ]
    );
    let piece = &judged.samples[1];
    assert_eq!(
        (piece.start, piece.end, piece.line),
        (Some(12.5), Some(16.5), 3)
    );
    assert_eq!(piece.hypotheses.get("conformer"), Some("हां"));
    assert_eq!(judged.samples[0].speaker.as_deref(), Some("s1"));
    assert_eq!(count(&judged, FindingKind::RefusedAudio), 1);
    assert_eq!(count(&judged, FindingKind::BadRow), 1);
}

#[test]
fn kaldi() {
    let judged = folder(&[
        (
            "wav.scp",
            "spk1-call  sox /data/c1.wav -t wav -r 8000 - remix 1 |\nspk2-call\t/home/vikrant/x/c2.wav\nspk3-call raw.ark:1234\n",
        ),
        (
            "text",
            "spk1-call_0001  नमस्ते जी\r\nspk2-call_0001\tहाँ\r\nspk2-call_0002\r\nspk3-call_0001 x\r\nlost y\r\n",
        ),
        (
            "segments",
            "spk1-call_0001 spk1-call 0.50 2.75\nspk2-call_0001 spk2-call 0 1\nspk2-call_0002 spk2-call 1 -1\nspk3-call_0001 spk3-call 0 1\n",
        ),
        ("utt2spk", "spk1-call_0001 spk1\nspk2-call_0001 spk2\n"),
        ("spk2gender", "spk1 f\n"),
        ("wavs/c1.wav", ""),
        ("wavs/c2.wav", ""),
    ]);
    assert_eq!(judged.format, Format::Kaldi);
    assert_eq!(
        said(&judged),
        [
            ("wavs/c1.wav", Some("नमस्ते जी")),
            ("wavs/c2.wav", Some("हाँ")),
            ("wavs/c2.wav", Some("")),
            ("-", Some("x")),
            ("-", Some("y"))
        ]
    );
    let first = &judged.samples[0];
    assert_eq!(
        (first.start, first.end, &*first.file, first.line),
        (Some(0.5), Some(2.75), "text", 1)
    );
    assert_eq!(first.metadata.get("gender"), Some("f"));
    assert_eq!(judged.samples[2].end, None);
    assert_eq!(count(&judged, FindingKind::Command), 1);
    assert_eq!(count(&judged, FindingKind::RefusedAudio), 1);
    assert_eq!(count(&judged, FindingKind::MissingAudio), 1);
    let strangers = files(&[
        ("wav.scp", "1.wav a.wav\n"),
        ("text", "utt_1 x\n"),
        ("a.wav", ""),
    ]);
    let problem = judge(&strangers, None, &Options::default()).unwrap_err();
    assert_eq!(problem.code, Code::Mismatch);
    assert!(
        problem
            .to_string()
            .contains("text and wav.scp share no ids (text: utt_1 …; wav.scp: 1.wav …)"),
        "{problem}"
    );
}

#[test]
fn lhotse() {
    let recordings = "{\"id\": \"r1\", \"sources\": [{\"type\": \"file\", \"channels\": [0], \"source\": \"test/fixtures/r1.flac\"}], \"sampling_rate\": 16000, \"num_samples\": 48000, \"duration\": 3.0}\n{\"id\": \"r2\", \"sources\": [{\"type\": \"command\", \"channels\": [0], \"source\": \"sox --null - synth 3\"}], \"sampling_rate\": 16000, \"num_samples\": 48000, \"duration\": 3.0}\n";
    let supervisions = "{\"id\": \"r1-s1\", \"recording_id\": \"r1\", \"start\": 0.0, \"duration\": 3.0, \"channel\": 0, \"text\": \"சரி\", \"language\": \"tamil\", \"speaker\": \"s\", \"gender\": \"m\"}\n{\"id\": \"r2-s1\", \"recording_id\": \"r2\", \"start\": 0.5, \"duration\": 1.0, \"channel\": [0, 1]}\n";
    let judged = folder(&[
        ("recordings.jsonl", recordings),
        ("supervisions.jsonl", supervisions),
        ("audio/r1.flac", ""),
    ]);
    assert_eq!(judged.format, Format::Lhotse);
    assert_eq!(said(&judged), [("audio/r1.flac", Some("சரி")), ("-", None)]);
    assert_eq!(judged.samples[0].language.as_deref(), Some("ta"));
    assert_eq!(judged.samples[0].start, None);
    assert_eq!(count(&judged, FindingKind::Command), 1);
    let cuts = "[{\"id\": \"c\", \"start\": 1.0, \"duration\": 2.0, \"channel\": 0, \"type\": \"MonoCut\", \"supervisions\": [{\"id\": \"b\", \"start\": 1.0, \"duration\": 1, \"text\": \"B\"}, {\"id\": \"a\", \"start\": 0, \"duration\": 1, \"text\": \"A\"}], \"recording\": {\"id\": \"r\", \"sources\": [{\"type\": \"file\", \"channels\": [0], \"source\": \"r.wav\"}], \"sampling_rate\": 8000, \"duration\": 9.0}}, {\"id\": \"m\", \"type\": \"MixedCut\", \"supervisions\": []}]";
    let judged = folder(&[("cuts.json", cuts), ("r.wav", "")]);
    assert_eq!(said(&judged), [("r.wav", Some("A B"))]);
    assert_eq!(
        (judged.samples[0].start, judged.samples[0].end),
        (Some(1.0), Some(3.0))
    );
    assert_eq!(count(&judged, FindingKind::BadRow), 1);
}

#[test]
fn fairseq() {
    let set = [
        (
            "test.tsv",
            "/content/noa/valid\na/0001.wav\t89280\nb/0002.wav\t16000\n",
        ),
        ("test.wrd", "घर जाओ\n\n"),
        ("a/0001.wav", ""),
        ("b/0002.wav", ""),
    ];
    let judged = folder(&set);
    assert_eq!(judged.format, Format::Fairseq);
    assert_eq!(
        said(&judged),
        [("a/0001.wav", Some("घर जाओ")), ("b/0002.wav", Some(""))]
    );
    assert_eq!(judged.samples[0].seconds, Some(5.58));
    let mut short = set;
    short[1] = ("test.wrd", "घर जाओ\n");
    let problem = judge(&files(&short), None, &Options::default()).unwrap_err();
    assert_eq!(problem.code, Code::Mismatch);
    let mut letters = set;
    letters[1] = ("test.ltr", "घ र | ज ा ओ |\n|\n");
    assert_eq!(said(&folder(&letters))[0].1, Some("घर जाओ"));
}

#[test]
fn label_studio() {
    let tasks = "[{\"id\": 7, \"data\": {\"audio\": \"/data/upload/1/0a1b2c3d-u1.wav\", \"lang\": \"hi\"}, \"annotations\": [\n\
        {\"was_cancelled\": false, \"created_at\": \"2026-01-01\", \"result\": [{\"id\": \"r\", \"from_name\": \"transcription\", \"type\": \"textarea\", \"value\": {\"start\": 2.0, \"text\": [\"है\"]}}, {\"id\": \"r\", \"from_name\": \"labels\", \"type\": \"labels\", \"value\": {}}, {\"from_name\": \"transcription\", \"type\": \"textarea\", \"value\": {\"start\": 0.2, \"text\": [\"ठीक\"]}}]},\n\
        {\"was_cancelled\": true, \"created_at\": \"2026-02-01\", \"result\": []}],\n\
        \"predictions\": [{\"model_version\": \"w\", \"result\": [{\"from_name\": \"transcription\", \"type\": \"textarea\", \"value\": {\"text\": [\"ठी\"]}}]}]}]";
    let judged = folder(&[("export.json", tasks), ("u1.wav", "")]);
    assert_eq!(judged.format, Format::LabelStudio);
    assert_eq!(said(&judged), [("u1.wav", Some("ठीक है"))]);
    assert_eq!(judged.samples[0].hypotheses.get("w"), Some("ठी"));
    let small = folder(&[
        (
            "min.json",
            "[{\"audio\": \"/data/upload/1/ab12cd34-a.wav\", \"id\": 3, \"annotator\": 1, \"transcription\": [{\"start\": 1, \"text\": \"है\"}, {\"start\": 0, \"text\": \"ठीक\"}], \"annotation_id\": 5}]",
        ),
        ("a.wav", ""),
    ]);
    assert_eq!(said(&small), [("a.wav", Some("ठीक है"))]);
    // Not all tell who has annotated, and the first may be one text.
    let mixed = folder(&[
        (
            "min.json",
            "[{\"audio\": \"/data/upload/1/ab12cd34-a.wav\", \"id\": 3, \"transcription\": \"हाँ\", \"annotation_id\": 5}, {\"audio\": \"/data/local-files/?d=x/a2.wav\", \"id\": 4, \"transcription\": [{\"start\": 1, \"end\": 2, \"text\": \"है\"}, {\"start\": 0, \"end\": 1, \"text\": \"ठीक\"}], \"annotation_id\": 6}]",
        ),
        ("a.wav", ""),
        ("a2.wav", ""),
    ]);
    let wanted = [("a.wav", Some("हाँ")), ("a2.wav", Some("ठीक है"))];
    assert_eq!(said(&mixed), wanted);
    let tabs = "\"annotation_id\"\t\"annotator\"\t\"audio\"\t\"id\"\t\"transcription\"\n5\t\"a@x.in\"\t\"/data/local-files/?d=wavs/a.wav\"\t3\t\"ठीक \"\"है\"\"\"\n";
    let table = folder(&[("labelstudio-result.csv", tabs), ("wavs/a.wav", "")]);
    assert_eq!(
        (table.format, said(&table)),
        (Format::LabelStudio, vec![("wavs/a.wav", Some("ठीक \"है\""))])
    );
    let manifest = folder(&[
        (
            "manifest.json",
            "{\"audio_filepath\": \"audio/a.wav\", \"duration\": 1, \"text\": \"x\", \"annotator\": \"a\"}\n",
        ),
        ("audio/a.wav", ""),
    ]);
    assert_eq!(count(&manifest, FindingKind::LossySource), 1);
}

#[test]
fn what_kaldi_names_and_is_not_read_is_told_where_it_stands() {
    let judged = folder(&[
        ("wav.scp", "u2 x.ark:1234\nu1 a.wav b.wav\n"),
        ("text", "u1 one\nu2 two\n"),
        ("a.wav", ""),
        ("b.wav", ""),
    ]);
    let all = judged.findings.kept().iter();
    let refused = all.filter(|one| one.kind == FindingKind::RefusedAudio);
    let places = refused.map(|one| (one.file.as_deref(), one.line, one.id.as_deref()));
    let places: Vec<_> = places.collect();
    let at = Some("wav.scp");
    let wanted = [(at, Some(1), Some("u2")), (at, Some(2), Some("u1"))];
    assert_eq!(places, wanted);
}

#[test]
fn a_list_of_recordings_may_have_a_name_before_its_own() {
    let all = [
        ("dev-wav.scp", "u1 a.wav\nu2 b.wav\n"),
        ("dev-text", "u1 one\nu2 two\n"),
        ("text", "u1 three\nu2 four\n"),
        ("utt2spk", "u1 s1\nu2 s2\n"),
        ("a.wav", ""),
        ("b.wav", ""),
    ];
    let judged = judge(&files(&all), Some("dev-wav.scp"), &Options::default()).unwrap();
    assert_eq!(judged.format, Format::Kaldi);
    let wanted = [("a.wav", Some("one")), ("b.wav", Some("two"))];
    assert_eq!(said(&judged), wanted);
    assert_eq!(judged.samples[1].speaker.as_deref(), Some("s2"));
}

#[test]
fn an_id_of_kaldi_that_comes_again_is_told_and_the_first_counts() {
    let all = |text: &'static str| {
        [
            ("wav.scp", "u1 a.wav\nu2 b.wav\nu1 c.wav\n"),
            ("text", text),
            ("utt2spk", "u1 s1\nu2 s2\nu2 s2\n"),
            ("a.wav", ""),
            ("b.wav", ""),
            ("c.wav", ""),
        ]
    };
    let judged = folder(&all("u1 first\nu2 x\nu1 second\n"));
    assert_eq!(
        said(&judged),
        [("a.wav", Some("first")), ("b.wav", Some("x"))]
    );
    let told: Vec<_> = judged
        .kept()
        .iter()
        .map(|one| {
            let (file, id) = (one.file.as_deref().unwrap(), one.id.as_deref().unwrap());
            (one.kind, file, one.line.unwrap(), id, one.message.as_str())
        })
        .collect();
    let (again, bad) = (FindingKind::DuplicateId, FindingKind::BadRow);
    let same = "line 1 has the same id";
    let other = "says something else of u1 than line 1, which counts";
    assert_eq!(
        told,
        [
            (again, "wav.scp", 3, "u1", same),
            (bad, "wav.scp", 3, "u1", other),
            (again, "text", 3, "u1", same),
            (bad, "text", 3, "u1", other),
            (again, "utt2spk", 3, "u2", "line 2 has the same id"),
        ]
    );
    assert_eq!(judged.findings.errors(), 2);
    let judged = folder(&[
        ("wav.scp", "r a.wav\n"),
        ("text", "u1 x\n"),
        ("segments", "u1 r 0 1\nu1 r 1 2\n"),
        ("a.wav", ""),
    ]);
    assert_eq!(
        (judged.samples.len(), judged.samples[0].start),
        (1, Some(0.0))
    );
    assert_eq!(count(&judged, FindingKind::DuplicateId), 1);
    assert_eq!(count(&judged, FindingKind::BadRow), 1);
}

#[test]
fn nemo_itself_takes_the_text_before_a_normalised_one() {
    let line = "{\"audio_filepath\": \"a.wav\", \"duration\": 1, \"normalized_text\": \"n\", \"text\": \"t\"}\n";
    let judged = folder(&[("test_manifest.json", line), ("a.wav", "")]);
    assert_eq!(said(&judged), [("a.wav", Some("t"))]);
    assert_eq!(judged.samples[0].metadata.get("normalized_text"), Some("n"));
    assert_eq!(
        judged.kept()[0].message,
        "\"text\" is taken as the text; normalized_text could be it as well (--text-column)"
    );
    // A table is none of NeMo.
    let table = "file_name,text,normalized_text\na.wav,t,n\n";
    let judged = folder(&[("t.csv", table), ("a.wav", "")]);
    assert_eq!(said(&judged), [("a.wav", Some("n"))]);
}

#[test]
fn each_line_of_nemo_has_its_own_place_for_the_text() {
    let line = |name: &str, rest: &str| {
        format!("{{\"audio_filepath\": \"{name}.wav\", \"duration\": 1{rest}}}\n")
    };
    let lines = [
        line("a", ", \"text\": \"one\""),
        line("b", ", \"normalized_text\": \"two\""),
        line("c", ", \"text_filepath\": \"texts/c.txt\""),
        line("d", ", \"text\": null, \"normalized_text\": \"four\""),
        line("e", ", \"text\": \"\""),
    ]
    .concat();
    let names = ["a.wav", "b.wav", "c.wav", "d.wav", "e.wav"];
    let mut all = names.map(|name| (name, "")).to_vec();
    all.push(("texts/c.txt", "three\n"));
    let with = |lines| [&all[..], &[("manifest.json", lines)]].concat();
    let judged = folder(&with(lines.as_str()));
    let texts = ["one", "two", "three", "four", ""].map(Some);
    assert_eq!(
        said(&judged),
        names.into_iter().zip(texts).collect::<Vec<_>>()
    );
    assert_eq!(judged.text_column.as_deref(), Some("text"));
    for kind in [FindingKind::TwoTextColumns, FindingKind::NoText] {
        assert_eq!(count(&judged, kind), 0);
    }
    assert_eq!(
        judged.remarks,
        [
            "manifest.json: 2 rows have no text, and normalized_text is taken there, as NeMo does",
            "manifest.json: 1 row has no text, and text_filepath is taken there, as NeMo does",
        ]
    );
    for (index, column) in [(1, "normalized_text"), (2, "text_filepath")] {
        let metadata = &judged.samples[index].metadata;
        assert!(!metadata.has(column), "{metadata:?}");
    }
    // One that is asked for is the only one.
    let asked = Options {
        text_column: Some("normalized_text".to_owned()),
        ..Options::default()
    };
    let judged = judge(&files(&with(lines.as_str())), None, &asked).unwrap();
    let texts = [None, Some("two"), None, Some("four"), None];
    assert_eq!(
        said(&judged),
        names.into_iter().zip(texts).collect::<Vec<_>>()
    );
    // Files go before what is normalised, and only those of the folder are read.
    let lines = [
        line(
            "c",
            ", \"text_filepath\": \"texts/c.txt\", \"normalized_text\": \"n\"",
        ),
        line("a", ", \"text_filepath\": \"/etc/passwd\""),
        line("b", ", \"text_filepath\": \"../b.txt\""),
        line("d", ", \"text_filepath\": \"no.txt\""),
    ]
    .concat();
    let asked = Options {
        text_column: Some("text_filepath".to_owned()),
        ..Options::default()
    };
    for options in [Options::default(), asked] {
        let judged = judge(&files(&with(lines.as_str())), None, &options).unwrap();
        assert_eq!(said(&judged)[0], ("c.wav", Some("three")));
        assert_eq!(judged.text_column.as_deref(), Some("text_filepath"));
        assert_eq!(judged.remarks, Vec::<String>::new());
        let bad = judged.kept().iter();
        let bad = bad.filter(|found| found.kind == FindingKind::BadRow);
        let told: Vec<&str> = bad.map(|found| found.message.as_str()).collect();
        assert_eq!(
            told,
            [
                "the text of this row is in /etc/passwd, which is not in this folder",
                "the text of this row is in ../b.txt, which is outside of the folder, and is not read",
                "the text of this row is in no.txt, which is not there",
            ]
        );
        let usable = judged.samples.iter().map(|one| one.usable);
        assert_eq!(usable.collect::<Vec<_>>(), [true, false, false, false]);
    }
    // An empty name is none.
    let lines = [
        line("a", ", \"text_filepath\": \"\", \"normalized_text\": \"n\""),
        line("c", ", \"text_filepath\": \" \""),
    ]
    .concat();
    let judged = folder(&with(lines.as_str()));
    assert_eq!(said(&judged), [("a.wav", Some("n")), ("c.wav", None)]);
    assert_eq!(count(&judged, FindingKind::BadRow), 0);
}

#[test]
fn a_column_that_is_taken_by_its_words_is_told() {
    for (table, wanted) in [
        ("file_name,col_b\na.wav,one two\n", true),
        ("file_name,text\na.wav,one two\n", false),
    ] {
        let judged = folder(&[("m.csv", table), ("a.wav", "")]);
        assert_eq!(said(&judged), [("a.wav", Some("one two"))]);
        let told = "m.csv: \"col_b\" is taken as the text, for it alone has words and a name that says \
                    nothing else (--text-column)";
        let remarks: Vec<&str> = wanted.then_some(told).into_iter().collect();
        assert_eq!(judged.remarks, remarks);
    }
}

#[test]
fn label_studio_without_annotators_loses_no_text() {
    let of = |text: &str, audio: &str| {
        let json = format!("[{{\"audio\": \"{audio}\", \"id\": 3, \"transcription\": {text}}}]");
        folder(&[("export.json", json.as_str()), ("a.wav", "")])
    };
    let upload = "/data/upload/1/ab12cd34-a.wav";
    let regions =
        r#"[{"start": 1.0, "end": 2, "text": ["two"]}, {"start": 0, "end": 1, "text": ["one"]}]"#;
    let two = r#"["one", "two"]"#;
    for (text, audio) in [(regions, upload), (regions, "a.wav"), (two, upload)] {
        assert_eq!(
            said(&of(text, audio)),
            [("a.wav", Some("one two"))],
            "{text}"
        );
    }
    // Elsewhere two texts can be two readings of one.
    let judged = of(two, "a.wav");
    assert!(!judged.samples[0].usable);
    let found = &judged.kept()[0];
    assert_eq!((found.kind, found.line), (FindingKind::BadRow, Some(1)));
    assert!(
        found
            .message
            .starts_with("transcription is a list of 2 values"),
        "{}",
        found.message
    );
    let asked = Options {
        format: Some(Format::LabelStudio),
        ..Options::default()
    };
    let json = format!("[{{\"audio\": \"a.wav\", \"transcription\": {two}}}]");
    let all = files(&[("export.json", json.as_str()), ("a.wav", "")]);
    let judged = judge(&all, Some("export.json"), &asked).unwrap();
    assert_eq!(said(&judged), [("a.wav", Some("one two"))]);
}
