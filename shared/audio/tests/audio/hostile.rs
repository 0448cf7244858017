//! Files whose sizes lie, that are cut off, or that would have the probe read for ever.

use crate::support::{
    Object, chunk, clip, find, id3, judge, judge_bytes, mp4_box, ogg_packet, pcm, replaced, wav,
};

const MB: u64 = 1024 * 1024;

/// One second of 16 kHz mono.
fn second() -> Vec<u8> {
    vec![0; 32_000]
}

fn seconds_of(bytes: Vec<u8>) -> f64 {
    judge_bytes(bytes).info().duration_seconds
}

#[test]
fn wav_with_the_usual_oddities_is_accepted() {
    let list = chunk(b"LIST", b"INFOISFT\x05\0\0\0Lavf\0\0");
    let plain = wav(&[
        list,
        pcm(1, 16_000),
        chunk(b"data", &second()),
        chunk(b"id3 ", b"tag"),
    ]);
    assert_eq!(seconds_of(plain.clone()), 1.0);
    let data = find(&plain, b"data") + 4;
    let upto_data = &plain[..data + 4 + 32_000];
    for sizes in [u32::MAX, 0x7FFF_F000, 0] {
        // Written by a program that could not go back: both sizes unknown.
        let mut streamed = upto_data.to_vec();
        streamed[4..8].copy_from_slice(&sizes.to_le_bytes());
        streamed[data..data + 4].copy_from_slice(&sizes.to_le_bytes());
        assert_eq!(seconds_of(streamed), 1.0, "{sizes:x}");
    }

    let mut ds64 = Vec::new();
    for value in [32_100u64, 32_000, 16_000] {
        ds64.extend_from_slice(&value.to_le_bytes());
    }
    ds64.extend_from_slice(&0u32.to_le_bytes());
    let mut rf64 = wav(&[
        chunk(b"ds64", &ds64),
        pcm(1, 16_000),
        chunk(b"data", &second()),
    ]);
    rf64[..8].copy_from_slice(b"RF64\xFF\xFF\xFF\xFF");
    let data = find(&rf64, b"data") + 4;
    rf64[data..data + 4].fill(0xFF);
    assert_eq!(seconds_of(rf64), 1.0);

    let mut extensible = pcm(2, 8_000)[8..].to_vec();
    extensible[..2].copy_from_slice(&[0xFE, 0xFF]);
    extensible.extend_from_slice(&22u16.to_le_bytes());
    extensible.extend_from_slice(&16u16.to_le_bytes());
    // A loudspeaker mask that fits no two channels.
    extensible.extend_from_slice(&0x8000_0000u32.to_le_bytes());
    extensible.extend_from_slice(b"\x01\0\0\0\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71");
    let judged = judge_bytes(wav(&[
        chunk(b"fmt ", &extensible),
        chunk(b"data", &second()),
    ]));
    assert_eq!(
        (judged.info().channels, judged.info().duration_seconds),
        (2, 1.0)
    );
}

#[test]
fn wav_that_cannot_be_is_refused() {
    let data = || chunk(b"data", &second());
    let mut cut = wav(&[pcm(1, 16_000), data()]);
    cut.truncate(10_000);
    let huge_format = [b"fmt \xFF\xFF\xFF\xFF".to_vec(), vec![0; 40]].concat();
    let cases = [
        (wav(&[pcm(65_535, 16_000), data()]), "too_many_channels"),
        (wav(&[pcm(9, 16_000), data()]), "too_many_channels"),
        (wav(&[pcm(0, 16_000), data()]), "malformed"),
        (wav(&[pcm(1, 0), data()]), "malformed"),
        (wav(&[pcm(1, u32::MAX), data()]), "malformed"),
        (wav(&[data(), pcm(1, 16_000)]), "malformed"),
        (wav(&[pcm(1, 16_000)]), "malformed"),
        (wav(&[pcm(1, 16_000), chunk(b"data", b"")]), "zero_duration"),
        (wav(&[huge_format]), "malformed"),
        (wav(&vec![chunk(b"JUNK", &[]); 100]), "too_scattered"),
        (cut, "truncated"),
        (b"RIFF\x24\0\0\0WAVE".to_vec(), "truncated"),
        (b"RIFF\x04\0\0\0WAVE".to_vec(), "malformed"),
        (b"RIFF".to_vec(), "not_audio"),
    ];
    for (number, (bytes, code)) in cases.into_iter().enumerate() {
        assert_eq!(judge_bytes(bytes).code(), code, "case {number}");
    }
}

