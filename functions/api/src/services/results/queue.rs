//! Which clip a reviewer is to judge next.
//!
//! A clip is open for a reviewer while one of its transcriptions has no verdict of theirs.

use std::collections::HashMap;

use stt_eval_shared::App;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::review::{Queue, Reviewer};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ProjectId, ResultId, RunId};
use stt_eval_shared::scoring::normalise::Normaliser;

use super::clip::{self, Clip};
use super::disagreement;
use crate::refusal::{Kind, Refusal};

/// Most results looked at for one answer.
const MOST_READ: usize = 4_000;
/// Most clips that are read at once.
const WINDOW: usize = 64;
/// Keys of the index that are read at once.
const KEYS: usize = 100;
/// Where work is shared, one clip in so many is judged by two.
const ONE_IN: u64 = 10;
/// Most results that are looked at to say exactly how many clips are left: two hundred and fifty
/// clips of four models.
const MOST_COUNTED: usize = 1_000;
/// Results that are looked at to say that at least so many are left.
const SOME_COUNTED: usize = 200;

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

/// Whether a clip goes to two people where work is shared: one clip in ten.
fn is_for_two(position: u16) -> bool {
    next_number(&mut u64::from(position)).is_multiple_of(ONE_IN)
}

/// Whether a clip belongs to a queue of a reviewer.
fn is_of(clip: &Clip, queue: Queue, who: &Reviewer, normaliser: &Normaliser) -> bool {
    clip.is_open(who)
        && match queue {
            Queue::Clips | Queue::Random | Queue::Worst => true,
            Queue::Disagreement => clip.disagrees(normaliser),
            Queue::Flags => clip.is_flagged(),
            Queue::Unreviewed => clip.others(who) <= usize::from(is_for_two(clip.position)),
            Queue::Second => clip.others(who) > 0,
            Queue::Split => clip.is_split(),
        }
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

/// The clips of a run in the order of a queue. That of the worst is an index of the store.
async fn order(
    app: &App,
    project: &ProjectId,
    run: &Run,
    queue: Queue,
) -> Result<Vec<u16>, Refusal> {
    let count = u16::try_from(run.sample_count).unwrap_or(u16::MAX);
    match queue {
        Queue::Random => Ok(shuffled(run.id, count)),
        Queue::Disagreement => disagreement::positions(app, project, run).await,
        _ => Ok((0..count).collect()),
    }
}

/// What of an order comes behind a clip; all of it behind none.
fn behind(order: &[u16], after: Option<u16>) -> &[u16] {
    let after = order.iter().position(|at| Some(*at) == after);
    order
        .get(after.map_or(0, |at| at + 1)..)
        .unwrap_or_default()
}

/// The next clip in an order of positions.
async fn next_of(
    app: &App,
    project: &ProjectId,
    run: &Run,
    (queue, who): (Queue, &Reviewer),
    order: &[u16],
) -> Result<Next, Refusal> {
    let normaliser = Normaliser::by_name(run.current_normalizer()).unwrap_or_default();
    let (mut at, mut wanted, mut read) = (0, 1, 0);
    while let Some(positions) = order.get(at..order.len().min(at + wanted)) {
        let Some(last) = positions.last() else {
            return Ok(Next::End);
        };
        let clips = clip::at(app, project, run, positions).await?;
        let mut clips = clips.iter();
        if let Some(clip) = clips.find(|clip| is_of(clip, queue, who, &normaliser)) {
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

/// What is known of the worst transcriptions of clips, by position: which they are, and whether
/// a reviewer has still to judge them.
#[derive(Default)]
struct Worst(HashMap<u16, Option<(ResultId, bool)>>);

impl Worst {
    /// Reads of the clips of some results what is not known yet.
    async fn read(
        &mut self,
        app: &App,
        project: &ProjectId,
        run: &Run,
        who: &Reviewer,
        results: &[(ResultId, String)],
    ) -> Result<(), Refusal> {
        let positions = results.iter().map(|(id, _)| id.position());
        let mut unknown: Vec<u16> = positions.filter(|at| !self.0.contains_key(at)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        for clip in clip::at(app, project, run, &unknown).await? {
            let worst = clip.worst().map(|(id, _)| (id, !clip.has_verdict(id, who)));
            self.0.insert(clip.position, worst);
        }
        Ok(())
    }

    /// Whether a result is the worst of its clip, and still to be judged; `None` where another
    /// one is.
    fn is_open(&self, result: ResultId) -> Option<bool> {
        let (id, is_open) = (*self.0.get(&result.position())?)?;
        (id == result).then_some(is_open)
    }
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
            let clip = clip::clip(app, project, run, position).await?;
            clip.worst().map(|(_, place)| place)
        }
        None => None,
    };
    let mut worst = Worst::default();
    let (mut wanted, mut read) = (1, 0);
    loop {
        let scoring = run.scorings.current;
        let (keys, more) = app
            .store
            .results_by_wer(project, run.id, scoring, true, from.as_deref(), KEYS)
            .await?;
        let mut at = 0;
        while let Some(some) = keys.get(at..keys.len().min(at + wanted))
            && !some.is_empty()
        {
            worst.read(app, project, run, who, some).await?;
            let mut open = some.iter().map(|(id, _)| *id);
            if let Some(id) = open.find(|id| worst.is_open(*id) == Some(true)) {
                return Ok(Next::Clip(id.position()));
            }
            at += some.len();
            wanted = (wanted * 4).min(WINDOW);
        }
        read += keys.len();
        if !more {
            return Ok(Next::End);
        }
        if read > MOST_READ {
            // Behind a clip is behind its worst: behind another of its results would be
            // to come here again.
            let mut last = keys.iter().rev().map(|(id, _)| *id);
            if let Some(id) = last.find(|id| worst.is_open(*id).is_some()) {
                return Ok(Next::Behind(id.position()));
            }
        }
        from = keys.into_iter().last().map(|(_, place)| place).or(from);
    }
}

/// The clip that a reviewer is to judge next in an order, behind another.
///
/// # Errors
/// When it can't be read; when the order is being worked out and takes longer than one request.
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
    let order = order(app, project, run, queue).await?;
    let order = behind(&order, after);
    next_of(app, project, run, (queue, who), order).await
}

/// What comes behind a clip in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Clips of the queue.
    pub clips: u64,
    /// Whether there may be more of them: not all results of a large run are looked at.
    pub or_more: bool,
    /// Clips that are in no queue, since no model has transcribed them: told where a queue is
    /// of all clips.
    pub untold: u64,
}

/// How much of a queue comes behind a clip, for a reviewer. `None` where that is not known.
///
/// # Errors
/// When clips can't be read.
pub async fn left(
    app: &App,
    project: &ProjectId,
    run: &Run,
    (queue, who): (Queue, &Reviewer),
    of: &Clip,
) -> Result<Option<Left>, Refusal> {
    let here = of.worst().map(|(_, place)| place);
    if queue == Queue::Worst && here.is_none() {
        return Ok(None);
    }
    let order = match order(app, project, run, queue).await {
        Ok(order) => order,
        // The order is worked out for the next clip, not for how many there are.
        Err(refusal) if matches!(refusal.kind, Kind::Unfinished | Kind::TooMany) => {
            return Ok(None);
        }
        Err(refusal) => return Err(refusal),
    };
    // By the error rate a clip may be behind any other.
    let after = (queue != Queue::Worst).then_some(of.position);
    let behind = behind(&order, after);
    let models = run.models.len().max(1);
    let or_more = behind.len() * models > MOST_COUNTED;
    let some = if or_more {
        SOME_COUNTED / models
    } else {
        behind.len()
    };
    let behind = behind.get(..some).unwrap_or(behind);
    let clips = clip::at(app, project, run, behind).await?;
    let normaliser = Normaliser::by_name(run.current_normalizer()).unwrap_or_default();
    let is_left = |clip: &&Clip| match queue {
        // Passed by as `next_worst` does.
        Queue::Worst => clip.worst().is_some_and(|(id, place)| {
            here.as_ref().is_some_and(|here| place < *here) && !clip.has_verdict(id, who)
        }),
        _ => is_of(clip, queue, who, &normaliser),
    };
    let left = clips.iter().filter(is_left).count() as u64;
    if or_more && left == 0 {
        return Ok(None);
    }
    let is_of_all = matches!(
        queue,
        Queue::Clips | Queue::Random | Queue::Unreviewed | Queue::Worst
    );
    let untold = clips.iter().filter(|clip| clip.completed.is_empty());
    Ok(Some(Left {
        clips: left,
        or_more,
        untold: if is_of_all && !or_more {
            untold.count() as u64
        } else {
            0
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_clip_in_ten_goes_to_two() {
        let two = (0..10_000).filter(|at| is_for_two(*at)).count();
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

    #[test]
    fn behind_a_clip_is_what_comes_after_it_in_the_order() {
        let order = [3, 1, 0, 2];
        assert_eq!(behind(&order, None), order);
        assert_eq!(behind(&order, Some(1)), [0, 2]);
        assert!(behind(&order, Some(2)).is_empty());
    }
}
