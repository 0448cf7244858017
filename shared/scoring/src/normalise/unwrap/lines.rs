//! Wrapping that goes line by line: subtitles, prefaces, time stamps, labels, markup.

use super::super::super::text::{self, Piece, Pieces};
use super::pieces::{find, push_line, starts_with, trim};
use super::words;

fn lines(text: &[Piece]) -> Vec<&[Piece]> {
    text.split(|p| p.ch == '\n').map(trim).collect()
}

fn join<'a>(lines: impl IntoIterator<Item = &'a [Piece]>) -> Pieces {
    let mut out = Pieces::new();
    for line in lines {
        push_line(line, &mut out);
    }
    out
}

/// A time of a recording at the start of `text`: its length, its first number, and whether it has
/// hours or parts of a second.
fn time(text: &[Piece]) -> Option<(usize, u32, bool)> {
    let number = |from: usize, most: usize| {
        let digits = text[from.min(text.len())..]
            .iter()
            .take(most + 1)
            .take_while(|p| p.ch.is_ascii_digit() || is_indic_digit(p.ch))
            .count();
        (1..=most).contains(&digits).then_some(digits)
    };
    let value = |from: usize, len: usize| {
        text[from..from + len]
            .iter()
            .fold(0, |value, p| value * 10 + digit(p.ch))
    };
    let colon = |at: usize| text.get(at).is_some_and(|p| p.ch == ':');
    let first = number(0, 3)?;
    let mut at = first;
    let mut groups = 0;
    while colon(at) && groups < 2 {
        let len = number(at + 1, 2).filter(|len| *len == 2)?;
        if value(at + 1, len) > 59 {
            return None;
        }
        at += 1 + len;
        groups += 1;
    }
    let mut exact = groups == 2;
    if groups > 0
        && text.get(at).is_some_and(|p| matches!(p.ch, '.' | ','))
        && let Some(len) = number(at + 1, 3)
    {
        at += 1 + len;
        exact = true;
    }
    (groups > 0).then_some((at, value(0, first), exact))
}

fn is_indic_digit(c: char) -> bool {
    matches!(c, '०'..='९' | '০'..='৯' | '௦'..='௯' | '౦'..='౯' | '೦'..='೯' | '൦'..='൯' | '૦'..='૯' | '੦'..='੯' | '୦'..='୯')
}

fn digit(c: char) -> u32 {
    c.to_digit(10).unwrap_or_else(|| {
        // Digits of one script follow each other, and each script's begin at …6 of its block.
        (u32::from(c) & 0x7F).saturating_sub(0x66) % 10
    })
}

/// Seconds as some write them in brackets: `2.5s`, `0.0`.
fn seconds(text: &[Piece]) -> Option<usize> {
    let len = text
        .iter()
        .take_while(|p| p.ch.is_ascii_digit() || p.ch == '.')
        .count();
    let has_point = text[..len].iter().any(|p| p.ch == '.');
    let number = len > 0 && text[0].ch.is_ascii_digit() && has_point;
    let unit = text.get(len).is_some_and(|p| p.ch == 's');
    number.then_some(len + usize::from(unit))
}

/// One time or a span of two: its length, the first number, and whether it cannot be a time of day.
fn span(text: &[Piece], in_brackets: bool) -> Option<(usize, u32, bool)> {
    let one = |text: &[Piece]| {
        time(text).or_else(|| {
            seconds(text)
                .filter(|_| in_brackets)
                .map(|len| (len, 0, true))
        })
    };
    let (mut at, first, mut exact) = one(text)?;
    let blanks = |at: usize| text[at..].iter().take_while(|p| p.ch == ' ').count();
    let mut next = at + blanks(at);
    let dash = ["-->", "->", "–", "—", "-", "→"]
        .iter()
        .find(|dash| starts_with(&text[next..], dash));
    if let Some(dash) = dash {
        next += dash.chars().count();
        next += blanks(next);
        if let Some((len, _, _)) = one(&text[next..]) {
            at = next + len;
            exact = true;
        }
    }
    Some((at, first, exact))
}

