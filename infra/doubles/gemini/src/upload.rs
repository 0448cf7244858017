//! The resumable upload protocol: start, chunks, query, finalize.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use doubles_serving::dropped;
use http::{HeaderMap, HeaderName, HeaderValue};
use ring::digest;
use serde_json::{Map, Value, json};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use crate::clock::{later, unique_id};
use crate::fault::Fault;
use crate::faults::Subject;
use crate::file_record::FileRecord;
use crate::owner::Owner;
use crate::schema::{self, CREATE_FILE};
use crate::session::{
    Progress, Received, STATUS, Session, Status, drain, receive, refuse, with_progress,
};
use crate::sim::Sim;
use crate::wire::{ApiError, json_response};

const COMMAND: &str = "x-goog-upload-command";
const UPLOAD_URL: HeaderName = HeaderName::from_static("x-goog-upload-url");
const GRANULARITY: HeaderName = HeaderName::from_static("x-goog-upload-chunk-granularity");

/// The `X-Goog-Upload-Command` header.
pub(crate) fn command(headers: &HeaderMap) -> &str {
    header(headers, COMMAND).unwrap_or_default()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, ApiError> {
    match header(headers, name) {
        None => Ok(None),
        Some(text) => match text.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ApiError::invalid(format!(
                "Header {name} is not a number: {text}"
            ))),
        },
    }
}

