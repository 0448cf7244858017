//! Reference and hypothesis, word beside word.

use serde::{Deserialize, Serialize};

use crate::align::Op;
use crate::tokens::Word;

/// One step of a word alignment. Words are as normalised, spans are bytes of the
/// original texts (for the reference: markup included).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlignedWord {
    /// What became of the reference word, or that there is none.
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
