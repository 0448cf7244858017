//! Results of a run: which ones are asked for, how many there are, and what
//! clients see of them.
//!
//! There are no rows for pending items: an item without an outcome is pending.
//! So is one whose outcome is a failure of an earlier round: a retry of the run
//! is about to replace it, and the run's counts say the same.

use std::collections::BTreeMap;

use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::result::ResultStatus;
use stt_eval_shared::domain::run::{ProviderRun, Run};
use stt_eval_shared::domain::unit::Span;
use stt_eval_shared::domain::{ProjectId, ResultId};
use stt_eval_shared::store::results::Entry;

use super::{MAX_PAGE_BYTES, signing};
use crate::dto::results::ResultView;
use crate::error::ApiError;

/// Which results, and what to show of them.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Indexes of models in the run.
    pub providers: Vec<u8>,
    /// In one state.
    pub status: Option<ResultStatus>,
    /// Judged so; `Some(None)`: not judged.
    pub is_correct: Option<Option<bool>>,
    /// With words side by side.
    pub alignment: bool,
    /// With playback URLs.
    pub signed_url: bool,
}

/// One item of a run.
#[derive(Debug)]
pub enum Item {
    /// With an outcome.
    Done(Box<Entry>),
    /// Without.
    Pending(ResultId),
}

/// A page of items.
pub struct Found {
    /// The items in order, each with the place after it.
    pub items: Vec<(Item, String)>,
    /// Where the next page begins.
    pub next: Option<String>,
}

impl Selection {
    /// Every result of a run.
    #[must_use]
    pub fn all_of(run: &Run) -> Self {
        let count = u8::try_from(run.providers.len()).unwrap_or(u8::MAX);
        Self {
            providers: (0..count).collect(),
            ..Self::default()
        }
    }

    /// Whether items may be left out, so that more must be read than shown.
    #[must_use]
    pub fn filters(&self) -> bool {
        self.status.is_some() || self.is_correct.is_some()
    }

    /// Whether an item is asked for.
    #[must_use]
    pub fn takes(&self, entry: Option<&Entry>) -> bool {
        let status = entry.map_or(ResultStatus::Pending, |entry| entry.outcome.status());
        let judged = entry.and_then(|entry| entry.review.as_ref()?.is_correct);
        self.status.is_none_or(|wanted| wanted == status)
            && self.is_correct.is_none_or(|wanted| wanted == judged)
    }

    /// The models of a run that are selected.
    fn of<'a>(&self, run: &'a Run) -> impl Iterator<Item = &'a ProviderRun> {
        self.providers
            .iter()
            .filter_map(|index| run.providers.get(usize::from(*index)))
    }

    /// How many results of a run are selected, from its counters alone.
    #[must_use]
    pub fn total(&self, run: &Run) -> u64 {
        let size = u64::from(run.sample_count);
        self.of(run)
            .map(|provider| self.count(provider, size))
            .sum()
    }

    fn count(&self, provider: &ProviderRun, size: u64) -> u64 {
        let (completed, failed) = (u64::from(provider.completed), u64::from(provider.failed));
        let judged = u64::from(provider.correct) + u64::from(provider.incorrect);
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
            Some(Some(true)) if has_judged => u64::from(provider.correct),
            Some(Some(false)) if has_judged => u64::from(provider.incorrect),
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
        let scored_of = |provider: &ProviderRun| {
            let scored = provider.sums.summary().answered.samples;
            scored.min(self.count(provider, u64::from(run.sample_count)))
        };
        self.of(run).map(scored_of).sum()
    }
}

/// The entry as it counts now, with the score of the run's current scoring. A
/// failure of an earlier round counts no more.
#[must_use]
pub fn current(run: &Run, mut entry: Entry) -> Option<Entry> {
    let replaced =
        entry.outcome.status() == ResultStatus::Failed && entry.outcome.round < run.round;
    if replaced {
        return None;
    }
    entry.outcome.show(run.scorings.current, &entry.scores);
    Some(entry)
}

