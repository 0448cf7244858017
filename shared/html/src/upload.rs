//! A new dataset: recordings and a table are sent, and what was found in them is shown
//! before anything is saved.

use std::collections::BTreeMap;

use askama::Template;
use stt_eval_wire::findings::Topic;

use crate::RenderError;
use crate::figures::{count, counted};
use crate::invisible::visible;
use crate::language::{Direction, called};
use crate::layout::Frame;
use crate::summary::Problem;
use crate::texts::Text;
use crate::texts::datasets::Say;
use crate::texts::start::Start;
use crate::words::{Words, literal, unmarked};

/// Findings of a kind that are listed; the rest is counted.
const LISTED: usize = 20;
/// Characters of a text that are shown before it is saved.
const SHOWN_CHARS: usize = 300;
/// Characters of a text that are shown with what was found about it.
const FOUND_CHARS: usize = 100;

/// A recording that was uploaded.
pub struct Recording<'a> {
    /// The id of its file.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// A language to choose.
pub struct Language<'a> {
    /// Its tag.
    pub tag: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// What a form of a new dataset holds.
#[derive(Default)]
pub struct Given<'a> {
    /// Ids of the recordings, as they are sent.
    pub files: &'a str,
    /// The id and the name of a table that was kept.
    pub table: Option<(&'a str, &'a str)>,
    /// Name of the dataset.
    pub name: &'a str,
    /// Its language, as it was typed.
    pub language: &'a str,
    /// The split that was chosen, empty for all of them.
    pub split: Option<&'a str>,
}

/// A field of the form of a new dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The recording.
    Recording,
    /// The table.
    Table,
    /// The name.
    Name,
    /// The language.
    Language,
}

impl Field {
    /// Where it is on the page, and its name for people.
    const fn place(self) -> (&'static str, Say) {
        match self {
            Self::Recording => ("file", Say::ChooseRecording),
            Self::Table => ("table", Say::Table),
            Self::Name => ("name", Say::Name),
            Self::Language => ("language", Say::Language),
        }
    }
}

/// The page of a new dataset.
pub struct New<'a> {
    /// The project, under which a browser remembers what it has sent.
    pub project: &'a str,
    /// What was given already.
    pub given: Given<'a>,
    /// The recordings of it.
    pub recordings: &'a [Recording<'a>],
    /// Languages to choose from.
    pub languages: &'a [Language<'a>],
    /// What is wrong, and with which field.
    pub problem: Option<(Field, &'a str)>,
}

#[derive(Template)]
#[template(path = "datasets/new.html")]
struct NewPage<'a> {
    frame: Frame<'a>,
    of: New<'a>,
    names: Vec<(&'a str, String)>,
    table: String,
    problem: String,
    problems: Vec<Problem>,
    at: Option<Field>,
}

impl NewPage<'_> {
    fn is_at(&self, field: Field) -> bool {
        self.at == Some(field)
    }
}

/// The page that takes recordings, a table and a name.
///
/// # Errors
/// See [`RenderError`].
pub fn new(frame: Frame<'_>, of: New<'_>) -> Result<String, RenderError> {
    let name = |recording: &Recording<'_>| visible(recording.name).into_owned();
    let problem = of.problem;
    let at_top = |(field, message): (Field, &str)| {
        let (anchor, label) = field.place();
        Problem {
            anchor,
            label: label.to_string(),
            message: visible(message).into_owned(),
        }
    };
    let page = NewPage {
        frame,
        names: of
            .recordings
            .iter()
            .map(|recording| (recording.id, name(recording)))
            .collect(),
        table: of
            .given
            .table
            .map(|(_, name)| visible(name).into_owned())
            .unwrap_or_default(),
        problem: problem
            .map(|(_, message)| visible(message).into_owned())
            .unwrap_or_default(),
        problems: problem.into_iter().map(at_top).collect(),
        at: problem.map(|(field, _)| field),
        of,
    };
    page.render()
}

const fn heading(topic: Topic) -> &'static str {
    match topic {
        Topic::MissingAudio => "Missing audio",
        Topic::WithoutRow => "Recordings without a row in the table",
        Topic::Twice => "Duplicates",
        Topic::EmptyText => "Empty text",
        Topic::WrongScript => "Wrong script for the language",
        Topic::Recording => "Recordings that can’t be used",
        Topic::Row => "Rows that can’t be used",
        Topic::Models => "What some models can’t take",
        Topic::Other => "Also",
    }
}

/// The text of a row.
#[derive(Debug, Clone, Copy)]
pub struct Quote<'a> {
    /// As it was read.
    pub text: &'a str,
    /// Its language.
    pub language: &'a str,
}

/// Something that was found.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// What, and where, in words.
    pub said: &'a str,
    /// The text of its row, where there is one.
    pub quote: Option<Quote<'a>>,
}

/// Findings of one topic.
pub struct Findings<'a> {
    /// What they are about.
    pub topic: Topic,
    /// Whether it is no part of the dataset for that; else it is saved all the same.
    pub is_left_out: bool,
    /// How many there are.
    pub count: usize,
    /// The first of them.
    pub first: Vec<Found<'a>>,
}

/// A clip as it would be saved.
pub struct Clip<'a> {
    /// Name of its recording.
    pub file: &'a str,
    /// What is said in it.
    pub text: Option<&'a str>,
    /// Its language.
    pub language: &'a str,
}

