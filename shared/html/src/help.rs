//! Help: what the words of the pages mean, keys, roles, and where data goes.
//!
//! It is prose, and stands in its template: in another language it is another template.

use askama::Template;

use crate::RenderError;
use crate::layout::Frame;
use crate::texts::Text;
use crate::texts::keys::Keys as Name;

#[derive(Template)]
#[template(path = "help.html")]
struct Page<'a> {
    frame: Frame<'a>,
}

/// The page.
///
/// # Errors
/// See [`RenderError`].
pub fn page(frame: Frame<'_>) -> Result<String, RenderError> {
    Page { frame }.render()
}
