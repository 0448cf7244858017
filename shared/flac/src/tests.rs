use std::io::Cursor;

use proptest::prelude::*;

use stt_eval_audio::cut::flac_to_wav;

use super::*;

/// A file of frames of `block` samples each.
fn file(rate: u32, channels: u16, block: usize, sound: &[u8]) -> Vec<u8> {
    let frame = usize::from(channels) * 2;
    let mut encoder = FlacEncoder::new(rate, channels).unwrap();
    let mut out = b"fLaC\x80\0\0\x22".to_vec();
    let longest = (block as u16).to_be_bytes();
    out.extend([longest, longest].concat());
    out.extend([0; 6]);
    let samples = (sound.len() / frame) as u64;
    let told = u64::from(rate) << 44 | u64::from(channels - 1) << 41 | 15 << 36 | samples;
    out.extend(told.to_be_bytes());
    out.extend([0; 16]);
    for (number, samples) in (0..).zip(sound.chunks(block * frame)) {
        out.extend(encoder.frame(number, samples).unwrap());
    }
    out
}

/// As a decoder that is not ours hears it.
fn heard(flac: Vec<u8>) -> Vec<u8> {
    let mut wav = Cursor::new(Vec::new());
    flac_to_wav(Cursor::new(flac), &mut wav).unwrap();
    wav.into_inner().split_off(44)
}

/// Tones, noise and steps, loud to the end of the scale, with their lowest bits gone.
fn sound(kind: u8, seed: u32, length: usize, gone: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let mut noise = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as i16
    };
    let sample = |at: usize| match kind {
        0 => noise(),
        1 => noise() >> 11,
        2 => ((at as f64 * f64::from(seed % 97) / 300.0).sin() * 32_767.0) as i16,
        3 => [i16::MIN, i16::MAX][at / (1 + seed as usize % 9) % 2],
        4 => i16::MIN,
        _ => ((at as f64 * 0.07).sin() * 9_000.0) as i16 + (noise() >> 9),
    };
    let all = (0..length).map(sample);
    all.flat_map(|sample| (sample >> gone << gone).to_le_bytes())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_sample_comes_back(
        kind in 0_u8..6,
        seed in any::<u32>(),
        channels in 1_u16..=3,
        moments in 32_usize..2_500,
        block in prop::sample::select(vec![192_usize, 512, 1_000, 1_024]),
        gone in prop::sample::select(vec![0_u32, 0, 3, 8]),
    ) {
        // The shortest block that FLAC has within a file is of 16 samples.
        let moments = if (1..16).contains(&(moments % block)) { moments + 16 } else { moments };
        let sound = sound(kind, seed, moments * usize::from(channels), gone);
        let flac = file(16_000, channels, block, &sound);
        prop_assert!(heard(flac) == sound);
    }
}

#[test]
fn numbers_of_frames_are_written_like_characters() {
    for number in [0, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x1_0000, 0x10_FFFF] {
        let mut out = Bits::default();
        out.number(number);
        let text = char::from_u32(number as u32).unwrap().to_string();
        assert_eq!(out.bytes(), text.as_bytes(), "{number}");
    }
    let mut out = Bits::default();
    out.number(0x1F_FFFF);
    out.number(0x20_0000);
    out.number(0x8000_0000);
    let long = [
        &[0xF7, 0xBF, 0xBF, 0xBF][..],
        &[0xF8, 0x88, 0x80, 0x80, 0x80],
        &[0xFE, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80],
    ];
    assert_eq!(out.bytes(), long.concat());
}

#[test]
fn what_is_no_block_is_refused() {
    let mut encoder = FlacEncoder::new(16_000, 2).unwrap();
    for odd in [0, 3, MAX_BLOCK * 4 + 4] {
        assert!(encoder.frame(0, &vec![0; odd]).is_none(), "{odd}");
    }
    assert!(FlacEncoder::new(16_000, 0).is_none());
    assert!(FlacEncoder::new(16_000, 9).is_none());
}

/// Two channels that say nearly the same take little more than one.
#[test]
fn what_two_channels_have_in_common_is_written_once() {
    let one = sound(5, 3, 4_096, 0);
    let both: Vec<u8> = one
        .chunks(2)
        .flat_map(|sample| [sample, sample].concat())
        .collect();
    let (one, both) = (file(16_000, 1, 1_024, &one), file(16_000, 2, 1_024, &both));
    assert!(both.len() < one.len() + 100, "{} {}", one.len(), both.len());
}
