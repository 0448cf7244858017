//! References with variants.
//!
//! # Syntax
//! - `{a|b}`: any of the alternatives is right. An alternative is a phrase of any
//!   number of words; it may be empty (`{uh|}`), but not all may be.
//! - `<*>`: unclear speech; any words there, or none, are right and not scored.
//! - `\{`, `\}`, `\|`, `\\` and `\<` stand for the character itself. Before any
//!   other character a backslash is an ordinary character, and so are `|` and `<`
//!   where they mean nothing (outside a group, without `*>`).
//! - A group begins and ends a word: `color{s|}` is the words `color` and `s`.
//! - No groups within groups, no `<*>` within groups.

use super::error::{MarkupProblem, ScoreError};
use super::text::{Piece, Pieces};

/// A reference taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parsed<'a> {
    /// A text without markup.
    Plain(&'a str),
    /// One with markup.
    Segments(Vec<Segment>),
}

/// A stretch of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// Words that must be there.
    Fixed(Pieces),
    /// Alternatives, at least two.
    Group(Vec<Pieces>),
    /// `<*>`.
    Unclear,
}

/// Checks the variant markup of a reference, for instance when a dataset is made.
///
/// ```
/// use stt_eval_scoring::validate_reference;
/// assert!(validate_reference("{दस हजार|10000} रुपये <*>").is_ok());
/// let error = validate_reference("दस {हजार").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "reference markup at character 4: '{' is never closed; write '\\{' for a literal brace"
/// );
/// ```
///
/// # Errors
/// [`ScoreError::Markup`] with the position of the first problem;
/// [`ScoreError::TooLong`] for a text that could not be scored.
pub fn validate_reference(text: &str) -> Result<(), ScoreError> {
    super::check_length(text)?;
    parse(text).map(|_| ())
}

/// `text` as literal reference text: characters that have a meaning in variant
/// markup are escaped.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '{' | '}' | '|' | '\\' | '<') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The reference of a phrase for which a list of right transcriptions is given.
/// The phrases are literal text, without markup. Empty for an empty list.
///
/// ```
/// use stt_eval_scoring::reference::any_of;
/// assert_eq!(any_of(&["दस हजार", "10000"]), "{दस हजार|10000}");
/// assert_eq!(any_of(&["a|b"]), r"a\|b");
/// ```
pub fn any_of(phrases: &[&str]) -> String {
    let mut distinct: Vec<&str> = Vec::with_capacity(phrases.len());
    for phrase in phrases {
        if !distinct.contains(phrase) {
            distinct.push(phrase);
        }
    }
    let escaped: Vec<String> = distinct.into_iter().map(escape).collect();
    match escaped.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        several => format!("{{{}}}", several.join("|")),
    }
}

/// Takes a reference apart.
pub(super) fn parse(text: &str) -> Result<Parsed<'_>, ScoreError> {
    if !text
        .bytes()
        .any(|b| matches!(b, b'{' | b'}' | b'\\' | b'<'))
    {
        return Ok(Parsed::Plain(text));
    }
    let mut parser = Parser {
        text,
        segments: Vec::new(),
        current: Pieces::new(),
        group: None,
    };
    parser.run()?;
    Ok(Parsed::Segments(parser.segments))
}

struct Parser<'a> {
    text: &'a str,
    segments: Vec<Segment>,
    current: Pieces,
    /// Offset of the `{` and the alternatives finished so far.
    group: Option<(usize, Vec<Pieces>)>,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), ScoreError> {
        let mut at = 0;
        while let Some(c) = self.text[at..].chars().next() {
            let rest = &self.text[at + c.len_utf8()..];
            let mut len = c.len_utf8();
            match (c, &mut self.group) {
                ('\\', _) if rest.starts_with(['{', '}', '|', '\\', '<']) => {
                    // The escaped characters are ASCII.
                    let escaped = char::from(rest.as_bytes()[0]);
                    len += 1;
                    self.push(escaped, at, len);
                }
                ('{', None) => {
                    self.end_fixed();
                    self.group = Some((at, Vec::new()));
                }
                ('{', Some(_)) => return self.problem(at, MarkupProblem::Nested),
                ('|', Some((_, alternatives))) => {
                    alternatives.push(std::mem::take(&mut self.current));
                }
                ('}', Some(_)) => self.end_group()?,
                ('}', None) => return self.problem(at, MarkupProblem::Unopened),
                ('<', group) if rest.starts_with("*>") => {
                    if group.is_some() {
                        return self.problem(at, MarkupProblem::UnclearInGroup);
                    }
                    self.end_fixed();
                    self.segments.push(Segment::Unclear);
                    len += 2;
                }
                _ => self.push(c, at, len),
            }
            at += len;
        }
        if let Some((start, _)) = self.group {
            return self.problem(start, MarkupProblem::Unclosed);
        }
        self.end_fixed();
        Ok(())
    }

    fn push(&mut self, ch: char, at: usize, len: usize) {
        self.current.push(Piece {
            ch,
            start: at as u32,
            end: (at + len) as u32,
        });
    }

    fn end_fixed(&mut self) {
        if !self.current.is_empty() {
            let words = std::mem::take(&mut self.current);
            self.segments.push(Segment::Fixed(words));
        }
    }

    fn end_group(&mut self) -> Result<(), ScoreError> {
        let last = std::mem::take(&mut self.current);
        let Some((start, mut alternatives)) = self.group.take() else {
            return Ok(());
        };
        alternatives.push(last);
        if alternatives.len() < 2 {
            return self.problem(start, MarkupProblem::OneAlternative);
        }
        let is_blank = |pieces: &Pieces| pieces.iter().all(|p| super::tokens::is_blank(p.ch));
        if alternatives.iter().all(is_blank) {
            return self.problem(start, MarkupProblem::AllEmpty);
        }
        self.segments.push(Segment::Group(alternatives));
        Ok(())
    }

    fn problem(&self, byte: usize, problem: MarkupProblem) -> Result<(), ScoreError> {
        Err(ScoreError::Markup {
            byte,
            character: self.text[..byte].chars().count() + 1,
            problem,
        })
    }
}
