//! The list of runs, and one run.

use askama::Template;
use stt_eval_wire::runs::{Run, RunStatus};

use crate::RenderError;
use crate::figures::{count, counted, percent};
use crate::invisible::visible;
use crate::layout::Frame;
use crate::texts::Text;

/// How far a run is.
struct Progress {
    done: u64,
    all: u64,
    text: String,
}

fn progress(run: &Run) -> Progress {
    let done = run.counts.completed + run.counts.failed;
    let failed = match run.counts.failed {
        0 => String::new(),
        failed => format!(", {} failed", count(failed)),
    };
    Progress {
        done,
        all: run.total_items.max(1),
        text: format!("{} of {}{failed}", count(done), count(run.total_items)),
    }
}

fn status(status: RunStatus) -> Text {
    match status {
        RunStatus::Pending => Text::Pending,
        RunStatus::Processing => Text::Processing,
        RunStatus::Completed => Text::Completed,
        RunStatus::Failed => Text::Failed,
        RunStatus::Cancelled => Text::Cancelled,
    }
}

struct Row {
    path: String,
    name: String,
    dataset: String,
    language: String,
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
        language: visible(&run.language).into_owned(),
        models: counted(run.providers.len() as u64, "model", "models"),
        status: status(run.status),
        progress: progress(run),
        day,
    }
}

/// Address of the page of a run.
#[must_use]
pub fn path(run: &Run) -> String {
    format!("/runs/{}", run.id)
}

#[derive(Template)]
#[template(path = "runs/list.html")]
struct List<'a> {
    frame: Frame<'a>,
    rows: Vec<Row>,
    total: String,
    older: Option<&'a str>,
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
) -> Result<String, RenderError> {
    let page = List {
        frame,
        rows: runs.iter().map(row).collect(),
        total: counted(total, "run", "runs"),
        older,
    };
    page.render()
}

struct Model {
    name: String,
    wer: String,
    transcribed: String,
    failed: String,
}

/// What can be done with a run by the one who looks at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Actions {
    /// It can be stopped.
    pub cancel: bool,
    /// Its results can be judged.
    pub review: bool,
    /// What failed can be asked for again.
    pub retry: bool,
}

#[derive(Template)]
#[template(path = "runs/run.html")]
struct Page<'a> {
    frame: Frame<'a>,
    row: Row,
    actions: Actions,
    error: String,
    waiting: Vec<String>,
    warnings: Vec<String>,
    models: Vec<Model>,
    is_active: bool,
}

fn model(run: &Run, name: &str) -> Model {
    let score = run.score.as_ref().and_then(|scores| scores.get(name));
    let score = score.and_then(Option::as_ref);
    let dash = || "–".to_owned();
    Model {
        name: visible(name).into_owned(),
        wer: score.map_or_else(dash, |score| percent(score.all.wer)),
        transcribed: score.map_or_else(dash, |score| count(score.completed.into())),
        failed: score.map_or_else(dash, |score| count(score.failed.into())),
    }
}

/// One run.
///
/// # Errors
/// See [`RenderError`].
pub fn page(frame: Frame<'_>, run: &Run, actions: Actions) -> Result<String, RenderError> {
    let waiting = run.waiting.iter().flatten().map(|waiting| {
        let items = counted(waiting.items, "clip waits", "clips wait");
        format!(
            "{}: {items}. {}",
            visible(&waiting.provider),
            waiting.message
        )
    });
    let page = Page {
        frame,
        row: row(run),
        actions,
        error: run
            .error_message
            .as_deref()
            .map(|message| visible(message).into_owned())
            .unwrap_or_default(),
        waiting: waiting.collect(),
        warnings: run
            .warnings
            .iter()
            .map(|warning| visible(&warning.message).into_owned())
            .collect(),
        models: run.providers.iter().map(|name| model(run, name)).collect(),
        is_active: run.status.is_active(),
    };
    page.render()
}
