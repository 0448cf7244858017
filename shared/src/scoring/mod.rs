//! Scoring of transcriptions: exact, pure, for the languages of India first.

pub mod align;
pub mod confusions;
pub mod corpus;
mod error;
pub mod flags;
mod lattice;
mod metrics;
pub mod normalise;
mod pair;
pub mod reference;
mod sample;
mod spaces;
mod text;
mod tokens;
pub mod uncertainty;

pub use corpus::{CorpusFigures, CorpusSummary, CorpusSums, UnitCounts};
pub use error::{MarkupProblem, ScoreError, Unit};
pub use flags::Flag;
pub use metrics::{Counts, Rates};
use normalise::Normaliser;
pub use pair::{AlignedWord, Scorer, SpannedWord};
pub use reference::validate_reference;
pub use sample::{ReferenceSize, SampleScore};
pub use tokens::words;

/// Version of the scorer, stored with each score. It changes when the same texts
/// and the same normaliser can give another score.
pub const SCORER_VERSION: &str = "1";

/// Longest text that is scored, in bytes (16 MiB).
pub const MAX_TEXT_BYTES: usize = 16 << 20;

fn check_length(text: &str) -> Result<(), ScoreError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(ScoreError::TooLong {
            bytes: text.len(),
            limit: MAX_TEXT_BYTES,
        });
    }
    Ok(())
}

/// Scores one hypothesis against one reference, which may carry variants (see
/// [`reference`]). `language` is a BCP-47 tag; `duration_seconds` is the length of
/// the audio, which only flags look at. For many pairs, a [`Scorer`] keeps its
/// buffers and, for several hypotheses of one reference, its tables.
///
/// ```
/// use stt_eval_shared::scoring::{normalise::Normaliser, score};
///
/// let normaliser = Normaliser::default();
/// let score = score("मैं घर जा रहा हूँ।", "मैं घर जा रही हूँ", "hi", &normaliser, None)?;
/// assert_eq!(score.wer, 0.2);
/// assert_eq!(score.raw_wer, 0.4);
/// # Ok::<(), stt_eval_shared::scoring::ScoreError>(())
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
