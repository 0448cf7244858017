//! Manifests with recordings: what is said of each utterance, as it is written.
//!
//! Reading makes rows; what they are worth is decided in [`judge`](crate::judge).

mod alike;
mod cells;
mod embedded;
mod grid;
mod heard;
mod label_studio;
pub(crate) mod lines;
mod objects;
mod reader;
#[cfg(feature = "folders")]
mod recordings;
mod regions;
mod row;
mod said_in;
mod table;
mod tarred;
mod totals;

pub(crate) use cells::{Cells, NO_HEADER, rounded_ids, table_of};
pub(crate) use grid::Cell;

pub(crate) use reader::Reader;
#[cfg(feature = "folders")]
pub(crate) use recordings::{of_lines, of_row};
pub use row::{Command, Options, Reading, Row, Said};
pub(crate) use said_in::SaidIn;
pub(crate) use table::texts;
pub(crate) use totals::{Told, totals};

use super::files::Files;
use super::finding::Findings;
use super::folders;
use super::format::Format;
use super::layout::Layout;
use super::problem::{Code, Problem};
use super::table::key;
use super::transcripts::no_column;

/// What to do about a source of texts alone.
pub(crate) const NO_RECORDINGS: &str = "name a folder of recordings, or a list of them; texts \
                                        alone are references or hypotheses for `score`";

/// Columns of formats without a header, where one of them can be chosen as the text; `None`
/// for formats whose files name their columns or tiers themselves.
const fn columns(format: Format) -> Option<&'static [&'static str]> {
    match format {
        Format::Fleurs => Some(&["raw_transcription", "transcription"]),
        Format::LjSpeech => Some(&["normalised", "raw"]),
        Format::IndicVoices => Some(&["normalized", "verbatim"]),
        Format::Kaldi
        | Format::Lhotse
        | Format::Fairseq
        | Format::Festival
        | Format::LibriSpeech
        | Format::Mls
        | Format::Transcriptions
        | Format::RevNlp
        | Format::Audio => Some(&[]),
        _ => None,
    }
}

/// A column that is asked for of what has none.
pub(crate) fn no_columns(layout: &Layout, asked: &str, option: &str) -> Problem {
    let file = layout.files.first().map_or("", String::as_str);
    let message = format!(
        "has no columns, and so no {asked:?}: it is read as {}",
        layout.format.title()
    );
    let problem = Problem::new(Code::ChooseColumn, message).file(file);
    problem.hint(format!("{option} names a column of a table"))
}

/// Refuses columns that are asked for and are not there.
fn columns_there(layout: &Layout, options: &Options) -> Result<(), Problem> {
    let Some(there) = columns(layout.format) else {
        return Ok(());
    };
    if let Some(asked) = &options.audio_column {
        return Err(no_columns(layout, asked, "--audio-column"));
    }
    let Some(asked) = &options.text_column else {
        return Ok(());
    };
    let is_asked = |name: &&str| key(name) == key(asked);
    if there.iter().any(is_asked) {
        return Ok(());
    }
    if there.is_empty() {
        return Err(no_columns(layout, asked, "--text-column"));
    }
    let file = layout.files.first().map_or("", String::as_str);
    let there: Vec<String> = there.iter().map(|name| (*name).to_owned()).collect();
    Err(no_column(asked, file, &there, "--text-column"))
}

/// Reads the rows of a layout.
///
/// # Errors
/// What is wrong with the source as a whole; what is wrong with rows is in `findings`.
pub fn read(
    files: &dyn Files,
    layout: &Layout,
    options: &Options,
    findings: &mut Findings,
) -> Result<Reading, Problem> {
    let mut reader = Reader::new(files, options, findings);
    columns_there(layout, options)?;
    #[cfg(feature = "folders")]
    heard::can_be_there(layout, options, columns(layout.format).is_some())?;
    match layout.format {
        Format::Fleurs => lines::fleurs(&mut reader, layout)?,
        Format::LibriSpeech | Format::Mls | Format::Transcriptions => {
            lines::ids_and_texts(&mut reader, layout)?;
        }
        Format::LjSpeech => lines::lj_speech(&mut reader, layout)?,
        Format::LabelStudio => label_studio::read(&mut reader, layout)?,
        Format::Nemo
        | Format::Jsonl
        | Format::Audiofolder
        | Format::CommonVoice
        | Format::Calibrate
        | Format::DeepSpeech
        | Format::Table
        | Format::Xlsx => table::read(&mut reader, layout)?,
        Format::Parquet => embedded::read(&mut reader, layout)?,
        Format::Kaldi
        | Format::Lhotse
        | Format::Fairseq
        | Format::Festival
        | Format::IndicVoices
        | Format::SideFiles
        | Format::Audio => folders::read(&mut reader, layout)?,
        #[cfg(feature = "folders")]
        Format::RevNlp => folders::read(&mut reader, layout)?,
        format => {
            let message = format!(
                "no recordings are named in it: it is read as {}",
                format.title()
            );
            let problem = Problem::new(Code::Nothing, message);
            let file = layout.files.first().map_or("", String::as_str);
            return Err(problem.file(file).hint(NO_RECORDINGS));
        }
    }
    #[cfg(feature = "folders")]
    heard::of_models(&mut reader.reading, layout, options)?;
    Ok(reader.reading)
}
