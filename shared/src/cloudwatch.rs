//! The metrics of this service in `CloudWatch`: which there are, and what they are
//! told of. How they get there is [`crate::emf`]'s.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::failure::FailureCode;
use crate::domain::run::Run;
use crate::domain::unit::{Blocked, Unit, UnitKey};
use crate::domain::{ProjectId, RunId, Timestamp};
use crate::emf::{Ids, Metric, emit};

const fn metric(name: &'static str, unit: &'static str, by: Option<&'static str>) -> Metric {
    Metric {
        name,
        unit,
        by,
        total: false,
    }
}

impl Metric {
    const fn also_in_total(mut self) -> Self {
        self.total = true;
        self
    }
}

/// Runs that were accepted.
pub const RUNS_ACCEPTED: Metric = metric("RunsAccepted", "Count", None);
/// Runs that reached an end, by what it was.
pub const RUNS_FINISHED: Metric = metric("RunsFinished", "Count", Some("Status"));
/// From a run's acceptance to its end.
pub const RUN_DURATION: Metric = metric("RunDuration", "Seconds", None);
/// Items that got a transcription.
pub const ITEMS_COMPLETED: Metric = metric("ItemsCompleted", "Count", None);
/// Items that failed, by the code that clients see.
pub const ITEMS_FAILED: Metric = metric("ItemsFailed", "Count", Some("Code")).also_in_total();
/// Items that failed inside the provider and were asked for once more.
pub const ITEMS_ASKED_AGAIN: Metric = metric("ItemsAskedAgain", "Count", None);
/// Times that a unit was refused for something that only a person can put right, by
/// the code that its items would fail with in the end.
pub const ACTION_NEEDED: Metric = metric("ActionNeeded", "Count", Some("Code")).also_in_total();
/// From a batch's creation until it was seen to have ended.
pub const PROVIDER_LATENCY: Metric = metric("ProviderLatency", "Seconds", Some("Provider"));
/// What providers charge for it, in US dollars.
pub const COST: Metric = metric("CostUsd", "None", None);
/// Age of the oldest unfinished run that a poll came by.
pub const OLDEST_RUN: Metric = metric("OldestUnfinishedRun", "Seconds", None);
/// Age of the oldest accepted run without units that a poll came by.
pub const OLDEST_OUTBOX: Metric = metric("OldestOutbox", "Seconds", None);
/// How late the most overdue piece of work was.
pub const MOST_OVERDUE: Metric = metric("MostOverdue", "Seconds", None);
/// Pieces of work that a poll could not do.
pub const POLL_ERRORS: Metric = metric("PollErrors", "Count", None);

/// Batches that a provider has for items of which another batch is recorded, or
/// none: paid for twice. Each counts once.
pub const DUPLICATE_BATCHES: Metric = metric("DuplicateBatches", "Count", None);
/// Batches that did not come to an end and were made once more.
pub const BATCHES_RESUBMITTED: Metric = metric("BatchesResubmitted", "Count", None);
/// Times a batch was seen in a state that this version does not know.
pub const UNKNOWN_BATCH_STATES: Metric = metric("UnknownBatchStates", "Count", None);
/// Lines of outputs with a key that no item of their batch has.
pub const UNKNOWN_KEYS: Metric = metric("UnknownKeys", "Count", None);

/// All of them.
pub const ALL: [Metric; 17] = [
    RUNS_ACCEPTED,
    RUNS_FINISHED,
    RUN_DURATION,
    ITEMS_COMPLETED,
    ITEMS_FAILED,
    ITEMS_ASKED_AGAIN,
    ACTION_NEEDED,
    PROVIDER_LATENCY,
    COST,
    OLDEST_RUN,
    OLDEST_OUTBOX,
    MOST_OVERDUE,
    POLL_ERRORS,
    DUPLICATE_BATCHES,
    BATCHES_RESUBMITTED,
    UNKNOWN_BATCH_STATES,
    UNKNOWN_KEYS,
];

/// What one cycle of the schedule saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CycleFigures {
    /// Age of the oldest unfinished run it came by.
    pub oldest_run: Duration,
    /// Age of the oldest accepted run without units it came by.
    pub oldest_outbox: Duration,
    /// How late the most overdue piece was.
    pub most_overdue: Duration,
    /// Pieces of work that failed and come again.
    pub errors: u32,
}