/// What was found before a dataset is saved.
pub struct Preview<'a> {
    /// What was given.
    pub given: Given<'a>,
    /// How many clips can be saved.
    pub usable: usize,
    /// How many rows or recordings can't be.
    pub refused: usize,
    /// How many recordings are in no row of the table.
    pub without_row: usize,
    /// How many recordings are still being read.
    pub waiting: usize,
    /// Rows of each split of the table, where it has several.
    pub splits: &'a BTreeMap<String, u64>,
    /// How many rows name none of them.
    pub without_split: u64,
    /// The split that is taken; without one all are, together.
    pub split: Option<&'a str>,
    /// What was found.
    pub findings: &'a [Findings<'a>],
    /// The first clips.
    pub clips: &'a [Clip<'a>],
    /// Why it was not saved.
    pub problem: Option<&'a str>,
}

/// The beginning of a text, set as its language is.
struct Quoted {
    text: String,
    language: String,
    direction: Direction,
}

/// A finding with the text it is about.
struct Told {
    said: String,
    quote: Option<Quoted>,
}

struct Group {
    heading: &'static str,
    count: String,
    lines: Vec<Told>,
    more: String,
}

/// The beginning of a text, with what stands for its rest.
fn shortened(text: &str, chars: usize) -> String {
    let mut shown: String = text.chars().take(chars).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn quoted(of: Quote<'_>) -> Option<Quoted> {
    let text = shortened(of.text, FOUND_CHARS);
    (!text.is_empty()).then(|| Quoted {
        language: of.language.to_owned(),
        direction: Direction::of_text(of.language, &text),
        text: visible(&text).into_owned(),
    })
}

fn group(of: &Findings<'_>) -> Group {
    let told = |found: &Found<'_>| Told {
        said: visible(found.said).into_owned(),
        quote: found.quote.and_then(quoted),
    };
    let lines: Vec<Told> = of.first.iter().take(LISTED).map(told).collect();
    let more = of.count.saturating_sub(lines.len());
    Group {
        heading: heading(of.topic),
        count: count(of.count as u64),
        more: match more {
            0 => String::new(),
            more => format!("and {} more", count(more as u64)),
        },
        lines,
    }
}

struct Line {
    file: String,
    language: String,
    words: Option<Words>,
}

fn line(clip: &Clip<'_>) -> Line {
    Line {
        file: visible(clip.file).into_owned(),
        language: called(clip.language).into_owned(),
        words: clip
            .text
            .map(|text| unmarked(&shortened(&literal(text), SHOWN_CHARS), clip.language)),
    }
}

/// A split that can be taken.
struct Split<'a> {
    name: &'a str,
    text: String,
}

#[derive(Template)]
#[template(path = "datasets/preview.html")]
struct PreviewPage<'a> {
    frame: Frame<'a>,
    splits: Vec<Split<'a>>,
    /// They in a sentence.
    there_are: String,
    /// What is taken.
    taken: String,
    /// The one that is taken; empty for all.
    split: &'a str,
    given: Given<'a>,
    name: String,
    finding: String,
    is_usable: bool,
    is_waiting: bool,
    refused: String,
    /// What is left out for it, and what is not.
    found: Vec<(&'static str, Say, Vec<Group>)>,
    lines: Vec<Line>,
    problem: String,
}

/// The page that shows what was found before a dataset is saved.
///
/// # Errors
/// See [`RenderError`].
pub fn preview(frame: Frame<'_>, of: Preview<'_>) -> Result<String, RenderError> {
    let finding = match (of.usable, of.refused) {
        (0, _) => Say::NothingUsable.to_string(),
        (usable, 0) => format!("{} can be saved.", counted(usable as u64, "clip", "clips")),
        (usable, refused) => format!(
            "{} can be saved, {} can’t.",
            counted(usable as u64, "clip", "clips"),
            count(refused as u64)
        ),
    };
    let finding = match of.without_row {
        0 => finding,
        rows => format!(
            "{finding} {}",
            counted(
                rows as u64,
                "recording is in no row of the table.",
                "recordings are in no row of the table."
            )
        ),
    };
    let groups = |is_left_out: bool| {
        let findings = of.findings.iter();
        let findings = findings.filter(|found| found.is_left_out == is_left_out);
        findings.map(group).collect::<Vec<_>>()
    };
    let found = vec![
        ("left-out", Say::LeftOut, groups(true)),
        ("saved-too", Say::SavedToo, groups(false)),
    ];
    let splits = of.splits.iter().map(|(name, rows)| Split {
        name,
        text: format!("{} {}", visible(name), count(*rows)),
    });
    let splits: Vec<Split<'_>> = splits.collect();
    let each: Vec<&str> = splits.iter().map(|split| &*split.text).collect();
    let without = match of.without_split {
        0 => String::new(),
        rows => format!("; {}", counted(rows, "row names none", "rows name none")),
    };
    let taken = of.split.map(|split| {
        let rest = match of.without_split {
            0 => "",
            _ => ", and no row that names no split",
        };
        format!(
            "Only “{}” is taken{rest}. {}",
            visible(split),
            Say::BestByTest
        )
    });
    let page = PreviewPage {
        frame,
        there_are: format!("This table has splits: {}{without}.", each.join(", ")),
        taken: taken.unwrap_or_else(|| Say::AllSplits.to_string()),
        splits,
        split: of.split.unwrap_or_default(),
        name: visible(of.given.name).into_owned(),
        given: of.given,
        finding,
        is_usable: of.usable > 0,
        is_waiting: of.waiting > 0,
        refused: match of.refused {
            0 => String::new(),
            refused => format!("{}: {}", Say::LeaveOut, count(refused as u64)),
        },
        found,
        lines: of.clips.iter().map(line).collect(),
        problem: visible(of.problem.unwrap_or_default()).into_owned(),
    };
    page.render()
}
