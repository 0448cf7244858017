//! A caller of the probe with an object that need not exist, and what the tests build files from.

use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use stt_eval_audio::{AudioInfo, MAX_BYTES, MAX_FETCHES, Probe, SparseBytes, probe};

/// An object in storage: some parts with content, zeros in between, however long.
#[derive(Clone, Default)]
pub struct Object {
    total: u64,
    parts: Vec<(u64, Vec<u8>)>,
}

impl Object {
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self {
            total: bytes.len() as u64,
            parts: vec![(0, bytes)],
        }
    }

    /// Goes on with `len` zero bytes.
    pub fn zeros(mut self, len: u64) -> Self {
        self.total += len;
        self
    }

    /// Goes on with `bytes`.
    pub fn then(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let at = self.total;
        self.total += bytes.len() as u64;
        self.parts.push((at, bytes));
        self
    }

    /// A ranged GET.
    fn get(&self, range: &Range<u64>) -> Vec<u8> {
        let mut out = vec![0; usize::try_from(range.end - range.start).unwrap()];
        for (offset, bytes) in &self.parts {
            let from = range.start.max(*offset);
            let to = range.end.min(offset + bytes.len() as u64);
            if from < to {
                let source = &bytes[(from - offset) as usize..(to - offset) as usize];
                let at = (from - range.start) as usize;
                out[at..at + source.len()].copy_from_slice(source);
            }
        }
        out
    }
}

/// How one object was judged, and at what cost.
#[derive(Debug)]
pub struct Judged {
    pub verdict: Probe,
    pub fetches: u32,
    pub fetched: u64,
}

impl Judged {
    /// The code of the rejection; panics if it was none.
    pub fn code(&self) -> &'static str {
        match &self.verdict {
            Probe::Rejected(reason) => reason.code(),
            other => panic!("not rejected: {other:?}"),
        }
    }

    /// The facts; panics if it was rejected.
    pub fn info(&self) -> &AudioInfo {
        match &self.verdict {
            Probe::Audio(info) => info,
            other => panic!("not accepted: {other:?}"),
        }
    }
}

/// Plays the caller until the probe decides, and holds the probe to its contract.
pub fn judge(object: &Object) -> Judged {
    let mut known = SparseBytes::new(object.total);
    let began = Instant::now();
    let verdict = loop {
        match probe(&known) {
            Probe::Need(range) => {
                assert!(range.start < range.end, "an empty request: {range:?}");
                assert!(range.end <= object.total, "{range:?} of {}", object.total);
                assert!(known.fetches() < MAX_FETCHES, "too many requests");
                let before = known.fetched_bytes();
                known.insert(range.start, object.get(&range));
                assert!(known.fetched_bytes() > before && known.fetched_bytes() <= MAX_BYTES);
            }
            decided => break decided,
        }
    };
    // Two seconds are the promise; unoptimised code on a busy machine gets more.
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "took {:?}",
        began.elapsed()
    );
    assert_eq!(probe(&known), verdict, "a second look decides otherwise");
    Judged {
        verdict,
        fetches: known.fetches(),
        fetched: known.fetched_bytes(),
    }
}

/// Judges plain bytes.
pub fn judge_bytes(bytes: impl Into<Vec<u8>>) -> Judged {
    judge(&Object::new(bytes))
}

/// Where the bundled clips are.
pub fn clips_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../infra/local/clips")
}

/// The bytes of a bundled clip.
pub fn clip(name: &str) -> Vec<u8> {
    std::fs::read(clips_dir().join(name)).unwrap()
}

/// Replaces the first `old` in `bytes` by `new`, which may be of another length.
pub fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = find(bytes, old);
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

/// Where `what` first occurs in `bytes`.
pub fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes
        .windows(what.len())
        .position(|window| window == what)
        .expect("found")
}

/// A chunk of a RIFF file.
pub fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = [name.as_slice(), &(body.len() as u32).to_le_bytes(), body].concat();
    out.resize(out.len() + body.len() % 2, 0);
    out
}

/// The `fmt ` chunk of 16-bit PCM.
pub fn pcm(channels: u16, rate: u32) -> Vec<u8> {
    let align = channels.wrapping_mul(2);
    let mut body = Vec::new();
    body.extend_from_slice(&1u16.to_le_bytes());
    body.extend_from_slice(&channels.to_le_bytes());
    body.extend_from_slice(&rate.to_le_bytes());
    body.extend_from_slice(&rate.wrapping_mul(u32::from(align)).to_le_bytes());
    body.extend_from_slice(&align.to_le_bytes());
    body.extend_from_slice(&16u16.to_le_bytes());
    chunk(b"fmt ", &body)
}

/// A WAV file with the given chunks and a right size in its header.
pub fn wav(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = [b"WAVE".to_vec(), chunks.concat()].concat();
    chunk(b"RIFF", &body)
}

/// A box of an MP4 file.
pub fn mp4_box(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [
        &(body.len() as u32 + 8).to_be_bytes(),
        name.as_slice(),
        body,
    ]
    .concat()
}

/// An `ID3v2` tag with `len` zero bytes in it, of which `present` are there.
pub fn id3(len: u32, present: usize) -> Vec<u8> {
    let syncsafe = [21, 14, 7, 0].map(|shift| ((len >> shift) & 0x7F) as u8);
    [b"ID3\x04\0\0".as_slice(), &syncsafe, &vec![0; present]].concat()
}

/// Ogg pages with one packet that does not fit into a single page, and no sound.
pub fn ogg_packet(serial: &[u8], packet: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let pieces: Vec<&[u8]> = packet.chunks(255 * 255).collect();
    for (number, piece) in pieces.iter().enumerate() {
        let last = number + 1 == pieces.len();
        let mut lacing = vec![255u8; piece.len() / 255];
        if last {
            lacing.push((piece.len() % 255) as u8);
        }
        let position: i64 = if last { 0 } else { -1 };
        let mut page = b"OggS\0".to_vec();
        page.push(u8::from(number > 0));
        page.extend_from_slice(&position.to_le_bytes());
        page.extend_from_slice(serial);
        page.extend_from_slice(&(number as u32 + 1).to_le_bytes());
        page.extend_from_slice(&[0; 4]);
        page.push(lacing.len() as u8);
        page.extend_from_slice(&lacing);
        page.extend_from_slice(piece);
        let checksum = ogg_checksum(&page);
        page[22..26].copy_from_slice(&checksum.to_le_bytes());
        out.extend_from_slice(&page);
    }
    out
}

/// CRC-32 as Ogg has it: polynomial 04C11DB7, not reflected, from zero.
fn ogg_checksum(page: &[u8]) -> u32 {
    page.iter().fold(0u32, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << 24), |crc, _| {
            (crc << 1)
                ^ if crc & 0x8000_0000 != 0 {
                    0x04C1_1DB7
                } else {
                    0
                }
        })
    })
}
