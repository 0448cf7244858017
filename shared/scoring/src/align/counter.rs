//! Counting without keeping the alignment: words and characters of a pair at once.
//!
//! Of a pair only few tokens are left once the shared ends are off, and these ends are
//! found once for both. What is counted is what [`WordAligner`] and [`CharAligner`] count,
//! to the last token: the same rule says which alignment it is, where several are optimal.

use super::super::error::ScoreError;
use super::super::marks::Marks;
use super::super::rates::Counts;
use super::intern::{CharInterner, FLAT, Key, UNKNOWN, flat_for};
use super::step::step;
use super::{CharAligner, WordAligner, skip};

/// Most words between the shared ends that are compared each with each.
const MAX_WORDS: usize = 32;
/// Most blocks of 64 characters of a reference, between the shared ends.
const MAX_BLOCKS: usize = 4;
/// Most tokens of a hypothesis: those above are left to the aligners.
const MAX_ROWS: usize = 4096;

/// Counts words and characters of pairs of texts. Buffers are kept between pairs.
///
/// ```
/// use stt_eval_scoring::align::PairCounter;
///
/// let mut counter = PairCounter::default();
/// let (words, chars) = counter.count("the cat sat", "the cat sat down")?;
/// assert_eq!((words.hits, words.insertions), (3, 1));
/// assert_eq!((chars.hits, chars.insertions), (11, 5));
/// # Ok::<(), stt_eval_scoring::ScoreError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct PairCounter {
    reference: Marks,
    /// Of what is between the words that both texts share at their ends.
    hypothesis: Marks,
    keys: [Keys; 2],
    masks: Vec<u64>,
    chars: CharInterner,
    /// Masks of the different characters of a reference, [`MAX_BLOCKS`] of each.
    places: Vec<[u64; MAX_BLOCKS]>,
    ids: Vec<u32>,
    /// Masks of characters by their code, none but of those in `codes`.
    flat: Vec<u64>,
    codes: Vec<u16>,
    /// Vertical differences of each column.
    columns: Vec<u64>,
    words: WordAligner,
    long: CharAligner,
}

/// Words of one side.
#[derive(Debug, Clone, Default)]
struct Keys {
    keys: Vec<Key>,
    starts: Vec<usize>,
}

/// Two texts and how many bytes they share at their ends.
#[derive(Clone, Copy)]
struct Ends<'a> {
    reference: &'a str,
    hypothesis: &'a str,
    prefix: usize,
    suffix: usize,
    /// The same in words; nothing where that can't be told.
    words: usize,
    words_behind: usize,
}

impl PairCounter {
    /// Counts words and characters. Nothing is trimmed: a blank at an end is a character.
    ///
    /// # Errors
    /// [`ScoreError::TooDifferent`] for a pair beyond the limits of [`align`](super).
    pub fn count(
        &mut self,
        reference: &str,
        hypothesis: &str,
    ) -> Result<(Counts, Counts), ScoreError> {
        let (right, heard) = (reference.as_bytes(), hypothesis.as_bytes());
        self.reference.read(right);
        let prefix = skip::common_prefix(right, heard);
        let suffix = skip::common_suffix(&right[prefix..], &heard[prefix..]);
        let (mut words, mut words_behind) = (0, 0);
        if self.reference.is_tidy {
            // A word is shared at an end if the separator towards the middle is shared as
            // well: so never one is taken for the suffix that belongs to the prefix.
            let spaces = &self.reference.spaces;
            words = spaces.last_before(prefix).map_or(0, |at| at + 1);
            let shared = right.len() - suffix;
            words_behind = spaces
                .first(shared, right.len())
                .map_or(0, |at| right.len() - at);
        }
        let between = &heard[words..heard.len() - words_behind];
        self.hypothesis.read(between);
        // What is shared is as tidy as the reference, and a space is before and behind the
        // rest, if not an end.
        let is_tidy = self.reference.is_tidy
            && self.hypothesis.is_tidy
            && (!between.is_empty() || heard.is_empty());
        let ends = Ends {
            reference,
            hypothesis,
            prefix,
            suffix,
            words,
            words_behind,
        };
        let words = match self.few_words(ends, is_tidy) {
            Some(words) => words,
            None => {
                self.words.set_reference(reference);
                self.words.align(hypothesis)?
            }
        };
        Ok((words, self.count_chars(ends)?))
    }