#[test]
fn a_large_wav_costs_one_request() {
    let head = wav(&[pcm(1, 16_000), chunk(b"data", &[])]);
    let data_len = 200 * MB as u32;
    let mut head = head;
    let len = head.len();
    head[len - 4..].copy_from_slice(&data_len.to_le_bytes());
    let judged = judge(&Object::new(head.clone()).zeros(200 * MB));
    assert_eq!(judged.info().duration_seconds, 200.0 * MB as f64 / 32_000.0);
    assert_eq!((judged.fetches, judged.fetched), (1, 65_536));
    let short = judge(&Object::new(head).zeros(200 * MB - 1));
    assert_eq!(short.code(), "truncated");
}

#[test]
fn id3_tags_are_skipped_and_not_fetched() {
    let mp3 = clip("ta-01.mp3");
    let plain = seconds_of(mp3.clone());
    let tagged = Object::new(id3(10 << 20, 0))
        .zeros(10 * MB)
        .then(mp3.clone());
    let judged = judge(&tagged);
    assert_eq!(judged.info().duration_seconds, plain);
    assert!(judged.fetched < 200_000, "{}", judged.fetched);
    // 250 MB, in a small object and in one that holds them.
    assert_eq!(judge(&Object::new(id3(250 << 20, 100))).code(), "truncated");
    let whole = Object::new(id3(250 << 20, 0))
        .zeros(250 * MB)
        .then(mp3.clone());
    assert_eq!(judge(&whole).code(), "malformed");
    // Tags upon tags.
    let many = [vec![id3(0, 0); 10].concat(), mp3.clone()].concat();
    assert_eq!(judge_bytes(many).code(), "malformed");
    // Something else between the tag and the first of a few frames.
    let junk = [
        id3(50, 50),
        b"junk".to_vec(),
        clip("en-02.mp3")[..5 * 108].to_vec(),
    ]
    .concat();
    assert!((seconds_of([junk, vec![0; 128]].concat()) - 0.18).abs() < 0.001);
    // FLAC behind a tag is FLAC.
    let flac = [id3(100, 100), clip("bn-01.flac")].concat();
    assert_eq!(judge_bytes(flac).info().codec, "flac");
}

#[test]
fn mp3_length_comes_from_the_count_or_the_bit_rate() {
    // 24 kbit/s of 108-byte frames of 36 ms, no count in the first.
    let constant = clip("en-02.mp3");
    let frames = constant.len() as f64 / 108.0;
    assert!((seconds_of(constant.clone()) - frames * 0.036).abs() < 0.001);
    let mut object = Object::new(constant.clone());
    for _ in 0..999 {
        object = object.then(constant.clone());
    }
    let judged = judge(&object);
    assert!((judged.info().duration_seconds - frames * 36.0).abs() < 0.1);
    assert!(judged.fetched < 100_000);

    // A count of bytes that are not there.
    let vbr = clip("ta-01.mp3");
    let half = vbr[..vbr.len() / 2].to_vec();
    assert_eq!(judge_bytes(half).code(), "truncated");
    // The count taken away: the frames are added up.
    let uncounted = replaced(&vbr, b"Xing", b"None");
    assert!((seconds_of(uncounted) - seconds_of(vbr)).abs() < 0.15);
}

#[test]
fn mp3_of_changing_bit_rate_without_a_count_is_counted_or_sampled() {
    let uncounted = replaced(&clip("ta-01.mp3"), b"Xing", b"None");
    let seconds = seconds_of(uncounted.clone());
    let frame = 0.036;
    // Up to a megabyte every frame is counted, something between the rows included.
    let several = [uncounted.clone(), vec![0; 300]].concat().repeat(40);
    let found = seconds_of(several);
    assert!((found - 40.0 * seconds).abs() <= 40.0 * frame, "{found}");
    // Above, places all over the file are looked at, each for as much as another.
    let long = uncounted.repeat(600);
    assert!(long.len() > 2 * MB as usize);
    let judged = judge_bytes(long);
    let found = judged.info().duration_seconds;
    assert!((found / (600.0 * seconds) - 1.0).abs() < 0.1, "{found}");
    assert!(judged.fetched < 800_000, "{}", judged.fetched);
}

