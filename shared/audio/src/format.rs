//! The six formats and what is known of a recording.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most channels a recording may have.
pub const MAX_CHANNELS: u16 = 8;

/// A container format that recordings may be uploaded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AudioFormat {
    /// MPEG-1/2/2.5 Audio Layer III.
    Mp3,
    /// RIFF WAVE, RF64 and BW64.
    Wav,
    /// Native FLAC.
    Flac,
    /// MPEG-4 (ISO base media file) with audio only.
    M4a,
    /// Ogg with Vorbis or Opus.
    Ogg,
    /// WebM with Opus or Vorbis and no video.
    Webm,
}

impl AudioFormat {
    /// All six, in the order used in messages.
    pub const ALL: [Self; 6] = [
        Self::Mp3,
        Self::Wav,
        Self::Flac,
        Self::M4a,
        Self::Ogg,
        Self::Webm,
    ];

    /// The format that a `Content-Type` value stands for.
    ///
    /// Parameters (`;codecs=opus`), letter case and surrounding spaces do not matter.
    /// `application/ogg` is accepted, as it is the older name of `audio/ogg`; `video/webm` and
    /// `video/mp4` are not, because a file with a video track is rejected anyway. `None` for
    /// everything else.
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default();
        match essence.trim().to_ascii_lowercase().as_str() {
            "audio/mpeg" | "audio/mp3" => Some(Self::Mp3),
            "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => Some(Self::Wav),
            "audio/flac" | "audio/x-flac" => Some(Self::Flac),
            "audio/mp4" | "audio/m4a" | "audio/x-m4a" => Some(Self::M4a),
            "audio/ogg" | "audio/opus" | "application/ogg" => Some(Self::Ogg),
            "audio/webm" => Some(Self::Webm),
            _ => None,
        }
    }

    /// The one `Content-Type` value used for this format from here on.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Mp3 => "audio/mpeg",
            Self::Wav => "audio/wav",
            Self::Flac => "audio/flac",
            Self::M4a => "audio/mp4",
            Self::Ogg => "audio/ogg",
            Self::Webm => "audio/webm",
        }
    }

    /// The format of that name ([`extension`](Self::extension)).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.extension() == name)
    }

    /// The encodings that are taken inside it, in words.
    pub const fn codecs(self) -> &'static str {
        match self {
            Self::Mp3 => "MPEG layer III",
            Self::Wav => "PCM, µ-law or A-law",
            Self::Flac => "FLAC",
            Self::M4a => "AAC",
            Self::Ogg | Self::Webm => "Opus or Vorbis",
        }
    }

    /// The file name extension, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Wav => "wav",
            Self::Flac => "flac",
            Self::M4a => "m4a",
            Self::Ogg => "ogg",
            Self::Webm => "webm",
        }
    }
}

impl fmt::Display for AudioFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.extension())
    }
}

/// What a probe found out about a recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioInfo {
    /// The container, told from its bytes.
    pub format: AudioFormat,
    /// Short lower-case name of the encoding inside, for example `opus`, `aac` or `pcm_s16le`.
    pub codec: String,
    /// Length of the recording in seconds, finite and above zero.
    ///
    /// From what the container declares where it does; else from its last timestamps. An MP3
    /// without a frame count is estimated from its bit rate.
    pub duration_seconds: f64,
    /// Samples per second and channel, in Hz, as the container declares them.
    pub sample_rate_hz: u32,
    /// Number of channels, 1 to [`MAX_CHANNELS`].
    pub channels: u16,
}