    /// Words, if both texts are tidy and few are left between the shared ends.
    fn few_words(&mut self, ends: Ends<'_>, is_tidy: bool) -> Option<Counts> {
        if !is_tidy {
            return None;
        }
        let Ends {
            reference,
            hypothesis,
            prefix,
            words: start,
            words_behind,
            ..
        } = ends;
        let (right, heard) = (reference.as_bytes(), hypothesis.as_bytes());
        let all = match right {
            [] => 0,
            _ => self.reference.spaces.count(0, right.len()) + 1,
        };
        if prefix == right.len() && prefix == heard.len() {
            return Some(hits(all));
        }
        let [keys, others] = &mut self.keys;
        let end = right.len() - words_behind;
        let heard_end = heard.len() - words_behind - start;
        let (spaces, others_spaces) = (&self.reference.spaces, &self.hypothesis.spaces);
        if spaces.first(start, end).is_none() && others_spaces.first(0, heard_end).is_none() {
            // At most one word of each: were they the same, so would be the texts.
            let (len, rows) = (usize::from(start < end), usize::from(heard_end > 0));
            let middle = errors(len, rows, len.max(rows), len.saturating_sub(rows));
            return Some(with_hits(middle, all));
        }
        let heard = &heard[start..];
        if !keys.read(right, &self.reference, start, end)
            || !others.read(heard, &self.hypothesis, 0, heard_end)
        {
            return None;
        }
        self.masks.clear();
        let words = others.keys.iter().zip(&others.starts);
        self.masks
            .extend(words.map(|(key, at)| keys.equal_to(right, *key, heard, *at)));
        // What the rule takes off: the common prefix, then the common suffix of the rest.
        let (len, masks) = (keys.keys.len(), self.masks.as_slice());
        let same = masks.iter().zip(0..len);
        let first = same.take_while(|(mask, i)| **mask >> i & 1 != 0).count();
        let same = masks[first..].iter().rev().zip((first..len).rev());
        let last = same.take_while(|(mask, i)| **mask >> i & 1 != 0).count();
        let masks = &masks[first..masks.len() - last];
        let len = len - first - last;
        let rows = masks.iter().map(|mask| [*mask >> first]);
        let middle = differing::<1>(len, rows.len(), rows, &mut self.columns);
        Some(with_hits(middle, all))
    }

    fn count_chars(&mut self, ends: Ends<'_>) -> Result<Counts, ScoreError> {
        let Ends {
            reference,
            hypothesis,
            mut prefix,
            mut suffix,
            words: start,
            ..
        } = ends;
        let inside = &self.reference.inside;
        let all = reference.len() - inside.count(0, reference.len());
        if prefix == reference.len() && prefix == hypothesis.len() {
            return Ok(hits(all));
        }
        // Only whole characters are shared.
        while !reference.is_char_boundary(prefix) {
            prefix -= 1;
        }
        while !reference.is_char_boundary(reference.len() - suffix) {
            suffix -= 1;
        }
        let end = reference.len() - suffix;
        let middle = &reference[prefix..end];
        let heard = &hypothesis[prefix..hypothesis.len() - suffix];
        let len = middle.len() - inside.count(prefix, end);
        let heard_end = hypothesis.len() - suffix;
        let (first, last) = (prefix - start, heard_end - start);
        let rows = heard.len() - self.hypothesis.inside.count(first, last);
        let blocks = len.div_ceil(64);
        let differing = match blocks {
            _ if len.min(rows) == 0 => errors(len, rows, len.max(rows), len.saturating_sub(rows)),
            _ if blocks > MAX_BLOCKS || rows > MAX_ROWS => {
                self.long.set_reference(reference);
                return self.long.align(hypothesis);
            }
            0 | 1 => match self.few_chars(len, rows, middle, heard) {
                Some(counts) => counts,
                None => self.middle_chars::<1>(len, middle, heard),
            },
            2 => self.middle_chars::<2>(len, middle, heard),
            _ => self.middle_chars::<MAX_BLOCKS>(len, middle, heard),
        };
        Ok(with_hits(differing, all))
    }