impl CycleFigures {
    /// Takes note of an unfinished run.
    ///
    /// A run is as old as its acceptance; in a later round it counts from its
    /// last change, for its acceptance may be long ago and was no failure.
    pub fn saw(&mut self, run: &Run, now: Timestamp) {
        if !run.status.is_active() || run.deleting {
            return;
        }
        let began = if run.round == 1 {
            run.inserted_at
        } else {
            run.updated_at
        };
        self.oldest_run = self.oldest_run.max(now.since(began));
        if run.units_total.is_none() {
            self.oldest_outbox = self.oldest_outbox.max(now.since(run.updated_at));
        }
    }
}

/// A run was accepted, or tried again.
pub fn run_accepted(run: &Run) {
    let ids: Ids<'_> = &[("project_id", &run.project), ("run_id", &run.id)];
    emit(None, &[(RUNS_ACCEPTED, 1.0)], ids);
}

/// A run reached an end by this change. Says nothing of one that has not.
pub fn run_finished(run: &Run) {
    let Some(end) = run.finished_at.filter(|_| !run.status.is_active()) else {
        return;
    };
    let ids: Ids<'_> = &[("project_id", &run.project), ("run_id", &run.id)];
    let status = Some(("Status", run.status.as_str()));
    emit(status, &[(RUNS_FINISHED, 1.0)], ids);
    if run.asked_round() == 1 {
        let seconds = end.since(run.inserted_at).as_secs_f64();
        emit(None, &[(RUN_DURATION, seconds)], ids);
    }
}

/// A unit waits for a person to act at its vendor.
pub fn action_needed(unit: &Unit, blocked: Blocked) {
    let ids: Ids<'_> = &[
        ("project_id", &unit.project),
        ("run_id", &unit.run),
        ("unit_id", &unit.key),
        ("provider", &unit.vendor),
    ];
    let by = Some(("Code", blocked.code().as_str()));
    emit(by, &[(ACTION_NEEDED, 1.0)], ids);
}

/// A unit's outcomes were counted.
pub fn unit_collected<'a>(
    unit: &Unit,
    completed: u32,
    failed: impl Iterator<Item = &'a str>,
    cost_micro_usd: u64,
) {
    let ids: Ids<'_> = &[
        ("project_id", &unit.project),
        ("run_id", &unit.run),
        ("unit_id", &unit.key),
    ];
    let cost = cost_micro_usd as f64 / 1e6;
    emit(
        None,
        &[(ITEMS_COMPLETED, f64::from(completed)), (COST, cost)],
        ids,
    );
    let mut codes: BTreeMap<&str, u32> = BTreeMap::new();
    for code in failed {
        *codes.entry(bounded(code)).or_default() += 1;
    }
    for (code, count) in codes {
        emit(
            Some(("Code", code)),
            &[(ITEMS_FAILED, f64::from(count))],
            ids,
        );
    }
}

/// The value that counts a code: one for each of this release, but one for all
/// of a model's filters, and whatever else there is as `other`. A vendor must not
/// be able to make metrics.
fn bounded(code: &str) -> &'static str {
    match FailureCode::of(code) {
        Some(known) => known.metric(),
        None if code.starts_with("blocked_") => "blocked",
        None => "other",
    }
}

/// A batch was seen to have ended.
pub fn batch_ended(unit: &Unit, submitted_at: Timestamp) {
    let ids: Ids<'_> = &[
        ("project_id", &unit.project),
        ("run_id", &unit.run),
        ("unit_id", &unit.key),
    ];
    let seconds = Timestamp::now().since(submitted_at).as_secs_f64();
    let provider = Some(("Provider", unit.vendor.as_str()));
    emit(provider, &[(PROVIDER_LATENCY, seconds)], ids);
}

/// Something about a unit that should not happen, so many times.
pub fn anomaly(metric: Metric, project: &ProjectId, run: RunId, unit: UnitKey, times: usize) {
    let ids: Ids<'_> = &[
        ("project_id", project),
        ("run_id", &run),
        ("unit_id", &unit),
    ];
    emit(None, &[(metric, times as f64)], ids);
}

