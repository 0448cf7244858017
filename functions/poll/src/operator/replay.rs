//! Replaying units from their raw output: parsed and scored again, as this
//! release does it, and the run's counts put right.
//!
//! Only of runs that have ended and were not scored again since; nothing is
//! asked of a provider. What comes out as it is stored stays untouched, also its
//! time. What differs is written in one transaction with the run, whose counts
//! are counted anew from all outcomes of the model: a reader sees both or
//! neither, and a retry, a review or a deletion in between makes it begin again.
//! Reviews lie beside outcomes and stay.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::{Value, json};
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::result::Outcome;
use stt_eval_shared::domain::run::{Run, RunStatus};
use stt_eval_shared::domain::unit::{Unit, UnitKey, UnitState};
use stt_eval_shared::domain::{ProjectId, ResultId, RunId, Timestamp};
use stt_eval_shared::objects::ObjectError;
use stt_eval_shared::store::results::{MAX_REPLAYED, StoredOutcome};
use stt_eval_shared::store::tries::Tries;
use stt_eval_shared::{App, Deadline};

use super::recount::count;
use crate::failure::Failure;
use crate::units::collect;
use crate::units::outcomes::{ItemLine, NoLine, UnitScorer};

/// Least time that must be left to begin another unit: a model of 10,000
/// samples is counted anew for each.
const NEEDED: Duration = Duration::from_secs(40);
/// Tries of a unit, whose run others change meanwhile.
const TRIES: u32 = 20;
/// Most bytes of outcomes in one transaction: DynamoDB takes 4 MB.
const MAX_BYTES: usize = 3_000_000;

/// What is to be replayed.
pub(crate) struct ReplayRequest {
    pub(crate) project: ProjectId,
    pub(crate) run: RunId,
    pub(crate) which: Which,
}

/// Which units of the run.
pub(crate) enum Which {
    One(UnitKey),
    From {
        after: Option<UnitKey>,
        limit: usize,
    },
}

/// Why a unit was not replayed.
enum Problem {
    /// It can't be; a sentence for the operator.
    Refused(String),
    /// It could not be now.
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn refused<T>(why: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Refused(why.into()))
}

/// What came of a unit.
#[derive(Debug, Default, PartialEq, Eq)]
struct Replayed {
    /// Items whose outcome was as it should be.
    unchanged: usize,
    /// Items whose outcome was written anew.
    changed: usize,
    /// Items that a later round has brought an outcome of.
    superseded: usize,
    /// Whether the run's counts were wrong.
    recounted: bool,
}

/// Replays what is wanted; gives the answer for the operator.
pub(crate) async fn replay(
    app: &App,
    wanted: &ReplayRequest,
    deadline: Deadline,
) -> Result<Value, String> {
    let (project, run) = (&wanted.project, wanted.run);
    let told = |problem| match problem {
        Problem::Refused(why) => why,
        Problem::Failed(error) => {
            format!("it could not be done now and may be tried again: {error}")
        }
    };
    // First of all, so that nothing is read of a run that is not there.
    allowed(app, project, run).await.map_err(told)?;
    let (mut units, mut rest) = (Vec::new(), None);
    match wanted.which {
        Which::One(key) => {
            let done = one(app, project, run, key).await.map_err(told)?;
            units.push(done.told(key));
        }
        Which::From { after, limit } => {
            let stored = app.store.units_of(project, run).await;
            let stored = stored.map_err(|error| told(error.into()))?;
            let mut keys: Vec<UnitKey> = stored.iter().map(|unit| unit.key).collect();
            keys.sort_unstable();
            keys.retain(|key| Some(*key) > after);
            let mut last = None;
            for key in keys {
                let begun = !units.is_empty();
                if units.len() >= limit || (begun && !deadline.allows(NEEDED)) {
                    rest = last;
                    break;
                }
                units.push(match one(app, project, run, key).await {
                    Ok(done) => done.told(key),
                    Err(Problem::Refused(why)) => {
                        json!({ "unit": key.to_string(), "skipped": why })
                    }
                    Err(problem) => {
                        let done = last.map_or("none".to_owned(), |key: UnitKey| key.to_string());
                        return Err(format!("{} (last done: {done})", told(problem)));
                    }
                });
                last = Some(key);
            }
        }
    }
    Ok(json!({
        "project": project,
        "run": run,
        "units": units,
        "continue_after": rest.map(|key| key.to_string()),
    }))
}

impl Replayed {
    fn told(&self, key: UnitKey) -> Value {
        json!({
            "unit": key.to_string(),
            "unchanged": self.unchanged,
            "changed": self.changed,
            "superseded": self.superseded,
            "recounted": self.recounted,
        })
    }
}

