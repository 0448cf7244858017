//! Checks of a dataset before anything of it is written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use stt_eval_shared::App;
use stt_eval_shared::domain::FileId;
use stt_eval_shared::domain::dataset::{
    MAX_DESCRIPTION_CHARS, MAX_INLINE_SAMPLES, MAX_KEYWORD_CHARS, MAX_KEYWORDS, Metadata,
};
use stt_eval_shared::domain::file::{File, FileKind, FileStatus, MAX_DATASETS_PER_FILE};
use stt_eval_shared::domain::validate::{self, Errors, FieldError};
use stt_eval_shared::wire::datasets::NewDataset;

use super::draft::{Draft, language_tag, metadata, reference, size};
use super::manifest;
use super::splits::Splits;
use crate::actor::Actor;
use crate::refusal::{Refusal, finish};
use crate::services::named::in_body;

/// A dataset that passed every check but those of the transaction.
pub struct CheckedDataset {
    /// Name.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Canonical tag.
    pub language: String,
    /// Words and phrases that matter.
    pub keywords: Vec<String>,
    /// Its samples, in order.
    pub drafts: Vec<Draft>,
    /// Their files.
    pub files: BTreeMap<FileId, File>,
    /// Splits of its manifest that were taken together.
    pub splits: Splits,
    /// What is put before field names: `dataset.` inside a run.
    pub at: &'static str,
}

/// Checks words and phrases that matter.
fn keywords(field: &str, given: &[String], errors: &mut Errors) -> Vec<String> {
    if given.len() > MAX_KEYWORDS {
        let message = format!("must be at most {MAX_KEYWORDS}, are {}", given.len());
        errors.push(field, message);
        return Vec::new();
    }
    let mut kept: Vec<String> = Vec::with_capacity(given.len());
    for (index, keyword) in given.iter().enumerate() {
        let at = format!("{field}[{index}]");
        let keyword = keyword.trim();
        if keyword.is_empty() {
            errors.push(at, "must not be empty");
        } else if kept.iter().any(|other| other == keyword) {
            errors.push(at, "is there twice");
        } else if let Some(text) = errors.keep(validate::text(&at, keyword, MAX_KEYWORD_CHARS)) {
            kept.push(text);
        }
    }
    kept
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

/// Says why a file can't be a recording of a dataset, if it can't.
pub(super) fn usable(field: &str, file: Option<&File>, errors: &mut Errors) {
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
        (_, FileStatus::Rejected) => file.why_rejected(),
        (_, FileStatus::Expired) => "never arrived; upload it again".to_owned(),
        (_, FileStatus::Deleting) => "there is no such file".to_owned(),
    };
    errors.push(field, message);
}

/// What a dataset is called and is about; `None` where that is not valid, which is told.
struct About {
    name: Option<String>,
    description: Option<Option<String>>,
    language: Option<String>,
    keywords: Vec<String>,
}

fn about(at: &str, new: &NewDataset, errors: &mut Errors) -> About {
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
    let keywords = keywords(
        &format!("{at}keywords"),
        new.keywords.as_deref().unwrap_or_default(),
        errors,
    );
    About {
        name,
        description,
        language,
        keywords,
    }
}

/// Checks a dataset before anything is written.
pub async fn check(
    app: &App,
    actor: &Actor,
    at: &'static str,
    new: NewDataset,
) -> Result<CheckedDataset, Refusal> {
    let mut errors = Errors::new();
    let about = about(at, &new, &mut errors);
    let default = about.language.as_deref().unwrap_or_default();
    let mut splits = Splits::new();
    if new.split.is_some() && new.manifest_file_id.is_none() {
        errors.push(format!("{at}split"), "is of a manifest");
    }
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
                Some(id) => {
                    let split = new.split.as_deref();
                    let read = manifest::drafts(
                        app,
                        actor,
                        (&field, id),
                        (default, split),
                        (&mut splits, &mut errors),
                    );
                    read.await?
                }
            }
        }
    };
    let checked = settled(app, actor, at, about, drafts, errors).await?;
    Ok(CheckedDataset { splits, ..checked })
}

/// Checks a dataset whose samples are drafted already; what it says of samples itself
/// counts for nothing.
pub async fn check_drafted(
    app: &App,
    actor: &Actor,
    new: &NewDataset,
    drafts: Vec<Draft>,
) -> Result<CheckedDataset, Refusal> {
    let mut errors = Errors::new();
    let about = about("", new, &mut errors);
    settled(app, actor, "", about, drafts, errors).await
}

async fn settled(
    app: &App,
    actor: &Actor,
    at: &'static str,
    about: About,
    drafts: Vec<Draft>,
    mut errors: Errors,
) -> Result<CheckedDataset, Refusal> {
    no_twins(&drafts, &mut errors);
    let mut ids: BTreeSet<FileId> = BTreeSet::new();
    ids.extend(drafts.iter().map(|draft| draft.file));
    let files = app.store.files(&actor.project, ids).await?;
    for draft in &drafts {
        usable(&draft.file_field, files.get(&draft.file), &mut errors);
    }
    finish(errors)?;
    let About {
        name: Some(name),
        description: Some(description),
        language: Some(language),
        keywords,
    } = about
    else {
        return Err(Refusal::internal(
            "a dataset passed its checks without a name",
        ));
    };
    if app.store.dataset_name_taken(&actor.project, &name).await? {
        return Err(name_taken(at));
    }
    Ok(CheckedDataset {
        name,
        description,
        language,
        keywords,
        drafts,
        files,
        splits: Splits::new(),
        at,
    })
}

/// The name belongs to another dataset.
pub fn name_taken(at: &str) -> Refusal {
    let mut error = Refusal::conflict("a dataset of this name exists already");
    error
        .fields
        .push(FieldError::new(format!("{at}name"), "is taken"));
    error
}

#[cfg(test)]
mod tests {
    use stt_eval_shared::domain::dataset::MAX_SAMPLE_BYTES;

    use super::*;
    use stt_eval_shared::wire::object::Object;

    fn new(samples: serde_json::Value) -> NewDataset {
        let body = serde_json::json!({ "name": "n", "language": "hi", "samples": samples });
        serde_json::from_value(body).unwrap()
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
        let one = Object(stt_eval_shared::wire::datasets::NewSample {
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
