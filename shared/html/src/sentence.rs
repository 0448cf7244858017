//! Sentences that name models: names are shown apart from the words around them, since
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
    Model(String),
}

/// A sentence.
pub type Sentence = Vec<Phrase>;

/// Words of a sentence.
pub(crate) fn words(text: impl Into<String>) -> Phrase {
    Phrase::Words(text.into())
}

/// A name in a sentence.
pub(crate) fn model(name: &str) -> Phrase {
    Phrase::Model(visible(name).into_owned())
}

/// Names in a row: "a", "a and b", "a, b and c".
pub(crate) fn names<'a>(sentence: &mut Sentence, models: impl ExactSizeIterator<Item = &'a str>) {
    let count = models.len();
    for (index, name) in models.enumerate() {
        if index > 0 {
            let is_last = index + 1 == count;
            sentence.push(words(if is_last { " and " } else { ", " }));
        }
        sentence.push(model(name));
    }
}

/// A sentence as plain text.
#[must_use]
pub fn plain(sentence: &[Phrase]) -> String {
    let texts = sentence.iter().map(|phrase| match phrase {
        Phrase::Words(text) | Phrase::Model(text) => text.as_str(),
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