/// Replays a unit whose output came after it had ended. What may not be replayed
/// stays in the bucket.
pub(crate) async fn late(app: &App, unit: &Unit) -> Result<(), Failure> {
    match one(app, &unit.project, unit.run, unit.key).await {
        Ok(_) => Ok(()),
        Err(Problem::Refused(why)) => {
            tracing::error!(run_id = %unit.run, unit_id = %unit.key, why, "late results are kept, and not counted");
            Ok(())
        }
        Err(Problem::Failed(error)) => Err(error),
    }
}

/// The run, if it may be replayed.
async fn allowed(app: &App, project: &ProjectId, id: RunId) -> Result<Run, Problem> {
    let Some(run) = app.store.run(project, id).await? else {
        return refused(format!(
            "run: there is no {id} in {project}; it may have been deleted"
        ));
    };
    if run.status.is_active() {
        let status = run.status.as_str();
        return refused(format!(
            "run: it is {status} and can be replayed once it has ended"
        ));
    }
    if run.closing && run.status == RunStatus::Cancelled {
        return refused("run: it is still being stopped at the provider; try again in a moment");
    }
    if !run.scorings.later.is_empty() {
        return refused(
            "run: it was scored again since, and what is replayed would not be in that scoring; \
             retry its failed items, or make a new run",
        );
    }
    Ok(run)
}

/// Replays one unit.
async fn one(
    app: &App,
    project: &ProjectId,
    run: RunId,
    key: UnitKey,
) -> Result<Replayed, Problem> {
    let Some(unit) = app.store.unit(project, run, key).await? else {
        return refused(format!("unit: the run has no {key}"));
    };
    if !matches!(unit.state, UnitState::Collected | UnitState::Quarantined) {
        return refused(format!(
            "unit: {key} was never collected; there is nothing to replay"
        ));
    }
    if app.lines(&unit.vendor).is_none() {
        return refused(format!(
            "unit: {key} is of the provider {}, which is not there in this release or on this \
             machine, so its raw output can't be read",
            unit.vendor
        ));
    }
    let raw = collect::landed_at(&unit);
    match app.objects.head(&raw, None).await {
        Ok(_) => {}
        Err(ObjectError::Missing) => {
            return refused(format!("unit: there is no raw output of {key}"));
        }
        Err(error) => return Err(error.into()),
    }
    let items = collect::read(app, &unit, &raw, None).await?;
    let mut tries = Tries::of(TRIES);
    loop {
        let run = allowed(app, project, run).await?;
        match put_right(app, run, &unit, &items).await {
            Ok(done) => {
                tracing::info!(
                    run_id = %unit.run, unit = %key, project_id = %project, changed = done.changed,
                    recounted = done.recounted, "a unit was replayed"
                );
                return Ok(done);
            }
            // A review changed the run, or the clearing of what it left.
            Err(Problem::Failed(Failure::Store(error))) => tries.after(error).await?,
            Err(problem) => return Err(problem),
        }
    }
}

/// Compares, and writes what differs.
async fn put_right(
    app: &App,
    mut run: Run,
    unit: &Unit,
    items: &HashMap<ResultId, ItemLine>,
) -> Result<Replayed, Problem> {
    let samples = app
        .store
        .samples_in(&unit.project, run.dataset, &unit.spans)
        .await?;
    if samples.len() < unit.len() {
        return refused(format!("unit: samples of {} are gone", unit.key));
    }
    let mut stored: BTreeMap<u16, Vec<StoredOutcome>> = BTreeMap::new();
    for span in &unit.spans {
        let found = app
            .store
            .stored_outcomes(
                &unit.project,
                unit.run,
                unit.key.model,
                span.start,
                span.end,
            )
            .await?;
        for outcome in found {
            stored.entry(outcome.position).or_default().push(outcome);
        }
    }
    let (changes, mut done) = compare(app, &run, unit, &samples, &stored, items)?;
    let mut parts = parts(changes);
    if parts.is_empty() {
        // The counts may be wrong all the same.
        parts.push(Vec::new());
    }
    for part in parts {
        let counted = count(app, &run, unit.key.model, &part).await?;
        let next = run.recounted(unit.key.model, &counted, Timestamp::now());
        let Some(next) = next else {
            return refused("run: it has no such model");
        };
        let wrong = next.models != run.models || next.status != run.status;
        if part.is_empty() && !wrong {
            continue;
        }
        app.store.save_replayed(&part, &next).await?;
        done.recounted |= wrong;
        run = next;
    }
    Ok(done)
}

