//! Folders of corpora, each in a layout of its own.

use stt_eval_formats::{FindingKind, Format};

use super::{count, folder, said};

#[test]
fn libri_speech_mls_and_lj_speech() {
    let libri = folder(&[
        (
            "103/1240/103-1240.trans.txt",
            "103-1240-0000 HE CAME HOME\n103-1240-0001 AND SLEPT\n",
        ),
        ("103/1240/103-1240-0000.flac", ""),
        ("103/1240/103-1240-0001.flac", ""),
    ]);
    assert_eq!(libri.format, Format::LibriSpeech);
    assert_eq!(
        said(&libri)[1],
        ("103/1240/103-1240-0001.flac", Some("AND SLEPT"))
    );
    assert_eq!(libri.samples[0].speaker.as_deref(), Some("103"));
    let mls = folder(&[
        ("test/transcripts.txt", "77_12_000001\til est venu\n"),
        ("test/audio/77/12/77_12_000001.opus", ""),
    ]);
    assert_eq!(mls.format, Format::Mls);
    assert_eq!(
        said(&mls),
        [("test/audio/77/12/77_12_000001.opus", Some("il est venu"))]
    );
    let lj = folder(&[
        (
            "metadata.csv",
            "LJ900-0001|Dr. Rao, \"came.|Doctor Rao came.\nLJ900-0002|He left.\nLJ900-0003|x|\n",
        ),
        ("wavs/LJ900-0001.wav", ""),
        ("wavs/LJ900-0002.wav", ""),
        ("wavs/LJ900-0003.wav", ""),
    ]);
    assert_eq!(lj.format, Format::LjSpeech);
    let texts: Vec<_> = said(&lj)
        .into_iter()
        .map(|(_, text)| text.unwrap())
        .collect();
    assert_eq!(texts, ["Doctor Rao came.", "He left.", "x"]);
}

#[test]
fn indian_corpora() {
    let kathbath = folder(&[
        (
            "hindi/test/transcription.txt",
            "844424930000001-321-f.m4a\tमुझे 2 पानी\n",
        ),
        (
            "hindi/test/transcription_n2w.txt",
            "844424930000001-321-f.m4a\tमुझे दो पानी\n",
        ),
        ("hindi/test/audio/321/844424930000001-321-f.wav", ""),
    ]);
    assert_eq!(kathbath.format, Format::Transcriptions);
    let first = &kathbath.samples[0];
    assert_eq!(first.text.as_deref(), Some("मुझे दो पानी"));
    assert_eq!(
        (first.speaker.as_deref(), first.metadata.get("gender")),
        (Some("321"), Some("f"))
    );
    assert_eq!(first.language.as_deref(), Some("hi"));
    assert!(first.usable);
    let lahaja = folder(&[
        (
            "meta-data-lahaja.csv",
            "fname,verbatim,normalized,text,duration,lang,sp_id,gender,age_group,age-group,native_district\nx1.wav,\"हां [pause] जी\",\"हां जी\",\"हां जी।\",2.4,hi,S1,Female,18-30,18-30,Gaya\n",
        ),
        ("audio/x1.wav", ""),
    ]);
    assert_eq!(said(&lahaja), [("audio/x1.wav", Some("हां जी।"))]);
    assert_eq!(count(&lahaja, FindingKind::TwoTextColumns), 1);
    assert_eq!(
        lahaja.samples[0].metadata.get("native_district"),
        Some("Gaya")
    );
    let voices = folder(&[
        (
            "Tamil/v1/valid/X.json",
            "{\"speaker_id\": \"S7\", \"scenario\": \"Extempore\", \"gender\": \"Male\", \"verbatim\": [{\"speaker_id\": 0, \"start\": 0.1, \"end\": 2.0, \"text\": \"ம் [noise] சரி\"}], \"normalized\": [{\"start\": 2.1, \"text\": \"ஆம்\"}, {\"start\": 0.1, \"text\": \"சரி\"}]}",
        ),
        ("Tamil/v1/valid/X.wav", ""),
    ]);
    assert_eq!(voices.format, Format::IndicVoices);
    assert_eq!(said(&voices), [("Tamil/v1/valid/X.wav", Some("சரி ஆம்"))]);
    assert_eq!(voices.samples[0].language.as_deref(), Some("ta"));
    let svarah = folder(&[
        (
            "svarah_manifest.json",
            "{\"audio_filepath\": \"/x/svarah/audio/a1.wav\", \"duration\": 1.0, \"text\": \"yes\"}\n",
        ),
        ("meta_speaker_stats.csv", "speaker_id,gender\n1,m\n"),
        ("audio/a1.wav", ""),
        ("audio/a1.txt", "yes\n"),
    ]);
    assert_eq!(
        (svarah.format, said(&svarah)),
        (Format::Nemo, vec![("audio/a1.wav", Some("yes"))])
    );
    let shrutilipi = folder(&[("odia/b1/sent_1.wav", ""), ("odia/b1/sent_1.txt", "ହଁ\n")]);
    assert_eq!(shrutilipi.format, Format::SideFiles);
    assert_eq!(said(&shrutilipi), [("odia/b1/sent_1.wav", Some("ହଁ"))]);
    assert_eq!(shrutilipi.samples[0].language.as_deref(), Some("or"));
}

