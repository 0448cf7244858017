//! Texts of words: plain lines, Kaldi's `text`, TRN, STM, CTM, Rev's tokens.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::entry::{Entry, Lines, Side, Transcripts};
use super::segments::Segment;
use crate::decode::lines;
use crate::files::recording;
use crate::markup::{Markup, reference};
use crate::problem::{Code, Problem};
use crate::text::{Text, Whole};

/// Every line is a text, also an empty one.
pub(super) fn plain(text: &Arc<Whole>, made: &mut Transcripts) {
    made.lines = Lines::of(text);
}

/// Whether a word can be an id.
fn is_id(word: &str) -> bool {
    let marks = |b: u8| b.is_ascii_digit() || matches!(b, b'_' | b'-');
    word.is_ascii() && word.bytes().any(marks) && word.bytes().any(|b| b.is_ascii_alphanumeric())
}

/// Whether it is hardly a word of a sentence as well: no number, and no `e-mail`.
fn is_surely_id(word: &str) -> bool {
    let mut parts = word.bytes().filter(|b| matches!(b, b'_' | b'-'));
    let is_mixed = word.bytes().any(|b| b.is_ascii_alphabetic()) || parts.nth(1).is_some();
    is_id(word) && is_mixed && word.bytes().any(|b| b.is_ascii_digit())
}

/// What the first words of lines look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Look {
    /// Words.
    Words,
    /// Numbers and their like, which are said as well.
    Doubtful,
    /// Ids.
    Ids,
}

/// First words of lines that were read as plain, those without a word left out.
pub(crate) struct FirstWords<'a> {
    /// With their lines.
    pub(crate) words: Vec<(u64, &'a str)>,
    /// What all of them look like.
    pub(crate) look: Look,
    /// Whether a TAB stands behind each that has anything behind it.
    pub(crate) is_tabbed: bool,
    /// How many lines there are, those without a word as well.
    pub(crate) lines: usize,
}

impl<'a> FirstWords<'a> {
    /// Looks at lines, at most so many. `None` where there is no word, or more than a quarter
    /// begin as another one does (of what is hardly said in a sentence: half of them): a first
    /// word must never be lost to a guess, and a list of ids, also a short one, may have one twice.
    pub(crate) fn of(lines: &'a Lines, most: usize) -> Option<Self> {
        let mut made = Self {
            words: Vec::new(),
            look: Look::Ids,
            is_tabbed: false,
            lines: 0,
        };
        let (mut tabs, mut blanks) = (0, 0);
        for (line, text) in lines.each().take(most) {
            made.lines += 1;
            if text.is_empty() {
                continue;
            }
            let end = text.bytes().position(|b| matches!(b, b' ' | b'\t'));
            let word = text.get(..end.unwrap_or(text.len())).unwrap_or(text);
            match end.map(|end| text.as_bytes()[end]) {
                Some(b'\t') => tabs += 1,
                Some(_) => blanks += 1,
                None => {}
            }
            if made.look > Look::Words {
                let own = match (is_surely_id(word), is_id(word)) {
                    (true, _) => Look::Ids,
                    (false, true) => Look::Doubtful,
                    (false, false) => Look::Words,
                };
                made.look = made.look.min(own);
            }
            made.words.push((line, word));
        }
        made.is_tabbed = blanks == 0 && tabs * 2 > made.words.len();
        let seen: HashSet<&str> = made.words.iter().map(|(_, word)| *word).collect();
        let is_list = match made.look {
            Look::Ids => seen.len() * 2 > made.words.len(),
            Look::Words | Look::Doubtful => seen.len() * 4 >= made.words.len() * 3,
        };
        (is_list && !seen.is_empty()).then_some(made)
    }
}

