//! Collection in two durable steps: land the raw output, then score it from
//! there. Either may be done again; the second never asks the provider.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::result::{Outcome, ResultStatus};
use stt_eval_shared::domain::run::{Run, Tally};
use stt_eval_shared::domain::unit::{Ending, Event, Unit, UnitState};
use stt_eval_shared::domain::{ResultId, RunId, Timestamp};
use stt_eval_shared::metrics;
use stt_eval_shared::objects::{ObjectError, run_prefix};
use stt_eval_shared::providers::{
    BatchProvider, Credential, ItemOutcome, OutputLine, Usage, catalogue,
};
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::scoring::{SampleScore, score};
use stt_eval_shared::store::StoreError;

use super::lines::{Line, MAX_LINE, next};
use super::{Failure, client, credential, save, units};

/// Most bytes of transcription and reference in one outcome: DynamoDB takes
/// items of 400 KB, and the rest of an outcome is small.
const MAX_TEXT_BYTES: usize = 380_000;

/// Collects a unit that is in `collecting`.
pub(crate) async fn collect(app: &App, unit: Unit) -> Result<(), Failure> {
    let UnitState::Collecting { ending, fence, .. } = unit.state.clone() else {
        return Ok(());
    };
    let run = app.store.run(&unit.project, unit.run).await?;
    let Some(run) = run.filter(|run| run.counts(unit.key)) else {
        return save(app, &unit, Event::Cancel).await.map(drop);
    };
    let (items, reason) = match &ending {
        Ending::Nothing {
            code,
            message,
            retryable,
        } => (
            HashMap::new(),
            Failed {
                code: code.clone(),
                message: message.clone(),
                retryable: *retryable,
            },
        ),
        Ending::Output { output } => match land(app, &run, &unit, output).await? {
            Some(key) => (read(app, &unit, &key).await?, Failed::missing()),
            None => (HashMap::new(), Failed::gone()),
        },
    };
    let samples = app
        .store
        .samples_in(&unit.project, run.dataset, &unit.spans)
        .await?;
    let outcomes = Scoring::new(&run, &unit)?.outcomes(&samples, items, &reason);
    app.store
        .write_outcomes(&unit.project, &outcomes.outcomes)
        .await?;
    // Before the unit is done: who dies in between collects again, from what has
    // landed. Afterwards nobody would come back for what is left.
    forget(app, &unit, &ending).await?;
    finish(app, &unit, fence, &outcomes).await
}

