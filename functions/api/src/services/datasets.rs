//! Making datasets: everything is checked first, then samples are written
//! under an unsealed dataset, then one transaction makes it visible. Whoever
//! reads sees all of it or nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use stt_eval_shared::App;
use stt_eval_shared::audio::AudioFormat;
use stt_eval_shared::domain::dataset::{
    Dataset, DatasetStatus, MAX_DESCRIPTION_CHARS, MAX_GROUND_TRUTH_CHARS, MAX_INLINE_SAMPLES,
    MAX_METADATA_FIELDS, MAX_METADATA_VALUE_CHARS, MAX_SAMPLE_BYTES, Metadata, Sample,
};
use stt_eval_shared::domain::file::{File, FileKind, FileStatus, MAX_DATASETS_PER_FILE};
use stt_eval_shared::domain::validate::{self, Errors, FieldError};
use stt_eval_shared::domain::{DatasetId, FileId, KeyId, SampleId, Timestamp, language};
use stt_eval_shared::objects::snapshot_key;
use stt_eval_shared::scoring::validate_reference;
use stt_eval_shared::store::datasets::Seal;

use super::{manifest, snapshot};
use crate::auth::Tenant;
use crate::dto::datasets::{NewDataset, NewMetadata};
use crate::error::{ApiError, finish};
use crate::id::in_body;
use crate::idempotency::Attempt;

/// A sample on its way into a dataset.
#[derive(Debug, Clone)]
pub struct Draft {
    /// How errors name it: `samples[3]`, `line 7`.
    pub place: String,
    /// How errors name its recording: `samples[3].file_id`, `line 7: file_id`.
    pub file_field: String,
    /// Its recording.
    pub file: FileId,
    /// What is said in it.
    pub ground_truth: Option<String>,
    /// Canonical tag.
    pub language: String,
    /// Free fields.
    pub metadata: Metadata,
}

/// A dataset that passed every check but those of the transaction.
pub struct Checked {
    name: String,
    description: Option<String>,
    language: String,
    drafts: Vec<Draft>,
    files: BTreeMap<FileId, File>,
    /// What is put before field names: `dataset.` inside a run.
    at: &'static str,
}

impl Checked {
    /// Canonical tag of its language.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.language
    }
}

/// Checks a language tag and makes it canonical.
pub fn language_tag(field: &str, tag: &str) -> Result<String, FieldError> {
    match language::resolve(tag.trim()) {
        Ok(found) => Ok(found.tag),
        Err(error) => Err(FieldError::new(field, error.to_string())),
    }
}

/// Checks a reference.
pub fn reference(field: &str, text: &str) -> Result<String, FieldError> {
    let text = validate::text(field, text, MAX_GROUND_TRUTH_CHARS)?;
    validate_reference(&text).map_err(|error| FieldError::new(field, error.to_string()))?;
    Ok(text)
}

/// Checks free fields. Numbers and true/false become text.
pub fn metadata(field: &str, given: &NewMetadata, errors: &mut Errors) -> Metadata {
    let mut fields = Metadata::new();
    if given.len() > MAX_METADATA_FIELDS {
        errors.push(
            field,
            format!("at most {MAX_METADATA_FIELDS} fields, has {}", given.len()),
        );
        return fields;
    }
    for (name, value) in given {
        let shown: String = name.chars().take(60).collect();
        let at = format!("{field}.{shown}");
        let Some(clean) = errors.keep(validate::name(&at, name)) else {
            continue;
        };
        let text = match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => number.to_string(),
            serde_json::Value::Bool(flag) => flag.to_string(),
            // As if it were not there.
            serde_json::Value::Null => continue,
            _ => {
                errors.push(at, "must be text, a number, or true or false");
                continue;
            }
        };
        if let Some(text) = errors.keep(validate::text(&at, &text, MAX_METADATA_VALUE_CHARS)) {
            fields.insert(clean, text);
        }
    }
    fields
}

/// Checks that a sample fits where it is kept.
pub fn size(
    field: &str,
    ground_truth: Option<&str>,
    metadata: &Metadata,
) -> Result<(), FieldError> {
    let texts = metadata
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum::<usize>();
    let bytes = texts + ground_truth.map_or(0, str::len);
    if bytes > MAX_SAMPLE_BYTES {
        return Err(FieldError::new(
            field,
            format!(
                "reference and metadata together have {bytes} bytes; at most {MAX_SAMPLE_BYTES} are taken"
            ),
        ));
    }
    Ok(())
}

