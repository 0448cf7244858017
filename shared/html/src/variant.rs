//! A second wording that is right as well: what was said, what a model heard, and a
//! reference that would take both.

use askama::Template;

use crate::RenderError;
use crate::figures::{count, counted, percent};
use crate::invisible::visible;
use crate::language::Direction;
use crate::layout::Frame;
use crate::texts::Text;
use crate::texts::datasets::Say;
use crate::texts::variant::Both;
use crate::words::{Words, unmarked};

/// Word error rates of a transcription of the clip.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Its letter.
    pub letter: char,
    /// As it was scored.
    pub scored: Option<f64>,
    /// By the reference as it stands now.
    pub now: Option<f64>,
}

/// What a reviewer proposes, or says who found that it is another spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The name given at sign-in; empty for a program.
    pub name: String,
    /// The remark.
    pub text: Option<String>,
    /// The reference that is proposed.
    pub proposed: Option<String>,
}

/// What became of the same words in the references of other clips.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elsewhere {
    /// References that take both now.
    pub changed: u64,
    /// References that stay as they are.
    pub left_alone: u64,
    /// The position from which clips were not looked at yet.
    pub next: Option<u64>,
}

/// What the page is about.
#[derive(Debug, Clone, Copy)]
pub struct Variant<'a> {
    /// Name of the run.
    pub run_name: &'a str,
    /// Address of the run.
    pub run: &'a str,
    /// Address of the clip.
    pub clip: &'a str,
    /// Address of this page.
    pub path: &'a str,
    /// Number of the clip, from 1.
    pub number: u64,
    /// Letter of the transcription.
    pub letter: char,
    /// Which transcriptions stand under which letters.
    pub slots_tag: &'a str,
    /// Whether models are hidden.
    pub blind: bool,
    /// Language of the clip.
    pub language: &'a str,
    /// The reference as it stands.
    pub reference: Option<&'a str>,
    /// What the model heard.
    pub heard: &'a str,
    /// Version of the reference.
    pub version: u32,
    /// Whether it is proposed to editors, and not saved.
    pub proposes: bool,
    /// The reference that is proposed, or was written; `None` where none can be made.
    pub proposed: Option<&'a str>,
    /// What is wrong with what was written.
    pub problem: Option<&'a str>,
    /// Whether the reference was changed since it was read.
    pub is_conflict: bool,
    /// Whether it was just saved.
    pub saved: bool,
    /// Whether the run was scored by another reference than stands now.
    pub is_stale: bool,
    /// Rates of the clip's transcriptions; empty while they may not be known.
    pub rates: &'a [Rate],
    /// What reviewers propose; empty while that may not be known.
    pub remarks: &'a [Remark],
    /// Whether other clips are meant as well.
    pub everywhere: bool,
    /// What became of them, where they were.
    pub elsewhere: Option<Elsewhere>,
}

struct Said {
    name: String,
    words: Option<Words>,
    /// What is proposed, to be looked at and as it is.
    proposed: Option<(Words, String)>,
}

struct Row {
    letter: char,
    scored: String,
    now: String,
}

#[derive(Template)]
#[template(path = "review/variant.html")]
struct Page<'a> {
    frame: Frame<'a>,
    of: Variant<'a>,
    run_name: String,
    direction: Direction,
    reference: Option<Words>,
    heard: Words,
    text: String,
    problem: String,
    rows: Vec<Row>,
    remarks: Vec<Said>,
    elsewhere: String,
    /// The position to go on from.
    next: Option<u64>,
}

impl Page<'_> {
    /// What a browser keeps by, of what is written here and not saved: an address of it.
    fn draft(&self) -> String {
        let Variant {
            path,
            letter,
            slots_tag,
            ..
        } = self.of;
        format!("{path}?of={letter}&slots={slots_tag}")
    }
}

/// What became of other clips, in words.
fn told(of: Elsewhere) -> String {
    let changed = counted(of.changed, "other reference takes", "other references take");
    let left = match of.left_alone {
        0 => String::new(),
        clips => format!(
            " {} left alone: changed meanwhile, or too long.",
            counted(clips, "was", "were")
        ),
    };
    let next = of.next.map_or_else(String::new, |next| {
        format!(
            " Clips from no. {} on were not looked at yet.",
            count(next + 1)
        )
    });
    format!("{changed} both now.{left}{next}")
}

/// The page.
///
/// # Errors
/// See [`RenderError`].
pub fn page(frame: Frame<'_>, of: Variant<'_>) -> Result<String, RenderError> {
    let rate = |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), percent);
    let rows = of.rates.iter().map(|of| Row {
        letter: of.letter,
        scored: rate(of.scored),
        now: rate(of.now),
    });
    let page = Page {
        frame,
        run_name: visible(of.run_name).into_owned(),
        direction: Direction::of(of.language),
        reference: of.reference.map(|text| unmarked(text, of.language)),
        heard: unmarked(of.heard, of.language),
        // What can't be proposed is written by hand, from what stands.
        // As it is: what is in the field is saved.
        text: of.proposed.or(of.reference).unwrap_or(of.heard).to_owned(),
        problem: visible(of.problem.unwrap_or_default()).into_owned(),
        rows: rows.collect(),
        remarks: of
            .remarks
            .iter()
            .map(|remark| Said {
                name: visible(&remark.name).into_owned(),
                words: remark.text.as_ref().map(|text| unmarked(text, of.language)),
                proposed: remark
                    .proposed
                    .as_ref()
                    .map(|text| (unmarked(text, of.language), text.clone())),
            })
            .collect(),
        elsewhere: of.elsewhere.map_or_else(String::new, told),
        next: of.elsewhere.and_then(|of| of.next),
        of,
    };
    page.render()
}
