//! Options that choose nothing of what they are asked of: who names one means something by
//! it, so it is told or refused.

use super::layout::{Layout, same_split, split_of};
use super::manifest::{Options, Row};
use super::markup::Markup;
use super::problem::{Code, Problem};

/// Whether a text has anything that markup gives a meaning to.
pub(super) fn is_marked(text: &str) -> bool {
    text.contains(['{', '\\']) || text.contains("<*>")
}

/// What a split means that nothing else told of: a file may be called so.
///
/// # Errors
/// It is called as another one.
pub(super) fn split(layout: &mut Layout, options: &Options) -> Result<Option<String>, Problem> {
    let Some(wanted) = options.split.as_deref().filter(|_| layout.split.is_none()) else {
        return Ok(None);
    };
    let own = match layout.files.as_slice() {
        [file] => split_of(file),
        _ => None,
    };
    match (own, layout.files.first()) {
        (Some(own), _) if same_split(&own, wanted) => {
            layout.split = Some(own);
            Ok(None)
        }
        (Some(own), Some(file)) => {
            let message = format!("is of the split {own}, and not of {wanted:?}");
            let problem = Problem::new(Code::Ambiguous, message).file(file);
            Err(problem.hint("leave --split out, or name the folder"))
        }
        _ => Ok(Some(format!(
            "--split {wanted} chooses nothing: nothing tells of which split its rows are"
        ))),
    }
}

/// What options choose nothing of these rows.
pub(super) fn options(rows: &[Row], options: &Options) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(language) = &options.language
        && !rows.is_empty()
        && rows.iter().all(|row| row.language.is_some())
    {
        told.push(format!(
            "--language {language} chooses nothing: every row names its own"
        ));
    }
    let is_asked = options.markup.is_some_and(|markup| markup != Markup::None);
    let is_read = |row: &Row| row.markup.is_none() && row.said.text().is_some_and(is_marked);
    if is_asked && !rows.iter().any(is_read) {
        told.push("--markup chooses nothing: no text has braces or <*>".to_owned());
    }
    told
}
