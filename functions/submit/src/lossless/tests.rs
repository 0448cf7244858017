use std::io::Cursor;

use async_trait::async_trait;
use stt_eval_shared::audio::cut::flac_to_wav;

use super::*;

const SPEECH: &[u8] = include_bytes!("../../../../infra/local/clips/hi-01.wav");

/// A recording in memory, which comes in odd pieces.
struct Held(Vec<u8>);

#[async_trait]
impl AudioSource for Held {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    async fn open(&self, start: u64, end: u64) -> std::io::Result<ByteStream> {
        let bytes = self.0[start as usize..end as usize].to_vec();
        let pieces: Vec<_> = bytes
            .chunks(7_001)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        Ok(stream::iter(pieces).boxed())
    }
}

/// A WAV file of an encoding, and with something behind the sound.
fn file(tag: u16, channels: u16, bits: u16, rate: u32, sound: &[u8]) -> Vec<u8> {
    let frame = channels * bits / 8;
    let mut out = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    out.extend(tag.to_le_bytes());
    out.extend(channels.to_le_bytes());
    out.extend(rate.to_le_bytes());
    out.extend((rate * u32::from(frame)).to_le_bytes());
    out.extend(frame.to_le_bytes());
    out.extend(bits.to_le_bytes());
    out.extend(b"data");
    out.extend((sound.len() as u32).to_le_bytes());
    out.extend(sound);
    out.extend(b"LIST\x04\0\0\0text");
    let riff = out.len() as u32 - 8;
    out[4..8].copy_from_slice(&riff.to_le_bytes());
    out
}

fn mono(samples: impl Iterator<Item = i16>) -> Vec<u8> {
    samples.flat_map(i16::to_le_bytes).collect()
}

/// A quiet hum that goes on changing.
fn hum(samples: u32) -> impl Iterator<Item = i16> {
    let mut state = 1_u32;
    (0..samples).map(move |at| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 26) as i16;
        ((f64::from(at) * 0.05).sin() * 9_000.0) as i16 + noise
    })
}

async fn flac(wav: Vec<u8>) -> Option<Flac> {
    Flac::of(Arc::new(Held(wav))).await.unwrap()
}

async fn bytes(source: &Flac, start: u64, end: u64) -> Vec<u8> {
    let mut stream = source.open(start, end).await.unwrap();
    let mut out = Vec::new();
    while let Some(piece) = stream.next().await {
        out.extend(piece.unwrap());
    }
    out
}

/// The samples of a FLAC file as a decoder that is not the encoder's hears them.
fn decoded(flac: Vec<u8>) -> Vec<u8> {
    let mut wav = Cursor::new(Vec::new());
    flac_to_wav(Cursor::new(flac), &mut wav).unwrap();
    wav.into_inner().split_off(44)
}

#[tokio::test]
async fn every_sample_comes_back() {
    let loud = |at: u32| {
        if (at / 7).is_multiple_of(2) {
            i16::MAX
        } else {
            i16::MIN
        }
    };
    let stereo = hum(20_000).zip(hum(30_000).skip(500));
    let eight = hum(4_000).flat_map(|sample| [0, 1, 2, 3, 4, 5, 6, 7].map(|part| sample >> part));
    let mut sounds = vec![
        (1, 16_000, SPEECH[44..].to_vec()),
        (1, 8_000, vec![0; 50_000]),
        (1, 22_050, mono((0..9_999).map(loud))),
        (
            2,
            44_100,
            mono(stereo.flat_map(|(left, right)| [left, right])),
        ),
        (8, 48_000, mono(eight)),
    ];
    // Around the ends of blocks, the last of which must not be too short.
    for length in [500, 1_024, 1_025, 1_055, 1_056, 2_049, 65_536, 65_537] {
        sounds.push((1, 16_000, mono(hum(length))));
    }
    for (channels, rate, sound) in sounds {
        let wav = file(1, channels, 16, rate, &sound);
        let (length, what) = (wav.len() as u64, (channels, rate, sound.len()));
        let source = flac(wav).await.unwrap_or_else(|| panic!("{what:?}"));
        let made = bytes(&source, 0, source.len()).await;
        assert_eq!(made.len() as u64, source.len(), "{what:?}");
        assert!(source.len() < length, "{what:?}");
        let digest = digest(&SHA256, &made);
        assert_eq!(
            source.sha256().as_ref().map(|ours| &ours[..]),
            Some(digest.as_ref())
        );
        assert!(decoded(made) == sound, "{what:?}");
    }
}

#[tokio::test]
async fn a_long_one_is_made_again_from_any_byte_on() {
    let wav = file(1, 1, 16, 16_000, &mono(hum(700_000)));
    let source = flac(wav.clone()).await.unwrap();
    assert!(source.len() > KEPT && source.sha256().is_none());
    let all = bytes(&source, 0, source.len()).await;
    assert!(decoded(all.clone()) == wav[44..44 + 1_400_000]);
    let end = source.len();
    let header = HEADER as u64;
    for (start, to) in [
        (0, 1),
        (0, header),
        (header - 1, header + 1),
        (header, end),
        (100_000, 100_001),
        (333_333, 500_001),
        (end - 1, end),
        (end, end),
    ] {
        let part = bytes(&source, start, to).await;
        assert!(part == all[start as usize..to as usize], "{start}..{to}");
    }
    // Another time, with another pass over the recording.
    let again = flac(wav).await.unwrap();
    assert!(bytes(&again, 0, again.len()).await == all);
}

#[tokio::test]
async fn what_is_not_plain_sound_of_16_bits_stays_as_it_is() {
    let sound = mono(hum(6_000));
    let mut state = 7_u64;
    let noise = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as i16
    });
    let noise = mono(noise.take(6_000));
    let torn = file(1, 1, 16, 16_000, &sound[..sound.len() - 1]);
    let mut cut = file(1, 1, 16, 16_000, &sound);
    cut.truncate(5_000);
    for (what, wav) in [
        ("8 bits", file(1, 1, 8, 16_000, &sound)),
        ("24 bits", file(1, 1, 24, 16_000, &sound)),
        ("32 bits", file(1, 1, 32, 16_000, &sound)),
        ("float", file(3, 1, 32, 16_000, &sound)),
        ("A-law", file(6, 1, 8, 16_000, &sound)),
        ("nine channels", file(1, 9, 16, 16_000, &sound[..9_000])),
        ("a high rate", file(1, 1, 16, 192_000, &sound)),
        ("too short", file(1, 1, 16, 16_000, &sound[..60])),
        ("half a sample", torn),
        ("a cut file", cut),
        ("noise", file(1, 1, 16, 16_000, &noise)),
        ("another format", b"fLaC\x80\0\0\x22".to_vec()),
        ("nothing", Vec::new()),
        ("a large one", vec![0; MAX_BYTES as usize + 1]),
    ] {
        assert!(flac(wav).await.is_none(), "{what}");
    }
}

#[tokio::test]
async fn a_recording_that_changes_meanwhile_is_not_sent() {
    let source = flac(file(1, 1, 16, 16_000, &mono(hum(700_000)))).await;
    let source = Flac {
        wav: Arc::new(Held(vec![0; 2_000_000])),
        ..source.unwrap()
    };
    let mut stream = source.open(0, source.len()).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap().len(), HEADER);
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("not what it was"), "{error}");
}
