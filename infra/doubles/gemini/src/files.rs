//! The File resource: get, list, delete and download.

use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderValue;
use http::header::CONTENT_LENGTH;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio_util::io::ReaderStream;

use crate::clock::stamp;
use crate::server::Sim;
use crate::store::Owner;
use crate::wire::{ApiError, typed_response};

/// Longest id that the call which deletes a file takes.
const MAX_DELETED_ID: usize = 40;

/// A file that was uploaded or generated.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    pub id: String,
    pub owner: Owner,
    pub display_name: Option<String>,
    pub mime_type: String,
    pub size: u64,
    /// Hex digest of the bytes.
    pub sha256: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    /// When processing ends.
    #[serde(with = "time::serde::rfc3339")]
    pub ready: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub expires: OffsetDateTime,
    /// Processing ends in failure, with this message.
    pub failure: Option<String>,
    pub generated: bool,
    /// Whether the bytes are kept.
    pub stored: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileState {
    Processing,
    Active,
    Failed,
}

impl FileState {
    fn name(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Active => "ACTIVE",
            Self::Failed => "FAILED",
        }
    }
}

/// A file as tests see it from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileView {
    /// `files/…`.
    pub name: String,
    /// The last four characters of the API key.
    pub key_last4: String,
    /// The display name given at the upload.
    pub display_name: Option<String>,
    /// The declared type.
    pub mime_type: String,
    /// The size in bytes.
    pub size: u64,
    /// The hex SHA-256 of the bytes.
    pub sha256: String,
    /// `PROCESSING`, `ACTIVE`, `FAILED` or `EXPIRED`.
    pub state: String,
    /// Whether it is the output of a batch.
    pub generated: bool,
}

impl FileRecord {
    pub(crate) fn state(&self, now: OffsetDateTime) -> FileState {
        if now < self.ready {
            FileState::Processing
        } else if self.failure.is_some() {
            FileState::Failed
        } else {
            FileState::Active
        }
    }

    /// Whether it is an output that was named before it is there.
    pub(crate) fn is_late(&self, now: OffsetDateTime) -> bool {
        self.generated && now < self.ready
    }

    /// The resource as the API shows it.
    pub(crate) fn json(&self, base_url: &str, now: OffsetDateTime) -> Value {
        let state = self.state(now);
        let mut file = json!({
            "name": format!("files/{}", self.id),
            "mimeType": self.mime_type,
            "sizeBytes": self.size.to_string(),
            "createTime": stamp(self.created),
            "updateTime": stamp(self.ready.min(now).max(self.created)),
            "expirationTime": stamp(self.expires),
            "sha256Hash": STANDARD.encode(&self.sha256),
            "uri": format!(
                "https://generativelanguage.googleapis.com/v1beta/files/{}",
                self.id
            ),
            "state": state.name(),
            "source": if self.generated { "GENERATED" } else { "UPLOADED" },
        });
        if let Some(name) = &self.display_name {
            file["displayName"] = json!(name);
        }
        if self.generated {
            file["downloadUri"] = json!(format!(
                "{base_url}/download/v1beta/files/{}:download?alt=media",
                self.id
            ));
        }
        if let (FileState::Failed, Some(message)) = (state, &self.failure) {
            file["error"] = json!({"code": 3, "message": message});
        }
        file
    }

    pub(crate) fn view(&self, now: OffsetDateTime) -> FileView {
        FileView {
            name: format!("files/{}", self.id),
            key_last4: self.owner.last4.clone(),
            display_name: self.display_name.clone(),
            mime_type: self.mime_type.clone(),
            size: self.size,
            sha256: self.sha256.clone(),
            state: if self.expires <= now {
                "EXPIRED".to_owned()
            } else {
                self.state(now).name().to_owned()
            },
            generated: self.generated,
        }
    }
}

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
