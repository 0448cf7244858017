//! Sources that are several files: what a folder is, and readers of what no single file
//! holds.

mod agree;
mod alone;
mod beside;
mod contents;
mod fairseq;
mod festival;
mod kaldi;
mod layouts;
mod lhotse;
mod looks;
mod rev;
mod side_files;
mod undecodable;

pub(crate) use agree::agree;
pub(crate) use layouts::{is_list, layouts, not_understood, read_together, without};
pub(crate) use undecodable::{refuse, undecodable};

use super::format::Format;
use super::layout::Layout;
use super::manifest::Reader;
use super::problem::Problem;

/// Reads the rows of a layout that is several files.
pub(crate) fn read(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    match layout.format {
        Format::Kaldi => kaldi::read(reader, layout),
        Format::Lhotse => lhotse::read(reader, layout),
        Format::Fairseq => fairseq::read(reader, layout),
        Format::Festival => festival::read(reader, layout),
        Format::IndicVoices => side_files::indic_voices(reader, layout),
        Format::RevNlp => rev::read(reader, layout),
        Format::SideFiles => side_files::read(reader, layout),
        _ => {
            side_files::audio_alone(reader, layout);
            Ok(())
        }
    }
}

/// A file that may be missing.
fn text_if_there(reader: &mut Reader<'_>, name: &str) -> Result<Option<String>, Problem> {
    reader.has(name).then(|| reader.text(name)).transpose()
}
