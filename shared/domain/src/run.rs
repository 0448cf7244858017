//! A run: several models over one dataset.
//!
//! Counts and sums live on the run and change only together with the unit
//! whose transition changes them, in one transaction. So the run's head is
//! right at any moment, and finishing is part of the last unit's transition.

use serde::{Deserialize, Serialize};

pub use super::cost_cap::CostCap;
use super::result::{Outcome, ResultStatus};
pub use super::run_model::{Passing, RunModel, Tally};
use super::scorings::Scorings;
use super::unit::key::UnitKey;
use super::unit::policy::Policy;
use super::{DatasetId, ProjectId, RunId, Timestamp};

/// Most providers in a run.
pub const MAX_PROVIDERS: usize = 16;
/// Longest prompt in characters.
pub const MAX_PROMPT_CHARS: usize = 8_000;
/// Most bytes of prompts on a run, of all its models together: they lie in one item with
/// everything else.
pub const MAX_PROMPT_BYTES: usize = 150_000;

/// Most rounds of a run, those that it begins by itself among them: outcomes are
/// told apart by two digits.
pub const MAX_ROUNDS: u16 = 99;

/// State of a run as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Accepted; nothing is at a provider yet.
    Pending,
    /// Work is under way.
    Processing,
    /// Every item has an outcome and at least one succeeded.
    Completed,
    /// Every item has an outcome and none succeeded.
    Failed,
    /// Stopped by people.
    Cancelled,
}

impl RunStatus {
    /// All of them, as filters name them.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Processing,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether work is still to come.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::Processing)
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The ids of its results are made of it.
    pub id: RunId,
    /// The project that owns it.
    pub project: ProjectId,
    /// Name given by people.
    pub name: String,
    /// The dataset whose samples it is over.
    pub dataset: DatasetId,
    /// Its name when the run was made.
    pub dataset_name: String,
    /// The dataset's language, a canonical BCP-47 tag.
    pub language: String,
    /// Samples, counted when the run was made.
    pub sample_count: u32,
    /// State, as clients see it.
    pub status: RunStatus,
    /// Its models, at most [`MAX_PROVIDERS`]; ids of results and units hold their index.
    #[serde(rename = "providers")]
    pub models: Vec<RunModel>,
    /// Name of the normaliser of its first scoring.
    pub normalizer: String,
    /// Changes when people cancel, retry or delete: older work stops.
    pub generation: u32,
    /// 1, and one more for each retry and for each round that follows by itself.
    pub round: u16,
    /// This round followed by itself, for items that failed for a reason that may
    /// pass. There is one at most after each that people asked for.
    #[serde(default)]
    pub automatic: bool,
    /// Index of the first of the models that are being added to a run which had
    /// ended: planning is for these alone, and all else stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joining: Option<u8>,
    /// Whether WAV is sent as FLAC where a model takes that, frozen when it was accepted.
    /// Without it, as in runs of earlier releases, the deployment's own setting holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lossless_flac: Option<bool>,
    /// Whether reviewers are told which model is which only once they have judged,
    /// whatever they choose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blind_review: bool,
    /// The most that it may cost, where people said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_cap: Option<CostCap>,
    /// Units of this round; `None` until they are planned.
    pub units_total: Option<u32>,
    /// Units of this round that are done.
    pub units_done: u32,
    /// Why it failed or waits, for people.
    pub error_message: Option<String>,
    /// Being deleted, and not shown any more.
    pub deleting: bool,
    /// It has ended, and what it keeps at providers is still to be cleared.
    pub closing: bool,
    /// When it was accepted.
    pub inserted_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it reached its end.
    pub finished_at: Option<Timestamp>,
    /// When the sweeper should look at it.
    pub due_at: Option<Timestamp>,
    /// How it was scored, and which scoring counts.
    #[serde(default)]
    pub scorings: Scorings,
    /// Revision, for conditional writes.
    pub rev: u64,
}

/// The run is not in a state that allows it; a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAllowed(pub String);

impl Run {
    /// Number of items: samples times models.
    #[must_use]
    pub fn total_items(&self) -> u64 {
        u64::from(self.sample_count) * self.models.len() as u64
    }

    /// Items with a transcription.
    #[must_use]
    pub fn completed(&self) -> u64 {
        self.models.iter().map(|p| u64::from(p.completed)).sum()
    }

