//! JSON as people have it: lines, arrays, and what Python writes that is no JSON.

mod weight;

use serde_json::Value;

pub(crate) use weight::{Kept, weight as weight_of};

use super::files::MAX_ROWS;
use super::problem::{Code, Problem, grouped};

/// Objects of a file with the lines they begin on; what is no object is told by its
/// line. Blank lines are fine.
#[derive(Debug, Default)]
pub struct Objects {
    /// Line and object.
    pub rows: Vec<(u64, Value)>,
    /// Line, and what is wrong there.
    pub bad: Vec<(u64, String)>,
}

/// Longest line that is parsed, in bytes: transcripts of hours are shorter.
pub const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

/// Reads one value. What Python writes for numbers that JSON does not have (`NaN`,
/// `Infinity`) reads as null.
///
/// # Errors
/// What is wrong, in a few words; that it would take more memory than there is for it.
pub fn value(text: &str) -> Result<Value, String> {
    if weight::may_be_heavy(text) {
        return Err("holds more objects and lists than are read at once".to_owned());
    }
    let first = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if first.is_syntax()
        && let Some(tame) = without_bare_numbers(text)
        && let Ok(value) = serde_json::from_str(&tame)
    {
        return Ok(value);
    }
    Err(told(&first))
}

fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.contains("surrogate") || text.contains("hex escape") {
        return "has half of a surrogate pair (\\ud800 to \\udfff): the text was cut".to_owned();
    }
    let reason = text.split(" at line").next().unwrap_or_default();
    format!("is not JSON ({reason}, column {})", error.column())
}

/// The text with `NaN` and infinities outside of strings as `null`; `None` where there
/// are none.
fn without_bare_numbers(text: &str) -> Option<String> {
    const BARE: [&str; 3] = ["-Infinity", "Infinity", "NaN"];
    let mut out = String::with_capacity(text.len());
    let (mut inside, mut escaped, mut found) = (false, false, false);
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if !inside && let Some(bare) = BARE.iter().find(|bare| rest.starts_with(**bare)) {
            out.push_str("null");
            at += bare.len();
            found = true;
            continue;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' => inside = !inside,
            _ => {}
        }
        out.push(c);
        at += c.len_utf8();
    }
    found.then_some(out)
}

/// Reads objects: JSON lines, one array of them, or one object.
///
/// # Errors
/// A file that is one document and no JSON, with the line; more than is kept at once.
pub fn objects(text: &str, file: &str) -> Result<Objects, Problem> {
    let mut found = Objects::default();
    let mut kept = Kept::default();
    each(text, file, &mut |line, row| {
        match row {
            Ok(object) => {
                kept.count(&object, file)?;
                found.rows.push((line, object));
            }
            Err(reason) => found.bad.push((line, reason)),
        }
        Ok(())
    })?;
    Ok(found)
}

/// What a row of a file is: an object, or what is wrong with it.
pub type Row = Result<Value, String>;

/// Reads objects as [`objects`] does, one after the other, each with the line that it begins
/// on: a file has more in it than is kept of it.
///
/// # Errors
/// As [`objects`]; what `take` refuses.
pub fn each(
    text: &str,
    file: &str,
    take: &mut dyn FnMut(u64, Row) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let begins = text.trim_start();
    if begins.starts_with('[') {
        return array(text, file, take);
    }
    let mut first = super::decode::lines(text).filter(|(_, line)| !line.trim().is_empty());
    let first_is_whole = first
        .next()
        .is_some_and(|(_, line)| line.trim_end().ends_with('}') && value(line).is_ok());
    if begins.starts_with('{')
        && !first_is_whole
        && let Ok(one) = value(text)
    {
        let line = line_of(text, text.len() - begins.len());
        return take(line, Ok(one));
    }
    json_lines(text, file, take)
}

/// Refuses more rows than are read.
pub(crate) fn are_few(rows: usize, file: &str) -> Result<(), Problem> {
    if rows <= MAX_ROWS {
        return Ok(());
    }
    let message = format!("has more than {} rows", grouped(MAX_ROWS as u64));
    let problem = Problem::new(Code::TooLarge, message).file(file);
    Err(problem.hint("split it; plain lines and TRN may have 500,000"))
}

