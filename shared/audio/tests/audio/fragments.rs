//! Fragmented MP4, as browsers record it: the length is only in the last fragment.

use crate::support::{Object, clip, find, judge, mp4_box};

/// How the run of a fragment tells how long its packets are.
enum Durations {
    /// Not at all: as the whole file says.
    OfFile,
    /// For the fragment.
    OfFragment(u32),
    /// One by one.
    Each(Vec<u32>),
}

/// Type and description of a clip, made into those of a fragmented file with packets of 1,024
/// samples at 16 kHz.
fn beginning() -> Vec<u8> {
    let clip = clip("bn-02.m4a");
    let moov = find(&clip, b"moov") - 4;
    let mdat = find(&clip, b"mdat") - 4;
    assert!(moov < mdat);
    let track = 1u32.to_be_bytes();
    let defaults = [
        &[0; 4],
        &track,
        &1u32.to_be_bytes(),
        &1024u32.to_be_bytes(),
        &[0; 4],
        &[0; 4],
    ];
    let mvex = mp4_box(
        b"mvex",
        &mp4_box(b"trex", &defaults.map(|b| b.as_slice()).concat()),
    );
    let content = [&clip[moov + 8..moov + box_len(&clip[moov..])], &mvex].concat();
    [&clip[..moov], &mp4_box(b"moov", &content)].concat()
}

fn box_len(bytes: &[u8]) -> usize {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize
}

/// A fragment of `packets` packets that begins at sample `at`, without its sound.
fn moof(track: u32, at: u64, packets: u32, durations: &Durations) -> Vec<u8> {
    let (header_flags, header_value) = match durations {
        Durations::OfFragment(value) => (0x0002_0008u32, value.to_be_bytes().to_vec()),
        _ => (0x0002_0000, Vec::new()),
    };
    let tfhd = [
        &header_flags.to_be_bytes()[..],
        &track.to_be_bytes(),
        &header_value,
    ]
    .concat();
    let tfdt = [&[1, 0, 0, 0][..], &at.to_be_bytes()].concat();
    let (run_flags, each) = match durations {
        // Every packet has its duration and its size; the run has an offset.
        Durations::Each(values) => (
            0x0000_0301u32,
            values
                .iter()
                .flat_map(|value| [value.to_be_bytes(), [0, 0, 0, 9]].concat())
                .collect(),
        ),
        _ => (0x0000_0001, Vec::new()),
    };
    let trun = [
        &run_flags.to_be_bytes()[..],
        &packets.to_be_bytes(),
        &[0; 4],
        &each,
    ]
    .concat();
    let traf = [
        mp4_box(b"tfhd", &tfhd),
        mp4_box(b"tfdt", &tfdt),
        mp4_box(b"trun", &trun),
    ];
    let mfhd = mp4_box(b"mfhd", &[0, 0, 0, 0, 0, 0, 0, 1]);
    mp4_box(b"moof", &[mfhd, mp4_box(b"traf", &traf.concat())].concat())
}

fn sound(len: u32) -> Vec<u8> {
    [&(len + 8).to_be_bytes(), b"mdat".as_slice()].concat()
}

#[test]
fn the_last_fragment_gives_the_length() {
    let cases = [
        (Durations::OfFile, 50 * 1024),
        (Durations::OfFragment(960), 50 * 960),
        (Durations::Each((0..50).collect()), 49 * 25),
    ];
    for (durations, samples) in cases {
        let object = Object::new(beginning())
            .then(moof(1, 0, 50, &Durations::OfFile))
            .then(sound(50_000_000))
            .zeros(50_000_000)
            .then(moof(1, 16_000 * 60, 50, &durations))
            .then(sound(4000))
            .zeros(4000);
        let judged = judge(&object);
        let expected = 60.0 + f64::from(samples) / 16_000.0;
        assert!(
            (judged.info().duration_seconds - expected).abs() < 1e-9,
            "{judged:?}"
        );
        assert_eq!(judged.info().codec, "aac");
        assert!(
            judged.fetches <= 4 && judged.fetched < 400_000,
            "{judged:?}"
        );
    }
}

#[test]
fn broken_fragments_are_refused() {
    let first = || Object::new(beginning()).then(moof(1, 0, 50, &Durations::OfFile));
    assert_eq!(
        judge(&first().then(sound(4000)).zeros(3999)).code(),
        "truncated"
    );
    assert_eq!(judge(&first()).code(), "truncated");
    // Of another track, with a count of packets that are not there, and without a time.
    let other = Object::new(beginning()).then(moof(7, 0, 50, &Durations::OfFile));
    assert_eq!(
        judge(&other.then(sound(10)).zeros(10)).code(),
        "no_duration"
    );
    let short = moof(1, 0, u32::MAX, &Durations::Each(vec![1; 3]));
    let short = Object::new(beginning())
        .then(short)
        .then(sound(10))
        .zeros(10);
    assert_eq!(judge(&short).code(), "no_duration");
    let endless = moof(1, u64::MAX, 50, &Durations::OfFile);
    let endless = Object::new(beginning())
        .then(endless)
        .then(sound(10))
        .zeros(10);
    assert_eq!(judge(&endless).code(), "no_duration");
    let years = moof(1, u64::MAX >> 8, 50, &Durations::OfFile);
    let years = Object::new(beginning())
        .then(years)
        .then(sound(10))
        .zeros(10);
    assert_eq!(judge(&years).code(), "implausible_duration");
}
