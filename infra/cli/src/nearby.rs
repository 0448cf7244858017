//! Whether files are there that lie outside of a source. A list may name thousands of one folder:
//! the machine is asked for the first few, and then for the names in that folder, once.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Files of a folder that are asked for one by one.
const FEW: usize = 64;
/// Most names of a folder that are kept.
const MOST_NAMES: usize = 100_000;
/// Most folders that anything is kept of.
const MOST_FOLDERS: usize = 10_000;

/// What is known of a folder.
#[derive(Debug)]
enum Folder {
    /// It is not there.
    NotThere,
    /// It is, and so many files of it were asked for.
    Asked(usize),
    /// Its names in ASCII, in lower case: some systems take `A.wav` for `a.wav`.
    Names(HashSet<String>),
    /// It has more names than are kept, or does not tell them.
    Untold,
}

/// Folders outside of a source, as far as they were asked for.
#[derive(Debug, Default)]
pub struct Nearby {
    known: RefCell<HashMap<String, Folder>>,
    /// Folders without links on the way to them.
    real: RefCell<HashMap<String, Option<PathBuf>>>,
}

impl Nearby {
    /// Whether there is a file of this path, in which `/` stands between folders.
    pub fn has_file(&self, path: &str) -> bool {
        let Some((name, own)) = path.rsplit_once('/') else {
            return false;
        };
        let path = Path::new(path);
        let folder = path.parent().unwrap_or(path);
        let mut known = self.known.borrow_mut();
        match known.get_mut(name) {
            Some(Folder::NotThere) => return false,
            Some(Folder::Names(names)) => {
                if own.is_ascii() && !names.contains(&*lower(own)) {
                    return false;
                }
            }
            Some(Folder::Untold) => {}
            Some(Folder::Asked(times)) if *times < FEW => *times += 1,
            Some(asked @ Folder::Asked(_)) => *asked = listed(folder),
            None => {
                let is_there = folder.is_dir();
                if known.len() < MOST_FOLDERS {
                    let new = match is_there {
                        true => Folder::Asked(1),
                        false => Folder::NotThere,
                    };
                    known.insert(name.to_owned(), new);
                }
                if !is_there {
                    return false;
                }
            }
        }
        path.is_file()
    }

    /// Where a folder really is, in whose path `/` stands between folders.
    pub fn real_folder(&self, name: &str) -> Option<PathBuf> {
        let mut real = self.real.borrow_mut();
        if let Some(known) = real.get(name) {
            return known.clone();
        }
        // Before the first `/` there is the top.
        let found = Path::new(&format!("{name}/")).canonicalize().ok();
        if real.len() < MOST_FOLDERS {
            real.insert(name.to_owned(), found.clone());
        }
        found
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|b| b.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}

fn listed(folder: &Path) -> Folder {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Folder::Untold;
    };
    let mut names = HashSet::new();
    for entry in entries {
        let Ok(entry) = entry else {
            return Folder::Untold;
        };
        if names.len() >= MOST_NAMES {
            return Folder::Untold;
        }
        if let Some(own) = entry.file_name().to_str().filter(|own| own.is_ascii()) {
            names.insert(lower(own).into_owned());
        }
    }
    Folder::Names(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_however_many_were_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| format!("{}/{name}", folder.path().display());
        for name in ["a.wav", "B.wav", "é.wav"] {
            std::fs::write(at(name), "").unwrap();
        }
        std::fs::create_dir(at("folder.wav")).unwrap();
        let nearby = Nearby::default();
        for times in 0..FEW * 2 {
            let there = ["a.wav", "B.wav", "é.wav"].map(|name| nearby.has_file(&at(name)));
            assert_eq!(there, [true; 3], "{times}");
            let not_there = ["c.wav", "folder.wav", "none/a.wav", "ö.wav"];
            let not_there = not_there.map(|name| nearby.has_file(&at(name)));
            assert_eq!(not_there, [false; 4], "{times}");
        }
        let is_listed = nearby.known.borrow();
        assert!(
            matches!(is_listed.get(&folder.path().display().to_string()), Some(Folder::Names(names)) if names.len() == 3)
        );
    }
}
