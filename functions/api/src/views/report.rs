//! Parts of reports.

use stt_eval_shared::domain::rescoring;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::scoring::CorpusSums;
use stt_eval_shared::scoring::confusions::{CountedWord, SubstitutedWord, TopConfusions};
use stt_eval_shared::scoring::waterfall::WaterfallRow;
use stt_eval_shared::wire::report::{Confusions, Counted, Scoring, Step, Substituted, Summary};

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
