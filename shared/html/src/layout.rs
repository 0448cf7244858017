//! The frame around every page: head, navigation, landmarks.

use std::borrow::Cow;
use std::fmt;

use askama::filters::HtmlSafe;

use crate::assets;
use crate::invisible::visible;

/// How a page gets to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// From the service, with its style beside it and its headers around it.
    Site,
    /// As a file that is sent around: everything is in it, and it asks nothing of
    /// any network.
    File,
}

/// A part of the site, as the navigation names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Datasets.
    Datasets,
    /// Runs and what came of them.
    Runs,
    /// API keys.
    Keys,
    /// Settings of the person.
    Settings,
    /// Help.
    Help,
}

impl Section {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [
        Self::Datasets,
        Self::Runs,
        Self::Keys,
        Self::Settings,
        Self::Help,
    ];

    /// Where it begins.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Datasets => "/datasets",
            Self::Runs => "/runs",
            Self::Keys => "/keys",
            Self::Settings => "/settings",
            Self::Help => "/help",
        }
    }

    /// Its name, which tests and screen readers know it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Datasets => "Datasets",
            Self::Runs => "Runs",
            Self::Keys => "Keys",
            Self::Settings => "Settings",
            Self::Help => "Help",
        }
    }
}

/// The person a page is for.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'a> {
    /// The name given at sign-in.
    pub name: &'a str,
    /// What the navigation offers: parts of the site that there are.
    pub sections: &'a [Section],
    /// Seconds until the session ends by itself.
    pub left: u64,
}

impl Visitor<'_> {
    /// Milliseconds until the end is near enough to be told.
    pub(crate) fn untold(&self) -> u64 {
        self.left.saturating_sub(900) * 1_000
    }
}

/// What is around a page.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// What the page is of: a run, a dataset.
    pub title: &'a str,
    /// Which of its pages, before it in the title of the document: what has several is told
    /// apart by it in tabs and in the history (WCAG 2.4.2).
    pub part: Option<&'a str>,
    /// How it gets to its reader.
    pub medium: Medium,
    /// Where in the site it is.
    pub section: Option<Section>,
    /// Whom it is for; `None` before sign-in and in files.
    pub visitor: Option<Visitor<'a>>,
    /// Whether to say that what is sent can be read on the way.
    pub unencrypted: bool,
}

impl<'a> Frame<'a> {
    /// Of a page that is a file.
    #[must_use]
    pub fn of_file(title: &'a str) -> Self {
        Self {
            title,
            part: None,
            medium: Medium::File,
            section: None,
            visitor: None,
            unencrypted: false,
        }
    }

    /// The same of one of several pages.
    #[must_use]
    pub fn part(self, part: &'a str) -> Self {
        let part = Some(part);
        Self { part, ..self }
    }

    pub(crate) fn shown_title(&self) -> Cow<'_, str> {
        let title = visible(self.title);
        match self.part {
            Some(part) => format!("{part} · {title}").into(),
            None => title,
        }
    }

    pub(crate) fn is_file(&self) -> bool {
        self.medium == Medium::File
    }

    pub(crate) fn visitor_name(&self) -> Cow<'_, str> {
        visible(self.visitor.map_or("", |visitor| visitor.name))
    }

    pub(crate) fn is_current(&self, section: &Section) -> bool {
        self.section == Some(*section)
    }

    pub(crate) fn style_path(&self) -> &'static str {
        assets::named("style.css").map_or("", |style| style.path)
    }

    pub(crate) fn script_path(&self, name: &str) -> &'static str {
        assets::named(name).map_or("", |script| script.path)
    }

    pub(crate) fn style(&self) -> Style {
        Style
    }

    /// The policy of a file: nothing but its own style.
    pub(crate) fn policy(&self) -> String {
        let source = assets::named("style.css").map_or("'none'", |style| style.csp_source);
        format!(
            "default-src 'none'; style-src {source}; img-src data:; base-uri 'none'; form-action 'none'"
        )
    }
}

/// The style as text of its element. It is ours, and a test holds that it can't end
/// the element.
pub(crate) struct Style;

impl HtmlSafe for Style {}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(assets::named("style.css").map_or("", |style| style.plain))
    }
}
