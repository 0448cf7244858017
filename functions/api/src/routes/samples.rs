//! `/samples`.

use axum::extract::State;
use stt_eval_shared::App;
use stt_eval_shared::domain::SampleId;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::dataset::{Dataset, Metadata, Sample};
use stt_eval_shared::domain::validate::Errors;
use stt_eval_shared::store::StoreError;

use crate::auth::AsEditor;
use crate::dto::datasets::{SamplePatch, SampleView};
use crate::envelope::{Envelope, ok};
use crate::error::{Answer, ApiError, finish};
use crate::handlers;
use crate::id::PathId;
use crate::json::JsonBody;
use crate::query::{NoQuery, Params};
use crate::routes::gather::Gather;
use crate::services::{ATTEMPTS, dataset_checks, pause};

/// The routes of samples.
pub fn routes<R: Gather>() -> R {
    R::default().with(handlers!(update))
}

/// A change of a sample, checked.
struct Change {
    ground_truth: Option<Option<String>>,
    language: Option<Option<String>>,
    metadata: Option<Metadata>,
}

fn check(patch: SamplePatch) -> Result<Change, ApiError> {
    let SamplePatch {
        ground_truth,
        language,
        metadata,
    } = patch;
    let mut errors = Errors::new();
    if ground_truth.is_none() && language.is_none() && metadata.is_none() {
        errors.push("body", "give ground_truth, language or metadata");
    }
    let ground_truth = ground_truth.map(|text| {
        text.and_then(|text| errors.keep(dataset_checks::reference("ground_truth", &text)))
    });
    let language = language
        .map(|tag| tag.and_then(|tag| errors.keep(dataset_checks::language_tag("language", &tag))));
    let metadata = metadata.map(|fields| match fields {
        Some(fields) => dataset_checks::metadata("metadata", &fields, &mut errors),
        None => Metadata::new(),
    });
    finish(errors)?;
    Ok(Change {
        ground_truth,
        language,
        metadata,
    })
}

impl Change {
    /// The sample's next revision.
    fn apply(&self, sample: &Sample, dataset: &Dataset) -> Sample {
        let mut next = sample.clone();
        if let Some(text) = &self.ground_truth
            && *text != next.ground_truth
        {
            next.ground_truth.clone_from(text);
            next.reference_version += 1;
        }
        if let Some(tag) = &self.language {
            next.language = tag.clone().unwrap_or_else(|| dataset.language.clone());
        }
        if let Some(fields) = &self.metadata {
            next.metadata.clone_from(fields);
        }
        next
    }
}

/// Changes the reference, language or metadata of a sample.
///
/// References are versioned: results keep the one they were scored against.
#[utoipa::path(patch, path = "/samples/{id}", tag = "datasets", operation_id = "update_sample",
    params(("id" = SampleId, Path, description = "Id of the sample")), request_body = SamplePatch,
    responses((status = 200, description = "The sample", body = Envelope<SampleView>)))]
async fn update(
    State(app): State<App>,
    AsEditor(tenant): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<SampleId>,
    JsonBody { value, .. }: JsonBody<SamplePatch>,
) -> Answer {
    let change = check(value)?;
    let id = id.get()?;
    let no_such = || ApiError::no_such("sample");
    for attempt in 0..ATTEMPTS {
        // Only samples of a dataset that can be seen can be seen.
        let (dataset, sample) = futures::future::try_join(
            app.store.dataset(&tenant.project, id.dataset()),
            app.store.sample(&tenant.project, id),
        )
        .await?;
        let (dataset, sample) = dataset.zip(sample).ok_or_else(no_such)?;
        let now = Timestamp::now();
        let next = Sample {
            updated_by: Some(tenant.key),
            updated_at: now,
            rev: sample.rev + 1,
            ..change.apply(&sample, &dataset)
        };
        dataset_checks::size("body", next.ground_truth.as_deref(), &next.metadata)
            .map_err(|e| vec![e])?;
        let had = u32::from(sample.ground_truth.is_some());
        let has = u32::from(next.ground_truth.is_some());
        let saved = if had == has {
            app.store.save_sample(&tenant.project, &next).await
        } else {
            let counted = Dataset {
                has_ground_truth_count: (dataset.has_ground_truth_count + has).saturating_sub(had),
                updated_at: now,
                rev: dataset.rev + 1,
                ..dataset
            };
            app.store.save_sample_and_dataset(&next, &counted).await
        };
        match saved {
            Ok(()) => return ok(SampleView::new(next, None)),
            Err(StoreError::Conflict) => pause(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}