    /// Characters between the shared ends, at most 64 of the reference, if none of them is
    /// beyond the flat table.
    fn few_chars(&mut self, len: usize, rows: usize, middle: &str, heard: &str) -> Option<Counts> {
        self.codes.clear();
        let mut bit = 1_u64;
        for c in middle.chars() {
            let place = c as usize;
            if place >= FLAT {
                break;
            }
            if place >= self.flat.len() {
                self.flat.resize(flat_for(place), 0);
            }
            self.flat[place] |= bit;
            bit = bit.rotate_left(1);
            // The table is shorter than that.
            self.codes.push(c as u16);
        }
        let is_whole = self.codes.len() == len;
        let flat = &self.flat;
        let mask_of = |c: char| [flat.get(c as usize).copied().unwrap_or_default()];
        let counts = is_whole.then(|| {
            let masks = heard.chars().map(mask_of);
            differing(len, rows, masks, &mut self.columns)
        });
        for code in &self.codes {
            self.flat[usize::from(*code)] = 0;
        }
        counts
    }

    /// Characters between the shared ends: `len` of the reference.
    fn middle_chars<const W: usize>(&mut self, len: usize, middle: &str, heard: &str) -> Counts {
        self.chars.clear();
        self.places.clear();
        for (i, c) in middle.chars().enumerate() {
            let id = self.chars.intern(c) as usize;
            if id == self.places.len() {
                self.places.push([0; MAX_BLOCKS]);
            }
            self.places[id][i / 64] |= 1 << (i % 64);
        }
        self.ids.clear();
        let (chars, places) = (&self.chars, &self.places);
        self.ids.extend(heard.chars().map(|c| chars.look_up(c)));
        let masks = self.ids.iter().map(|id| match places.get(*id as usize) {
            Some(mask) if *id != UNKNOWN => mask.first_chunk::<W>().copied().unwrap_or([0; W]),
            _ => [0; W],
        });
        differing(len, self.ids.len(), masks, &mut self.columns)
    }
}

impl Keys {
    /// Reads the words from `start` to before `end`. Returns whether they are few.
    #[inline]
    fn read(&mut self, text: &[u8], marks: &Marks, start: usize, end: usize) -> bool {
        self.keys.clear();
        self.starts.clear();
        let mut from = start;
        while from < end && self.keys.len() <= MAX_WORDS {
            let to = marks.spaces.first(from, end).unwrap_or(end);
            if from < to {
                self.keys.push(Key::at(text, from, to));
                self.starts.push(from);
            }
            from = to + 1;
        }
        self.keys.len() <= MAX_WORDS
    }

    /// Which of these words equal another: a bit for each.
    #[inline]
    fn equal_to(&self, text: &[u8], key: Key, other: &[u8], at: usize) -> u64 {
        let same = |mask, (i, own): (usize, &Key)| mask | u64::from(*own == key) << i;
        let mut mask = self.keys.iter().enumerate().fold(0, same);
        if !key.is_whole() {
            let mut unsure = mask;
            while unsure != 0 {
                let i = unsure.trailing_zeros() as usize;
                unsure &= unsure - 1;
                let equal = key.bytes(text, self.starts[i]) == key.bytes(other, at);
                mask &= !(u64::from(!equal) << i);
            }
        }
        mask
    }
}

fn hits(all: usize) -> Counts {
    Counts {
        hits: all as u64,
        ..Counts::default()
    }
}

/// Counts of a pair whose reference has so many tokens, from those of its middle.
fn with_hits(middle: Counts, all: usize) -> Counts {
    Counts {
        hits: all as u64 - middle.substitutions - middle.deletions,
        ..middle
    }
}

/// Counts without hits of `len` tokens and `rows`, by the distance and the deletions.
fn errors(len: usize, rows: usize, distance: usize, deletions: usize) -> Counts {
    let insertions = deletions + rows - len;
    Counts {
        substitutions: (distance - deletions - insertions) as u64,
        deletions: deletions as u64,
        insertions: insertions as u64,
        ..Counts::default()
    }
}

