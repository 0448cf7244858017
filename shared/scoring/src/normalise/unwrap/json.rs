//! The text inside an answer in JSON.
//!
//! Read leniently: what a limit cut off has no closing brackets, and a model forgets commas.

use super::super::super::text::{self, Piece, Pieces};

/// Names under which models give the text, the surest first.
const TEXT: [&str; 16] = [
    "transcription",
    "transcript",
    "transcribed_text",
    "transcription_text",
    "transcript_text",
    "transcriptionText",
    "transcribedText",
    "text",
    "utterance",
    "sentence",
    "content",
    "caption",
    "spoken_text",
    "speech",
    "output",
    "result",
];
const DEEPEST: usize = 16;

enum Value {
    Text(Pieces),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
    Other,
}

/// The text of an answer that is JSON as a whole. `None` if it is not, or has no text.
pub(super) fn text_of(answer: &[Piece]) -> Option<Pieces> {
    if !matches!(answer.first()?.ch, '{' | '[') {
        return None;
    }
    let mut reader = Reader {
        rest: answer,
        cut_off: false,
    };
    let value = reader.value(0)?;
    reader.skip();
    let mut found = Vec::new();
    if !reader.rest.is_empty() || !collect(value, &mut found) {
        return None;
    }
    let mut out = Pieces::new();
    for part in found {
        if let (Some(last), Some(next)) = (out.last().copied(), part.first()) {
            text::replace(&[last, *next], std::iter::once('\n'), &mut out);
        }
        out.extend(part);
    }
    Some(out)
}

/// Adds the texts within `value`; whether there was a place for one.
fn collect(value: Value, to: &mut Vec<Pieces>) -> bool {
    match value {
        Value::Text(text) => {
            to.push(text);
            true
        }
        Value::List(values) => collect_all(values, to),
        Value::Object(fields) => {
            let mut fields = fields;
            let named = TEXT.iter().find_map(|name| {
                fields
                    .iter()
                    .position(|(field, value)| field == name && !matches!(value, Value::Other))
            });
            if let Some(at) = named {
                return collect(fields.swap_remove(at).1, to);
            }
            let texts = fields
                .iter()
                .filter(|(_, value)| matches!(value, Value::Text(_)))
                .count();
            // Beside lists, words are about the recording; alone, they are what it says.
            let has_parts = fields
                .iter()
                .any(|(_, value)| matches!(value, Value::List(_) | Value::Object(_)));
            let others = fields.into_iter().filter(|(_, value)| match value {
                Value::Text(_) => texts == 1 && !has_parts,
                _ => true,
            });
            collect_all(others.map(|(_, value)| value), to)
        }
        Value::Other => false,
    }
}

fn collect_all(values: impl IntoIterator<Item = Value>, to: &mut Vec<Pieces>) -> bool {
    let mut any = false;
    for value in values {
        any |= collect(value, to);
    }
    any
}

struct Reader<'a> {
    rest: &'a [Piece],
    /// The answer ended in the middle of a value.
    cut_off: bool,
}

impl Reader<'_> {
    fn skip(&mut self) {
        while self.rest.first().is_some_and(|p| p.ch.is_whitespace()) {
            self.rest = &self.rest[1..];
        }
    }

    fn next(&mut self) -> Option<Piece> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take(&mut self, wanted: char) -> bool {
        self.skip();
        let found = self.rest.first().is_some_and(|p| p.ch == wanted);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.skip();
        if depth > DEEPEST {
            return None;
        }
        match self.rest.first()?.ch {
            '"' => self.string().map(Value::Text),
            '{' => self.object(depth),
            '[' => self.list(depth),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.next()?;
        let mut fields = Vec::new();
        loop {
            self.skip();
            if self.take('}') || self.ended() {
                return (!fields.is_empty()).then_some(Value::Object(fields));
            }
            if self.rest.first()?.ch != '"' {
                return None;
            }
            let name = text::to_string(&self.string()?);
            if !self.take(':') {
                return None;
            }
            fields.push((name, self.value(depth + 1)?));
            self.take(',');
        }
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        self.next()?;
        let mut values = Vec::new();
        loop {
            self.skip();
            if self.take(']') || self.ended() {
                return (!values.is_empty()).then_some(Value::List(values));
            }
            values.push(self.value(depth + 1)?);
            self.take(',');
        }
    }

    /// Whether the answer was cut off within a text: then nothing more is expected.
    fn ended(&self) -> bool {
        self.cut_off && self.rest.is_empty()
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Option<Value> {
        let end = self
            .rest
            .iter()
            .position(|p| !(p.ch.is_ascii_alphanumeric() || matches!(p.ch, '-' | '+' | '.')))
            .unwrap_or(self.rest.len());
        let word = text::to_string(&self.rest[..end]);
        let known = matches!(&*word, "true" | "false" | "null") || word.parse::<f64>().is_ok();
        self.rest = &self.rest[end..];
        known.then_some(Value::Other)
    }

    fn string(&mut self) -> Option<Pieces> {
        self.next()?;
        let mut out = Pieces::new();
        loop {
            let Some(piece) = self.next() else {
                self.cut_off = true;
                return Some(out);
            };
            match piece.ch {
                '"' => return Some(out),
                '\\' => {
                    let Some(escaped) = self.next() else {
                        self.cut_off = true;
                        return Some(out);
                    };
                    let ch = match escaped.ch {
                        'n' | 'r' => '\n',
                        't' | 'b' | 'f' => ' ',
                        'u' => self.code_point()?,
                        other => other,
                    };
                    out.push(Piece {
                        ch,
                        start: piece.start,
                        end: self.rest.first().map_or(escaped.end, |next| next.start),
                    });
                }
                _ => out.push(piece),
            }
        }
    }

    /// The character after `\u`, of which two may make one.
    fn code_point(&mut self) -> Option<char> {
        let first = self.unit()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first).or(Some('\u{fffd}'));
        }
        let pair = self.rest.len() >= 6 && self.rest[0].ch == '\\' && self.rest[1].ch == 'u';
        if !pair {
            return Some('\u{fffd}');
        }
        self.rest = &self.rest[2..];
        let second = self.unit()?;
        let code = 0x1_0000 + ((first - 0xD800) << 10) + (second.wrapping_sub(0xDC00) & 0x3FF);
        char::from_u32(code).or(Some('\u{fffd}'))
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        let unit = digits
            .iter()
            .try_fold(0, |value, p| Some(value << 4 | p.ch.to_digit(16)?))?;
        self.rest = &self.rest[4..];
        Some(unit)
    }
}
