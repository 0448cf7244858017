//! Files that a command leaves behind, whole or not at all.

use std::path::{Path, PathBuf};

use crate::failure::{Exit, Failure};
use crate::output::{Output, raw_to_stdout};

/// What is there may be replaced if it is a file: a device or a pipe would be gone.
///
/// # Errors
/// Something else is there.
pub fn replaceable(file: &Path) -> Result<(), Failure> {
    match std::fs::metadata(file) {
        Ok(there) if !there.is_file() => {
            let message = format!("{} is there, and is no file", file.display());
            Err(Failure::usage(message).hint("name a file"))
        }
        _ => Ok(()),
    }
}

/// The file that one is written as until it is whole.
#[must_use]
pub fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    PathBuf::from(beside)
}

/// Whether a page can be written where an option wants it, as far as that shows before.
///
/// # Errors
/// There is no such folder, something else is there, or the document wants the same place.
pub fn can_be_written(option: &str, path: &Path, output: &Output) -> Result<(), Failure> {
    if path == Path::new("-") {
        let taken = output.json.then(|| {
            let message = format!("{option} - and --json both want standard output");
            Failure::usage(message).hint("name a file")
        });
        return taken.map_or(Ok(()), Err);
    }
    placeable(option, path)?;
    replaceable(path)
}

/// Whether a file can be put into its folder, tried with an empty one beside it.
///
/// # Errors
/// There is no such folder, or nothing can be written into it.
pub fn placeable(option: &str, path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let message = format!("{option}: there is no folder {}", folder.display());
        return Err(Failure::usage(message));
    }
    // A pipe or a device is written as it is there.
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Ok(());
    }
    let beside = beside(path);
    let tried = std::fs::File::create_new(&beside).and_then(|_| std::fs::remove_file(&beside));
    tried.map_err(|error| {
        let message = format!("{option}: {}: {error}", path.display());
        Failure::new(Exit::Failed, "output", message)
    })
}

/// Writes a file beside its place and puts it there once it is whole. What is no file, such
/// as a pipe, is written as it is there.
///
/// # Errors
/// It can't be written; what was there before is there still.
pub fn whole<T>(
    path: &Path,
    write: impl FnOnce(&Path) -> std::io::Result<T>,
) -> Result<T, Failure> {
    let told = |error: std::io::Error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(Exit::Failed, "output", message)
    };
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return write(path).map_err(told);
    }
    let beside = beside(path);
    let done = write(&beside)
        .and_then(|made| std::fs::rename(&beside, path).map(|()| made))
        .map_err(told);
    if done.is_err() {
        // What went wrong is told; what is left of it is of no use.
        let _ = std::fs::remove_file(&beside);
    }
    done
}

/// Puts a page where it was asked for; `-` is standard output, and then nothing else is to
/// go there. Tells whether that was so.
///
/// # Errors
/// It can't be written; what was there before is there still.
pub fn page(path: &Path, page: &str, output: &Output) -> Result<bool, Failure> {
    if path == Path::new("-") {
        raw_to_stdout(page.as_bytes())?;
        return Ok(true);
    }
    whole(path, |beside| std::fs::write(beside, page))?;
    output.note(&format!("written: {}", path.display()));
    Ok(false)
}
