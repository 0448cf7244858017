//! One utterance as its source writes it, and what is asked of reading.

use std::sync::Arc;

use crate::decode::Encoding;
use crate::fields::Fields;
use crate::format::Format;
use crate::markup::Markup;

/// What can be asked of reading.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Read as this format, whatever it looks like.
    pub format: Option<Format>,
    /// Take this split.
    pub split: Option<String>,
    /// Without it, take the rows of all splits of a table; otherwise of one, for no two are
    /// mixed silently.
    pub all_splits: bool,
    /// The column of the text.
    pub text_column: Option<String>,
    /// The column of the recording.
    pub audio_column: Option<String>,
    /// The language of what does not name its own: a tag or a name.
    pub language: Option<String>,
    /// What braces in references mean; without it they mean nothing, but where the
    /// format says so.
    pub markup: Option<Markup>,
    /// Take what lies outside of the folder.
    pub allow_outside: bool,
    /// Columns of what systems heard; without them, those that are called so.
    #[cfg(feature = "folders")]
    pub hypotheses: Vec<String>,
}

impl Options {
    /// Columns that are asked for by name.
    pub(crate) fn chosen(&self) -> Vec<&str> {
        let columns = [&self.text_column, &self.audio_column]
            .into_iter()
            .flatten();
        #[cfg(feature = "folders")]
        let columns = columns.chain(&self.hypotheses);
        columns.map(String::as_str).collect()
    }
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Said {
    /// The format has no place for it here: not known.
    #[default]
    Absent,
    /// An empty cell of a table, which can't tell "nothing" from "not known".
    EmptyCell,
    /// This, which may be empty: nothing is said.
    Text(String),
}

impl Said {
    /// A cell of a table.
    pub(crate) fn of_cell(cell: &str) -> Self {
        if cell.trim().is_empty() {
            Self::EmptyCell
        } else {
            Self::Text(cell.to_owned())
        }
    }

    /// The text, if it is known.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::EmptyCell => None,
        }
    }
}

/// A command, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// As written.
    pub text: String,
    /// The file it stands in.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
}

/// One utterance, as its source writes it.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// Its id there, or the name of its recording; not always unique.
    pub id: String,
    /// The file it stands in.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u64,
    /// The path of the recording, as written or as its format means it.
    pub audio: Option<String>,
    /// What is written, where that is another path or an id.
    pub written: Option<String>,
    /// The command of a shell that makes the recording, which is never run; `audio` is then
    /// the file in it.
    pub command: Option<Box<Command>>,
    /// Why it can't be read, although there is a recording.
    pub broken: Option<String>,
    /// Whether it is a text that lies where recordings have theirs, and has none itself.
    pub is_text_alone: bool,
    /// What is told of it where no recording is found: it is the last row, and seems to sum up the
    /// others.
    #[cfg(feature = "folders")]
    pub totals: Option<Box<str>>,
    /// Split, where its table has several.
    pub split: Option<String>,
    /// Whether the recording is inside the file, under the name in `audio`.
    pub is_embedded: bool,
    /// Why the recording can't be used whatever it is.
    pub refused: Option<Box<str>>,
    /// File and line that name it, where another file says what is said.
    pub refused_at: Option<Box<(String, u64)>>,
    /// What is said.
    pub said: Said,
    /// What braces mean, if the format says it.
    pub markup: Option<Markup>,
    /// Language: a tag or a name.
    pub language: Option<String>,
    /// Speaker.
    pub speaker: Option<String>,
    /// Where the piece begins in its recording, in seconds.
    pub start: Option<f64>,
    /// Where it ends.
    pub end: Option<f64>,
    /// Length, in seconds.
    pub seconds: Option<f64>,
    /// Everything else.
    pub metadata: Fields,
    /// Hypotheses that the source has, by model.
    pub hypotheses: Fields,
    /// What services failed at and why, by model.
    pub failures: Fields,
}

/// What a source says.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// In the order of the source.
    pub rows: Vec<Row>,
    /// Files that were read.
    pub files: Vec<String>,
    /// How the first of them is encoded.
    pub encoding: Option<Encoding>,
    /// What had to be found out by looking, such as an encoding.
    pub remarks: Vec<String>,
    /// The column of the recording, as it is called; of several lists those of all, with ` / `
    /// between them.
    pub audio_column: Option<String>,
    /// The column of the text, likewise.
    pub text_column: Option<String>,
    /// The column of ids.
    pub id_column: Option<String>,
}
