//! Parts of reports.

use stt_eval_shared::domain::rescoring;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::scoring::agreement::{self, FEWEST};
use stt_eval_shared::wire::report::{Agreement, Scoring};

/// A scoring of a run.
#[must_use]
pub fn scoring(run: &Run, scoring: rescoring::Scoring) -> Scoring {
    Scoring {
        current: scoring.id == run.scorings.current,
        id: scoring.id,
        normalizer: scoring.normalizer,
        scorer_version: scoring.scorer_version,
        status: scoring.status,
        inserted_at: scoring.inserted_at,
        completed_at: scoring.completed_at,
    }
}

/// All scorings of a run.
#[must_use]
pub fn scorings(run: &Run) -> Vec<Scoring> {
    let all = run.all_scorings().into_iter();
    all.map(|one| scoring(run, one)).collect()
}

/// How far reviewers agree.
#[must_use]
pub fn agreement(found: agreement::Agreement) -> Agreement {
    let rates = found.rates;
    let ends = rates.and_then(|rates| rates.ac1_interval);
    Agreement {
        items: found.items,
        all_right: found.all_right,
        all_wrong: found.all_wrong,
        needed: FEWEST,
        agreement: rates.map(|rates| rates.same),
        agreement_on_wrong: rates.and_then(|rates| rates.on_wrong),
        ac1: rates.map(|rates| rates.ac1),
        ac1_low: ends.map(|(low, _)| low),
        ac1_high: ends.map(|(_, high)| high),
        alpha: rates.and_then(|rates| rates.alpha),
    }
}
