//! From two texts to counts and aligned words.

use super::aligned::AlignedWord;
use super::error::ScoreError;
use super::flags::{self, Evidence};
use super::normalise::Normaliser;
use super::prepared::PreparedReference;
use super::reference::{self, Parsed};
use super::sample::{ReferenceSize, SampleScore};
use unicode_script::Script;

/// Scores hypotheses against references, keeping its buffers: set a reference,
/// score each provider's hypothesis against it, set the next.
///
/// ```
/// use stt_eval_scoring::{Scorer, normalise::Normaliser};
///
/// let mut scorer = Scorer::new(Normaliser::default(), "hi");
/// scorer.set_reference("{दस हजार|10000} दस रुपये")?;
/// assert_eq!(scorer.score("10000 दस रुपये", None)?.wer, 0.0);
/// assert_eq!(scorer.score("दस हजार दस रुपए", None)?.wer, 0.25);
/// # Ok::<(), stt_eval_scoring::ScoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Scorer {
    language: String,
    normalised: PreparedReference,
    raw: PreparedReference,
    /// Scripts of the language.
    scripts: Vec<Script>,
}

impl Scorer {
    /// A scorer with an empty reference. `language` is a BCP-47 tag.
    pub fn new(normaliser: Normaliser, language: &str) -> Self {
        Self {
            language: language.to_owned(),
            normalised: PreparedReference::new(normaliser, true),
            raw: PreparedReference::new(Normaliser::raw(), false),
            scripts: flags::scripts_of(language),
        }
    }

    /// Sets the reference, which may carry variants (see
    /// [`reference`](super::reference)).
    ///
    /// # Errors
    /// [`ScoreError::Markup`], [`ScoreError::TooLong`]. The scorer then has an
    /// empty reference.
    pub fn set_reference(&mut self, reference: &str) -> Result<(), ScoreError> {
        let parsed = super::check_length(reference).and_then(|()| reference::parse(reference));
        let (parsed, result) = match parsed {
            Ok(parsed) => (parsed, Ok(())),
            Err(error) => (Parsed::Plain(""), Err(error)),
        };
        self.normalised.set_reference(&parsed, &self.language);
        self.raw.set_reference(&parsed, &self.language);
        result
    }

    /// Scores one hypothesis. `duration_seconds` is the length of the audio,
    /// which only flags look at.
    ///
    /// # Errors
    /// [`ScoreError::TooLong`], [`ScoreError::TooDifferent`],
    /// [`ScoreError::TooManyVariants`].
    pub fn score(
        &mut self,
        hypothesis: &str,
        duration_seconds: Option<f64>,
    ) -> Result<SampleScore, ScoreError> {
        super::check_length(hypothesis)?;
        let text = self.normalised.normalise(hypothesis, &self.language);
        let counts = self.normalised.score(&text)?;
        let raw = if text == hypothesis && self.normalised.is_as_given() {
            counts
        } else {
            self.raw.score(hypothesis)?
        };
        let flags = flags::detect(&Evidence {
            reference: &self.normalised.reference_text(),
            hypothesis: &text,
            raw_hypothesis: hypothesis,
            scripts: &self.scripts,
            duration_seconds,
            reference_words: counts.words.reference(),
            longest_insertion: counts.longest_insertion,
        });
        let name = self.normalised.normaliser.name();
        Ok(SampleScore::new(&counts, &raw, name, flags))
    }

    /// Size of the reference, to count a failed transcription with.
    ///
    /// # Errors
    /// As [`Scorer::score`].
    pub fn reference_size(&mut self) -> Result<ReferenceSize, ScoreError> {
        Ok(self.score("", None)?.reference_size())
    }

    /// The words of reference and hypothesis side by side.
    ///
    /// # Errors
    /// As [`Scorer::score`].
    pub fn align_words(&mut self, hypothesis: &str) -> Result<Vec<AlignedWord>, ScoreError> {
        super::check_length(hypothesis)?;
        self.normalised.align_words(hypothesis, &self.language)
    }
}
