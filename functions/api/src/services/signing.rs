//! Signed URLs for playback. One that can't be made is `null`, not an error of
//! the whole answer.

use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::file::{File, FileStatus};

use crate::dto::Signed;

async fn sign(app: &App, key: &str, version: Option<&str>, content_type: &str) -> Option<String> {
    match app.objects.presign_get(key, version, content_type).await {
        Ok(url) => Some(url),
        Err(error) => {
            tracing::warn!(%error, "a playback URL could not be signed");
            None
        }
    }
}

/// The URL of a file, when it is wanted.
pub async fn file_url(app: &App, file: &File, wanted: bool) -> Signed {
    if !wanted {
        return None;
    }
    if file.status != FileStatus::Ready {
        return Some(None);
    }
    let version = file.object_version.as_deref();
    Some(sign(app, &file.object_key, version, &file.content_type).await)
}

/// The URL of a sample's recording, when it is wanted.
pub async fn sample_url(app: &App, sample: &Sample, wanted: bool) -> Signed {
    if !wanted {
        return None;
    }
    let version = sample.object_version.as_deref();
    Some(sign(app, &sample.object_key, version, &sample.content_type).await)
}
