//! The steps that forgive spelling only.

use super::super::characters;
use super::super::characters::rules::{
    BENGALI_TA, BENGALI_VIRAMA, MALAYALAM_VIRAMA, ZWJ, continues_word, digit_value, is_invisible,
    is_punctuation, is_separator,
};
use super::super::text::{self, Piece, Pieces};
use super::super::tokens::is_blank;
use unicode_normalization::UnicodeNormalization;

/// NFC, stretch by stretch: a stretch begins at a character that composes with
/// nothing before it, so that characters of other stretches keep their places.
pub(super) fn nfc(text: Pieces) -> Pieces {
    if characters::is_nfc(text.iter().map(|p| p.ch)) {
        return text;
    }
    let mut out = Pieces::with_capacity(text.len());
    let mut start = 0;
    while start < text.len() {
        let mut end = start + 1;
        while end < text.len() && !characters::of(text[end].ch).begins_stretch() {
            end += 1;
        }
        let stretch = &text[start..end];
        let chars = stretch.iter().map(|p| p.ch);
        if characters::is_nfc(chars.clone()) || chars.clone().nfc().eq(chars.clone()) {
            out.extend_from_slice(stretch);
        } else {
            text::replace(stretch, chars.nfc(), &mut out);
        }
        start = end;
    }
    out
}

const KHANDA_TA: char = '\u{9ce}';

/// The chillu letter of a Malayalam consonant (Unicode 5.1 and 9.0).
fn chillu(consonant: char) -> Option<char> {
    Some(match consonant {
        'ണ' => 'ൺ',
        'ന' => 'ൻ',
        'ര' => 'ർ',
        'ല' => 'ൽ',
        'ള' => 'ൾ',
        'ക' => 'ൿ',
        'മ' => 'ൔ',
        'യ' => 'ൕ',
        'ഴ' => 'ൖ',
        _ => return None,
    })
}

pub(super) fn unify_letters(text: Pieces) -> Pieces {
    let is_old = |p: &Piece| matches!(p.ch, BENGALI_VIRAMA | MALAYALAM_VIRAMA);
    if !text.iter().any(is_old) {
        return text;
    }
    let mut out = Pieces::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let char_at = |i: usize| text.get(i).map(|p| p.ch);
        let letter = text[at].ch;
        let joined = char_at(at + 2) == Some(ZWJ);
        let new = match char_at(at + 1) {
            Some(MALAYALAM_VIRAMA) if joined => chillu(letter),
            Some(BENGALI_VIRAMA) if letter == BENGALI_TA => {
                let at_word_end = !char_at(at + 2).is_some_and(continues_word);
                (joined || at_word_end).then_some(KHANDA_TA)
            }
            _ => None,
        };
        match new {
            Some(new) => {
                let used = if joined { 3 } else { 2 };
                text::replace(&text[at..at + used], std::iter::once(new), &mut out);
                at += used;
            }
            None => {
                out.push(text[at]);
                at += 1;
            }
        }
    }
    out
}

pub(super) fn drop_invisible(mut text: Pieces) -> Pieces {
    text.retain(|p| !is_invisible(p.ch));
    text
}

pub(super) fn lower_case(mut text: Pieces) -> Pieces {
    let mut longer = false;
    for piece in &mut text {
        let mut lower = piece.ch.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(one), None) => piece.ch = one,
            _ => longer = true,
        }
    }
    if !longer {
        return text;
    }
    text.into_iter()
        .flat_map(|p| p.ch.to_lowercase().map(move |ch| p.with(ch)))
        .collect()
}

pub(super) fn digits(mut text: Pieces) -> Pieces {
    for piece in text.iter_mut().filter(|p| !p.ch.is_ascii()) {
        let value = digit_value(piece.ch);
        if let Some(digit) = value.and_then(|value| char::from_digit(value, 10)) {
            piece.ch = digit;
        }
    }
    text
}

/// Drops the separators of a number written in groups: one to three digits, then
/// groups of two (lakh, crore) or three, the last of three.
pub(super) fn digit_groups(text: Pieces) -> Pieces {
    let is_separator = |p: &Piece| is_separator(p.ch);
    if !text.iter().any(is_separator) {
        return text;
    }
    let mut out = Pieces::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if !text[at].ch.is_ascii_digit() {
            out.push(text[at]);
            at += 1;
            continue;
        }
        let mut end = at;
        let mut groups = Vec::new();
        loop {
            let digits = text[end..]
                .iter()
                .take_while(|p| p.ch.is_ascii_digit())
                .count();
            groups.push(digits);
            end += digits;
            let more = text.get(end).is_some_and(is_separator)
                && text.get(end + 1).is_some_and(|p| p.ch.is_ascii_digit());
            if !more {
                break;
            }
            end += 1;
        }
        let grouped = matches!(groups.as_slice(), [1..=3, middle @ .., 3]
            if middle.iter().all(|len| matches!(len, 2 | 3)));
        let number = text[at..end].iter().copied();
        out.extend(number.filter(|p| !(grouped && is_separator(p))));
        at = end;
    }
    out
}

pub(super) fn punctuation(mut text: Pieces) -> Pieces {
    for piece in text.iter_mut().filter(|p| is_punctuation(p.ch)) {
        piece.ch = ' ';
    }
    text
}

pub(super) fn blanks(mut text: Pieces) -> Pieces {
    let mut after_blank = true;
    text.retain_mut(|p| {
        let blank = is_blank(p.ch);
        let keep = !(blank && after_blank);
        if blank {
            p.ch = ' ';
        }
        after_blank = blank;
        keep
    });
    if text.last().is_some_and(|p| p.ch == ' ') {
        text.pop();
    }
    text
}
