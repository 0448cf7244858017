//! A dataset and its samples.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::reference_origin::{FromModel, Taken};
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
/// Most languages that are kept of a dataset beside its own.
pub const MAX_OTHER_LANGUAGES: usize = 50;
/// The field that says who speaks: clips of one speaker are not independent.
pub const SPEAKER: &str = "speaker";
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
    /// The ids of its samples are made of it.
    pub id: DatasetId,
    /// The project that owns it.
    pub project: ProjectId,
    /// Name, unique in the project.
    pub name: String,
    /// What people say of it.
    pub description: Option<String>,
    /// Canonical BCP-47 tag; samples may carry their own.
    pub language: String,
    /// Words and phrases that matter; reports tell how many come through.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Where it is in its life; only `Sealed` is visible.
    pub status: DatasetStatus,
    /// Number of samples; their positions are `0..sample_count`.
    pub sample_count: u32,
    /// Samples with a reference.
    pub has_ground_truth_count: u32,
    /// Length of all recordings in milliseconds.
    pub total_duration_ms: u64,
    /// Names of the free fields of its samples, [`MAX_METADATA_FIELDS`] at most, and
    /// [`SPEAKER`] beside them where it is one. A name may outlive its last field. `None` of
    /// datasets that were made before names were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<BTreeSet<String>>,
    /// Tags of its samples that are not its own, [`MAX_OTHER_LANGUAGES`] at most. One may
    /// outlive its last sample. Empty of datasets that were made before they were kept.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub other_languages: BTreeSet<String>,
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
    /// The file of its recording.
    pub file_id: FileId,
    /// Name of the recording.
    pub filename: String,
    /// What is said in it; `Some("")` means "nothing is said".
    pub ground_truth: Option<String>,
    /// Counts changes of the reference, from 1.
    pub reference_version: u32,
    /// What of the reference were words of models, oldest first; empty while it has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from_models: Vec<FromModel>,
    /// Canonical BCP-47 tag.
    pub language: String,
    /// Free fields, by name.
    #[serde(default)]
    pub metadata: Metadata,
    /// Length of the recording in seconds.
    pub duration_seconds: f64,
    /// Length of the recording in bytes.
    pub size_bytes: u64,
    /// Type the recording is sent with.
    pub content_type: String,
    /// Where the bytes are. Never shown.
    pub object_key: String,
    /// Version of the object, where the bucket has versions.
    pub object_version: Option<String>,
    /// The key that it was changed with last.
    pub updated_by: Option<KeyId>,
    /// When it was made.
    pub inserted_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Revision, for conditional writes.
    pub rev: u64,
}

/// A change of a sample by people. What is `None` stays as it is.
#[derive(Debug)]
pub struct SampleChange {
    /// Another reference, or none.
    pub ground_truth: Option<Option<String>>,
    /// The model whose words the other reference takes, where it takes some.
    pub taken: Option<Taken>,
    /// Another language, or again that of the dataset.
    pub language: Option<Option<String>>,
    /// Other free fields, in place of all there are.
    pub metadata: Option<Metadata>,
}

impl Sample {
    /// Its next revision. The reference counts as another one only where its text is.
    #[must_use]
    pub fn changed(
        &self,
        change: &SampleChange,
        dataset: &Dataset,
        by: KeyId,
        now: Timestamp,
    ) -> Self {
        let mut next = Self {
            updated_by: Some(by),
            updated_at: now,
            rev: self.rev + 1,
            ..self.clone()
        };
        if let Some(text) = &change.ground_truth
            && *text != next.ground_truth
        {
            next.ground_truth.clone_from(text);
            next.reference_version += 1;
            if text.is_none() {
                next.from_models.clear();
            }
            let taken = change.taken.clone();
            next.from_models
                .extend(taken.map(|taken| taken.in_version(next.reference_version)));
        }
        if let Some(tag) = &change.language {
            next.language = tag.clone().unwrap_or_else(|| dataset.language.clone());
        }
        if let Some(fields) = &change.metadata {
            next.metadata.clone_from(fields);
        }
        next
    }
}

impl Dataset {
    /// The names of fields that are kept of these samples.
    pub fn fields_of<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> BTreeSet<String> {
        let mut kept = BTreeSet::new();
        for name in samples
            .into_iter()
            .flat_map(|sample| sample.metadata.keys())
        {
            let fits = kept.len() < MAX_METADATA_FIELDS || name == SPEAKER;
            if fits && !kept.contains(name) {
                kept.insert(name.clone());
            }
        }
        kept
    }

    /// The tags that are kept of these samples beside the dataset's own.
    pub fn others_of<'a>(
        language: &str,
        samples: impl IntoIterator<Item = &'a Sample>,
    ) -> BTreeSet<String> {
        let mut kept = BTreeSet::new();
        for tag in samples.into_iter().map(|sample| &sample.language) {
            let is_new = tag != language && !kept.contains(tag);
            if is_new && kept.len() < MAX_OTHER_LANGUAGES {
                kept.insert(tag.clone());
            }
        }
        kept
    }

    /// With the names of a sample's fields and its language; `None` where all of them are
    /// kept already, or none are.
    #[must_use]
    pub fn with_names_of(&self, sample: &Sample, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        if let Some(kept) = &mut next.fields {
            for name in sample.metadata.keys() {
                if kept.len() < MAX_METADATA_FIELDS || name == SPEAKER {
                    kept.insert(name.clone());
                }
            }
        }
        let others = &mut next.other_languages;
        if sample.language != self.language && others.len() < MAX_OTHER_LANGUAGES {
            others.insert(sample.language.clone());
        }
        if next == *self {
            return None;
        }
        next.updated_at = now;
        next.rev += 1;
        Some(next)
    }

    /// What it counts once a sample has changed; `None` where that is the same.
    #[must_use]
    pub fn with_changed(&self, before: &Sample, after: &Sample, now: Timestamp) -> Option<Self> {
        let had = u32::from(before.ground_truth.is_some());
        let has = u32::from(after.ground_truth.is_some());
        (had != has).then(|| Self {
            has_ground_truth_count: (self.has_ground_truth_count + has).saturating_sub(had),
            updated_at: now,
            rev: self.rev + 1,
            ..self.clone()
        })
    }
}