fn inline_drafts(at: &str, new: &NewDataset, language: &str, errors: &mut Errors) -> Vec<Draft> {
    let samples = new.samples.as_deref().unwrap_or_default();
    if !(1..=MAX_INLINE_SAMPLES).contains(&samples.len()) {
        errors.push(
            format!("{at}samples"),
            format!(
                "must have 1 to {MAX_INLINE_SAMPLES} samples, has {}; more fit into a manifest",
                samples.len()
            ),
        );
        return Vec::new();
    }
    let mut drafts = Vec::with_capacity(samples.len());
    for (index, sample) in samples.iter().enumerate() {
        let sample = &sample.0;
        let place = format!("{at}samples[{index}]");
        let field = |name: &str| format!("{place}.{name}");
        let file = errors.keep(in_body::<FileId>(&field("file_id"), &sample.file_id));
        let ground_truth = match &sample.ground_truth {
            None => Some(None),
            Some(text) => errors
                .keep(reference(&field("ground_truth"), text))
                .map(Some),
        };
        let language = match &sample.language {
            None => Some(language.to_owned()),
            Some(tag) => errors.keep(language_tag(&field("language"), tag)),
        };
        let metadata = match &sample.metadata {
            None => Metadata::new(),
            Some(given) => metadata(&field("metadata"), given, errors),
        };
        let (Some(file), Some(ground_truth), Some(language)) = (file, ground_truth, language)
        else {
            continue;
        };
        if errors
            .keep(size(&place, ground_truth.as_deref(), &metadata))
            .is_some()
        {
            let file_field = format!("{place}.file_id");
            drafts.push(Draft {
                place,
                file_field,
                file,
                ground_truth,
                language,
                metadata,
            });
        }
    }
    drafts
}

fn no_twins(drafts: &[Draft], errors: &mut Errors) {
    let mut seen: HashMap<FileId, &str> = HashMap::with_capacity(drafts.len());
    for draft in drafts {
        if let Some(first) = seen.get(&draft.file) {
            let message = format!("is the same file as in {first}; a file is in a dataset once");
            errors.push(&*draft.file_field, message);
        } else {
            seen.insert(draft.file, &draft.place);
        }
    }
}

fn usable(field: &str, file: Option<&File>, errors: &mut Errors) {
    let Some(file) = file else {
        errors.push(field, "there is no such file");
        return;
    };
    let message = match (file.kind, file.status) {
        (FileKind::Manifest, _) => "is a manifest, not a recording".to_owned(),
        (_, FileStatus::Ready) if file.datasets.len() >= MAX_DATASETS_PER_FILE => {
            format!("is in {MAX_DATASETS_PER_FILE} datasets already, which is the limit")
        }
        (_, FileStatus::Ready) if file.audio.is_none() => "is not a recording".to_owned(),
        (_, FileStatus::Ready) => return,
        (_, FileStatus::Uploading) => "is uploading; wait until it is ready".to_owned(),
        (_, FileStatus::Rejected) => match &file.rejection_reason {
            Some(reason) => format!("was rejected: {reason}"),
            None => "was rejected".to_owned(),
        },
        (_, FileStatus::Expired) => "never arrived; upload it again".to_owned(),
        (_, FileStatus::Deleting) => "there is no such file".to_owned(),
    };
    errors.push(field, message);
}

