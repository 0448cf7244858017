//! The text of a file beside a recording.

use super::{services, subtitles};
use crate::decode::lines;
use crate::format::Format;
use crate::problem::Problem;

/// The text that a file beside a recording holds, and remarks about it; `tier` is the one
/// that was asked for of a file with several.
pub(crate) fn text_beside(
    text: &str,
    name: &str,
    tier: Option<&str>,
) -> Result<(String, Vec<String>), Problem> {
    let mut remarks = Vec::new();
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let told = match end {
        "eaf" | "TextGrid" | "textgrid" => {
            let format = if end == "eaf" {
                Format::Elan
            } else {
                Format::TextGrid
            };
            let (told, remark) = annotations(format, text, tier, name)?;
            remarks.extend(remark);
            told
        }
        "srt" => subtitles::text_of(text, Format::Srt, name, &mut remarks)?,
        "vtt" => subtitles::text_of(text, Format::Vtt, name, &mut remarks)?,
        "json" => {
            let (entry, _) = services::entry(text, name, 0, &mut remarks)?;
            entry.text.as_deref().unwrap_or_default().to_owned()
        }
        _ => {
            let lines: Vec<&str> = lines(text).map(|(_, line)| line.trim()).collect();
            lines.join(" ").trim().to_owned()
        }
    };
    Ok((told, remarks))
}

/// The transcript in annotations of ELAN or Praat, and what is to be told of it.
#[cfg(feature = "annotations")]
pub(super) fn annotations(
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
pub(super) fn annotations(
    format: Format,
    _: &str,
    _: Option<&str>,
    name: &str,
) -> Result<(String, Option<String>), Problem> {
    let message = format!("is {}, which is not read here", format.title());
    let problem = Problem::new(crate::problem::Code::Unsupported, message).file(name);
    Err(problem.hint("export it as plain text or as subtitles"))
}