fn text(file: &Map<String, Value>, name: &str) -> Option<String> {
    file.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// A number that proto-JSON may write as a string.
fn int64(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Whether a caller may choose this name: at most 40 characters, lower-case
/// letters, digits and inner dashes.
fn valid_id(id: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=40).contains(&id.len())
        && id.bytes().all(allowed)
        && !id.starts_with('-')
        && !id.ends_with('-')
}

/// Whether the bytes of a type are needed later, as batch input.
fn keeps_bytes(mime_type: &str) -> bool {
    mime_type.contains("json") || mime_type.starts_with("text/")
}

impl Sim {
    /// Command `start`: checks the metadata and answers the upload URL.
    pub(crate) async fn upload_start(
        &self,
        key: &str,
        version: &str,
        headers: &HeaderMap,
        body: &[u8],
        strict_mime: bool,
    ) -> Result<Response, ApiError> {
        if header(headers, "x-goog-upload-protocol") != Some("resumable") {
            return Err(ApiError::invalid(
                "gemini-sim serves X-Goog-Upload-Protocol: resumable only.",
            ));
        }
        if !command(headers).trim().eq_ignore_ascii_case("start") {
            return Err(ApiError::invalid("X-Goog-Upload-Command must be start."));
        }
        let file = file_metadata(body)?;
        let owner = Owner::of(key);
        let mime_type = header(headers, "x-goog-upload-header-content-type")
            .map(str::to_owned)
            .or_else(|| text(&file, "mimeType"))
            .unwrap_or_default();
        if mime_type.is_empty() || !mime_type.is_ascii() {
            return Err(ApiError::invalid("A MIME type is required."));
        }
        if mime_type == "jsonl" && strict_mime {
            return Err(ApiError::invalid("Unsupported MIME type: jsonl"));
        }
        let stated = file.get("sizeBytes").and_then(int64);
        let declared = number(headers, "x-goog-upload-header-content-length")?.or(stated);
        if stated.is_some() && stated != declared {
            return Err(ApiError::invalid(
                "sizeBytes differs from X-Goog-Upload-Header-Content-Length.",
            ));
        }
        let id = self.choose_id(&owner, &file, declared.unwrap_or(0))?;
        let upload_id = unique_id(48);
        let sink = if keeps_bytes(&mime_type) {
            let path = self.state().blob(&format!("upload-{upload_id}"));
            let file = File::create(&path).await.map_err(ApiError::internal)?;
            Some((path, file))
        } else {
            None
        };
        let session = Session {
            key: key.to_owned(),
            display_name: text(&file, "displayName"),
            owner,
            mime_type,
            declared,
            id,
            progress: tokio::sync::Mutex::new(Progress {
                received: 0,
                hash: digest::Context::new(&digest::SHA256),
                sink,
                status: Status::Active,
            }),
        };
        let url = format!(
            "{}/upload/{version}/files?upload_id={upload_id}&upload_protocol=resumable",
            self.base_url
        );
        self.sessions.map().insert(upload_id, Arc::new(session));
        let mut response = json_response(200, &json!({}));
        let headers = response.headers_mut();
        headers.insert(STATUS, Status::Active.header());
        headers.insert(
            UPLOAD_URL,
            HeaderValue::try_from(url).map_err(ApiError::internal)?,
        );
        headers.insert(
            GRANULARITY,
            HeaderValue::from(self.config.chunk_granularity),
        );
        Ok(response)
    }

    /// The id the caller chose, or a new one; also checks the limits.
    fn choose_id(
        &self,
        owner: &Owner,
        file: &Map<String, Value>,
        size: u64,
    ) -> Result<String, ApiError> {
        if size > self.config.max_file_bytes {
            return Err(ApiError::invalid(format!(
                "The file is larger than {} bytes.",
                self.config.max_file_bytes
            )));
        }
        let now = self.clock.now();
        let mut state = self.state();
        state.purge_expired(owner, now)?;
        if state.stored_bytes(owner).saturating_add(size) > self.config.max_stored_bytes {
            return Err(ApiError::new(
                429,
                "You have exceeded your file storage quota.",
            ));
        }
        let Some(name) = file.get("name") else {
            return Ok(unique_id(12));
        };
        let id = name.as_str().and_then(|name| name.strip_prefix("files/"));
        let Some(id) = id.filter(|id| valid_id(id)) else {
            return Err(ApiError::invalid(format!(
                "Invalid file name {name}: it must be files/ and 1 to 40 lower-case letters, \
                 digits or dashes, with no dash at either end."
            )));
        };
        if state.file_name_taken(id, now) {
            return Err(already_exists(id));
        }
        Ok(id.to_owned())
    }

    /// Commands `upload`, `upload, finalize`, `finalize` and `cancel`.
    ///
    /// With `drop_after` the connection is to be closed once so many bytes of
    /// the chunk have been taken.
    pub(crate) async fn upload_chunk(
        &self,
        session: &Session,
        headers: &HeaderMap,
        body: Body,
        drop_after: Option<u64>,
        read: &mut u64,
    ) -> Result<Response, ApiError> {
        let mut progress = session.progress.lock().await;
        if progress.status != Status::Active {
            drain(body).await;
            return Ok(refuse(&progress, "Upload has already been terminated."));
        }
        let commands: Vec<String> = command(headers)
            .split(',')
            .map(|c| c.trim().to_ascii_lowercase())
            .collect();
        let has = |name: &str| commands.iter().any(|c| c == name);
        if has("cancel") {
            progress.cancel();
            return Ok(with_progress(json_response(200, &json!({})), &progress));
        }
        if !has("upload") && !has("finalize") {
            drain(body).await;
            return Ok(refuse(&progress, "Unknown X-Goog-Upload-Command."));
        }
        if has("upload") {
            let offset = match number(headers, "x-goog-upload-offset")? {
                Some(offset) => offset,
                None => {
                    drain(body).await;
                    return Ok(refuse(&progress, "X-Goog-Upload-Offset is required."));
                }
            };
            if offset != progress.received {
                let received = progress.received;
                let message =
                    format!("Upload offset {offset} does not match the {received} bytes received.");
                drain(body).await;
                return Ok(refuse(&progress, &message));
            }
            let limit = session.declared.unwrap_or(self.config.max_file_bytes);
            match receive(&mut progress, body, limit, drop_after, read).await? {
                Received::All => {}
                Received::Dropped => return Ok(dropped()),
                Received::TooMuch => {
                    progress.cancel();
                    return Ok(refuse(&progress, "More bytes were sent than declared."));
                }
            }
            let taken = progress.received - offset;
            if !has("finalize") && taken % self.config.chunk_granularity.max(1) != 0 {
                progress.cancel();
                let message = format!(
                    "A chunk that is not the last must be a multiple of {} bytes.",
                    self.config.chunk_granularity
                );
                return Ok(refuse(&progress, &message));
            }
        }
        if !has("finalize") {
            return Ok(with_progress(json_response(200, &json!({})), &progress));
        }
        if session
            .declared
            .is_some_and(|size| size != progress.received)
        {
            progress.cancel();
            let message = format!(
                "{} bytes were declared and {} received.",
                session.declared.unwrap_or(0),
                progress.received
            );
            return Ok(refuse(&progress, &message));
        }
        let file = self.finish(session, &mut progress).await?;
        progress.status = Status::Final;
        Ok(with_progress(
            json_response(200, &json!({ "file": file })),
            &progress,
        ))
    }

    /// Command `query`: how many bytes have arrived; the file, if it is complete.
    pub(crate) async fn upload_query(&self, session: &Session) -> Result<Response, ApiError> {
        let progress = session.progress.lock().await;
        let body = match progress.status {
            Status::Final => match self.file_get(&session.owner, &session.id) {
                Ok(file) => json!({ "file": file }),
                Err(_) => json!({}),
            },
            _ => json!({}),
        };
        Ok(with_progress(json_response(200, &body), &progress))
    }

    async fn finish(&self, session: &Session, progress: &mut Progress) -> Result<Value, ApiError> {
        if let Some((_, file)) = &mut progress.sink {
            file.flush().await.map_err(ApiError::internal)?;
        }
        let now = self.clock.now();
        let mut file = FileRecord {
            id: session.id.clone(),
            owner: session.owner.clone(),
            display_name: session.display_name.clone(),
            mime_type: session.mime_type.clone(),
            size: progress.received,
            sha256: hex::encode(progress.hash.clone().finish()),
            created: now,
            ready: now,
            expires: later(now, self.config.file_ttl),
            failure: None,
            generated: false,
            stored: progress.sink.is_some(),
        };
        self.apply_file_faults(&session.key, &mut file);
        let mut state = self.state();
        if state.file_name_taken(&file.id, now) {
            progress.cancel();
            return Err(already_exists(&file.id));
        }
        if let Some((path, _)) = progress.sink.take() {
            std::fs::rename(path, state.blob(&file.id)).map_err(ApiError::internal)?;
        }
        let json = file.json(&self.base_url, now);
        state.put_file(file)?;
        Ok(json)
    }

    fn apply_file_faults(&self, key: &str, file: &mut FileRecord) {
        let subject = Subject {
            api_key: key,
            display_name: file.display_name.clone(),
            resource: format!("files/{}", file.id),
            ..Subject::default()
        };
        for fault in self.faults.for_file(&subject) {
            match fault {
                Fault::FileProcessing { millis } => {
                    file.ready = later(file.created, millis_of(millis))
                }
                Fault::FileFailed { millis, message } => {
                    file.ready = later(file.created, millis_of(millis));
                    file.failure = Some(message);
                }
                Fault::FileExpired { millis } => {
                    file.expires = later(file.created, millis_of(millis))
                }
                _ => {}
            }
        }
    }
}

fn millis_of(millis: u64) -> std::time::Duration {
    std::time::Duration::from_millis(millis)
}

fn already_exists(id: &str) -> ApiError {
    ApiError::new(409, format!("Requested entity already exists: files/{id}"))
}

/// The `file` of a start body; an empty body has none.
pub(crate) fn file_metadata(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let value: Value = serde_json::from_slice(body)
        .map_err(|e| ApiError::invalid(format!("Invalid JSON payload received. {e}")))?;
    let mut body = schema::normalise(value, CREATE_FILE).map_err(ApiError::invalid)?;
    match body.remove("file") {
        Some(Value::Object(file)) => Ok(file),
        _ => Ok(Map::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_pattern() {
        for good in ["a", "0", "a-b", &"x".repeat(40)] {
            assert!(valid_id(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a/b", &"x".repeat(41)] {
            assert!(!valid_id(bad), "{bad}");
        }
    }
}
