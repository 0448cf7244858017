//! Every format of manifests by a fixture in the shape that real tools write, with
//! their mistakes.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use stt_eval_formats::files::InMemory;
use stt_eval_formats::markup::Markup;
use stt_eval_formats::{Code, FindingKind, Format, Judged, Options, judge};

fn files(all: &[(&str, &str)]) -> InMemory {
    InMemory::new(all.iter().copied())
}

fn folder(all: &[(&str, &str)]) -> Judged {
    judge(&files(all), None, &Options::default()).unwrap()
}

/// What was read of each sample: recording and text.
fn said(judged: &Judged) -> Vec<(&str, Option<&str>)> {
    let samples = judged.samples.iter();
    samples
        .map(|sample| {
            (
                sample.audio.as_deref().unwrap_or("-"),
                sample.text.as_deref(),
            )
        })
        .collect()
}

fn count(judged: &Judged, kind: FindingKind) -> usize {
    judged.findings.count(kind)
}

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
    assert_eq!(piece.hypotheses["conformer"], "हां");
    assert_eq!(judged.samples[0].speaker.as_deref(), Some("s1"));
    assert_eq!(count(&judged, FindingKind::RefusedAudio), 1);
    assert_eq!(count(&judged, FindingKind::BadRow), 1);
}

#[test]
fn audiofolder_and_excel() {
    let csv = "\u{feff}file_name;transcription;speaker;\r\nclips/a1.mp3;\"हाँ; ठीक है\";s1;\r\nclips/a2.mp3;;s2;\r\nclips/a2.mp3;x;s2;\r\nclips/no.mp3;null;s2;\r\n";
    let judged = folder(&[
        ("metadata.csv", csv),
        ("clips/a1.mp3", ""),
        ("clips/a2.mp3", ""),
    ]);
    assert_eq!(judged.format, Format::Audiofolder);
    assert_eq!(
        said(&judged),
        [
            ("clips/a1.mp3", Some("हाँ; ठीक है")),
            ("clips/a2.mp3", None),
            ("clips/a2.mp3", Some("x")),
            ("-", Some("null"))
        ]
    );
    assert_eq!(count(&judged, FindingKind::EmptyText), 1);
    assert_eq!(count(&judged, FindingKind::SameAudio), 1);
    assert_eq!(count(&judged, FindingKind::MissingAudio), 1);
    assert_eq!(judged.findings.errors(), 2);
    let usable: Vec<bool> = judged.samples.iter().map(|sample| sample.usable).collect();
    assert_eq!(usable, [true, true, false, false]);
    // UTF-16 with TABs, as Excel saves "Unicode text".
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(
            csv.trim_start_matches('\u{feff}')
                .replace(';', "\t")
                .encode_utf16()
                .flat_map(u16::to_le_bytes),
        )
        .collect();
    let set = InMemory::new([
        ("metadata.csv", wide),
        ("clips/a1.mp3", vec![]),
        ("clips/a2.mp3", vec![]),
    ]);
    let judged = judge(&set, None, &Options::default()).unwrap();
    assert_eq!(judged.samples.len(), 4);
    assert_eq!(
        judged
            .encoding
            .map(|one| serde_json::to_string(&one).unwrap())
            .as_deref(),
        Some("\"utf-16le\"")
    );
}

#[test]
fn a_bad_row_is_told_by_its_line() {
    let judged = folder(&[
        (
            "data/metadata.csv",
            "file_name,text\na.wav,one\na.wav,हाँ, ठीक\n\"b.wav\",\"two\nlines\"\n",
        ),
        ("data/a.wav", ""),
        ("data/b.wav", ""),
    ]);
    let bad = judged
        .kept()
        .iter()
        .find(|one| one.kind == FindingKind::BadRow)
        .unwrap();
    assert_eq!(
        (bad.file.as_deref(), bad.line),
        (Some("data/metadata.csv"), Some(3))
    );
    assert!(
        bad.message.contains(
            "3 columns, the header has 2 (an unquoted comma in “हाँ, ठीक”?): quote the text"
        ),
        "{bad:?}"
    );
    assert_eq!(judged.samples[1].line, 4);
    assert_eq!(judged.samples[1].text.as_deref(), Some("two\nlines"));
}