    /// Items without a transcription that are not pending.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.models.iter().map(|p| u64::from(p.failed)).sum()
    }

    /// Items without an outcome.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.total_items()
            .saturating_sub(self.completed() + self.failed())
    }

    /// Whether a unit still belongs to what the run is doing.
    #[must_use]
    pub fn wants(&self, unit: UnitKey, generation: u32) -> bool {
        !self.deleting
            && self.status.is_active()
            && self.generation == generation
            && self.round == unit.round
    }

    /// Whether what a unit brings still counts. A collection that has begun
    /// may have written outcomes already, so it goes on in a run that people
    /// cancelled meanwhile: otherwise there would be outcomes that are not
    /// counted. Only deleting stops it.
    #[must_use]
    pub fn counts(&self, unit: UnitKey) -> bool {
        let stopping = self.status == RunStatus::Cancelled && self.closing;
        !self.deleting && self.round == unit.round && (self.status.is_active() || stopping)
    }

    /// The round that people asked for last.
    #[must_use]
    pub fn asked_round(&self) -> u16 {
        self.round - u16::from(self.automatic)
    }

    /// Whether items that fail for a reason that may pass are asked for once more
    /// when this round is over.
    #[must_use]
    pub fn asks_again(&self) -> bool {
        self.status.is_active() && !self.automatic && self.round < MAX_ROUNDS
    }

    /// Whether a failed outcome of a round is to be replaced, so that its item counts
    /// as pending: by a retry that people asked for or, if its reason may pass, by the
    /// round that follows by itself.
    #[must_use]
    pub fn replaces(&self, round: u16, passing: bool) -> bool {
        let asked = self.asked_round();
        round < asked || (passing && round == asked && (self.automatic || self.asks_again()))
    }

    /// Whether an outcome does not count, for another one is to come in its place.
    #[must_use]
    pub fn is_open(&self, outcome: &Outcome) -> bool {
        outcome.status() == ResultStatus::Failed && self.replaces(outcome.round, outcome.passing)
    }

    /// Whether a unit belongs to what the run has left behind, and so may be
    /// stopped. Not the opposite of [`wants`](Self::wants): a worker that read the
    /// run a while ago meets units of a retry that it does not know of.
    #[must_use]
    pub fn left_behind(&self, generation: u32) -> bool {
        generation < self.generation
    }

    fn touched(&self, now: Timestamp) -> Self {
        Self {
            updated_at: now,
            rev: self.rev + 1,
            ..self.clone()
        }
    }

    /// The units of this round exist. A round without any ends the run, and so
    /// does one whose units were all done before this was recorded.
    #[must_use]
    pub fn planned(&self, units: u32, now: Timestamp, check_again: Timestamp) -> Option<Self> {
        (self.status.is_active() && self.units_total.is_none()).then(|| {
            let mut run = Self {
                units_total: Some(units),
                due_at: Some(check_again),
                ..self.touched(now)
            };
            if run.units_done >= units {
                run.end_round(now);
            }
            run
        })
    }

    /// Looks at it again later.
    #[must_use]
    pub fn postponed(&self, until: Timestamp) -> Self {
        Self {
            due_at: Some(until),
            rev: self.rev + 1,
            ..self.clone()
        }
    }

    /// Whether its batches, since it was cancelled or deleted, may still take
    /// their time to stop. Later they are left to the audit of their credential.
    #[must_use]
    pub fn waits_for_batches_to_stop(&self, now: Timestamp, policy: &Policy) -> bool {
        now.since(self.updated_at) < policy.grace
    }

    /// First provider work begins.
    #[must_use]
    pub fn started(&self, now: Timestamp) -> Option<Self> {
        (self.status == RunStatus::Pending).then(|| Self {
            status: RunStatus::Processing,
            ..self.touched(now)
        })
    }

    /// Adds what a unit brought. The last unit ends the run, unless people did
    /// before: a cancelled run stays cancelled.
    #[must_use]
    pub fn with_unit(&self, unit: UnitKey, tally: &Tally, now: Timestamp) -> Self {
        let mut run = self.touched(now);
        let again = run.asks_again();
        if let Some(model) = run.models.get_mut(usize::from(unit.model)) {
            model.add(tally);
            if again {
                model.passing.merge(&tally.passing);
            } else {
                model.give_up(&tally.passing);
            }
        }
        run.units_done += 1;
        if !run.status.is_active() {
            return run;
        }
        run.status = RunStatus::Processing;
        if run.units_total.is_some_and(|total| run.units_done >= total) {
            run.end_round(now);
        }
        run
    }

    /// Ends the run, unless some of its items are to be asked for once more: then a
    /// round begins for these alone, by itself, once.
    fn end_round(&mut self, now: Timestamp) {
        let passing = self.models.iter().any(|p| !p.passing.is_empty());
        if !passing || !self.asks_again() {
            return self.end(now);
        }
        self.round += 1;
        self.automatic = true;
        self.units_total = None;
        self.units_done = 0;
        self.due_at = Some(now);
        self.cost_cap = self.cap_of_next_round(now);
        for model in &mut self.models {
            model.asked_again += std::mem::take(&mut model.passing).items;
        }
    }

    fn end(&mut self, now: Timestamp) {
        self.closing = true;
        self.joining = None;
        self.due_at = Some(now);
        self.finished_at = Some(now);
        self.conclude();
    }

    /// Whether it succeeded, by its counts.
    fn conclude(&mut self) {
        if self.completed() > 0 {
            self.status = RunStatus::Completed;
            self.error_message = None;
        } else {
            self.status = RunStatus::Failed;
            self.error_message =
                Some("no item succeeded; the results say why for each of them".into());
        }
    }

    /// Puts what was counted from a provider's outcomes in place of what the
    /// run says of it. Reviews are counted by themselves. `None` while work is
    /// under way, and for a provider that the run has not.
    #[must_use]
    pub fn recounted(&self, model: u8, counted: &Tally, now: Timestamp) -> Option<Self> {
        if self.status.is_active() {
            return None;
        }
        let mut run = self.touched(now);
        run.models.get_mut(usize::from(model))?.replace(counted);
        if run.status != RunStatus::Cancelled {
            run.conclude();
        }
        Some(run)
    }

    /// Moves transcriptions of models from one judgement of people to another, where
    /// `None` is none: each by its model, what was judged before, and what is now.
    #[must_use]
    pub fn judged(&self, judgements: &[(u8, Option<bool>, Option<bool>)], now: Timestamp) -> Self {
        let mut run = self.touched(now);
        for (model, from, to) in judgements {
            if let Some(model) = run.models.get_mut(usize::from(*model)) {
                model.judge(*from, *to);
            }
        }
        run
    }

    /// The run, stopped by people: what has not been collected is given up.
    ///
    /// # Errors
    /// It has ended already.
    pub fn cancelled(&self, now: Timestamp) -> Result<Self, NotAllowed> {
        if !self.status.is_active() {
            return Err(NotAllowed(format!(
                "the run is {} and can't be cancelled; only pending and processing runs can",
                self.status.as_str()
            )));
        }
        if self.joining.is_some() {
            return Err(NotAllowed(
                "transcripts are being added to the run, which ends by itself in a moment".into(),
            ));
        }
        let mut run = Self {
            status: RunStatus::Cancelled,
            generation: self.generation + 1,
            finished_at: Some(now),
            closing: true,
            due_at: Some(now),
            ..self.touched(now)
        };
        // Nothing is asked for once more.
        for model in &mut run.models {
            let passing = std::mem::take(&mut model.passing);
            model.give_up(&passing);
        }
        Ok(run)
    }

    /// Whether there is something to try again, and nothing against it now.
    ///
    /// # Errors
    /// It is under way or being stopped, or all of it succeeded.
    pub fn can_be_retried(&self) -> Result<(), NotAllowed> {
        if self.status.is_active() {
            return Err(NotAllowed(format!(
                "the run is {}; it can be retried once it has ended",
                self.status.as_str()
            )));
        }
        if self.is_being_stopped() {
            return Err(NotAllowed(
                "the run is still being stopped at the provider; try again in a moment".into(),
            ));
        }
        if self.pending_scoring().is_some() {
            return Err(NotAllowed(
                "the run is being scored again; try again in a moment".into(),
            ));
        }
        if self.failed() == 0 && self.pending() == 0 {
            return Err(NotAllowed(
                "no item of the run has failed: nothing to retry".into(),
            ));
        }
        Ok(())
    }

    /// Whether it was cancelled, and what is under way at vendors is not ended yet.
    #[must_use]
    pub fn is_being_stopped(&self) -> bool {
        self.closing && self.status == RunStatus::Cancelled
    }

    /// Starts a round with the failed items only (of a cancelled run also
    /// those without an outcome). What may have been billed and is asked again is
    /// noted by model, whatever asking that costs.
    ///
    /// # Errors
    /// See [`Run::can_be_retried`].
    pub fn retried(&self, now: Timestamp, outbox_due: Timestamp) -> Result<Self, NotAllowed> {
        self.can_be_retried()?;
        let mut run = Self {
            status: RunStatus::Pending,
            generation: self.generation + 1,
            round: self.round + 1,
            automatic: false,
            cost_cap: self.cap_of_next_round(now),
            units_total: None,
            units_done: 0,
            error_message: None,
            finished_at: None,
            closing: false,
            due_at: Some(outbox_due),
            ..self.touched(now)
        };
        for model in &mut run.models {
            model.failed = 0;
            model.may_be_charged_twice = std::mem::take(&mut model.unknown);
            model.asked_again = 0;
            model.sums.clear_failures();
        }
        Ok(run)
    }

    /// Makes it unreachable; the rest is cleared away afterwards.
    #[must_use]
    pub fn deleted(&self, now: Timestamp) -> Option<Self> {
        (!self.deleting).then(|| Self {
            deleting: true,
            closing: true,
            generation: self.generation + 1,
            due_at: Some(now),
            ..self.touched(now)
        })
    }

    /// Nothing of an ended run is left at providers.
    #[must_use]
    pub fn closed(&self) -> Self {
        Self {
            closing: false,
            due_at: None,
            rev: self.rev + 1,
            ..self.clone()
        }
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
pub(crate) mod tests;
