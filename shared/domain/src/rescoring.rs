//! Scoring a run again: with another normaliser, or against references that
//! were corrected since. No provider is asked.
//!
//! Each scoring of a run has a number. The first is made while results are
//! collected and lies on the outcomes; a later one has rows of its own beside
//! them, so nothing is ever overwritten. The run names the scoring that counts,
//! and changes that together with its sums, once the new one is complete.

use serde::{Deserialize, Serialize};

use super::result::{Outcome, ResultStatus};
use super::run::{NotAllowed, Run};
pub use super::scorings::{FIRST, Scoring, ScoringStatus, Scorings};
use super::{ProjectId, ResultId, RunId, Timestamp};
use stt_eval_scoring::{CorpusSums, SCORER_VERSION, SampleScore};

/// Most scorings of a run.
pub const MAX_SCORINGS: usize = 50;
/// Score of an item in a later scoring; a row of its own beside the outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rescored {
    /// The result that was scored.
    pub id: ResultId,
    /// Number of the scoring.
    pub scoring: u16,
    /// Round of the outcome that was scored.
    pub round: u16,
    /// Reference it was scored against.
    pub ground_truth: Option<String>,
    /// Version of that reference.
    pub reference_version: u32,
    /// Language it was scored in.
    pub language: String,
    /// Score, for a completed item with a reference.
    #[serde(default, with = "super::stored_score")]
    pub score: Option<SampleScore>,
}

/// The work of scoring a run again: how far it is, and sums so far. Its own
/// item, so that the run stays small and reviewers don't collide with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RescoreJob {
    /// Project of the run.
    pub project: ProjectId,
    /// The run that is scored again.
    pub run: RunId,
    /// Number of the scoring, from 2.
    pub scoring: u16,
    /// Canonical name of its normaliser.
    pub normalizer: String,
    /// Index of the model that is next.
    #[serde(rename = "provider")]
    pub model: u8,
    /// Position that is next.
    pub position: u16,
    /// Sums, one for each model that was begun.
    pub sums: Vec<CorpusSums>,
    /// An invocation works on it until then, unless it crashed.
    pub claimed_until: Option<Timestamp>,
    /// When the sweeper should look at it.
    pub due_at: Option<Timestamp>,
    /// Revision, for conditional writes.
    pub rev: u64,
}

/// Sums of a scoring that counts no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArchivedScoring {
    /// Number of the scoring in its run.
    pub scoring: u16,
    /// In the order of the run's models.
    #[serde(rename = "providers")]
    pub models: Vec<ArchivedModel>,
}

/// What a model had when a scoring ceased to count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArchivedModel {
    /// Items with a transcription.
    pub completed: u32,
    /// Items that failed.
    pub failed: u32,
    /// Sums over the items of the model.
    pub sums: CorpusSums,
}

impl Run {
    /// Every scoring, in the order they were asked for.
    #[must_use]
    pub fn all_scorings(&self) -> Vec<Scoring> {
        let first = Scoring {
            id: FIRST,
            normalizer: self.normalizer.clone(),
            scorer_version: self.scorings.first_version.clone(),
            status: ScoringStatus::Completed,
            inserted_at: self.inserted_at,
            completed_at: None,
        };
        let later = self.scorings.later.iter().cloned();
        std::iter::once(first).chain(later).collect()
    }

    /// Normaliser of the scoring that counts.
    #[must_use]
    pub fn current_normalizer(&self) -> &str {
        let current = self.scorings.current;
        let later = self.scorings.later.iter().find(|s| s.id == current);
        later.map_or(&*self.normalizer, |scoring| &*scoring.normalizer)
    }

    /// The scoring that is under way.
    #[must_use]
    pub fn pending_scoring(&self) -> Option<&Scoring> {
        let pending = |scoring: &&Scoring| scoring.status == ScoringStatus::Pending;
        self.scorings.later.iter().find(pending)
    }

    /// Whether it can be scored again now.
    ///
    /// # Errors
    /// It is under way, being stopped or scored, or was scored as often as a run can be.
    pub fn can_be_rescored(&self) -> Result<(), NotAllowed> {
        let refused = if self.status.is_active() {
            Some(format!(
                "the run is {}; it can be scored again once it has ended",
                self.status.as_str()
            ))
        } else if self.is_being_stopped() {
            Some("the run is still being stopped at the provider; try again in a moment".into())
        } else if self.pending_scoring().is_some() {
            Some("the run is being scored again already; try again in a moment".into())
        } else if self.scorings.later.len() + 1 >= MAX_SCORINGS {
            Some(format!(
                "the run was scored {MAX_SCORINGS} times, as often as a run can be; make a new one"
            ))
        } else {
            None
        };
        refused.map_or(Ok(()), |refused| Err(NotAllowed(refused)))
    }

