//! The audio of a sample as it is sent: as it is, or without loss in fewer bytes.
//!
//! Which of the two is a setting of the run. Audio that is kept at a vendor is shared by
//! runs, so it is looked at whether what is there is what the run would send.

use std::sync::Arc;
use std::time::Duration;

use stt_eval_shared::App;
use stt_eval_shared::audio::AudioFormat;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::providers::{AnyModel, AudioSource};

use super::lossless::Flac;
use super::taken::Taken;

/// Longest time that is spent on making a recording smaller.
pub(crate) const LONGEST: Duration = Duration::from_secs(15);
/// The format that is made of [`FROM`].
const TO: AudioFormat = AudioFormat::Flac;
const FROM: AudioFormat = AudioFormat::Wav;

/// What is sent.
pub(crate) struct Outgoing {
    /// Its bytes.
    pub(crate) audio: Arc<dyn AudioSource>,
    /// As what the model takes them.
    pub(crate) taken: Taken,
}

/// How the recordings of a run leave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaving {
    /// WAV as FLAC, where the vendor lists that for the model.
    lossless_flac: bool,
}

impl Leaving {
    /// By what was frozen when the run was accepted.
    pub(crate) fn of(app: &App, run: &Run) -> Self {
        Self {
            lossless_flac: run.lossless_flac.unwrap_or(app.config.lossless_flac),
        }
    }

    /// What is sent of a sample. Where it can't be sent in fewer bytes it is sent as it is;
    /// a recording that can't be read will be told by what reads it then.
    pub(crate) async fn outgoing(
        self,
        app: &App,
        model: &AnyModel<'_>,
        sample: &Sample,
        taken: &Taken,
    ) -> Outgoing {
        let audio: Arc<dyn AudioSource> = Arc::new(app.objects.audio(
            sample.object_key.clone(),
            sample.object_version.clone(),
            sample.size_bytes,
        ));
        if let Some(smaller) = self.smaller(model, taken) {
            let flac = Flac::of(Arc::clone(&audio));
            match tokio::time::timeout(LONGEST, flac).await {
                Ok(Ok(Some(flac))) => {
                    return Outgoing {
                        audio: Arc::new(flac),
                        taken: smaller,
                    };
                }
                Ok(Ok(None)) => {}
                Ok(Err(error)) => {
                    tracing::warn!(file_id = %sample.file_id, %error, "a recording was not made smaller");
                }
                Err(_) => {
                    tracing::warn!(file_id = %sample.file_id, "making a recording smaller took too long");
                }
            }
        }
        Outgoing {
            audio,
            taken: taken.clone(),
        }
    }

    /// How long [`outgoing`](Self::outgoing) may take.
    pub(crate) fn longest(self) -> Duration {
        match self.lossless_flac {
            true => LONGEST,
            false => Duration::ZERO,
        }
    }

    /// Whether audio of a sample that is at a vendor already, declared with a MIME type, can
    /// be used in place of what this would send. A recording as it is always can: nothing
    /// leaves for it. One that another run has sent as FLAC can't, where it is to be heard
    /// as it is.
    pub(crate) fn takes(self, sample: &Sample, mime_type: &str) -> bool {
        let is = |mime_type, format| AudioFormat::from_content_type(mime_type) == Some(format);
        let was_made = is(mime_type, TO) && is(&sample.content_type, FROM);
        self.lossless_flac || !was_made
    }

    /// As what a model takes a sample in fewer bytes, where that is wanted and the vendor
    /// lists the format for it.
    fn smaller(self, model: &AnyModel<'_>, taken: &Taken) -> Option<Taken> {
        if !self.lossless_flac || taken.format() != FROM.extension() {
            return None;
        }
        let mut formats = model.formats.iter();
        let format = formats.find(|format| format.name == TO.extension() && format.documented)?;
        Some(taken.sent_as(model, format.mime_type))
    }
}
