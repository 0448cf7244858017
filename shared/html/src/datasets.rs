//! The list of datasets.

use askama::Template;
use stt_eval_wire::datasets::Dataset;

use crate::RenderError;
use crate::figures::{count, counted, length};
use crate::invisible::visible;
use crate::language::all_called;
use crate::layout::Frame;
use crate::offers::Offers;
use crate::texts::Text;
use crate::texts::datasets::Say;

struct Row {
    path: String,
    name: String,
    description: String,
    language: String,
    clips: String,
    references: String,
    length: String,
    day: String,
}

/// Address of the page of a dataset.
#[must_use]
pub fn path(dataset: &Dataset) -> String {
    format!("/datasets/{}", dataset.id)
}

fn row(dataset: &Dataset) -> Row {
    let facts = &dataset.dataset_metadata;
    let mut day = dataset.inserted_at.to_string();
    day.truncate(10);
    let description = dataset.description.as_deref().unwrap_or_default();
    Row {
        path: path(dataset),
        name: visible(&dataset.name).into_owned(),
        description: visible(description).into_owned(),
        language: all_called(dataset),
        clips: count(facts.sample_count.into()),
        references: count(facts.has_ground_truth_count.into()),
        length: length(facts.total_duration_seconds),
        day,
    }
}

#[derive(Template)]
#[template(path = "datasets/list.html")]
struct List<'a> {
    frame: Frame<'a>,
    rows: Vec<Row>,
    total: String,
    older: Option<&'a str>,
    deleted: String,
    offers: Offers,
}

/// A page of datasets; `older` is the address of the next one, `deleted` the name of one that
/// was deleted just now.
///
/// # Errors
/// See [`RenderError`].
pub fn list(
    frame: Frame<'_>,
    datasets: &[Dataset],
    total: u64,
    older: Option<&str>,
    deleted: Option<&str>,
    offers: Offers,
) -> Result<String, RenderError> {
    let page = List {
        frame,
        rows: datasets.iter().map(row).collect(),
        total: counted(total, "dataset", "datasets"),
        older,
        deleted: visible(deleted.unwrap_or_default()).into_owned(),
        offers,
    };
    page.render()
}