/// A folder of the same name within a folder is another one.
#[test]
fn recordings_of_nested_folders_keep_their_own_texts() {
    let texts = folder(&[
        ("wavs/u1.wav", ""),
        ("wavs/u1.txt", "one\n"),
        ("wavs/wavs/u1.wav", ""),
        ("wavs/wavs/u1.txt", "two\n"),
    ]);
    assert_eq!(
        said(&texts),
        [
            ("wavs/u1.wav", Some("one")),
            ("wavs/wavs/u1.wav", Some("two"))
        ]
    );
    let alone = folder(&[("wavs/u1.wav", ""), ("wavs/wavs/u1.wav", "")]);
    assert_eq!(
        said(&alone),
        [("wavs/u1.wav", None), ("wavs/wavs/u1.wav", None)]
    );
    assert_eq!(count(&alone, FindingKind::SameAudio), 0);
}

#[test]
fn prompts_of_festival_lead_to_their_recordings() {
    let set = folder(&[
        (
            "etc/txt.done.data",
            "( train_hindi_0001 \" \u{915}\u{932} \\\"(\u{939}\u{93e}\u{901})\\\" \" )\n\
             ; a remark\n\
             ( train_hindi_0002 \"\" )\n\
             ( train_hindi_0003 no quotes )\n",
        ),
        ("wav/train_hindi_0001.wav", ""),
        ("wav/train_hindi_0002.wav", ""),
    ]);
    assert_eq!(set.format, Format::Festival);
    assert_eq!(
        said(&set),
        [
            ("wav/train_hindi_0001.wav", Some("कल \"(हाँ)\"")),
            ("wav/train_hindi_0002.wav", Some("")),
        ]
    );
    let bad = &set.kept()[0];
    assert_eq!((bad.kind, bad.line), (FindingKind::BadRow, Some(4)));
    assert_eq!(bad.message, "is not ( id \"text\" )");
}

#[test]
fn recordings_are_told_as_they_are_written() {
    let voices = "client_id\tpath\tsentence\nc\tx.mp3\tone\nc\ty\ttwo\n";
    let prompts = "LJ900-0001|He left.|He left.\n";
    let fleurs = "1\t101.wav\tone.\tone\to n e |\t16000\tMALE\n";
    for (list, recordings, written) in [
        (
            ("stt.csv", "id,text\n1,one\n2,two\n"),
            &["audios/1.wav", "audios/2.wav"][..],
            &["1", "2"][..],
        ),
        (
            ("data.csv", "audio_file,text\na.wav,one\n"),
            &["audios/a.wav"],
            &["a.wav"],
        ),
        (
            ("test.tsv", voices),
            &["clips/x.mp3", "clips/y.mp3"],
            &["x.mp3", "y"],
        ),
        (
            ("metadata.csv", prompts),
            &["wavs/LJ900-0001.wav"],
            &["LJ900-0001"],
        ),
        (("test.tsv", fleurs), &["test/101.wav"], &["101.wav"]),
        (
            ("1/2/1-2.trans.txt", "1-2-0 HE CAME\n"),
            &["1/2/1-2-0.flac"],
            &["1-2-0"],
        ),
    ] {
        let all: Vec<(&str, &str)> = recordings.iter().map(|name| (*name, "")).collect();
        let judged = folder(&[&all[..], &[list]].concat());
        let samples = judged.samples.iter();
        let found: Vec<_> = samples
            .map(|one| {
                let written = one.audio_as_written.as_deref().unwrap();
                (one.audio.as_deref().unwrap(), written)
            })
            .collect();
        let wanted = recordings.iter().copied().zip(written.iter().copied());
        assert_eq!(found, wanted.collect::<Vec<_>>(), "{}", list.0);
    }
}

#[test]
fn an_id_that_is_there_again_is_told_with_its_file() {
    let judged = folder(&[
        ("a/u1.wav", ""),
        ("a/u1.txt", "one"),
        ("b/u1.wav", ""),
        ("b/u1.txt", "two"),
    ]);
    let told: Vec<&str> = judged
        .kept()
        .iter()
        .filter(|found| found.kind == FindingKind::DuplicateId)
        .map(|found| found.message.as_str())
        .collect();
    assert_eq!(told, ["a/u1.txt line 1 has the same id"]);
}

/// Tokens of Rev lie beside their recordings, or in a folder of their own.
#[test]
fn rev_nlp() {
    let tokens = |words: &[&str]| {
        let rows = words
            .iter()
            .map(|word| format!("{word}|1|0.1|0.2|,|UC|[]|[]\n"));
        "token|speaker|ts|endTs|punctuation|case|tags|wer_tags\n".to_owned()
            + &rows.collect::<String>()
    };
    let (one, two) = (tokens(&["Hello", "world"]), tokens(&["Good", "morning"]));
    for (audio, nlp) in [
        (["a.wav", "b.wav"], ["a.nlp", "b.nlp"]),
        (
            ["media/a.mp3", "media/b.mp3"],
            [
                "transcripts/nlp_references/a.nlp",
                "transcripts/nlp_references/b.nlp",
            ],
        ),
    ] {
        let about = "file_id,audio_length,company_name\na,10,X\nb,11,Y\n";
        for more in [None, Some(("earnings21-file-metadata.csv", about))] {
            let mut set = vec![
                (audio[0], ""),
                (audio[1], ""),
                (nlp[0], &*one),
                (nlp[1], &*two),
            ];
            set.extend(more);
            let judged = folder(&set);
            assert_eq!(judged.format, Format::RevNlp);
            assert_eq!(
                said(&judged),
                [
                    (audio[0], Some("Hello world")),
                    (audio[1], Some("Good morning"))
                ]
            );
            assert_eq!(judged.findings.errors(), 0);
        }
    }
}
