//! The text of a file beside a recording.

use super::{services, subtitles};
use crate::decode::lines;
use crate::format::Format;
use crate::problem::Problem;

/// The text that a file beside a recording holds, and remarks about it.
pub(crate) fn text_beside(text: &str, name: &str) -> Result<(String, Vec<String>), Problem> {
    let mut remarks = Vec::new();
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let told = match end {
        "srt" => subtitles::text_of(text, Format::Srt, name, &mut remarks)?,
        "vtt" => subtitles::text_of(text, Format::Vtt, name, &mut remarks)?,
        "json" => {
            let entry = services::entry(text, name, 0, &mut remarks)?;
            entry.text.unwrap_or_default()
        }
        _ => {
            let lines: Vec<&str> = lines(text).map(|(_, line)| line.trim()).collect();
            lines.join(" ").trim().to_owned()
        }
    };
    Ok((told, remarks))
}
