//! A page in the place of one that there is not.

use askama::Template;

use crate::RenderError;
use crate::layout::Frame;
use crate::texts::Text;

/// What happened, and what to do.
#[derive(Template)]
#[template(path = "problem.html")]
pub struct Problem<'a> {
    /// What is around it.
    pub frame: Frame<'a>,
    /// The heading.
    pub heading: &'a str,
    /// What happened, in a sentence.
    pub message: &'a str,
    /// Where to ask again, where that makes sense.
    pub again: Option<&'a str>,
    /// The page of what was asked about, where there is one.
    pub back: Option<&'a str>,
    /// What the logs know the request by.
    pub request_id: &'a str,
}

impl Problem<'_> {
    /// The page.
    ///
    /// # Errors
    /// See [`RenderError`].
    pub fn page(&self) -> Result<String, RenderError> {
        self.render()
    }

    fn back_to(back: &str) -> Text {
        match back {
            _ if back.ends_with("/new") => Text::BackToForm,
            "/keys" | "/runs" | "/datasets" | "/settings" => Text::BackToList,
            _ if back.contains("/review/") || back.starts_with("/samples/") => Text::BackToClip,
            _ if back.starts_with("/datasets/") => Text::BackToDataset,
            _ if back.starts_with("/runs/") => Text::BackToRun,
            _ => Text::BackToForm,
        }
    }

    fn shown(&self) -> String {
        crate::invisible::visible(self.message).into_owned()
    }
}
