//! The bundled clips are what their list says, and the recordings belong to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stt_eval_audio::AudioFormat;

use crate::support::{clip, clips_dir, judge_bytes};

fn lines(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(clips_dir().join(name)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} in {line}"))
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn every_clip_is_what_the_list_says() {
    let mut formats = BTreeSet::new();
    let mut languages = BTreeSet::new();
    let mut size = 0;
    for line in lines("clips.jsonl") {
        let name = text(&line, "file");
        let bytes = clip(name);
        size += bytes.len();
        assert_eq!(
            line["size_bytes"].as_u64(),
            Some(bytes.len() as u64),
            "{name}"
        );
        assert_eq!(sha256(&bytes), text(&line, "sha256"), "{name}");
        assert!(!text(&line, "ground_truth").trim().is_empty(), "{name}");

        let judged = judge_bytes(bytes);
        let info = judged.info();
        let declared = AudioFormat::from_content_type(text(&line, "content_type")).unwrap();
        assert_eq!(declared, info.format, "{name}");
        assert!(name.ends_with(&format!(".{}", info.format)), "{name}");
        assert_eq!(info.channels, 1, "{name}");
        let listed = line["duration_seconds"].as_f64().unwrap();
        let off = (info.duration_seconds - listed).abs();
        assert!(
            off < 0.1,
            "{name}: listed {listed}, found {}",
            info.duration_seconds
        );
        assert_eq!(judged.fetches, 1, "{name}");

        formats.insert(format!("{} {}", info.format, info.codec));
        languages.insert(text(&line, "language").to_owned());
    }
    let expected = [
        "flac flac",
        "m4a aac",
        "mp3 mp3",
        "ogg opus",
        "ogg vorbis",
        "wav pcm_s16le",
        "webm opus",
    ];
    assert_eq!(formats, expected.map(str::to_owned).into());
    assert!(languages.len() >= 5, "{languages:?}");
    assert!(size <= 1_000_000, "{size} bytes");
}

#[test]
fn every_clip_has_one_recording_per_model() {
    let clips: BTreeSet<String> = lines("clips.jsonl")
        .iter()
        .map(|line| text(line, "sha256").to_owned())
        .collect();
    let mut by_model: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in lines("recordings.jsonl") {
        assert!(text(&line, "note").contains("not real model output"));
        assert_eq!(
            text(&line, "text").is_empty(),
            line["finish_reason"].is_string(),
            "{line}"
        );
        let of_model = by_model.entry(text(&line, "model").to_owned()).or_default();
        assert!(
            of_model.insert(text(&line, "sha256").to_owned()),
            "twice: {line}"
        );
    }
    let models: Vec<&str> = by_model.keys().map(String::as_str).collect();
    assert_eq!(models, ["gemini-2.5-flash", "gemini-2.5-pro"]);
    assert!(by_model.values().all(|recorded| *recorded == clips));
}
