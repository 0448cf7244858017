//! The audio of a sample as it is sent: as it is, or without loss in fewer bytes.

use std::sync::Arc;
use std::time::Duration;

use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::providers::{AnyModel, AudioSource};

use super::lossless::Flac;
use super::taken::Taken;

/// Longest time that is spent on making a recording smaller.
pub(crate) const LONGEST: Duration = Duration::from_secs(15);
/// The format that is made of [`FROM`].
const TO: &str = "flac";
const FROM: &str = "wav";

/// What is sent.
pub(crate) struct Outgoing {
    /// Its bytes.
    pub(crate) audio: Arc<dyn AudioSource>,
    /// As what the model takes them.
    pub(crate) taken: Taken,
}

/// What is sent of a sample. Where it can't be sent in fewer bytes it is sent as it is;
/// a recording that can't be read will be told by what reads it then.
pub(crate) async fn outgoing(
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
    if let Some(smaller) = smaller(app, model, taken) {
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

/// How long [`outgoing`] may take.
pub(crate) fn longest(app: &App) -> Duration {
    match app.config.lossless_flac {
        true => LONGEST,
        false => Duration::ZERO,
    }
}

/// As what a model takes a sample in fewer bytes, where that is wanted and the vendor
/// lists the format for it.
fn smaller(app: &App, model: &AnyModel<'_>, taken: &Taken) -> Option<Taken> {
    if !app.config.lossless_flac || taken.format() != FROM {
        return None;
    }
    let mut formats = model.formats.iter();
    let format = formats.find(|format| format.name == TO && format.documented)?;
    Some(taken.sent_as(model, format.mime_type))
}
