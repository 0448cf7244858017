//! Subtitles: `SubRip`, `WebVTT`, and the TSV of Whisper.

use crate::decode::lines;
use crate::format::Format;
use crate::problem::{Code, Problem};

/// Share of lines that say what was just said, above which captions roll.
const ROLLING: f64 = 0.3;

/// Whether filled lines are `SubRip`'s: a time in one of the first two.
pub(crate) fn is_srt(lines: &[&str]) -> bool {
    lines.iter().take(2).any(|line| is_times(line))
}

/// Whether a line has the times of a cue. Hours, minutes and milliseconds may be
/// missing; `.` stands for `,` in some.
fn is_times(line: &str) -> bool {
    let Some((from, to)) = line.split_once("-->") else {
        return false;
    };
    let to = to.split_whitespace().next().unwrap_or_default();
    is_time(from.trim()) && is_time(to)
}

fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let last = parts.last().copied().unwrap_or_default();
    let last_is = last.split([',', '.']).all(digits);
    let before = parts
        .get(..parts.len().saturating_sub(1))
        .unwrap_or_default();
    (2..=3).contains(&parts.len()) && last_is && before.iter().all(|part| digits(part))
}

/// The text of a file of subtitles.
///
/// # Errors
/// No cue is there.
pub(crate) fn text_of(
    text: &str,
    format: Format,
    name: &str,
    remarks: &mut Vec<String>,
) -> Result<String, Problem> {
    if format == Format::WhisperTsv {
        return Ok(whisper_tsv(text));
    }
    let all: Vec<&str> = lines(text).map(|(_, line)| line.trim()).collect();
    let mut said: Vec<String> = Vec::new();
    let mut repeats = 0;
    let mut cues = 0;
    let mut at = 0;
    while let Some(line) = all.get(at) {
        if !is_times(line) {
            at += 1;
            continue;
        }
        cues += 1;
        at += 1;
        let begins = said.len();
        while let Some(line) = all.get(at) {
            // An empty line ends a cue, but what is behind it belongs to it as well where no times
            // follow, and no comment of WebVTT does.
            if line.is_empty() {
                if format != Format::Srt || !goes_on(&all, at) {
                    break;
                }
                at += 1;
                continue;
            }
            // A cue whose blank line is missing: its times end this one, and a number
            // before them is its own.
            let next_is_times = all.get(at + 1).is_some_and(|next| is_times(next));
            let is_number = line.bytes().all(|b| b.is_ascii_digit());
            if is_times(line) || (is_number && next_is_times) {
                break;
            }
            let line = clean(line, format);
            if !line.is_empty() {
                let before = said
                    .get(begins.saturating_sub(2)..begins)
                    .unwrap_or_default();
                repeats += usize::from(before.contains(&line));
                said.push(line);
            }
            at += 1;
        }
    }
    if cues == 0 && !text.trim().is_empty() && format == Format::Srt {
        return Err(Problem::new(Code::Malformed, "has no times of subtitles").file(name));
    }
    if repeats as f64 > said.len() as f64 * ROLLING {
        remarks.push(format!(
            "{name}: captions roll: many lines say again what was just said"
        ));
    }
    Ok(said.join(" "))
}

/// Whether lines behind an empty one are more of the same cue: they have no times of their own.
fn goes_on(all: &[&str], at: usize) -> bool {
    let behind = all.get(at..).unwrap_or_default().iter();
    let mut behind = behind.skip_while(|line| line.is_empty());
    let (Some(first), second) = (behind.next(), behind.next()) else {
        return false;
    };
    let begins = |line: &&str| is_times(line);
    let is_number = first.bytes().all(|b| b.is_ascii_digit());
    !(begins(first) || is_number && second.is_none_or(begins))
}

