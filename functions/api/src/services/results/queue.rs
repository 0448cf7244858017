//! Which clip a reviewer is to judge next.
//!
//! A clip is one position of a run, with what all models made of it. It is open for a
//! reviewer while one of its transcriptions has no verdict of theirs.

use std::collections::{BTreeSet, HashSet};

use futures::future::try_join_all;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::result::ResultStatus;
use stt_eval_shared::domain::review::{Opinion, Queue, Review, Reviewer};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ProjectId, ResultId, RunId};
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::store::results::{Entry, place_by_wer};

use super::selection::{ItemPage, RunItem, current};
use crate::actor::Actor;
use crate::refusal::{Kind, Refusal};

/// Most results looked at for one answer.
const MOST_READ: usize = 4_000;
/// Most clips that are read at once.
const WINDOW: usize = 64;
/// Keys of the index that are read at once.
const KEYS: usize = 50;
/// Where work is shared, one clip in so many is judged by two.
const ONE_IN: u64 = 10;
/// Most results that are looked at to say how many clips are left.
const MOST_COUNTED: usize = 600;

/// One clip of a run.
#[derive(Debug)]
pub struct Clip {
    /// Its position.
    pub position: u16,
    /// Its transcriptions: completed results, by model.
    pub completed: Vec<Entry>,
}

/// What is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// This clip.
    Clip(u16),
    /// Nothing yet; it is to be looked for behind this clip.
    Behind(u16),
    /// There is none left.
    End,
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

    /// Its result with the highest error rate.
    fn worst(&self) -> Option<(ResultId, String)> {
        let scored = self.completed.iter().filter_map(|entry| {
            let outcome = &entry.outcome;
            let place = place_by_wer(outcome.id, outcome.score.as_ref()?.wer, outcome.round);
            Some((outcome.id, place))
        });
        scored.max_by(|(_, a), (_, b)| a.cmp(b))
    }

    fn disagrees(&self, normaliser: &Normaliser) -> bool {
        let mut texts = self.completed.iter().filter_map(|entry| {
            let outcome = &entry.outcome;
            let text = outcome.transcription.as_deref()?;
            Some(normaliser.apply(text, &outcome.language))
        });
        let first = texts.next();
        texts.any(|text| Some(text) != first)
    }

    fn is_flagged(&self) -> bool {
        let scores = self.completed.iter().map(|entry| &entry.outcome.score);
        scores.flatten().any(|score| !score.flags.is_empty())
    }

    fn opinions(&self) -> impl Iterator<Item = Vec<Opinion>> {
        let reviews = self.completed.iter();
        reviews.filter_map(|entry| entry.review.as_ref().map(Review::opinions))
    }

    /// How many people have said something of it.
    fn reviewers(&self) -> usize {
        let all = self.opinions().flatten();
        let who: HashSet<Reviewer> = all.map(|opinion| opinion.reviewer).collect();
        who.len()
    }

    /// How many others have said something of it.
    fn others(&self, who: &Reviewer) -> usize {
        let own = self.opinions().flatten().any(|one| one.reviewer == *who);
        self.reviewers() - usize::from(own)
    }

    /// Whether one holds a transcription for right that another holds for wrong.
    fn is_split(&self) -> bool {
        self.opinions().any(|opinions| {
            let votes: HashSet<bool> = opinions.iter().filter_map(Opinion::vote).collect();
            votes.len() > 1
        })
    }

    /// Whether it goes to two people where work is shared: one clip in ten.
    fn is_for_two(&self) -> bool {
        next_number(&mut u64::from(self.position)).is_multiple_of(ONE_IN)
    }

    /// Whether it belongs to a queue of a reviewer.
    fn is_of(&self, queue: Queue, who: &Reviewer, normaliser: &Normaliser) -> bool {
        let is_open = !self.completed.is_empty() && !self.is_judged(who);
        is_open
            && match queue {
                Queue::Clips | Queue::Random | Queue::Worst => true,
                Queue::Disagreement => self.disagrees(normaliser),
                Queue::Flags => self.is_flagged(),
                Queue::Unreviewed => self.others(who) <= usize::from(self.is_for_two()),
                Queue::Second => self.reviewers() > 0,
                Queue::Split => self.is_split(),
            }
    }
}

