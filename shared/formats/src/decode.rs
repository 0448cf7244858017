//! From bytes to text: marks, UTF-16, line ends, and what is no text at all.

use memchr::{memchr, memchr_iter, memchr2, memmem};
use serde::Serialize;

use super::problem::{Code, Problem, grouped};
use super::text::Whole;

/// How a text was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Encoding {
    /// UTF-8, with or without a mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, little end first: "Unicode text" of Excel.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, big end first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
}

/// A text whose lines all end in LF.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    /// What it says; no mark in front, no CR.
    pub text: Whole,
    /// How it was encoded.
    pub encoding: Encoding,
    /// Whether that was found out by looking: UTF-16 without a byte order mark.
    pub is_guessed: bool,
}

impl Decoded {
    /// What to know of the encoding of a file, if it had to be found out by looking.
    #[must_use]
    pub fn remark(&self, file: &str) -> Option<String> {
        let encoding = match self.encoding {
            Encoding::Utf8 => "UTF-8",
            Encoding::Utf16Le => "UTF-16 (little end first)",
            Encoding::Utf16Be => "UTF-16 (big end first)",
        };
        let told = format!("{file} has no byte order mark and was read as {encoding}");
        self.is_guessed.then_some(told)
    }
}

/// Why bytes are no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A byte that UTF-8 does not have in this place.
    #[error("not UTF-8 at byte {} (line {}){}", grouped(*.byte as u64), grouped(*.line), if *.latin { "; looks like Windows-1252" } else { "" })]
    NotUtf8 {
        /// Bytes before it.
        byte: usize,
        /// Line, from 1.
        line: u64,
        /// Single bytes above ASCII among letters: an 8-bit encoding.
        latin: bool,
    },
    /// Half a pair, or an odd number of bytes.
    #[error("broken UTF-16 at byte {} (line {})", grouped(*.byte as u64), grouped(*.line))]
    BrokenUtf16 {
        /// Bytes before it.
        byte: usize,
        /// Line, from 1.
        line: u64,
    },
    /// A NUL: a binary file.
    #[error("a NUL at byte {} (line {}): this is no text", grouped(*.byte as u64), grouped(*.line))]
    Nul {
        /// Bytes before it.
        byte: usize,
        /// Line, from 1.
        line: u64,
    },
    /// Many replacement characters: the text was lost before.
    #[error(
        "U+FFFD at byte {} (line {}), and many more: the text was lost in an earlier conversion",
        grouped(*.byte as u64), grouped(*.line)
    )]
    Replaced {
        /// Bytes before the first.
        byte: usize,
        /// Line, from 1.
        line: u64,
    },
    /// A mark of UTF-16 and nothing behind it.
    #[error("a byte order mark and nothing else: neither UTF-8 nor UTF-16 text")]
    OnlyAMark,
}

impl DecodeError {
    /// The same as a problem of a file.
    #[must_use]
    pub fn of(self, file: &str) -> Problem {
        let problem = Problem::new(Code::Undecodable, self.to_string()).file(file);
        match self {
            Self::NotUtf8 { latin: true, .. } => problem.hint("save it as UTF-8"),
            Self::NotUtf8 { .. } => {
                problem.hint("if it is a text, save it as UTF-8; a recording or an archive is none")
            }
            _ => problem,
        }
    }
}

/// U+FFFD.
const REPLACED: &[u8] = "\u{fffd}".as_bytes();
/// Bytes looked at to tell UTF-16 without a mark.
const LOOKED_AT: usize = 4 * 1024;

/// Reads text: UTF-8 with or without a mark, UTF-16 with or without one.
///
/// # Errors
/// [`DecodeError`] with the place of the first byte that is none.
pub fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    decode_whole(bytes.to_vec())
}

/// How a text is encoded that begins like this: as its mark says, or by looking.
pub(crate) fn encoding_of(head: &[u8]) -> Encoding {
    match head {
        [0xff, 0xfe, ..] => Encoding::Utf16Le,
        [0xfe, 0xff, ..] => Encoding::Utf16Be,
        _ => unmarked(head),
    }
}

