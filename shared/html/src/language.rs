//! What the language of a text means for how it is set, and what it is called.

use std::borrow::Cow;
use std::fmt;

use stt_eval_domain::language::find;
use stt_eval_wire::datasets::Dataset;

use crate::invisible::visible;

/// What people call the language of a tag: `Hindi`; with the tag where that says more,
/// `Hindi (hi-Latn)`; the tag itself where it is of no language that is known here.
pub(crate) fn called(tag: &str) -> Cow<'_, str> {
    match find(tag) {
        Some(known) if known.tag == known.language.code => Cow::Borrowed(known.language.name),
        Some(known) => Cow::Owned(format!("{} ({})", known.language.name, known.tag)),
        None => visible(tag),
    }
}

/// Names of languages that are told, of many.
const TOLD: usize = 4;

/// The languages of a dataset, its own first: `English, Hindi, Tamil and 3 more`.
pub(crate) fn all_called(dataset: &Dataset) -> String {
    let own = &*dataset.language;
    // Of "hi" and "hi-IN" the first says it of both.
    let is_of_own = |tag: &str| {
        tag.strip_prefix(own)
            .is_some_and(|region| region.len() == 3)
    };
    let others = dataset.other_languages.iter();
    let others: Vec<&str> = others
        .map(String::as_str)
        .filter(|tag| !is_of_own(tag))
        .collect();
    let most = if others.len() < TOLD { TOLD } else { TOLD - 1 };
    let tags = std::iter::once(own)
        .chain(others.iter().copied())
        .take(most);
    let names: Vec<_> = tags.map(|tag| called(tag)).collect();
    let mut told = names.join(", ");
    if others.len() >= most {
        told += &format!(" and {} more", others.len() + 1 - most);
    }
    told
}

/// Primary subtags of languages that are written from right to left.
const RIGHT_TO_LEFT: &[&str] = &["ar", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"];
/// Subtags of scripts that are, or that are not although the language is.
const SCRIPTS: &[(&str, Direction)] = &[
    ("arab", Direction::RightToLeft),
    ("aran", Direction::RightToLeft),
    ("hebr", Direction::RightToLeft),
    ("deva", Direction::LeftToRight),
    ("latn", Direction::LeftToRight),
    ("guru", Direction::LeftToRight),
];

/// Where lines of a text begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// On the left.
    LeftToRight,
    /// On the right.
    RightToLeft,
}

impl Direction {
    /// Of a text in a language: of most of its letters, as models write in other scripts than
    /// they are asked for; where these tell nothing, of the language. The first letter alone,
    /// by which browsers decide, would turn texts around that begin with a foreign word.
    #[must_use]
    pub fn of_text(language: &str, text: &str) -> Self {
        let letters = text.chars().filter(|c| c.is_alphabetic());
        let lead = letters.fold(0_i64, |lead, c| match c {
            // Hebrew, Arabic and their neighbours, and their forms for presentation.
            '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => lead + 1,
            _ => lead - 1,
        });
        match lead {
            1.. => Self::RightToLeft,
            0 => Self::of(language),
            _ => Self::LeftToRight,
        }
    }

    /// Of a language by its BCP 47 tag, script subtags first.
    #[must_use]
    pub fn of(language: &str) -> Self {
        let mut subtags = language.split('-');
        let primary = subtags.next().unwrap_or_default().to_ascii_lowercase();
        let by_script = subtags.find_map(|subtag| {
            let subtag = subtag.to_ascii_lowercase();
            let known = SCRIPTS.iter().find(|(name, _)| *name == subtag);
            known.map(|(_, direction)| *direction)
        });
        let by_language = if RIGHT_TO_LEFT.contains(&&*primary) {
            Self::RightToLeft
        } else {
            Self::LeftToRight
        };
        by_script.unwrap_or(by_language)
    }
}

impl fmt::Display for Direction {
    /// The value of the attribute `dir`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LeftToRight => "ltr",
            Self::RightToLeft => "rtl",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letters_of_a_text_decide() {
        for (language, text, direction) in [
            ("und", "1. یہ", "rtl"),
            ("", "(שלום)", "rtl"),
            ("und", "abc یہ", "ltr"),
            ("und", "यह", "ltr"),
            ("hi", "یہ", "rtl"),
            ("ur", "abc", "ltr"),
            ("ur", "OK, یہ ٹھیک ہے", "rtl"),
            ("ur", "12", "rtl"),
            ("und", "12", "ltr"),
        ] {
            let told = Direction::of_text(language, text).to_string();
            assert_eq!(told, direction, "{language} {text}");
        }
    }

    #[test]
    fn languages_are_called_by_their_names() {
        for (tag, name) in [
            ("hi", "Hindi"),
            ("hi-latn", "Hindi (hi-Latn)"),
            ("en-IN", "English (en-IN)"),
            ("xx", "xx"),
            ("\u{202e}", "⟨RLO⟩"),
        ] {
            assert_eq!(called(tag), name);
        }
    }

    #[test]
    fn scripts_decide_and_languages_where_there_is_none() {
        for (tag, direction) in [
            ("ur", "rtl"),
            ("ur-IN", "rtl"),
            ("UR-pk", "rtl"),
            ("hi-IN", "ltr"),
            ("sd-Deva", "ltr"),
            ("ks-Arab-IN", "rtl"),
            ("pa-Arab", "rtl"),
            ("pa-Guru-IN", "ltr"),
            ("ur-Latn", "ltr"),
            ("", "ltr"),
        ] {
            assert_eq!(Direction::of(tag).to_string(), direction, "{tag}");
        }
    }
}