/// Reads clips at positions `start..end`.
pub(super) async fn between(
    app: &App,
    project: &ProjectId,
    run: &Run,
    (start, end): (u16, u16),
) -> Result<Vec<Clip>, Refusal> {
    let count = u8::try_from(run.models.len()).unwrap_or(u8::MAX);
    let reads = (0..count).map(|model| {
        app.store
            .results_between(project, run.id, model, start, end)
    });
    let mut clips: Vec<Clip> = (start..end)
        .map(|position| Clip {
            position,
            completed: Vec::new(),
        })
        .collect();
    let entries = try_join_all(reads).await?.into_iter().flatten();
    for entry in entries.filter_map(|entry| current(run, entry)) {
        let at = usize::from(entry.outcome.id.position().saturating_sub(start));
        if entry.outcome.status() == ResultStatus::Completed
            && let Some(clip) = clips.get_mut(at)
        {
            clip.completed.push(entry);
        }
    }
    Ok(clips)
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
    let found = between(app, project, run, (position, position + 1)).await?;
    found.into_iter().next().ok_or_else(no_such)
}

/// Which of some clips a reviewer has still to judge.
async fn open_of(
    app: &App,
    project: &ProjectId,
    run: &Run,
    who: &Reviewer,
    positions: &BTreeSet<u16>,
) -> Result<HashSet<u16>, Refusal> {
    let Some((first, last)) = positions.first().zip(positions.last()) else {
        return Ok(HashSet::new());
    };
    let clips = if usize::from(last - first) < WINDOW {
        between(app, project, run, (*first, last + 1)).await?
    } else {
        try_join_all(positions.iter().map(|at| clip(app, project, run, *at))).await?
    };
    let open = clips
        .iter()
        .filter(|clip| !clip.completed.is_empty() && !clip.is_judged(who));
    Ok(open.map(|clip| clip.position).collect())
}

/// Which of some clips do not tell the one who asks which model is which: where a run hides
/// its models, those that they have still to judge. Those who start runs know what they have
/// chosen.
///
/// # Errors
/// When they can't be read.
pub async fn hidden(
    app: &App,
    actor: &Actor,
    run: &Run,
    positions: BTreeSet<u16>,
) -> Result<HashSet<u16>, Refusal> {
    if !run.blind_review || actor.role != Role::Reviewer {
        return Ok(HashSet::new());
    }
    open_of(app, &actor.project, run, &actor.reviewer(), &positions).await
}

/// Takes out of a page of results what is [`hidden`].
///
/// # Errors
/// When clips can't be read.
pub async fn hide(
    app: &App,
    actor: &Actor,
    run: &Run,
    found: &mut ItemPage,
) -> Result<(), Refusal> {
    let position = |item: &RunItem| match item {
        RunItem::Pending(id) => id.position(),
        RunItem::Done(entry) => entry.outcome.id.position(),
    };
    let positions = found.items.iter().map(|(item, _)| position(item));
    let hidden = hidden(app, actor, run, positions.collect()).await?;
    found
        .items
        .retain(|(item, _)| !hidden.contains(&position(item)));
    Ok(())
}

/// Refuses what tells of a result which model it is of, as long as that is hidden.
///
/// # Errors
/// When it is hidden, or that can't be told.
pub async fn may_see(app: &App, actor: &Actor, run: &Run, id: ResultId) -> Result<(), Refusal> {
    let position = id.position();
    if hidden(app, actor, run, BTreeSet::from([position]))
        .await?
        .is_empty()
    {
        return Ok(());
    }
    Err(Refusal::new(
        Kind::Forbidden,
        "in this run models are hidden until you have judged, and this names one; judge the clip \
         on the pages of the review first",
    ))
}

