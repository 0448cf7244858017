//! A dataset and its samples.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{DatasetId, FileId, KeyId, ProjectId, SampleId, Timestamp};

/// Most samples in a request.
pub const MAX_INLINE_SAMPLES: usize = 1_000;
/// Most samples in a manifest.
pub const MAX_SAMPLES: usize = 10_000;
/// Longest reference in characters.
pub const MAX_GROUND_TRUTH_CHARS: usize = 100_000;
/// Most bytes of a sample's reference and metadata together: a DynamoDB item
/// holds 400 KB, and the rest of it has to fit too.
pub const MAX_SAMPLE_BYTES: usize = 300_000;
/// Most metadata fields on a sample.
pub const MAX_METADATA_FIELDS: usize = 50;
/// Longest metadata value in characters.
pub const MAX_METADATA_VALUE_CHARS: usize = 1_000;
/// Most keywords of a dataset.
pub const MAX_KEYWORDS: usize = 200;
/// Longest keyword in characters.
pub const MAX_KEYWORD_CHARS: usize = 100;
/// Longest description in characters.
pub const MAX_DESCRIPTION_CHARS: usize = 2_000;

/// Free fields of a sample (speaker, district, device …).
pub type Metadata = BTreeMap<String, String>;

/// Where a dataset is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetStatus {
    /// Samples are being written; invisible.
    Unsealed,
    /// Complete and visible.
    Sealed,
    /// Being deleted; invisible.
    Deleting,
}

/// A named collection of recordings with references.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// Identity.
    pub id: DatasetId,
    /// Owner.
    pub project: ProjectId,
    /// Name, unique in the project.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Canonical BCP-47 tag; samples may carry their own.
    pub language: String,
    /// Words and phrases that matter; reports tell how many come through.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// State.
    pub status: DatasetStatus,
    /// Samples in it.
    pub sample_count: u32,
    /// Samples with a reference.
    pub has_ground_truth_count: u32,
    /// Length of all recordings in milliseconds.
    pub total_duration_ms: u64,
    /// Clearing it away must leave the recordings alone: it was never sealed.
    #[serde(default)]
    pub keep_files: bool,
    /// When it was made.
    pub inserted_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the sweeper should look at it.
    pub due_at: Option<Timestamp>,
    /// Revision, for conditional writes.
    pub rev: u64,
}

/// One recording in a dataset. Carries the file's facts, so that submitting a
/// unit reads samples and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Identity: dataset and position.
    pub id: SampleId,
    /// Its recording.
    pub file_id: FileId,
    /// Name of the recording.
    pub filename: String,
    /// What is said in it; `Some("")` means "nothing is said".
    pub ground_truth: Option<String>,
    /// Counts changes of the reference, from 1.
    pub reference_version: u32,
    /// Canonical BCP-47 tag.
    pub language: String,
    /// Free fields.
    #[serde(default)]
    pub metadata: Metadata,
    /// Length of the recording in seconds.
    pub duration_seconds: f64,
    /// Bytes of the recording.
    pub size_bytes: u64,
    /// Type the recording is sent with.
    pub content_type: String,
    /// Where the bytes are. Never shown.
    pub object_key: String,
    /// Version of the object, where the bucket has versions.
    pub object_version: Option<String>,
    /// Who changed it last.
    pub updated_by: Option<KeyId>,
    /// When it was made.
    pub inserted_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Revision, for conditional writes.
    pub rev: u64,
}
