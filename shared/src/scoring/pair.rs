//! From two texts to counts and aligned words.

use super::align::Op;
use super::error::ScoreError;
use super::flags::{self, Evidence};
use super::normalise::Normaliser;
use super::reference;
use super::sample::{ReferenceSize, SampleScore};
use super::side::Side;
use super::tokens::Word;
use serde::{Deserialize, Serialize};

/// Scores hypotheses against references, keeping its buffers: set a reference,
/// score each provider's hypothesis against it, set the next.
///
/// ```
/// use stt_eval_shared::scoring::{Scorer, normalise::Normaliser};
///
/// let mut scorer = Scorer::new(Normaliser::default(), "hi");
/// scorer.set_reference("{दस हजार|10000} दस रुपये")?;
/// assert_eq!(scorer.score("10000 दस रुपये", None)?.wer, 0.0);
/// assert_eq!(scorer.score("दस हजार दस रुपए", None)?.wer, 0.25);
/// # Ok::<(), stt_eval_shared::scoring::ScoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Scorer {
    language: String,
    normalised: Side,
    raw: Side,
    /// The normalised reference as one text, alternatives one after the other.
    reference_text: String,
}

impl Scorer {
    /// A scorer with an empty reference. `language` is a BCP-47 tag.
    pub fn new(normaliser: Normaliser, language: &str) -> Self {
        Self {
            language: language.to_owned(),
            normalised: Side::new(normaliser, true),
            raw: Side::new(Normaliser::raw(), false),
            reference_text: String::new(),
        }
    }

    /// Sets the reference, which may carry variants (see
    /// [`reference`](super::reference)).
    ///
    /// # Errors
    /// [`ScoreError::Markup`], [`ScoreError::TooLong`]. The scorer then has an
    /// empty reference.
    pub fn set_reference(&mut self, reference: &str) -> Result<(), ScoreError> {
        let segments = super::check_length(reference).and_then(|()| reference::parse(reference));
        let (segments, result) = match segments {
            Ok(segments) => (segments, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        self.normalised.set_reference(&segments, &self.language);
        self.raw.set_reference(&segments, &self.language);
        self.reference_text = self.normalised.reference_text();
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
        let raw = if self.normalised.normaliser.steps().is_empty() {
            counts
        } else {
            self.raw.score(hypothesis)?
        };
        let flags = flags::detect(&Evidence {
            reference: &self.reference_text,
            hypothesis: &text,
            language: &self.language,
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

/// One step of a word alignment. Words are as normalised, spans are bytes of the
/// original texts (for the reference: markup included).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlignedWord {
    /// What happened.
    pub op: Op,
    /// The reference word; `None` for an insertion.
    pub reference: Option<SpannedWord>,
    /// The hypothesis word; `None` for a deletion.
    pub hypothesis: Option<SpannedWord>,
}

/// A word and where it stands in the original text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpannedWord {
    /// The word after normalisation.
    pub text: String,
    /// First byte in the original text.
    pub start: usize,
    /// Byte after the last in the original text.
    pub end: usize,
}

impl From<&Word> for SpannedWord {
    fn from(word: &Word) -> Self {
        Self {
            text: word.text.clone(),
            start: word.start,
            end: word.end,
        }
    }
}