/// Whether a run has such an item.
#[must_use]
pub fn exists(run: &Run, id: ResultId) -> bool {
    usize::from(id.provider()) < run.providers.len() && u32::from(id.position()) < run.sample_count
}

/// The samples at some positions.
async fn samples_at(
    app: &App,
    project: &ProjectId,
    run: &Run,
    mut positions: Vec<u16>,
) -> Result<BTreeMap<u16, Sample>, ApiError> {
    positions.sort_unstable();
    positions.dedup();
    let mut spans: Vec<Span> = Vec::new();
    for position in positions {
        match spans.last_mut() {
            Some(span) if span.end == position => span.end = position + 1,
            _ => spans.push(Span {
                start: position,
                end: position + 1,
            }),
        }
    }
    if spans.is_empty() {
        return Ok(BTreeMap::new());
    }
    let samples = app.store.samples_in(project, run.dataset, &spans).await?;
    Ok(samples
        .into_iter()
        .map(|sample| (sample.id.position(), sample))
        .collect())
}

/// What clients see of a page of items, and where the next page begins. The
/// page ends early when it would not fit into an answer. An item whose sample
/// is gone is left out: its dataset is being deleted, and the run with it.
pub async fn show(
    app: &App,
    project: &ProjectId,
    run: &Run,
    selection: &Selection,
    found: Found,
) -> Result<(Vec<ResultView>, Option<String>), ApiError> {
    let wanted = selection.signed_url;
    let needed = found.items.iter().filter_map(|(item, _)| match item {
        Item::Pending(id) => Some(id.position()),
        Item::Done(entry) if wanted => Some(entry.outcome.id.position()),
        Item::Done(_) => None,
    });
    let samples = samples_at(app, project, run, needed.collect()).await?;
    let mut views = Vec::with_capacity(found.items.len());
    let mut bytes = 0;
    let mut items = found.items.into_iter();
    while let Some((item, place)) = items.next() {
        let view = match item {
            Item::Pending(id) => {
                let Some(sample) = samples.get(&id.position()) else {
                    continue;
                };
                let url = signing::sample_url(app, sample, wanted).await;
                ResultView::pending(run, id, sample, selection.alignment, url)
            }
            Item::Done(entry) => {
                let Entry {
                    outcome, review, ..
                } = *entry;
                let url = match samples.get(&outcome.id.position()) {
                    Some(sample) => signing::sample_url(app, sample, wanted).await,
                    None => wanted.then_some(None),
                };
                ResultView::done(run, outcome, review, selection.alignment, url)
            }
        };
        bytes += view.weight();
        views.push(view);
        if bytes > MAX_PAGE_BYTES && items.len() > 0 {
            return Ok((views, Some(place)));
        }
    }
    Ok((views, found.next))
}

#[cfg(test)]
pub(crate) mod tests {
    use stt_eval_shared::domain::run::RunStatus;
    use stt_eval_shared::domain::{DatasetId, RunId, Timestamp};
    use stt_eval_shared::providers::TranscribeConfig;
    use stt_eval_shared::scoring::CorpusSums;

    use super::*;

    pub(crate) fn run() -> Run {
        let provider = |completed, failed, correct, incorrect| ProviderRun {
            model: "m".into(),
            provider: "google".into(),
            config: TranscribeConfig {
                model: "m".into(),
                prompt: String::new(),
                temperature: 0.0,
                prompt_version: String::new(),
            },
            completed,
            failed,
            correct,
            incorrect,
            sums: CorpusSums::default(),
            cost_micro_usd: 0,
            model_versions: Vec::new(),
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
            providers: vec![provider(5, 2, 3, 1), provider(0, 0, 0, 0)],
            normalizer: "indic-v1".into(),
            generation: 1,
            round: 1,
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
            providers: vec![1],
            ..Selection::default()
        };
        assert_eq!(second.total(&run), 10);
        assert_eq!(all.total_scored(&run), 0);
    }
}