/// Outcomes of a unit that differ from what its raw output says.
fn compare(
    app: &App,
    run: &Run,
    unit: &Unit,
    samples: &[Sample],
    stored: &BTreeMap<u16, Vec<StoredOutcome>>,
    items: &HashMap<ResultId, ItemLine>,
) -> Result<(Vec<Outcome>, Replayed), Failure> {
    let scoring = UnitScorer::new(app, run, unit)?;
    let (mut items, reason) = (items.clone(), NoLine::missing(unit));
    let (mut changes, mut done) = (Vec::new(), Replayed::default());
    let now = Timestamp::now();
    for sample in samples {
        let rounds = stored
            .get(&sample.id.position())
            .map_or(&[][..], Vec::as_slice);
        if rounds.iter().any(|stored| stored.round > unit.key.round) {
            done.superseded += 1;
            continue;
        }
        let own = rounds.iter().find(|stored| stored.round == unit.key.round);
        let before = own.and_then(|stored| stored.outcome.as_ref());
        let item = scoring.item(sample, &mut items, &reason);
        let at = before.map_or(now, |before| before.inserted_at);
        let (mut outcome, _) = scoring.outcome(&as_scored(sample, before), item, at);
        if let Some(before) = before
            && before.usage == outcome.usage
            && scoring.is_priced_by_rate(at)
        {
            // It was told at the rate of its day, and the operator's may be another now.
            outcome.cost_micro_usd = before.cost_micro_usd;
        }
        // It would not be tried again: the round that could is over.
        let lost = run.is_open(&outcome) && before.is_some_and(|before| !run.is_open(before));
        if before == Some(&outcome) || lost {
            done.unchanged += 1;
        } else {
            done.changed += 1;
            changes.push(outcome);
        }
    }
    Ok((changes, done))
}

/// A sample with the reference that its outcome was scored against: people may
/// have changed it since.
fn as_scored(sample: &Sample, before: Option<&Outcome>) -> Sample {
    match before {
        Some(before) if before.reference_version != sample.reference_version => Sample {
            ground_truth: before.ground_truth.clone(),
            reference_version: before.reference_version,
            language: before.language.clone(),
            ..sample.clone()
        },
        _ => sample.clone(),
    }
}

/// Outcomes in parts that fit into a transaction each.
fn parts(outcomes: Vec<Outcome>) -> Vec<Vec<Outcome>> {
    let mut parts: Vec<Vec<Outcome>> = Vec::new();
    let mut bytes = usize::MAX;
    for outcome in outcomes {
        let texts = [&outcome.transcription, &outcome.ground_truth];
        // Score, ids and names are small beside the texts, or small at all.
        let size = 8_000
            + texts
                .iter()
                .copied()
                .flatten()
                .map(String::len)
                .sum::<usize>()
            + outcome.word_times.kept_bytes();
        match parts.last_mut() {
            Some(part) if part.len() < MAX_REPLAYED && bytes.saturating_add(size) <= MAX_BYTES => {
                part.push(outcome);
                bytes += size;
            }
            _ => {
                parts.push(vec![outcome]);
                bytes = size;
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use stt_eval_shared::domain::FileId;
    use stt_eval_shared::domain::word_times::WordTimes;
    use stt_eval_shared::providers::Usage;

    use super::*;

    fn outcome(position: u16, bytes: usize) -> Outcome {
        Outcome {
            id: ResultId::new(RunId::mint(1, [1; 10]), 0, position),
            round: 1,
            file_id: FileId::mint(1, [2; 10]),
            ground_truth: Some("g".repeat(bytes / 2)),
            reference_version: 1,
            language: "ta".into(),
            transcription: Some("t".repeat(bytes - bytes / 2)),
            word_times: WordTimes::default(),
            score: None,
            error_code: None,
            error_message: None,
            scoring: 1,
            retryable: false,
            passing: false,
            attempts: 1,
            model_version: None,
            usage: Usage::default(),
            cost_micro_usd: 0,
            latency_ms: None,
            inserted_at: Timestamp::default(),
        }
    }

    #[test]
    fn parts_fit_into_transactions_and_lose_nothing() {
        assert!(parts(Vec::new()).is_empty());
        for (count, bytes, wanted) in [
            (1, 10, 1),
            (99, 10, 1),
            (100, 10, 2),
            // As long as an outcome can be.
            (7, 380_000, 1),
            (8, 380_000, 2),
            (100, 380_000, 15),
        ] {
            let all: Vec<Outcome> = (0..count).map(|at| outcome(at, bytes)).collect();
            let parts = parts(all.clone());
            assert_eq!(parts.len(), wanted, "{count} of {bytes}");
            assert!(parts.iter().all(|part| part.len() <= MAX_REPLAYED));
            assert_eq!(parts.concat(), all);
        }
    }
}
