//! The library's part: it reads a small, complete file from memory and says what is in it.
//!
//! What it is given was put together by the container modules from verified pieces, so it never
//! meets a hole, and its work is bounded by the few megabytes it is given.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known as codec;
use symphonia::core::errors::{Error, Result as LibraryResult};
use symphonia::core::formats::{FormatOptions, FormatReader, Track};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::units::{Duration, TimeBase};
use symphonia::default::formats::{FlacReader, IsoMp4Reader, MkvReader, MpaReader, OggReader};

use super::sparse::{Stop, malformed};
use super::{AudioFormat, Rejection};

/// Most packets that are listed. Four megabytes of the thinnest speech have fewer; a crafted file
/// could pack hundreds of empty ones into a few bytes.
const MAX_PACKETS: u32 = 400_000;

/// What a container says about its sound track.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub codec: &'static str,
    pub sample_rate_hz: u32,
    pub channels: u16,
    /// `None`: the container does not say.
    pub seconds: Option<f64>,
    /// When the track's first sample is due.
    pub start_seconds: f64,
    /// The track's number in its container.
    pub track_id: u32,
}

/// The facts of one audio track in a complete file held in memory.
pub(super) fn facts(format: AudioFormat, file: Vec<u8>) -> Result<Facts, Stop> {
    guarded(format, || {
        let reader = open(format, file)?;
        let media = reader.media_info();
        let whole = media
            .duration
            .zip(media.time_base)
            .and_then(|(d, base)| seconds(d, base));
        let Some((track, audio)) = audio_track(reader.tracks()) else {
            return Ok(Err(Rejection::UnsupportedCodec {
                format,
                codec: None,
            }));
        };
        let Some(name) = codec_name(audio) else {
            return Ok(Err(Rejection::UnsupportedCodec {
                format,
                codec: None,
            }));
        };
        Ok(Ok(Facts {
            codec: name,
            sample_rate_hz: audio.sample_rate.unwrap_or(0),
            channels: audio.channels.as_ref().map_or(0, |channels| {
                u16::try_from(channels.count()).unwrap_or(u16::MAX)
            }),
            seconds: shorter(
                track_seconds(track, audio),
                whole.filter(|seconds| *seconds > 0.0),
            ),
            start_seconds: track
                .time_base
                .or_else(|| sample_time_base(track))
                .and_then(|base| base.calc_time(track.start_ts))
                .map_or(0.0, |time| time.as_secs_f64()),
            track_id: track.id,
        }))
    })?
    .map_err(Stop::Reject)
}

/// When the last packet of a track ends in a complete file held in memory, in ticks of the track's
/// time base and in seconds. `None` if the file has no packet of that
/// track, or too many.
pub(super) fn last_packet_end(
    format: AudioFormat,
    file: Vec<u8>,
    track_id: u32,
) -> Result<Option<(u64, f64)>, Stop> {
    guarded(format, || {
        let mut reader = open(format, file)?;
        let base = reader
            .tracks()
            .iter()
            .find(|track| track.id == track_id)
            .and_then(|track| track.time_base.or_else(|| sample_time_base(track)));
        let mut last: Option<u64> = None;
        let mut packets = 0u32;
        // An error ends the list as the end of the file does: what was cut off in the middle of a
        // packet is told by the caller, from the sizes.
        while let Ok(Some(packet)) = reader.next_packet() {
            packets += 1;
            if packets > MAX_PACKETS {
                return Ok(None);
            }
            if packet.track_id == track_id {
                let end = packet
                    .pts
                    .get()
                    .max(0)
                    .unsigned_abs()
                    .saturating_add(packet.dur.get());
                last = Some(last.map_or(end, |seen| seen.max(end)));
            }
        }
        Ok(last
            .zip(base)
            .and_then(|(end, base)| Some((end, seconds(Duration::new(end), base)?))))
    })
}

/// Runs the library. Its errors, and a panic should it have one left, refuse the object.
fn guarded<T>(format: AudioFormat, work: impl FnOnce() -> LibraryResult<T>) -> Result<T, Stop> {
    // Unwind safe: everything the closure touches is its own and is dropped with it.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(Error::Unsupported(_))) => Err(Rejection::UnsupportedCodec {
            format,
            codec: None,
        }
        .into()),
        Ok(Err(_)) | Err(_) => Err(malformed("its description of the sound cannot be read")),
    }
}

fn open(format: AudioFormat, file: Vec<u8>) -> LibraryResult<Box<dyn FormatReader>> {
    let source = MediaSourceStream::new(Box::new(Cursor::new(file)), Default::default());
    let options = FormatOptions::default();
    Ok(match format {
        // `wav.rs` needs no library.
        AudioFormat::Wav => return Err(Error::Unsupported("wav is read elsewhere")),
        AudioFormat::Flac => Box::new(FlacReader::try_new(source, options)?),
        AudioFormat::Ogg => Box::new(OggReader::try_new(source, options)?),
        AudioFormat::Mp3 => Box::new(MpaReader::try_new(source, options)?),
        AudioFormat::M4a => Box::new(IsoMp4Reader::try_new(source, options)?),
        AudioFormat::Webm => Box::new(MkvReader::try_new(source, options)?),
    })
}

fn audio_track(tracks: &[Track]) -> Option<(&Track, &AudioCodecParameters)> {
    tracks.iter().find_map(|track| match &track.codec_params {
        Some(CodecParameters::Audio(audio)) => Some((track, audio)),
        _ => None,
    })
}

/// The track's length, unless the whole file's is shorter: an MP4 edit list takes the encoder's
/// padding off the latter only.
fn shorter(track: Option<f64>, whole: Option<f64>) -> Option<f64> {
    match (track.filter(|seconds| *seconds > 0.0), whole) {
        (Some(track), Some(whole)) => Some(track.min(whole)),
        (track, whole) => track.or(whole),
    }
}

fn track_seconds(track: &Track, audio: &AudioCodecParameters) -> Option<f64> {
    match (track.num_frames, audio.sample_rate) {
        (Some(frames), Some(rate)) if rate > 0 => Some(frames as f64 / f64::from(rate)),
        _ => seconds(track.duration?, track.time_base?),
    }
}

fn sample_time_base(track: &Track) -> Option<TimeBase> {
    match &track.codec_params {
        Some(CodecParameters::Audio(audio)) => TimeBase::try_from_recip(audio.sample_rate?),
        _ => None,
    }
}

fn seconds(duration: Duration, base: TimeBase) -> Option<f64> {
    base.calc_duration(duration).map(|time| time.as_secs_f64())
}

/// Short names of the encodings that are accepted.
fn codec_name(audio: &AudioCodecParameters) -> Option<&'static str> {
    Some(match audio.codec {
        codec::CODEC_ID_MP3 => "mp3",
        codec::CODEC_ID_AAC => "aac",
        codec::CODEC_ID_FLAC => "flac",
        codec::CODEC_ID_OPUS => "opus",
        codec::CODEC_ID_VORBIS => "vorbis",
        _ => return None,
    })
}
