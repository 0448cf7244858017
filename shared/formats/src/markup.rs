//! From the markup of other tools to ours, and from plain text to literal text.
//!
//! A reference is markup here (`{a|b}`, `<*>`): what is plain must be escaped.

use memchr::{memchr2_iter, memmem};
use serde::{Deserialize, Serialize};
use stt_eval_scoring::{reference, validate_reference};

use crate::fields::Fields;

/// What braces in a reference mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Markup {
    /// Nothing: plain text.
    None,
    /// Our own markup.
    Braces,
    /// That of `asr_eval`: `{a|b}`, `{optional}`, `<*>`, without escapes.
    AsrEval,
    /// That of SCTK: `{ a / b / @ }`.
    Sctk,
}

/// A reference as it is sent and scored.
///
/// # Errors
/// What is wrong with its markup.
pub fn reference(text: &str, markup: Markup) -> Result<String, String> {
    let translated = match markup {
        Markup::None => return Ok(reference::escape(text)),
        Markup::Braces => text.to_owned(),
        Markup::AsrEval => translated(text, '|', false)?,
        Markup::Sctk => translated(text, '/', true)?,
    };
    validate_reference(&translated).map_err(|error| error.to_string())?;
    Ok(translated)
}

/// Whether a text has groups as `asr_eval` and our own markup write them.
#[must_use]
pub fn has_groups(text: &str) -> bool {
    let Some((_, behind)) = text.split_once('{') else {
        return false;
    };
    let inside = behind.split_once('}').map(|(inside, _)| inside);
    inside.is_some_and(|inside| inside.contains('|') && !inside.contains('{'))
}

/// Groups with another separator into ours. In SCTK's, `@` is nothing and separators
/// stand alone among blanks.
fn translated(text: &str, separator: char, sctk: bool) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        if before.contains('}') {
            return Err("a '}' without its '{'".to_owned());
        }
        out += &literal(before, sctk);
        let Some((inside, after)) = behind.split_once('}') else {
            return Err("a '{' that is never closed".to_owned());
        };
        if inside.contains('{') {
            return Err("a group within a group".to_owned());
        }
        let mut alternatives: Vec<String> = if sctk {
            let words: Vec<&str> = inside.split_whitespace().collect();
            let phrases = words.split(|word| *word == "/");
            phrases
                .map(|phrase| {
                    let words: Vec<&str> =
                        phrase.iter().copied().filter(|word| *word != "@").collect();
                    reference::escape(&words.join(" "))
                })
                .collect()
        } else {
            let phrases = inside.split(separator);
            phrases
                .map(|phrase| reference::escape(phrase.trim()))
                .collect()
        };
        if alternatives.len() == 1 {
            // One alternative may be left out.
            alternatives.push(String::new());
        }
        if alternatives.iter().all(String::is_empty) {
            return Err("a group of nothing".to_owned());
        }
        out += &format!("{{{}}}", alternatives.join("|"));
        rest = after;
    }
    if rest.contains('}') {
        return Err("a '}' without its '{'".to_owned());
    }
    out += &literal(rest, sctk);
    Ok(out)
}

/// Text outside of groups; `<*>` of `asr_eval` is ours too.
fn literal(text: &str, sctk: bool) -> String {
    if sctk {
        return reference::escape(text);
    }
    let parts: Vec<String> = text.split("<*>").map(reference::escape).collect();
    parts.join("<*>")
}

/// The text without what is invisible and no part of it: marks inside, zero width
/// spaces, and marks of direction at its ends. Joiners stay: words of India need them.
#[must_use]
pub fn without_marks(text: &str) -> String {
    let visible: String;
    let text = if text.contains(['\u{feff}', '\u{200b}']) {
        visible = text.replace(['\u{feff}', '\u{200b}'], "");
        visible.as_str()
    } else {
        text
    };
    let is_direction = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.trim_matches(is_direction).to_owned()
}

/// Whether it could be another one [`without_marks`]; told by its bytes, for lists are long.
#[must_use]
pub fn has_marks(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_mark = |at: usize| {
        let three = bytes.get(at..at + 3).unwrap_or_default();
        matches!(
            three,
            [0xef, 0xbb, 0xbf]
                | [0xe2, 0x80, 0x8b | 0x8e | 0x8f | 0xaa..=0xae]
                | [0xe2, 0x81, 0xa6..=0xa9]
        )
    };
    memchr2_iter(0xe2, 0xef, bytes).any(is_mark)
        || memmem::find(bytes, "\u{61c}".as_bytes()).is_some()
}

/// Takes marks off what systems heard.
pub(crate) fn visible(heard: &mut Fields) {
    if heard.values().any(has_marks) {
        let all = heard.iter();
        *heard = all
            .map(|(name, text)| (name, without_marks(text)))
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_told_by_their_bytes() {
        let marks = "\u{feff}\u{200b}\u{200e}\u{200f}\u{61c}\u{202a}\u{202e}\u{2066}\u{2069}";
        for mark in marks.chars() {
            assert!(has_marks(&format!("घर {mark}जाओ")), "{mark:?}");
            assert_eq!(without_marks(&format!("{mark}घर")), "घर", "{mark:?}");
        }
        for text in ["", "क्\u{200d}ष\u{200c}", "“a”…", "\u{fffd}\u{ff20}", "حج"] {
            assert!(!has_marks(text) && without_marks(text) == text, "{text}");
        }
    }

    #[test]
    fn markup_of_other_tools_is_translated() {
        for (text, markup, wanted) in [
            ("a {b|c} \\ <x", Markup::None, "a \\{b\\|c\\} \\\\ \\<x"),
            ("{a|b} <*>", Markup::Braces, "{a|b} <*>"),
            (
                "{पच्चीस | 25} रुपये {जी} <*> {|в} a\\b",
                Markup::AsrEval,
                "{पच्चीस|25} रुपये {जी|} <*> {|в} a\\\\b",
            ),
            (
                "THE { INDUSTRY'S / INDUSTRY } {um / uh / @ } 24/7",
                Markup::Sctk,
                "THE {INDUSTRY'S|INDUSTRY} {um|uh|} 24/7",
            ),
        ] {
            assert_eq!(reference(text, markup).unwrap(), wanted);
        }
        for (text, markup) in [
            ("{a", Markup::AsrEval),
            ("a}", Markup::AsrEval),
            ("{a|{b}}", Markup::AsrEval),
            ("{ @ }", Markup::Sctk),
            ("{a}", Markup::Braces),
        ] {
            assert!(reference(text, markup).is_err(), "{text}");
        }
    }

    #[test]
    fn joiners_stay_and_marks_go() {
        assert_eq!(
            without_marks("\u{200f}क्\u{200d}ष\u{200c}\u{feff}ा\u{200b}\u{200e}"),
            "क्\u{200d}ष\u{200c}ा"
        );
        assert!(has_groups("a {b|c}") && !has_groups("a {b} c|d") && !has_groups("{a"));
    }
}
