//! Datasets and samples.

use stt_eval_shared::domain::dataset;
use stt_eval_shared::domain::reference_origin;
use stt_eval_shared::domain::wordings::{Wording, Wordings};
use stt_eval_shared::wire::datasets::{
    Dataset, DatasetMetadata, EarlierReference, EarlierReferences, FromModel, Sample,
};

use super::Signed;

/// A dataset, with a page of its samples where it is asked for.
#[must_use]
pub fn dataset(dataset: dataset::Dataset, samples: Option<Vec<Sample>>) -> Dataset {
    Dataset {
        id: dataset.id,
        name: dataset.name,
        description: dataset.description,
        language: dataset.language,
        other_languages: dataset.other_languages.into_iter().collect(),
        keywords: dataset.keywords,
        dataset_metadata: DatasetMetadata {
            sample_count: dataset.sample_count,
            has_ground_truth_count: dataset.has_ground_truth_count,
            total_duration_seconds: dataset.total_duration_ms as f64 / 1000.0,
        },
        splits: None,
        samples,
        inserted_at: dataset.inserted_at,
        updated_at: dataset.updated_at,
    }
}

fn from_model(from: reference_origin::FromModel) -> FromModel {
    FromModel {
        how: from.how,
        run_id: from.run,
        provider: from.model,
        reference_version: from.version,
    }
}

fn earlier_reference(wording: Wording) -> EarlierReference {
    EarlierReference {
        ground_truth: wording.text,
        reference_version: wording.version,
        written_by: wording.by,
        writer_name: wording.name,
        written_at: wording.at,
    }
}

/// A sample with the earlier wordings of its reference.
#[must_use]
pub fn sample_with(sample: dataset::Sample, wordings: Wordings) -> Sample {
    let left_out = wordings.left_out();
    let earlier = wordings.earlier.into_iter().map(earlier_reference);
    Sample {
        earlier: Some(EarlierReferences {
            references: earlier.collect(),
            left_out,
        }),
        ..self::sample(sample, None)
    }
}

/// A sample.
#[must_use]
pub fn sample(sample: dataset::Sample, signed_url: Signed) -> Sample {
    Sample {
        id: sample.id,
        dataset_id: sample.id.dataset(),
        file_id: sample.file_id,
        filename: sample.filename,
        ground_truth: sample.ground_truth,
        reference_version: sample.reference_version,
        from_models: sample.from_models.into_iter().map(from_model).collect(),
        earlier: None,
        language: sample.language,
        metadata: sample.metadata,
        duration_seconds: sample.duration_seconds,
        signed_url,
        inserted_at: sample.inserted_at,
        updated_at: sample.updated_at,
    }
}

/// About how many bytes a sample takes in an answer.
#[must_use]
pub fn weight(sample: &Sample) -> usize {
    let metadata: usize = sample
        .metadata
        .iter()
        .map(|(name, value)| name.len() + value.len() + 10)
        .sum();
    let from_models = sample.from_models.len() * 200;
    2_000 + metadata + from_models + sample.ground_truth.as_ref().map_or(0, String::len)
}
