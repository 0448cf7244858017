//! What several transcriptions of one recording agree on, where it is not known what was
//! said: the one that is nearest to all others.
//!
//! A consensus is no truth. Models that learnt from the same recordings err alike, and
//! what all of them mishear looks as sure as what all of them hear.

use super::align::WordAligner;
use super::normalise::Normaliser;

/// Two sums of distances that differ by less are one.
const SAME: f64 = 1e-9;

/// The transcription that stands for all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Consensus {
    /// Its place among the transcriptions.
    pub chosen: usize,
    /// How many say the same, itself among them, after normalising.
    pub same: usize,
    /// How many there are.
    pub of: usize,
    /// How much of their words two transcriptions share, in the mean of all pairs: from 0
    /// to 1.
    pub agreement: f64,
}

impl Consensus {
    /// Whether all say the same.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.same == self.of
    }
}

/// How far apart two texts are: words wrong by the words of the longer one. What is too
/// different to be aligned is as far apart as can be.
fn distance(aligner: &mut WordAligner, text: &str) -> f64 {
    let Ok(counts) = aligner.align(text) else {
        return 1.0;
    };
    let heard = counts.hits + counts.substitutions + counts.insertions;
    match counts.reference().max(heard) {
        0 => 0.0,
        words => counts.errors() as f64 / words as f64,
    }
}

/// The transcription with the least distance to all others, in words, after normalising
/// (a medoid). `None` for fewer than two: one alone agrees with nothing.
///
/// Where several are as near, `turn` chooses among them: counted up from clip to clip, it
/// favours no model.
///
/// ```
/// use stt_eval_scoring::consensus::consensus;
/// use stt_eval_scoring::normalise::Normaliser;
///
/// let heard = ["one two three", "one too three", "One two three."];
/// let found = consensus(&heard, "en", &Normaliser::default(), 0).unwrap();
/// assert_eq!((found.chosen, found.same, found.of), (0, 2, 3));
/// assert!(!found.is_sure());
/// ```
#[must_use]
pub fn consensus(
    heard: &[&str],
    language: &str,
    normaliser: &Normaliser,
    turn: usize,
) -> Option<Consensus> {
    let of = heard.len();
    if of < 2 {
        return None;
    }
    let texts: Vec<String> = heard
        .iter()
        .map(|text| normaliser.apply(text, language))
        .collect();
    let mut sums = vec![0.0; of];
    let mut all = 0.0;
    let mut aligner = WordAligner::new();
    for (first, text) in texts.iter().enumerate() {
        aligner.set_reference(text);
        for (second, other) in texts.iter().enumerate().skip(first + 1) {
            let apart = if text == other {
                0.0
            } else {
                distance(&mut aligner, other)
            };
            all += apart;
            for at in [first, second] {
                if let Some(sum) = sums.get_mut(at) {
                    *sum += apart;
                }
            }
        }
    }
    let least = sums.iter().copied().fold(f64::INFINITY, f64::min);
    let nearest: Vec<usize> = sums
        .iter()
        .enumerate()
        .filter(|(_, sum)| **sum - least < SAME)
        .map(|(at, _)| at)
        .collect();
    let chosen = *nearest.get(turn % nearest.len().max(1))?;
    let said = texts.get(chosen)?;
    let pairs = of * (of - 1) / 2;
    Some(Consensus {
        chosen,
        same: texts.iter().filter(|text| *text == said).count(),
        of,
        agreement: 1.0 - all / pairs as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(heard: &[&str], turn: usize) -> Option<Consensus> {
        consensus(heard, "hi", &Normaliser::default(), turn)
    }

    #[test]
    fn the_nearest_to_all_stands_for_all() {
        assert_eq!(found(&[], 0), None);
        assert_eq!(found(&["मुझे"], 0), None);
        // In the middle of two that are further from each other than from it.
        let of = found(&["a b c x", "a b c d", "y b c d"], 0).unwrap();
        assert_eq!((of.chosen, of.same, of.is_sure()), (1, 1, false));
        // 1/4, 1/4 and 2/4 apart.
        assert!((of.agreement - 2.0 / 3.0).abs() < 1e-12, "{of:?}");
        // Signs that no score looks at are no disagreement.
        let of = found(&["मैं घर जा रहा हूँ।", "मैं घर जा रहा हूँ"], 0).unwrap();
        assert_eq!((of.same, of.agreement, of.is_sure()), (2, 1.0, true));
        let of = found(&["", ""], 0).unwrap();
        assert!(of.is_sure());
        // Nothing and something share nothing, whichever is first.
        for heard in [["", "a b"], ["a b", ""]] {
            assert_eq!(found(&heard, 0).unwrap().agreement, 0.0);
        }
    }

    #[test]
    fn those_as_near_have_their_turn() {
        let chosen = |turn| found(&["a b", "a c", "a b", "a c"], turn).unwrap().chosen;
        assert_eq!([0, 1, 2, 3, 4].map(chosen), [0, 1, 2, 3, 0]);
        // One that is further away has none.
        let chosen = |turn| found(&["a b", "x y", "a b"], turn).unwrap().chosen;
        assert_eq!([0, 1, 2, 3].map(chosen), [0, 2, 0, 2]);
    }
}
