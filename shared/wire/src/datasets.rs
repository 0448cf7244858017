//! Datasets and samples.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stt_eval_domain::dataset::Metadata;
pub use stt_eval_domain::reference_origin::How;
use stt_eval_domain::{DatasetId, FileId, KeyId, RunId, SampleId, Timestamp};
use utoipa::ToSchema;

use crate::object::{Object, nullable};

/// Free fields of a sample as they are sent: text, numbers and true/false.
pub type NewMetadata = BTreeMap<String, serde_json::Value>;

/// A dataset to be made: from `samples`, or from a manifest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDataset {
    /// Name, unique in the project; 1 to 255 characters.
    pub name: String,
    /// What it is; at most 2,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// BCP-47 tag of its language.
    #[schema(example = "hi-IN")]
    pub language: String,
    /// Words and phrases that matter, at most 200 of up to 100 characters:
    /// reports tell how many of them come through.
    #[schema(max_items = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keywords: Option<Vec<String>>,
    /// Its samples, 1 to 1,000 of them.
    #[schema(value_type = Option<Vec<NewSample>>, min_items = 1, max_items = 1000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<Vec<Object<NewSample>>>,
    /// A manifest in place of `samples`: a file of type CSV, TSV or JSON lines
    /// with up to 10,000 rows.
    #[schema(value_type = Option<FileId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest_file_id: Option<String>,
    /// Only the rows of a manifest whose column `split` says this (`dev`, `valid` and
    /// `validation` mean one, and so on); without it all rows are taken, whatever it says.
    #[schema(example = "test")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
}

/// A sample to be made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSample {
    /// Its recording; must be `ready`.
    #[schema(value_type = FileId)]
    pub file_id: String,
    /// What is said in it, which may carry variants (`{a|b}`, `<*>`). `""`
    /// says that nothing is said; absent, it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ground_truth: Option<String>,
    /// BCP-47 tag, when it is not that of the dataset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Free fields: text, numbers, true or false.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<NewMetadata>,
}

/// Numbers about a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatasetMetadata {
    /// Samples in it.
    pub sample_count: u32,
    /// Samples with a reference, `""` included.
    pub has_ground_truth_count: u32,
    /// Length of all recordings in seconds.
    pub total_duration_seconds: f64,
}

/// A dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = DatasetView)]
pub struct Dataset {
    /// Identity.
    pub id: DatasetId,
    /// Name.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Canonical BCP-47 tag.
    pub language: String,
    /// Tags of its samples that are not its own.
    #[serde(default)]
    pub other_languages: Vec<String>,
    /// Words and phrases that matter.
    pub keywords: Vec<String>,
    /// Numbers about it.
    pub dataset_metadata: DatasetMetadata,
    /// Rows of each split of the manifest that it was made of, told once in answer to its
    /// making: where several were taken together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub splits: Option<BTreeMap<String, u64>>,
    /// One page of its samples, with `include_samples=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<Vec<Sample>>,
    /// When it was made.
    pub inserted_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = SampleView)]
pub struct Sample {
    /// Identity.
    pub id: SampleId,
    /// The dataset it is in.
    pub dataset_id: DatasetId,
    /// Its recording.
    pub file_id: FileId,
    /// Name of the recording.
    pub filename: String,
    /// What is said in it; null when it is not known.
    pub ground_truth: Option<String>,
    /// Counts changes of the reference, from 1.
    pub reference_version: u32,
    /// What of the reference were words of models, oldest first: figures by it favour
    /// these models, and reports say so.
    #[serde(default)]
    pub from_models: Vec<FromModel>,
    /// What the reference said before; only where one sample is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<EarlierReferences>,
    /// Canonical BCP-47 tag.
    pub language: String,
    /// Free fields.
    #[schema(value_type = BTreeMap<String, String>)]
    pub metadata: Metadata,
    /// Length of the recording in seconds.
    pub duration_seconds: f64,
    /// Playback URL, with `include_signed_url=true`; works for 15 minutes.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub signed_url: Option<Option<String>>,
    /// When it was made.
    pub inserted_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The latest earlier wordings of a reference: at most 10, of 300,000 bytes together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = EarlierReferencesView)]
pub struct EarlierReferences {
    /// They, newest first.
    pub references: Vec<EarlierReference>,
    /// How many versions before them are not kept, for want of room or because they were
    /// changed before wordings were kept.
    pub left_out: u32,
}

/// A wording that a reference had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = EarlierReferenceView)]
pub struct EarlierReference {
    /// What was said; null while it was not known.
    pub ground_truth: Option<String>,
    /// Its version.
    pub reference_version: u32,
    /// The key it was written with; null where that is not known.
    pub written_by: Option<KeyId>,
    /// The person who wrote it, by the name given at sign-in to the pages.
    pub writer_name: Option<String>,
    /// When it was written; null where that is not known.
    pub written_at: Option<Timestamp>,
}

/// Words of a model that a reference has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FromModelView)]
pub struct FromModel {
    /// How they came.
    pub how: How,
    /// The run in which they were heard.
    pub run_id: RunId,
    /// Catalogue id of the model that heard them.
    pub provider: String,
    /// The first version of the reference that has them; later ones keep them, as far as
    /// people have left them there.
    pub reference_version: u32,
}

/// Changes of a sample; at least one. `null` clears.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SamplePatch {
    /// New reference. Results keep the one they were scored against.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub ground_truth: Option<Option<String>>,
    /// New BCP-47 tag; null: that of the dataset.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub language: Option<Option<String>>,
    /// New free fields, in place of all the old ones.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub metadata: Option<Option<NewMetadata>>,
}
