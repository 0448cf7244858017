//! Sentences with names of models and runs: names are shown apart from the words around them, since
//! they come from elsewhere and may run the other way.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::invisible::visible;

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phrase {
    /// Words.
    Words(String),
    /// A name: of a model, or of a run.
    Name(String),
}

/// A sentence.
pub type Sentence = Vec<Phrase>;

/// Words of a sentence.
pub(crate) fn words(text: impl Into<String>) -> Phrase {
    Phrase::Words(text.into())
}

/// A name in a sentence.
pub(crate) fn named(name: &str) -> Phrase {
    Phrase::Name(visible(name).into_owned())
}

/// Names in a row: "a", "a and b", "a, b and c".
pub(crate) fn names<'a>(sentence: &mut Sentence, models: impl ExactSizeIterator<Item = &'a str>) {
    let count = models.len();
    for (index, name) in models.enumerate() {
        if index > 0 {
            let is_last = index + 1 == count;
            sentence.push(words(if is_last { " and " } else { ", " }));
        }
        sentence.push(named(name));
    }
}

/// A sentence as plain text.
#[must_use]
pub fn plain(sentence: &[Phrase]) -> String {
    let texts = sentence.iter().map(|phrase| match phrase {
        Phrase::Words(text) | Phrase::Name(text) => text.as_str(),
    });
    texts.collect()
}

/// A sentence as it stands in a page.
#[derive(Template)]
#[template(path = "sentence.html")]
pub(crate) struct Shown<'a> {
    sentence: &'a [Phrase],
}

/// It is a template itself, whose texts are escaped already.
impl HtmlSafe for Shown<'_> {}

/// A sentence, for a template.
pub(crate) fn shown(sentence: &[Phrase]) -> Shown<'_> {
    Shown { sentence }
}
