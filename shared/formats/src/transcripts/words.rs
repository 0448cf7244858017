//! Texts of words: plain lines, Kaldi's `text`, TRN, STM, CTM, Rev's tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry::{Entry, Lines, Side, Transcripts};
use super::segments::Segment;
use crate::decode::lines;
use crate::files::stem;
use crate::markup::{Markup, reference};
use crate::problem::{Code, Problem};
use crate::text::{Text, Whole};

/// Every line is a text, also an empty one.
pub(super) fn plain(text: &Arc<Whole>, made: &mut Transcripts) {
    made.lines = Lines::of(text);
}

/// Whether a word can be an id and hardly the first word of a sentence.
fn is_id(word: &str) -> bool {
    let marks = |b: u8| b.is_ascii_digit() || matches!(b, b'_' | b'-');
    word.is_ascii() && word.bytes().any(marks) && word.bytes().any(|b| b.is_ascii_alphanumeric())
}

/// Ids and texts of lines that were read as plain, those without a word left out; `None` where
/// one does not begin with what can be an id, or more than a quarter begin as another one
/// does: a first word must never be lost to a guess, and a list of ids may have one twice.
pub(crate) fn first_words(lines: &Lines) -> Option<Vec<Entry>> {
    let mut seen = std::collections::BTreeSet::new();
    let mut made = Vec::new();
    for (line, text) in (1..).zip(lines.texts()) {
        if text.is_empty() {
            continue;
        }
        let (id, rest) = text.split_once([' ', '\t']).unwrap_or((text.as_str(), ""));
        if !is_id(id) {
            return None;
        }
        seen.insert(id.to_owned());
        made.push(Entry::of(id, line, text.within(rest.trim())));
    }
    (!made.is_empty() && seen.len() * 4 >= made.len() * 3).then_some(made)
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
    text: &str,
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
        let (_, rest) = word(rest).ok_or_else(bad)?;
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
        let text = if side == Side::Hypotheses {
            // The mark was never heard.
            let heard = if is_ignored { "" } else { words };
            heard.to_owned()
        } else if is_ignored {
            UNCLEAR.to_owned()
        } else {
            match reference(words, Markup::Sctk) {
                Ok(translated) => translated,
                Err(reason) => {
                    remarks.push(format!("{name} line {line}: {reason}; taken as it stands"));
                    reference(words, Markup::None).unwrap_or_default()
                }
            }
        };
        segments.push(Segment {
            recording: recording.to_owned(),
            speaker: Some(speaker.to_owned()),
            start,
            line,
            text,
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

pub(super) fn ctm(text: &str, name: &str) -> Result<Vec<Segment>, Problem> {
    let mut segments = Vec::new();
    // Of alternatives the first counts.
    let mut passed_over = false;
    let mut last = 0.0;
    for (line, content) in lines(text) {
        if content.trim().is_empty() || content.starts_with(";;") {
            continue;
        }
        let parts: Vec<&str> = content.split_whitespace().collect();
        let [recording, _, start, _, word, ..] = parts.as_slice() else {
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
            recording: (*recording).to_owned(),
            speaker: None,
            start,
            line,
            text: (*word).to_owned(),
        });
    }
    Ok(segments)
}

/// One token to a row; the whole file is one recording.
pub(super) fn rev_nlp(text: &str, name: &str, made: &mut Transcripts) -> Result<(), Problem> {
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
    made.entries
        .push(Entry::of(stem(name), 2, tokens.join(" ")));
    Ok(())
}
