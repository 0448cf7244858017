//! `runs`, `status`, `cancel`, `retry`, `rescore`; and which run is meant.

use serde::Serialize;
use stt_eval_domain::{RunId, Timestamp};
use stt_eval_wire::paths;
use stt_eval_wire::report::NewScoring;
use stt_eval_wire::runs::{Retry, Run, RunStatus, Waiting, WaitingReason};

use super::Document;
use super::lists::{name, table, tell_more};
use crate::arguments::{OneRun, RescoreArguments, RetryArguments, RunsArguments};
use crate::columns::with_words_last;
use crate::deployment::{Deployment, Request, as_commands, unique};
use crate::failure::{Exit, Failure};
use crate::journal;
use crate::normalise::normaliser;
use crate::output::Output;
use crate::score::CountsOf;

/// Runs that are looked through for a name.
const LOOKED_THROUGH: usize = 1_000;

/// So many of several runs are named.
const NAMED: usize = 5;

/// The run that is meant: an id, the beginning of one name, or `latest`.
///
/// # Errors
/// There is none, or there are several.
pub async fn find(to: &Deployment, text: &str) -> Result<Run, Failure> {
    let text = match text {
        "" => {
            let message = "no run is named: it takes an id, the beginning of a name, or `latest`";
            return Err(Failure::usage(message).hint("stt-eval runs lists them"));
        }
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
            let ids = several.iter().take(NAMED).map(|run| run.id.to_string());
            let ids: Vec<String> = ids.collect();
            let called = match exact {
                0 => "have a name that begins with",
                _ => "are called",
            };
            let message = format!(
                "{} runs {called} {text:?}: {}{}",
                several.len(),
                ids.join(", "),
                if several.len() > NAMED { ", …" } else { "" }
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
    let (runs, more) = to.some::<Run>(&request, arguments.list.limit.get()).await?;
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

/// What clips wait for, in a word or two: a column of a table that has 80 in all. `status` tells
/// it in a sentence.
fn in_short(waiting: &Waiting) -> &str {
    match waiting.waiting_reason {
        WaitingReason::ProviderBatchesFull
        | WaitingReason::ProviderCallsFull
        | WaitingReason::ProviderStorageFull
        | WaitingReason::ModelQueueFull => "queued",
        WaitingReason::ProviderRateLimited => "held back",
        WaitingReason::ProviderOutOfCredit => "no credit",
        WaitingReason::ProviderKeyRefused => "key refused",
        WaitingReason::ProviderUnreachable => "unreachable",
        WaitingReason::AnswerUnusable => "bad answer",
        WaitingReason::SendingAudio => "sending",
        WaitingReason::AudioUnreadable => "bad audio",
        WaitingReason::SubmissionUnconfirmed => "unconfirmed",
        WaitingReason::Resubmitting => "sent again",
        WaitingReason::Other => "not sent",
    }
}

/// When it is tried again.
fn next_try(waiting: &Waiting, now: Timestamp) -> String {
    match waiting.next_attempt_at {
        None => String::new(),
        Some(at) if at <= now => ", again now".to_owned(),
        // Minutes are exact enough.
        Some(at) => match at.since(now).as_secs() {
            seconds @ ..90 => format!(", again in {seconds} s"),
            seconds @ ..5_400 => format!(", again in {} min", seconds.div_ceil(60)),
            seconds => format!(", again in {} h", seconds.div_ceil(3_600)),
        },
    }
}

/// A table of a run: what each model has achieved so far, and what waits for what.
pub fn progress(run: &Run, now: Timestamp) -> Vec<String> {
    let mut rows = vec![
        ["model", "done", "failed", "WER so far", "waiting"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let each = run.total_items / (run.providers.len().max(1) as u64);
    for model in &run.providers {
        let score = run.score.as_ref().and_then(|all| all.get(model)?.as_ref());
        let none = || "–".to_owned();
        let (done, failed) = match (run.model_counts.get(model), score) {
            (Some(counts), _) => (
                (counts.completed + counts.failed).to_string(),
                counts.failed.to_string(),
            ),
            // Of an older deployment.
            (None, Some(score)) => (
                (u64::from(score.completed) + u64::from(score.failed)).to_string(),
                score.failed.to_string(),
            ),
            (None, None) if run.counts.pending == 0 => (each.to_string(), none()),
            (None, None) => (none(), none()),
        };
        let words = score.map(|score| CountsOf::from(&score.all));
        let wer = crate::score::shown(score.map(|score| score.all.wer), words);
        let own = run.waiting.iter().flatten();
        let own = own.filter(|one| one.provider == *model);
        let told = |one: &Waiting| format!("{} {}{}", one.items, in_short(one), next_try(one, now));
        let waiting: Vec<String> = own.map(told).collect();
        let waiting = match waiting.is_empty() {
            true => "–".to_owned(),
            false => waiting.join("; "),
        };
        rows.push(vec![
            model.clone(),
            format!("{done}/{each}"),
            failed,
            wer,
            waiting,
        ]);
    }
    with_words_last(&rows).lines().map(str::to_owned).collect()
}

/// What is waited for as sentences; of what a person must do something about, or all.
pub fn waits(run: &Run, is_all: bool) -> Vec<String> {
    let told = |one: &&Waiting| is_all || one.waiting_reason.needs_a_person();
    let all = run.waiting.iter().flatten().filter(told);
    all.map(|one| format!("  {}: {} wait: {}", one.provider, one.items, one.message))
        .collect()
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
    let lines = progress(run, Timestamp::now());
    for line in lines.into_iter().chain(waits(run, true)) {
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
    if !goes_on(&run) && run.counts.failed + run.counts.pending == 0 {
        let message = "no result of the run has failed: there is nothing to retry";
        return Err(Failure::new(Exit::Nothing, "nothing", message));
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_waits_stands_beside_its_model() {
        let at = |text: &str| -> Timestamp { serde_json::from_value(json!(text)).unwrap() };
        let now = at("2026-11-29T10:00:00.000Z");
        let run: Run = serde_json::from_value(json!({
            "id": "run_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "run_name": "r",
            "dataset_id": "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "dataset_name": "d", "type": "stt",
            "language": "hi", "providers": ["a", "b"], "status": "processing",
            "total_items": 810, "counts": {"pending": 195, "completed": 614, "failed": 1},
            "model_counts": {
                "a": {"pending": 0, "completed": 404, "failed": 1},
                "b": {"pending": 195, "completed": 210, "failed": 0}
            },
            "score": null, "error_message": null, "warnings": [], "round": 1, "asked_again": 0,
            "scorings": [], "inserted_at": now, "updated_at": now, "finished_at": null,
            "waiting": [
                {
                    "provider": "b", "waiting_reason": "model_queue_full", "message": "It is full",
                    "items": 190, "next_attempt_at": "2026-11-29T10:01:30.000Z"
                },
                {
                    "provider": "b", "waiting_reason": "provider_key_refused",
                    "message": "Replace it", "items": 5, "next_attempt_at": null
                }
            ]
        }))
        .unwrap();
        assert_eq!(
            progress(&run, now),
            [
                "  model     done  failed  WER so far  waiting",
                "  a      405/405       1           –  –",
                "  b      210/405       0           –  190 queued, again in 2 min; 5 key refused",
            ]
        );
        assert_eq!(waits(&run, false), ["  b: 5 wait: Replace it"]);
        // Where nothing waits the column stays where it was.
        let idle = Run {
            waiting: None,
            ..run.clone()
        };
        let lines = progress(&idle, now);
        assert_eq!(lines[1], "  a      405/405       1           –  –");
        // On a usual terminal nothing of it is cut, whatever a model waits for.
        let mut long = serde_json::to_value(&run).unwrap().to_string();
        long = long.replace("\"b\"", "\"gemini-2.5-flash\"");
        for reason in [
            "model_queue_full",
            "provider_rate_limited",
            "provider_unreachable",
            "submission_unconfirmed",
        ] {
            let told = long.replace("model_queue_full", reason);
            let mut run: Run = serde_json::from_str(&told).unwrap();
            run.waiting
                .iter_mut()
                .flatten()
                .for_each(|one| one.items = 195);
            run.waiting.iter_mut().for_each(|all| all.truncate(1));
            let lines = progress(&run, now);
            assert!(
                lines.iter().all(|line| line.chars().count() <= 80),
                "{lines:?}"
            );
        }
        assert_eq!(waits(&run, true).len(), 2);
    }
}
