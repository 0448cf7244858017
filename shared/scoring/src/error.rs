//! The one error type of the scoring module.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The kind of token an alignment runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Words: what lies between blanks.
    Word,
    /// Unicode code points.
    Character,
    /// Extended grapheme clusters (UAX #29).
    Grapheme,
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Unit::Word => "words",
            Unit::Character => "characters",
            Unit::Grapheme => "grapheme clusters",
        })
    }
}

/// What is wrong with a variant markup. See [`super::reference`] for the syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkupProblem {
    /// `{` without its `}`.
    #[error("'{{' is never closed; write '\\{{' for a literal brace")]
    Unclosed,
    /// `}` without a `{` before it.
    #[error("'}}' closes nothing; write '\\}}' for a literal brace")]
    Unopened,
    /// `{` within a group.
    #[error("groups cannot be nested; write the alternatives out, or '\\{{' for a literal brace")]
    Nested,
    /// `{a}`: a group with one alternative says nothing.
    #[error(
        "a group needs at least two alternatives separated by '|'; write '\\{{' for a literal brace"
    )]
    OneAlternative,
    /// `{|}`: every alternative is empty.
    #[error("every alternative of this group is empty")]
    AllEmpty,
    /// `<*>` within a group.
    #[error("'<*>' cannot stand inside a group; write '\\<*>' for the literal characters")]
    UnclearInGroup,
}

/// Why a pair of texts could not be scored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScoreError {
    /// The variant markup of the reference is malformed.
    #[error("reference markup at character {character}: {problem}")]
    Markup {
        /// Byte offset of the offending character in the reference, from 0.
        byte: usize,
        /// The same position counted in code points, from 1 (for people).
        character: usize,
        /// What is wrong there.
        problem: MarkupProblem,
    },
    /// One text is longer than [`super::MAX_TEXT_BYTES`].
    #[error("text of {bytes} bytes is longer than the {limit} bytes that can be scored")]
    TooLong {
        /// Length of the text in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The two texts are both very long and very different, so that an exact
    /// alignment would need more work or memory than is allowed for one pair.
    #[error(
        "cannot align {reference} reference and {hypothesis} hypothesis {unit}: they differ in so \
         many places that an exact alignment would exceed the limit on work for one pair"
    )]
    TooDifferent {
        /// What was being aligned.
        unit: Unit,
        /// Tokens of the reference.
        reference: usize,
        /// Tokens of the hypothesis.
        hypothesis: usize,
    },
    /// So many variant groups over so long a hypothesis that the exact optimum
    /// would exceed the limit on work or memory for one pair.
    #[error(
        "cannot resolve {groups} variant groups ({reference} words in all) against {hypothesis} \
         hypothesis words: over the limit on work for one pair"
    )]
    TooManyVariants {
        /// Variant groups and `<*>` marks in the reference.
        groups: usize,
        /// Words of the reference over all alternatives.
        reference: usize,
        /// Words of the hypothesis.
        hypothesis: usize,
    },
}
