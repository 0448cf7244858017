//! Dense ids for the tokens of one reference.
//!
//! Only the reference is interned; tokens of a hypothesis are looked up and get
//! [`UNKNOWN`] where the reference lacks them. Two unknown tokens are therefore
//! not told apart, which is enough: an alignment only asks whether a hypothesis
//! token equals a reference token.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Id of a hypothesis token that does not occur in the reference.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// A token as numbers. Up to 16 bytes, length, head and tail together are the
/// token itself; beyond, they decide most comparisons before its bytes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    head: u64,
    tail: u64,
    len: usize,
}

impl Key {
    #[inline]
    fn new(token: &[u8]) -> Self {
        Self::at(token, 0, token.len())
    }

    /// The key of the token that is the bytes `start..end` of a text. What
    /// follows it in the text is not part of the key, but lets a short token be
    /// read at once.
    #[inline]
    pub(super) fn at(text: &[u8], start: usize, end: usize) -> Self {
        let token = &text[start..end];
        let len = token.len();
        let (head, tail) = match (token.first_chunk::<8>(), token.last_chunk::<8>()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => match text[start..].first_chunk::<8>() {
                Some(eight) => (u64::from_le_bytes(*eight) & !(u64::MAX << (8 * len)), 0),
                None => {
                    let bytes = token.iter().rev();
                    (bytes.fold(0, |all, b| all << 8 | u64::from(*b)), 0)
                }
            },
        };
        Self { head, tail, len }
    }

    /// The bytes of the token in a text where it begins at `start`.
    #[inline]
    pub(super) fn bytes(self, text: &[u8], start: usize) -> &[u8] {
        &text[start..start + self.len]
    }

    /// Whether equal keys mean equal tokens.
    #[inline]
    pub(super) fn is_whole(self) -> bool {
        self.len <= 16
    }

    /// Most unequal keys have unequal marks.
    #[inline]
    pub(super) fn mark(self) -> u32 {
        let mixed = self.head.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ self.tail.wrapping_mul(0xd6e8_feb8_6659_fd93);
        (mixed >> 32) as u32 ^ self.len as u32
    }
}

/// Interner for tokens that are strings (words, grapheme clusters).
///
/// An open-addressing table over one byte buffer: nothing is allocated per
/// token, and nothing at all once the buffers have grown to the longest
/// reference seen.
#[derive(Debug, Clone)]
pub(super) struct StrInterner {
    /// Per process and random, so that no text can be crafted whose words all
    /// fall into one slot and make the table quadratic. Ids, and so results, do
    /// not depend on it.
    seed: u64,
    /// Tokens longer than a key.
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Index into `entries` plus one; 0 is free. The length is a power of two.
    slots: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: Key,
    hash: u64,
    /// Where the token begins in `bytes`, if its key is not all of it.
    start: usize,
}