/// The same of bytes that are no longer needed: what is UTF-8 stays where it is.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_whole(bytes: Vec<u8>) -> Result<Decoded, DecodeError> {
    let is_marked = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let (encoding, text) = match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, rest @ ..] => (Encoding::Utf8, utf8(rest.to_vec())?),
        [0xff, 0xfe] | [0xfe, 0xff] => return Err(DecodeError::OnlyAMark),
        [0xff, 0xfe, rest @ ..] => (Encoding::Utf16Le, utf16(rest, u16::from_le_bytes)?),
        [0xfe, 0xff, rest @ ..] => (Encoding::Utf16Be, utf16(rest, u16::from_be_bytes)?),
        rest => match unmarked(rest) {
            Encoding::Utf16Le => (Encoding::Utf16Le, utf16(rest, u16::from_le_bytes)?),
            Encoding::Utf16Be => (Encoding::Utf16Be, utf16(rest, u16::from_be_bytes)?),
            Encoding::Utf8 => (Encoding::Utf8, utf8(bytes)?),
        },
    };
    checked(
        text.into(),
        encoding,
        encoding != Encoding::Utf8 && !is_marked,
    )
}

/// The same of a text that was told to be UTF-8 while it was read.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_text(text: Whole) -> Result<Decoded, DecodeError> {
    let bytes = text.as_bytes();
    let seen = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    // UTF-16 of ASCII is UTF-8 too, with many zeros.
    if text.starts_with('\u{feff}') || seen.contains(&0) {
        return decode_whole(text.into_string().into_bytes());
    }
    checked(text, Encoding::Utf8, false)
}

/// Refuses what characters say is no text.
fn checked(text: Whole, encoding: Encoding, is_guessed: bool) -> Result<Decoded, DecodeError> {
    let at = |byte: usize| (byte, line_at(text.as_bytes(), byte));
    // One look for both: texts are long, and few have either.
    let is_plain = memchr2(0, b'\r', text.as_bytes()).is_none();
    let nul = if is_plain {
        None
    } else {
        memchr(0, text.as_bytes())
    };
    if let Some((byte, line)) = nul.map(at) {
        return Err(DecodeError::Nul { byte, line });
    }
    if let Some((byte, line)) = memmem::find(text.as_bytes(), REPLACED).map(at) {
        let (mut lost, mut all) = (0_usize, 0_usize);
        for c in text.chars() {
            all += 1;
            lost += usize::from(c == '\u{fffd}');
        }
        if lost * 50 > all {
            return Err(DecodeError::Replaced { byte, line });
        }
    }
    Ok(Decoded {
        text: if is_plain {
            text
        } else {
            with_line_feeds(text)
        },
        encoding,
        is_guessed,
    })
}

/// Lines of a decoded text with their numbers. What follows the last LF is no line.
pub fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let some = !text.is_empty();
    let ends = memchr_iter(b'\n', text.as_bytes()).chain([text.len()]);
    let mut start = 0;
    let lines = ends.map(move |end| {
        let line = text.get(start..end).unwrap_or_default();
        start = end + 1;
        line
    });
    (1_u64..).zip(lines.take(if some { usize::MAX } else { 0 }))
}

fn with_line_feeds(text: Whole) -> Whole {
    if memchr(b'\r', text.as_bytes()).is_none() {
        return text;
    }
    text.replace("\r\n", "\n").replace('\r', "\n").into()
}

/// The line a byte is on; CR, LF and CRLF end lines.
fn line_at(bytes: &[u8], byte: usize) -> u64 {
    let before = bytes.get(..byte).unwrap_or(bytes);
    let mut lines = 1;
    let mut last = 0;
    for b in before {
        match b {
            b'\n' if last == b'\r' => {}
            b'\n' | b'\r' => lines += 1,
            _ => {}
        }
        last = *b;
    }
    lines
}

