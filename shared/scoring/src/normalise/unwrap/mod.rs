//! Taking the wrapping off an answer: what a language model puts around a transcript.
//!
//! Code fences, JSON, a preface, speaker labels, time stamps, markup, quotation marks around
//! everything. Rules are narrow, because speech has colons, brackets, quotation marks and times of
//! day of its own: where both readings are possible the text is left alone.

mod json;
mod lines;
mod pieces;
mod words;

use super::super::text::{self, Piece, Pieces};
use pieces::{find, push_line, trim};

/// Most layers that are taken off. What has more was made to have them, and is left as it is.
const MAX_LAYERS: usize = 32;

/// Longest text that is looked at, in bytes: above what is kept of an answer.
const MAX_BYTES: usize = 512 * 1024;

/// Whether a byte can belong to wrapping: what has none of these is not looked at.
const SIGNS: [bool; 256] = {
    let mut signs = [false; 256];
    let bytes = b"`{[<*#:\"'\n\xE2\xC2\xEF";
    let mut at = 0;
    while at < bytes.len() {
        signs[bytes[at] as usize] = true;
        at += 1;
    }
    signs
};

/// Whether `text` may be wrapped; cheap, and right in nearly all cases.
fn may_be(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        SIGNS[usize::from(*byte)]
            && match byte {
                // Quotation marks and bullets, not the joiners of Indic scripts.
                0xE2 => matches!(
                    bytes.get(at + 1..at + 3),
                    Some([0x80, 0x98..=0x9F | 0xA2 | 0xB9 | 0xBA])
                ),
                // « and no other sign.
                0xC2 => bytes.get(at + 1) == Some(&0xAB),
                // ：
                0xEF => bytes.get(at + 1..at + 3) == Some(&[0xBC, 0x9A]),
                _ => true,
            }
    })
}

/// Whether [`unwrap`] changes more of a text than its blanks.
pub(crate) fn is_wrapped(text: &str) -> bool {
    text.len() <= MAX_BYTES && may_be(text) && unwrapped(&text::pieces(text)).is_some()
}

/// The text without its wrapping, if it is of a usual length. One that is wrapped in nothing stays as it is, to the last
/// blank. One that is nothing but wrapping becomes empty: its model heard nothing.
pub(super) fn unwrap(pieces: Pieces) -> Pieces {
    let bytes: usize = pieces.iter().map(|p| p.ch.len_utf8()).sum();
    if bytes > MAX_BYTES {
        return pieces;
    }
    unwrapped(&pieces).unwrap_or(pieces)
}

/// `None` if there is no wrapping.
fn unwrapped(pieces: &[Piece]) -> Option<Pieces> {
    let mut current: Option<Pieces> = None;
    for _ in 0..MAX_LAYERS {
        let text = trim(current.as_deref().unwrap_or(pieces));
        let Some(next) = layer(text) else {
            return current;
        };
        current = Some(trim(&next).to_vec());
    }
    None
}

/// Takes one layer off.
fn layer(text: &[Piece]) -> Option<Pieces> {
    if text.is_empty() {
        return None;
    }
    [
        fence,
        json::text_of,
        lines::subtitles,
        lines::marks,
        lines::preface,
        lines::time_stamps,
        lines::labels,
        quotes,
    ]
    .iter()
    .find_map(|rule| rule(text).filter(|out| differs(text, out)))
}

/// Whether more than blanks is different.
fn differs(before: &[Piece], after: &[Piece]) -> bool {
    let visible = |p: &&Piece| !p.ch.is_whitespace();
    let before = before.iter().filter(visible).map(|p| p.ch);
    !before.eq(after.iter().filter(visible).map(|p| p.ch))
}

/// Languages of code fences that may follow the fence on the same line.
const FENCE_LANGUAGES: [&str; 9] = [
    "json",
    "text",
    "txt",
    "plaintext",
    "markdown",
    "md",
    "srt",
    "vtt",
    "xml",
];

/// What code fences hold. What stands outside is a model's remark, if there is text inside.
fn fence(text: &[Piece]) -> Option<Pieces> {
    const FENCE: &str = "```";
    let mut at = find(text, FENCE, 0)?;
    let outside_before = at;
    let mut inside = Pieces::new();
    let mut outside: Pieces = text[..outside_before].to_vec();
    loop {
        let mut start = at + FENCE.len();
        // The language, up to the end of the line or, if it is a known one, of the word.
        let word = text[start..]
            .iter()
            .position(|p| !(p.ch.is_ascii_alphanumeric() || matches!(p.ch, '-' | '_' | '+')))
            .unwrap_or(text.len() - start);
        let name = text::to_string(&text[start..start + word]).to_ascii_lowercase();
        let ends_line = text
            .get(start + word)
            .is_none_or(|p| p.ch == '\n' || p.ch == '\r');
        if (ends_line && start + word < text.len()) || FENCE_LANGUAGES.contains(&name.as_str()) {
            start += word;
        }
        let end = find(text, FENCE, start).unwrap_or(text.len());
        push_line(trim(&text[start..end]), &mut inside);
        let after = (end + FENCE.len()).min(text.len());
        let next = find(text, FENCE, after);
        push_line(trim(&text[after..next.unwrap_or(text.len())]), &mut outside);
        match next {
            Some(next) => at = next,
            None => break,
        }
    }
    Some(if trim(&inside).is_empty() {
        outside
    } else {
        inside
    })
}

/// Quotation marks around everything, with none of their kind within.
fn quotes(text: &[Piece]) -> Option<Pieces> {
    let (first, last) = (text.first()?.ch, text.last()?.ch);
    let pair = [
        ('"', '"'),
        ('“', '”'),
        ('„', '“'),
        ('”', '”'),
        ('«', '»'),
        ('‹', '›'),
        ('‘', '’'),
        ('\'', '\''),
        ('`', '`'),
    ]
    .contains(&(first, last));
    let inside = text.get(1..text.len().checked_sub(1)?)?;
    // An apostrophe within a word is no quotation mark.
    let quoted = inside.iter().enumerate().any(|(at, p)| {
        let within_word = at > 0
            && inside[at - 1].ch.is_alphanumeric()
            && inside.get(at + 1).is_some_and(|p| p.ch.is_alphanumeric());
        (p.ch == first || p.ch == last) && !(within_word && matches!(p.ch, '\'' | '’'))
    });
    (pair && !quoted).then(|| inside.to_vec())
}
