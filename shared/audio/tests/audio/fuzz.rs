//! Files broken at random. Nothing may panic, run away, or take a hole for the end of the file.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use stt_eval_audio::{MAX_FETCHES, Probe, SparseBytes, probe};

use crate::support::{Object, clip, judge};

const CLIPS: [&str; 11] = [
    "en-01.wav",
    "en-02.mp3",
    "ta-01.mp3",
    "mr-01.flac",
    "bn-02.m4a",
    "hi-02.m4a",
    "hi-03.ogg",
    "ta-02.ogg",
    "en-03.webm",
    "hi-04.webm",
    "gu-01.webm",
];

const MAGICS: [&[u8]; 9] = [
    b"RIFF\xFF\xFF\xFF\xFFWAVEfmt \x10\0\0\0",
    b"RF64\xFF\xFF\xFF\xFFWAVEds64\x1C\0\0\0",
    b"fLaC\0\0\0\x22",
    b"OggS\0\x02",
    b"\x1A\x45\xDF\xA3\x87\x42\x82\x84webm\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
    b"\0\0\0\x10ftypM4A \0\0\0\0",
    b"ID3\x04\0\0\0\0\x01\0",
    b"\xFF\xFB\x90\0",
    b"",
];

/// One way of breaking a file.
#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Overwrite(Index, Vec<u8>),
    Remove(Index, u16),
    Repeat(Index, u16),
    Insert(Index, Vec<u8>),
    Cut(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    let extreme = select(vec![
        vec![0xFF; 4],
        vec![0; 4],
        vec![0x7F, 0xFF, 0xFF, 0xFF],
        vec![0, 0, 0, 1],
        vec![0x80; 8],
        vec![0xFF; 8],
        vec![0; 16],
        b"OggS".to_vec(),
        b"moov".to_vec(),
        b"mdat".to_vec(),
    ]);
    prop_oneof![
        6 => (at(), 0..8u8).prop_map(|(i, bit)| Damage::Flip(i, bit)),
        4 => (at(), extreme.clone()).prop_map(|(i, bytes)| Damage::Overwrite(i, bytes)),
        2 => (at(), any::<u16>()).prop_map(|(i, len)| Damage::Remove(i, len % 600)),
        2 => (at(), any::<u16>()).prop_map(|(i, len)| Damage::Repeat(i, len)),
        2 => (at(), extreme).prop_map(|(i, bytes)| Damage::Insert(i, bytes)),
        1 => at().prop_map(Damage::Cut),
    ]
}

/// Half of the places are in the first or last kilobyte, where the headers are.
fn place(index: &Index, len: usize) -> usize {
    let at = index.index(len * 2);
    match at {
        _ if at < len => at,
        _ if at.is_multiple_of(3) => len.saturating_sub(1 + at % 1024),
        _ => at % 1024.min(len),
    }
}

fn broken(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        let len = bytes.len();
        if len == 0 {
            break;
        }
        match damage {
            Damage::Flip(i, bit) => bytes[place(i, len)] ^= 1 << bit,
            Damage::Overwrite(i, new) => {
                let at = place(i, len);
                let end = (at + new.len()).min(len);
                bytes[at..end].copy_from_slice(&new[..end - at]);
            }
            Damage::Remove(i, count) => {
                let at = place(i, len);
                bytes.drain(at..(at + usize::from(*count)).min(len));
            }
            Damage::Repeat(i, count) => {
                let at = place(i, len);
                let piece = bytes[at..(at + usize::from(*count)).min(len)].to_vec();
                bytes.splice(at..at, piece);
            }
            Damage::Insert(i, new) => {
                let at = place(i, len);
                bytes.splice(at..at, new.iter().copied());
            }
            Damage::Cut(i) => bytes.truncate(i.index(len)),
        }
    }
    bytes
}

/// The verdict from a few ranges is the one from the whole file, and a stingy caller comes to an
/// end too.
fn check(bytes: Vec<u8>) {
    let sparse = judge(&Object::new(bytes.clone())).verdict;

    let mut whole = SparseBytes::new(bytes.len() as u64);
    whole.insert(0, bytes.clone());
    assert_eq!(probe(&whole), sparse, "the whole file is judged otherwise");

    let mut stingy = SparseBytes::new(bytes.len() as u64);
    let mut rounds = 0;
    while let Probe::Need(range) = probe(&stingy) {
        rounds += 1;
        assert!(rounds <= MAX_FETCHES);
        let half = (range.end - range.start) / 2;
        let piece = &bytes[range.start as usize..(range.start + half) as usize];
        stingy.insert(range.start, piece.to_vec());
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn arbitrary_bytes(
        magic in select(MAGICS.as_slice()),
        rest in proptest::collection::vec(any::<u8>(), 0..3000),
    ) {
        check([magic, &rest].concat());
    }

    #[test]
    fn broken_clips(
        name in select(CLIPS.as_slice()),
        damages in proptest::collection::vec(damage(), 1..12),
    ) {
        check(broken(clip(name), &damages));
    }

    #[test]
    fn clips_cut_off(name in select(CLIPS.as_slice()), at in any::<Index>()) {
        let bytes = clip(name);
        let whole = judge(&Object::new(bytes.clone())).info().duration_seconds;
        let cut = bytes[..at.index(bytes.len())].to_vec();
        // A row of frames and a stream without lengths may be accepted for what is left of them;
        // a count of bytes is taken with some tolerance, and the last short frame may be missing.
        let missing = bytes.len() - cut.len();
        let slightly = match name {
            "ta-01.mp3" => missing < 700,
            "mr-01.flac" => missing < 8000,
            _ => false,
        };
        let streams = ["en-02.mp3", "hi-04.webm"].contains(&name) || name.ends_with(".ogg");
        match judge(&Object::new(cut.clone())).verdict {
            Probe::Audio(info) => {
                prop_assert!(streams || slightly, "{name} at {}", cut.len());
                prop_assert!(info.duration_seconds <= whole + 0.001);
            }
            Probe::Rejected(_) => {}
            Probe::Need(range) => prop_assert!(false, "undecided: {range:?}"),
        }
        check(cut);
    }

    #[test]
    fn a_caller_that_inserts_nonsense_comes_to_an_end(
        total in 0u64..300_000_000,
        blocks in proptest::collection::vec(
            (any::<u64>(), proptest::collection::vec(any::<u8>(), 0..64)), 0..40),
    ) {
        let mut known = SparseBytes::new(total);
        for (offset, bytes) in blocks {
            known.insert(offset % (total + 10), bytes);
            let _ = probe(&known);
        }
        while known.fetches() < MAX_FETCHES {
            known.insert(0, Vec::new());
        }
        prop_assert!(!matches!(probe(&known), Probe::Need(_)));
    }
}