fn json_lines(
    text: &str,
    file: &str,
    take: &mut dyn FnMut(u64, Row) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let filled = super::decode::lines(text).filter(|(_, line)| !line.trim().is_empty());
    for (count, (number, line)) in filled.enumerate() {
        are_few(count + 1, file)?;
        let row = if line.len() > MAX_LINE_BYTES {
            Err("is longer than 16 MiB".to_owned())
        } else {
            object(line).map_err(|reason| match line.contains(['\u{201c}', '\u{201d}']) {
                true => format!("{reason}; it has curly quotes where JSON has straight ones"),
                false => reason,
            })
        };
        take(number, row)?;
    }
    Ok(())
}

/// Reads one object.
fn object(text: &str) -> Row {
    let read = value(text)?;
    read.is_object()
        .then_some(read)
        .ok_or_else(|| "is no JSON object".to_owned())
}

/// Objects of an array, with the lines they begin on.
fn array(
    text: &str,
    file: &str,
    take: &mut dyn FnMut(u64, Row) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).map(drop);
    let tame;
    let text = match is_json(text) {
        Ok(()) => text,
        Err(error) => {
            tame = without_bare_numbers(text).filter(|tame| is_json(tame).is_ok());
            match &tame {
                Some(tame) => tame,
                None => {
                    let problem = Problem::new(Code::Malformed, told(&error)).file(file);
                    return Err(problem.line(error.line() as u64));
                }
            }
        }
    };
    for (count, (line, element)) in (Elements::of(text)).enumerate() {
        are_few(count + 1, file)?;
        take(line, object(element))?;
    }
    Ok(())
}

/// The elements of an array that is known to be JSON, with the lines they begin on.
struct Elements<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl<'a> Elements<'a> {
    fn of(text: &'a str) -> Self {
        let at = text.find('[').map_or(text.len(), |at| at + 1);
        let line = line_of(text, at);
        Self { text, at, line }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u64, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (mut depth, mut inside, mut escaped) = (0_usize, false, false);
        let (start, mut line) = (self.at, None);
        for (at, b) in self.text.bytes().enumerate().skip(start) {
            if b == b'\n' {
                self.line += 1;
            }
            if line.is_none() && !b.is_ascii_whitespace() {
                line = Some(self.line);
            }
            if inside {
                match b {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'"' => inside = false,
                    _ => {}
                }
                continue;
            }
            match b {
                b'"' => inside = true,
                b',' | b']' if depth == 0 => {
                    self.at = at + 1;
                    if b == b']' {
                        self.at = self.text.len();
                    }
                    let element = self.text.get(start..at)?.trim();
                    return (!element.is_empty()).then_some((line?, element));
                }
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        None
    }
}

fn line_of(text: &str, byte: usize) -> u64 {
    1 + text[..byte].bytes().filter(|b| *b == b'\n').count() as u64
}

/// A scalar as text: numbers and truth values as JSON writes them. `None` for null,
/// lists and objects.
#[must_use]
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A number, also one that is written as text.
#[must_use]
pub fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_writes_is_read_and_what_it_lost_is_told() {
        let read = value(r#"{"a": NaN, "b": [-Infinity, Infinity], "c": "NaN \" NaN"}"#).unwrap();
        assert_eq!(read["a"], Value::Null);
        assert_eq!(read["c"], "NaN \" NaN");
        assert!(
            value(r#"{"a": "\ud83d"}"#)
                .unwrap_err()
                .contains("surrogate")
        );
        assert!(value("{\"a\": nan}").unwrap_err().contains("not JSON"));
        let curly = objects("{\u{201c}a\u{201d}: 1}\n", "m.json").unwrap();
        assert!(curly.bad[0].1.contains("curly"));
    }

    #[test]
    fn lines_arrays_and_single_objects_are_objects() {
        let lines = objects("{\"a\":1}\n\n[1]\n{\"a\":2}\n", "x").unwrap();
        assert_eq!((lines.rows.len(), lines.rows[1].0), (2, 4));
        assert_eq!(lines.bad, [(3, "is no JSON object".to_owned())]);
        let array = objects("[\n {\"a\": [1,\n 2]},\n 3,\n {\"a\": \"]\"}\n]", "x").unwrap();
        assert_eq!((array.rows[0].0, array.rows[1].0), (2, 5));
        assert_eq!(array.bad[0].0, 4);
        let one = objects("\n{\n \"a\": 1\n}\n", "x").unwrap();
        assert!(one.rows.len() == 1 && one.rows[0].0 == 2);
        let broken = objects("[\n{\"a\": 1},\n{\"a\" 2}]", "x").unwrap_err();
        assert_eq!((broken.file.as_deref(), broken.line), (Some("x"), Some(3)));
    }
}
