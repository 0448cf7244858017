//! Recordings made on the spot.

use ring::digest::{SHA256, digest};

/// A WAV file (8 kHz, mono, 16 bit) that differs with its seed.
#[must_use]
pub fn wav(seed: u32, seconds: f64) -> Vec<u8> {
    let frames = (seconds * 8_000.0) as u32;
    let data_len = frames * 2;
    let mut file = Vec::with_capacity(44 + data_len as usize);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + data_len).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16u32.to_le_bytes());
    for half in [1u16, 1] {
        file.extend_from_slice(&half.to_le_bytes());
    }
    file.extend_from_slice(&8_000u32.to_le_bytes());
    file.extend_from_slice(&16_000u32.to_le_bytes());
    for half in [2u16, 16] {
        file.extend_from_slice(&half.to_le_bytes());
    }
    file.extend_from_slice(b"data");
    file.extend_from_slice(&data_len.to_le_bytes());
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    for _ in 0..frames {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        file.extend_from_slice(&((state >> 20) as i16).to_le_bytes());
    }
    file
}

/// SHA-256, hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}
