//! Which column or field names a recording, and recordings that have no name of their own.

use stt_eval_formats::{Code, FindingKind, Options, judge};

use super::{count, files, folder, said};

const BOTH: [(&str, Option<&str>); 2] = [("a.wav", Some("one")), ("b.wav", Some("two"))];

#[test]
fn the_column_that_leads_to_recordings_names_them() {
    for table in [
        "filename,file_id,text\na.wav,file_01,one\nb.wav,file_02,two\n",
        "file_id,filename,text\n101,a.wav,one\n102,b.wav,two\n",
        "filename,file_id,text\na.wav,101,one\nb.wav,102,two\n",
        "audio,file_name,text\n,a.wav,one\n,b.wav,two\n",
        "file_id,filename,text\na.wav,101,one\nb.wav,102,two\n",
    ] {
        let found = folder(&[
            ("a.wav", ""),
            ("b.wav", ""),
            ("c.wav", ""),
            ("l.csv", table),
        ]);
        assert_eq!(said(&found), BOTH, "{table}");
        assert!(found.remarks.is_empty(), "{:?}", found.remarks);
    }
}

#[test]
fn audiofolder_nests_names_of_files() {
    for lines in [
        "{\"audio\":{\"file_name\":\"a.wav\"},\"text\":\"one\"}\n\
         {\"audio\":{\"file_name\":\"b.wav\"},\"text\":\"two\"}\n",
        "{\"sound\":{\"file_name\":\"a.wav\"},\"text\":\"one\"}\n\
         {\"sound\":{\"file_name\":\"b.wav\"},\"text\":\"two\"}\n",
    ] {
        let found = folder(&[("a.wav", ""), ("b.wav", ""), ("metadata.jsonl", lines)]);
        assert_eq!(said(&found), BOTH, "{lines}");
    }
}

#[test]
fn each_line_of_nemo_may_have_another_name_for_its_recording() {
    let lines = "{\"audio_filepath\": \"a.wav\", \"duration\": 1.0, \"text\": \"one\"}\n\
                 {\"audio_filename\": \"b.wav\", \"duration\": 1.0, \"text\": \"two\"}\n\
                 {\"context\": \"c.wav\", \"duration\": 1.0, \"text\": \"three\"}\n\
                 {\"audio_filepath\": \"d.wav\", \"context\": \"x\", \"duration\": 1.0, \"text\": \"four\"}\n";
    let audio = ["a.wav", "b.wav", "c.wav", "d.wav"].map(|name| (name, ""));
    let found = folder(&[&audio[..], &[("manifest.json", lines)]].concat());
    let texts = ["one", "two", "three", "four"];
    let wanted: Vec<_> = audio
        .iter()
        .zip(texts)
        .map(|((a, _), b)| (*a, Some(b)))
        .collect();
    assert_eq!(said(&found), wanted);
    let metadata = &found.samples[1].metadata;
    assert!(!metadata.has("audio_filename"), "{metadata:?}");
    assert_eq!(found.samples[3].metadata.get("context"), Some("x"));
}

#[test]
fn paths_of_label_studio_are_parts_of_an_address() {
    let task = |path: &str| {
        format!(
            "[{{\"audio\": \"{path}\", \"id\": 3, \"transcription\": \"x\", \"annotation_id\": 5}}]"
        )
    };
    for path in [
        "/data/local-files/?d=folder/a%20b.wav",
        "http://localhost:8080/data/local-files/?d=folder%2Fa%20b.wav",
        "/data/local-files/?d=folder/a b.wav",
    ] {
        let found = folder(&[("folder/a b.wav", ""), ("x.json", &task(path))]);
        assert_eq!(said(&found), [("folder/a b.wav", Some("x"))], "{path}");
    }
}

#[test]
fn cuts_without_a_file_of_their_own_say_why() {
    let cuts = r#"[{"id": "c1", "start": 0, "duration": 4, "type": "MultiCut", "supervisions": [{"id": "s", "recording_id": "r", "start": 0, "duration": 1, "text": "one"}], "recording": {"id": "r", "sources": [{"type": "file", "source": "a.wav"}], "duration": 4.0}}, {"id": "p1", "type": "PaddingCut", "duration": 1}, {"id": "m", "type": "MixedCut", "tracks": [{"offset": 0, "cut": {"id": "c9"}}, {"offset": 1, "cut": {"id": "c8"}}]}]"#;
    let found = folder(&[("a.wav", ""), ("cuts.json", cuts)]);
    assert_eq!(said(&found), [("a.wav", Some("one"))]);
    assert_eq!(count(&found, FindingKind::BadRow), 2);
    let bad = found
        .kept()
        .iter()
        .filter(|one| one.kind == FindingKind::BadRow);
    let bad: Vec<_> = bad
        .map(|one| (one.id.as_deref(), one.message.as_str()))
        .collect();
    assert_eq!(
        bad,
        [
            (
                None,
                "p1 is a PaddingCut, silence that has no file and no text: leave it out"
            ),
            (
                None,
                "m is a MixedCut, a mixture of 2 tracks of which there is no file: save its sound \
                 (cut.save_audio) and list that"
            ),
        ]
    );
}

#[test]
fn archives_with_the_recordings_are_named() {
    let shar = r#"{"id":"c","start":0,"duration":1,"channel":0,"supervisions":[],"recording":{"id":"r","sources":[{"type":"shar","channels":[0],"source":""}],"sampling_rate":16000,"num_samples":16000,"duration":1}}"#;
    for (all, wanted) in [
        (
            &[("cuts.000000.jsonl", shar), ("recording.000000.tar", "")][..],
            "cuts.000000.jsonl line 1: is of lhotse Shar: its recordings are inside of TAR archives \
             (recording.000000.tar …)",
        ),
        (
            &[("data.tar", "")],
            "data.tar: the audio is inside of this TAR archive",
        ),
        (
            &[("x/a.tar", ""), ("x/b.tar", ""), ("x/c.tar", "")],
            "x/a.tar: the audio is inside of this TAR archive (and of 2 more)",
        ),
    ] {
        let problem = judge(&files(all), None, &Options::default()).unwrap_err();
        assert_eq!(
            (problem.code, problem.to_string()),
            (Code::Unsupported, wanted.to_owned())
        );
    }
}

#[test]
fn a_text_that_many_rows_have_is_told_of_small_sets_as_well() {
    for (rows, same, is_told) in [
        (19, 9, true),
        (10, 3, true),
        (10, 2, false),
        (5, 5, false),
        (20, 2, true),
        (100, 5, false),
    ] {
        let names: Vec<String> = (0..rows).map(|n| format!("{n}.wav")).collect();
        let mut table = "file_name,text\n".to_owned();
        for (n, name) in names.iter().enumerate() {
            let text = if n < same {
                "thank you".to_owned()
            } else {
                format!("text {n}")
            };
            table += &format!("{name},{text}\n");
        }
        let mut all: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        all.push(("l.csv", &table));
        let found = folder(&all);
        assert_eq!(
            count(&found, FindingKind::SameText),
            usize::from(is_told),
            "{same} of {rows}"
        );
    }
}
