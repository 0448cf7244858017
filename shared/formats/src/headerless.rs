//! Tables of recordings without a header: copies of Common Voice and others. Which column is
//! the text is not known then, and audio without texts is not what people mean by them.

use std::collections::BTreeSet;

use super::files::{self, Files, base, stem};
use super::format::Format;
use super::paths::has_audio_extension;
use super::problem::{Code, Problem, counted};
use super::table::{Records, dialect};

/// Rows looked at.
const LOOKED_AT: usize = 50;

/// What a table without a header looks like.
struct Headerless {
    columns: usize,
    /// The column that names recordings, from 0.
    audio: usize,
}

impl Headerless {
    /// Looks at the first rows: all have one width, and one column of theirs names a
    /// recording in each, by its end or as one that is there.
    fn of(text: &str, name: &str, recordings: &BTreeSet<&str>) -> Option<Self> {
        let likely = if name.ends_with(".tsv") { b'\t' } else { b',' };
        let records = Records::new(text, dialect(text, likely));
        let rows: Vec<_> = records.take(LOOKED_AT).flatten().collect();
        let columns = rows.first()?.cells.len();
        if columns < 2 || rows.iter().any(|row| row.cells.len() != columns) {
            return None;
        }
        let is_named = |cell: &str| {
            let cell = cell.trim();
            has_audio_extension(cell) || recordings.contains(base(cell))
        };
        let audio = (0..columns).find(|column| {
            let mut cells = rows.iter().filter_map(|row| row.cells.get(*column));
            cells.all(|cell| is_named(cell))
        })?;
        Some(Self { columns, audio })
    }

    fn problem(&self, name: &str) -> Problem {
        let message = format!(
            "has no header: {}, and column {} names recordings; which one is the text?",
            counted(self.columns, "column", "columns"),
            self.audio + 1
        );
        let names = (0..self.columns).map(|column| match column {
            column if column == self.audio => "file_name".to_owned(),
            column => format!("column_{}", column + 1),
        });
        let names: Vec<String> = names.collect();
        let hint = format!(
            "put a line of names in front ({}), with `text` for the column of the text",
            names.join(", ")
        );
        Problem::new(Code::ChooseColumn, message)
            .file(name)
            .line(1)
            .hint(hint)
    }
}

/// Names of recordings in a folder, with and without their ends.
fn recordings(files: &dyn Files) -> BTreeSet<&str> {
    let all = files
        .names()
        .iter()
        .filter(|name| has_audio_extension(name));
    all.flat_map(|name| [base(name), stem(name)]).collect()
}

/// Refuses a file that is a table of recordings without a header.
///
/// # Errors
/// It is one.
pub(super) fn refuse(files: &dyn Files, name: &str, format: Format) -> Result<(), Problem> {
    // Votes behind a text of one word look like the times of STM and CTM, which begin with the
    // name of their recording.
    let least = match format {
        Format::Lines => 0,
        Format::Stm | Format::Ctm => 1,
        _ => return Ok(()),
    };
    let head = files::head(files, name);
    let text = super::decode::decode(super::detect::cut(&head));
    // What can't be decoded is told by who reads it.
    let found = text
        .ok()
        .and_then(|text| Headerless::of(&text.text, name, &recordings(files)))
        .filter(|found| found.audio >= least);
    found.map_or(Ok(()), |found| Err(found.problem(name)))
}
