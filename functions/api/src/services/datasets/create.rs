//! Making datasets: what was checked is written under an unsealed dataset,
//! then one transaction makes it visible. Readers see all of it or
//! nothing.

use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::{Dataset, DatasetStatus, Sample};
use stt_eval_shared::domain::{DatasetId, KeyId, SampleId, Timestamp};
use stt_eval_shared::objects::snapshot_key;
use stt_eval_shared::store::datasets::Seal;
use stt_eval_shared::store::samples::Clip;

use super::check::{CheckedDataset, name_taken};
use super::draft::Draft;
use super::snapshot;
use crate::actor::Actor;
use crate::refusal::Refusal;
use crate::services::attempt::Attempt;

fn samples(
    checked: &CheckedDataset,
    dataset: DatasetId,
    key: KeyId,
    now: Timestamp,
) -> Result<Vec<Sample>, Refusal> {
    let mut samples = Vec::with_capacity(checked.drafts.len());
    for (draft, position) in checked.drafts.iter().zip(0u16..) {
        let file = checked.files.get(&draft.file);
        let audio = file.and_then(|file| file.audio.as_ref());
        let (file, audio) = file.zip(audio).ok_or_else(without_recording)?;
        // The detected format, not the declared one.
        let content_type = file.media_type();
        samples.push(Sample {
            id: SampleId::new(dataset, position),
            file_id: file.id,
            filename: file.filename.clone(),
            ground_truth: draft.ground_truth.clone(),
            reference_version: 1,
            from_models: Vec::new(),
            language: draft.language.clone(),
            metadata: draft.metadata.clone(),
            duration_seconds: audio.duration_seconds,
            size_bytes: file.size_bytes,
            content_type: content_type.to_owned(),
            object_key: file.object_key.clone(),
            object_version: file.object_version.clone(),
            updated_by: Some(key),
            inserted_at: now,
            updated_at: now,
            rev: 1,
        });
    }
    Ok(samples)
}

impl CheckedDataset {
    /// What the clips of the dataset will be, once it is made under this id.
    ///
    /// # Errors
    /// Never for what was checked.
    pub fn clips(&self, dataset: DatasetId) -> Result<Vec<Clip>, Refusal> {
        let drafts = self.drafts.iter().zip(0u16..);
        let clip = |(draft, position): (&Draft, u16)| {
            let file = self.files.get(&draft.file);
            let audio = file.and_then(|file| file.audio.as_ref());
            let (file, audio) = file.zip(audio).ok_or_else(without_recording)?;
            Ok(Clip {
                id: SampleId::new(dataset, position),
                file_id: file.id,
                filename: file.filename.clone(),
                reference_bytes: draft.ground_truth.as_ref().map_or(0, String::len),
                language: draft.language.clone(),
                duration_seconds: audio.duration_seconds,
                size_bytes: file.size_bytes,
                content_type: file.media_type().to_owned(),
            })
        };
        drafts.map(clip).collect()
    }
}

fn without_recording() -> Refusal {
    Refusal::internal("a sample passed its checks without a recording")
}

fn total_ms(samples: &[Sample]) -> u64 {
    samples
        .iter()
        .map(|sample| (sample.duration_seconds.max(0.0) * 1000.0).round() as u64)
        .sum()
}

/// Makes a dataset visible that was checked, and completes the claim with it
/// when that is the whole request (`completes`).
///
/// # Errors
/// Whatever went wrong, nothing of it can be seen, and what was written is
/// cleared away.
pub async fn create(
    app: &App,
    actor: &Actor,
    attempt: &Attempt,
    checked: &CheckedDataset,
    completes: bool,
) -> Result<Dataset, Refusal> {
    let id = attempt.dataset_id()?;
    refuse_stale(app, actor, attempt, id).await?;
    let now = attempt.now;
    let samples = samples(checked, id, actor.key, now)?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let unsealed = Dataset {
        id,
        project: actor.project.clone(),
        name: checked.name.clone(),
        description: checked.description.clone(),
        language: checked.language.clone(),
        keywords: checked.keywords.clone(),
        status: DatasetStatus::Unsealed,
        sample_count: count(samples.len()),
        has_ground_truth_count: count(samples.iter().filter(|s| s.ground_truth.is_some()).count()),
        total_duration_ms: total_ms(&samples),
        fields: Some(Dataset::fields_of(&samples)),
        other_languages: Dataset::others_of(&checked.language, &samples),
        keep_files: false,
        inserted_at: now,
        updated_at: now,
        due_at: Some(now + app.config.bounds.unsealed),
        rev: 1,
    };
    let made = fill_and_seal(app, actor, attempt, checked, &unsealed, &samples, completes).await;
    if made.is_err()
        && let Err(error) = app
            .store
            .begin_delete_unsealed(&unsealed, Timestamp::now())
            .await
    {
        tracing::warn!(%error, dataset_id = %id, "an unsealed dataset stays until it is swept");
    }
    made
}

/// An attempt that comes again goes on with the ids of the first one. When the
/// first one's leftovers are being cleared away, or soon will be, going on
/// would race with that: the claim is given back by the caller instead, and
/// the next attempt begins afresh.
async fn refuse_stale(
    app: &App,
    actor: &Actor,
    attempt: &Attempt,
    id: DatasetId,
) -> Result<(), Refusal> {
    let Some(first_at) = attempt.repeats() else {
        return Ok(());
    };
    let old = attempt.now.since(first_at) > app.config.bounds.unsealed / 2;
    let project = &actor.project;
    if old
        || app
            .store
            .hidden_dataset(project, id, DatasetStatus::Deleting)
            .await?
            .is_some()
    {
        return Err(Refusal::unavailable(
            "leftovers of an earlier attempt are being cleared away",
        ));
    }
    Ok(())
}

async fn fill_and_seal(
    app: &App,
    actor: &Actor,
    attempt: &Attempt,
    checked: &CheckedDataset,
    unsealed: &Dataset,
    samples: &[Sample],
    completes: bool,
) -> Result<Dataset, Refusal> {
    app.store.begin_dataset(unsealed).await?;
    if let Err(position) = app.store.write_samples(&actor.project, samples).await? {
        let field = checked
            .drafts
            .get(position)
            .map_or("samples", |draft| &*draft.file_field);
        return Err(Refusal::invalid_field(
            field,
            "can't be used any more: it was deleted meanwhile, or is in too many datasets",
        ));
    }
    let table = snapshot::csv(samples)?;
    app.objects
        .put(
            &snapshot_key(&actor.project, unsealed.id),
            "text/csv; charset=utf-8",
            table,
        )
        .await?;
    let sealed = Dataset {
        status: DatasetStatus::Sealed,
        due_at: None,
        ..unsealed.clone()
    };
    let claim = attempt.claim().filter(|_| completes);
    match app.store.seal_dataset(&sealed, claim).await {
        Ok(Seal::Sealed) => Ok(sealed),
        Ok(Seal::NameTaken) => Err(name_taken(checked.at)),
        // The answer may have been lost after the dataset was sealed.
        Err(error) => match app.store.dataset(&actor.project, unsealed.id).await {
            Ok(Some(dataset)) => Ok(dataset),
            _ => Err(error.into()),
        },
    }
}
