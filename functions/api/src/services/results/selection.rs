//! Which results of a run are asked for, and how many there are.
//!
//! There are no rows for pending items: an item without an outcome is pending.
//! So is one whose outcome is a failure of an earlier round: a retry of the run
//! is about to replace it, and the run's counts say the same.

use stt_eval_shared::domain::ResultId;
use stt_eval_shared::domain::result::ResultStatus;
use stt_eval_shared::domain::review::{Opinion, Reason, Review, Reviewer};
use stt_eval_shared::domain::run::{Run, RunModel};
use stt_eval_shared::scoring::Flag;
use stt_eval_shared::store::results::Entry;

use crate::refusal::Refusal;

/// What to show of a result beyond what is always shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown {
    /// Words of reference and transcription side by side.
    pub alignment: bool,
    /// A playback URL.
    pub signed_url: bool,
}

/// Who has reviewed a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reviewed {
    /// Nobody.
    ByNone,
    /// This one.
    By(Reviewer),
    /// Not this one.
    NotBy(Reviewer),
    /// Others, and not this one.
    ByOthersThan(Reviewer),
}

impl Reviewed {
    /// Whether a result is reviewed so.
    #[must_use]
    pub fn holds(&self, review: Option<&Review>) -> bool {
        let by = |who: &Reviewer| review.is_some_and(|review| review.of(who).is_some());
        let any = || review.is_some_and(|review| !review.opinions().is_empty());
        match self {
            Self::ByNone => !any(),
            Self::By(who) => by(who),
            Self::NotBy(who) => !by(who),
            Self::ByOthersThan(who) => any() && !by(who),
        }
    }
}

/// Which results, and what to show of them.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Indexes of models in the run.
    pub models: Vec<u8>,
    /// In one state.
    pub status: Option<ResultStatus>,
    /// Judged so; `Some(None)`: not judged.
    pub is_correct: Option<Option<bool>>,
    /// With this flag.
    pub flag: Option<Flag>,
    /// Reviewed by these.
    pub reviewed: Option<Reviewed>,
    /// Of which a reviewer has said this.
    pub reason: Option<Reason>,
    /// For which a reviewer proposes another reference.
    pub proposed: bool,
    /// Of these clips alone, by position.
    pub clips: Option<Vec<bool>>,
    /// What to show of them.
    pub shown: Shown,
}

/// One item of a run.
#[derive(Debug)]
pub enum RunItem {
    /// With an outcome.
    Done(Box<Entry>),
    /// Without.
    Pending(ResultId),
}

impl RunItem {
    /// The position of its clip.
    #[must_use]
    pub fn position(&self) -> u16 {
        match self {
            Self::Done(entry) => entry.outcome.id.position(),
            Self::Pending(id) => id.position(),
        }
    }
}

/// A page of items.
pub struct ItemPage {
    /// The items in order, each with the place after it.
    pub items: Vec<(RunItem, String)>,
    /// Where the next page begins.
    pub next: Option<String>,
}

impl Selection {
    /// Every result of a run.
    #[must_use]
    pub fn all_of(run: &Run) -> Self {
        let count = u8::try_from(run.models.len()).unwrap_or(u8::MAX);
        Self {
            models: (0..count).collect(),
            ..Self::default()
        }
    }

    /// Whether items may be left out, so that more must be read than shown.
    #[must_use]
    pub fn filters(&self) -> bool {
        self.status.is_some()
            || self.is_correct.is_some()
            || self.flag.is_some()
            || self.reviewed.is_some()
            || self.reason.is_some()
            || self.proposed
            || self.clips.is_some()
    }

    /// Whether an item of a clip is asked for.
    #[must_use]
    pub fn takes(&self, position: u16, entry: Option<&Entry>) -> bool {
        let is_meant = |clips: &Vec<bool>| clips.get(usize::from(position)) == Some(&true);
        if !self.clips.as_ref().is_none_or(is_meant) {
            return false;
        }
        let status = entry.map_or(ResultStatus::Pending, |entry| entry.outcome.status());
        let review = entry.and_then(|entry| entry.review.as_ref());
        let judged = review.and_then(|review| review.is_correct);
        let any = |holds: &dyn Fn(&Opinion) -> bool| {
            review.is_some_and(|review| review.opinions().iter().any(holds))
        };
        let said = |reason| any(&|of| of.reasons.contains(&reason));
        self.status.is_none_or(|wanted| wanted == status)
            && self.is_correct.is_none_or(|wanted| wanted == judged)
            && self.reviewed.as_ref().is_none_or(|by| by.holds(review))
            && self.reason.is_none_or(said)
            && (!self.proposed || any(&|of| of.proposed.is_some()))
            && self.flag.is_none_or(|wanted| {
                let score = entry.and_then(|entry| entry.outcome.score.as_ref());
                score.is_some_and(|score| score.flags.contains(&wanted))
            })
    }

