//! The text of a file beside a recording.

use crate::decode::lines;
use crate::format::Format;
use crate::problem::Problem;
use crate::transcripts::annotations::annotations;
use crate::transcripts::{services, subtitles};

/// The text that a file beside a recording holds, and remarks about it; `tier` is the one
/// that was asked for of a file with several.
pub(super) fn text_beside(
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
