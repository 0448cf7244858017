//! Which alternatives of a reference fit a hypothesis best.
//!
//! Exact: a dynamic programme over every path through the alternatives, not one
//! group at a time. The path with the fewest word errors wins; of equal ones that
//! with the most hits; of equal ones the alternative named first. Work is
//! (words over all alternatives) × (hypothesis words), memory (segments) ×
//! (hypothesis words).

use super::align::WordIds;
use super::error::ScoreError;
use std::ops::Range;

/// Most cells computed for one pair: about half a second.
const MAX_CELLS: usize = 1 << 28;
/// Most places kept for the way back (8 bytes each).
const MAX_KEPT: usize = 1 << 22;

/// A stretch of the reference, as words.
pub(super) enum Stretch<'a> {
    Fixed(Vec<&'a str>),
    Group(Vec<Vec<&'a str>>),
    Unclear,
}

/// What was decided for one stretch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// Nothing to decide.
    Fixed,
    /// Index of the alternative.
    Alternative(usize),
    /// The hypothesis words that fall on `<*>`.
    Absorbed(Range<usize>),
}

/// Cost of a path: errors in the upper half; in the lower a constant less the
/// hits, so that the smaller value is the better path.
type Cost = u64;
const ERROR: Cost = 1 << 32;
const NO_HITS: Cost = 1 << 31;

/// Best cost of reaching each hypothesis position, and the position at which the
/// path entered the current stretch.
#[derive(Clone)]
struct Front {
    cost: Vec<Cost>,
    entry: Vec<u32>,
}

impl Front {
    /// Consumes one reference word.
    fn advance(&mut self, word: u32, hypothesis: &[u32]) {
        let (mut diagonal, mut diagonal_entry) = (self.cost[0], self.entry[0]);
        self.cost[0] += ERROR;
        for (j, other) in hypothesis.iter().enumerate() {
            let pair = if word == *other {
                diagonal - 1
            } else {
                diagonal + ERROR
            };
            let (above, above_entry) = (self.cost[j + 1], self.entry[j + 1]);
            let (mut best, mut entry) = (pair, diagonal_entry);
            if above + ERROR < best {
                (best, entry) = (above + ERROR, above_entry);
            }
            if self.cost[j] + ERROR < best {
                (best, entry) = (self.cost[j] + ERROR, self.entry[j]);
            }
            (diagonal, diagonal_entry) = (above, above_entry);
            (self.cost[j + 1], self.entry[j + 1]) = (best, entry);
        }
    }
}

/// Decides every stretch of a reference for one hypothesis.
pub(super) fn resolve(
    stretches: &[Stretch<'_>],
    hypothesis: &[&str],
) -> Result<Vec<Choice>, ScoreError> {
    let words: usize = stretches
        .iter()
        .map(|stretch| match stretch {
            Stretch::Fixed(words) => words.len(),
            Stretch::Group(alternatives) => alternatives.iter().map(|a| a.len() + 1).sum(),
            Stretch::Unclear => 0,
        })
        .sum();
    let positions = hypothesis.len() + 1;
    if words.saturating_mul(positions) > MAX_CELLS
        || stretches.len().saturating_mul(positions) > MAX_KEPT
    {
        return Err(ScoreError::TooManyVariants {
            groups: stretches
                .iter()
                .filter(|s| !matches!(s, Stretch::Fixed(_)))
                .count(),
            reference: words,
            hypothesis: hypothesis.len(),
        });
    }

    let mut ids = WordIds::new();
    for stretch in stretches {
        match stretch {
            Stretch::Fixed(words) => words.iter().for_each(|word| ids.add(word)),
            Stretch::Group(alternatives) => {
                alternatives.iter().flatten().for_each(|word| ids.add(word));
            }
            Stretch::Unclear => {}
        }
    }
    let hypothesis: Vec<u32> = hypothesis.iter().map(|word| ids.get(word)).collect();
    let run = |front: &mut Front, words: &[&str]| {
        for word in words {
            front.advance(ids.get(word), &hypothesis);
        }
    };

    let mut front = Front {
        cost: (0..positions as u64).map(|j| NO_HITS + j * ERROR).collect(),
        entry: Vec::new(),
    };
    // Per stretch and position: where the path entered, which alternative.
    let mut kept: Vec<Vec<(u32, u32)>> = Vec::with_capacity(stretches.len());
    for stretch in stretches {
        front.entry = (0..positions as u32).collect();
        let mut chosen = vec![0u32; positions];
        match stretch {
            Stretch::Fixed(words) => run(&mut front, words),
            Stretch::Group(alternatives) => {
                let start = front.clone();
                for (index, words) in alternatives.iter().enumerate() {
                    let mut other = start.clone();
                    run(&mut other, words);
                    if index == 0 {
                        front = other;
                        continue;
                    }
                    for (j, chosen) in chosen.iter_mut().enumerate() {
                        if other.cost[j] < front.cost[j] {
                            front.cost[j] = other.cost[j];
                            front.entry[j] = other.entry[j];
                            *chosen = index as u32;
                        }
                    }
                }
            }
            Stretch::Unclear => {
                for j in 1..positions {
                    if front.cost[j - 1] < front.cost[j] {
                        front.cost[j] = front.cost[j - 1];
                        front.entry[j] = front.entry[j - 1];
                    }
                }
            }
        }
        kept.push(front.entry.iter().copied().zip(chosen).collect());
    }

    let mut at = hypothesis.len();
    let mut choices: Vec<Choice> = stretches
        .iter()
        .zip(&kept)
        .rev()
        .map(|(stretch, kept)| {
            let (entry, chosen) = kept[at];
            let absorbed = entry as usize..at;
            at = entry as usize;
            match stretch {
                Stretch::Fixed(_) => Choice::Fixed,
                Stretch::Group(_) => Choice::Alternative(chosen as usize),
                Stretch::Unclear => Choice::Absorbed(absorbed),
            }
        })
        .collect();
    choices.reverse();
    Ok(choices)
}
