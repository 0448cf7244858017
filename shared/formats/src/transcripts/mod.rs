//! References and hypotheses without recordings: what was said or heard, by id or by
//! line.

mod again;
pub(crate) mod annotations;
mod answers;
mod batches;
#[cfg(feature = "annotations")]
mod elan;
mod entry;
mod failed;
mod file;
mod findings;
mod folder;
mod lists;
mod mixed;
mod named;
mod segments;
pub(crate) mod services;
pub(crate) mod subtitles;
mod systems;
#[cfg(feature = "annotations")]
mod text_grid;
#[cfg(feature = "annotations")]
mod tiers;
mod trns;
mod wide;
pub(crate) mod words;

#[cfg(feature = "folders")]
pub(crate) use findings::are_texts;
#[cfg(feature = "folders")]
pub(crate) use mixed::is_about;
pub(crate) use segments::by_channels;
pub(crate) use systems::{OfSystem, no_column, of_numbers};
#[cfg(feature = "folders")]
pub(crate) use wide::of_both_sides;

pub(crate) use lists::by_folder;
#[cfg(feature = "folders")]
pub(crate) use words::rev_text;
pub(crate) use words::{FirstWords, Look, ids_and_texts};

pub use entry::{Entry, Lines, Place, ReadOptions, Side, Transcripts};

use super::files::{Files, head, stem};
use super::format::Format;
use super::paths::has_audio_extension;
use super::problem::{Code, Problem};
use file::{is_named_list, of_text_or_file, told};

/// Reads a source: a file, or a folder with one file for each recording.
///
/// # Errors
/// What is wrong with it.
pub fn read(
    files: &dyn Files,
    file: Option<&str>,
    side: Side,
    wanted: &ReadOptions,
) -> Result<Transcripts, Problem> {
    let Some(name) = file else {
        let made = folder::read(files, side, wanted)?;
        return Ok(made.without_marks(wide::OURS));
    };
    if wanted.format.is_none() && is_recording(files, name) {
        let problem = Problem::new(Code::Unsupported, "is a recording, and has no text");
        return Err(problem.file(name).hint(
            "name what was said or heard: a list, a table, or what services answered; `run` has \
             recordings transcribed",
        ));
    }
    let another = wanted
        .format
        .and_then(|wanted| is_other(files, name, wanted));
    let (format, text) = match another.or(wanted.format) {
        Some(format) => (format, None),
        None => told(files, name)?,
    };
    let mut made = Transcripts::new(format, stem(name));
    made.remarks.extend(another.map(|format| {
        let title = format.title();
        format!(
            "{name} is no Kaldi text: it is read as {title}, and --format is for the other side"
        )
    }));
    of_text_or_file(files, name, text, (format, side), wanted, &mut made)?;
    Ok(made.without_marks(wide::OURS))
}

/// Whether a file is called as recordings are, and has what they have: texts may be called so too,
/// `hyp.au` by its system.
fn is_recording(files: &dyn Files, name: &str) -> bool {
    let is_text = |head: &[u8]| {
        // The last character may be cut off.
        let error = std::str::from_utf8(head).err();
        let is_utf8 = error.is_none_or(|error| error.error_len().is_none());
        is_utf8 && !head.is_empty() && !head.contains(&0)
    };
    has_audio_extension(name) && !is_text(&head(files, name))
}

/// What a file is where Kaldi's `text` is asked for, which only one side may be: its own columns
/// or keys say more.
fn is_other(files: &dyn Files, name: &str, wanted: Format) -> Option<Format> {
    let is_list = wanted == Format::KaldiText && is_named_list(name);
    let own = is_list.then(|| told(files, name).ok()).flatten()?.0;
    (!matches!(own, Format::Lines | Format::KaldiText)).then_some(own)
}
