//! What a run's counts of a model should be, by all of its outcomes.

use std::collections::BTreeMap;

use stt_eval_shared::App;
use stt_eval_shared::domain::result::{Outcome, ResultStatus};
use stt_eval_shared::domain::run::{Run, Tally};
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::scoring::score;

use crate::failure::Failure;

/// Positions that are counted at once.
const WINDOW: u16 = 500;

/// Counts all outcomes of a model, with some that are about to be written in
/// place of the stored ones.
pub(super) async fn count(
    app: &App,
    run: &Run,
    model: u8,
    changes: &[Outcome],
) -> Result<Tally, Failure> {
    let normaliser = Normaliser::by_name(run.current_normalizer())
        .ok_or(Failure::Setup("a run's normaliser is unknown here"))?;
    let mut tally = Tally::default();
    let all = u16::try_from(run.sample_count).unwrap_or(u16::MAX);
    for start in (0..all).step_by(usize::from(WINDOW)) {
        let end = start.saturating_add(WINDOW).min(all);
        let stored = app
            .store
            .stored_outcomes(&run.project, run.id, model, start, end)
            .await?;
        let mut items: BTreeMap<(u16, u16), Option<&Outcome>> = stored
            .iter()
            .map(|stored| ((stored.position, stored.round), stored.outcome.as_ref()))
            .collect();
        let here = start..end;
        for outcome in changes.iter().filter(|o| here.contains(&o.id.position())) {
            items.insert((outcome.id.position(), outcome.round), Some(outcome));
        }
        let mut items = items.into_iter().peekable();
        while let Some(((position, round), outcome)) = items.next() {
            let latest = items.peek().is_none_or(|((next, _), _)| *next != position);
            count_one(&mut tally, run, round, outcome, latest, &normaliser);
        }
    }
    Ok(tally)
}

/// Adds one outcome as its collection did, or only its cost if it is not what
/// counts: a later round has another, or is to bring one.
fn count_one(
    tally: &mut Tally,
    run: &Run,
    round: u16,
    outcome: Option<&Outcome>,
    latest: bool,
    normaliser: &Normaliser,
) {
    let Some(outcome) = outcome else {
        // It can't be read until its own unit is replayed.
        tally.failed += u32::from(latest && !run.replaces(round, false));
        return;
    };
    match outcome.status() {
        ResultStatus::Completed if latest => tally.add(outcome, outcome.score.as_ref()),
        ResultStatus::Failed | ResultStatus::Pending if latest && !run.is_open(outcome) => {
            // How large its reference is.
            let reference = outcome.ground_truth.as_deref();
            let missing = reference.and_then(|reference| {
                score(reference, "", &outcome.language, normaliser, None).ok()
            });
            tally.add(outcome, missing.as_ref());
        }
        _ => tally.add_cost(outcome),
    }
}
