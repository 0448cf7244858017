//! `runs`, `status`, `cancel`, `retry`, `rescore`; and which run is meant.

use serde::Serialize;
use stt_eval_domain::RunId;
use stt_eval_wire::paths;
use stt_eval_wire::report::NewScoring;
use stt_eval_wire::runs::{Retry, Run, RunStatus};

use super::Document;
use super::lists::{name, table, tell_more};
use crate::arguments::{OneRun, RescoreArguments, RetryArguments, RunsArguments};
use crate::deployment::{Deployment, Request, as_commands, unique};
use crate::failure::{Exit, Failure};
use crate::journal;
use crate::normalise::normaliser;
use crate::output::{Output, columns};
use crate::score::percent;

/// Runs that are looked through for a name.
const LOOKED_THROUGH: usize = 1_000;

/// The run that is meant: an id, the beginning of one name, or `latest`.
///
/// # Errors
/// There is none, or there are several.
pub async fn find(to: &Deployment, text: &str) -> Result<Run, Failure> {
    let text = match text {
        "latest" => journal::latest(&to.target.url)?,
        other => other.to_owned(),
    };
    if let Ok(id) = text.parse::<RunId>() {
        return to.ask(&Request::get(paths::run(id))).await;
    }
    let all: Vec<Run> = to
        .list(&Request::get(paths::runs()), LOOKED_THROUGH)
        .await?;
    let exact = all.iter().filter(|run| run.run_name == text).count();
    let fits = |run: &&Run| match exact {
        0 => run.run_name.starts_with(&text),
        _ => run.run_name == text,
    };
    let found: Vec<&Run> = all.iter().filter(fits).collect();
    match found.as_slice() {
        [one] => to.ask(&Request::get(paths::run(one.id))).await,
        [] => {
            let message = format!("no run has the id or name {text:?}");
            Err(Failure::new(Exit::Failed, "not_found", message).hint("stt-eval runs lists them"))
        }
        several => {
            let ids: Vec<String> = several
                .iter()
                .take(5)
                .map(|run| run.id.to_string())
                .collect();
            let message = format!(
                "{} runs are called {text:?}: {}",
                several.len(),
                ids.join(", ")
            );
            Err(Failure::usage(message).hint("name one by its id"))
        }
    }
}

/// A run as the deployment tells it, with its name as all documents have it.
#[derive(Serialize)]
struct Named {
    name: String,
    #[serde(flatten)]
    run: Run,
}

impl From<Run> for Named {
    fn from(run: Run) -> Self {
        Self {
            name: run.run_name.clone(),
            run,
        }
    }
}

#[derive(Serialize)]
struct Runs {
    runs: Vec<Named>,
    more: bool,
}

