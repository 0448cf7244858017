//! Scoring of speech-to-text output: exact, with its uncertainty, and fair to the
//! languages of India.
//!
//! Pure code: no I/O, no clock, nothing of the rest of this project, so that it
//! can be used, and published, by itself.
//!
//! ```
//! use stt_eval_scoring::{normalise::Normaliser, score};
//!
//! let normaliser = Normaliser::default();
//! let score = score("the cat sat on the mat", "the cat sat on a mat", "en", &normaliser, None)?;
//! assert_eq!(score.wer, 1.0 / 6.0);
//! # Ok::<(), stt_eval_scoring::ScoreError>(())
//! ```
//!
//! # What is scored, and how
//! - [`score()`] and [`Scorer`]: one hypothesis against one reference. Word and
//!   character error rates, match error rate, word information lost, with the
//!   definitions of jiwer 4 and its counts where several alignments are optimal
//!   (see [`align`]); characters by code point and by grapheme cluster; each after
//!   a named [normaliser](normalise) and for the untouched texts.
//! - [`align_words`]: the words side by side, with spans into the original texts.
//! - [Variants](mod@reference): `{a|b}` and `<*>` in a reference, decided exactly
//!   and not one group at a time. The words decide which variant is meant;
//!   characters are then counted in the same one.
//! - [`CorpusSums`]: mergeable sums per provider. The headline is pooled (sum of
//!   errors by sum of reference tokens) and counts failures of the model as
//!   deletions; those of the service lower the coverage and nothing else.
//! - [`uncertainty`]: intervals, paired comparisons, ranks, and a guess at how
//!   many blocks are missing.
//! - [`agreement`]: how far reviewers of the same transcriptions agree.
//! - [`consensus`]: what transcriptions agree on, where there is no reference.
//! - [`flags`]: what is suspicious. [`confusions`]: which words go wrong, and
//!   whether the words that matter come through.
//!
//! # Limits
//! A text may have [`MAX_TEXT_BYTES`]. Everything but alignment is linear in the
//! length of the texts (sorting of stacked marks: n log n). Alignment costs the
//! length times the distance by 64 and is refused beyond about a second and 48 MiB
//! ([`ScoreError::TooDifferent`]); ten thousand words or sixty thousand characters
//! are always within that. Variants cost all reference words times the hypothesis
//! words and are refused beyond 2^28 of these or 2^22 segments times words
//! ([`ScoreError::TooManyVariants`]). Nothing panics.
//!
//! # Speed
//! One thread, in turn with jiwer 4.0.0 + rapidfuzz 3.14.6 on the same texts, best
//! of five, by `infra/bench/scoring_vs_jiwer.py`. Two cores of an AMD EPYC
//! (Linux, x86-64), 2026-11-28:
//!
//! | work | jiwer | here | ratio |
//! | --- | --- | --- | --- |
//! | 10,000 pairs of 10-30 words | 169.9 ms | 4.78 ms | 35.5 × |
//! | the same in characters | 335.8 ms | 6.33 ms | 53.0 × |
//! | 10 pairs of 10,000 words | 86.1 ms | 11.68 ms | 7.4 × |
//! | the same in characters | 927.8 ms | 211.96 ms | 4.4 × |
//! | full score of the 10,000 pairs | – | 84.1 ms | – |
//! | bootstrap of 1,000 and test of 10,000, two models of 10,000 samples | – | 9.6 ms | – |
//!
//! Built with opt-level 3 and one codegen unit, as the functions are. The first four
//! rows are counts and alignment, text in; each reference is used once, so nothing
//! is gained from keeping its table. The full score is everything [`SampleScore`]
//! holds. Peak memory of the whole process on one long pair after the other: 8 MiB
//! in words, 14 MiB in (48,000) characters, of which 6 MiB before the first.

pub mod agreement;
pub mod align;
mod aligned;
pub mod alternative;
mod bins;
mod characters;
pub mod confusions;
pub mod consensus;
pub mod corpus;
mod error;
pub mod flags;
mod lattice;
mod marks;
pub mod normalise;
mod prepared;
mod rates;
pub mod reference;
mod sample;
mod scorer;
mod spaces;
mod text;
mod tokens;
pub mod uncertainty;
pub mod waterfall;

/// The example of the README, so that it is run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use aligned::{AlignedWord, SpannedWord};
pub use corpus::{CorpusFigures, CorpusSummary, CorpusSums, FailedBy, UnitCounts};
pub use error::{MarkupProblem, ScoreError, Unit};
pub use flags::Flag;
use normalise::Normaliser;
pub use rates::{Counts, Rates};
pub use reference::validate_reference;
pub use sample::{ReferenceSize, SampleCounts, SampleScore};
pub use scorer::Scorer;
pub use tokens::{trim, words};

/// Version of the scorer, stored with each score. It changes when the same texts
/// and the same normaliser can give another score.
pub const SCORER_VERSION: &str = "1";

/// Longest text that is scored, in bytes (16 MiB).
pub const MAX_TEXT_BYTES: usize = 16 << 20;

/// Whether a text can be scored.
///
/// # Errors
/// [`ScoreError::TooLong`] above [`MAX_TEXT_BYTES`].
pub fn check_length(text: &str) -> Result<(), ScoreError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(ScoreError::TooLong {
            bytes: text.len(),
            limit: MAX_TEXT_BYTES,
        });
    }
    Ok(())
}

/// Scores one hypothesis against one reference.
///
/// The reference may carry variants (see [`mod@reference`]). `language` is a BCP-47
/// tag; `duration_seconds` is the length of the audio, which only flags look at.
/// For many pairs, a [`Scorer`] keeps its buffers and, for several hypotheses of
/// one reference, its tables.
///
/// ```
/// use stt_eval_scoring::{normalise::Normaliser, score};
///
/// let normaliser = Normaliser::default();
/// let score = score("मैं घर जा रहा हूँ।", "मैं घर जा रही हूँ", "hi", &normaliser, None)?;
/// assert_eq!(score.wer, 0.2);
/// assert_eq!(score.raw_wer, 0.4);
/// # Ok::<(), stt_eval_scoring::ScoreError>(())
/// ```
///
/// # Errors
/// [`ScoreError::Markup`] for malformed variants, [`ScoreError::TooLong`] above
/// [`MAX_TEXT_BYTES`], [`ScoreError::TooDifferent`] and
/// [`ScoreError::TooManyVariants`] for pairs that would need too much work.
pub fn score(
    reference: &str,
    hypothesis: &str,
    language: &str,
    normaliser: &Normaliser,
    duration_seconds: Option<f64>,
) -> Result<SampleScore, ScoreError> {
    let mut scorer = Scorer::new(normaliser.clone(), language);
    scorer.set_reference(reference)?;
    scorer.score(hypothesis, duration_seconds)
}

/// The words of reference and hypothesis side by side, with spans into the
/// original texts, for diffs.
///
/// # Errors
/// As [`score()`].
pub fn align_words(
    reference: &str,
    hypothesis: &str,
    language: &str,
    normaliser: &Normaliser,
) -> Result<Vec<AlignedWord>, ScoreError> {
    let mut scorer = Scorer::new(normaliser.clone(), language);
    scorer.set_reference(reference)?;
    scorer.align_words(hypothesis)
}