/// A time or a span in brackets at the start of `text`; its length.
fn bracketed(text: &[Piece], kinds: &[(char, char)]) -> Option<usize> {
    let (_, close) = kinds
        .iter()
        .find(|(open, _)| text.first().is_some_and(|p| p.ch == *open))?;
    let (len, _, _) = span(&text[1..], true)?;
    text.get(1 + len)
        .is_some_and(|p| p.ch == *close)
        .then_some(len + 2)
}

/// SRT and `WebVTT`: numbers, times and the head go, the words stay.
pub(super) fn subtitles(text: &[Piece]) -> Option<Pieces> {
    let lines = lines(text);
    let is_timing = |line: &[Piece]| {
        time(line).is_some_and(|(len, _, _)| {
            let rest = trim(&line[len..]);
            starts_with(rest, "-->") && time(trim(&rest[3..])).is_some()
        })
    };
    if !lines.iter().any(|line| is_timing(line)) {
        return None;
    }
    let kept = lines.iter().enumerate().filter(|(at, line)| {
        let is_number = line.iter().all(|p| p.ch.is_ascii_digit());
        let is_counter = is_number && lines.get(at + 1).is_some_and(|next| is_timing(next));
        let is_head = *at == 0 && starts_with(line, "WEBVTT");
        !is_timing(line) && !is_counter && !is_head
    });
    Some(join(kept.map(|(_, line)| *line)))
}

/// Longest preface or closing remark, in characters.
const LONGEST_PREFACE: usize = 300;

/// An announcement before the text, and a remark after it.
pub(super) fn preface(text: &[Piece]) -> Option<Pieces> {
    // Up to the first colon: `Sure! Here is the transcription: …`.
    let colon = text
        .iter()
        .take(LONGEST_PREFACE)
        .position(|p| matches!(p.ch, ':' | '：'));
    if let Some(at) = colon
        && words::is_preface(&text::to_string(&text[..at]))
    {
        return Some(text[at + 1..].to_vec());
    }
    let lines = lines(text);
    if lines.len() < 2 {
        return None;
    }
    // Lines of their own: a title, or a sentence after `Sure!`.
    for count in 1..=3.min(lines.len() - 1) {
        let first = join(lines[..count].iter().copied());
        if first.len() > LONGEST_PREFACE {
            break;
        }
        let first = text::to_string(&first);
        if words::is_preface(&first) {
            return Some(join(lines[count..].iter().copied()));
        }
    }
    let (last, before) = lines.split_last()?;
    let is_ruled = |line: &&[Piece]| {
        line.len() >= 3 && line.iter().all(|p| matches!(p.ch, '-' | '*' | '_' | '='))
    };
    (last.len() <= LONGEST_PREFACE && words::is_closing(&text::to_string(last)))
        .then(|| join(before.iter().copied().filter(|line| !is_ruled(line))))
}

/// Times of the recording: in square brackets anywhere, in others at the start of lines, and bare
/// ones where all lines have them or where no time of day is written so.
pub(super) fn time_stamps(text: &[Piece]) -> Option<Pieces> {
    let lines = lines(text);
    let bare = |line: &[Piece]| {
        span(line, false).filter(|(len, _, _)| {
            let next = line.get(*len).map(|p| p.ch);
            next.is_none_or(|c| c.is_whitespace() || matches!(c, ':' | '-' | '–' | '|'))
        })
    };
    let filled: Vec<&[Piece]> = lines
        .iter()
        .copied()
        .filter(|line| !line.is_empty())
        .collect();
    let all_bare = filled.len() >= 2
        && filled.iter().all(|line| bare(line).is_some())
        && bare(filled[0]).is_some_and(|(_, first, _)| first == 0);
    let mut out = Pieces::new();
    for line in &lines {
        let mut line = *line;
        if let Some(len) = bracketed(line, &[('(', ')'), ('<', '>'), ('{', '}')]) {
            line = after_stamp(&line[len..]);
        } else if let Some((len, first, exact)) = bare(line)
            && (all_bare || (exact && first == 0))
        {
            line = after_stamp(&line[len..]);
        }
        let mut kept = Pieces::new();
        let mut at = 0;
        while at < line.len() {
            if let Some(len) = bracketed(&line[at..], &[('[', ']')]) {
                let rest = if at == 0 {
                    after_stamp(&line[len..])
                } else {
                    &line[at + len..]
                };
                line = rest;
                at = 0;
                continue;
            }
            let next = find(line, "[", at + 1).unwrap_or(line.len());
            kept.extend_from_slice(&line[at..next]);
            at = next;
        }
        push_line(trim(&kept), &mut out);
    }
    Some(out)
}

