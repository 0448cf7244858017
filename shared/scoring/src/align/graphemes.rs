//! Alignment of grapheme clusters.

use super::super::characters;
use super::super::error::{ScoreError, Unit};
use super::super::rates::Counts;
use super::aligner::Aligner;
use super::intern::StrInterner;
use super::skip;
use unicode_segmentation::UnicodeSegmentation;

/// Aligns extended grapheme clusters (UAX #29). Nothing is trimmed.
#[derive(Debug, Clone)]
pub struct GraphemeAligner {
    interner: StrInterner,
    aligner: Aligner,
    text: String,
    /// Where each cluster of `text` begins.
    starts: Vec<u32>,
}

impl Default for GraphemeAligner {
    fn default() -> Self {
        Self::new()
    }
}

impl GraphemeAligner {
    /// An aligner with an empty reference.
    pub fn new() -> Self {
        Self {
            interner: StrInterner::new(),
            aligner: Aligner::new(Unit::Grapheme),
            text: String::new(),
            starts: Vec::new(),
        }
    }

    /// Sets the reference. Its table is built when first needed.
    pub fn set_reference(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.starts.clear();
        // Texts are limited to MAX_TEXT_BYTES, far below u32::MAX.
        let starts = text.grapheme_indices(true).map(|(at, _)| at as u32);
        self.starts.extend(starts);
        self.aligner.set_lazy_reference(self.starts.len());
    }

    /// Aligns a hypothesis with the reference.
    ///
    /// # Errors
    /// [`ScoreError::TooDifferent`] for a pair beyond the limits of this module.
    pub fn align(&mut self, text: &str) -> Result<Counts, ScoreError> {
        let (prefix, suffix) = common_ends(&self.text, text);
        let Self {
            interner,
            aligner,
            text: reference,
            starts,
        } = self;
        let end = reference.len() - suffix;
        let clusters_before = |byte: usize| starts.partition_point(|at| (*at as usize) < byte);
        let first = clusters_before(prefix);
        let last = clusters_before(end);
        aligner.require(first..last, |range, ids| {
            interner.clear();
            // The part just found to differ, or all of it.
            let bytes = if range.len() < starts.len() {
                prefix..end
            } else {
                0..reference.len()
            };
            let ends = starts[range.clone()].iter().skip(1).map(|at| *at as usize);
            let mut start = bytes.start;
            ids.extend(ends.chain([bytes.end]).map(|end| {
                let cluster = &reference[start..end];
                start = end;
                interner.intern(cluster)
            }));
            interner.len()
        });
        let ids = &mut aligner.hypothesis;
        ids.clear();
        let middle = &text[prefix..text.len() - suffix];
        ids.extend(
            middle
                .graphemes(true)
                .map(|cluster| interner.look_up(cluster)),
        );
        aligner.align(first, starts.len() - last)
    }

    /// The operations of the last alignment, in reading order.
    pub fn runs(&self) -> &[super::OpRun] {
        self.aligner.runs.as_slice()
    }
}

/// Bytes at both ends that are the same whole clusters in both texts. They end behind
/// spaces, as those of [`skip::common_words`] do, and for its reasons take nothing for the
/// suffix that the longest common prefix of clusters would have taken.
fn common_ends(a: &str, b: &str) -> (usize, usize) {
    let (prefix, suffix) = skip::common_words(a.as_bytes(), b.as_bytes());
    // Where a cluster begins whatever came before the space, the text can be cut.
    let can_cut = |text: &str, at: usize| {
        let next = text[at..].chars().next();
        next.is_none_or(|c| characters::of(c).begins_cluster_after_space)
    };
    let prefix = match prefix {
        prefix if can_cut(a, prefix) && can_cut(b, prefix) => prefix,
        _ => 0,
    };
    // What is left of the suffix begins with the space.
    let suffix = match suffix.saturating_sub(1) {
        suffix if can_cut(a, a.len() - suffix) => suffix,
        _ => 0,
    };
    (prefix, suffix)
}

#[cfg(test)]
mod tests {
    use super::super::TokenAligner;
    use super::*;
    use proptest::prelude::*;

    /// Clusters of every kind, and what may stand on both sides of a space.
    const TEXT: &str = "(a|b| | |क|क्ष|\u{93e}|\u{301}|\u{600}|\u{200d}|\u{e33}|🇮|🇳|👩\u{200d}👧|한|\u{1100}|\u{1161}|\r|\n|\u{110bd}){0,14}";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        /// Skipping shared ends and building only a part of the table change nothing,
        /// whatever was aligned before.
        #[test]
        fn texts_are_aligned_as_their_clusters(
            reference in TEXT, hypotheses in prop::collection::vec(TEXT, 1..4), shared in TEXT, end in TEXT,
        ) {
            let reference = format!("{shared}{reference}{end}");
            let mut clusters = GraphemeAligner::new();
            clusters.set_reference(&reference);
            let mut tokens = TokenAligner::new(Unit::Grapheme);
            tokens.set_reference(reference.graphemes(true));
            for hypothesis in hypotheses {
                let hypothesis = format!("{shared}{hypothesis}{end}");
                let counts = clusters.align(&hypothesis).expect("short");
                let expected = tokens.align(hypothesis.graphemes(true)).expect("short");
                prop_assert_eq!(counts, expected);
                prop_assert_eq!(clusters.runs(), tokens.runs(), "{:?} {:?}", &reference, hypothesis);
            }
        }
    }
}
