//! Samples, each with what every system made of it. Lists are long: what most samples do
//! not have takes no room.

use std::borrow::Cow;
use std::fmt;

use super::fields::Fields;
use super::format::Format;
use super::markup::Markup;
use super::text::Text;

/// What a system made of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hypothesis {
    /// This, which may be nothing.
    Text(Text),
    /// Its service failed, and why.
    Failed(String),
    /// There is none for this sample.
    Missing,
}

/// What a sample is called.
#[derive(Debug, Clone, Eq)]
pub enum Id {
    /// The number of its line, from 1, where nothing else names it.
    Line(u64),
    /// Its id.
    Named(Box<str>),
}

impl Id {
    /// The id, or the number of the line in digits.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Line(line) => Cow::Owned(line.to_string()),
            Self::Named(name) => Cow::Borrowed(name),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => line.fmt(f),
            Self::Named(name) => name.fmt(f),
        }
    }
}

impl PartialEq for Id {
    /// Line 5 of one list is the sample `5` of another.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Line(a), Self::Line(b)) => a == b,
            _ => self.text() == other.text(),
        }
    }
}

/// What some formats tell of a sample beside its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// What braces in the reference mean, if the format says so.
    pub markup: Option<Markup>,
    /// Language: a tag.
    pub language: Option<String>,
    /// Speaker.
    pub speaker: Option<String>,
    /// Those of its other fields that were asked for.
    pub fields: Fields,
}

/// One sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Id, or the number of the line.
    pub id: Id,
    /// The reference, as read.
    pub reference: Text,
    about: Option<Box<About>>,
}

impl Pair {
    /// A sample; of one that nothing more is told about, nothing more is kept.
    #[must_use]
    pub fn new(id: Id, reference: Text, about: About) -> Self {
        let about = (about != About::default()).then(|| Box::new(about));
        Self {
            id,
            reference,
            about,
        }
    }

    /// What braces in the reference mean, if the format says so.
    #[must_use]
    pub fn markup(&self) -> Option<Markup> {
        self.about.as_ref()?.markup
    }

    /// Language: a tag.
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        self.about.as_ref()?.language.as_deref()
    }

    /// Speaker.
    #[must_use]
    pub fn speaker(&self) -> Option<&str> {
        self.about.as_ref()?.speaker.as_deref()
    }

    /// A field, if it is there and was asked for.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        match name {
            "language" => self.language(),
            "speaker" => self.speaker(),
            _ => self.about.as_ref()?.fields.get(name),
        }
    }
}

/// Samples and systems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairs {
    /// What the references were.
    pub references: Format,
    /// What the hypotheses were: those of the first system.
    pub hypotheses: Format,
    /// Names of the systems.
    pub systems: Vec<String>,
    /// In the order of the references.
    pub samples: Vec<Pair>,
    /// For each system, what it made of each sample.
    pub heard: Vec<Vec<Hypothesis>>,
    /// Ids without a hypothesis of some system.
    pub missing: Vec<String>,
    /// What was joined, left out or taken for something.
    pub remarks: Vec<String>,
}
