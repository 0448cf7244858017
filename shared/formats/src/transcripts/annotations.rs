//! Annotations, in tiers.

use crate::format::Format;
use crate::problem::Problem;

/// The transcript in annotations of ELAN or Praat, and what is to be told of it.
#[cfg(feature = "annotations")]
pub(crate) fn annotations(
    format: Format,
    text: &str,
    tier: Option<&str>,
    name: &str,
) -> Result<(String, Option<String>), Problem> {
    match format {
        Format::Elan => super::elan::text_of(text, tier, name),
        _ => super::text_grid::text_of(text, tier, name),
    }
}

/// Without the feature annotations are known, and not read.
#[cfg(not(feature = "annotations"))]
pub(crate) fn annotations(
    format: Format,
    _: &str,
    _: Option<&str>,
    name: &str,
) -> Result<(String, Option<String>), Problem> {
    let message = format!("is {}, which is not read here", format.title());
    let problem = Problem::new(crate::problem::Code::Unsupported, message).file(name);
    Err(problem.hint("export it as plain text or as subtitles"))
}
