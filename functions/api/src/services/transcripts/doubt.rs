//! Which column of a table has the transcripts: one that is called as their model is, and never a
//! guess between two. The table of a dataset with what models heard beside its references has these
//! as `text`; taken for transcripts they would be a model without an error.

use std::collections::BTreeMap;

use stt_eval_formats::decode::decode;
use stt_eval_formats::table::{Records, Role, dialect, is_fact, key, role_of};
use stt_eval_shared::domain::manifest::Format;

/// Names that both a reference and a transcript may have.
const EITHER: [&str; 3] = ["transcription", "transcript", "text"];
/// Rows that are looked at.
const MOST: usize = 200;

/// A column of a table: how many of the cells that were looked at have a text, and how many have
/// several words.
#[derive(Default)]
struct Column {
    filled: usize,
    texts: usize,
}

impl Column {
    fn add(&mut self, cell: &str) {
        let mut words = cell.split_whitespace();
        self.filled += usize::from(words.next().is_some());
        self.texts += usize::from(words.next().is_some());
    }

    /// Whether what stands there is spoken, most of it: no tag, name or number.
    const fn has_texts(&self) -> bool {
        self.texts > 0 && self.texts * 2 >= self.filled
    }
}

/// What is in doubt of a table that is to have the transcripts of `model`: the column that could be
/// the reference, and one that could be the transcript as well.
pub(super) fn in_doubt(bytes: &[u8], format: Format, model: &str) -> Option<String> {
    let text = decode(bytes).ok()?.text;
    let columns = match format {
        Format::Jsonl => of_lines(&text),
        Format::Csv | Format::Tsv => of_records(&text, format),
    };
    let is_called = |name: &str| role_of(name) == Role::Hypothesis || key(name) == key(model);
    if columns.iter().any(|(name, _)| is_called(name)) {
        return None;
    }
    let either = |name: &str| EITHER.contains(&key(name).as_str());
    let (one, _) = columns.iter().find(|(name, _)| either(name))?;
    let is_other = |name: &str| role_of(name) == Role::Other && !is_fact(name) && name != "error";
    let mut others = columns.iter().filter(|(name, _)| is_other(name));
    let (other, _) = others.find(|(_, column)| column.has_texts())?;
    Some(format!(
        "the columns {one} and {other} may both be the transcript, and {one} the reference; call the \
         right one hypothesis, or as the model is called"
    ))
}

fn of_records(text: &str, format: Format) -> Vec<(String, Column)> {
    let likely = match format {
        Format::Tsv => b'\t',
        _ => b',',
    };
    let mut records = Records::new(text, dialect(text, likely));
    let Some(Ok(header)) = records.next() else {
        return Vec::new();
    };
    let names = header.cells.iter().map(|cell| cell.trim().to_owned());
    let mut columns: Vec<(String, Column)> = names.map(|name| (name, Column::default())).collect();
    for record in records.take(MOST).flatten() {
        for ((_, column), cell) in columns.iter_mut().zip(&record.cells) {
            column.add(cell);
        }
    }
    columns
}

fn of_lines(text: &str) -> Vec<(String, Column)> {
    let mut columns: BTreeMap<String, Column> = BTreeMap::new();
    for line in text.lines().take(MOST) {
        let row: Option<BTreeMap<String, serde_json::Value>> = serde_json::from_str(line).ok();
        for (name, value) in row.into_iter().flatten() {
            let column = columns.entry(name).or_default();
            if let Some(text) = value.as_str() {
                column.add(text);
            }
        }
    }
    columns.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_never_taken_for_a_transcript() {
        let told = |table: &str, format, model| in_doubt(table.as_bytes(), format, model);
        let table = "file_name,text,whisper\na.wav,one two,one too\nb.wav,three four,three for\n";
        let doubt = told(table, Format::Csv, "mine").unwrap();
        assert!(
            doubt.starts_with("the columns text and whisper may both be"),
            "{doubt}"
        );
        assert_eq!(told(table, Format::Csv, "whisper"), None);
        let lines = "{\"file_name\":\"a\",\"text\":\"one two\",\"whisper\":\"one too\"}\n";
        assert!(told(lines, Format::Jsonl, "mine").is_some());
        for table in [
            "filename,text\na,one two\n",
            "filename,hypothesis,whisper\na,one two,one too\n",
            "filename,text,speaker,latency_ms\na,one two,Asha Rao,3\n",
            "filename,text,district\na,one two,Pune\nb,one two,\n",
            "filename,reference,whisper\na,one two,one too\n",
        ] {
            assert_eq!(told(table, Format::Csv, "mine"), None, "{table}");
        }
    }
}