/// The next of a row of numbers that look like chance (`SplitMix64`).
fn next_number(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Positions by chance, the same each time for a run (Fisher and Yates).
fn shuffled(run: RunId, count: u16) -> Vec<u16> {
    let digest = sha256_hex(format!("random/2 {run}").as_bytes());
    let seed = digest.get(..16).unwrap_or_default();
    let mut state = u64::from_str_radix(seed, 16).unwrap_or_default();
    let mut positions: Vec<u16> = (0..count).collect();
    for last in (1..positions.len()).rev() {
        let chosen = next_number(&mut state) % (last as u64 + 1);
        positions.swap(last, usize::try_from(chosen).unwrap_or(last));
    }
    positions
}

/// The next clip in an order of positions.
async fn next_of(
    app: &App,
    project: &ProjectId,
    run: &Run,
    (queue, who): (Queue, &Reviewer),
    order: &[u16],
) -> Result<Next, Refusal> {
    let normaliser = Normaliser::by_name(&run.normalizer).unwrap_or_default();
    let (mut at, mut wanted, mut read) = (0, 1, 0);
    while let Some(positions) = order.get(at..order.len().min(at + wanted)) {
        let Some((first, last)) = positions.first().zip(positions.last()) else {
            return Ok(Next::End);
        };
        let is_range = queue != Queue::Random;
        let clips = if is_range {
            between(app, project, run, (*first, last + 1)).await?
        } else {
            let reads = positions.iter().map(|at| clip(app, project, run, *at));
            try_join_all(reads).await?
        };
        let found = clips
            .iter()
            .find(|clip| clip.is_of(queue, who, &normaliser));
        if let Some(clip) = found {
            return Ok(Next::Clip(clip.position));
        }
        read += positions.len() * run.models.len();
        if read > MOST_READ {
            return Ok(Next::Behind(*last));
        }
        at += positions.len();
        wanted = (wanted * 4).min(WINDOW);
    }
    Ok(Next::End)
}

/// The next clip by the highest error rate of its transcriptions. A clip of which the
/// worst is judged is passed by.
async fn next_worst(
    app: &App,
    project: &ProjectId,
    run: &Run,
    who: &Reviewer,
    after: Option<u16>,
) -> Result<Next, Refusal> {
    let mut from = match after {
        Some(position) => {
            let worst = clip(app, project, run, position).await?.worst();
            worst.map(|(_, place)| place)
        }
        None => None,
    };
    let mut read = 0;
    loop {
        let scoring = run.scorings.current;
        let keys = app
            .store
            .results_by_wer(project, run.id, scoring, true, from.as_deref(), KEYS)
            .await?;
        let (keys, more) = keys;
        let entries = app.store.results(project, &keys).await?;
        let open = |id: ResultId| {
            let entry = entries.iter().find(|entry| entry.outcome.id == id);
            entry.is_some_and(|entry| !has_verdict(entry, who))
        };
        for (id, _) in keys.iter().filter(|(id, _)| open(*id)) {
            let clip = clip(app, project, run, id.position()).await?;
            if clip.worst().is_some_and(|(worst, _)| worst == *id) {
                return Ok(Next::Clip(id.position()));
            }
        }
        read += keys.len();
        if !more {
            return Ok(Next::End);
        }
        if read > MOST_READ {
            // Behind a clip is behind its worst: behind another of its results would be
            // to come here again.
            for (id, _) in keys.iter().rev() {
                let clip = clip(app, project, run, id.position()).await?;
                if clip.worst().is_some_and(|(worst, _)| worst == *id) {
                    return Ok(Next::Behind(id.position()));
                }
            }
        }
        from = keys.into_iter().last().map(|(_, place)| place).or(from);
    }
}

/// The clip that a reviewer is to judge next in an order, behind another.
///
/// # Errors
/// When it can't be read.
pub async fn next(
    app: &App,
    project: &ProjectId,
    run: &Run,
    (queue, who): (Queue, &Reviewer),
    after: Option<u16>,
) -> Result<Next, Refusal> {
    if queue == Queue::Worst {
        return next_worst(app, project, run, who, after).await;
    }
    let count = u16::try_from(run.sample_count).unwrap_or(u16::MAX);
    let order: Vec<u16> = if queue == Queue::Random {
        shuffled(run.id, count)
    } else {
        (0..count).collect()
    };
    let behind = order.iter().position(|at| Some(*at) == after);
    let order = order
        .get(behind.map_or(0, |at| at + 1)..)
        .unwrap_or_default();
    next_of(app, project, run, (queue, who), order).await
}

/// How many clips of a queue come behind one, for a reviewer, and how many there are in no
/// queue, since no model has transcribed them: told where a queue is of all clips. `None`
/// where that takes more reading than one page may.
///
/// # Errors
/// When they can't be read.
pub async fn left(
    app: &App,
    project: &ProjectId,
    run: &Run,
    (queue, who): (Queue, &Reviewer),
    of: &Clip,
) -> Result<Option<(u64, u64)>, Refusal> {
    let count = u16::try_from(run.sample_count).unwrap_or(u16::MAX);
    let start = match queue {
        Queue::Worst | Queue::Random => 0,
        _ => of.position + 1,
    };
    match usize::from(count.saturating_sub(start)) * run.models.len() {
        0 => return Ok(Some((0, 0))),
        results if results > MOST_COUNTED => return Ok(None),
        _ => {}
    }
    let mut clips = between(app, project, run, (start, count)).await?;
    if queue == Queue::Worst {
        let Some((_, here)) = of.worst() else {
            return Ok(None);
        };
        // Passed by as `next_worst` does.
        let is_left = |clip: &&Clip| {
            let worst = clip.worst().filter(|(_, place)| *place < here);
            let entry =
                worst.and_then(|(id, _)| clip.completed.iter().find(|e| e.outcome.id == id));
            entry.is_some_and(|entry| !has_verdict(entry, who))
        };
        let left = clips.iter().filter(is_left).count() as u64;
        return Ok(Some((left, untold(&clips))));
    }
    if queue == Queue::Random {
        let order = shuffled(run.id, count).into_iter();
        let behind = order.skip_while(|at| *at != of.position).skip(1);
        let behind: HashSet<u16> = behind.collect();
        clips.retain(|clip| behind.contains(&clip.position));
    }
    let normaliser = Normaliser::by_name(&run.normalizer).unwrap_or_default();
    let is_left = |clip: &&Clip| clip.is_of(queue, who, &normaliser);
    let left = clips.iter().filter(is_left).count() as u64;
    let is_of_all = matches!(queue, Queue::Clips | Queue::Random | Queue::Unreviewed);
    Ok(Some((left, if is_of_all { untold(&clips) } else { 0 })))
}

/// Clips that no model has transcribed.
fn untold(clips: &[Clip]) -> u64 {
    let untold = clips.iter().filter(|clip| clip.completed.is_empty());
    untold.count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_clip_in_ten_goes_to_two() {
        let clip = |position| Clip {
            position,
            completed: Vec::new(),
        };
        let two = (0..10_000).filter(|at| clip(*at).is_for_two()).count();
        assert!((900..=1_100).contains(&two), "{two}");
    }

    #[test]
    fn chance_is_the_same_each_time_and_leaves_nothing_out() {
        let (one, other) = (RunId::mint(1, [1; 10]), RunId::mint(1, [2; 10]));
        let order = shuffled(one, 500);
        assert_eq!(order, shuffled(one, 500));
        assert_ne!(order, shuffled(other, 500));
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..500).collect::<Vec<_>>());
        assert_ne!(order, sorted);
    }
}
