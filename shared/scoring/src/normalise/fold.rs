//! The steps of `indic-v1` in one pass, for texts whose characters' places are not asked for.
//!
//! What the steps are is said in [`Step`](super::Step), one by one; this is for speed. Most
//! characters are changed, or not, each by itself. Where a step looks at several together
//! and would change them, the pass gives up, and the steps are taken one by one.

use super::super::characters::rules::{BENGALI_TA, Folded, ZWJ, continues_word};
use super::super::characters::{self, NfcCheck};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// NFC of a text, stretch by stretch (see [`super::charsteps::nfc`]): what is in NFC is copied.
fn nfc(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut check = NfcCheck::default();
    // The stretch that is read, whether it is in NFC, and up to where `out` has the text.
    let (mut start, mut stays, mut copied) = (0, true, 0);
    for (at, c) in text.char_indices() {
        let known = characters::of(c);
        if known.begins_stretch() {
            if !stays {
                out.push_str(&text[copied..start]);
                out.extend(text[start..at].nfc());
                copied = at;
                stays = true;
            }
            start = at;
        }
        stays &= check.add(c, known);
    }
    if !stays {
        out.push_str(&text[copied..start]);
        out.extend(text[start..].nfc());
        copied = text.len();
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// `text` after the steps of `indic-v1`. `None` where they have to be taken one by one.
pub(super) fn indic_v1(text: &str) -> Option<String> {
    let text = nfc(text);
    let mut out = String::with_capacity(text.len());
    // Whether composing may have something to do in the end.
    let mut changed = false;
    let mut after_blank = true;
    let mut before = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let next = || chars.clone().next();
        match characters::of(c).folded {
            Folded::To(to) => {
                changed |= to != c;
                out.push(to);
                after_blank = false;
            }
            Folded::Separator
                if out.ends_with(|c: char| c.is_ascii_digit())
                    && next().is_some_and(|c| match characters::of(c).folded {
                        Folded::To(to) => to.is_ascii_digit(),
                        Folded::Dropped => true,
                        _ => false,
                    }) =>
            {
                return None;
            }
            Folded::Blank | Folded::Separator => {
                if !after_blank {
                    out.push(' ');
                }
                after_blank = true;
            }
            Folded::Dropped => changed = true,
            Folded::Virama => {
                let is_old = next() == Some(ZWJ)
                    || (before == Some(BENGALI_TA) && !next().is_some_and(continues_word));
                if is_old {
                    return None;
                }
                out.push(c);
                after_blank = false;
            }
            Folded::Longer => return None,
        }
        before = Some(c);
    }
    if after_blank {
        out.pop();
    }
    let stays = !changed || out.is_ascii() || characters::is_nfc(out.chars());
    stays.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::super::super::text;
    use super::super::Normaliser;
    use super::*;
    use proptest::prelude::*;

    /// Step by step. Where the pass gives up there is nothing to compare.
    fn check(text: &str) -> Result<(), TestCaseError> {
        let pieces = Normaliser::default().apply_pieces(text::pieces(text), "en");
        let steps = text::to_string(&pieces);
        prop_assert_eq!(nfc(text).into_owned(), text.nfc().collect::<String>());
        if let Some(folded) = indic_v1(text) {
            prop_assert_eq!(folded, steps);
        }
        Ok(())
    }

    #[test]
    fn every_character_alone_and_among_others() {
        for c in (0..=0x1_ffff).filter_map(char::from_u32) {
            for (before, after) in [
                ("", ""),
                ("a", "b"),
                ("1", "2"),
                ("ত", ""),
                ("क", " \u{93c}"),
                ("H", "\u{331}"),
            ] {
                check(&format!("{before}{c}{after}")).expect("as the steps");
            }
        }
    }

    #[test]
    fn usual_texts_take_one_pass() {
        for (text, expected) in [
            ("", ""),
            ("It's  1,2 and 3, OK?", "it s 1 2 and 3 ok"),
            ("क\u{93c}लम, वज\u{93c}न २५।", "क\u{93c}लम वज\u{93c}न 25"),
            ("\u{958}लम", "क\u{93c}लम"),
            ("ভ\u{9c7}\u{9be}র উত্তর", "ভ\u{9cb}র উত্তর"),
            ("സ്കൂൾ", "സ്കൂൾ"),
            ("co\u{ad}op", "coop"),
        ] {
            let usual = indic_v1(text);
            if text.contains("1,2") {
                assert_eq!(usual, None);
            } else {
                assert_eq!(usual.as_deref(), Some(expected));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn one_pass_is_as_the_steps(text in "[aH1१,٬ \u{a0}।ত্ന്\u{d4d}\u{200d}\u{200c}\u{ad}\u{331}\u{93c}\u{323}\u{307}\u{130}नক\u{958}\u{9c7}\u{9be}]{0,10}") {
            check(&text)?;
        }

        #[test]
        fn so_it_is_for_any_text(
            text in "[\u{900}-\u{dff}\u{600}-\u{6ff} ,\u{200b}-\u{200f}]{0,12}|[a-zA-ZÀ-ſ\u{300}-\u{345} ]{0,12}|\\PC{0,12}",
        ) {
            check(&text)?;
        }
    }
}
