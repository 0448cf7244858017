//! The text of a file beside a recording.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::decode::lines;
use crate::format::Format;
use crate::problem::Problem;
use crate::transcripts::annotations::annotations;
use crate::transcripts::{services, subtitles};

/// What a file beside a recording holds.
pub(super) struct Beside {
    /// The text, or why there is none: its service failed.
    pub(super) text: Result<String, String>,
    pub(super) remarks: Vec<String>,
}

/// Reads a file beside a recording; `tier` is the one that was asked for of a file with several.
pub(super) fn text_beside(text: &str, name: &str, tier: Option<&str>) -> Result<Beside, Problem> {
    let mut remarks = Vec::new();
    let mut failed = None;
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
            failed = entry.failed;
            entry.text.as_deref().unwrap_or_default().to_owned()
        }
        _ => {
            let lines: Vec<&str> = lines(text).map(|(_, line)| line.trim()).collect();
            lines.join(" ").trim().to_owned()
        }
    };
    Ok(Beside {
        text: failed.map_or(Ok(told), Err),
        remarks,
    })
}

/// Whether two files beside a recording say the same, but for case and marks: what subtitles and
/// lists of words leave out.
pub(super) fn say_the_same(one: &str, other: &str) -> bool {
    let letters = |text: &str| -> String {
        let said = text.nfc();
        let said = said.filter(|c| c.is_alphanumeric() || is_combining_mark(*c));
        said.flat_map(char::to_lowercase).collect()
    };
    one == other || letters(one) == letters(other)
}