    /// The models of a run that are selected.
    fn of<'a>(&self, run: &'a Run) -> impl Iterator<Item = &'a RunModel> {
        self.models
            .iter()
            .filter_map(|index| run.models.get(usize::from(*index)))
    }

    /// How many results of a run are selected, from its counters alone.
    #[must_use]
    pub fn total(&self, run: &Run) -> u64 {
        let size = u64::from(run.sample_count);
        let most = self.most(run);
        self.of(run)
            .map(|model| self.count(model, size).min(self.flagged(model)).min(most))
            .sum()
    }

    /// Most results that a model can have of the clips that are asked for.
    fn most(&self, run: &Run) -> u64 {
        let all = u64::from(run.sample_count);
        let of = |clips: &Vec<bool>| clips.iter().filter(|is_meant| **is_meant).count() as u64;
        self.clips.as_ref().map_or(all, of)
    }

    /// Most results of a model that can have the flag that is asked for.
    fn flagged(&self, model: &RunModel) -> u64 {
        self.flag.map_or(u64::MAX, |flag| {
            let flags = model.sums.summary().flags;
            flags.get(&flag).copied().unwrap_or(0)
        })
    }

    fn count(&self, model: &RunModel, size: u64) -> u64 {
        let (completed, failed) = (u64::from(model.completed), u64::from(model.failed));
        let judged = u64::from(model.correct) + u64::from(model.incorrect);
        let in_state = match self.status {
            None => size,
            Some(ResultStatus::Completed) => completed,
            Some(ResultStatus::Failed) => failed,
            Some(ResultStatus::Pending) => size.saturating_sub(completed + failed),
        };
        // Only completed results are ever judged.
        let has_judged = matches!(self.status, None | Some(ResultStatus::Completed));
        match self.is_correct {
            None => in_state,
            Some(None) if has_judged => in_state.saturating_sub(judged),
            Some(None) => in_state,
            Some(Some(true)) if has_judged => u64::from(model.correct),
            Some(Some(false)) if has_judged => u64::from(model.incorrect),
            Some(Some(_)) => 0,
        }
    }

    /// How many of the selected results have a score. With `is_correct` this
    /// is an upper bound: counters do not tell judged results with a score
    /// from those without.
    #[must_use]
    pub fn total_scored(&self, run: &Run) -> u64 {
        if matches!(
            self.status,
            Some(ResultStatus::Pending | ResultStatus::Failed)
        ) {
            return 0;
        }
        let scored_of = |model: &RunModel| {
            let scored = model.sums.summary().answered.samples;
            let selected = self.count(model, u64::from(run.sample_count));
            scored
                .min(selected)
                .min(self.flagged(model))
                .min(self.most(run))
        };
        self.of(run).map(scored_of).sum()
    }
}

/// The entry as it counts now, with the score of the run's current scoring. A
/// failure that another round is to replace does not count.
#[must_use]
pub fn current(run: &Run, mut entry: Entry) -> Option<Entry> {
    if run.is_open(&entry.outcome) {
        return None;
    }
    entry.outcome.show(run.scorings.current, &entry.scores);
    Some(entry)
}

/// Whether a run has such an item.
#[must_use]
pub fn exists(run: &Run, id: ResultId) -> bool {
    usize::from(id.model()) < run.models.len() && u32::from(id.position()) < run.sample_count
}

/// The index of one of a run's models.
///
/// # Errors
/// When the run has no such model.
pub fn model(run: &Run, name: &str) -> Result<u8, Refusal> {
    let index = run.models.iter().position(|known| known.model == name);
    index
        .and_then(|index| u8::try_from(index).ok())
        .ok_or_else(|| {
            let known: Vec<&str> = run.models.iter().map(|p| &*p.model).collect();
            let message = format!("is not in this run; its providers are {}", known.join(", "));
            Refusal::invalid_field("provider", message)
        })
}

#[cfg(test)]
pub(crate) mod tests {
    use stt_eval_shared::domain::run::RunStatus;
    use stt_eval_shared::domain::{DatasetId, RunId, Timestamp};
    use stt_eval_shared::providers::ModelConfig;
    use stt_eval_shared::scoring::CorpusSums;

    use super::*;

    pub(crate) fn run() -> Run {
        let model = |completed, failed, correct, incorrect| RunModel {
            model: "m".into(),
            vendor: "google".into(),
            config: ModelConfig {
                model: "m".into(),
                prompt: Some(String::new()),
                temperature: Some(0.0),
                prompt_version: Some(String::new()),
                endpoint: None,
            },
            completed,
            failed,
            correct,
            incorrect,
            sums: CorpusSums::default(),
            cost_micro_usd: 0,
            model_versions: Vec::new(),
            passing: Default::default(),
            asked_again: 0,
            unsupported: 0,
            unknown: 0,
            may_be_charged_twice: 0,
            imported: None,
        };
        let now = Timestamp::default();
        Run {
            id: RunId::mint(1, [1; 10]),
            project: "demo".parse().unwrap(),
            name: "r".into(),
            dataset: DatasetId::mint(1, [2; 10]),
            dataset_name: "d".into(),
            language: "hi".into(),
            sample_count: 10,
            status: RunStatus::Processing,
            models: vec![model(5, 2, 3, 1), model(0, 0, 0, 0)],
            normalizer: "indic-v1".into(),
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
            inserted_at: now,
            updated_at: now,
            finished_at: None,
            due_at: None,
            scorings: Default::default(),
            rev: 1,
        }
    }

    #[test]
    fn totals_come_from_the_counters() {
        let run = run();
        let all = Selection::all_of(&run);
        let total = |status, is_correct| {
            Selection {
                status,
                is_correct,
                ..all.clone()
            }
            .total(&run)
        };
        use ResultStatus::{Completed, Failed, Pending};
        assert_eq!(total(None, None), 20);
        assert_eq!(total(Some(Completed), None), 5);
        assert_eq!(total(Some(Failed), None), 2);
        assert_eq!(total(Some(Pending), None), 13);
        assert_eq!(total(None, Some(Some(true))), 3);
        assert_eq!(total(None, Some(Some(false))), 1);
        assert_eq!(total(None, Some(None)), 16);
        assert_eq!(total(Some(Completed), Some(None)), 1);
        assert_eq!(total(Some(Failed), Some(None)), 2);
        assert_eq!(total(Some(Failed), Some(Some(true))), 0);
        let second = Selection {
            models: vec![1],
            ..Selection::default()
        };
        assert_eq!(second.total(&run), 10);
        assert_eq!(all.total_scored(&run), 0);
    }
}
