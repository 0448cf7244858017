//! The texts with the highest error rates, word by word.

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_wire::scores::AlignedWord;

use crate::figures::{counted, percent};
use crate::invisible::visible;
use crate::texts::Text;
use crate::words::{Words, compared, unmarked};

/// What a model made of a text.
#[derive(Debug, Clone)]
pub struct Heard<'a> {
    /// The model.
    pub model: &'a str,
    /// What it heard; `None` where there is nothing.
    pub text: Option<&'a str>,
    /// Word beside word, where that is known.
    pub alignment: Option<Vec<AlignedWord>>,
    /// Words wrong, and words of the reference; `None` where it is in no figure.
    pub errors: Option<(u64, u64)>,
    /// What else is to be known.
    pub note: &'a str,
}

/// A text with errors.
#[derive(Debug, Clone)]
pub struct Misheard<'a> {
    /// What it is called.
    pub id: String,
    /// Language: a tag.
    pub language: &'a str,
    /// What was said, as it stands in its file.
    pub reference: &'a str,
    /// The same as it was aligned, with markup.
    pub marked: &'a str,
    /// What models made of it.
    pub heard: Vec<Heard<'a>>,
}

struct Version {
    model: String,
    errors: String,
    words: Option<Words>,
    note: String,
}

struct Clip {
    id: String,
    reference: Words,
    versions: Vec<Version>,
}

/// A list of texts.
#[derive(Template)]
#[template(path = "report/worst.html")]
pub(super) struct Worst {
    clips: Vec<Clip>,
}

impl HtmlSafe for Worst {}

fn version(text: &Misheard<'_>, heard: &Heard<'_>) -> Version {
    let errors = heard.errors.map_or_else(String::new, |(errors, words)| {
        let all = counted(words, "word", "words");
        let rate = if words > 0 {
            format!(", {}", percent(errors as f64 / words as f64))
        } else {
            String::new()
        };
        format!("{} in {all}{rate}", counted(errors, "error", "errors"))
    });
    let words = heard.text.filter(|heard| !heard.is_empty()).map(|said| {
        let alignment = heard.alignment.as_deref();
        compared(text.marked, said, alignment, text.language)
    });
    let note = match (heard.text, heard.note) {
        (Some(""), "") => Text::NothingHeard.to_string(),
        (_, note) => visible(note).into_owned(),
    };
    Version {
        model: visible(heard.model).into_owned(),
        errors,
        words,
        note,
    }
}

impl Worst {
    /// The section of a report. `None` where nothing is wrong.
    pub(super) fn new(texts: &[Misheard<'_>]) -> Option<Self> {
        let clip = |text: &Misheard<'_>| Clip {
            id: visible(&text.id).into_owned(),
            reference: unmarked(text.reference, text.language),
            versions: text.heard.iter().map(|one| version(text, one)).collect(),
        };
        (!texts.is_empty()).then(|| Self {
            clips: texts.iter().map(clip).collect(),
        })
    }
}