/// Lines that are ids and texts.
pub(crate) fn ids_and_texts(lines: &Lines) -> Vec<Entry> {
    let filled = lines.each().filter(|(_, text)| !text.is_empty());
    let entry = |(line, text): (u64, &str)| {
        let (id, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        Entry::of(id, line, lines.part(rest.trim()))
    };
    filled.map(entry).collect()
}

pub(super) fn kaldi_text(text: &Arc<Whole>, made: &mut Transcripts) -> Result<(), Problem> {
    for (line, content) in lines(text) {
        let content = content.trim();
        if content.is_empty() {
            continue;
        }
        let (id, words) = content.split_once([' ', '\t']).unwrap_or((content, ""));
        let words = Text::part(text, words.trim());
        made.entries.push(Entry::of(id, line, words));
    }
    Ok(())
}

/// Text and id of a line of TRN: the last parentheses are the id, and it has no blank.
pub(crate) fn trn_id(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_end();
    let (words, id) = line.strip_suffix(')')?.rsplit_once('(')?;
    let before = words.is_empty() || words.ends_with([' ', '\t']);
    let is_id = !id.is_empty() && !id.contains(|c: char| c.is_whitespace() || c == ')');
    (before && is_id).then_some((words.trim(), id))
}

pub(super) fn trn(
    text: &Arc<Whole>,
    name: &str,
    side: Side,
    made: &mut Transcripts,
) -> Result<(), Problem> {
    for (line, content) in lines(text) {
        if content.trim().is_empty() || content.starts_with(";;") {
            continue;
        }
        let Some((words, id)) = trn_id(content) else {
            let message = "has no (id) at its end";
            return Err(Problem::new(Code::Malformed, message).file(name).line(line));
        };
        let mut entry = Entry::of(id, line, Text::part(text, words));
        if side == Side::References && words.contains('{') {
            match reference(words, Markup::Sctk) {
                Ok(_) => entry.markup = Some(Markup::Sctk),
                Err(reason) => {
                    entry.markup = Some(Markup::None);
                    made.remarks
                        .push(format!("{name} line {line}: {reason}; taken as it stands"));
                }
            }
        }
        made.entries.push(entry);
    }
    Ok(())
}

/// What STM has in place of words that are not to be scored.
const IGNORED: &str = "IGNORE_TIME_SEGMENT_IN_SCORING";
/// What stands for "is not scored".
const UNCLEAR: &str = "<*>";

pub(super) fn stm(
    text: &Arc<Whole>,
    name: &str,
    side: Side,
    remarks: &mut Vec<String>,
) -> Result<Vec<Segment>, Problem> {
    let mut segments = Vec::new();
    for (line, content) in lines(text) {
        if content.trim().is_empty() || content.starts_with(";;") {
            continue;
        }
        let bad = || {
            let message = "is not <file> <channel> <speaker> <start> <end> words";
            Problem::new(Code::Malformed, message).file(name).line(line)
        };
        let (recording, rest) = word(content).ok_or_else(bad)?;
        let (channel, rest) = word(rest).ok_or_else(bad)?;
        let (speaker, rest) = word(rest).ok_or_else(bad)?;
        let (start, rest) = word(rest).ok_or_else(bad)?;
        let (_, rest) = word(rest).ok_or_else(bad)?;
        let start: f64 = start.parse().map_err(|_| bad())?;
        let words = match word(rest) {
            Some((labels, rest))
                if labels.starts_with('<') && labels.ends_with('>') && labels != UNCLEAR =>
            {
                rest.trim()
            }
            _ => rest.trim(),
        };
        if speaker == "inter_segment_gap" {
            continue;
        }
        let is_ignored = words.eq_ignore_ascii_case(IGNORED);
        let said = if side == Side::Hypotheses {
            // The mark was never heard.
            let heard = if is_ignored { "" } else { words };
            Text::part(text, heard)
        } else if is_ignored {
            UNCLEAR.into()
        } else {
            let translated = reference(words, Markup::Sctk).unwrap_or_else(|reason| {
                remarks.push(format!("{name} line {line}: {reason}; taken as it stands"));
                reference(words, Markup::None).unwrap_or_default()
            });
            match translated == words {
                true => Text::part(text, words),
                false => translated.into(),
            }
        };
        segments.push(Segment {
            recording: Text::part(text, recording),
            speaker: Some(Text::part(text, speaker)),
            channel: Some(Text::part(text, channel)),
            start,
            line,
            text: said,
            place: 0,
        });
    }
    Ok(segments)
}

/// The first word and the rest; words of one file have no NBSP within them.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    if text.is_empty() {
        return None;
    }
    let end = text.find([' ', '\t']).unwrap_or(text.len());
    Some((&text[..end], &text[end..]))
}

pub(super) fn ctm(text: &Arc<Whole>, name: &str) -> Result<Vec<Segment>, Problem> {
    let mut segments = Vec::new();
    // Of alternatives the first counts.
    let mut passed_over = false;
    let mut last = 0.0;
    for (line, content) in lines(text) {
        if content.trim().is_empty() || content.starts_with(";;") {
            continue;
        }
        let parts: Vec<&str> = content.split_whitespace().collect();
        let [recording, channel, start, _, word, ..] = parts.as_slice() else {
            let message = "is not <file> <channel> <start> <duration> <word>";
            return Err(Problem::new(Code::Malformed, message).file(name).line(line));
        };
        match *word {
            "<ALT_BEGIN>" | "<ALT_END>" => {
                passed_over = false;
                continue;
            }
            "<ALT>" => {
                passed_over = true;
                continue;
            }
            "@" => continue,
            _ if passed_over => continue,
            _ => {}
        }
        // `*` is a time that is not known.
        let start = start.parse::<f64>().unwrap_or(last);
        last = start;
        segments.push(Segment {
            recording: Text::part(text, recording),
            speaker: None,
            channel: Some(Text::part(text, channel)),
            start,
            line,
            text: Text::part(text, word),
            place: 0,
        });
    }
    Ok(segments)
}

/// One token to a row; the whole file is one recording.
pub(super) fn rev_nlp(text: &str, name: &str, made: &mut Transcripts) -> Result<(), Problem> {
    let said = rev_text(text, name)?;
    made.entries.push(Entry::of(recording(name), 2, said));
    Ok(())
}

/// The tokens of such a file as one text.
pub(crate) fn rev_text(text: &str, name: &str) -> Result<String, Problem> {
    let mut rows = lines(text);
    let header: BTreeMap<&str, usize> = rows
        .next()
        .map(|(_, header)| header.split('|').zip(0..).collect())
        .unwrap_or_default();
    let Some(token) = header.get("token").copied() else {
        let message = "has no column token";
        return Err(Problem::new(Code::Malformed, message).file(name).line(1));
    };
    let tokens = rows.filter_map(|(_, row)| row.split('|').nth(token));
    let tokens: Vec<&str> = tokens.filter(|token| !token.is_empty()).collect();
    Ok(tokens.join(" "))
}
