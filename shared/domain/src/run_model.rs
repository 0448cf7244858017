//! One model in a run, and what a unit adds to it.

use serde::{Deserialize, Serialize};
use stt_eval_scoring::{CorpusSums, SampleScore};

use crate::failure::FailureCode;
use crate::imported::Imported;
use crate::result::{Outcome, ResultStatus};
use crate::transcribe::ModelConfig;

/// Items that failed for a reason that may pass, as long as they are to be asked
/// for once more.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Passing {
    /// Number of items.
    pub items: u32,
    /// What they add to the sums, should they have failed for good.
    pub sums: CorpusSums,
}

impl Passing {
    pub(crate) fn is_empty(&self) -> bool {
        self.items == 0
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.items += other.items;
        self.sums.merge(&other.sums);
    }
}

/// One model in a run: its frozen configuration and what came of it so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunModel {
    /// Catalogue id, as clients name it.
    pub model: String,
    /// Vendor that credentials are kept for.
    #[serde(rename = "provider")]
    pub vendor: String,
    /// Configuration, frozen when the run was accepted.
    pub config: ModelConfig,
    /// Items with a transcription.
    pub completed: u32,
    /// Items that failed; the rest is pending.
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
    /// Items of this round that failed for a reason that may pass. They count as
    /// pending: they are asked for once more when the round is over.
    #[serde(default, skip_serializing_if = "Passing::is_empty")]
    pub passing: Passing,
    /// Items that were asked for once more for such a reason, since the last round
    /// that people began.
    #[serde(default)]
    pub asked_again: u32,
    /// Clips of the dataset that it can't take, as was known when the run was
    /// accepted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unsupported: u32,
    /// Failed items that may have been billed all the same.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unknown: u32,
    /// Items of this kind that the last retry asks again: so many may be charged twice.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub may_be_charged_twice: u32,
    /// Its transcripts were made elsewhere: where they are. No vendor is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
}

/// Of counts that are stored only where there is something to count.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl RunModel {
    /// A model of a catalogue id, asked of a vendor, with nothing counted yet.
    #[must_use]
    pub fn new(model: String, vendor: String, config: ModelConfig) -> Self {
        Self {
            model,
            vendor,
            config,
            completed: 0,
            failed: 0,
            correct: 0,
            incorrect: 0,
            sums: CorpusSums::default(),
            cost_micro_usd: 0,
            model_versions: Vec::new(),
            passing: Passing::default(),
            asked_again: 0,
            unsupported: 0,
            unknown: 0,
            may_be_charged_twice: 0,
            imported: None,
        }
    }

    pub(crate) fn add(&mut self, tally: &Tally) {
        self.completed += tally.completed;
        self.failed += tally.failed;
        self.unknown += tally.unknown;
        self.sums.merge(&tally.sums);
        self.cost_micro_usd += tally.cost_micro_usd;
        answered_by(&mut self.model_versions, &tally.model_versions);
    }

    /// Puts what was counted anew in place of what a run says. Judgements are counted
    /// by themselves.
    pub(crate) fn replace(&mut self, counted: &Tally) {
        self.completed = counted.completed;
        self.failed = counted.failed;
        self.unknown = counted.unknown;
        self.sums.clone_from(&counted.sums);
        self.give_up(&counted.passing);
        self.cost_micro_usd = counted.cost_micro_usd;
        // In the order in which they answered first.
        self.model_versions
            .retain(|version| counted.model_versions.contains(version));
        answered_by(&mut self.model_versions, &counted.model_versions);
    }

    /// Moves a transcription from one judgement to another; `None` is none.
    pub(crate) fn judge(&mut self, from: Option<bool>, to: Option<bool>) {
        match from {
            Some(true) => self.correct = self.correct.saturating_sub(1),
            Some(false) => self.incorrect = self.incorrect.saturating_sub(1),
            None => {}
        }
        match to {
            Some(true) => self.correct += 1,
            Some(false) => self.incorrect += 1,
            None => {}
        }
    }

    /// What was to be asked for once more has failed for good.
    pub(crate) fn give_up(&mut self, passing: &Passing) {
        self.failed += passing.items;
        self.sums.merge(&passing.sums);
    }
}

/// What one unit adds to its run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Items with a transcription.
    pub completed: u32,
    /// Items without, but for the passing ones.
    pub failed: u32,
    /// Of the failed ones, those that may have been billed all the same.
    pub unknown: u32,
    /// Score sums of both.
    pub sums: CorpusSums,
    /// Items that failed for a reason that may pass.
    pub passing: Passing,
    /// Cost in millionths of a US dollar.
    pub cost_micro_usd: u64,
    /// Exact models that answered.
    pub model_versions: Vec<String>,
}

impl Tally {
    /// Adds an outcome. `score` is that of its transcription, and of a failed item that
    /// of an empty one: see [`Outcome::count`].
    pub fn add(&mut self, outcome: &Outcome, score: Option<&SampleScore>) {
        self.add_cost(outcome);
        match outcome.status() {
            ResultStatus::Completed => self.completed += 1,
            ResultStatus::Failed | ResultStatus::Pending if outcome.passing => {
                self.passing.items += 1;
                return outcome.count(&mut self.passing.sums, score);
            }
            ResultStatus::Failed | ResultStatus::Pending => {
                self.failed += 1;
                let code = outcome.error_code.as_deref().and_then(FailureCode::of);
                self.unknown += u32::from(code.is_some_and(FailureCode::may_have_been_billed));
            }
        }
        outcome.count(&mut self.sums, score);
    }

    /// Adds what an outcome cost, and the version of the model that answered: of one
    /// that is not what counts, as a later round has another.
    pub fn add_cost(&mut self, outcome: &Outcome) {
        self.cost_micro_usd += outcome.cost_micro_usd;
        answered_by(&mut self.model_versions, outcome.model_version.as_slice());
    }
}

/// Notes the versions that answered, each once.
fn answered_by(known: &mut Vec<String>, versions: &[String]) {
    for version in versions {
        if !known.contains(version) {
            known.push(version.clone());
        }
    }
}
