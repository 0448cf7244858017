//! Signed URLs for playback. One that can't be made is `null`, not an error of
//! the whole answer.

use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::file::{File, FileStatus};
use stt_eval_shared::objects::ObjectError;

use crate::views::Signed;

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
    // Players go by the type, so it is the found one.
    Some(sign(app, &file.object_key, version, file.media_type()).await)
}

/// The URL of a sample's recording, when it is wanted.
pub async fn sample_url(app: &App, sample: &Sample, wanted: bool) -> Signed {
    if !wanted {
        return None;
    }
    let version = sample.object_version.as_deref();
    Some(sign(app, &sample.object_key, version, &sample.content_type).await)
}

/// Scheme, host and port of a URL; all of it where it has no path.
fn place(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let rest = url.get(host..).unwrap_or_default();
    let end = rest.find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    url.get(..end).unwrap_or(url)
}

/// Where all signed URLs lead: scheme, host and port. Taken from one that is made like
/// all others, so that it is theirs wherever this runs.
///
/// # Errors
/// When no URL can be signed.
pub async fn origin(app: &App) -> Result<String, ObjectError> {
    // Nothing is asked for by it, so any key does.
    let object_key = "audio/";
    let url = app
        .objects
        .presign_get(object_key, None, "audio/wav")
        .await?;
    Ok(place(&url).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_scheme_host_and_port() {
        let url = "http://127.0.0.1:9000/bucket/audio/?X-Amz-Signature=1";
        assert_eq!(place(url), "http://127.0.0.1:9000");
        assert_eq!(
            place("https://b.s3.amazonaws.com?x"),
            "https://b.s3.amazonaws.com"
        );
        assert_eq!(place("https://b.example"), "https://b.example");
        assert_eq!(place(""), "");
    }
}
