//! How systems compare, as the contract tells it, and what is to be said of it.

use stt_eval_scoring::uncertainty::{
    self, ALPHA, EXACT_BLOCKS, PairComparison, RELIABLE_BLOCKS, Resampling,
};

use crate::comparison::{
    Adjustment, Compared, Comparison, Interval, Pair, Test, Warning, WarningCode,
};

/// The interval of one model; `None` when nothing can be said.
#[must_use]
pub fn interval(comparison: &uncertainty::Comparison, index: usize) -> Option<Interval> {
    let model = comparison.providers.get(index)?;
    let interval = model.interval?;
    Some(Interval {
        rate: model.rate,
        low: interval.low,
        high: interval.high,
        standard_error: interval.standard_error,
        reliable: comparison.is_reliable(),
    })
}

/// A pair among named models.
#[must_use]
pub fn pair(pair: &PairComparison, names: &[String]) -> Pair {
    let name = |index: usize| names.get(index).cloned().unwrap_or_default();
    Pair {
        a: name(pair.a),
        b: name(pair.b),
        difference: pair.difference,
        low: pair.interval.map(|interval| interval.low),
        high: pair.interval.map(|interval| interval.high),
        probability_a_better: pair.probability_a_better,
        p_value: pair.p_value,
        p_adjusted: pair.p_adjusted,
        distinguishable: pair.distinguishable,
        more_blocks: pair.more_blocks,
    }
}

/// Systems on the same samples, by their names.
#[must_use]
pub fn comparison(
    found: &uncertainty::Comparison,
    resampling: Resampling,
    names: &[String],
) -> Comparison {
    let rate = |index: usize| found.providers.get(index).map_or(0.0, |p| p.rate);
    let rates: Vec<f64> = found.providers.iter().map(|p| p.rate).collect();
    let order = uncertainty::ascending(&rates);
    let leaders = order.first().zip(order.get(1));
    let of_leaders = found
        .pairs
        .iter()
        .find(|pair| leaders.is_some_and(|(a, b)| (pair.a, pair.b) == (*a.min(b), *a.max(b))));
    let of_system = |(index, name): (usize, &String)| {
        let compared = Compared {
            wer: rate(index),
            wer_interval: interval(found, index),
        };
        (name.clone(), compared)
    };
    Comparison {
        samples: found.samples,
        blocks: found.blocks,
        reliable: found.is_reliable(),
        test: Test::PairedPermutation,
        adjustment: Adjustment::Holm,
        comparisons: found.pairs.len(),
        permutations: resampling.permutations,
        replicates: resampling.replicates,
        seed: resampling.seed,
        providers: names.iter().enumerate().map(of_system).collect(),
        pairs: found.pairs.iter().map(|one| pair(one, names)).collect(),
        more_blocks: of_leaders.and_then(|pair| pair.more_blocks),
    }
}

/// The smallest p-value that so many blocks can give.
fn least_p(blocks: usize) -> f64 {
    if blocks > EXACT_BLOCKS {
        1.0 / (Resampling::default().permutations + 1) as f64
    } else {
        // One of all ways of swapping, and its mirror image.
        (2.0 / f64::from(1u32 << blocks)).min(1.0)
    }
}

/// Whether so many blocks are too few for any of so many comparisons to tell a difference.
#[must_use]
pub fn tell_nothing(blocks: usize, comparisons: usize) -> bool {
    comparisons > 0 && least_p(blocks) * comparisons as f64 >= ALPHA
}

/// Whether there are too few blocks for reliable intervals, or for any verdict.
#[must_use]
pub fn few_blocks(comparison: &uncertainty::Comparison) -> Option<Warning> {
    let (blocks, pairs) = (comparison.blocks, comparison.pairs.len());
    // Of blocks is told only where they are none of a single clip each.
    let (one, several, together) = if blocks == comparison.samples {
        ("clip", "clips", "")
    } else {
        ("block", "blocks", " of clips that count together")
    };
    let mut told = Vec::new();
    if !comparison.is_reliable() {
        told.push(format!(
            "intervals are not reliable from fewer than {RELIABLE_BLOCKS}"
        ));
    }
    if tell_nothing(blocks, pairs) {
        let what = match pairs {
            1 => format!("1 comparison, whatever they do: that takes more {several}"),
            _ => format!(
                "{pairs} comparisons, whatever they do: that takes more {several} or fewer models"
            ),
        };
        told.push(format!("no two models can be told apart with {what}"));
    }
    (!told.is_empty()).then(|| Warning {
        code: WarningCode::FewBlocks,
        model: None,
        count: blocks as u64,
        message: match blocks {
            1 => format!("there is 1 {one}{together}: {}", told.join("; ")),
            _ => format!(
                "there are {blocks} {several}{together}: {}",
                told.join("; ")
            ),
        },
    })
}

/// Whether systems are compared on fewer samples than one of them has.
#[must_use]
pub fn fewer_shared(comparison: &uncertainty::Comparison, most: usize) -> Option<Warning> {
    (comparison.samples < most).then(|| Warning {
        code: WarningCode::FewerSharedSamples,
        model: None,
        count: comparison.samples as u64,
        message: format!(
            "models are compared on the {} at which each of them had its chance, though one has \
             {most}",
            match comparison.samples {
                1 => "1 clip".to_owned(),
                several => format!("{several} clips"),
            }
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_told_of_only_where_clips_count_together() {
        let of = |blocks, samples| {
            let comparison = uncertainty::Comparison {
                providers: Vec::new(),
                pairs: Vec::new(),
                blocks,
                samples,
            };
            few_blocks(&comparison).map(|warning| warning.message)
        };
        for (blocks, samples, told) in [
            (4, 4, "there are 4 clips"),
            (1, 1, "there is 1 clip"),
            (4, 9, "there are 4 blocks of clips that count together"),
        ] {
            let why = format!("intervals are not reliable from fewer than {RELIABLE_BLOCKS}");
            assert_eq!(of(blocks, samples), Some(format!("{told}: {why}")));
        }
    }

    #[test]
    fn the_least_p_is_that_of_the_test() {
        for (blocks, least) in [(0, 1.0), (1, 1.0), (5, 0.0625), (12, 2.0 / 4096.0)] {
            assert_eq!(least_p(blocks), least, "{blocks}");
        }
        assert_eq!(least_p(13), 1.0 / 10_001.0);
    }
}
