//! An uploaded file, from the promise of an upload to a usable recording.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{DatasetId, FileId, ProjectId, Timestamp};

/// Largest audio file in bytes.
pub const MAX_AUDIO_BYTES: u64 = 200 * 1024 * 1024;
/// Largest manifest in bytes.
pub const MAX_MANIFEST_BYTES: u64 = 20 * 1024 * 1024;
/// Largest file taken inside a request, in bytes.
pub const MAX_INLINE_BYTES: u64 = 4 * 1024 * 1024;
/// How long after its URL expired an upload that had begun may still end.
const LATE_BYTES: std::time::Duration = std::time::Duration::from_secs(600);
/// Most datasets one file can be in.
pub const MAX_DATASETS_PER_FILE: usize = 200;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A recording.
    Audio,
    /// A table that lists samples.
    Manifest,
}

/// Where a file is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileStatus {
    /// An upload URL was given out; nothing has arrived yet.
    Uploading,
    /// It arrived and is what it was said to be.
    Ready,
    /// It arrived and can't be used; `rejection_reason` says why.
    Rejected,
    /// It never arrived.
    Expired,
    /// It is being deleted; nobody sees it any more.
    Deleting,
}

/// Types a manifest may have.
pub const MANIFEST_TYPES: [&str; 3] =
    ["text/csv", "text/tab-separated-values", "application/jsonl"];

/// What registration found in a recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioFacts {
    /// Container: `mp3`, `wav`, `flac`, `m4a`, `ogg` or `webm`.
    pub format: String,
    /// Length in seconds.
    pub duration_seconds: f64,
    /// Samples per second.
    pub sample_rate_hz: u32,
    /// Number of channels.
    pub channels: u16,
}

/// A file of a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// Identity.
    pub id: FileId,
    /// Owner.
    pub project: ProjectId,
    /// Name given by people; data only, never part of a key or path.
    pub filename: String,
    /// Recording or manifest.
    pub kind: FileKind,
    /// Declared type.
    pub content_type: String,
    /// Declared length, then the real one.
    pub size_bytes: u64,
    /// State.
    pub status: FileStatus,
    /// Why it can't be used.
    pub rejection_reason: Option<String>,
    /// What is in it.
    pub audio: Option<AudioFacts>,
    /// SHA-256, hex; declared at first when the client gave one.
    pub checksum_sha256: Option<String>,
    /// Where the bytes are. Never shown.
    pub object_key: String,
    /// Version of the object that was registered, where the bucket has versions.
    pub object_version: Option<String>,
    /// Until when the upload URL works.
    pub upload_expires_at: Option<Timestamp>,
    /// Datasets that use it.
    #[serde(default)]
    pub datasets: BTreeSet<DatasetId>,
    /// When it was announced.
    pub inserted_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the sweeper should look at it.
    pub due_at: Option<Timestamp>,
    /// Revision, for conditional writes.
    pub rev: u64,
}

/// What registration says of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Registration {
    /// It can be used.
    Accepted {
        /// What is in it; `None` for a manifest.
        audio: Option<AudioFacts>,
    },
    /// It can't; a sentence for people.
    Rejected(String),
}

impl File {
    /// Applies what was found in the object. `None` when the file has moved
    /// on: late and repeated events change nothing.
    #[must_use]
    pub fn registered(
        &self,
        found: Registration,
        size_bytes: u64,
        checksum_sha256: Option<String>,
        object_version: Option<String>,
        now: Timestamp,
    ) -> Option<Self> {
        // An upload that arrived in the last second of its URL may be seen
        // after the sweeper gave it up: what is there counts.
        if !matches!(self.status, FileStatus::Uploading | FileStatus::Expired) {
            return None;
        }
        let mut file = self.clone();
        match found {
            Registration::Accepted { audio } => {
                file.status = FileStatus::Ready;
                file.audio = audio;
            }
            Registration::Rejected(reason) => {
                file.status = FileStatus::Rejected;
                file.rejection_reason = Some(reason);
            }
        }
        file.size_bytes = size_bytes;
        file.checksum_sha256 = checksum_sha256.or(file.checksum_sha256);
        file.object_version = object_version;
        file.upload_expires_at = None;
        file.due_at = None;
        file.updated_at = now;
        file.rev += 1;
        Some(file)
    }

    /// Makes it unreachable. Its upload URL can't be taken back: until that has
    /// expired, bytes may still arrive, so the end is left for later.
    #[must_use]
    pub fn deleting(&self, now: Timestamp) -> Self {
        let last_bytes = self
            .upload_expires_at
            .map(|expires| expires + LATE_BYTES)
            .filter(|at| *at > now);
        Self {
            status: FileStatus::Deleting,
            due_at: Some(last_bytes.unwrap_or(now)),
            updated_at: now,
            rev: self.rev + 1,
            ..self.clone()
        }
    }

    /// Whether no more bytes can arrive for a deleted file.
    #[must_use]
    pub fn is_settled(&self, now: Timestamp) -> bool {
        self.due_at.is_none_or(|due| due <= now)
    }

    /// Gives up an upload that never came.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> Option<Self> {
        (self.status == FileStatus::Uploading).then(|| Self {
            status: FileStatus::Expired,
            upload_expires_at: None,
            due_at: None,
            updated_at: now,
            rev: self.rev + 1,
            ..self.clone()
        })
    }
}