/// A line without tags, notes of music and dashes of speakers.
fn clean(line: &str, format: Format) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['<', '{']) {
        let (before, tag) = rest.split_at(at);
        out += before;
        let end = match tag.as_bytes() {
            [b'<', next, ..] if next.is_ascii_alphanumeric() || *next == b'/' => tag.find('>'),
            [b'{', ..] => {
                let inside = tag.get(1..).unwrap_or_default().trim_start();
                let is_tag = inside.starts_with('\\');
                tag.find('}').filter(|_| is_tag)
            }
            _ => None,
        };
        match end {
            Some(end) => rest = &tag[end + 1..],
            None => {
                out += &tag[..1];
                rest = &tag[1..];
            }
        }
    }
    out += rest;
    if format == Format::Vtt {
        for (entity, c) in [
            ("&nbsp;", " "),
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&lrm;", ""),
            ("&rlm;", ""),
            ("&amp;", "&"),
        ] {
            out = out.replace(entity, c);
        }
    }
    let text = out.replace(['♪', '♫'], " ");
    let text = text.trim();
    let text = text.strip_prefix("- ").unwrap_or(text);
    text.strip_prefix('-')
        .filter(|rest| !rest.starts_with('-'))
        .unwrap_or(text)
        .trim()
        .to_owned()
}

/// Whether a row has a time from, a time to and a text.
pub(crate) fn is_timed(row: &str) -> bool {
    let mut cells = row.splitn(3, '\t');
    let mut is_time = || {
        cells
            .next()
            .is_some_and(|cell| cell.trim().parse::<f64>().is_ok())
    };
    is_time() && is_time() && cells.next().is_some()
}

/// Rows of times and texts; those of `.aud` have no header.
fn whisper_tsv(text: &str) -> String {
    let rows = lines(text).filter(|(line, row)| *line > 1 || is_timed(row));
    let texts = rows.filter_map(|(_, row)| row.splitn(3, '\t').nth(2));
    let texts: Vec<&str> = texts
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .collect();
    texts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, format: Format) -> String {
        text_of(text, format, "x", &mut Vec::new()).unwrap()
    }

    #[test]
    fn subtitles_are_read_with_their_mistakes() {
        let srt = "1\n00:00:00,000 --> 00:00:01,234\n<i>नमस्ते</i> {\\an8}जी\n2\n00:00,5 --> 00:02.1\n- हाँ\n- ♪ ठीक ♪\n\n00:00:03 --> 00:00:04\n{ \\x} a < b {c}";
        assert_eq!(said(srt, Format::Srt), "नमस्ते जी हाँ ठीक a < b {c}");
        let vtt = "WEBVTT - x\n\nNOTE a\nb\n\nSTYLE\n::cue {}\n\nid\n00:00.100 --> 00:02.300 align:start\n<v Asha>நன்றி &amp; வணக்கம்\n\n00:03.000 --> 00:04.000\n";
        assert_eq!(said(vtt, Format::Vtt), "நன்றி & வணக்கம்");
        let tsv = "start\tend\ttext\n0\t100\tनमस्ते\n100\t200\t\n200\t300\tजी\n";
        assert_eq!(said(tsv, Format::WhisperTsv), "नमस्ते जी");
        assert_eq!(
            said("0.0\t1.5\tनमस्ते\n1.5\t2\tजी\n", Format::WhisperTsv),
            "नमस्ते जी"
        );
        assert!(text_of("x\n", Format::Srt, "x", &mut Vec::new()).is_err());
    }

    #[test]
    fn rolling_captions_are_told() {
        let cue = |a: &str, b: &str| format!("00:00.100 --> 00:02.300\n{a}\n{b}\n\n");
        let text = format!(
            "WEBVTT\n\n{}{}{}",
            cue("a", "b"),
            cue("b", "c"),
            cue("c", "d")
        );
        let mut remarks = Vec::new();
        text_of(&text, Format::Vtt, "x", &mut remarks).unwrap();
        assert_eq!(remarks.len(), 1);
    }
}
