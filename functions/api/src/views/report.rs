//! Parts of reports.

use stt_eval_shared::domain::rescoring;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::scoring::CorpusSums;
use stt_eval_shared::scoring::agreement::{self, FEWEST};
use stt_eval_shared::scoring::confusions::{CountedWord, SubstitutedWord, TopConfusions};
use stt_eval_shared::scoring::waterfall::WaterfallRow;
use stt_eval_shared::wire::report::{
    Agreement, Confusions, Counted, Scoring, Step, Substituted, Summary,
};

use super::scores::{failures, figures};

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

/// Figures of sums over samples; `None` when nothing is scored.
#[must_use]
pub fn summary(sums: &CorpusSums) -> Option<Summary> {
    let summary = sums.summary();
    (sums.samples() > 0).then(|| Summary {
        all: figures(&summary.all),
        answered: figures(&summary.answered),
        coverage: summary.coverage,
        failures: failures(sums),
    })
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

/// What a step of the normaliser forgave.
#[must_use]
pub fn step(row: WaterfallRow) -> Step {
    Step {
        step: row.step,
        lossy: row.lossy,
        wer: row.wer,
        errors: row.errors,
        forgiven: row.forgiven,
    }
}

/// Words that go wrong most often.
#[must_use]
pub fn confusions(top: TopConfusions, approximate: bool) -> Confusions {
    let words = |words: Vec<CountedWord>| {
        let view = |CountedWord { word, times }| Counted { word, times };
        words.into_iter().map(view).collect()
    };
    let pair = |pair: SubstitutedWord| Substituted {
        reference: pair.reference,
        hypothesis: pair.hypothesis,
        times: pair.times,
    };
    Confusions {
        substituted: top.substituted.into_iter().map(pair).collect(),
        deleted: words(top.deleted),
        inserted: words(top.inserted),
        approximate,
    }
}
