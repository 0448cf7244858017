//! Texts by id or by line, and what is asked of reading them.

use std::sync::Arc;

use stt_eval_scoring::trim;

use crate::decode::lines;
use crate::fields::Fields;
use crate::format::Format;
use crate::idle::is_marked;
use crate::markup::{Markup, has_marks, visible, without_marks};
use crate::text::{Text, Whole};

/// What is read: right texts, or what was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// References; their markup counts.
    References,
    /// Hypotheses, which have no markup.
    Hypotheses,
}

/// What can be asked of reading.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Read as this format.
    pub format: Option<Format>,
    /// The column of the reference.
    pub text_column: Option<String>,
    /// Columns of hypotheses: of the references' table, or of those of hypotheses where
    /// there are such.
    pub hypotheses: Vec<String>,
    /// What braces in references mean.
    pub markup: Option<Markup>,
    /// Which channel is taken where several were recognised, from 0.
    pub channel: usize,
    /// Fields of references that are kept, beside language and speaker.
    pub fields: Vec<String>,
}

/// Where a recording is, which tells those apart that have one id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Its path as written, with `/` and without its extension, where that says more than the
    /// id.
    pub path: Option<Box<str>>,
    /// Where the piece begins in it, in milliseconds.
    pub start: Option<i64>,
}

impl Place {
    /// A path, and a beginning in seconds.
    pub(super) fn new(path: Option<&str>, id: Option<&str>, start: Option<f64>) -> Self {
        let is_more = |path: &String| Some(path.as_str()) != id;
        let path = path.map(crate::paths::without_extension).filter(is_more);
        let start = start.map(|seconds| (seconds * 1_000.0).round() as i64);
        Self {
            path: path.map(String::into_boxed_str),
            start,
        }
    }
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Id, if the row has one.
    pub id: Option<String>,
    /// Which of several with one id it is, where that is told.
    pub place: Place,
    /// Line, from 1.
    pub line: u64,
    /// The text; `None` where the source has none.
    pub text: Option<Text>,
    /// The same with one channel behind the other, where it has several.
    pub by_channel: Option<Box<str>>,
    /// What braces mean in it, if the format says so.
    pub markup: Option<Markup>,
    /// Why there is no text: the service failed.
    pub failed: Option<String>,
    /// Hypotheses that stand beside a reference, by system.
    pub hypotheses: Fields,
    /// Why systems have none there, by system: their services failed.
    pub failures: Fields,
    /// Language: a tag.
    pub language: Option<String>,
    /// Speaker.
    pub speaker: Option<String>,
    /// Those of its other fields that are asked for.
    pub fields: Fields,
}

impl Entry {
    pub(crate) fn of(id: impl Into<String>, line: u64, text: impl Into<Text>) -> Self {
        Self {
            id: Some(id.into()),
            line,
            text: Some(text.into()),
            ..Self::default()
        }
    }
}

/// A text for each line of a file. They are cut when they are taken, for lists are long.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    whole: Arc<Whole>,
    /// Whether one may have marks, which are no part of a text.
    have_marks: bool,
    /// Lines before the first text: a header.
    before: usize,
}

impl Lines {
    /// The lines of a text, also the empty ones.
    pub(super) fn of(text: &Arc<Whole>) -> Self {
        Self {
            whole: Arc::clone(text),
            have_marks: has_marks(text),
            before: 0,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    /// Whether one of them has markup, or what is written as it.
    pub(crate) fn are_marked(&self) -> bool {
        is_marked(&self.whole)
    }

    /// At least as many as there are.
    pub(crate) fn at_most(&self) -> usize {
        memchr::memchr_iter(b'\n', self.whole.as_bytes()).count() + 1
    }

    /// Texts that stay where they are.
    pub fn texts(&self) -> impl Iterator<Item = Text> {
        self.each()
            .map(|(_, said)| match self.have_marks && has_marks(said) {
                true => Text::from(trim(&without_marks(said))),
                false => Text::part(&self.whole, said),
            })
    }

    /// The same with their lines, only to be looked at.
    pub(crate) fn each(&self) -> impl Iterator<Item = (u64, &str)> {
        let all = lines(&self.whole).skip(self.before);
        all.map(|(line, said)| (line, trim(said)))
    }

    /// A part of one of them, as a text that stays where it is.
    pub(crate) fn part(&self, part: &str) -> Text {
        Text::part(&self.whole, part)
    }

    /// Leaves the first out: it is a header.
    pub(crate) const fn without_header(&mut self) {
        self.before = 1;
    }

    /// The line of the first.
    pub(crate) const fn first(&self) -> u64 {
        self.before as u64 + 1
    }
}

/// Texts of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcripts {
    /// What it was.
    pub format: Format,
    /// Its name, for tables: a file without its extension, or a folder.
    pub name: String,
    /// In the order of the source.
    pub entries: Vec<Entry>,
    /// Of a folder, its files, and at which entry each begins.
    pub files: Vec<(usize, String)>,
    /// Texts that nothing is known of but their line: the first is line 1. A source has
    /// these or entries.
    pub lines: Lines,
    /// Names of its columns or models, if it has such.
    pub columns: Vec<String>,
    /// Those of them that could be hypotheses, where no name says so.
    pub offered: Vec<String>,
    /// What hypotheses beside references were, where that is another format.
    pub beside: Option<Format>,
    /// Whether one of its results has several channels.
    pub has_channels: bool,
    /// What was joined, left out or taken for something.
    pub remarks: Vec<String>,
}

impl Transcripts {
    /// A source that nothing was read of yet.
    pub(super) fn new(format: Format, name: &str) -> Self {
        Self {
            format,
            name: name.to_owned(),
            entries: Vec::new(),
            files: Vec::new(),
            lines: Lines::default(),
            columns: Vec::new(),
            offered: Vec::new(),
            beside: None,
            has_channels: false,
            remarks: Vec::new(),
        }
    }
}

impl Transcripts {
    /// Takes off what is no part of a text, on both sides alike: so a run does, of what it is
    /// given. Our own exports are what their run has counted.
    pub(super) fn without_marks(mut self, own: &str) -> Self {
        if self.columns.iter().any(|column| column == own) {
            return self;
        }
        for entry in &mut self.entries {
            if let Some(text) = entry.text.as_mut().filter(|text| has_marks(text)) {
                *text = without_marks(text).into();
            }
            visible(&mut entry.hypotheses);
        }
        self
    }
}
