//! The File resource: get, list, delete and download.

use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use http::header::CONTENT_LENGTH;
use serde_json::{Value, json};
use tokio_util::io::ReaderStream;

use crate::owner::Owner;
use crate::sim::Sim;
use crate::wire::{ApiError, typed_response};

/// Longest id that the call which deletes a file takes.
const MAX_DELETED_ID: usize = 40;

/// A `pageSize` and `pageToken`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    pub size: usize,
    pub token: Option<String>,
}

/// A page token naming the last item shown.
pub(crate) fn page_token(created: i128, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{created} {id}"))
}

/// Reads a token of [`page_token`].
pub(crate) fn read_token(token: &str) -> Result<(i128, String), ApiError> {
    let bad = || ApiError::invalid("Invalid page token.");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| bad())?;
    let text = String::from_utf8(bytes).map_err(|_| bad())?;
    let (created, id) = text.split_once(' ').ok_or_else(bad)?;
    Ok((created.parse().map_err(|_| bad())?, id.to_owned()))
}

impl Sim {
    /// `GET /{v}/files/{id}`.
    pub(crate) fn file_get(&self, owner: &Owner, id: &str) -> Result<Value, ApiError> {
        let now = self.clock.now();
        match self.state().file(owner, id, now) {
            Some(file) if file.is_late(now) => Err(ApiError::no_file(id)),
            Some(file) => Ok(file.json(&self.base_url, now)),
            None => Err(ApiError::no_file(id)),
        }
    }

    /// `GET /{v}/files`, newest first.
    pub(crate) fn file_list(&self, owner: &Owner, page: &Page) -> Result<Value, ApiError> {
        let now = self.clock.now();
        let before = page.token.as_deref().map(read_token).transpose()?;
        let mut state = self.state();
        state.purge_expired(owner, now)?;
        let mut found: Vec<_> = state
            .files_of(owner, now)
            .filter(|file| match &before {
                Some((created, id)) => {
                    (file.created.unix_timestamp_nanos(), &file.id) < (*created, id)
                }
                None => true,
            })
            .take(page.size + 1)
            .collect();
        let more = found.len() > page.size;
        found.truncate(page.size);
        let mut body = json!({});
        if !found.is_empty() {
            body["files"] = found.iter().map(|f| f.json(&self.base_url, now)).collect();
        }
        if let (true, Some(last)) = (more, found.last()) {
            let token = page_token(last.created.unix_timestamp_nanos(), &last.id);
            body["nextPageToken"] = json!(token);
        }
        Ok(body)
    }

    /// `DELETE /{v}/files/{id}`. Outputs of batches have longer names than this
    /// call takes: they go when they expire.
    pub(crate) fn file_delete(&self, owner: &Owner, id: &str) -> Result<Value, ApiError> {
        if id.len() > MAX_DELETED_ID {
            return Err(ApiError::invalid(format!(
                "* DeleteFileRequest.name: File ID {id} cannot be more than {MAX_DELETED_ID} \
                 characters."
            )));
        }
        let mut state = self.state();
        if state.file(owner, id, self.clock.now()).is_none() {
            return Err(ApiError::no_file(id));
        }
        state.remove_file(id)?;
        Ok(json!({}))
    }

    /// `GET /download/{v}/files/{id}:download?alt=media`: generated files only.
    pub(crate) async fn file_download(
        &self,
        owner: &Owner,
        id: &str,
        alt: Option<&str>,
    ) -> Result<Response, ApiError> {
        let (path, size, mime) = {
            let state = self.state();
            let file = state
                .file(owner, id, self.clock.now())
                .filter(|file| !file.is_late(self.clock.now()))
                .ok_or_else(|| ApiError::no_file(id))?;
            if !file.generated {
                return Err(ApiError::invalid(
                    "Only generated files can be downloaded; this file was uploaded.",
                ));
            }
            (state.blob(id), file.size, file.mime_type.clone())
        };
        if alt != Some("media") {
            return Err(ApiError::invalid("A download needs alt=media."));
        }
        let file = tokio::fs::File::open(path)
            .await
            .map_err(ApiError::internal)?;
        let body = Body::from_stream(ReaderStream::with_capacity(file, 64 << 10));
        let mut response = typed_response(200, "application/octet-stream", body);
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(size));
        if let Ok(mime) = HeaderValue::from_str(&mime) {
            response
                .headers_mut()
                .insert(http::header::CONTENT_TYPE, mime);
        }
        Ok(response)
    }
}
