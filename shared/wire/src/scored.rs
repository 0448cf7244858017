//! What the scorer found, as the contract tells it.

use stt_eval_scoring::confusions::{CountedWord, SubstitutedWord, TopConfusions};
use stt_eval_scoring::uncertainty::Sample;
use stt_eval_scoring::waterfall::WaterfallRow;
use stt_eval_scoring::{self as scoring, CorpusFigures, CorpusSums, SpannedWord};

use crate::report::{Bucket, Confusions, Counted, Step, Substituted, Summary};
use crate::scores::{AlignedWord, Failures, Figures, Word};

fn word(word: SpannedWord) -> Word {
    Word {
        text: word.text,
        start: word.start,
        end: word.end,
    }
}

/// One step of a word alignment.
#[must_use]
pub fn aligned_word(aligned: scoring::AlignedWord) -> AlignedWord {
    AlignedWord {
        op: aligned.op,
        reference: aligned.reference.map(word),
        hypothesis: aligned.hypothesis.map(word),
    }
}

/// Figures over a set of samples.
#[must_use]
pub fn figures(figures: &CorpusFigures) -> Figures {
    let words = figures.counts.words;
    Figures {
        samples: figures.samples,
        wer: figures.wer,
        cer: figures.cer,
        mer: figures.mer,
        wil: figures.wil,
        wip: figures.wip,
        cer_grapheme: figures.cer_grapheme,
        raw_wer: figures.raw_wer,
        raw_cer: figures.raw_cer,
        mean_wer: figures.mean_wer,
        median_wer: figures.median_wer,
        perfect_share: figures.perfect_share,
        hits: words.hits,
        substitutions: words.substitutions,
        deletions: words.deletions,
        insertions: words.insertions,
    }
}

/// Whose the failures in sums over samples are.
#[must_use]
pub fn failures(sums: &CorpusSums) -> Failures {
    let summary = sums.summary();
    let known = |count: u64| sums.failures_told_apart().then_some(count);
    Failures {
        failed_by_model: known(summary.failed),
        failed_by_service: known(summary.left_out),
    }
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

/// Buckets between "every word right" and "more errors than words".
const BETWEEN: u64 = 10;

/// The bucket of a sample: 0 for none wrong, `BETWEEN` + 1 for more than was said. By
/// whole numbers, so that a rate at an edge is where its fraction is.
fn bucket(errors: u64, words: u64) -> usize {
    if errors > words {
        return BETWEEN as usize + 1;
    }
    let scaled = u128::from(errors) * u128::from(BETWEEN);
    usize::try_from(scaled.div_ceil(u128::from(words.max(1)))).unwrap_or(0)
}

/// Samples by word error rate, since a mean hides a model that is right on most and makes
/// things up on some; empty where no reference has words.
pub fn distribution(samples: impl IntoIterator<Item = Sample>) -> Vec<Bucket> {
    let mut counts = [0u64; BETWEEN as usize + 2];
    let samples = samples.into_iter();
    for sample in samples.filter(|sample| sample.reference > 0) {
        if let Some(count) = counts.get_mut(bucket(sample.errors, sample.reference)) {
            *count += 1;
        }
    }
    if counts.iter().all(|count| *count == 0) {
        return Vec::new();
    }
    let edge = |index: usize| index as f64 / BETWEEN as f64;
    let last = counts.len() - 1;
    let view = |(index, samples): (usize, u64)| Bucket {
        above: index.checked_sub(1).map(edge),
        up_to: (index < last).then(|| edge(index)),
        samples,
    };
    counts.into_iter().enumerate().map(view).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_belong_to_the_bucket_below() {
        for (errors, words, index) in [
            (0, 7, 0),
            (1, 100, 1),
            (1, 10, 1),
            (11, 100, 2),
            (3, 10, 3),
            (10, 10, 10),
            (11, 10, 11),
            (u64::MAX, 1, 11),
            (u64::MAX, u64::MAX, 10),
        ] {
            assert_eq!(bucket(errors, words), index, "{errors}/{words}");
        }
    }

    #[test]
    fn nothing_is_spread_over_nothing() {
        assert_eq!(distribution([]), []);
    }
}
