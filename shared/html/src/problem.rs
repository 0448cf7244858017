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

    fn shown(&self) -> String {
        crate::invisible::visible(self.message).into_owned()
    }
}
