//! Manifests with recordings: what is said of each utterance, as it is written.
//!
//! Reading makes rows; what they are worth is decided in [`judge`](crate::judge).

mod cells;
mod embedded;
mod fairseq;
mod kaldi;
mod label_studio;
mod lhotse;
mod lines;
mod reader;
mod regions;
mod row;
mod side_files;
mod table;
mod tarred;

pub(crate) use cells::{Cells, table_of};

pub(crate) use reader::Reader;
pub use row::{Options, Reading, Row, Said};

use super::files::Files;
use super::finding::Findings;
use super::format::Format;
use super::layout::Layout;
use super::problem::{Code, Problem};

/// What to do about a source of texts alone.
pub(crate) const NO_RECORDINGS: &str = "name a folder of recordings, or a list of them; texts \
                                        alone are references or hypotheses for `score`";

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
    match layout.format {
        Format::Kaldi => kaldi::read(&mut reader, layout)?,
        Format::Lhotse => lhotse::read(&mut reader, layout)?,
        Format::Fairseq => fairseq::read(&mut reader, layout)?,
        Format::Fleurs => lines::fleurs(&mut reader, layout)?,
        Format::LibriSpeech | Format::Mls | Format::Transcriptions => {
            lines::ids_and_texts(&mut reader, layout)?;
        }
        Format::LjSpeech => lines::lj_speech(&mut reader, layout)?,
        Format::IndicVoices => side_files::indic_voices(&mut reader, layout)?,
        Format::SideFiles => side_files::read(&mut reader, layout)?,
        Format::Audio => side_files::audio_alone(&mut reader, layout),
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
        format => {
            let message = format!(
                "no recordings are named in it: it is read as {}",
                format.title()
            );
            let problem = Problem::new(Code::Unsupported, message);
            let file = layout.files.first().map_or("", String::as_str);
            return Err(problem.file(file).hint(NO_RECORDINGS));
        }
    }
    Ok(reader.reading)
}