fn utf8(bytes: Vec<u8>) -> Result<String, DecodeError> {
    String::from_utf8(bytes).map_err(|error| {
        let byte = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        DecodeError::NotUtf8 {
            byte,
            line: line_at(bytes, byte),
            // What is UTF-8 up to there was written as that: the byte is a stray one.
            latin: bytes.get(..byte).is_some_and(<[u8]>::is_ascii)
                && looks_latin(bytes.get(byte..).unwrap_or_default()),
        }
    })
}

/// Whether bytes above ASCII stand alone among ASCII, as in Windows-1252.
fn looks_latin(bytes: &[u8]) -> bool {
    let bytes = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let (mut alone, mut together) = (0_usize, 0_usize);
    for run in bytes.split(u8::is_ascii).filter(|run| !run.is_empty()) {
        if run.len() == 1 {
            alone += 1;
        } else {
            together += 1;
        }
    }
    alone > together && !bytes.contains(&0)
}

/// Tells UTF-16 without a mark: every second byte is 0, or the high byte of one of
/// the scripts of India, with zeros among them (blanks, digits, line ends).
fn unmarked(bytes: &[u8]) -> Encoding {
    let seen = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    if seen.len() < 4 || !seen.contains(&0) || !bytes.len().is_multiple_of(2) {
        return Encoding::Utf8;
    }
    let is_high = |b: u8| matches!(b, 0x00 | 0x06 | 0x09..=0x0d | 0x1c | 0x20 | 0xa8 | 0xab);
    for (side, encoding) in [(1, Encoding::Utf16Le), (0, Encoding::Utf16Be)] {
        let (mut all, mut zeros, mut known) = (0_usize, 0_usize, 0_usize);
        // Whether what has a zero is a character of ASCII, and one of them ends a word or a line.
        let (mut are_plain, mut has_end) = (true, false);
        for pair in seen.chunks_exact(2) {
            let (high, low) = (pair[side], pair[1 - side]);
            all += 1;
            known += usize::from(is_high(high));
            if high == 0 {
                zeros += 1;
                are_plain &= matches!(low, b'\t' | b'\n' | b'\r' | b' '..=b'~');
                has_end |= matches!(low, b'\n' | b'\r' | b' ');
            }
        }
        let is_known = known * 20 >= all * 19;
        // Lines of one script without blanks have hardly any zeros; nothing else is among them.
        let is_of_script = known == all && are_plain && has_end;
        if zeros * 10 > all * 3 || (zeros * 50 > all && is_known) || is_of_script {
            return encoding;
        }
    }
    Encoding::Utf8
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, DecodeError> {
    let pairs = bytes.chunks_exact(2);
    let odd = !pairs.remainder().is_empty();
    let units = pairs.map(|pair| unit([pair[0], pair[1]]));
    let mut text = String::with_capacity(bytes.len());
    let mut byte = 0;
    for decoded in char::decode_utf16(units) {
        match decoded {
            Ok(c) => {
                text.push(c);
                byte += 2 * c.len_utf16();
            }
            Err(_) => return Err(broken(&text, byte)),
        }
    }
    if odd {
        return Err(broken(&text, byte));
    }
    Ok(text)
}

fn broken(text: &str, byte: usize) -> DecodeError {
    DecodeError::BrokenUtf16 {
        byte,
        line: line_at(text.as_bytes(), text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str, to: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to).collect()
    }

    #[test]
    fn marks_and_wide_texts_and_line_ends_say_the_same() {
        let text = "a.wav\tनमस्ते जी\r\nb.wav\tहाँ १\r\n";
        let read = text.replace('\r', "");
        let mut marked = vec![0xff, 0xfe];
        marked.extend(wide(text, u16::to_le_bytes));
        let mut big = vec![0xfe, 0xff];
        big.extend(wide(text, u16::to_be_bytes));
        for (bytes, encoding, is_guessed) in [
            (text.as_bytes().to_vec(), Encoding::Utf8, false),
            (
                format!("\u{feff}{text}").into_bytes(),
                Encoding::Utf8,
                false,
            ),
            (text.replace('\n', "").into_bytes(), Encoding::Utf8, false),
            (marked, Encoding::Utf16Le, false),
            (big, Encoding::Utf16Be, false),
            (wide(text, u16::to_le_bytes), Encoding::Utf16Le, true),
            (wide(text, u16::to_be_bytes), Encoding::Utf16Be, true),
        ] {
            let decoded = decode(&bytes).unwrap();
            if let Ok(text) = String::from_utf8(bytes) {
                assert_eq!(decode_text(text.into()).as_ref(), Ok(&decoded));
            }
            assert_eq!(decoded.remark("a").is_some(), is_guessed);
            assert_eq!(
                (decoded.text.as_str(), decoded.encoding),
                (read.as_str(), encoding)
            );
        }
    }

    #[test]
    fn what_is_no_text_is_told_by_byte_and_line() {
        let told = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
        assert_eq!(
            told(b"one\r\ncaf\xe9 ol\xe9\r\n"),
            "not UTF-8 at byte 8 (line 2); looks like Windows-1252"
        );
        assert_eq!(told(b"\xc4\xe3\xba\xc3"), "not UTF-8 at byte 0 (line 1)");
        // One that is stray in a text that is UTF-8 is no other encoding.
        for end in [&b"\xff"[..], b"\xff\n", b" \xff b \xff\n"] {
            let stray = ["घर\n".as_bytes(), end].concat();
            let error = decode(&stray).unwrap_err();
            assert!(error.to_string().ends_with("(line 2)"), "{error}");
            let hint = error.of("a.txt").hint;
            assert!(hint.is_some_and(|hint| hint.starts_with("if it is a text")));
        }
        let far = [b"a\n".repeat(1_300), vec![0xe9]].concat();
        assert!(told(&far).starts_with("not UTF-8 at byte 2,600 (line 1,301)"));
        assert!(told(b"one\ntwo\0three\0").contains("a NUL at byte 7 (line 2)"));
        assert!(told(b"\xff\xfea\0\n\0\x00\xd8").contains("byte 4 (line 2)"));
        assert!(told(b"\xff\xfea\0b").contains("byte 2 (line 1)"));
        assert!(told("a\u{fffd}\u{fffd}b".as_bytes()).contains("U+FFFD at byte 1"));
        assert!(told(b"\xff\xfe").contains("UTF-8"));
    }

    #[test]
    fn wide_lines_of_one_script_need_no_blanks_to_be_told() {
        for letters in ["क", "ਕ", "த", "ک"] {
            let text = format!("{}\n{}\n", letters.repeat(4), letters.repeat(900));
            for (bytes, encoding) in [
                (wide(&text, u16::to_le_bytes), Encoding::Utf16Le),
                (wide(&text, u16::to_be_bytes), Encoding::Utf16Be),
            ] {
                let decoded = decode(&bytes).unwrap();
                let read = (decoded.text.as_str(), decoded.encoding, decoded.is_guessed);
                assert_eq!(read, (text.as_str(), encoding, true));
            }
        }
        // A zero that ends nothing makes no text of what is none.
        let none = [b"1\n".repeat(60), b"1\0".to_vec()].concat();
        assert!(matches!(decode(&none), Err(DecodeError::Nul { .. })));
    }

    #[test]
    fn only_cr_and_lf_end_lines() {
        let decoded = decode("a\u{2028}b\u{85}c\n\nd".as_bytes()).unwrap();
        let all: Vec<_> = lines(&decoded.text).collect();
        assert_eq!(all, [(1, "a\u{2028}b\u{85}c"), (2, ""), (3, "d")]);
        assert_eq!(lines("").count(), 0);
        assert_eq!(lines("\n\n").count(), 2);
    }
}