/// Substitutions, deletions and insertions between `len` tokens of a reference and `rows` of a
/// hypothesis, given as masks of the tokens that each of its tokens equals, which share no
/// ends. Hits are not counted.
///
/// With d errors, S + D + I = d, and D - I is the difference of the lengths: so the
/// deletions tell everything, and where d exceeds that difference by less than two there
/// is no choice either. Else the rule says which they are.
#[inline]
fn differing<const W: usize>(
    len: usize,
    rows: usize,
    masks: impl Iterator<Item = [u64; W]>,
    columns: &mut Vec<u64>,
) -> Counts {
    let surplus = len.saturating_sub(rows);
    if len == 0 || rows == 0 {
        return errors(len, rows, len.max(rows), surplus);
    }
    if columns.len() < rows * 2 * W {
        columns.resize(rows * 2 * W, 0);
    }
    let (mut vp, mut vn) = ([u64::MAX; W], [0; W]);
    for (eq, column) in masks.zip(columns.chunks_exact_mut(2 * W)) {
        let (mut up, mut down) = (1, 0);
        for b in 0..W {
            (vp[b], vn[b], up, down) = step(vp[b], vn[b], eq[b], up, down);
            (column[b], column[W + b]) = (vp[b], vn[b]);
        }
    }
    // Down the last column from its first cell, which is the number of columns.
    let (mut above, mut below) = (0, 0);
    for b in 0..len.div_ceil(64) {
        let live = u64::MAX >> (64 - (len - b * 64).min(64));
        above += (vp[b] & live).count_ones() as usize;
        below += (vn[b] & live).count_ones() as usize;
    }
    let distance = rows + above - below;
    if distance - len.abs_diff(rows) < 2 {
        return errors(len, rows, distance, surplus);
    }
    // Of words of 64, which of one is known.
    let bit = |words: &[u64], i: usize| {
        let block = if W == 1 { 0 } else { i / 64 };
        words[block] >> (i % 64) & 1 != 0
    };
    // From the last cell back; up as long as that costs nothing, which the rule prefers.
    let mut left = columns[..rows * 2 * W].chunks_exact(2 * W).rev().peekable();
    let (mut i, mut deletions) = (len, 0);
    while let Some(column) = left.next() {
        while i > 0 && bit(column, i - 1) {
            i -= 1;
            deletions += 1;
        }
        if i == 0 {
            break;
        }
        if !left.peek().is_some_and(|before| bit(&before[W..], i - 1)) {
            i -= 1;
        }
    }
    errors(len, rows, distance, deletions + i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the aligners count.
    fn aligned(reference: &str, hypothesis: &str) -> (Counts, Counts) {
        let (mut words, mut chars) = (WordAligner::new(), CharAligner::new());
        words.set_reference(reference);
        chars.set_reference(reference);
        let words = words.align(hypothesis).unwrap();
        (words, chars.align(hypothesis).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn counts_are_those_of_the_aligners(
            reference in "([abक]{1,2} ){0,40}c?|([ab]|क{6}|ख |漢 ?|😀){0,130}|[a\u{a0}\t ]{0,9}|( ?[a-c]{1,20}){0,20}",
            hypothesis in "([abक]{1,2} ){0,40}c?|([ab]|क{6}|ख |漢 ?|😀){0,130}|[a\u{a0}\t ]{0,9}|( ?[a-c]{1,20}){0,20}",
            cut in 0usize..60, paste in 0usize..60,
        ) {
            let mut counter = PairCounter::default();
            let both = |counter: &mut PairCounter, a: &str, b: &str| counter.count(a, b).unwrap();
            prop_assert_eq!(both(&mut counter, &reference, &hypothesis), aligned(&reference, &hypothesis));
            // The same text with a piece of it moved, as pairs usually are.
            let words: Vec<&str> = reference.split(' ').collect();
            let mut moved = words.clone();
            let word = moved.remove(cut % words.len());
            moved.insert(paste % words.len(), word);
            moved.truncate(words.len() - usize::from(paste % 5 == 0));
            let moved = moved.join(" ");
            prop_assert_eq!(both(&mut counter, &reference, &moved), aligned(&reference, &moved));
            prop_assert_eq!(both(&mut counter, &moved, &reference), aligned(&moved, &reference));
        }
    }

    #[test]
    fn long_pairs_are_left_to_the_aligners() {
        let right = "एक दो a three ".repeat(40);
        let heard = "x three दो b ".repeat(45);
        let mut counter = PairCounter::default();
        let both = counter.count(&right, &heard).unwrap();
        assert_eq!(both, aligned(&right, &heard));
        let other = counter.count("a b", "a c").unwrap();
        assert_eq!(other, aligned("a b", "a c"));
    }
}
