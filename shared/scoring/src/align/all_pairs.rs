//! Few words on both sides: each compared with each.
//!
//! What is left of a usual pair once the shared ends are off is a handful of
//! words. Comparing all of them with all of them, as numbers, is then cheaper
//! than a table, and the results are already the masks that the recurrence
//! wants.

use super::super::spaces;
use super::intern::Key;

/// Most words on either side. The work is bounded by its square.
pub(super) const MAX_WORDS: usize = 32;
/// Longest part worth looking at: longer ones rarely have few words.
const MAX_BYTES: usize = 2048;

/// A part of a text: `text[start..end]`, the rest of `text` may be read.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) text: &'a [u8],
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The words of a part.
#[derive(Debug, Clone, Default)]
struct Words {
    keys: Vec<Key>,
    starts: Vec<usize>,
}

impl Words {
    /// Reads the words of a part. Returns whether it is tidy and they are few.
    #[inline]
    fn read(&mut self, part: Part<'_>) -> bool {
        self.keys.clear();
        self.starts.clear();
        let Part { text, start, end } = part;
        let tidy = spaces::for_each_run(&text[start..end], |from, to| {
            self.keys.push(Key::at(text, start + from, start + to));
            self.starts.push(start + from);
        });
        tidy && self.keys.len() <= MAX_WORDS
    }
}

/// Buffers, kept between pairs.
#[derive(Debug, Clone, Default)]
pub(super) struct Few {
    reference: Words,
    hypothesis: Words,
    masks: Vec<u64>,
}

impl Few {
    /// Per word of the hypothesis, which words of the reference equal it: bit `i`
    /// for the `i`-th. `None` if either part has too many words or is not tidy.
    pub(super) fn masks(&mut self, reference: Part<'_>, hypothesis: Part<'_>) -> Option<&[u64]> {
        let long = |part: Part<'_>| part.end - part.start > MAX_BYTES;
        if long(reference)
            || long(hypothesis)
            || !self.reference.read(reference)
            || !self.hypothesis.read(hypothesis)
        {
            return None;
        }
        let mut marks = [0; MAX_WORDS];
        for (mark, key) in marks.iter_mut().zip(&self.reference.keys) {
            *mark = key.mark();
        }
        let marks = &marks[..self.reference.keys.len()];
        self.masks.clear();
        let words = self.hypothesis.keys.iter().zip(&self.hypothesis.starts);
        self.masks.extend(words.map(|(key, at)| {
            let mark = key.mark();
            let same = |mask, (i, other): (usize, &u32)| mask | u64::from(*other == mark) << i;
            let mask = marks.iter().enumerate().fold(0, same);
            let (mut mask, mut unsure): (u64, u64) = (mask, mask);
            while unsure != 0 {
                let i = unsure.trailing_zeros() as usize;
                unsure &= unsure - 1;
                let equal = self.reference.keys[i] == *key
                    && (key.is_whole()
                        || key.bytes(reference.text, self.reference.starts[i])
                            == key.bytes(hypothesis.text, *at));
                mask &= !(u64::from(!equal) << i);
            }
            mask
        }));
        Some(&self.masks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn masks(few: &mut Few, reference: &str, hypothesis: &str) -> Option<Vec<u64>> {
        // Something around the parts, as the shared ends are.
        let texts = [reference, hypothesis].map(|text| format!("क {text} z"));
        let [reference, hypothesis] = texts.each_ref().map(|text| Part {
            text: text.as_bytes(),
            start: "क ".len(),
            end: text.len() - " z".len(),
        });
        few.masks(reference, hypothesis).map(<[u64]>::to_vec)
    }

    proptest! {
        #[test]
        fn words_are_compared_whole(
            reference in "([ab]{1,3}|क{1,4}|[ab]c{12,15}d)( ([ab]{1,3}|क{1,4}|[ab]c{12,15}d)){0,31}",
            hypothesis in "([ab]{1,3}|क{1,4}|[ab]c{12,15}d)( ([ab]{1,3}|क{1,4}|[ab]c{12,15}d)){0,31}",
        ) {
            let equal = |word: &str| {
                let places = reference.split(' ').enumerate();
                places.fold(0u64, |mask, (i, other)| mask | u64::from(other == word) << i)
            };
            let expected: Vec<u64> = hypothesis.split(' ').map(equal).collect();
            prop_assert_eq!(masks(&mut Few::default(), &reference, &hypothesis), Some(expected));
        }
    }

    #[test]
    fn long_words_differ_where_no_key_looks() {
        let few = &mut Few::default();
        let word = |middle: char| format!("beginning{middle}and-the-end");
        let (a, b) = (word('a'), word('b'));
        assert_eq!(masks(few, &a, &b), Some(vec![0]));
        assert_eq!(masks(few, &format!("{b} {a}"), &a), Some(vec![0b10]));
    }

    #[test]
    fn many_words_and_untidy_parts_are_left_to_others() {
        let few = &mut Few::default();
        let many = vec!["a"; MAX_WORDS + 1].join(" ");
        assert_eq!(masks(few, "a", &many), None);
        assert_eq!(masks(few, &many, "a"), None);
        assert_eq!(masks(few, "a b", "a  b"), None);
        assert_eq!(masks(few, "a", &"x".repeat(MAX_BYTES + 1)), None);
    }

    #[test]
    fn a_word_at_the_end_of_its_text_is_the_same_word() {
        let whole = |text: &'static str| Part {
            text: text.as_bytes(),
            start: 0,
            end: text.len(),
        };
        let mut few = Few::default();
        let masks = few.masks(whole("one two and more"), whole("one two"));
        assert_eq!(masks, Some(&[1, 2][..]));
    }
}