    /// Asks for another scoring; gives the run and the work.
    ///
    /// # Errors
    /// See [`Run::can_be_rescored`].
    pub fn rescored(
        &self,
        normalizer: String,
        now: Timestamp,
    ) -> Result<(Self, RescoreJob), NotAllowed> {
        self.can_be_rescored()?;
        let last = self.scorings.later.last().map_or(FIRST, |s| s.id);
        let scoring = Scoring {
            id: last + 1,
            normalizer: normalizer.clone(),
            scorer_version: SCORER_VERSION.to_owned(),
            status: ScoringStatus::Pending,
            inserted_at: now,
            completed_at: None,
        };
        let job = RescoreJob {
            project: self.project.clone(),
            run: self.id,
            scoring: scoring.id,
            normalizer,
            model: 0,
            position: 0,
            sums: Vec::new(),
            claimed_until: None,
            due_at: Some(now),
            rev: 1,
        };
        let mut run = Self {
            updated_at: now,
            rev: self.rev + 1,
            ..self.clone()
        };
        run.scorings.later.push(scoring);
        Ok((run, job))
    }

    /// Lets a complete scoring count; gives the run and what counted before.
    /// `None` when the run does not wait for it.
    #[must_use]
    pub fn switched(&self, job: &RescoreJob, now: Timestamp) -> Option<(Self, ArchivedScoring)> {
        self.pending_scoring().filter(|s| s.id == job.scoring)?;
        let archived = ArchivedScoring {
            scoring: self.scorings.current,
            models: self
                .models
                .iter()
                .map(|model| ArchivedModel {
                    completed: model.completed,
                    failed: model.failed,
                    sums: model.sums.clone(),
                })
                .collect(),
        };
        let mut run = Self {
            updated_at: now,
            rev: self.rev + 1,
            ..self.clone()
        };
        for (index, model) in run.models.iter_mut().enumerate() {
            model.sums = job.sums.get(index).cloned().unwrap_or_default();
        }
        run.scorings.current = job.scoring;
        for scoring in &mut run.scorings.later {
            if scoring.id == job.scoring {
                scoring.status = ScoringStatus::Completed;
                scoring.completed_at = Some(now);
            }
        }
        Some((run, archived))
    }
}

impl RescoreJob {
    /// Whether an invocation works on it.
    #[must_use]
    pub fn is_claimed(&self, now: Timestamp) -> bool {
        self.claimed_until.is_some_and(|until| until > now)
    }

    /// Taken, or kept, until then.
    #[must_use]
    pub fn claimed(self, until: Timestamp) -> Self {
        Self {
            claimed_until: Some(until),
            due_at: Some(until),
            rev: self.rev + 1,
            ..self
        }
    }

    /// Given back, to be gone on with at once.
    #[must_use]
    pub fn released(self, now: Timestamp) -> Self {
        Self {
            claimed_until: None,
            due_at: Some(now),
            rev: self.rev + 1,
            ..self
        }
    }

    /// Whether nothing is left to be scored.
    #[must_use]
    pub fn is_complete(&self, run: &Run) -> bool {
        usize::from(self.model) >= run.models.len() || run.sample_count == 0
    }

    /// Positions of the next step.
    #[must_use]
    pub fn span(&self, run: &Run, most: u16) -> (u16, u16) {
        let end = u16::try_from(run.sample_count).unwrap_or(u16::MAX);
        (self.position, self.position.saturating_add(most).min(end))
    }

    /// A step up to a position was done.
    pub fn advance(&mut self, run: &Run, end: u16, sums: &CorpusSums) {
        let index = usize::from(self.model);
        while self.sums.len() <= index {
            self.sums.push(CorpusSums::default());
        }
        if let Some(kept) = self.sums.get_mut(index) {
            kept.merge(sums);
        }
        if u32::from(end) >= run.sample_count {
            self.model = self.model.saturating_add(1);
            self.position = 0;
        } else {
            self.position = end;
        }
    }
}

/// An outcome as a scoring has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsScored {
    /// It was scored, or found to be without a reference.
    Scored,
    /// The scoring does not know it: a later round brought it.
    Unknown,
}

impl Outcome {
    /// Shows reference and score of a scoring in place of its own.
    pub fn show(&mut self, scoring: u16, rows: &[Rescored]) -> AsScored {
        let row = rows
            .iter()
            .find(|row| row.scoring == scoring && row.round == self.round);
        if let Some(row) = row {
            self.ground_truth.clone_from(&row.ground_truth);
            self.reference_version = row.reference_version;
            self.language.clone_from(&row.language);
            self.score.clone_from(&row.score);
            return AsScored::Scored;
        }
        if self.scoring == scoring {
            return AsScored::Scored;
        }
        if self.status() == ResultStatus::Completed {
            self.score = None;
        }
        AsScored::Unknown
    }
}

#[cfg(test)]
#[path = "rescoring_tests.rs"]
mod tests;
