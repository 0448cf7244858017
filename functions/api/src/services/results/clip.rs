//! One clip of a run: one position, with what all models made of it.

use std::collections::{HashMap, HashSet};

use futures::future::try_join_all;
use stt_eval_shared::App;
use stt_eval_shared::domain::result::ResultStatus;
use stt_eval_shared::domain::review::{Opinion, Review, Reviewer};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ProjectId, ResultId};
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::store::results::{Entry, place_by_wer};

use super::selection::current;
use crate::refusal::Refusal;

/// Clips within so many times their number of positions are read with those between them: that
/// is less than to ask for each of their results by its key.
const CLOSE: usize = 4;

/// One clip of a run.
#[derive(Debug)]
pub struct Clip {
    /// Its position.
    pub position: u16,
    /// Its transcriptions: completed results, by model.
    pub completed: Vec<Entry>,
}

/// What a reviewer says of an entry.
#[must_use]
pub fn own(entry: &Entry, who: &Reviewer) -> Option<Opinion> {
    entry.review.as_ref()?.of(who)
}

fn has_verdict(entry: &Entry, who: &Reviewer) -> bool {
    own(entry, who).is_some_and(|own| own.verdict.is_some())
}

impl Clip {
    /// Whether a reviewer has found a verdict on each of its transcriptions.
    #[must_use]
    pub fn is_judged(&self, who: &Reviewer) -> bool {
        self.completed.iter().all(|entry| has_verdict(entry, who))
    }

    /// Whether a reviewer has been told which models these are of: by a verdict on each, also
    /// one that was taken back.
    #[must_use]
    pub fn was_told(&self, who: &Reviewer) -> bool {
        let had = |entry: &Entry| entry.review.as_ref().is_some_and(|r| r.had_verdict_of(who));
        self.completed.iter().all(had)
    }

    /// Whether a reviewer has still to judge it: one of its transcriptions has no verdict of theirs.
    pub(super) fn is_open(&self, who: &Reviewer) -> bool {
        !self.completed.is_empty() && !self.is_judged(who)
    }

    /// Whether a reviewer has found a verdict on one of its transcriptions.
    pub(super) fn has_verdict(&self, id: ResultId, who: &Reviewer) -> bool {
        let mut completed = self.completed.iter();
        completed.any(|entry| entry.outcome.id == id && has_verdict(entry, who))
    }

    /// Its result with the highest error rate.
    pub(super) fn worst(&self) -> Option<(ResultId, String)> {
        let scored = self.completed.iter().filter_map(|entry| {
            let outcome = &entry.outcome;
            let place = place_by_wer(outcome.id, outcome.score.as_ref()?.wer, outcome.round);
            Some((outcome.id, place))
        });
        scored.max_by(|(_, a), (_, b)| a.cmp(b))
    }

    pub(super) fn disagrees(&self, normaliser: &Normaliser) -> bool {
        let mut texts = self.completed.iter().filter_map(|entry| {
            let outcome = &entry.outcome;
            let text = outcome.transcription.as_deref()?;
            Some(normaliser.apply(text, &outcome.language))
        });
        let first = texts.next();
        texts.any(|text| Some(text) != first)
    }

    pub(super) fn is_flagged(&self) -> bool {
        let scores = self.completed.iter().map(|entry| &entry.outcome.score);
        scores.flatten().any(|score| !score.flags.is_empty())
    }

    fn opinions(&self) -> impl Iterator<Item = Vec<Opinion>> {
        let reviews = self.completed.iter();
        reviews.filter_map(|entry| entry.review.as_ref().map(Review::opinions))
    }

    /// How many others have said something of it.
    pub(super) fn others(&self, who: &Reviewer) -> usize {
        let all = self.opinions().flatten().map(|opinion| opinion.reviewer);
        let others: HashSet<Reviewer> = all.filter(|reviewer| reviewer != who).collect();
        others.len()
    }

    /// Whether one holds a transcription for right that another holds for wrong.
    pub(super) fn is_split(&self) -> bool {
        self.opinions().any(|opinions| {
            let votes: HashSet<bool> = opinions.iter().filter_map(Opinion::vote).collect();
            votes.len() > 1
        })
    }
}

/// Clips at some positions, in that order, with those of some entries that count and have a
/// transcription.
fn together(
    run: &Run,
    positions: impl Iterator<Item = u16>,
    entries: impl Iterator<Item = Entry>,
) -> Vec<Clip> {
    let mut completed: HashMap<u16, Vec<Entry>> = HashMap::new();
    for entry in entries.filter_map(|entry| current(run, entry)) {
        if entry.outcome.status() == ResultStatus::Completed {
            let at = entry.outcome.id.position();
            completed.entry(at).or_default().push(entry);
        }
    }
    let clip = |position| Clip {
        position,
        completed: completed.remove(&position).unwrap_or_default(),
    };
    positions.map(clip).collect()
}

async fn entries_between(
    app: &App,
    project: &ProjectId,
    run: &Run,
    (start, end): (u16, u16),
) -> Result<Vec<Entry>, Refusal> {
    let count = u8::try_from(run.models.len()).unwrap_or(u8::MAX);
    let reads = (0..count).map(|model| {
        app.store
            .results_between(project, run.id, model, start, end)
    });
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

/// Reads clips at positions `start..end`.
pub(super) async fn between(
    app: &App,
    project: &ProjectId,
    run: &Run,
    (start, end): (u16, u16),
) -> Result<Vec<Clip>, Refusal> {
    let entries = entries_between(app, project, run, (start, end)).await?;
    Ok(together(run, start..end, entries.into_iter()))
}

/// Reads clips that lie anywhere, in the order in which they are asked for: in few requests,
/// however many there are.
pub(super) async fn at(
    app: &App,
    project: &ProjectId,
    run: &Run,
    positions: &[u16],
) -> Result<Vec<Clip>, Refusal> {
    let ends = positions.iter().min().zip(positions.iter().max());
    let Some((first, last)) = ends else {
        return Ok(Vec::new());
    };
    let entries = if usize::from(last - first) < positions.len() * CLOSE {
        entries_between(app, project, run, (*first, last.saturating_add(1))).await?
    } else {
        let count = u8::try_from(run.models.len()).unwrap_or(u8::MAX);
        let ids = positions
            .iter()
            .flat_map(|at| (0..count).map(|model| ResultId::new(run.id, model, *at)));
        let ids: Vec<ResultId> = ids.collect();
        let of = (run.round, run.scorings.current);
        app.store.results_at(project, &ids, of).await?
    };
    Ok(together(
        run,
        positions.iter().copied(),
        entries.into_iter(),
    ))
}

/// Reads one clip.
///
/// # Errors
/// When the run has no such position, or it can't be read.
pub async fn clip(
    app: &App,
    project: &ProjectId,
    run: &Run,
    position: u16,
) -> Result<Clip, Refusal> {
    let no_such = || Refusal::no_such("clip");
    if u32::from(position) >= run.sample_count {
        return Err(no_such());
    }
    let found = at(app, project, run, &[position]).await?;
    found.into_iter().next().ok_or_else(no_such)
}
