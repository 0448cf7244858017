//! The list of runs, and one run.

use askama::Template;
use stt_eval_wire::runs::{Run, Timestamp};

use crate::RenderError;
use crate::figures::counted;
use crate::following::Live;
pub use crate::following::{ListField, NotTaken};
use crate::invisible::visible;
use crate::layout::Frame;
use crate::offers::Offers;
pub use crate::progress::{Actions, path};
use crate::progress::{Progress, progress, status};
use crate::summary::Problem;
use crate::texts::Text;
use crate::texts::datasets::Say;
use crate::texts::following::Following;
use crate::texts::start::Start;

struct Row {
    path: String,
    name: String,
    dataset: String,
    /// Its page, which tells the languages of its clips: a run knows one of them.
    dataset_path: String,
    models: String,
    status: Text,
    progress: Progress,
    day: String,
}

fn row(run: &Run) -> Row {
    let mut day = run.inserted_at.to_string();
    day.truncate(10);
    Row {
        path: path(run),
        name: visible(&run.run_name).into_owned(),
        dataset: visible(&run.dataset_name).into_owned(),
        dataset_path: format!("/datasets/{}", run.dataset_id),
        models: counted(run.providers.len() as u64, "model", "models"),
        status: status(run.status),
        progress: progress(run),
        day,
    }
}

#[derive(Template)]
#[template(path = "runs/list.html")]
struct List<'a> {
    frame: Frame<'a>,
    rows: Vec<Row>,
    total: String,
    older: Option<&'a str>,
    offers: Offers,
}

/// A page of runs; `older` is the address of the next one.
///
/// # Errors
/// See [`RenderError`].
pub fn list(
    frame: Frame<'_>,
    runs: &[Run],
    total: u64,
    older: Option<&str>,
    offers: Offers,
) -> Result<String, RenderError> {
    let page = List {
        frame,
        rows: runs.iter().map(row).collect(),
        total: counted(total, "run", "runs"),
        older,
        offers,
    };
    page.render()
}

#[derive(Template)]
#[template(path = "runs/run.html")]
struct Page<'a> {
    frame: Frame<'a>,
    row: Row,
    problems: Vec<Problem>,
    live: Live,
    may_delete: bool,
}

/// One run, as it is now.
///
/// # Errors
/// See [`RenderError`].
pub fn page(
    frame: Frame<'_>,
    run: &Run,
    actions: Actions,
    now: Timestamp,
) -> Result<String, RenderError> {
    page_with(frame, run, actions, now, NotTaken::default())
}

/// One run, with transcripts that were sent and not taken.
///
/// # Errors
/// See [`RenderError`].
pub fn page_with(
    frame: Frame<'_>,
    run: &Run,
    actions: Actions,
    now: Timestamp,
    list: NotTaken<'_>,
) -> Result<String, RenderError> {
    let page = Page {
        frame,
        row: row(run),
        problems: list.summary(),
        live: Live::of(run, actions, now).with(list),
        may_delete: actions.delete,
    };
    page.render()
}

#[derive(Template)]
#[template(path = "runs/delete.html")]
struct Delete<'a> {
    frame: Frame<'a>,
    row: Row,
}

/// Asks whether a run is really to be deleted.
///
/// # Errors
/// See [`RenderError`].
pub fn delete(frame: Frame<'_>, run: &Run) -> Result<String, RenderError> {
    let page = Delete {
        frame,
        row: row(run),
    };
    page.render()
}
