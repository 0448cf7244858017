//! A run: several models over one dataset.
//!
//! Counts and sums live on the run and change only together with the unit
//! whose transition changes them, in one transaction. So the run's head is
//! right at any moment, and finishing is part of the last unit's transition.

use serde::{Deserialize, Serialize};

use super::rescoring::Scorings;
use super::unit::{Policy, UnitKey};
use super::{DatasetId, ProjectId, RunId, Timestamp};
use crate::providers::TranscribeConfig;
use crate::scoring::CorpusSums;

/// Most providers in a run.
pub const MAX_PROVIDERS: usize = 16;
/// Longest prompt in characters.
pub const MAX_PROMPT_CHARS: usize = 8_000;

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

/// One model in a run: its frozen configuration and what came of it so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderRun {
    /// Catalogue id, as clients name it.
    pub model: String,
    /// Provider that credentials are kept for.
    pub provider: String,
    /// Configuration, frozen when the run was accepted.
    pub config: TranscribeConfig,
    /// Items with a transcription.
    pub completed: u32,
    /// Items without.
    pub failed: u32,
    /// Transcriptions judged right by people.
    pub correct: u32,
    /// Transcriptions judged wrong by people.
    pub incorrect: u32,
    /// Score sums; failures count as deletions, in fields of their own.
    pub sums: CorpusSums,
    /// Cost so far in millionths of a US dollar.
    pub cost_micro_usd: u64,
    /// Exact models that answered.
    #[serde(default)]
    pub model_versions: Vec<String>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Identity.
    pub id: RunId,
    /// Owner.
    pub project: ProjectId,
    /// Name given by people.
    pub name: String,
    /// The dataset.
    pub dataset: DatasetId,
    /// Its name when the run was made.
    pub dataset_name: String,
    /// Its language.
    pub language: String,
    /// Samples, counted when the run was made.
    pub sample_count: u32,
    /// State.
    pub status: RunStatus,
    /// Models.
    pub providers: Vec<ProviderRun>,
    /// Name of the normaliser of its first scoring.
    pub normalizer: String,
    /// Changes when people cancel, retry or delete: older work stops.
    pub generation: u32,
    /// 1, and one more for each retry.
    pub round: u16,
    /// Units of this round; `None` until they are planned.
    pub units_total: Option<u32>,
    /// Units of this round that are done.
    pub units_done: u32,
    /// Why it failed or waits, for people.
    pub error_message: Option<String>,
    /// Being deleted: nobody sees it any more.
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

/// What one unit adds to its run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Items with a transcription.
    pub completed: u32,
    /// Items without.
    pub failed: u32,
    /// Score sums of both.
    pub sums: CorpusSums,
    /// Cost in millionths of a US dollar.
    pub cost_micro_usd: u64,
    /// Exact models that answered.
    pub model_versions: Vec<String>,
}

/// The run is not in a state that allows it; a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAllowed(pub String);

impl Run {
    /// Items in all.
    #[must_use]
    pub fn total_items(&self) -> u64 {
        u64::from(self.sample_count) * self.providers.len() as u64
    }

    /// Items with a transcription.
    #[must_use]
    pub fn completed(&self) -> u64 {
        self.providers.iter().map(|p| u64::from(p.completed)).sum()
    }

    /// Items that failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.providers.iter().map(|p| u64::from(p.failed)).sum()
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
    /// cancelled meanwhile: otherwise there would be outcomes that nobody
    /// counted. Only deleting stops it.
    #[must_use]
    pub fn counts(&self, unit: UnitKey) -> bool {
        let stopping = self.status == RunStatus::Cancelled && self.closing;
        !self.deleting && self.round == unit.round && (self.status.is_active() || stopping)
    }

    /// Whether a unit belongs to what the run has left behind, and so may be
    /// stopped. Not the opposite of [`wants`](Self::wants): whoever read the
    /// run a while ago meets units of a retry that it does not know yet.
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
                run.end(now);
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
        if let Some(provider) = run.providers.get_mut(usize::from(unit.provider)) {
            provider.completed += tally.completed;
            provider.failed += tally.failed;
            provider.sums.merge(&tally.sums);
            provider.cost_micro_usd += tally.cost_micro_usd;
            for version in &tally.model_versions {
                if !provider.model_versions.contains(version) {
                    provider.model_versions.push(version.clone());
                }
            }
        }
        run.units_done += 1;
        if !run.status.is_active() {
            return run;
        }
        run.status = RunStatus::Processing;
        if run.units_total.is_some_and(|total| run.units_done >= total) {
            run.end(now);
        }
        run
    }

    fn end(&mut self, now: Timestamp) {
        self.closing = true;
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
    pub fn recounted(&self, provider: u8, counted: &Tally, now: Timestamp) -> Option<Self> {
        if self.status.is_active() {
            return None;
        }
        let mut run = self.touched(now);
        let says = run.providers.get_mut(usize::from(provider))?;
        says.completed = counted.completed;
        says.failed = counted.failed;
        says.sums.clone_from(&counted.sums);
        says.cost_micro_usd = counted.cost_micro_usd;
        // In the order in which they answered first.
        says.model_versions
            .retain(|version| counted.model_versions.contains(version));
        for version in &counted.model_versions {
            if !says.model_versions.contains(version) {
                says.model_versions.push(version.clone());
            }
        }
        if run.status != RunStatus::Cancelled {
            run.conclude();
        }
        Some(run)
    }

    /// Stops it.
    pub fn cancelled(&self, now: Timestamp) -> Result<Self, NotAllowed> {
        if !self.status.is_active() {
            return Err(NotAllowed(format!(
                "the run is {} and can't be cancelled; only pending and processing runs can",
                self.status.as_str()
            )));
        }
        Ok(Self {
            status: RunStatus::Cancelled,
            generation: self.generation + 1,
            finished_at: Some(now),
            closing: true,
            due_at: Some(now),
            ..self.touched(now)
        })
    }

    /// Starts a round with the failed items only (of a cancelled run also
    /// those without an outcome).
    pub fn retried(&self, now: Timestamp, outbox_due: Timestamp) -> Result<Self, NotAllowed> {
        if self.status.is_active() {
            return Err(NotAllowed(format!(
                "the run is {}; it can be retried once it has ended",
                self.status.as_str()
            )));
        }
        if self.closing && self.status == RunStatus::Cancelled {
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
        let mut run = Self {
            status: RunStatus::Pending,
            generation: self.generation + 1,
            round: self.round + 1,
            units_total: None,
            units_done: 0,
            error_message: None,
            finished_at: None,
            closing: false,
            due_at: Some(outbox_due),
            ..self.touched(now)
        };
        for provider in &mut run.providers {
            provider.failed = 0;
            provider.sums.clear_failures();
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
