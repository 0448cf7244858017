//! Characters that show nothing, or turn what stands around them: made visible, so
//! that a text can't pretend to be another, and a page can't be broken by one.

use std::borrow::Cow;
use std::fmt::Write;

/// How a character is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// As it is.
    Plain,
    /// As a boxed label: it controls direction or the machine, and has no business in
    /// a transcript.
    Label(Option<&'static str>),
    /// As it is, since scripts are shaped by it; boxed where invisible characters are
    /// to be shown.
    Joiner(&'static str),
}

/// How a character is shown. Labels are the abbreviations of the Unicode Standard;
/// without one the code point is told.
#[must_use]
pub fn shown(c: char) -> Shown {
    use Shown::{Joiner, Label, Plain};
    match c {
        '\t' | '\n' | '\r' | ' ' => Plain,
        '\0' => Label(Some("NUL")),
        '\u{200b}' => Label(Some("ZWSP")),
        '\u{200c}' => Joiner("ZWNJ"),
        '\u{200d}' => Joiner("ZWJ"),
        '\u{2060}' => Label(Some("WJ")),
        '\u{feff}' => Label(Some("BOM")),
        '\u{ad}' => Label(Some("SHY")),
        '\u{200e}' => Label(Some("LRM")),
        '\u{200f}' => Label(Some("RLM")),
        '\u{61c}' => Label(Some("ALM")),
        '\u{202a}' => Label(Some("LRE")),
        '\u{202b}' => Label(Some("RLE")),
        '\u{202c}' => Label(Some("PDF")),
        '\u{202d}' => Label(Some("LRO")),
        '\u{202e}' => Label(Some("RLO")),
        '\u{2066}' => Label(Some("LRI")),
        '\u{2067}' => Label(Some("RLI")),
        '\u{2068}' => Label(Some("FSI")),
        '\u{2069}' => Label(Some("PDI")),
        '\u{2028}' => Label(Some("LS")),
        '\u{2029}' => Label(Some("PS")),
        '\u{1}'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{206a}'..='\u{206f}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => Label(None),
        _ => Plain,
    }
}

/// The label of a character in brackets: `⟨RLO⟩`, `⟨U+0007⟩`.
pub(crate) fn push_label(text: &mut String, c: char, name: Option<&str>) {
    // Writing to a string does not fail.
    let _ = match name {
        Some(name) => write!(text, "⟨{name}⟩"),
        None => write!(text, "⟨U+{:04X}⟩", u32::from(c)),
    };
}

/// A text of people or models as it may stand anywhere in a page: what controls
/// direction or the machine is labelled.
///
/// ```
/// use stt_eval_html::invisible::visible;
///
/// assert_eq!(visible("clip-1.wav"), "clip-1.wav");
/// assert_eq!(visible("gpj.\u{202e}exe"), "gpj.⟨RLO⟩exe");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| !matches!(shown(c), Shown::Label(_))) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match shown(c) {
            Shown::Label(name) => push_label(&mut out, c, name),
            Shown::Plain | Shown::Joiner(_) => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_turns_or_breaks_a_page_is_labelled() {
        assert_eq!(visible("a\0b"), "a⟨NUL⟩b");
        assert_eq!(visible("\u{7}"), "⟨U+0007⟩");
        assert_eq!(visible("\u{202e}x\u{202c}"), "⟨RLO⟩x⟨PDF⟩");
        // Scripts need these.
        assert_eq!(visible("क्\u{200d}ष"), "क्\u{200d}ष");
        assert_eq!(visible("می\u{200c}شود"), "می\u{200c}شود");
    }

    proptest! {
        #[test]
        fn nothing_that_turns_or_controls_is_left(text in "\\PC{0,40}[\\x00-\\x1f\u{202a}-\u{202e}\u{2066}-\u{2069}]{0,5}\\PC{0,40}") {
            let shown_text = visible(&text);
            let is_plain = shown_text.chars().all(|c| !matches!(shown(c), Shown::Label(_)));
            prop_assert!(is_plain);
        }
    }
}