#[test]
fn mp3_ends_where_its_tags_begin() {
    let mp3 = clip("en-02.mp3");
    let plain = Object::new(mp3.repeat(50));
    let seconds = judge(&plain).info().duration_seconds;
    let mark = |flags: u32| {
        let mut mark = b"APETAGEX\xD0\x07\0\0".to_vec();
        mark.extend_from_slice(&100_032u32.to_le_bytes());
        mark.extend_from_slice(&1u32.to_le_bytes());
        mark.extend_from_slice(&flags.to_le_bytes());
        mark.extend_from_slice(&[0; 8]);
        mark
    };
    let ape = [mark(0xA000_0000), vec![7; 100_000], mark(0x8000_0000)].concat();
    let id3v1 = [b"TAG".as_slice(), &[0; 125]].concat();
    for tail in [ape.clone(), [ape.clone(), id3v1.clone()].concat(), id3v1] {
        let found = judge(&plain.clone().then(tail)).info().duration_seconds;
        assert!((found - seconds).abs() < 0.04, "{found}, not {seconds}");
    }
    let before = Object::new(ape).then(mp3.repeat(50));
    assert_eq!(judge(&before).info().duration_seconds, seconds);
}

#[test]
fn mp4_that_is_cut_off_is_told_whatever_its_last_size_says() {
    let m4a = clip("bn-02.m4a");
    // The sound last, and said to go to the end.
    let (mdat, moov) = (find(&m4a, b"mdat") - 4, find(&m4a, b"moov") - 4);
    let end = |at: usize| at + u32::from_be_bytes(m4a[at..at + 4].try_into().unwrap()) as usize;
    let head = [
        &m4a[..mdat.min(moov)],
        &m4a[moov..end(moov)],
        b"\0\0\0\0mdat",
    ]
    .concat();
    let sound = &m4a[mdat + 8..end(mdat)];
    let whole = [head.as_slice(), sound].concat();
    assert!(seconds_of(whole) > 0.0);
    for part in [0, 1, sound.len() / 2, sound.len() - 1] {
        let code = judge_bytes([head.as_slice(), &sound[..part]].concat()).code();
        let expected = if part == 0 {
            "zero_duration"
        } else {
            "truncated"
        };
        assert_eq!(code, expected, "{part} of {}", sound.len());
    }
}

