//! Files and uploads.

use serde::{Deserialize, Serialize};
use stt_eval_shared::domain::file::{File, FileKind, FileStatus};
use stt_eval_shared::domain::{FileId, Timestamp};
use utoipa::ToSchema;

use super::Signed;
use crate::json::Object;

/// Announces one file, or up to 100 under `files`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"filename": "a.wav", "content_type": "audio/wav", "size_bytes": 48_044}))]
pub struct NewFiles {
    /// Name of the file; 1 to 255 characters.
    pub filename: Option<String>,
    /// Its type: one of the six audio formats, or a type of manifests.
    pub content_type: Option<String>,
    /// Its exact length.
    pub size_bytes: Option<u64>,
    /// Its SHA-256: 64 hex digits, or base64 of the 32 bytes. When given, the
    /// upload must have it.
    pub checksum_sha256: Option<String>,
    /// Several files at once, instead of the fields above.
    #[schema(value_type = Option<Vec<NewFile>>, max_items = 100)]
    pub files: Option<Vec<Object<NewFile>>>,
}

/// Announces a file.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFile {
    /// Name of the file; 1 to 255 characters.
    pub filename: String,
    /// Its type: one of the six audio formats, or a type of manifests.
    #[schema(example = "audio/wav")]
    pub content_type: String,
    /// Its exact length.
    #[schema(minimum = 1)]
    pub size_bytes: u64,
    /// Its SHA-256: 64 hex digits, or base64 of the 32 bytes. When given, the
    /// upload must have it.
    pub checksum_sha256: Option<String>,
}

/// A small file inside the request.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read part by part; here for the document only")]
pub struct UploadForm {
    /// The file, at most 4 MiB, with a filename and a content type.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    file: Vec<u8>,
    /// Its SHA-256, as in the JSON request.
    checksum_sha256: Option<String>,
}

/// A file.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileView {
    /// Identity.
    pub id: FileId,
    /// Name given at upload, or the path under `incoming/`.
    pub filename: String,
    /// Recording or manifest.
    pub kind: FileKind,
    /// Declared type.
    pub content_type: String,
    /// Length; the declared one until the upload is registered.
    pub size_bytes: u64,
    /// State.
    pub status: FileStatus,
    /// Why it can't be used, when it is `rejected`.
    pub rejection_reason: Option<String>,
    /// Detected format: `mp3`, `wav`, `flac`, `m4a`, `ogg`, `webm`.
    pub format: Option<String>,
    /// Length in seconds.
    pub duration_seconds: Option<f64>,
    /// Samples per second.
    pub sample_rate_hz: Option<u32>,
    /// Number of channels.
    pub channels: Option<u16>,
    /// SHA-256, hex.
    pub checksum_sha256: Option<String>,
    /// Playback URL, with `include_signed_url=true`; works for 15 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub signed_url: Signed,
    /// When it was announced.
    pub inserted_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl FileView {
    /// What clients see of a file.
    #[must_use]
    pub fn new(file: File, signed_url: Signed) -> Self {
        let audio = file.audio;
        Self {
            id: file.id,
            filename: file.filename,
            kind: file.kind,
            content_type: file.content_type,
            size_bytes: file.size_bytes,
            status: file.status,
            rejection_reason: file.rejection_reason,
            duration_seconds: audio.as_ref().map(|a| a.duration_seconds),
            sample_rate_hz: audio.as_ref().map(|a| a.sample_rate_hz),
            channels: audio.as_ref().map(|a| a.channels),
            format: audio.map(|a| a.format),
            checksum_sha256: file.checksum_sha256,
            signed_url,
            inserted_at: file.inserted_at,
            updated_at: file.updated_at,
        }
    }
}

/// The one request that puts a file's bytes where they belong.
#[derive(Debug, Serialize, ToSchema)]
pub struct Upload {
    /// PUT.
    #[schema(example = "PUT")]
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// Headers that must be sent exactly so.
    pub headers: std::collections::BTreeMap<String, String>,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// A file and how to upload it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Announced {
    /// The file.
    pub file: FileView,
    /// How to upload it; null when its bytes are there already.
    pub upload: Option<Upload>,
}

/// Several files and how to upload them, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnnouncedFiles {
    /// The files.
    pub files: Vec<Announced>,
}

/// The answer to `POST /files`: of one file or of several, as asked.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum FilesMade {
    /// Of one file.
    One(Box<Announced>),
    /// Of several.
    Several(AnnouncedFiles),
}
