//! Lists of what there is: models, languages, datasets, files.

use serde::Serialize;
use stt_eval_wire::catalogue::{Language, Model};
use stt_eval_wire::datasets::Dataset;
use stt_eval_wire::files::File;
use stt_eval_wire::paths;

use super::Document;
use crate::arguments::ListArguments;
use crate::columns::columns;
use crate::deployment::{Deployment, Request};
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// The name of a value of an enumeration, as JSON has it.
pub fn name<T: Serialize>(value: T) -> String {
    let value = serde_json::to_value(value).ok();
    let text = value.as_ref().and_then(|value| value.as_str());
    text.unwrap_or_default().to_owned()
}

/// A heading and rows.
pub fn table<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut all = vec![heading.map(str::to_owned).to_vec()];
    all.extend(rows.into_iter().map(|row| row.to_vec()));
    columns(&all)
}

/// Tells that a list ends before what there is does.
pub fn tell_more(more: bool, shown: usize, output: &Output) {
    if more {
        output.remark(&format!(
            "there are more than these {shown}: --limit N shows N"
        ));
    }
}

#[derive(Serialize)]
struct Models {
    models: Vec<Model>,
}

/// `models`.
pub async fn models(to: &Deployment, output: &Output) -> Result<Exit, Failure> {
    let models = to.ask_list(paths::providers()).await?;
    let document = Document::of(Models { models });
    output.result(&document, || {
        let rows = document.content.models.iter().map(|model| {
            let key = if model.has_credentials { "yes" } else { "no" };
            let retires = model.retires_at.clone().unwrap_or_default();
            [
                model.id.clone(),
                model.provider.clone(),
                key.to_owned(),
                format!("${:.2}", model.price_per_audio_hour_usd),
                model.mode.clone(),
                model.languages.len().to_string(),
                model.lifecycle.clone(),
                retires,
            ]
        });
        let heading = [
            "model",
            "provider",
            "key",
            "an hour",
            "mode",
            "languages",
            "life",
            "retires",
        ];
        table(heading, rows)
    })?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Languages {
    languages: Vec<Language>,
}

/// `languages`.
pub async fn languages(to: &Deployment, output: &Output) -> Result<Exit, Failure> {
    let languages = to.ask_list(paths::languages()).await?;
    let document = Document::of(Languages { languages });
    output.result(&document, || {
        let rows = document.content.languages.iter().map(|language| {
            [
                language.code.clone(),
                language.providers.len().to_string(),
                language.name.clone(),
                language.native_name.clone(),
            ]
        });
        table(["code", "models", "name", "in itself"], rows)
    })?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Datasets {
    datasets: Vec<Dataset>,
    more: bool,
}

/// `datasets`.
pub async fn datasets(
    to: &Deployment,
    list: &ListArguments,
    output: &Output,
) -> Result<Exit, Failure> {
    let request = Request::get(paths::datasets());
    let (datasets, more) = to.some(&request, list.limit.get()).await?;
    tell_more(more, datasets.len(), output);
    let document = Document::of(Datasets { datasets, more });
    output.result(&document, || {
        let rows = document.content.datasets.iter().map(|dataset: &Dataset| {
            let facts = &dataset.dataset_metadata;
            [
                dataset.id.to_string(),
                facts.sample_count.to_string(),
                format!("{:.1} min", facts.total_duration_seconds / 60.0),
                languages_of(dataset),
                dataset.name.clone(),
            ]
        });
        table(["dataset", "samples", "length", "language", "name"], rows)
    })?;
    Ok(Exit::Done)
}

/// Tags of a dataset, its own first: `en, hi, ta +3`.
fn languages_of(dataset: &Dataset) -> String {
    const TOLD: usize = 3;
    let others = &dataset.other_languages;
    let tags = std::iter::once(&dataset.language).chain(others);
    let tags: Vec<&str> = tags.take(TOLD).map(String::as_str).collect();
    match (others.len() + 1).saturating_sub(TOLD) {
        0 => tags.join(", "),
        more => format!("{} +{more}", tags.join(", ")),
    }
}

#[derive(Serialize)]
struct Files {
    files: Vec<File>,
    more: bool,
}

/// `files`.
pub async fn files(
    to: &Deployment,
    list: &ListArguments,
    output: &Output,
) -> Result<Exit, Failure> {
    let request = Request::get(paths::files());
    let (files, more) = to.some(&request, list.limit.get()).await?;
    tell_more(more, files.len(), output);
    let document = Document::of(Files { files, more });
    output.result(&document, || {
        let rows = document.content.files.iter().map(|file: &File| {
            let seconds = file.duration_seconds;
            [
                file.id.to_string(),
                name(file.status),
                file.format.clone().unwrap_or_default(),
                seconds.map_or(String::new(), |seconds| format!("{seconds:.1} s")),
                file.size_bytes.to_string(),
                file.filename.clone(),
            ]
        });
        table(["file", "state", "format", "length", "bytes", "name"], rows)
    })?;
    Ok(Exit::Done)
}