/// What follows a stamp: without the dash or colon between.
fn after_stamp(rest: &[Piece]) -> &[Piece] {
    let rest = trim(rest);
    match rest.first() {
        Some(p) if matches!(p.ch, ':' | '-' | '–' | '—' | '|') => trim(&rest[1..]),
        _ => rest,
    }
}

/// Longest label, in characters.
const LONGEST_LABEL: usize = 30;

/// A label at the start of a line: what it says, and its length with the colon.
fn label(line: &[Piece]) -> Option<(String, usize)> {
    let close = match line.first()?.ch {
        '[' => Some(']'),
        '(' => Some(')'),
        '<' => Some('>'),
        _ => None,
    };
    if let Some(close) = close {
        let end = line
            .iter()
            .take(LONGEST_LABEL)
            .position(|p| p.ch == close)?;
        let colon = line
            .get(end + 1)
            .is_some_and(|p| matches!(p.ch, ':' | '：'));
        let name = text::to_string(&line[1..end]);
        // Without a colon a bracket is a remark about the sound, unless it is clearly a speaker.
        return (colon || words::is_numbered_speaker(&name))
            .then_some((name, end + 1 + usize::from(colon)));
    }
    let end = line
        .iter()
        .take(LONGEST_LABEL)
        .position(|p| matches!(p.ch, ':' | '：'))?;
    Some((text::to_string(&line[..end]), end + 1))
}

/// Who speaks: with a number wherever a line begins so; by a part or a letter only where every
/// line has a label.
pub(super) fn labels(text: &[Piece]) -> Option<Pieces> {
    let lines = lines(text);
    let filled: Vec<&[Piece]> = lines
        .iter()
        .copied()
        .filter(|line| !line.is_empty())
        .collect();
    let speaks = |line: &[Piece], known: fn(&str) -> bool| {
        label(line)
            .filter(|(name, _)| known(name))
            .map(|(_, len)| len)
    };
    let all = filled.len() >= 2
        && filled
            .iter()
            .all(|line| speaks(line, words::is_speaker).is_some());
    let known = if all {
        words::is_speaker
    } else {
        words::is_numbered_speaker
    };
    let begins = filled
        .first()
        .is_some_and(|line| speaks(line, words::is_numbered_speaker).is_some());
    let mut out = Pieces::new();
    for line in &lines {
        let mut line = speaks(line, known).map_or(*line, |len| trim(&line[len..]));
        if begins {
            // Several speakers in one line.
            let mut kept = Pieces::new();
            let mut at = 0;
            while at < line.len() {
                let at_word = at == 0 || line[at - 1].ch.is_whitespace();
                let found = (at_word && at > 0)
                    .then(|| speaks(&line[at..], words::is_numbered_speaker))
                    .flatten();
                match found {
                    Some(len) => {
                        line = trim(&line[at + len..]);
                        at = 0;
                    }
                    None => {
                        kept.push(line[at]);
                        at += 1;
                    }
                }
            }
            push_line(&kept, &mut out);
        } else {
            push_line(line, &mut out);
        }
    }
    Some(out)
}