/// `runs`.
pub async fn list(
    to: &Deployment,
    arguments: &RunsArguments,
    output: &Output,
) -> Result<Exit, Failure> {
    let request = Request::get(paths::runs())
        .with_some("status", arguments.status.as_ref())
        .with_some("dataset_id", arguments.dataset.as_ref());
    let (runs, more) = to.some::<Run>(&request, arguments.list.limit).await?;
    tell_more(more, runs.len(), output);
    let runs = runs.into_iter().map(Named::from).collect();
    let document = Document::of(Runs { runs, more });
    output.result(&document, || {
        let rows = document.content.runs.iter().map(|Named { run, .. }| {
            [
                run.id.to_string(),
                name(run.status),
                format!(
                    "{}/{}",
                    run.total_items - run.counts.pending,
                    run.total_items
                ),
                run.counts.failed.to_string(),
                run.providers.len().to_string(),
                run.run_name.clone(),
            ]
        });
        table(["run", "state", "done", "failed", "models", "name"], rows)
    })?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct OneOf {
    run: Named,
}

/// Lines about a run: what each model has achieved so far, and what is waited for.
pub fn progress(run: &Run) -> Vec<String> {
    let mut rows = vec![
        ["model", "done", "failed", "WER so far"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let each = run.total_items / (run.providers.len().max(1) as u64);
    for model in &run.providers {
        let score = run.score.as_ref().and_then(|all| all.get(model)?.as_ref());
        let (done, failed, wer) = match score {
            Some(score) => (
                (u64::from(score.completed) + u64::from(score.failed)).to_string(),
                score.failed.to_string(),
                percent(score.all.wer),
            ),
            // Nothing of it is scored: how much of it failed is not told by the run.
            None if run.counts.pending == 0 => (each.to_string(), "–".to_owned(), "–".to_owned()),
            None => ("–".to_owned(), "–".to_owned(), "–".to_owned()),
        };
        rows.push(vec![model.clone(), format!("{done}/{each}"), failed, wer]);
    }
    let mut lines: Vec<String> = columns(&rows).lines().map(str::to_owned).collect();
    for waiting in run.waiting.iter().flatten() {
        let next = waiting.next_attempt_at;
        let next = next.map_or(String::new(), |at| format!(" (next try {at})"));
        lines.push(format!(
            "  {}: {} wait: {}{next}",
            waiting.provider, waiting.items, waiting.message
        ));
    }
    lines
}

fn words(run: &Run) -> String {
    let mut out = format!(
        "{}  “{}”  {}: {} of {} done, {} failed\n",
        run.id,
        run.run_name,
        name(run.status),
        run.total_items - run.counts.pending,
        run.total_items,
        run.counts.failed
    );
    for line in progress(run) {
        out += &format!("{line}\n");
    }
    if let Some(reason) = &run.error_message {
        out += &format!("{reason}\n");
    }
    for warning in &run.warnings {
        let advice = as_commands(&warning.message);
        out += &format!("note: {advice}\n");
    }
    out
}

fn shown(run: Run, output: &Output) -> Result<Exit, Failure> {
    let document = Document::of(OneOf { run: run.into() });
    output.result(&document, || words(&document.content.run.run))?;
    Ok(Exit::Done)
}

/// Whether a run goes on.
pub fn goes_on(run: &Run) -> bool {
    matches!(run.status, RunStatus::Pending | RunStatus::Processing)
}

/// `status`.
pub async fn status(to: &Deployment, of: &OneRun, output: &Output) -> Result<Exit, Failure> {
    shown(find(to, &of.run).await?, output)
}

/// `cancel`.
pub async fn cancel(to: &Deployment, of: &OneRun, output: &Output) -> Result<Exit, Failure> {
    let run = find(to, &of.run).await?;
    let request = Request::post_nothing(paths::cancel(run.id)).repeatable();
    shown(to.ask(&request).await?, output)
}

/// `retry`.
pub async fn retry(
    to: &Deployment,
    arguments: &RetryArguments,
    output: &Output,
) -> Result<Exit, Failure> {
    let run = find(to, &arguments.of.run).await?;
    let body = Retry {
        max_cost_usd: arguments.max_cost,
    };
    let request = Request::post(paths::retry(run.id), &body)?.once(&unique()?);
    shown(to.ask(&request).await?, output)
}

/// `rescore`.
pub async fn rescore(
    to: &Deployment,
    arguments: &RescoreArguments,
    output: &Output,
) -> Result<Exit, Failure> {
    let run = find(to, &arguments.of.run).await?;
    let body = NewScoring {
        normalizer: arguments.normalizer.clone(),
    };
    if let Some(name) = &arguments.normalizer {
        normaliser(name)?;
    }
    let request = Request::post(paths::rescore(run.id), &body)?.once(&unique()?);
    let run: Run = to.ask(&request).await?;
    let with = arguments.normalizer.as_deref();
    output.note(&format!(
        "note: the scoring{} is under way; figures are those of before until it is complete: \
         stt-eval report {}",
        with.map_or(String::new(), |name| format!(" with {name}")),
        run.id
    ));
    shown(run, output)
}