/// Checks a dataset before anything is written.
pub async fn check(
    app: &App,
    tenant: &Tenant,
    at: &'static str,
    new: NewDataset,
) -> Result<Checked, ApiError> {
    let mut errors = Errors::new();
    let name = errors.keep(validate::name(&format!("{at}name"), &new.name));
    let description = match new.description.as_deref().map(str::trim) {
        None | Some("") => Some(None),
        Some(text) => errors
            .keep(validate::text(
                &format!("{at}description"),
                text,
                MAX_DESCRIPTION_CHARS,
            ))
            .map(Some),
    };
    let language = errors.keep(language_tag(&format!("{at}language"), &new.language));
    let default = language.as_deref().unwrap_or_default();
    let drafts = match (&new.samples, &new.manifest_file_id) {
        (Some(_), Some(_)) => {
            errors.push(
                format!("{at}manifest_file_id"),
                "give samples or a manifest, not both",
            );
            Vec::new()
        }
        (None, None) => {
            errors.push(format!("{at}samples"), "is required (or manifest_file_id)");
            Vec::new()
        }
        (Some(_), None) => inline_drafts(at, &new, default, &mut errors),
        (None, Some(id)) => {
            let field = format!("{at}manifest_file_id");
            match errors.keep(in_body::<FileId>(&field, id)) {
                None => Vec::new(),
                Some(id) => manifest::drafts(app, tenant, &field, id, default, &mut errors).await?,
            }
        }
    };
    no_twins(&drafts, &mut errors);
    let ids: BTreeSet<FileId> = drafts.iter().map(|draft| draft.file).collect();
    let files = app.store.files(&tenant.project, ids).await?;
    for draft in &drafts {
        usable(&draft.file_field, files.get(&draft.file), &mut errors);
    }
    finish(errors)?;
    let (Some(name), Some(description), Some(language)) = (name, description, language) else {
        return Err(ApiError::internal(
            "a dataset passed its checks without a name",
        ));
    };
    if app.store.dataset_name_taken(&tenant.project, &name).await? {
        return Err(name_taken(at));
    }
    Ok(Checked {
        name,
        description,
        language,
        drafts,
        files,
        at,
    })
}

fn name_taken(at: &str) -> ApiError {
    let mut error = ApiError::conflict("a dataset of this name exists already");
    error
        .fields
        .push(FieldError::new(format!("{at}name"), "is taken"));
    error
}