/// Records the unit and what it adds to its run, together. Other units and
/// reviewers change the run meanwhile, so this repeats until it fits.
async fn finish(app: &App, unit: &Unit, fence: u64, all: &Outcomes) -> Result<(), Failure> {
    let tally = &all.tally;
    let now = Timestamp::now();
    let Ok(step) = unit.step(Event::Collected { fence }, now, &app.config.policy) else {
        return Ok(());
    };
    for attempt in 1..=20u64 {
        let run = app.store.run(&unit.project, unit.run).await?;
        let Some(run) = run.filter(|run| run.counts(unit.key)) else {
            return save(app, unit, Event::Cancel).await.map(drop);
        };
        let next = run.with_unit(unit.key, tally, Timestamp::now());
        match app.store.save_collected(&step.unit, &next).await {
            Ok(()) => {
                tracing::info!(
                    run_id = %unit.run, unit = %unit.key, project_id = %unit.project,
                    completed = tally.completed, failed = tally.failed,
                    run_status = next.status.as_str(), "a unit was collected"
                );
                let codes = all.outcomes.iter().filter_map(|o| o.error_code.as_deref());
                metrics::unit_collected(unit, tally.completed, codes, tally.cost_micro_usd);
                if run.status.is_active() {
                    metrics::run_finished(&next);
                }
                return Ok(());
            }
            Err(StoreError::Conflict) => {
                let stored = app.store.unit(&unit.project, unit.run, unit.key).await?;
                if stored.is_none_or(|stored| stored.rev != unit.rev) {
                    // Taken over: the other one's outcomes are the same.
                    return Ok(());
                }
                tokio::time::sleep(std::time::Duration::from_millis(10 * attempt)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}

/// Lands the raw output; gives its key. `None` when the provider has none.
async fn land(app: &App, run: &Run, unit: &Unit, output: &str) -> Result<Option<String>, Failure> {
    let key = format!(
        "{}{}/a{}/output.jsonl",
        run_prefix(&unit.project, unit.run),
        unit.key,
        unit.attempt
    );
    match app.objects.head(&key, None).await {
        Ok(_) => return Ok(Some(key)),
        Err(ObjectError::Missing) => {}
        Err(error) => return Err(error.into()),
    }
    let Some(credential) = unit_credential(app, unit).await? else {
        return Ok(None);
    };
    let stream = match client(app, &unit.provider)?
        .download(&credential, output)
        .await
    {
        Ok(stream) => stream,
        Err(error) if units::is_unknown(&error) => return Ok(None),
        // New credentials may still come; but not for ever.
        Err(error) if units::is_unauthorized(&error) => {
            let patience = app.config.policy.deadline * 2;
            if Timestamp::now().since(run.inserted_at) < patience {
                return Err(error.into());
            }
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    app.objects
        .put_stream(&key, "application/jsonl", stream)
        .await?;
    Ok(Some(key))
}

async fn unit_credential(app: &App, unit: &Unit) -> Result<Option<Credential>, Failure> {
    let id = unit.credential.as_deref().unwrap_or_default();
    credential(app, &unit.project, &unit.provider, id).await
}

/// Reads landed output by key. The first line of a key counts; lines of
/// unknown keys and unreadable ones are counted and told.
async fn read(
    app: &App,
    unit: &Unit,
    key: &str,
) -> Result<HashMap<ResultId, ItemOutcome>, Failure> {
    let client: &dyn BatchProvider = client(app, &unit.provider)?;
    let wanted: BTreeSet<ResultId> = unit
        .positions()
        .map(|position| ResultId::new(unit.run, unit.key.provider, position))
        .collect();
    let mut reader = app.objects.reader(key).await?;
    let mut items = HashMap::new();
    let (mut unknown, mut repeated, mut malformed) = (0u32, 0u32, 0u32);
    while let Some(line) = next(&mut reader, MAX_LINE).await? {
        let Line::Whole(line) = line else {
            malformed += 1;
            continue;
        };
        match client.parse_line(&line) {
            OutputLine::Blank => {}
            OutputLine::Malformed { .. } => malformed += 1,
            OutputLine::Item { key, outcome } => {
                match key
                    .parse::<ResultId>()
                    .ok()
                    .filter(|id| wanted.contains(id))
                {
                    None => unknown += 1,
                    Some(id) if items.contains_key(&id) => repeated += 1,
                    Some(id) => {
                        items.insert(id, outcome);
                    }
                }
            }
        }
    }
    if unknown + repeated + malformed > 0 {
        tracing::warn!(run_id = %unit.run, unit = %unit.key, unknown, repeated, malformed, "an output has odd lines");
    }
    Ok(items)
}

/// Forgets what the provider keeps for the batch. The outcomes are safe, so a
/// failure here is only told: the provider forgets by itself after two days.
async fn forget(app: &App, unit: &Unit, ending: &Ending) -> Result<(), Failure> {
    if let Some(id) = &unit.credential {
        let (project, provider) = (&unit.project, &*unit.provider);
        app.store
            .give_back_slot(project, provider, id, unit.run, unit.key)
            .await?;
    }
    let Some(credential) = unit_credential(app, unit).await? else {
        return Ok(());
    };
    let client = client(app, &unit.provider)?;
    let output = match ending {
        Ending::Output { output } => Some(output),
        Ending::Nothing { .. } => None,
    };
    for name in unit.batch_input.iter().chain(output) {
        if let Err(error) = client.delete_file(&credential, name).await {
            tracing::warn!(run_id = %unit.run, unit = %unit.key, %error, "a file stays at the provider");
        }
    }
    Ok(())
}

/// Why an item without a line failed.
struct Failed {
    code: String,
    message: String,
    retryable: bool,
}

impl Failed {
    fn missing() -> Self {
        Self {
            code: "provider_missing".into(),
            message: "the provider's output has no line for this item".into(),
            retryable: true,
        }
    }

    fn gone() -> Self {
        Self {
            code: "provider_lost".into(),
            message: "the provider no longer has the output".into(),
            retryable: true,
        }
    }
}

struct Outcomes {
    outcomes: Vec<Outcome>,
    tally: Tally,
}

/// Scores the items of a unit.
struct Scoring<'a> {
    unit: &'a Unit,
    model: &'static catalogue::Model,
    normaliser: Normaliser,
    /// Number of the run's scoring that counts.
    scoring: u16,
    now: Timestamp,
}

impl<'a> Scoring<'a> {
    fn new(run: &Run, unit: &'a Unit) -> Result<Self, Failure> {
        let provider = run.providers.get(usize::from(unit.key.provider));
        let model = provider.and_then(|provider| catalogue::find(&provider.model));
        Ok(Self {
            unit,
            model: model.ok_or(Failure::Setup("a run's model is unknown here"))?,
            normaliser: Normaliser::by_name(run.current_normalizer())
                .ok_or(Failure::Setup("a run's normaliser is unknown here"))?,
            scoring: run.scorings.current,
            now: Timestamp::now(),
        })
    }

    fn outcomes(
        &self,
        samples: &[Sample],
        mut items: HashMap<ResultId, ItemOutcome>,
        reason: &Failed,
    ) -> Outcomes {
        let unsent: BTreeMap<u16, _> = self
            .unit
            .unsent
            .iter()
            .map(|item| (item.position, item))
            .collect();
        let mut all = Outcomes {
            outcomes: Vec::with_capacity(samples.len()),
            tally: Tally::default(),
        };
        for sample in samples {
            let position = sample.id.position();
            let id = ResultId::new(self.unit.run, self.unit.key.provider, position);
            let item = items
                .remove(&id)
                .unwrap_or_else(|| match unsent.get(&position) {
                    Some(item) => failed(&item.code, &item.message, item.retryable),
                    None => failed(&reason.code, &reason.message, reason.retryable),
                });
            self.one(id, sample, item, &mut all);
        }
        // A sample that is gone still was an item of the run.
        let gone = self.unit.len().saturating_sub(samples.len());
        all.tally.failed += u32::try_from(gone).unwrap_or(u32::MAX);
        all
    }

    fn one(&self, id: ResultId, sample: &Sample, item: ItemOutcome, all: &mut Outcomes) {
        let (text, usage, model_version, error) = match bounded(item, sample) {
            ItemOutcome::Transcribed {
                text,
                model_version,
                usage,
            } => (Some(text), usage, model_version, None),
            ItemOutcome::Failed {
                code,
                message,
                retryable,
                usage,
                model_version,
            } => (None, usage, model_version, Some((code, message, retryable))),
        };
        let cost = self
            .model
            .cost_usd(&usage, time::OffsetDateTime::from(self.now).date());
        let cost_micro_usd = (cost * 1e6).round() as u64;
        let hypothesis = text.as_deref().unwrap_or_default();
        let score = score_sample(self.unit.run, sample, hypothesis, &self.normaliser);
        let tally = &mut all.tally;
        match (&text, &score) {
            (Some(_), Some(score)) => tally.sums.add(score),
            (None, Some(score)) => tally.sums.add_failure(&score.reference_size()),
            (_, None) => {}
        }
        let scored = score.filter(|_| text.is_some());
        let (error_code, error_message, retryable) = match error {
            Some((code, message, retryable)) => (Some(code), Some(message), retryable),
            None => (None, None, false),
        };
        let outcome = Outcome {
            id,
            round: self.unit.key.round,
            file_id: sample.file_id,
            ground_truth: sample.ground_truth.clone(),
            reference_version: sample.reference_version,
            language: sample.language.clone(),
            transcription: text,
            score: scored,
            error_code,
            error_message,
            scoring: self.scoring,
            retryable,
            model_version: model_version.clone(),
            usage,
            cost_micro_usd,
            inserted_at: self.now,
        };
        match outcome.status() {
            ResultStatus::Completed => tally.completed += 1,
            ResultStatus::Failed | ResultStatus::Pending => tally.failed += 1,
        }
        tally.cost_micro_usd += cost_micro_usd;
        if let Some(version) = model_version
            && !tally.model_versions.contains(&version)
        {
            tally.model_versions.push(version);
        }
        all.outcomes.push(outcome);
    }
}

/// Scores a transcription. `None` without a reference, or when the pair is
/// beyond scoring.
pub(crate) fn score_sample(
    run: RunId,
    sample: &Sample,
    hypothesis: &str,
    normaliser: &Normaliser,
) -> Option<SampleScore> {
    let reference = sample.ground_truth.as_deref()?;
    let duration = Some(sample.duration_seconds);
    match score(
        reference,
        hypothesis,
        &sample.language,
        normaliser,
        duration,
    ) {
        Ok(score) => Some(score),
        Err(error) => {
            tracing::warn!(sample_id = %sample.id, run_id = %run, %error, "a transcription was not scored");
            None
        }
    }
}

/// A transcription that can't be kept beside its reference fails: hours of
/// speech, or a model that repeats itself. The raw output stays in the bucket.
fn bounded(item: ItemOutcome, sample: &Sample) -> ItemOutcome {
    match item {
        ItemOutcome::Transcribed {
            text,
            model_version,
            usage,
        } if text.len() + sample.ground_truth.as_ref().map_or(0, String::len) > MAX_TEXT_BYTES => {
            ItemOutcome::Failed {
                code: "output_too_long".into(),
                message: format!(
                    "the transcription has {} bytes; with its reference that is more than the \
                     {MAX_TEXT_BYTES} that can be kept",
                    text.len()
                ),
                retryable: false,
                usage,
                model_version,
            }
        }
        kept => kept,
    }
}

fn failed(code: &str, message: &str, retryable: bool) -> ItemOutcome {
    ItemOutcome::Failed {
        code: code.to_owned(),
        message: message.to_owned(),
        retryable,
        usage: Usage::default(),
        model_version: None,
    }
}
