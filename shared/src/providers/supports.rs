//! Which audio a model takes: what the catalogue knows is told before anything is
//! sent.

use super::model::AnyModel;
use crate::audio::AudioFormat;

/// How a model is given an audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenAs {
    /// Our name of its format.
    pub format: String,
    /// The MIME type to declare.
    pub mime_type: &'static str,
}

/// Why a model does not take a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Unsupported {
    /// Its format is none of the model's.
    #[error("the model does not take this audio format")]
    Format,
    /// It is larger than the model takes.
    #[error("the model takes files of {0} bytes at most")]
    Size(u64),
    /// It is longer than the model takes.
    #[error("the model takes audio of {0} s at most")]
    Length(u32),
    /// The model can't be asked for its language.
    #[error("the model can't be asked for the language of the clip")]
    Language,
}

impl AnyModel<'_> {
    /// How it is given audio of a content type, of so many bytes and seconds.
    ///
    /// # Errors
    /// Why it does not take the audio at all. These facts of a clip never change.
    pub fn takes_audio(
        &self,
        content_type: &str,
        bytes: u64,
        seconds: f64,
    ) -> Result<TakenAs, Unsupported> {
        let format = AudioFormat::from_content_type(content_type);
        let format = format.map(|format| format.to_string());
        let mime_type = format.as_deref().and_then(|format| self.mime_type(format));
        let (Some(format), Some(mime_type)) = (format, mime_type) else {
            return Err(Unsupported::Format);
        };
        if bytes > self.max_file_bytes {
            Err(Unsupported::Size(self.max_file_bytes))
        } else if seconds > f64::from(self.max_audio_seconds) {
            Err(Unsupported::Length(self.max_audio_seconds))
        } else {
            Ok(TakenAs { format, mime_type })
        }
    }

    /// What the vendor calls the language of a clip, a BCP-47 tag. People can change
    /// that of a clip.
    ///
    /// # Errors
    /// It can't.
    pub fn takes_language(&self, tag: &str) -> Result<&'static str, Unsupported> {
        self.language_code(tag).ok_or(Unsupported::Language)
    }
}