/// Tags that are markup of text, and not a transcriber's signs such as `<unk>`.
const TAGS: [&str; 24] = [
    "b",
    "i",
    "u",
    "em",
    "strong",
    "p",
    "br",
    "span",
    "div",
    "font",
    "small",
    "mark",
    "v",
    "c",
    "h1",
    "h2",
    "h3",
    "ul",
    "li",
    "transcript",
    "transcription",
    "text",
    "speech",
    "answer",
];

/// The length of a tag at the start of `text`.
fn tag(text: &[Piece]) -> Option<usize> {
    if text.first()?.ch != '<' {
        return None;
    }
    let end = text.iter().take(80).position(|p| p.ch == '>')?;
    let inside = text::to_string(&text[1..end]).to_ascii_lowercase();
    let name = inside.trim_start_matches('/');
    let name = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    TAGS.contains(&name).then_some(end + 1)
}

/// Markup: tags, bold and slanted, titles, bullets.
pub(super) fn marks(text: &[Piece]) -> Option<Pieces> {
    let lines = lines(text);
    let filled: Vec<&[Piece]> = lines
        .iter()
        .copied()
        .filter(|line| !line.is_empty())
        .collect();
    let bullet = |line: &[Piece], signs: &[char]| {
        signs
            .iter()
            .any(|sign| line.first().is_some_and(|p| p.ch == *sign))
            && line.get(1).is_some_and(|p| p.ch == ' ')
    };
    // A dash alone may be a speaker's turn or a pause.
    let dashes = filled.len() >= 2 && filled.iter().all(|line| bullet(line, &['-']));
    let mut out = Pieces::new();
    for line in &lines {
        let mut line = *line;
        let hashes = line.iter().take_while(|p| p.ch == '#').count();
        if filled.len() >= 2
            && (1..=6).contains(&hashes)
            && line.get(hashes).is_some_and(|p| p.ch == ' ')
        {
            line = trim(&line[hashes..]);
        }
        if bullet(line, &['*', '•', '·']) || (dashes && bullet(line, &['-'])) {
            line = trim(&line[1..]);
        }
        let mut kept = Pieces::new();
        let mut at = 0;
        while at < line.len() {
            match tag(&line[at..]) {
                Some(len) => at += len,
                None => {
                    kept.push(line[at]);
                    at += 1;
                }
            }
        }
        for sign in ["**", "__", "*"] {
            kept = without_pairs(&kept, sign);
        }
        push_line(trim(&kept), &mut out);
    }
    Some(out)
}

/// The text without pairs of `sign` around words.
fn without_pairs(line: &[Piece], sign: &str) -> Pieces {
    let len = sign.chars().count();
    let is_blank = |at: Option<usize>| {
        at.and_then(|at| line.get(at))
            .is_none_or(|p| p.ch.is_whitespace())
    };
    let is_word = |at: Option<usize>| {
        at.and_then(|at| line.get(at))
            .is_some_and(|p| p.ch.is_alphanumeric())
    };
    let opens = |at: usize| {
        starts_with(&line[at..], sign) && !is_blank(Some(at + len)) && !is_word(at.checked_sub(1))
    };
    let closes = |at: usize| {
        starts_with(&line[at..], sign) && !is_blank(at.checked_sub(1)) && !is_word(Some(at + len))
    };
    let mut out = Pieces::new();
    let mut at = 0;
    // Where the last search for a closing sign found none, there is none further on either.
    let mut none_left = false;
    while at < line.len() {
        let end = if !none_left && opens(at) {
            let end = (at + len + 1..line.len()).find(|end| closes(*end));
            none_left = end.is_none();
            end
        } else {
            None
        };
        match end {
            Some(end) => {
                out.extend_from_slice(&line[at + len..end]);
                at = end + len;
            }
            None => {
                out.push(line[at]);
                at += 1;
            }
        }
    }
    out
}