/// A poll is through. Also tells that there was nothing, so that an alarm has
/// something to go by.
pub fn polled(figures: &CycleFigures) {
    let values = [
        (OLDEST_RUN, figures.oldest_run.as_secs_f64()),
        (OLDEST_OUTBOX, figures.oldest_outbox.as_secs_f64()),
        (MOST_OVERDUE, figures.most_overdue.as_secs_f64()),
        (POLL_ERRORS, f64::from(figures.errors)),
    ];
    emit(None, &values, &[]);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::emf::line;

    #[test]
    fn failed_items_are_told_by_code_and_in_total() {
        let now = Timestamp::from_millis(1_763_908_305_007);
        let by = Some(("Code", "provider_failed"));
        let text = line("s", now, by, &[(ITEMS_FAILED, 2.0)], &[]);
        let value: Value = serde_json::from_str(&text).unwrap();
        let definition = &value["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(
            definition["Dimensions"],
            json!([["Stack", "Code"], ["Stack"]])
        );
        assert_eq!(value["Code"], json!("provider_failed"));
        let text = line("s", now, None, &[(ITEMS_COMPLETED, 2.0)], &[]);
        let value: Value = serde_json::from_str(&text).unwrap();
        let definition = &value["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(definition["Dimensions"], json!([["Stack"]]));
    }

    #[test]
    fn codes_are_few() {
        assert_eq!(bounded("provider_missing"), "provider_missing");
        assert_eq!(bounded("blocked_safety"), "blocked");
        assert_eq!(bounded("a code from outside"), "other");
        assert_eq!(bounded("blocked_by_a_later_release"), "blocked");
    }

    /// A run without units yet.
    fn accepted() -> Run {
        let at = Timestamp::from_millis(1_800_000_000_000);
        Run {
            id: RunId::mint(1, [1; 10]),
            project: "demo".parse().unwrap(),
            name: "run".into(),
            dataset: crate::domain::DatasetId::mint(1, [2; 10]),
            dataset_name: "dataset".into(),
            language: "ta".into(),
            sample_count: 2,
            status: crate::domain::run::RunStatus::Pending,
            models: Vec::new(),
            normalizer: "v1".into(),
            generation: 1,
            round: 1,
            automatic: false,
            joining: None,
            lossless_flac: None,
            blind_review: false,
            cost_cap: None,
            units_total: None,
            units_done: 0,
            error_message: None,
            deleting: false,
            closing: false,
            inserted_at: at,
            updated_at: at,
            finished_at: None,
            due_at: None,
            scorings: Default::default(),
            rev: 1,
        }
    }

    #[test]
    fn a_poll_tells_the_age_of_the_oldest_run_and_of_the_oldest_without_units() {
        let run = accepted();
        let minute = |n: u64| Duration::from_secs(n * 60);
        let now = run.inserted_at + minute(10);
        let seen = |run: &Run, now| {
            let mut figures = CycleFigures::default();
            figures.saw(run, now);
            (figures.oldest_run, figures.oldest_outbox)
        };
        assert_eq!(seen(&run, now), (minute(10), minute(10)));
        let planned = Run {
            units_total: Some(1),
            updated_at: run.inserted_at + minute(4),
            ..run.clone()
        };
        assert_eq!(seen(&planned, now), (minute(10), minute(0)));
        let retried = Run {
            round: 2,
            units_total: None,
            ..planned.clone()
        };
        assert_eq!(seen(&retried, now), (minute(6), minute(6)));
        let deleted = Run {
            deleting: true,
            ..run.clone()
        };
        assert_eq!(seen(&deleted, now), (minute(0), minute(0)));
        let ended = Run {
            status: crate::domain::run::RunStatus::Completed,
            ..run.clone()
        };
        assert_eq!(seen(&ended, now), (minute(0), minute(0)));

        let mut figures = CycleFigures::default();
        for run in [&planned, &retried, &run] {
            figures.saw(run, now);
        }
        assert_eq!(
            (figures.oldest_run, figures.oldest_outbox),
            (minute(10), minute(10))
        );
    }
}
