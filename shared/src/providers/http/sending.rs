//! Audio in the body of a request that costs money: how far it got decides what
//! an error means.
//!
//! A body has its length from the beginning. As long as its last byte was not
//! handed over, no server can have all of it, and none transcribes a part: such a
//! request was certainly not done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use reqwest::header::HeaderMap;
use reqwest::multipart::Part;
use secrecy::SecretString;

use super::client::{Reply, read_answer, read_cut};
use super::errors::{lost, refused_here};
use super::told::{Told, refused_call};
use crate::providers::audio::AudioSource;
use crate::providers::error::{CallError, Rejection};

/// How far the audio of a request got.
#[derive(Debug, Default)]
pub struct Sending {
    /// Bytes that were handed over.
    sent: AtomicU64,
    length: u64,
    /// Why reading our own audio failed, if it did.
    unread: Mutex<Option<String>>,
}

impl Sending {
    /// The audio as a body that is read while it is sent. The body's length is that
    /// of the audio.
    pub async fn begin(audio: &dyn AudioSource) -> Result<(reqwest::Body, Arc<Self>), CallError> {
        let sending = Arc::new(Self {
            length: audio.len(),
            ..Self::default()
        });
        let bytes = audio
            .open(0, audio.len())
            .await
            .map_err(|error| CallError::Input {
                message: error.to_string(),
            })?;
        let seen = Arc::clone(&sending);
        let watched = bytes.map(move |piece| {
            match &piece {
                Ok(piece) => {
                    let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
                    seen.sent.fetch_add(length, Ordering::Relaxed);
                }
                Err(error) => {
                    let mut unread = seen.unread.lock().unwrap_or_else(PoisonError::into_inner);
                    *unread = Some(error.to_string());
                }
            }
            piece
        });
        Ok((reqwest::Body::wrap_stream(watched), sending))
    }

    /// The same as the file of a form, by its name and type.
    pub async fn part(
        audio: &dyn AudioSource,
        file_name: &str,
        mime_type: &str,
    ) -> Result<(Part, Arc<Self>), CallError> {
        let (body, sending) = Self::begin(audio).await?;
        let part = Part::stream_with_length(body, audio.len())
            .file_name(file_name.to_owned())
            .mime_str(mime_type)
            .map_err(|_| refused_here("the MIME type of the audio is not usable"))?;
        Ok((part, sending))
    }

    /// Sends the request that the body is in, once, and reads its answer.
    pub async fn finish(
        &self,
        request: reqwest::RequestBuilder,
        key: &SecretString,
        refine: impl FnOnce(u16, &Told) -> Option<Rejection>,
    ) -> Result<Reply, CallError> {
        let classify =
            |status, headers: &HeaderMap, body: &[u8]| refused_call(status, headers, body, refine);
        let answer = match request.send().await {
            Ok(response) => read_answer(key, response, read_cut, classify).await,
            Err(error) => Err(lost(key, error)),
        };
        answer.map_err(|error| self.meant(error))
    }

    /// What an error means, by how far the audio got.
    fn meant(&self, error: CallError) -> CallError {
        let unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(message) = unread.clone() {
            return CallError::Input { message };
        }
        match error {
            CallError::Ambiguous { message } if self.sent.load(Ordering::Relaxed) < self.length => {
                let message = format!("not all of the audio was sent: {message}");
                CallError::not_sent(Rejection::Unreachable, message)
            }
            error => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(sent: u64, unread: Option<&str>) -> CallError {
        let sending = Sending {
            sent: AtomicU64::new(sent),
            length: 10,
            unread: Mutex::new(unread.map(str::to_owned)),
        };
        sending.meant(CallError::Ambiguous {
            message: "reset".into(),
        })
    }

    #[test]
    fn only_audio_that_was_sent_whole_may_have_been_transcribed() {
        assert!(matches!(after(10, None), CallError::Ambiguous { .. }));
        let cut_off = after(9, None);
        assert!(
            matches!(
                cut_off,
                CallError::Rejected {
                    kind: Rejection::Unreachable,
                    status: 0,
                    ..
                }
            ),
            "{cut_off:?}"
        );
        assert!(matches!(after(9, Some("S3")), CallError::Input { .. }));
    }
}
