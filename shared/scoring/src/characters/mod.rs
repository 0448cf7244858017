//! What normalisers and flags ask of a character, looked up once.
//!
//! The tables of the Unicode crates are searched for each question; a text asks five of
//! each of its characters. Here the answers lie side by side, a page of 128 characters at
//! a time, and a page is filled when the first of its characters is met. They are the
//! crates' answers and nothing else, so nothing depends on what was asked before.

pub(super) mod rules;

use rules::Folded;
use std::sync::OnceLock;
use unicode_normalization::char::{canonical_combining_class, compose, decompose_canonical};
use unicode_normalization::{IsNormalized, is_nfc_quick};
use unicode_script::{Script, UnicodeScript};
use unicode_segmentation::UnicodeSegmentation;

/// What is known of one character.
#[derive(Debug, Clone, Copy)]
pub(super) struct Character {
    /// What the steps of `indic-v1` make of it by itself.
    pub(super) folded: Folded,
    pub(super) script: Script,
    /// Canonical combining class.
    class: u8,
    nfc: Nfc,
    /// Whether a grapheme cluster begins here if a space stands before.
    pub(super) begins_cluster_after_space: bool,
}

/// How a character behaves in NFC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nfc {
    /// Stands by itself: no decomposition, and nothing before it changes it.
    Whole,
    /// Has a decomposition, of which NFC makes the character again.
    Composed,
    /// A mark that composes with nothing.
    Mark,
    /// May compose with what stands before.
    Joining,
    /// Not in any text in NFC. It begins a stretch (see [`Nfc::begins_stretch`]).
    Never,
    /// Not in any text in NFC, and decomposes into something that may compose with what
    /// stands before.
    NeverJoining,
}

impl Nfc {
    fn read(c: char, class: u8) -> Self {
        if c.is_ascii() {
            return Self::Whole;
        }
        let mut first = None;
        decompose_canonical(c, |d| {
            first.get_or_insert(d);
        });
        let quick = is_nfc_quick(std::iter::once(c));
        let is_alone = |d: char| {
            canonical_combining_class(d) == 0
                && is_nfc_quick(std::iter::once(d)) != IsNormalized::Maybe
        };
        let decomposes = first != Some(c);
        let joins = quick == IsNormalized::Maybe || class != 0 || !first.is_none_or(is_alone);
        match (quick, decomposes, joins) {
            (IsNormalized::Yes, false, false) => Self::Whole,
            (IsNormalized::Yes, true, false) => Self::Composed,
            (IsNormalized::Yes, false, true) => Self::Mark,
            (IsNormalized::Maybe, false, _) => Self::Joining,
            (_, _, false) => Self::Never,
            (_, _, true) => Self::NeverJoining,
        }
    }

    /// Whether NFC of a text is NFC of what stands before the character, and then of the
    /// rest.
    fn begins_stretch(self) -> bool {
        matches!(self, Self::Whole | Self::Composed | Self::Never)
    }
}

impl Character {
    fn read(c: char) -> Self {
        let class = canonical_combining_class(c);
        Self {
            folded: Folded::read(c),
            script: c.script(),
            class,
            nfc: Nfc::read(c, class),
            begins_cluster_after_space: [' ', c].iter().collect::<String>().graphemes(true).count()
                == 2,
        }
    }

    /// As [`Nfc::begins_stretch`].
    pub(super) fn begins_stretch(self) -> bool {
        self.nfc.begins_stretch()
    }
}

const PAGE: usize = 128;
type Page = Box<[Character; PAGE]>;

/// The basic multilingual plane; what lies above is looked up each time.
static PAGES: [OnceLock<Page>; 0x1_0000 / PAGE] = [const { OnceLock::new() }; 0x1_0000 / PAGE];

/// What is known of `c`.
#[inline]
pub(super) fn of(c: char) -> Character {
    let code = c as usize;
    match PAGES.get(code / PAGE) {
        Some(page) => page.get_or_init(|| fill(code / PAGE))[code % PAGE],
        None => Character::read(c),
    }
}

#[cold]
fn fill(page: usize) -> Page {
    // Surrogates are no characters; nothing asks for their places.
    let at = |i: usize| char::from_u32((page * PAGE + i) as u32).unwrap_or_default();
    Box::new(std::array::from_fn(|i| Character::read(at(i))))
}

/// Tells, character by character, whether a text is in NFC.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NfcCheck {
    /// Class of the character before.
    class: u8,
    /// The last character that a mark could compose with, and whether it has a
    /// decomposition.
    base: Option<(char, bool)>,
}

impl NfcCheck {
    /// Whether the text is certainly still in NFC with `c` added. Where the answer is
    /// no, the text has to be normalised to know.
    #[inline]
    pub(super) fn add(&mut self, c: char, known: Character) -> bool {
        let ordered = known.class == 0 || self.class <= known.class;
        self.class = known.class;
        let stays = match known.nfc {
            Nfc::Whole | Nfc::Composed | Nfc::Mark => true,
            // What a composed base is made of may have to give way to this one.
            Nfc::Joining => self
                .base
                .is_none_or(|(base, composed)| !composed && compose(base, c).is_none()),
            Nfc::Never | Nfc::NeverJoining => false,
        };
        if known.class == 0 {
            self.base = Some((c, known.nfc == Nfc::Composed));
        }
        ordered && stays
    }
}

/// Whether a text is certainly in NFC.
pub(super) fn is_nfc(mut text: impl Iterator<Item = char>) -> bool {
    let mut check = NfcCheck::default();
    text.all(|c| check.add(c, of(c)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    #[test]
    fn every_character_alone_and_behind_others() {
        let befores = [
            "", "e", "\u{e9}", "क", "\u{9c7}", "\u{1100}", "\u{ac00}", "e\u{301}", "a\u{323}",
        ];
        for c in (0..=0x2_ffff).filter_map(char::from_u32) {
            for before in befores {
                let text: String = before.chars().chain([c]).collect();
                if is_nfc(text.chars()) {
                    assert!(text.chars().nfc().eq(text.chars()), "{text:?}");
                }
                if of(c).begins_stretch() {
                    let apart: String = before.nfc().chain(std::iter::once(c).nfc()).collect();
                    assert!(text.nfc().eq(apart.chars()), "{text:?}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn what_passes_is_in_nfc(
            text in "[aeको়া\u{9be}\u{9c7}\u{93c}\u{928}\u{958}\u{e9}\u{1e69}\u{301}\u{323}\u{327}\u{334}\u{338}\
                     \u{344}\u{bc6}\u{bbe}\u{bca}\u{cc6}\u{cc2}\u{cd5}\u{1100}\u{1161}\u{11a8}\u{ac00}\u{627}\u{653}]{0,8}",
        ) {
            if is_nfc(text.chars()) {
                prop_assert_eq!(text.nfc().collect::<String>(), text);
            }
        }

        #[test]
        fn so_it_is_for_any_text(text in "[\u{900}-\u{dff}\u{300}-\u{345}a-zÀ-ſ]{0,12}|\\PC{0,12}") {
            if is_nfc(text.chars()) {
                prop_assert_eq!(text.nfc().collect::<String>(), text);
            }
        }
    }
}
