//! What the steps of a normaliser ask of single characters.

use super::super::tokens::is_blank;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

pub(crate) const ZWJ: char = '\u{200d}';
pub(crate) const BENGALI_TA: char = '\u{9a4}';
pub(crate) const BENGALI_VIRAMA: char = '\u{9cd}';
pub(crate) const MALAYALAM_VIRAMA: char = '\u{d4d}';

/// What the steps make of a character by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folded {
    /// Another character or the same.
    To(char),
    /// A blank, or punctuation, which becomes one.
    Blank,
    /// Nothing.
    Dropped,
    /// Punctuation that joins the groups of a number.
    Separator,
    /// A virama that older texts write letters with.
    Virama,
    /// More than one character.
    Longer,
}

impl Folded {
    pub(crate) fn read(c: char) -> Self {
        let mut lower = c.to_lowercase();
        let (Some(one), None) = (lower.next(), lower.next()) else {
            return Self::Longer;
        };
        let digit = digit_value(one).and_then(|value| char::from_digit(value, 10));
        match digit.unwrap_or(one) {
            c if is_invisible(c) => Self::Dropped,
            c if is_separator(c) => Self::Separator,
            c if is_punctuation(c) || is_blank(c) => Self::Blank,
            BENGALI_VIRAMA | MALAYALAM_VIRAMA => Self::Virama,
            c => Self::To(c),
        }
    }
}

/// Letters and marks, and the joiners that can stand between them.
pub(crate) fn continues_word(c: char) -> bool {
    is_invisible(c)
        || matches!(
            c.general_category_group(),
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark
        )
}

pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// The value of a decimal digit of any script.
///
/// Unicode encodes each set of decimal digits as ten code points in ascending
/// order and keeps it so (stability policy for `Nd`), and sets that touch touch
/// at multiples of ten: so the distance to where the run of `Nd` begins tells
/// the value. The longest run is the 50 mathematical digits.
pub(crate) fn digit_value(c: char) -> Option<u32> {
    if c.is_ascii() {
        return c.to_digit(10);
    }
    let is_digit = |c: char| c.general_category() == GeneralCategory::DecimalNumber;
    // The first test is the cheaper one.
    if !c.is_numeric() || !is_digit(c) {
        return None;
    }
    let before = (1..=50)
        .take_while(|back| {
            (c as u32)
                .checked_sub(*back)
                .and_then(char::from_u32)
                .is_some_and(is_digit)
        })
        .count();
    Some(before as u32 % 10)
}

/// Whether `c` may stand between the groups of a number.
pub(crate) fn is_separator(c: char) -> bool {
    matches!(c, ',' | '\u{66c}')
}

/// Whether `c` has the general category P.
pub(crate) fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        // Not `is_ascii_punctuation`, which also has symbols ($ + < = > ^ ` | ~).
        matches!(c, '!'..='/' | ':' | ';' | '?' | '@' | '['..=']' | '_' | '{' | '}')
            && !matches!(c, '$' | '+')
    } else {
        // The first test is the cheaper one and spares most letters the second.
        !c.is_alphanumeric() && c.general_category_group() == GeneralCategoryGroup::Punctuation
    }
}
