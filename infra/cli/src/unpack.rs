//! A ZIP archive as the folder that was packed: unpacked beside other temporary files,
//! and gone when it was read.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::Path;

use stt_eval_formats::archive::{Archive, is_archive, is_folder};
use tempfile::TempDir;

use crate::failure::{Exit, Failure};

/// Bytes that tell an archive of files from a sheet of Excel.
const HEAD: u64 = 64 * 1024;
/// Bytes that tell an archive from everything else.
const MARK: u64 = 4;

/// What helps where temporary files have no room.
pub const ROOM: &str = "TMPDIR names a folder with room";

/// A folder for what is unpacked; it goes away with its value.
///
/// # Errors
/// The machine does not let one be made.
pub fn temporary() -> Result<TempDir, Failure> {
    tempfile::Builder::new()
        .prefix("stt-eval-")
        .tempdir()
        .map_err(|error| {
            let message = format!("no temporary folder can be made: {error}");
            Failure::new(Exit::Failed, "machine", message)
        })
}

/// Makes a file, and the folders that it is in.
///
/// # Errors
/// The machine says no; or the file is there already, which on a disk that knows no case
/// may be another one.
pub fn create(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// A file that is written, and why it could not be: that is the machine's fault, and not the
/// archive's.
struct Written {
    file: File,
    refused: Option<std::io::Error>,
}

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes).map_err(|error| {
            let kind = error.kind();
            self.refused = Some(error);
            kind.into()
        })
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Unpacks a file if it is an archive of files; `None` if it is not.
///
/// # Errors
/// It is broken, too large, or holds what must not be unpacked.
pub fn unpacked(path: &Path) -> Result<Option<TempDir>, Failure> {
    let told = |error: std::io::Error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(Exit::Usage, "unreadable", message)
    };
    let mut file = File::open(path).map_err(told)?;
    let mut head = Vec::new();
    file.by_ref()
        .take(MARK)
        .read_to_end(&mut head)
        .map_err(told)?;
    if !is_archive(&head) {
        return Ok(None);
    }
    file.by_ref()
        .take(HEAD - MARK)
        .read_to_end(&mut head)
        .map_err(told)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !is_folder(&head, &name) {
        return Ok(None);
    }
    let mut archive = Archive::open(file).map_err(|problem| problem.inside(&name))?;
    let folder = temporary()?;
    for index in 0..archive.entries().len() {
        let Some(entry) = archive.entries().get(index) else {
            continue;
        };
        let own = entry.name.clone();
        let refused = |error: std::io::Error| {
            let message = format!("{name}: {own} can't be unpacked: {error}");
            Failure::new(Exit::Failed, "machine", message).hint(ROOM)
        };
        let file = create(&folder.path().join(&own)).map_err(refused)?;
        let mut to = Written {
            file,
            refused: None,
        };
        let copied = archive.copy(index, &mut to);
        if let Some(error) = to.refused.filter(|_| copied.is_err()) {
            return Err(refused(error));
        }
        copied.map_err(|problem| problem.inside(&name))?;
    }
    Ok(Some(folder))
}
