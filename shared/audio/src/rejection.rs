//! Why an object is refused, in words for people and in codes for programs.

use serde::Serialize;
use serde::ser::SerializeStruct;
use thiserror::Error;

use super::AudioFormat;

/// Why an uploaded object is not a usable recording.
///
/// `Display` is one sentence for people who do not program. It never repeats bytes of the
/// object. [`code`](Self::code) is the same thing for programs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The object has no bytes.
    #[error("The file is empty.")]
    Empty,
    /// The file says, or its structure shows, that it goes on after the object's end.
    #[error("The file is cut off{}; please upload it again.", expected(*.expected_bytes, *.actual_bytes))]
    Truncated {
        /// Least length in bytes of the whole file, where it can be told.
        expected_bytes: Option<u64>,
        /// Length of the object in bytes.
        actual_bytes: u64,
    },
    /// The object is something else, or nothing recognisable.
    #[error("The file is not an audio recording{}; its content counts, not its name.", looks(*.looks_like))]
    NotAudio {
        /// What it seems to be, with its article ("a PDF document").
        looks_like: Option<&'static str>,
    },
    /// A recording, but in a container other than the six.
    #[error(
        "The recording is in {name} format, which is not supported; please convert it to mp3, wav, flac, m4a, ogg or webm."
    )]
    UnsupportedFormat {
        /// The container's usual name.
        name: &'static str,
    },
    /// One of the six containers with an encoding inside that is not supported.
    #[error("The sound inside the {format} file is encoded in a way that is not supported{}; {format} is taken with {}.", named(*.codec), .format.codecs())]
    UnsupportedCodec {
        /// The container.
        format: AudioFormat,
        /// Name of the encoding, where it is known.
        codec: Option<&'static str>,
    },
    /// The container has a video track.
    #[error("The file contains video; please upload the sound alone.")]
    Video,
    /// The container has no audio track.
    #[error("The file has no sound track.")]
    NoAudioTrack,
    /// The container does not say how long the recording is and it cannot be found out cheaply.
    #[error(
        "The length of the recording cannot be determined; please convert the file and upload it again."
    )]
    NoDuration,
    /// The recording is zero seconds long.
    #[error("The recording has no sound: it is zero seconds long.")]
    ZeroDuration,
    /// The declared duration cannot fit into that few bytes.
    #[error("The file claims to be far longer than its size allows.")]
    ImplausibleDuration,
    /// More channels than are supported.
    #[error("The recording has {found} channels; at most {limit} are supported.")]
    TooManyChannels {
        /// Channels found.
        found: u16,
        /// Channels supported.
        limit: u16,
    },
    /// Several recordings or several sound tracks in one file.
    #[error("The file holds several recordings joined together; please upload them one by one.")]
    SeveralRecordings,
    /// The facts are too far apart or too large to be read within the limits of a probe.
    #[error(
        "The description inside the file is too large or too scattered to be read; please convert the file and upload it again."
    )]
    TooScattered,
    /// The file breaks the rules of its format. The text completes "The file is damaged: …".
    #[error("The file is damaged: {0}.")]
    Malformed(String),
}

impl Rejection {
    /// A stable name of the reason, in `snake_case`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Truncated { .. } => "truncated",
            Self::NotAudio { .. } => "not_audio",
            Self::UnsupportedFormat { .. } => "unsupported_format",
            Self::UnsupportedCodec { .. } => "unsupported_codec",
            Self::Video => "contains_video",
            Self::NoAudioTrack => "no_audio_track",
            Self::NoDuration => "no_duration",
            Self::ZeroDuration => "zero_duration",
            Self::ImplausibleDuration => "implausible_duration",
            Self::TooManyChannels { .. } => "too_many_channels",
            Self::SeveralRecordings => "several_recordings",
            Self::TooScattered => "too_scattered",
            Self::Malformed(_) => "malformed",
        }
    }
}

/// Serialises as `{"code": …, "message": …}`.
impl Serialize for Rejection {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = serializer.serialize_struct("Rejection", 2)?;
        text.serialize_field("code", self.code())?;
        text.serialize_field("message", &self.to_string())?;
        text.end()
    }
}

fn expected(expected: Option<u64>, actual: u64) -> String {
    match expected {
        Some(expected) => {
            format!(": it should be at least {expected} bytes long, but only {actual} arrived")
        }
        None => format!(" after {actual} bytes"),
    }
}

fn named(codec: Option<&'static str>) -> String {
    codec.map(|name| format!(" ({name})")).unwrap_or_default()
}

fn looks(looks_like: Option<&'static str>) -> String {
    looks_like
        .map(|thing| format!("; it looks like {thing}"))
        .unwrap_or_default()
}