impl StrInterner {
    pub(super) fn new() -> Self {
        Self {
            seed: RandomState::new().hash_one(0u64) | 1,
            bytes: Vec::new(),
            entries: Vec::new(),
            slots: vec![0; 64],
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        if self.slots.len() > 4096 {
            // One long reference must not make each short one after it pay for
            // clearing a large table.
            self.slots = vec![0; 64];
        } else {
            self.slots.fill(0);
        }
    }

    /// The id of `token`, which is added if it is new.
    #[inline]
    pub(super) fn intern(&mut self, token: &str) -> u32 {
        if (self.entries.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let token = token.as_bytes();
        let key = Key::new(token);
        let hash = hash(self.seed, key, token);
        match self.find(hash, key, token) {
            Ok(id) => id,
            Err(slot) => {
                let start = self.bytes.len();
                if !key.is_whole() {
                    self.bytes.extend_from_slice(token);
                }
                self.entries.push(Entry { key, hash, start });
                // Texts are limited to MAX_TEXT_BYTES, far below u32::MAX.
                self.slots[slot] = self.entries.len() as u32;
                (self.entries.len() - 1) as u32
            }
        }
    }

    /// The id of `token`, or [`UNKNOWN`].
    #[inline]
    pub(super) fn look_up(&self, token: &str) -> u32 {
        let token = token.as_bytes();
        let key = Key::new(token);
        self.find(hash(self.seed, key, token), key, token)
            .unwrap_or(UNKNOWN)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The id of a token, or the free slot where it belongs.
    #[inline]
    fn find(&self, hash: u64, key: Key, token: &[u8]) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let index = self.slots[slot];
            if index == 0 {
                return Err(slot);
            }
            let entry = self.entries[index as usize - 1];
            if entry.key == key
                && (key.is_whole() || &self.bytes[entry.start..entry.start + key.len] == token)
            {
                return Ok(index - 1);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let len = self.slots.len() * 2;
        self.slots.clear();
        self.slots.resize(len, 0);
        for (index, entry) in self.entries.iter().enumerate() {
            let mut slot = entry.hash as usize & (len - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (len - 1);
            }
            self.slots[slot] = index as u32 + 1;
        }
    }
}

/// A short multiply-and-fold hash (the core step of wyhash): the key, and what
/// lies between head and tail of a token that is longer.
#[inline]
fn hash(seed: u64, key: Key, token: &[u8]) -> u64 {
    fn fold(a: u64, b: u64) -> u64 {
        let product = u128::from(a) * u128::from(b);
        (product as u64) ^ (product >> 64) as u64
    }
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = fold(key.head ^ seed, key.tail ^ K ^ key.len as u64);
    if !key.is_whole() {
        for eight in token[8..token.len() - 1].as_chunks::<8>().0 {
            state = fold(state ^ u64::from_le_bytes(*eight), K ^ seed);
        }
    }
    fold(state ^ seed, K)
}

/// Code points below this are looked up in a flat table: it holds every script
/// of India, Latin, Arabic, Greek, Cyrillic and most of the rest but CJK.
pub(super) const FLAT: usize = 0x3000;

/// Entries of a flat table that has a place for this code point: no more memory is touched than
/// the scripts of a text take.
pub(super) fn flat_for(place: usize) -> usize {
    (place + 1).next_multiple_of(0x400).min(FLAT)
}

/// Interner for single code points.
#[derive(Debug, Clone)]
pub(super) struct CharInterner {
    /// `generation << 32 | id`; an entry of an older generation is free, so that
    /// clearing costs nothing.
    flat: Vec<u64>,
    generation: u64,
    rare: HashMap<char, u32>,
    len: u32,
}

impl Default for CharInterner {
    fn default() -> Self {
        Self::new()
    }
}

impl CharInterner {
    pub(super) fn new() -> Self {
        Self {
            // Made by the first character: many aligners never see one.
            flat: Vec::new(),
            generation: 1,
            rare: HashMap::new(),
            len: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        // 2^32 references before this could wrap; starting afresh is cheap.
        if self.generation == u64::from(u32::MAX) {
            self.flat.fill(0);
            self.generation = 0;
        }
        self.generation += 1;
        self.rare.clear();
        self.len = 0;
    }

    #[inline]
    pub(super) fn intern(&mut self, token: char) -> u32 {
        let next = self.len;
        let place = token as usize;
        if place < FLAT {
            if place >= self.flat.len() {
                self.flat.resize(flat_for(place), 0);
            }
            let entry = &mut self.flat[place];
            if *entry >> 32 == self.generation {
                return *entry as u32;
            }
            *entry = self.generation << 32 | u64::from(next);
            self.len += 1;
            return next;
        }
        let id = *self.rare.entry(token).or_insert(next);
        self.len += u32::from(id == next);
        id
    }

    #[inline]
    pub(super) fn look_up(&self, token: char) -> u32 {
        if let Some(entry) = self.flat.get(token as usize) {
            if *entry >> 32 == self.generation {
                *entry as u32
            } else {
                UNKNOWN
            }
        } else if (token as usize) < FLAT {
            UNKNOWN
        } else {
            self.rare.get(&token).copied().unwrap_or(UNKNOWN)
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_tokens_get_equal_ids_and_others_do_not() {
        let mut interner = StrInterner::new();
        let words: Vec<String> = (0..3000)
            .map(|i| format!("{}{i}", "क".repeat(i % 9)))
            .collect();
        let ids: Vec<u32> = words.iter().map(|w| interner.intern(w)).collect();
        for (word, id) in words.iter().zip(&ids) {
            assert_eq!(interner.intern(word), *id);
            assert_eq!(interner.look_up(word), *id);
        }
        assert_eq!(interner.len(), 3000);
        assert_eq!(interner.look_up("absent"), UNKNOWN);
        interner.clear();
        assert_eq!(interner.look_up(&words[0]), UNKNOWN);
        assert_eq!(interner.intern(""), 0);
        assert_eq!(interner.look_up(""), 0);
    }

    #[test]
    fn characters_of_an_older_reference_are_forgotten() {
        let mut interner = CharInterner::new();
        assert_eq!(
            ['a', 'क', '漢', 'a', '😀', '漢'].map(|c| interner.intern(c)),
            [0, 1, 2, 0, 3, 2]
        );
        interner.clear();
        assert_eq!(['a', '漢'].map(|c| interner.look_up(c)), [UNKNOWN, UNKNOWN]);
        assert_eq!(interner.intern('漢'), 0);
    }
}
