//! Which words go wrong most often, and how many of the words that matter come
//! through.

use super::align::Op;
use super::aligned::AlignedWord;
use super::normalise::Normaliser;
use super::tokens;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts of words substituted, deleted and inserted over many alignments.
/// Mergeable; as large as the vocabulary of the errors.
///
/// ```
/// use stt_eval_scoring::confusions::Confusions;
/// use stt_eval_scoring::{align_words, normalise::Normaliser};
///
/// let normaliser = Normaliser::default();
/// let mut confusions = Confusions::default();
/// confusions.add(&align_words("मंडी में गेहूँ", "मंडि में गेहूँ जी", "hi", &normaliser)?);
/// let top = confusions.top(10);
/// assert_eq!(top.substituted[0].reference, "मंडी");
/// assert_eq!(top.inserted[0].word, "जी");
/// # Ok::<(), stt_eval_scoring::ScoreError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusions {
    /// Reference word → hypothesis word → times.
    substituted: BTreeMap<String, BTreeMap<String, u64>>,
    deleted: BTreeMap<String, u64>,
    inserted: BTreeMap<String, u64>,
}

/// A word and another that stood in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubstitutedWord {
    /// The word of the reference, as normalised.
    pub reference: String,
    /// The word of the hypothesis, as normalised.
    pub hypothesis: String,
    /// Number of times, 1 or more.
    pub times: u64,
}

/// A word deleted or inserted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedWord {
    /// The word, as normalised.
    pub word: String,
    /// Number of times, 1 or more.
    pub times: u64,
}

/// The most frequent confusions, each list by falling frequency, then by word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopConfusions {
    /// Words replaced by others.
    pub substituted: Vec<SubstitutedWord>,
    /// Words of the reference that are missing.
    pub deleted: Vec<CountedWord>,
    /// Words that the reference does not have.
    pub inserted: Vec<CountedWord>,
}

impl Confusions {
    /// Adds one alignment.
    pub fn add(&mut self, words: &[AlignedWord]) {
        for word in words {
            let reference = word.reference.as_ref().map(|w| w.text.as_str());
            let hypothesis = word.hypothesis.as_ref().map(|w| w.text.as_str());
            match (word.op, reference, hypothesis) {
                (Op::Substitute, Some(reference), Some(hypothesis)) => {
                    let others = self.substituted.entry(reference.to_owned()).or_default();
                    *others.entry(hypothesis.to_owned()).or_default() += 1;
                }
                (Op::Delete, Some(word), _) => {
                    *self.deleted.entry(word.to_owned()).or_default() += 1;
                }
                (Op::Insert, _, Some(word)) => {
                    *self.inserted.entry(word.to_owned()).or_default() += 1;
                }
                _ => {}
            }
        }
    }

    /// Adds the counts of other alignments.
    pub fn merge(&mut self, other: &Confusions) {
        for (reference, others) in &other.substituted {
            let sums = self.substituted.entry(reference.clone()).or_default();
            merge_counts(sums, others);
        }
        merge_counts(&mut self.deleted, &other.deleted);
        merge_counts(&mut self.inserted, &other.inserted);
    }

    /// Number of different words and pairs of words held.
    pub fn len(&self) -> usize {
        let pairs: usize = self.substituted.values().map(BTreeMap::len).sum();
        pairs + self.deleted.len() + self.inserted.len()
    }

    /// True when nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps memory bounded: when more than `most` are held, the rarer half is
    /// forgotten. Returns whether it was; counts are then lower bounds.
    pub fn prune(&mut self, most: usize) -> bool {
        if self.len() <= most {
            return false;
        }
        let pairs = self.substituted.values().flat_map(BTreeMap::values);
        let words = self.deleted.values().chain(self.inserted.values());
        let mut times: Vec<u64> = pairs.chain(words).copied().collect();
        times.sort_unstable_by_key(|times| std::cmp::Reverse(*times));
        let half = most / 2;
        let limit = times.get(half).copied().unwrap_or(0);
        // Of those that are just as frequent as the limit, as many as fit.
        let mut fit = half - times.iter().take_while(|times| **times > limit).count();
        let mut keep = |times: u64| {
            let fits = times == limit && fit > 0;
            fit -= usize::from(fits);
            times > limit || fits
        };
        for others in self.substituted.values_mut() {
            others.retain(|_, times| keep(*times));
        }
        self.substituted.retain(|_, others| !others.is_empty());
        self.deleted.retain(|_, times| keep(*times));
        self.inserted.retain(|_, times| keep(*times));
        true
    }

    /// The `count` most frequent of each kind.
    pub fn top(&self, count: usize) -> TopConfusions {
        let pairs = self.substituted.iter().flat_map(|(reference, others)| {
            let others = others.iter();
            others.map(move |(hypothesis, times)| ((reference, hypothesis), *times))
        });
        let words = |counts: &BTreeMap<String, u64>| -> Vec<CountedWord> {
            let counts = counts.iter().map(|(word, times)| (word, *times));
            let top = most_frequent(counts, count);
            top.map(|(word, times)| CountedWord {
                word: word.clone(),
                times,
            })
            .collect()
        };
        TopConfusions {
            substituted: most_frequent(pairs, count)
                .map(|((reference, hypothesis), times)| SubstitutedWord {
                    reference: reference.clone(),
                    hypothesis: hypothesis.clone(),
                    times,
                })
                .collect(),
            deleted: words(&self.deleted),
            inserted: words(&self.inserted),
        }
    }
}

fn merge_counts(sums: &mut BTreeMap<String, u64>, counts: &BTreeMap<String, u64>) {
    for (word, times) in counts {
        *sums.entry(word.clone()).or_default() += times;
    }
}