#[test]
fn mp4_sizes_that_lie_are_refused() {
    let ftyp = mp4_box(b"ftyp", b"M4A \0\0\0\0isom");
    let with = |rest: &[u8]| judge_bytes([ftyp.as_slice(), rest].concat());
    // Its description would come last.
    assert_eq!(with(b"\0\0\0\0mdat1234").code(), "truncated");
    assert_eq!(
        with(b"\0\0\0\x01mdat\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF").code(),
        "malformed"
    );
    assert_eq!(
        with(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x01").code(),
        "malformed"
    );
    assert_eq!(
        with(b"\0\0\0\x01mdat\0\0\x01\0\0\0\0\0").code(),
        "truncated"
    );
    assert_eq!(with(b"\0\0\0\x01mda").code(), "truncated");
    assert_eq!(with(b"\0\0\0\x07mdat").code(), "malformed");
    assert_eq!(with(b"\0\0\0\x08moov").code(), "no_audio_track");
    assert_eq!(
        with(&b"\0\0\0\x08free".repeat(1000)).code(),
        "too_scattered"
    );
    assert_eq!(judge_bytes(*b"\0\0\0\0ftypM4A ").code(), "truncated");
    let big_moov = Object::new(ftyp.clone())
        .then(*b"\x06\0\0\0moov")
        .zeros(0x0600_0000 - 8);
    assert_eq!(judge(&big_moov).code(), "too_scattered");
    // Boxes in boxes, as deep as they go.
    let mut deep = Vec::new();
    for _ in 0..20_000 {
        deep = mp4_box(b"udta", &deep);
        if deep.len() > 100_000 {
            break;
        }
    }
    assert_eq!(with(&mp4_box(b"moov", &deep)).code(), "no_audio_track");
}

#[test]
fn mp4_is_read_wherever_its_description_lies() {
    let clip = clip("hi-02.m4a");
    let moov_at = find(&clip, b"moov") - 4;
    let mdat_at = find(&clip, b"mdat") - 4;
    assert!(mdat_at < moov_at);
    let (ftyp, moov) = (&clip[..mdat_at], &clip[moov_at..]);
    let plain = seconds_of(clip.clone());

    let long = [b"\0\0\0\x01mdat".as_slice(), &(200 * MB + 16).to_be_bytes()].concat();
    let object = Object::new(ftyp)
        .then(long.clone())
        .zeros(200 * MB)
        .then(moov);
    let judged = judge(&object);
    assert_eq!(judged.info().duration_seconds, plain);
    assert_eq!(judged.fetches, 2);
    // Cut off before the description, and after it.
    assert_eq!(
        judge(&Object::new(ftyp).then(long.clone()).zeros(150 * MB)).code(),
        "truncated"
    );
    let first = Object::new(ftyp).then(moov).then(long).zeros(150 * MB);
    assert_eq!(judge(&first).code(), "truncated");
    // Nothing behind the description.
    assert_eq!(judge_bytes([ftyp, moov].concat()).code(), "zero_duration");
    // The last box goes on to the end, wherever that is.
    let open = || Object::new(ftyp).then(moov).then(*b"\0\0\0\0mdat");
    let whole = judge(&open().zeros(20_000));
    assert_eq!(whole.info().duration_seconds, plain);
    assert_eq!(judge(&open().zeros(5000)).code(), "truncated");
}

#[test]
fn mp4_that_claims_years_is_refused() {
    let clip = clip("bn-02.m4a");
    let mut lying = clip.clone();
    // Every packet 100 days long, and the whole as long as can be.
    let stts = find(&lying, b"stts") + 8;
    lying[stts + 8..stts + 12].copy_from_slice(&0x0800_0000u32.to_be_bytes());
    let mvhd = find(&lying, b"mvhd") + 4;
    lying[mvhd + 16..mvhd + 20].fill(0xFF);
    assert_eq!(judge_bytes(lying).code(), "implausible_duration");
    let twice = replaced(&clip, b"trak", b"skip");
    assert_eq!(judge_bytes(twice).code(), "no_audio_track");
}

#[test]
fn flac_without_a_length_is_measured_and_cut_flac_is_noticed() {
    let clip = clip("mr-01.flac");
    let plain = seconds_of(clip.clone());
    let mut unknown = clip.clone();
    unknown[21] &= 0xF0;
    unknown[22..26].fill(0);
    assert!((seconds_of(unknown) - plain).abs() < 0.000_1);
    let mut cut = clip.clone();
    cut.truncate(clip.len() * 3 / 4);
    assert_eq!(judge_bytes(cut).code(), "truncated");
    assert_eq!(judge_bytes(&clip[..30]).code(), "truncated");
    // A picture of 5 MB, not last, between the description and the sound.
    let picture = [&[6u8][..], &(5 * MB as u32).to_be_bytes()[1..]].concat();
    let object = Object::new(&clip[..42])
        .then(picture)
        .zeros(5 * MB)
        .then(&clip[42..]);
    let judged = judge(&object);
    assert_eq!(judged.info().duration_seconds, plain);
    assert!(judged.fetched < 400_000);
}

#[test]
fn flac_with_a_frame_mark_at_every_step_is_no_trap() {
    let clip = clip("mr-01.flac");
    let frame = find(&clip[42..], &[0xFF, 0xF8]) + 42;
    // The smallest frame header, with its check byte, again and again.
    let marks = clip[frame..frame + 6].repeat(20_000);
    let judged = judge_bytes([&clip[..frame], &marks].concat());
    assert!(
        matches!(judged.code(), "truncated" | "malformed"),
        "{judged:?}"
    );
}

#[test]
fn ogg_needs_its_head_and_its_tail() {
    let clip = clip("te-01.ogg");
    let plain = seconds_of(clip.clone());
    let mut pages: Vec<usize> = (0..clip.len())
        .filter(|at| clip[*at..].starts_with(b"OggS"))
        .collect();
    pages.push(clip.len());
    assert!(pages.len() >= 5, "{pages:?}");
    let last = pages[pages.len() - 2];

    // Without the mark on the last page, as a stopped recorder leaves it.
    let mut unmarked = clip.clone();
    unmarked[last + 5] &= !4;
    assert_eq!(seconds_of(unmarked), plain);
    for cut in [clip.len() - 1, last + 3, last + 20, last + 100] {
        assert_eq!(judge_bytes(&clip[..cut]).code(), "truncated", "at {cut}");
    }
    assert_eq!(judge_bytes(&clip[..pages[2]]).code(), "zero_duration");
    assert_eq!(judge_bytes(clip.repeat(2)).code(), "several_recordings");
    let other = self::clip("hi-03.ogg");
    assert_eq!(
        judge_bytes([clip.clone(), other].concat()).code(),
        "several_recordings"
    );
    // 100 MB between the head and the last page; what is there is not looked at.
    let gap = Object::new(&clip[..last])
        .zeros(100 * MB)
        .then(&clip[last..]);
    let judged = judge(&gap);
    assert_eq!(judged.info().duration_seconds, plain);
    assert!(judged.fetches <= 3 && judged.fetched < 400_000);
}

#[test]
fn ogg_comments_may_be_large_but_not_endless() {
    let clip = clip("te-01.ogg");
    let pages: Vec<usize> = (0..clip.len())
        .filter(|at| clip[*at..].starts_with(b"OggS"))
        .collect();
    let with_picture = |len: usize| {
        let mut comments = b"OpusTags\x04\0\0\0demo\x01\0\0\0".to_vec();
        comments.extend_from_slice(&(len as u32).to_le_bytes());
        comments.extend_from_slice(b"METADATA_BLOCK_PICTURE=");
        comments.resize(comments.len() + len - 23, b'A');
        let pages_of_comments = ogg_packet(&clip[14..18], &comments);
        [&clip[..pages[1]], &pages_of_comments, &clip[pages[2]..]].concat()
    };
    let plain = seconds_of(clip.clone());
    assert_eq!(seconds_of(with_picture(3_000_000)), plain);
    assert_eq!(judge_bytes(with_picture(6_000_000)).code(), "too_scattered");
}

#[test]
fn webm_without_a_duration_is_measured_at_its_end() {
    let clip = clip("hi-04.webm");
    let plain = seconds_of(clip.clone());
    let cluster = find(&clip, &[0x1F, 0x43, 0xB6, 0x75]);
    assert_eq!(judge_bytes(&clip[..cluster]).code(), "zero_duration");
    // Another megabyte of unreadable filling before the last cluster.
    let filling = [0xEC, 0x10, 0x20, 0, 0];
    let object = Object::new(&clip[..cluster])
        .then(filling)
        .zeros(0x20_0000)
        .then(&clip[cluster..]);
    let judged = judge(&object);
    assert_eq!(judged.info().duration_seconds, plain);
    assert!(judged.fetched < 2 * MB);
    // No cluster where one could be found.
    let none = Object::new(&clip[..cluster + 12]).zeros(20 * MB);
    assert_eq!(judge(&none).code(), "no_duration");

    let with_duration = self::clip("en-03.webm");
    let cut = &with_duration[..with_duration.len() / 2];
    assert_eq!(judge_bytes(cut).code(), "truncated");
}

#[test]
fn the_most_expensive_files_stay_small_in_memory() {
    // Eight megabytes of description, and four of blocks with 256 empty frames each.
    let m4a = clip("bn-02.m4a");
    let moov_at = find(&m4a, b"moov") - 4;
    let udta = mp4_box(b"free", &vec![0; 7 << 20]);
    let moov_len = find(&m4a, b"mdat") - 4 - moov_at;
    let moov = [&m4a[moov_at + 8..moov_at + moov_len], &udta].concat();
    let large = [
        &m4a[..moov_at],
        &mp4_box(b"moov", &moov),
        &m4a[moov_at + moov_len..],
    ]
    .concat();
    assert!(judge_bytes(large).info().duration_seconds > 3.0);

    let webm = clip("hi-04.webm");
    let cluster = find(&webm, &[0x1F, 0x43, 0xB6, 0x75]);
    let block = [0xA3, 0x86, 0x81, 0, 0, 0b0000_0110, 0xFF, 0];
    let blocks = block.repeat(4 * MB as usize / block.len() - 100);
    let lacing = [
        &webm[..cluster],
        b"\x1F\x43\xB6\x75\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xE7\x81\0",
        &blocks,
    ]
    .concat();
    judge_bytes(lacing);

    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let kb: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kb < 256 * 1024, "{kb} kB");
    }
}
