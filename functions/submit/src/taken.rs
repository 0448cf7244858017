//! Whether a model takes a sample, and as what.

use stt_eval_shared::audio::AudioFormat;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::failure::FailureCode;
use stt_eval_shared::domain::unit::Unsent;
use stt_eval_shared::providers::{AnyModel, TakenAs, Unsupported};

/// As what a model takes a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    format: String,
    /// MIME type of the audio, by the model's catalogue entry.
    pub(crate) mime_type: &'static str,
    /// What the vendor calls the language.
    pub(crate) language_code: &'static str,
}

impl Taken {
    /// Our name of the format.
    pub(crate) fn format(&self) -> &str {
        &self.format
    }

    /// The same for audio that is sent in another of the model's formats than it is in
    /// here, by the MIME type that it is declared with.
    pub(crate) fn sent_as(&self, model: &AnyModel<'_>, mime_type: &str) -> Self {
        let format = AudioFormat::from_content_type(mime_type).map(|format| format.to_string());
        let declared = format.as_deref().and_then(|format| model.mime_type(format));
        match (format, declared) {
            (Some(format), Some(mime_type)) => Self {
                format,
                mime_type,
                ..self.clone()
            },
            _ => self.clone(),
        }
    }

    /// A name of the audio with the extension of its format, without anything that
    /// people called it.
    pub(crate) fn file_name(&self, sample: &Sample) -> String {
        format!("{}.{}", sample.file_id, self.format)
    }
}

/// As what a model takes a sample; an error is why it does not at all.
pub(crate) fn taken(model: &AnyModel<'_>, sample: &Sample) -> Result<Taken, Unsent> {
    let (bytes, seconds) = (sample.size_bytes, sample.duration_seconds);
    let taken = model.takes_audio(&sample.content_type, bytes, seconds);
    let taken = taken.and_then(|TakenAs { format, mime_type }| {
        Ok(Taken {
            format,
            mime_type,
            language_code: model.takes_language(&sample.language)?,
        })
    });
    taken.map_err(|why| unsupported(sample.id.position(), why))
}

/// An item that its model does not take.
pub(crate) fn unsupported(position: u16, why: Unsupported) -> Unsent {
    Unsent {
        message: why.to_string(),
        ..Unsent::new(position, FailureCode::UnsupportedByModel)
    }
}
