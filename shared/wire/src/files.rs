//! Files and uploads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stt_eval_domain::file::{FileKind, FileStatus};
use stt_eval_domain::{FileId, Timestamp};
use utoipa::ToSchema;

use crate::object::{Object, nullable};

/// Announces one file, or up to 100 under `files`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"filename": "a.wav", "content_type": "audio/wav", "size_bytes": 48_044}))]
pub struct NewFiles {
    /// Name of the file; 1 to 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Its type: one of the six audio formats, or a type of manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Its exact length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Its SHA-256: 64 hex digits, or base64 of the 32 bytes. When given, the
    /// upload must have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum_sha256: Option<String>,
    /// Several files at once, instead of the fields above.
    #[schema(value_type = Option<Vec<NewFile>>, max_items = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<Object<NewFile>>>,
    /// Whether a file that is there already is taken in place of a new one: a `ready` one
    /// with the same `checksum_sha256`, which is then required, under the name that it
    /// has. Its `upload` is null. Files of a request are different ones all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reuse: Option<bool>,
}

/// Announces a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum_sha256: Option<String>,
}

/// A small file inside the request.
// Sent as `multipart/form-data`, the one body that is not JSON: so no serde here.
#[derive(Debug, Clone, PartialEq, ToSchema)]
pub struct UploadForm {
    /// The file, at most 4 MiB, with a filename and a content type.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    pub file: Vec<u8>,
    /// Its SHA-256, as in the JSON request.
    pub checksum_sha256: Option<String>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = FileView)]
pub struct File {
    /// Identity.
    pub id: FileId,
    /// Name given at upload, or the path under `incoming/`.
    pub filename: String,
    /// Recording or manifest.
    pub kind: FileKind,
    /// Announced type. A recording is accepted under the type of any format
    /// that is taken; what it is stands in `detected_content_type` and `format`.
    pub content_type: String,
    /// Type of what was found in it, which is what players and models are
    /// given; null until then, and for a manifest.
    pub detected_content_type: Option<String>,
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
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub signed_url: Option<Option<String>>,
    /// When it was announced.
    pub inserted_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The one request that puts a file's bytes where they belong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Upload {
    /// PUT.
    #[schema(example = "PUT")]
    pub method: String,
    /// Where to.
    pub url: String,
    /// Headers that must be sent exactly so.
    pub headers: BTreeMap<String, String>,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// A file and how to upload it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Announced {
    /// The file.
    pub file: File,
    /// How to upload it; null when its bytes are there already.
    pub upload: Option<Upload>,
}

/// Several files and how to upload them, in the order of the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AnnouncedFiles {
    /// The files.
    pub files: Vec<Announced>,
}

/// The answer to `POST /files`: of one file or of several, as asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum FilesMade {
    /// Of one file.
    One(Box<Announced>),
    /// Of several.
    Several(AnnouncedFiles),
}
