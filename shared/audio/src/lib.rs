//! What an uploaded object is, told from its bytes: format, duration, sample rate, channels.
//!
//! The object lies in object storage and may be hundreds of megabytes, and it may be hostile. So
//! [`probe`] is a pure function over the few byte ranges fetched so far ([`SparseBytes`]): it
//! either decides or says which range it needs next, and it stays under [`MAX_FETCHES`] requests
//! and [`MAX_BYTES`] bytes whatever the object says about itself. A range that was not fetched is
//! asked for and never mistaken for the end of the file.
//!
//! ```
//! use stt_eval_audio::{Probe, SparseBytes, probe};
//!
//! // Stands for the object in storage; `slice` stands for a ranged GET.
//! let object = b"%PDF-1.7 not audio at all".to_vec();
//! let mut known = SparseBytes::new(object.len() as u64);
//! let verdict = loop {
//!     match probe(&known) {
//!         Probe::Need(range) => {
//!             let slice = object[range.start as usize..range.end as usize].to_vec();
//!             known.insert(range.start, slice);
//!         }
//!         decided => break decided,
//!     }
//! };
//! assert!(matches!(verdict, Probe::Rejected(reason) if reason.code() == "not_audio"));
//! ```
//!
//! # What does what
//!
//! Symphonia (the library behind `library.rs`) interprets headers, codec parameters and timestamps,
//! but it reads a file from front to back: it would need every comment, cover picture and index
//! in between, it takes an unreadable range for the end of the stream, and it does not notice that
//! a file was cut off. So each container module here walks only the *outline* of its container
//! (box, chunk, block, page and element headers), checks it against the object's length, and puts
//! the few parts that matter together as a small, complete file which the library then reads
//! from memory.

mod boxes;
pub mod cut;
mod flac;
mod foreign;
mod format;
mod fragments;
mod library;
mod m4a;
mod m4a_codec;
mod mp3;
mod mpeg;
mod ogg;
mod rejection;
mod sniff;
mod sparse;
mod wav;
mod wav_format;
mod webm;

pub use format::{AudioFormat, AudioInfo, MAX_CHANNELS};
pub use rejection::Rejection;
pub use sparse::SparseBytes;

use std::ops::Range;

use library::Facts;
use sniff::Container;
use sparse::Stop;

/// The most requests a probe makes before it gives the object up.
pub const MAX_FETCHES: u32 = 24;

/// The most bytes, over all requests together, that a probe fetches before it gives the object up.
pub const MAX_BYTES: u64 = 12 * 1024 * 1024;

/// The highest sample rate, in Hz, that is taken for real.
const MAX_SAMPLE_RATE_HZ: u32 = 768_000;

/// The example of the README, so that it is run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// No codec of the six formats goes below this many bits per second for long, not even in
/// silence; a file that claims more seconds than this allows is lying about its duration.
const MIN_BITS_PER_SECOND: f64 = 100.0;

/// Seconds that a small file may claim whatever its size.
const DURATION_SLACK_SECONDS: f64 = 60.0;

/// The outcome of one [`probe`] call.
#[derive(Debug, Clone, PartialEq)]
pub enum Probe {
    /// Fetch these bytes of the object (offsets from its start, end exclusive, never empty, never
    /// beyond its length), [`SparseBytes::insert`] them and probe again.
    Need(Range<u64>),
    /// The object is a usable recording.
    Audio(AudioInfo),
    /// The object is not usable; no further bytes will change that.
    Rejected(Rejection),
}

/// Decides what the object is, or says which bytes are needed to decide.
///
/// Deterministic, without I/O and without panics for any bytes. Work per call is linear in the
/// bytes known so far, which [`MAX_BYTES`] bounds. A caller that inserts what was asked for ends
/// within [`MAX_FETCHES`] rounds; one that inserts something else ends there too, rejected.
pub fn probe(bytes: &SparseBytes) -> Probe {
    match examine(bytes) {
        Ok(info) => Probe::Audio(info),
        Err(stop) => match bytes.next_fetch(stop) {
            Ok(range) => Probe::Need(range),
            Err(reason) => Probe::Rejected(reason),
        },
    }
}

fn examine(bytes: &SparseBytes) -> Result<AudioInfo, Stop> {
    if bytes.total_len() == 0 {
        return Err(Rejection::Empty.into());
    }
    let (format, facts) = match sniff::container(bytes)? {
        Container::Wav => (AudioFormat::Wav, wav::facts(bytes)?),
        Container::Flac { start } => (AudioFormat::Flac, flac::facts(bytes, start)?),
        Container::Ogg => (AudioFormat::Ogg, ogg::facts(bytes)?),
        Container::M4a => (AudioFormat::M4a, m4a::facts(bytes)?),
        Container::Webm => (AudioFormat::Webm, webm::facts(bytes)?),
        Container::Mp3 { start } => (AudioFormat::Mp3, mp3::facts(bytes, start)?),
    };
    Ok(plausible(format, facts, bytes.total_len())?)
}

/// The last gate, the same for every format: facts that cannot be true are refused.
fn plausible(format: AudioFormat, facts: Facts, total: u64) -> Result<AudioInfo, Rejection> {
    if facts.channels == 0 {
        return Err(Rejection::Malformed(
            "it says that it has no channels".into(),
        ));
    }
    if facts.channels > MAX_CHANNELS {
        return Err(Rejection::TooManyChannels {
            found: facts.channels,
            limit: MAX_CHANNELS,
        });
    }
    if facts.sample_rate_hz == 0 || facts.sample_rate_hz > MAX_SAMPLE_RATE_HZ {
        return Err(Rejection::Malformed("its sample rate is impossible".into()));
    }
    let seconds = facts.seconds.ok_or(Rejection::NoDuration)?;
    if !seconds.is_finite() || seconds <= 0.0 {
        return Err(Rejection::ZeroDuration);
    }
    let longest = DURATION_SLACK_SECONDS + total as f64 * 8.0 / MIN_BITS_PER_SECOND;
    if seconds > longest {
        return Err(Rejection::ImplausibleDuration);
    }
    Ok(AudioInfo {
        format,
        codec: facts.codec.to_owned(),
        duration_seconds: seconds,
        sample_rate_hz: facts.sample_rate_hz,
        channels: facts.channels,
    })
}
