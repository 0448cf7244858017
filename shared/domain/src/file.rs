//! An uploaded file, from the promise of an upload to a usable recording.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{DatasetId, FileId, ProjectId, Timestamp};
use stt_eval_audio::AudioFormat;

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
    /// It is being deleted, and is not shown any more.
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
    /// Length in seconds, finite and above 0.
    pub duration_seconds: f64,
    /// Samples per second of each channel.
    pub sample_rate_hz: u32,
    /// Number of channels, 1 to 8.
    pub channels: u16,
}

impl AudioFacts {
    /// The `Content-Type` of the format. `None` for a format that is not known here.
    #[must_use]
    pub fn content_type(&self) -> Option<&'static str> {
        AudioFormat::from_name(&self.format).map(AudioFormat::content_type)
    }
}

/// A file of a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// Minted when it is announced or, under `incoming/`, when it is registered.
    pub id: FileId,
    /// The project that owns it.
    pub project: ProjectId,
    /// Name given by people; data only, never part of a key or path.
    pub filename: String,
    /// What it is for; decides which types and lengths it may have.
    pub kind: FileKind,
    /// Type it was announced as; what it is stands in `audio`.
    pub content_type: String,
    /// Length in bytes: as declared, and once registered as it is.
    pub size_bytes: u64,
    /// Where it is in its life; only `Ready` can be used.
    pub status: FileStatus,
    /// Why it can't be used, as a sentence for people; with `Rejected` only.
    pub rejection_reason: Option<String>,
    /// What registration found; `None` before that, and for manifests.
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
    /// When the sweeper should look at it. A manifest that was read and is due was kept for
    /// a preview only, and goes.
    pub due_at: Option<Timestamp>,
    /// When it goes if nothing was made of it; for manifests only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_until: Option<Timestamp>,
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

/// What a file is said to be, before its bytes are looked at.
#[derive(Debug)]
pub struct Declared {
    /// Name given by people.
    pub filename: String,
    /// Recording or manifest.
    pub kind: FileKind,
    /// Type, as it was said.
    pub content_type: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// SHA-256, hex; where one was given.
    pub checksum_sha256: Option<String>,
}

impl File {
    /// That it was rejected, and why, in words.
    #[must_use]
    pub fn why_rejected(&self) -> String {
        match &self.rejection_reason {
            Some(reason) => format!("was rejected: {reason}"),
            None => "was rejected".to_owned(),
        }
    }

    /// The record of a file that is awaited at a key of the bucket, for as long as is
    /// then said by `upload_expires_at` and `due_at`.
    #[must_use]
    pub fn announced(
        id: FileId,
        project: ProjectId,
        declared: Declared,
        object_key: String,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            project,
            filename: declared.filename,
            kind: declared.kind,
            content_type: declared.content_type,
            size_bytes: declared.size_bytes,
            status: FileStatus::Uploading,
            rejection_reason: None,
            audio: None,
            checksum_sha256: declared.checksum_sha256,
            object_key,
            object_version: None,
            upload_expires_at: None,
            datasets: BTreeSet::new(),
            inserted_at: now,
            updated_at: now,
            due_at: None,
            kept_until: None,
            rev: 1,
        }
    }

    /// Looks at it again later.
    #[must_use]
    pub fn postponed(self, until: Timestamp) -> Self {
        Self {
            due_at: Some(until),
            rev: self.rev + 1,
            ..self
        }
    }

    /// The `Content-Type` of its content: the one found, until then the announced one.
    #[must_use]
    pub fn media_type(&self) -> &str {
        let found = self.audio.as_ref().and_then(AudioFacts::content_type);
        found.unwrap_or(&self.content_type)
    }

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
        file.due_at = file.kept_until;
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