#[test]
fn common_voice() {
    let header = "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\tgender\taccents\tvariant\tlocale\tsegment\n";
    let row = |path: &str, text: &str| format!("9f\t{path}\t77\t{text}\t\t2\t0\t\t\t\t\tor\t\n");
    let test = format!(
        "{header}{}{}{}",
        row("common_voice_or_1.mp3", "\"ଧନ୍ୟବାଦ\" ସେ କହିଲେ"),
        row("common_voice_or_2", "\"\"\"ହଁ,\"\" ସେ\""),
        row("common_voice_or_3.mp3", "\"open")
    );
    let train = format!("{header}{}", row("common_voice_or_9.mp3", "x"));
    let set = files(&[
        ("or/test.tsv", &test),
        ("or/train.tsv", &train),
        ("or/reported.tsv", "sentence_id\tsentence\treason\n"),
        ("or/clips/common_voice_or_1.mp3", ""),
        ("or/clips/common_voice_or_2.mp3", ""),
        ("or/clips/common_voice_or_3.mp3", ""),
        ("or/clips/common_voice_or_9.mp3", ""),
    ]);
    let judged = judge(&set, None, &Options::default()).unwrap();
    assert_eq!(
        (judged.format, judged.split.as_deref()),
        (Format::CommonVoice, Some("test"))
    );
    let texts: Vec<_> = said(&judged)
        .into_iter()
        .map(|(_, text)| text.unwrap())
        .collect();
    assert_eq!(texts, ["\"ଧନ୍ୟବାଦ\" ସେ କହିଲେ", "\"ହଁ,\" ସେ", "\"open"]);
    assert_eq!(judged.findings.errors(), 0);
    assert_eq!(judged.samples[0].language.as_deref(), Some("or"));
    let train = Options {
        split: Some("train".to_owned()),
        ..Options::default()
    };
    assert_eq!(judge(&set, None, &train).unwrap().samples.len(), 1);
    let spontaneous = folder(&[
        (
            "ss-corpus-ta.tsv",
            "client_id\taudio_id\taudio_file\tduration_ms\tprompt_id\tprompt\ttranscription\tlanguage\tsplit\nc\t1\tspontaneous-1.mp3\t2500\t4\tWhat?\tஆம் [noise]\tTamil\ttest\nc\t2\tspontaneous-2.mp3\t2500\t4\tWhat?\t\tTamil\tdev\n",
        ),
        ("audios/spontaneous-1.mp3", ""),
        ("audios/spontaneous-2.mp3", ""),
    ]);
    assert_eq!(
        said(&spontaneous)[0],
        ("audios/spontaneous-1.mp3", Some("ஆம் [noise]"))
    );
    let first = &spontaneous.samples[0];
    assert_eq!(
        (first.language.as_deref(), first.seconds),
        (Some("ta"), Some(2.5))
    );
}