fn samples(
    checked: &Checked,
    dataset: DatasetId,
    key: KeyId,
    now: Timestamp,
) -> Result<Vec<Sample>, ApiError> {
    let mut samples = Vec::with_capacity(checked.drafts.len());
    for (draft, position) in checked.drafts.iter().zip(0u16..) {
        let file = checked.files.get(&draft.file);
        let audio = file.and_then(|file| file.audio.as_ref());
        let (Some(file), Some(audio)) = (file, audio) else {
            return Err(ApiError::internal(
                "a sample passed its checks without a recording",
            ));
        };
        // The detected format, not what somebody declared.
        let content_type = AudioFormat::ALL
            .iter()
            .find(|format| format.extension() == audio.format)
            .map_or(&*file.content_type, |format| format.content_type());
        samples.push(Sample {
            id: SampleId::new(dataset, position),
            file_id: file.id,
            filename: file.filename.clone(),
            ground_truth: draft.ground_truth.clone(),
            reference_version: 1,
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
    tenant: &Tenant,
    attempt: &Attempt,
    checked: &Checked,
    completes: bool,
) -> Result<Dataset, ApiError> {
    let id = attempt.dataset_id()?;
    refuse_stale(app, tenant, attempt, id).await?;
    let now = attempt.now;
    let samples = samples(checked, id, tenant.key, now)?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let unsealed = Dataset {
        id,
        project: tenant.project.clone(),
        name: checked.name.clone(),
        description: checked.description.clone(),
        language: checked.language.clone(),
        status: DatasetStatus::Unsealed,
        sample_count: count(samples.len()),
        has_ground_truth_count: count(samples.iter().filter(|s| s.ground_truth.is_some()).count()),
        total_duration_ms: total_ms(&samples),
        keep_files: false,
        inserted_at: now,
        updated_at: now,
        due_at: Some(now + app.config.bounds.unsealed),
        rev: 1,
    };
    let made = fill_and_seal(
        app, tenant, attempt, checked, &unsealed, &samples, completes,
    )
    .await;
    if made.is_err()
        && let Err(error) = app.store.abandon_dataset(&unsealed, Timestamp::now()).await
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
    tenant: &Tenant,
    attempt: &Attempt,
    id: DatasetId,
) -> Result<(), ApiError> {
    let Some(first_at) = attempt.repeats() else {
        return Ok(());
    };
    let old = attempt.now.since(first_at) > app.config.bounds.unsealed / 2;
    let project = &tenant.project;
    if old
        || app
            .store
            .hidden_dataset(project, id, DatasetStatus::Deleting)
            .await?
            .is_some()
    {
        return Err(ApiError::unavailable(
            "leftovers of an earlier attempt are being cleared away",
        ));
    }
    Ok(())
}

async fn fill_and_seal(
    app: &App,
    tenant: &Tenant,
    attempt: &Attempt,
    checked: &Checked,
    unsealed: &Dataset,
    samples: &[Sample],
    completes: bool,
) -> Result<Dataset, ApiError> {
    app.store.begin_dataset(unsealed).await?;
    if let Err(position) = app.store.write_samples(&tenant.project, samples).await? {
        let field = checked
            .drafts
            .get(position)
            .map_or("samples", |draft| &*draft.file_field);
        return Err(ApiError::invalid_field(
            field,
            "can't be used any more: it was deleted meanwhile, or is in too many datasets",
        ));
    }
    let table = snapshot::csv(samples)?;
    app.objects
        .put(
            &snapshot_key(&tenant.project, unsealed.id),
            "text/csv; charset=utf-8",
            table,
        )
        .await?;
    let sealed = Dataset {
        status: DatasetStatus::Sealed,
        due_at: None,
        ..unsealed.clone()
    };
    let claim = attempt
        .claim()
        .filter(|_| completes)
        .map(|claim| (claim, 201));
    match app.store.seal_dataset(&sealed, claim).await {
        Ok(Seal::Sealed) => Ok(sealed),
        Ok(Seal::NameTaken) => Err(name_taken(checked.at)),
        // The answer may have been lost after the dataset was sealed.
        Err(error) => match app.store.dataset(&tenant.project, unsealed.id).await {
            Ok(Some(dataset)) => Ok(dataset),
            _ => Err(error.into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Object;

    fn new(samples: serde_json::Value) -> NewDataset {
        let body = serde_json::json!({ "name": "n", "language": "hi", "samples": samples });
        crate::json::parse(body.to_string().as_bytes()).unwrap()
    }

    fn errors_of(samples: serde_json::Value) -> Vec<FieldError> {
        let mut errors = Errors::new();
        let drafts = inline_drafts("dataset.", &new(samples), "hi", &mut errors);
        no_twins(&drafts, &mut errors);
        errors.finish().err().unwrap_or_default()
    }

    #[test]
    fn every_sample_is_named_by_its_place() {
        let id = FileId::mint(1, [1; 10]).to_string();
        let errors = errors_of(serde_json::json!([
            { "file_id": id, "ground_truth": "", "metadata": { "age": 7, "x": null, "ok": true } },
            { "file_id": "file_x" },
            { "file_id": id, "ground_truth": "{a", "language": "zz-!" },
            { "file_id": id, "metadata": { "a": [1] } },
            { "file_id": id },
        ]));
        let fields: Vec<&str> = errors.iter().map(|e| &*e.field).collect();
        assert_eq!(
            fields,
            [
                "dataset.samples[1].file_id",
                "dataset.samples[2].ground_truth",
                "dataset.samples[2].language",
                "dataset.samples[3].metadata.a",
                "dataset.samples[3].file_id",
                "dataset.samples[4].file_id",
            ]
        );
        assert!(
            errors[1].message.contains("character"),
            "{}",
            errors[1].message
        );
        assert!(errors[5].message.contains("dataset.samples[0]"));
    }

    #[test]
    fn there_must_be_samples_and_not_too_many() {
        assert_eq!(errors_of(serde_json::json!([]))[0].field, "dataset.samples");
        let one = Object(crate::dto::datasets::NewSample {
            file_id: FileId::mint(1, [1; 10]).to_string(),
            ground_truth: None,
            language: None,
            metadata: None,
        });
        let mut many = new(serde_json::json!([]));
        many.samples = Some(vec![one; MAX_INLINE_SAMPLES + 1]);
        let mut errors = Errors::new();
        inline_drafts("", &many, "hi", &mut errors);
        assert_eq!(errors.finish().unwrap_err()[0].field, "samples");
    }

    #[test]
    fn samples_fit_into_an_item() {
        let long = "அ".repeat(MAX_SAMPLE_BYTES / 3);
        assert!(size("s", Some(&long), &Metadata::new()).is_ok());
        let metadata = Metadata::from([("a".repeat(30), "b".into())]);
        assert!(size("s", Some(&long), &metadata).is_err());
    }
}
