//! ZIP archives: which files they hold, and each of them, within bounds.
//!
//! A name never leads out of the folder that is unpacked to, what systems leave behind
//! and links are passed over, and no more comes out than the directory promises.

mod directory;
mod names;

use std::io::{Read, Seek, SeekFrom, Write};

use flate2::read::DeflateDecoder;

use super::office::{is_office, is_workbook};
use super::problem::{Code, Problem};
use directory::unreadable;
pub use directory::{Entry, MAX_ENTRIES};

/// Most bytes of all files of an archive together: 64 GiB.
pub const MAX_UNPACKED: u64 = 64 << 30;
/// An archive may unpack to so many times its own size, and [`FREE`] beyond: silence
/// packs well, but no set of recordings is nothing else.
const MAX_RATIO: u64 = 100;
const FREE: u64 = 64 << 20;
/// Bytes that are unpacked at once.
const PIECE: usize = 64 * 1024;

/// An archive whose directory was read.
#[derive(Debug)]
pub struct Archive<R> {
    from: R,
    entries: Vec<Entry>,
}

/// Whether bytes begin as archives do, empty ones included; four of them tell.
#[must_use]
pub fn is_archive(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// Whether a file that begins so is an archive of files, and no document of an office
/// program, which is written as an archive too.
#[must_use]
pub fn is_folder(head: &[u8], name: &str) -> bool {
    is_archive(head) && !is_workbook(head, name) && !is_office(head)
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory of an archive.
    ///
    /// # Errors
    /// It is no archive or a broken one, is packed in a way that is not read, has a name
    /// that leads out of it, or would be too large.
    pub fn open(mut from: R) -> Result<Self, Problem> {
        let length = from.seek(SeekFrom::End(0)).map_err(|e| unreadable(&e))?;
        let entries = directory::read(&mut from, length)?;
        let all = entries
            .iter()
            .fold(0_u64, |all, entry| all.saturating_add(entry.size));
        if all > MAX_UNPACKED {
            let message = format!("holds {all} bytes; at most {MAX_UNPACKED} are unpacked");
            return Err(Problem::new(Code::TooLarge, message).hint("take a part of it"));
        }
        if all > length.saturating_mul(MAX_RATIO).saturating_add(FREE) {
            let message = format!(
                "{length} bytes would become {all}, more than {MAX_RATIO} times as many: this is \
                 no set of recordings"
            );
            return Err(Problem::new(Code::TooLarge, message)
                .hint("if it is one, unpack it and name the folder"));
        }
        Ok(Self { from, entries })
    }

    /// Its files, sorted by name.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Unpacks the file of this place in [`entries`](Self::entries).
    ///
    /// # Errors
    /// It is broken, or longer than the directory says, or `to` does not take it. What
    /// was written until then is of no use.
    pub fn copy(&mut self, entry: usize, to: &mut dyn Write) -> Result<(), Problem> {
        let Some(entry) = self.entries.get(entry).cloned() else {
            return Err(Problem::new(Code::Unreadable, "there is no such entry"));
        };
        self.unpack(&entry, to)
            .map_err(|problem| problem.file(&entry.name))
    }

    /// The file of this name, if it is there and has at most `most` bytes.
    ///
    /// # Errors
    /// As [`copy`](Self::copy), or it is larger.
    pub fn read(&mut self, name: &str, most: usize) -> Result<Option<Vec<u8>>, Problem> {
        let found = self
            .entries
            .binary_search_by(|entry| entry.name.as_str().cmp(name));
        let Ok(at) = found else {
            return Ok(None);
        };
        let size = self.entries.get(at).map_or(0, |entry| entry.size);
        if size > most as u64 {
            let message = format!("is larger than {most} bytes");
            return Err(Problem::new(Code::TooLarge, message).file(name));
        }
        let mut out = Vec::new();
        self.copy(at, &mut out)?;
        Ok(Some(out))
    }

    fn unpack(&mut self, entry: &Entry, to: &mut dyn Write) -> Result<(), Problem> {
        let start = directory::content(&mut self.from, entry.header)?;
        self.from
            .seek(SeekFrom::Start(start))
            .map_err(|e| unreadable(&e))?;
        let packed = (&mut self.from).take(entry.packed);
        let mut plain: Box<dyn Read + '_> = if entry.method == directory::DEFLATED {
            Box::new(DeflateDecoder::new(packed))
        } else {
            Box::new(packed)
        };
        let mut piece = vec![0_u8; PIECE];
        let (mut written, mut crc) = (0_u64, crc32fast::Hasher::new());
        loop {
            let read = plain.read(&mut piece);
            let read = read.map_err(|_| Problem::new(Code::Malformed, "is packed, and broken"))?;
            let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            written += read as u64;
            if written > entry.size {
                let message = "is longer than the directory of the archive says";
                return Err(Problem::new(Code::Malformed, message));
            }
            crc.update(bytes);
            to.write_all(bytes).map_err(|error| {
                Problem::new(Code::Unreadable, format!("can't be unpacked: {error}"))
            })?;
        }
        if written != entry.size || crc.finalize() != entry.crc {
            let message = "is not what the directory of the archive says: it is broken";
            return Err(Problem::new(Code::Malformed, message));
        }
        Ok(())
    }
}
