//! The texts of a result, as they are shown wherever results are.

use std::borrow::Cow;

use stt_eval_wire::results::{Result as Heard, WordTime};
use stt_eval_wire::scores::{AlignedWord, Flag};

use crate::figures::{counted, percent};
use crate::invisible::visible;
use crate::language::Direction;
use crate::texts::Text;
use crate::transcript::{Invisible, Line, Piece, pieces, plain};

/// A text to be shown, with its language.
pub(crate) struct Words {
    language: String,
    direction: Direction,
    pieces: Vec<Piece>,
    times: Vec<WordTime>,
}

impl Words {
    pub(crate) fn line(&self) -> Line<'_> {
        Line::timed(&self.language, &self.pieces, &self.times).set(self.direction)
    }

    /// Whether it says that nothing is said.
    pub(crate) fn is_nothing(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The same with the times of its words.
    pub(crate) fn timed(self, times: &[WordTime]) -> Self {
        let times = times.to_vec();
        Self { times, ..self }
    }
}

/// What was said, where that is known.
pub(crate) fn reference(heard: &Heard) -> Option<Words> {
    let said = heard.ground_truth.as_deref()?;
    Some(unmarked(&literal(said), &heard.language))
}

/// A reference as people read it: where nothing in it is markup, what is escaped stands for
/// itself. With groups it is shown as it is written, and so it is where it would look like one.
pub(crate) fn literal(reference: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(reference.len());
    let mut chars = reference.chars();
    while let Some(c) = chars.next() {
        match c {
            '{' | '}' | '<' => return Cow::Borrowed(reference),
            '\\' => match chars.next() {
                Some('{') => return Cow::Borrowed(reference),
                Some(sign) if is_markup(sign) => out.push(sign),
                next => out.extend(std::iter::once(c).chain(next)),
            },
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// Signs that references escape, as they have a meaning there.
fn is_markup(sign: char) -> bool {
    matches!(sign, '{' | '}' | '|' | '\\' | '<')
}

/// A word of a reference that was scored as a word, with what it escapes as it was said.
pub(crate) fn unescaped(word: &str) -> Cow<'_, str> {
    if !word.contains('\\') {
        return Cow::Borrowed(word);
    }
    let mut out = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        let sign = chars.next_if(|next| c == '\\' && is_markup(*next));
        out.push(sign.unwrap_or(c));
    }
    Cow::Owned(out)
}

/// A text of a language as it is, with nothing marked.
pub(crate) fn unmarked(text: &str, language: &str) -> Words {
    Words {
        language: language.to_owned(),
        direction: Direction::of_text(language, text),
        pieces: plain(text, Invisible::Work),
        times: Vec::new(),
    }
}

/// A text beside another, with what differs marked where that is known.
pub(crate) fn compared(
    said: &str,
    text: &str,
    aligned: Option<&[AlignedWord]>,
    language: &str,
) -> Words {
    let pieces = match aligned {
        Some(aligned) => pieces(said, text, aligned, Invisible::Work),
        None => plain(text, Invisible::Work),
    };
    Words {
        language: language.to_owned(),
        direction: Direction::of_text(language, text),
        pieces,
        times: Vec::new(),
    }
}

/// What a model heard, with what differs marked.
pub(crate) fn transcription(heard: &Heard) -> Option<Words> {
    let text = heard.transcription.as_deref()?;
    let alignment = heard.alignment.as_ref().and_then(Option::as_deref);
    let pieces = match (alignment, heard.ground_truth.as_deref()) {
        (Some(alignment), Some(said)) => pieces(said, text, alignment, Invisible::Work),
        _ => plain(text, Invisible::Work),
    };
    Some(Words {
        language: heard.language.clone(),
        direction: Direction::of_text(&heard.language, text),
        pieces,
        times: Vec::new(),
    })
}

/// The word error rate of a result. Where nothing is said there is none: the scorer then
/// counts the words that were heard.
pub(crate) fn rate(heard: &Heard, wer: f64) -> String {
    let said = heard.ground_truth.as_deref();
    if said.is_some_and(|said| said.trim().is_empty()) {
        let words = counted(wer.max(0.0).round() as u64, "word", "words");
        return format!("{words} where nothing is said");
    }
    format!("WER {}", percent(wer))
}

/// Whether a transcription was scored by a reference and stands there without marks all the
/// same: without a word, a text that can't be aligned would look like one that is right.
fn is_unmarked(heard: &Heard) -> bool {
    heard.score.is_some() && heard.ground_truth.is_some() && heard.alignment == Some(None)
}

/// What is to be said in place of a text that is not there, or of one whose errors are not
/// marked.
pub(crate) fn note(heard: &Heard) -> String {
    match (&heard.transcription, &heard.error_message) {
        (Some(text), _) if text.is_empty() => Text::NothingHeard.to_string(),
        (Some(_), _) if is_unmarked(heard) => Text::Unmarked.to_string(),
        (Some(_), _) => String::new(),
        (None, Some(error)) => visible(error).into_owned(),
        (None, None) => Text::Pending.to_string(),
    }
}

/// A flag in words.
pub(crate) fn flag(flag: &Flag) -> String {
    flag.name().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_what_they_stand_for() {
        for (written, read) in [
            ("plain", "plain"),
            (r"\<script>a\|b\\", r"<script>a|b\"),
            (r"C:\new \", r"C:\new \"),
            (r"\{x\} {a|b}", r"\{x\} {a|b}"),
            ("<*> end", "<*> end"),
        ] {
            assert_eq!(literal(written), read);
        }
    }
    #[test]
    fn words_of_references_are_told_as_they_were_said() {
        for (written, read) in [
            ("plain", "plain"),
            (r"\{name\}", "{name}"),
            (r"a\b\\", r"a\b\"),
            (r"\", r"\"),
        ] {
            assert_eq!(unescaped(written), read);
        }
    }
}