/// Items come in the order of their words, which those that are as frequent keep.
fn most_frequent<T>(
    items: impl Iterator<Item = (T, u64)>,
    count: usize,
) -> impl Iterator<Item = (T, u64)> {
    let mut items: Vec<(usize, (T, u64))> = items.enumerate().collect();
    items.sort_unstable_by_key(|(at, (_, times))| (std::cmp::Reverse(*times), *at));
    items.into_iter().take(count).map(|(_, item)| item)
}

/// How many of the words that matter (drug names, amounts, places) came through.
///
/// ```
/// use stt_eval_scoring::confusions::KeywordRecall;
/// use stt_eval_scoring::{align_words, normalise::Normaliser};
///
/// let normaliser = Normaliser::default();
/// let mut recall = KeywordRecall::new(&["Paracetamol", "two tablets"], "en", &normaliser);
/// let words = align_words(
///     "take paracetamol two tablets", "take paracetamol to tablets", "en", &normaliser,
/// )?;
/// recall.add(&words);
/// assert_eq!(recall.recall(), Some(0.5));
/// # Ok::<(), stt_eval_scoring::ScoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeywordRecall {
    keywords: Vec<KeywordCounts>,
}

/// Counts of one keyword.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeywordCounts {
    /// The keyword as it was given.
    pub keyword: String,
    /// The words it is made of, after normalisation.
    pub words: Vec<String>,
    /// Times it was said.
    pub in_reference: u64,
    /// Times it was said and every word of it is right, with nothing in between.
    pub recalled: u64,
    /// Times it was transcribed, rightly or not.
    pub in_hypothesis: u64,
}

impl KeywordRecall {
    /// Counts for a list of keywords or phrases. Those that are empty after
    /// normalisation are left out.
    pub fn new(keywords: &[&str], language: &str, normaliser: &Normaliser) -> Self {
        let counts = keywords.iter().map(|keyword| {
            let text = normaliser.apply(keyword, language);
            KeywordCounts {
                keyword: (*keyword).to_owned(),
                words: tokens::words(&text)
                    .into_iter()
                    .map(str::to_owned)
                    .collect(),
                in_reference: 0,
                recalled: 0,
                in_hypothesis: 0,
            }
        });
        Self {
            keywords: counts.filter(|counts| !counts.words.is_empty()).collect(),
        }
    }

    /// Adds one alignment, which has to be of the same normaliser.
    pub fn add(&mut self, words: &[AlignedWord]) {
        // For each reference word: the word, and the place in the alignment if it
        // is right. Consecutive places mean that nothing was inserted between.
        let reference: Vec<(&str, Option<usize>)> = words
            .iter()
            .enumerate()
            .filter_map(|(at, word)| {
                let right = (word.op == Op::Equal).then_some(at);
                Some((word.reference.as_ref()?.text.as_str(), right))
            })
            .collect();
        let hypothesis: Vec<&str> = words
            .iter()
            .filter_map(|word| Some(word.hypothesis.as_ref()?.text.as_str()))
            .collect();
        for keyword in &mut self.keywords {
            let len = keyword.words.len();
            for said in reference.windows(len) {
                if !said.iter().map(|(word, _)| word).eq(&keyword.words) {
                    continue;
                }
                keyword.in_reference += 1;
                let first = said[0].1;
                let right = |(i, (_, at)): (usize, &(&str, Option<usize>))| {
                    at.is_some() && *at == first.map(|first| first + i)
                };
                keyword.recalled += u64::from(said.iter().enumerate().all(right));
            }
            let transcribed = hypothesis
                .windows(len)
                .filter(|w| w.iter().eq(&keyword.words));
            keyword.in_hypothesis += transcribed.count() as u64;
        }
    }

    /// Adds the counts of other alignments for the same list of keywords; returns
    /// whether the lists were the same.
    pub fn merge(&mut self, other: &KeywordRecall) -> bool {
        let same = self.keywords.len() == other.keywords.len()
            && self
                .keywords
                .iter()
                .zip(&other.keywords)
                .all(|(a, b)| a.words == b.words);
        if same {
            for (sum, counts) in self.keywords.iter_mut().zip(&other.keywords) {
                sum.in_reference += counts.in_reference;
                sum.recalled += counts.recalled;
                sum.in_hypothesis += counts.in_hypothesis;
            }
        }
        same
    }

    /// Share of the keywords said that were recalled, over all keywords.
    pub fn recall(&self) -> Option<f64> {
        let said: u64 = self.keywords.iter().map(|k| k.in_reference).sum();
        let recalled: u64 = self.keywords.iter().map(|k| k.recalled).sum();
        (said > 0).then(|| recalled as f64 / said as f64)
    }

    /// Counts per keyword, in the order given.
    pub fn keywords(&self) -> &[KeywordCounts] {
        &self.keywords
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarer_half_is_forgotten() {
        let mut confusions = Confusions::default();
        for n in 0..40u64 {
            confusions.deleted.insert(format!("d{n:02}"), n + 1);
            let others = BTreeMap::from([("x".to_owned(), 1)]);
            confusions.substituted.insert(format!("s{n:02}"), others);
        }
        assert_eq!(confusions.len(), 80);
        let before = confusions.top(5);
        assert!(!confusions.prune(80));
        assert!(confusions.prune(60));
        assert_eq!(confusions.len(), 30);
        assert_eq!(confusions.top(5).deleted, before.deleted);
        assert!(!confusions.is_empty());
        // All alike: still as many as fit.
        let mut alike = Confusions::default();
        for n in 0..10 {
            alike.inserted.insert(n.to_string(), 1);
        }
        assert!(alike.prune(8));
        assert_eq!(alike.len(), 4);
    }
}
