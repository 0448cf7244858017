//! Which parts of a word differ from another, by what people see as one character.

use unicode_segmentation::UnicodeSegmentation;

/// Longest words that are compared character by character, in grapheme clusters: the
/// work grows with the product of both.
const LONGEST: usize = 64;

/// A part of a word: whether it differs, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// Whether the other word lacks it.
    pub differs: bool,
    /// The text.
    pub text: &'a str,
}

/// For each cluster of `word`, whether it is in a longest common subsequence.
fn common(word: &[&str], other: &[&str]) -> Vec<bool> {
    let width = other.len() + 1;
    // Longest common subsequence of what is left of both from (i, j) on.
    let mut longest = vec![0u16; (word.len() + 1) * width];
    let at = |longest: &[u16], i: usize, j: usize| longest.get(i * width + j).copied().unwrap_or(0);
    for (i, a) in word.iter().enumerate().rev() {
        for (j, b) in other.iter().enumerate().rev() {
            let length = if a == b {
                at(&longest, i + 1, j + 1) + 1
            } else {
                at(&longest, i + 1, j).max(at(&longest, i, j + 1))
            };
            if let Some(cell) = longest.get_mut(i * width + j) {
                *cell = length;
            }
        }
    }
    let mut kept = Vec::with_capacity(word.len());
    let mut j = 0;
    for (i, cluster) in word.iter().enumerate() {
        let here = at(&longest, i, j);
        // Skipping a cluster of the other one must cost nothing.
        while other.get(j).is_some_and(|b| b != cluster) && at(&longest, i, j + 1) == here {
            if at(&longest, i + 1, j) == here {
                break;
            }
            j += 1;
        }
        let is_common = other.get(j) == Some(cluster) && at(&longest, i + 1, j + 1) + 1 == here;
        if is_common {
            j += 1;
        }
        kept.push(is_common);
    }
    kept
}

/// The parts of a word that are also in another, in order, and those that are not.
/// Put together they are the word. Very long words differ as a whole.
#[must_use]
pub fn difference<'a>(word: &'a str, other: &str) -> Vec<Part<'a>> {
    let clusters: Vec<&str> = word.graphemes(true).take(LONGEST + 1).collect();
    let others: Vec<&str> = other.graphemes(true).take(LONGEST + 1).collect();
    if clusters.is_empty() {
        return Vec::new();
    }
    if clusters.len() > LONGEST || others.len() > LONGEST {
        return vec![Part {
            differs: true,
            text: word,
        }];
    }
    let mut parts: Vec<Part<'a>> = Vec::new();
    let (mut begin, mut end, mut before) = (0, 0, None);
    for (cluster, is_common) in clusters.iter().zip(common(&clusters, &others)) {
        if before.is_some_and(|before| before != is_common) {
            parts.extend(word.get(begin..end).map(|text| Part {
                differs: is_common,
                text,
            }));
            begin = end;
        }
        before = Some(is_common);
        end += cluster.len();
    }
    parts.extend(word.get(begin..end).map(|text| Part {
        differs: before == Some(false),
        text,
    }));
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(word: &str, other: &str) -> String {
        let parts = difference(word, other).into_iter().map(|part| {
            if part.differs {
                format!("[{}]", part.text)
            } else {
                part.text.to_owned()
            }
        });
        parts.collect()
    }

    #[test]
    fn whole_characters_are_told_apart() {
        assert_eq!(told("color", "colour"), "color");
        assert_eq!(told("colour", "color"), "colo[u]r");
        // A vowel sign belongs to its consonant.
        assert_eq!(told("किताब", "कितब"), "कि[ता]ब");
        assert_eq!(told("स्त्री", "स्त्रि"), "[स्त्री]");
        assert_eq!(told("abc", "xyz"), "[abc]");
        assert_eq!(told("", "x"), "");
        assert_eq!(told("same", "same"), "same");
    }

    proptest! {
        #[test]
        fn parts_are_the_word_and_common_ones_are_in_the_other(
            word in "[abकाि\u{200d}\u{301}]{0,12}", other in "[abकाि\u{200d}\u{301}]{0,12}"
        ) {
            let parts = difference(&word, &other);
            let whole: String = parts.iter().map(|part| part.text).collect();
            prop_assert_eq!(&whole, &word);
            let pairs = parts.windows(2);
            prop_assert!(pairs.into_iter().all(|w| w[0].differs != w[1].differs));
            // In order, each.
            let mut others = other.graphemes(true);
            for cluster in parts.iter().filter(|p| !p.differs).flat_map(|p| p.text.graphemes(true)) {
                prop_assert!(others.any(|b| b == cluster));
            }
            if word == other {
                prop_assert!(parts.iter().all(|part| !part.differs));
            }
        }

        #[test]
        fn any_texts_are_compared(word in "\\PC{0,100}", other in "\\PC{0,100}") {
            let whole: String = difference(&word, &other).iter().map(|part| part.text).collect();
            prop_assert_eq!(whole, word);
        }
    }
}
