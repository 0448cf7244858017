//! Tables: of the Hub and of spreadsheets, of Common Voice, Calibrate and others; and rows of
//! them that are wrong.

use stt_eval_formats::files::InMemory;
use stt_eval_formats::{FindingKind, Format, Options, judge};

use super::{count, files, folder, said};

#[test]
fn ids_are_names_of_recordings_where_no_column_is() {
    let ids = "id,sentence\nक1,एक दो\nu.2,three\nu3,four\n";
    let judged = folder(&[
        ("t.csv", ids),
        ("wavs/क1.wav", ""),
        ("wavs/u.2.mp3", ""),
        ("u1.txt", "beside"),
    ]);
    assert_eq!(
        said(&judged),
        [
            ("wavs/क1.wav", Some("एक दो")),
            ("wavs/u.2.mp3", Some("three")),
            ("-", Some("four"))
        ]
    );
    assert_eq!(count(&judged, FindingKind::MissingAudio), 1);
    let told = "no column names recordings: those are taken that id is the name of";
    assert!(
        judged.remarks.iter().any(|told_of| told_of == told),
        "{:?}",
        judged.remarks
    );
    // Another one that names its recordings goes before it, wherever it stands.
    for name in ["a.csv", "z.csv"] {
        let judged = folder(&[
            ("t.csv", "id,text\nu1,heard\n"),
            (name, "file_name,text\nu1.wav,said\n"),
            ("u1.wav", ""),
        ]);
        assert_eq!(said(&judged), [("u1.wav", Some("said"))], "{name}");
    }
    // Ids that only some recordings are called by chance are no names.
    let rest = "id,text\n1,a\n2,b\n3,c\n";
    let judged = folder(&[("t.csv", rest), ("1.wav", ""), ("x.wav", "")]);
    assert_eq!(judged.format, Format::Audio);
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
fn what_stands_under_no_name_is_told_as_that() {
    let rows =
        "file_name,text,,\na.wav,one,,\na.wav,हाँ, ठीक,\na.wav,two,x,\na.wav,a,b,c,d\na.wav\n";
    let judged = folder(&[("m.csv", rows), ("a.wav", "")]);
    assert_eq!(said(&judged), [("a.wav", Some("one"))]);
    let told: Vec<&str> = judged
        .kept()
        .iter()
        .map(|one| one.message.as_str())
        .collect();
    let under_none = "column 3 has something, and no name in the header";
    let comma = format!(
        "{under_none} (an unquoted comma in “हाँ, ठीक”?): quote the text, or use a TAB-separated file"
    );
    assert_eq!(
        told,
        [
            comma.as_str(),
            under_none,
            "5 columns, the header has 4, 2 of them with a name",
            "1 column, the header has 4, 2 of them with a name",
        ]
    );
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
    let train_set = format!("{header}{}", row("common_voice_or_9.mp3", "x"));
    let set = files(&[
        ("or/test.tsv", &test),
        ("or/train.tsv", &train_set),
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
    // What lies beside the splits holds lengths and sentences, and is no manifest.
    for beside in ["clip_durations.tsv", "times.txt", "validated_sentences.tsv"] {
        let name = format!("or/{beside}");
        let lengths = "clip\tduration[ms]\ncommon_voice_or_1.mp3\t2500\n\
                       common_voice_or_9.mp3\t2500\n";
        let set = files(&[
            ("or/test.tsv", &test),
            ("or/train.tsv", &train_set),
            (&name, lengths),
            ("or/clips/common_voice_or_1.mp3", ""),
            ("or/clips/common_voice_or_2.mp3", ""),
            ("or/clips/common_voice_or_3.mp3", ""),
            ("or/clips/common_voice_or_9.mp3", ""),
        ]);
        let judged = judge(&set, None, &Options::default()).unwrap();
        let read = (judged.format, judged.samples.len());
        assert_eq!(read, (Format::CommonVoice, 3), "{beside}");
    }
    // Another table may be the one that is meant.
    let set = files(&[
        ("test.tsv", &test),
        ("mine.csv", "path,sentence\ncommon_voice_or_1.mp3,x\n"),
        ("clips/common_voice_or_1.mp3", ""),
    ]);
    let told = judge(&set, None, &Options::default()).unwrap_err();
    assert!(told.message.contains("mine.csv"), "{told}");
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
    assert_eq!(kaapi.samples[0].ground_truth(), Some("\\{x\\|y\\}"));
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
    assert_eq!(ours.samples[0].ground_truth(), Some("{दस|10} <*>"));
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

/// A path of another machine names its recording as that machine would.
#[test]
fn recordings_of_windows_are_called_by_their_names() {
    let judged = folder(&[
        (
            "m.csv",
            "file,text\nC:\\Users\\x\\wavs\\a.wav,hi\nwavs\\b.wav,no\n",
        ),
        ("wavs/a.wav", ""),
        ("wavs/b.wav", ""),
    ]);
    let ids: Vec<&str> = judged.samples.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(said(&judged)[0], ("wavs/a.wav", Some("hi")));
}

#[test]
fn what_looks_like_a_transcript_is_no_fact_where_others_are_chosen() {
    let table = "file_name,text,whisper,मॉडल,nova error,nova,domain,notes,whisper wer\n\
                 a.wav,घर चलो अब,घर चलो,\"घर, चलो।\",,घर चलो अब,call,घर is loud,0.3\n\
                 b.wav,हाँ ठीक है,हाँ ठीक,ठीक है,quota,,call,,0.3\n\
                 c.wav,आज नहीं जाना,आज नहीं,कल भी नहीं जाना,,आज,read,bad line,0.3\n";
    let files = files(&[("metadata.csv", table)]);
    let fields = |chosen: &[&str]| {
        let options = Options {
            hypotheses: chosen.iter().map(|one| (*one).to_owned()).collect(),
            ..Options::default()
        };
        let judged = judge(&files, None, &options).unwrap();
        let fields: Vec<String> = judged.samples[0]
            .metadata
            .names()
            .map(str::to_owned)
            .collect();
        fields
    };
    let facts = ["domain", "notes", "whisper wer"];
    for chosen in [
        &["whisper"][..],
        &["मॉडल"],
        &["nova", "whisper"],
        &["whisper", "nova", "मॉडल"],
    ] {
        assert_eq!(fields(chosen), facts, "{chosen:?}");
    }
    // Without a choice each is one.
    let all = ["domain", "notes", "nova", "whisper", "whisper wer", "मॉडल"];
    assert_eq!(fields(&[]), all);
}
