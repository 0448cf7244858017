//! The score of one sample.

use super::flags::{self, Flag};
use super::rates::Counts;
use serde::{Deserialize, Serialize};

/// Score of one hypothesis against one reference.
///
/// Rates are fractions of 1 and unrounded. The unprefixed figures are those of
/// the normaliser named; `raw_*` are those of the untouched texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleScore {
    /// Word error rate; the number of words where the reference is empty.
    pub wer: f64,
    /// Match error rate over words, 0 to 1.
    pub mer: f64,
    /// Word information lost, 0 to 1.
    pub wil: f64,
    /// Word information preserved, 1 less `wil`.
    pub wip: f64,
    /// Words that are right.
    pub hits: u64,
    /// Words replaced.
    pub substitutions: u64,
    /// Words missing.
    pub deletions: u64,
    /// Words added.
    pub insertions: u64,
    /// Words of the reference (of the best variant).
    pub reference_words: u64,
    /// Words of the hypothesis (less those that fall on `<*>`).
    pub hypothesis_words: u64,
    /// Character error rate over code points, blanks between words included.
    pub cer: f64,
    /// Code points that are right.
    pub char_hits: u64,
    /// Code points replaced.
    pub char_substitutions: u64,
    /// Code points missing.
    pub char_deletions: u64,
    /// Code points added.
    pub char_insertions: u64,
    /// Code points of the reference.
    pub reference_chars: u64,
    /// Code points of the hypothesis.
    pub hypothesis_chars: u64,
    /// Character error rate over extended grapheme clusters (UAX #29): one Indic
    /// akshara counts once instead of two to four times.
    pub cer_grapheme: f64,
    /// Counts behind `cer_grapheme`.
    pub graphemes: Counts,
    /// Word error rate of the untouched texts.
    pub raw_wer: f64,
    /// Character error rate (code points) of the untouched texts.
    pub raw_cer: f64,
    /// Counts behind `raw_wer`.
    pub raw_words: Counts,
    /// Counts behind `raw_cer`.
    pub raw_chars: Counts,
    /// Name of the normaliser.
    pub normaliser: String,
    /// [`super::SCORER_VERSION`] at the time of scoring.
    pub scorer_version: String,
    /// What is suspicious about the hypothesis, in a fixed order.
    pub flags: Vec<Flag>,
}

impl SampleScore {
    /// The word counts.
    pub fn words(&self) -> Counts {
        Counts {
            hits: self.hits,
            substitutions: self.substitutions,
            deletions: self.deletions,
            insertions: self.insertions,
        }
    }

    /// The counts over code points.
    pub fn chars(&self) -> Counts {
        Counts {
            hits: self.char_hits,
            substitutions: self.char_substitutions,
            deletions: self.char_deletions,
            insertions: self.char_insertions,
        }
    }

    /// The same with [`Flag::CutShort`] where the vendor stopped early: the end of what
    /// it heard is far before that of the audio, it heard something at all, and words
    /// of the reference are missing. Where none is, the end of the audio was silent.
    #[must_use]
    pub fn heard(mut self, until_seconds: f64, duration_seconds: f64) -> Self {
        let heard_something = self.hypothesis_words > 0 && self.deletions > 0;
        if heard_something
            && flags::ends_early(until_seconds, duration_seconds)
            && !self.flags.contains(&Flag::CutShort)
        {
            self.flags.push(Flag::CutShort);
        }
        self
    }

    /// Whether the hypothesis is right in every word.
    pub fn is_perfect(&self) -> bool {
        self.words().errors() == 0
    }

    /// Size of the reference, to count a sample as failed with.
    pub fn reference_size(&self) -> ReferenceSize {
        ReferenceSize {
            words: self.words().reference(),
            chars: self.chars().reference(),
            graphemes: self.graphemes.reference(),
            raw_words: self.raw_words.reference(),
            raw_chars: self.raw_chars.reference(),
        }
    }

    /// The counts that every figure is made of.
    pub fn counts(&self) -> SampleCounts {
        SampleCounts {
            words: self.words(),
            chars: self.chars(),
            graphemes: self.graphemes,
            raw_words: self.raw_words,
            raw_chars: self.raw_chars,
        }
    }

    /// The score that has these counts.
    pub fn from_counts(
        counts: SampleCounts,
        normaliser: String,
        scorer_version: String,
        flags: Vec<Flag>,
    ) -> Self {
        let SampleCounts {
            words,
            chars,
            graphemes,
            raw_words,
            raw_chars,
        } = counts;
        let rates = words.rates();
        Self {
            wer: rates.error_rate,
            mer: rates.mer,
            wil: rates.wil,
            wip: rates.wip,
            hits: words.hits,
            substitutions: words.substitutions,
            deletions: words.deletions,
            insertions: words.insertions,
            reference_words: words.reference(),
            hypothesis_words: words.hypothesis(),
            cer: chars.error_rate(),
            char_hits: chars.hits,
            char_substitutions: chars.substitutions,
            char_deletions: chars.deletions,
            char_insertions: chars.insertions,
            reference_chars: chars.reference(),
            hypothesis_chars: chars.hypothesis(),
            cer_grapheme: graphemes.error_rate(),
            graphemes,
            raw_wer: raw_words.error_rate(),
            raw_cer: raw_chars.error_rate(),
            raw_words,
            raw_chars,
            normaliser,
            scorer_version,
            flags,
        }
    }

    pub(super) fn new(
        normalised: &PairCounts,
        raw: &PairCounts,
        normaliser: &str,
        flags: Vec<Flag>,
    ) -> Self {
        let counts = SampleCounts {
            words: normalised.words,
            chars: normalised.chars,
            graphemes: normalised.graphemes,
            raw_words: raw.words,
            raw_chars: raw.chars,
        };
        let version = super::SCORER_VERSION.to_owned();
        Self::from_counts(counts, normaliser.to_owned(), version, flags)
    }
}

/// The counts of a score: all that has to be kept of it beside the names of its
/// normaliser and its scorer, and its flags.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SampleCounts {
    /// Words after normalisation.
    pub words: Counts,
    /// Code points after normalisation.
    pub chars: Counts,
    /// Grapheme clusters after normalisation.
    pub graphemes: Counts,
    /// Words of the untouched texts.
    pub raw_words: Counts,
    /// Code points of the untouched texts.
    pub raw_chars: Counts,
}

/// Counts of one pair under one normaliser.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PairCounts {
    pub(super) words: Counts,
    pub(super) chars: Counts,
    pub(super) graphemes: Counts,
    /// Most words inserted in a row.
    pub(super) longest_insertion: u64,
}

/// Tokens of a reference: what a failed transcription costs. Where a reference
/// has variants, those of the shortest: what an empty hypothesis is scored by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceSize {
    /// Words after normalisation.
    pub words: u64,
    /// Code points after normalisation.
    pub chars: u64,
    /// Grapheme clusters after normalisation.
    pub graphemes: u64,
    /// Words of the untouched text.
    pub raw_words: u64,
    /// Code points of the untouched text.
    pub raw_chars: u64,
}
