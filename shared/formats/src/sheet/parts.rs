//! The parts of a workbook: files in an archive.

use std::io::Cursor;

use crate::archive::Archive;
use crate::files::MAX_FILE_BYTES;
use crate::problem::Problem;
use crate::xml;

/// The parts of a workbook.
pub(super) struct Parts<'a>(Archive<Cursor<&'a [u8]>>);

impl<'a> Parts<'a> {
    /// Opens a workbook.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Problem> {
        Archive::open(Cursor::new(bytes)).map(Self)
    }

    /// A part as text; `None` where it is not there.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let bytes = self.0.read(name, MAX_FILE_BYTES)?;
        bytes.map(|bytes| xml::text_of(&bytes, name)).transpose()
    }
}