#[test]
fn fleurs() {
    let rows = "1\t101.wav\tकल 5 बजे।\tकल पाँच बजे\tक ल | प\t32000\tMALE\n1\t102.wav\tकल 5 बजे।\tकल पाँच बजे\tक ल | प\t16000\tFEMALE\n";
    let set = files(&[
        ("test.tsv", rows),
        ("test/101.wav", ""),
        ("test/102.wav", ""),
        ("train.tsv", rows),
    ]);
    let judged = judge(&set, None, &Options::default()).unwrap();
    assert_eq!(judged.format, Format::Fleurs);
    assert_eq!(said(&judged)[0], ("test/101.wav", Some("कल 5 बजे।")));
    assert_eq!(judged.samples[1].seconds, Some(1.0));
    let other = Options {
        text_column: Some("transcription".to_owned()),
        ..Options::default()
    };
    assert_eq!(
        judge(&set, None, &other).unwrap().samples[0]
            .text
            .as_deref(),
        Some("कल पाँच बजे")
    );
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
        (first.start, first.end, first.file.as_str(), first.line),
        (Some(0.5), Some(2.75), "text", 1)
    );
    assert_eq!(first.metadata["gender"], "f");
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
        (first.speaker.as_deref(), first.metadata["gender"].as_str()),
        (Some("321"), "f")
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
    assert_eq!(lahaja.samples[0].metadata["native_district"], "Gaya");
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
fn calibrate_kaapi_and_deep_speech() {
    let cli = folder(&[
        ("stt.csv", "id,text\n1,\"नमस्ते, कैसे हैं\"\n2,\n"),
        ("audios/1.wav", ""),
        ("audios/2.wav", ""),
    ]);
    assert_eq!(cli.format, Format::Calibrate);
    assert_eq!(
        said(&cli),
        [("audios/1.wav", Some("नमस्ते, कैसे हैं")), ("audios/2.wav", None)]
    );
    let page = folder(&[
        ("mine/data.csv", "Audio_File,Text\na.wav,வணக்கம்\n"),
        ("mine/audios/a.wav", ""),
        ("__MACOSX/x", ""),
    ]);
    assert_eq!(said(&page), [("mine/audios/a.wav", Some("வணக்கம்"))]);
    let kaapi = folder(&[
        (
            "set.csv",
            "object_store_url,ground_truth\ns3://b/stt/a.wav,{x|y}\n",
        ),
        ("stt/a.wav", ""),
    ]);
    assert_eq!(said(&kaapi), [("stt/a.wav", Some("{x|y}"))]);
    // It is plain text there, and markup here.
    assert_eq!(
        kaapi.samples[0].ground_truth.as_deref(),
        Some("\\{x\\|y\\}")
    );
    let deep = folder(&[
        (
            "ru.csv",
            "wav_filename,wav_filesize,transcript\nclips/1.wav,0,open the door",
        ),
        ("clips/1.wav", ""),
    ]);
    assert_eq!(
        (deep.format, said(&deep)),
        (
            Format::DeepSpeech,
            vec![("clips/1.wav", Some("open the door"))]
        )
    );
    let ours = folder(&[(
        "m.jsonl",
        "{\"file_id\": \"file_01JDKQZ7V8N5X2Y3W4T6R9S0PA\", \"ground_truth\": \"{दस|10} <*>\"}\n",
    )]);
    assert_eq!(ours.samples[0].ground_truth.as_deref(), Some("{दस|10} <*>"));
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
    assert_eq!(judged.samples[0].hypotheses["w"], "ठी");
    let small = folder(&[
        (
            "min.json",
            "[{\"audio\": \"/data/upload/1/ab12cd34-a.wav\", \"id\": 3, \"annotator\": 1, \"transcription\": [{\"start\": 1, \"text\": \"है\"}, {\"start\": 0, \"text\": \"ठीक\"}], \"annotation_id\": 5}]",
        ),
        ("a.wav", ""),
    ]);
    assert_eq!(said(&small), [("a.wav", Some("ठीक है"))]);
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
fn markup_of_asr_eval_is_asked_for() {
    let set = files(&[
        (
            "m.csv",
            "file,text\na.wav,{पच्चीस|25} रुपये {जी} <*>\nb.wav,{broken\n",
        ),
        ("a.wav", ""),
        ("b.wav", ""),
    ]);
    let plain = judge(&set, None, &Options::default()).unwrap();
    assert_eq!(
        plain.samples[0].ground_truth.as_deref(),
        Some("\\{पच्चीस\\|25\\} रुपये \\{जी\\} \\<*>")
    );
    assert_eq!(count(&plain, FindingKind::LossySource), 1);
    let asked = Options {
        markup: Some(Markup::AsrEval),
        ..Options::default()
    };
    let asked = judge(&set, None, &asked).unwrap();
    assert_eq!(
        asked.samples[0].ground_truth.as_deref(),
        Some("{पच्चीस|25} रुपये {जी|} <*>")
    );
    assert_eq!(count(&asked, FindingKind::BadMarkup), 1);
    assert!(!asked.samples[1].usable);
}

#[test]
fn what_is_wrong_with_a_whole_source_is_told() {
    let told = |all: &[(&str, &str)]| judge(&files(all), None, &Options::default()).unwrap_err();
    assert_eq!(told(&[]).code, Code::Nothing);
    assert_eq!(told(&[("readme.md", "x")]).code, Code::Nothing);
    assert_eq!(told(&[("a.tar", "x")]).code, Code::Unsupported);
    let three = told(&[
        ("m.csv", "file,col_b,col_c,notes\na.wav,a b,c d,e f\n"),
        ("a.wav", ""),
    ]);
    assert_eq!(three.code, Code::ChooseColumn);
    assert_eq!(
        three.message,
        "3 columns could hold the text: \"col_b\", \"col_c\", \"notes\""
    );
    let two = told(&[
        ("a.csv", "file,text\na.wav,x\n"),
        ("b.csv", "file,text\na.wav,y\n"),
        ("a.wav", ""),
    ]);
    assert_eq!(two.code, Code::Ambiguous);
    let outside = folder(&[
        ("m.csv", "file,text\n../../etc/passwd.wav,x\n"),
        ("a.wav", ""),
    ]);
    assert_eq!(count(&outside, FindingKind::OutsideFolder), 1);
}

#[test]
fn ids_that_a_spreadsheet_has_rounded_are_told() {
    let judged = folder(&[
        ("m.csv", "id,file,text\n8.44425E+14,a.wav,x\n1,b.wav,y\n"),
        ("a.wav", ""),
        ("b.wav", ""),
    ]);
    assert_eq!(count(&judged, FindingKind::LossySource), 1);
    let pandas = folder(&[
        ("m.csv", ",file,text\n0,a.wav,x\n1,b.wav,y\n"),
        ("a.wav", ""),
        ("b.wav", ""),
    ]);
    assert!(pandas.samples[0].metadata.is_empty());
}

#[test]
fn tables_called_txt_are_found_and_others_told() {
    // As Excel saves "Unicode text".
    let judged = folder(&[
        ("m.txt", "file\ttext\r\n1.wav\tनमस्ते\r\n2.wav\tजी\r\n"),
        ("readme.txt", "What this is.\n"),
        ("1.wav", ""),
        ("2.wav", ""),
    ]);
    assert_eq!(judged.format, Format::Table);
    assert_eq!(
        said(&judged),
        [("1.wav", Some("नमस्ते")), ("2.wav", Some("जी"))]
    );
    let other = folder(&[("m.csv", "x,text\n1,2\n"), ("1.wav", "")]);
    assert_eq!(other.format, Format::Audio);
    assert!(
        other
            .remarks
            .iter()
            .any(|told| told.contains("m.csv names no recordings")),
        "{:?}",
        other.remarks
    );
}
