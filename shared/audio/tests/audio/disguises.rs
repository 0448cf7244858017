//! Files that are something else than they say, and the words people get to read.

use stt_eval_audio::{AudioFormat, Probe, Rejection};

use crate::support::{Object, clip, find, id3, judge, judge_bytes, mp4_box, replaced, wav};

#[test]
fn what_is_not_audio_is_named() {
    let cases: [(&[u8], &str); 12] = [
        (b"", "The file is empty."),
        (b"just some words, saved as .mp3\n", "a text file"),
        ("\u{feff}id;text\n1;नमस्ते\n".as_bytes(), "a text file"),
        (b"\xFF\xFEh\0e\0l\0l\0o\0", "a text file"),
        (
            b"\n <!DOCTYPE html><html><body>404</body></html>",
            "a web page",
        ),
        (
            b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
            "an XML document",
        ),
        (b"%PDF-1.7\n%\xE2\xE3\xCF\xD3", "a PDF document"),
        (b"PK\x03\x04\x14\0\0\0\x08\0clip.mp3", "a ZIP archive"),
        (b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", "a picture"),
        (b"\xFF\xD8\xFF\xE0\0\x10JFIF\0", "a picture"),
        (b"\x7FELF\x02\x01\x01\0\0\0\0\0", "a program"),
        (b"MThd\0\0\0\x06\0\x01", "a MIDI file"),
    ];
    for (bytes, words) in cases {
        let judged = judge_bytes(bytes);
        let Probe::Rejected(reason) = &judged.verdict else {
            panic!("{judged:?}")
        };
        assert!(reason.to_string().contains(words), "{reason} lacks {words}");
    }
    assert_eq!(
        judge(&Object::default().zeros(200_000_000)).code(),
        "not_audio"
    );
    assert_eq!(judge_bytes([0xFF]).code(), "not_audio");
}

#[test]
fn other_audio_formats_are_named() {
    let cases: [(&[u8], &str); 13] = [
        (b"FORM\0\0\0\x2EAIFFCOMM", "AIFF"),
        (b"#!AMR\n\x3C\x91\x17", "AMR-NB"),
        (b"#!AMR-WB\n\x04", "AMR-WB"),
        (b"RIFX\0\0\0\x24WAVEfmt ", "RIFX"),
        (b"NIST_1A\n   1024\nchannel_count -i 2\n", "NIST SPHERE"),
        (b"riff\x2E\x91\xCF\x11\xA5\xD6\x28\xDB", "Wave64"),
        (
            b"ID3\x04\0\0\0\0\0\x02\0\0\xFF\xF1\x50\x80\x02\x1F\xFC\xDA",
            "ADTS",
        ),
        (b"ADIF\0\0", "ADIF"),
        (b"\x02#!SILK_V3", "SILK"),
        (b"caff\0\x01\0\0desc", "CAF"),
        (
            b"\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\0\xAA\0\x62\xCE\x6C",
            "WMA",
        ),
        (b"\xFF\xF1\x50\x80\x02\x1F\xFC\xDA", "raw AAC"),
        (b"\xFF\xFD\x84\0\0\0\0\0", "MPEG layer II"),
    ];
    for (bytes, name) in cases {
        let judged = judge_bytes(bytes);
        assert_eq!(judged.code(), "unsupported_format");
        assert!(matches!(&judged.verdict, Probe::Rejected(r) if r.to_string().contains(name)));
    }
}

#[test]
fn video_is_refused() {
    assert_eq!(
        judge_bytes(*b"RIFF\xFF\0\0\0AVI LIST\0\0\0\0").code(),
        "contains_video"
    );
    let m4a = replaced(&clip("ml-01.m4a"), b"soun", b"vide");
    assert_eq!(judge_bytes(m4a).code(), "contains_video");
    let webm = clip("en-03.webm");
    // The track's type: 2 is sound, 1 is pictures, 17 is subtitles.
    assert_eq!(
        judge_bytes(replaced(&webm, &[0x83, 0x81, 2], &[0x83, 0x81, 1])).code(),
        "contains_video"
    );
    assert_eq!(
        judge_bytes(replaced(&webm, &[0x83, 0x81, 2], &[0x83, 0x81, 17])).code(),
        "no_audio_track"
    );
    let ogg = replaced(&clip("ta-02.ogg"), b"\x01vorbis", b"\x80theora");
    assert_eq!(judge_bytes(ogg).code(), "contains_video");
    let heic = mp4_box(b"ftyp", b"heic\0\0\0\0mif1heic");
    assert_eq!(judge_bytes(heic).code(), "not_audio");
}

#[test]
fn matroska_and_foreign_codecs_are_refused() {
    let matroska = replaced(
        &clip("en-03.webm"),
        b"\x42\x82\x84webm",
        b"\x42\x82\x84mkv\0",
    );
    assert_eq!(judge_bytes(matroska).code(), "malformed");
    let codec = replaced(&clip("en-03.webm"), b"A_OPUS", b"A_FLAC");
    assert!(matches!(
        judge_bytes(codec).code(),
        "unsupported_codec" | "malformed"
    ));
    let speex = replaced(&clip("te-01.ogg"), b"OpusHead", b"Speex   ");
    assert_eq!(judge_bytes(speex).code(), "unsupported_codec");
    for (tag, name) in [
        (0x55, "MP3"),
        (0x31, "GSM 6.10"),
        (0x11, "IMA ADPCM"),
        (0x02, "Microsoft ADPCM"),
    ] {
        let mut in_wav = clip("en-01.wav");
        in_wav[20] = tag;
        let judged = judge_bytes(in_wav);
        assert_eq!(judged.code(), "unsupported_codec");
        assert!(
            matches!(&judged.verdict, Probe::Rejected(r) if r.to_string().contains(name)
                && r.to_string().contains("A-law")),
            "{judged:?}"
        );
    }
}

#[test]
fn polyglots_are_what_they_begin_with() {
    let mp3 = clip("en-02.mp3");
    for start in [
        b"%PDF-1.4\n".as_slice(),
        b"PK\x03\x04",
        b"<html>",
        b"GIF89a",
    ] {
        let judged = judge_bytes([start, &mp3].concat());
        assert_eq!(judged.code(), "not_audio", "{start:?}");
    }
    // Sound followed by an archive plays as sound everywhere.
    let with_zip = [mp3.as_slice(), b"PK\x05\x06", &[0; 18]].concat();
    assert_eq!(judge_bytes(with_zip).info().format, AudioFormat::Mp3);
    let in_wav = wav(&[crate::support::chunk(b"junk", &mp3)]);
    assert_eq!(judge_bytes(in_wav).code(), "malformed");
}

#[test]
fn frames_far_between_are_no_mp3() {
    let mut noise: Vec<u8> = (0..60_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    noise[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0x00]);
    assert_eq!(judge_bytes(noise.clone()).code(), "not_audio");
    assert_eq!(
        judge_bytes([id3(10, 10), noise].concat()).code(),
        "malformed"
    );
    // A stream that was cut out in the middle of a frame is one.
    let cut = clip("en-02.mp3")[50..].to_vec();
    assert_eq!(judge_bytes(cut).info().format, AudioFormat::Mp3);
}

#[test]
fn a_reason_is_a_code_and_a_sentence() {
    let judged = judge_bytes(*b"RIFX\0\0\0\x24WAVEfmt ");
    let Probe::Rejected(reason) = &judged.verdict else {
        panic!("{judged:?}")
    };
    let json = serde_json::to_value(reason).unwrap();
    assert_eq!(json["code"], "unsupported_format");
    assert_eq!(json["message"], reason.to_string());
}

#[test]
fn content_types_lead_to_formats_and_back() {
    for format in AudioFormat::ALL {
        assert_eq!(
            AudioFormat::from_content_type(format.content_type()),
            Some(format)
        );
        let json = serde_json::to_string(&format).unwrap();
        assert_eq!(json, format!("\"{format}\""));
        assert_eq!(serde_json::from_str::<AudioFormat>(&json).unwrap(), format);
    }
    let cases = [
        ("audio/webm;codecs=opus", Some(AudioFormat::Webm)),
        (" Audio/X-WAV ; charset=binary", Some(AudioFormat::Wav)),
        ("application/ogg", Some(AudioFormat::Ogg)),
        ("audio/opus", Some(AudioFormat::Ogg)),
        ("audio/x-m4a", Some(AudioFormat::M4a)),
        ("video/webm", None),
        ("text/csv", None),
        ("audio/", None),
        ("", None),
    ];
    for (content_type, format) in cases {
        assert_eq!(
            AudioFormat::from_content_type(content_type),
            format,
            "{content_type}"
        );
    }
}

#[test]
fn every_reason_is_one_sentence() {
    let reasons = [
        Rejection::Empty,
        Rejection::Truncated {
            expected_bytes: Some(9),
            actual_bytes: 5,
        },
        Rejection::Truncated {
            expected_bytes: None,
            actual_bytes: 5,
        },
        Rejection::NotAudio { looks_like: None },
        Rejection::UnsupportedCodec {
            format: AudioFormat::Ogg,
            codec: None,
        },
        Rejection::TooManyChannels {
            found: 65_535,
            limit: 8,
        },
        Rejection::Malformed("it has no sound data".into()),
    ];
    for reason in reasons {
        let words = reason.to_string();
        assert!(words.starts_with("The ") && words.ends_with('.'), "{words}");
        assert_eq!(words.matches('.').count(), 1, "{words}");
        assert!(
            reason
                .code()
                .chars()
                .all(|c| c.is_ascii_lowercase() || c == '_')
        );
    }
}

#[test]
fn a_moov_inside_an_id3_tag_is_not_found() {
    // A tag is skipped by its length; what is inside plays no part.
    let m4a = clip("bn-02.m4a");
    let hidden = [id3(m4a.len() as u32, 0), m4a.clone(), clip("te-02.mp3")].concat();
    assert_eq!(judge_bytes(hidden).info().format, AudioFormat::Mp3);
    assert!(find(&m4a, b"moov") > 0);
}

#[test]
fn a_foreign_encoding_inside_m4a_is_named() {
    let m4a = clip("bn-02.m4a");
    for (name, words) in [
        (b"Opus", "(Opus)"),
        (b"alac", "(Apple Lossless)"),
        (b".mp3", "(MP3)"),
        (b"samr", "(AMR-NB)"),
        (b"????", "not supported; m4a is taken with AAC"),
    ] {
        let judged = judge_bytes(replaced(&m4a, b"mp4a", name));
        assert_eq!(judged.code(), "unsupported_codec");
        assert!(
            matches!(&judged.verdict, Probe::Rejected(r) if r.to_string().contains(words)),
            "{judged:?}"
        );
    }
    // MP3 under the name of AAC: only the number of the encoding tells.
    let at = find(&m4a, b"esds");
    let decoder = at + find(&m4a[at..], &[0x40, 0x15]);
    let mut mp3 = m4a;
    mp3[decoder] = 0x6B;
    let judged = judge_bytes(mp3);
    assert!(
        matches!(&judged.verdict, Probe::Rejected(r) if r.to_string().contains("(MP3)")),
        "{judged:?}"
    );
}

#[test]
fn frames_of_flac_without_their_header_are_named() {
    let flac = clip("bn-01.flac");
    // Frames begin behind the last block of descriptions.
    let mut at = 4;
    loop {
        let len = u32::from_be_bytes([0, flac[at + 1], flac[at + 2], flac[at + 3]]) as usize;
        let last = flac[at] & 0x80 != 0;
        at += 4 + len;
        if last {
            break;
        }
    }
    for bytes in [
        flac[at..].to_vec(),
        [b"fLaC".as_slice(), &flac[at..]].concat(),
    ] {
        let judged = judge_bytes(bytes);
        assert_eq!(judged.code(), "malformed");
        assert!(
            matches!(&judged.verdict, Probe::Rejected(r) if r.to_string().contains("FLAC")),
            "{judged:?}"
        );
    }
}
