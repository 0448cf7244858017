//! WAV files as telephone systems and old programs write them.

use stt_eval_audio::AudioFormat;

use crate::support::{chunk, judge_bytes, pcm, wav};

/// A format chunk of `len` bytes: one channel of 8 kHz, one byte a sample.
fn telephone(tag: u16, len: usize) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend_from_slice(&tag.to_le_bytes());
    body.extend_from_slice(&1u16.to_le_bytes());
    body.extend_from_slice(&8000u32.to_le_bytes());
    body.extend_from_slice(&8000u32.to_le_bytes());
    body.extend_from_slice(&1u16.to_le_bytes());
    body.extend_from_slice(&8u16.to_le_bytes());
    body.resize(len.max(body.len()), 0);
    body.truncate(len);
    chunk(b"fmt ", &body)
}

#[test]
fn mu_law_and_a_law_are_read_from_a_format_chunk_of_any_length() {
    let two_seconds = chunk(b"data", &[0x7F; 16_000]);
    for (tag, codec) in [(7, "pcm_mulaw"), (6, "pcm_alaw")] {
        for len in [14, 15, 16, 17, 18, 20, 22, 40, 50] {
            let judged = judge_bytes(wav(&[telephone(tag, len), two_seconds.clone()]));
            let info = judged.info();
            assert_eq!(info.format, AudioFormat::Wav, "{len}");
            assert_eq!(info.codec, codec, "{len}");
            assert_eq!(
                (info.duration_seconds, info.sample_rate_hz, info.channels),
                (2.0, 8000, 1),
                "{codec} in {len}"
            );
        }
        for len in [0, 2, 13] {
            let judged = judge_bytes(wav(&[telephone(tag, len), two_seconds.clone()]));
            assert_eq!(judged.code(), "malformed", "{len}");
        }
    }
}

#[test]
fn mu_law_and_a_law_are_read_from_an_extensible_format() {
    for (tag, codec) in [(7u8, "pcm_mulaw"), (6, "pcm_alaw"), (1, "pcm_u8")] {
        let mut body = telephone(0xFFFE, 16)[8..].to_vec();
        body.extend_from_slice(&22u16.to_le_bytes());
        body.extend_from_slice(&8u16.to_le_bytes());
        body.extend_from_slice(&4u32.to_le_bytes());
        body.push(tag);
        body.extend_from_slice(b"\0\0\0\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71");
        let judged = judge_bytes(wav(&[chunk(b"fmt ", &body), chunk(b"data", &[0x7F; 8000])]));
        assert_eq!(judged.info().codec, codec);
        assert_eq!(judged.info().duration_seconds, 1.0);
    }
}

#[test]
fn pcm_is_read_from_a_format_chunk_of_any_length() {
    for len in [14, 16, 18, 20, 24, 40] {
        let mut body = pcm(2, 16_000)[8..].to_vec();
        body.resize(len.max(16), 0);
        body.truncate(len);
        let judged = judge_bytes(wav(&[chunk(b"fmt ", &body), chunk(b"data", &[0; 64_000])]));
        assert_eq!(judged.info().codec, "pcm_s16le", "{len}");
        assert_eq!(judged.info().duration_seconds, 1.0, "{len}");
    }
}

#[test]
fn a_missing_padding_byte_is_noticed() {
    let with_padding = wav(&[
        chunk(b"bext", &[1; 603]),
        telephone(7, 20),
        chunk(b"LIST", b"INFOx"),
        chunk(b"data", &[0x7F; 8000]),
    ]);
    assert_eq!(judge_bytes(with_padding).info().duration_seconds, 1.0);
    let unpadded = |name: &[u8; 4], body: &[u8]| {
        let mut out = chunk(name, body);
        out.truncate(8 + body.len());
        out
    };
    let without = wav(&[
        unpadded(b"bext", &[1; 603]),
        telephone(7, 20),
        unpadded(b"LIST", b"INFOx"),
        chunk(b"data", &[0x7F; 8000]),
    ]);
    assert_eq!(judge_bytes(without).info().duration_seconds, 1.0);
}

#[test]
fn every_cut_of_a_telephone_recording_is_told() {
    let whole = wav(&[telephone(7, 16), chunk(b"data", &[0x7F; 80])]);
    for len in 0..whole.len() {
        let code = judge_bytes(whole[..len].to_vec()).code();
        let expected = match len {
            0 => "empty",
            1..12 => "not_audio",
            _ => "truncated",
        };
        assert_eq!(code, expected, "{len} of {}", whole.len());
    }
}
