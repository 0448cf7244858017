//! What values take in memory: a list of small numbers takes sixteen times the bytes that it
//! has as text, and one of small objects a hundred times.

use serde_json::{Map, Value};

use crate::problem::{Code, Problem};

/// Most that the values of one file take, in bytes, by what is estimated here.
const MOST: usize = 128 * 1024 * 1024;
/// The same of one value, which is estimated by its marks and so for more than it takes.
const MOST_SEEN: usize = 192 * 1024 * 1024;
/// How often a text is there at a time: as it stands in the file, in its value, and copied out
/// of that, once on its way.
const COPIES: usize = 4;
/// An object that is not empty: a leaf of its tree has room for eleven fields.
const OBJECT: usize = 700;
/// A value, with the room that lists that grow leave behind it; or a field, of an object with
/// more than a leaf of them.
const FURTHER: usize = 112;
/// The most that a byte of text takes: `{},` is three, of an object and the one behind it.
const PER_BYTE: usize = (OBJECT + FURTHER) / 3 + COPIES + 1;

/// Whether reading a text may take too much, by what can be seen without reading it.
pub(super) fn may_be_heavy(text: &str) -> bool {
    text.len() > MOST_SEEN / PER_BYTE && seen(text) > MOST_SEEN
}

/// What the values of a text take at most, by its marks alone.
fn seen(text: &str) -> usize {
    let mut sum = text.len() * COPIES;
    let (mut inside, mut escaped) = (false, false);
    for b in text.bytes() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            _ if inside => {}
            b'{' => sum += OBJECT,
            b',' | b'[' => sum += FURTHER,
            _ => {}
        }
    }
    sum
}

/// Counts what is kept of a file.
#[derive(Debug, Default)]
pub(crate) struct Kept(usize);

impl Kept {
    /// Counts a value.
    ///
    /// # Errors
    /// It is one too many.
    pub(crate) fn count(&mut self, value: &Value, file: &str) -> Result<(), Problem> {
        self.room(weight(value), file)
    }

    /// Counts room of so many bytes.
    ///
    /// # Errors
    /// As [`Kept::count`].
    pub(crate) fn room(&mut self, more: usize, file: &str) -> Result<(), Problem> {
        self.0 += more;
        if self.0 <= MOST {
            return Ok(());
        }
        let message = "holds more objects and lists than are read at once";
        let problem = Problem::new(Code::TooLarge, message).file(file);
        Err(problem.hint("split it, or leave out what is not needed, such as times of words or what recognisers write of each"))
    }
}

/// What a value takes, in bytes.
pub(crate) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => FURTHER / 2,
        Value::String(text) => FURTHER / 2 + text.len() * COPIES,
        Value::Array(items) => FURTHER + items.iter().map(weight).sum::<usize>(),
        Value::Object(fields) => of_fields(fields),
    }
}

fn of_fields(fields: &Map<String, Value>) -> usize {
    let own = fields.iter().map(|(key, value)| key.len() + weight(value));
    own.sum::<usize>() + OBJECT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_is_no_less_than_what_is_counted() {
        for unit in [
            "0",
            "\"a\"",
            "{}",
            "{\"\":0}",
            "[]",
            "[[0]]",
            "{\"a\":[{\"b\":\"c\"},1]}",
        ] {
            let text = format!("[{}]", vec![unit; 1_000].join(","));
            let value: Value = serde_json::from_str(&text).unwrap();
            assert!(seen(&text) >= weight(&value), "{unit}");
            assert!(seen(&text) <= text.len() * PER_BYTE, "{unit}");
        }
        // Words are no structure, whatever is in them.
        let words = format!("{{\"text\": \"{}\"}}", "a, {b} [c] \\\" ".repeat(1_000));
        assert_eq!(seen(&words), words.len() * COPIES + OBJECT);
        let many = "[[0],".repeat(MOST_SEEN / FURTHER / 2);
        assert!(may_be_heavy(&many));
    }

    #[test]
    fn what_is_kept_is_counted_together() {
        let row: Value = serde_json::from_str(r#"{"id": "u1", "words": [{"word": "x"}]}"#).unwrap();
        let (mut kept, mut rows) = (Kept::default(), 0);
        while kept.count(&row, "m.jsonl").is_ok() {
            rows += 1;
        }
        assert!((50_000..100_000).contains(&rows), "{rows}");
    }
}
