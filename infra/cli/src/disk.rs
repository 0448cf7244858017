//! Files of this machine as the crate of formats wants them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use stt_eval_formats::files::{InMemory, MAX_FILE_BYTES, MAX_FILES, Random, ReadError};
use stt_eval_formats::{Files, Whole};
use tempfile::TempDir;

use crate::failure::{Exit, Failure};
use crate::nearby::Nearby;
use crate::unpack::unpacked;
use crate::utf8;

/// Deepest folder that is looked into; sets are not deeper.
const DEEPEST: usize = 16;

/// A folder.
#[derive(Debug)]
pub struct OnDisk {
    root: PathBuf,
    names: Vec<String>,
    /// Those of `names` that are links to what is not in the folder, and is not allowed.
    leave: BTreeSet<String>,
    place: Option<String>,
    /// The folder without links on the way to it.
    real_root: Option<PathBuf>,
    working: Option<String>,
    outside: bool,
    nearby: Nearby,
    /// Files that the machine did not let be read, and why.
    unread: RefCell<BTreeMap<String, String>>,
    /// What an archive was unpacked to; it goes away with this value.
    _unpacked: Option<TempDir>,
}

/// A source that was named: its files, and which of them it is.
pub struct Named {
    /// The folder.
    pub files: Box<dyn Files>,
    /// The file in it, if one was named.
    pub file: Option<String>,
    /// What it is called: a name without its extension.
    pub name: String,
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    let message = match error.kind() {
        std::io::ErrorKind::NotFound => format!("{}: there is no such file", path.display()),
        _ => format!("{}: {error}", path.display()),
    };
    Failure::new(Exit::Usage, "unreadable", message)
}

fn absolute(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    Some(path.to_str()?.replace('\\', "/"))
}

/// Opens a source with all files around it: a folder, or the folder of a file.
pub fn with_company(path: &Path, outside: bool) -> Result<(OnDisk, Option<String>), Failure> {
    let facts = std::fs::metadata(path).map_err(|error| failed(path, &error))?;
    if facts.is_dir() {
        return Ok((OnDisk::open(path, outside)?, None));
    }
    if !facts.is_file() {
        let message = format!("{}: is neither a file nor a folder", path.display());
        return Err(Failure::new(Exit::Usage, "unreadable", message));
    }
    if let Some(folder) = unpacked(path)? {
        return Ok((OnDisk::unpacked(folder)?, None));
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut files = OnDisk::open(folder, outside)?;
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::usage("the name of the file is not UTF-8"))?;
    // A folder may be too large to be looked through; the file itself is there.
    if let Err(at) = files.names.binary_search_by(|one| one.as_str().cmp(name)) {
        files.names.insert(at, name.to_owned());
    }
    Ok((files, Some(name.to_owned())))
}

/// Opens a source of texts: a folder, one file alone, or standard input.
pub fn alone(path: &Path) -> Result<Named, Failure> {
    let name = path.file_name().and_then(|name| name.to_str());
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        let limit = MAX_FILE_BYTES as u64 + 1;
        std::io::stdin()
            .lock()
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(|error| failed(path, &error))?;
        return Ok(Named {
            files: Box::new(InMemory::new([("stdin", bytes)])),
            file: Some("stdin".to_owned()),
            name: "stdin".to_owned(),
        });
    }
    let facts = std::fs::metadata(path).map_err(|error| failed(path, &error))?;
    let known = name.map(str::to_owned).or_else(|| {
        // `.` and `..` have names too.
        let whole = absolute(path)?;
        whole.rsplit('/').next().map(str::to_owned)
    });
    let known = known.unwrap_or_else(|| "source".to_owned());
    if facts.is_dir() {
        let files = OnDisk::open(path, false)?;
        return Ok(Named {
            files: Box::new(files),
            file: None,
            name: known,
        });
    }
    let stem = stt_eval_formats::files::stem(&known).to_owned();
    // A pipe can be read once only.
    if facts.is_file()
        && let Some(folder) = unpacked(path)?
    {
        return Ok(Named {
            files: Box::new(OnDisk::unpacked(folder)?),
            file: None,
            name: stem,
        });
    }
    let root = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
    let name = known;
    let files = OnDisk {
        root,
        names: vec![name.clone()],
        leave: BTreeSet::new(),
        place: None,
        real_root: None,
        working: None,
        outside: false,
        nearby: Nearby::default(),
        unread: RefCell::default(),
        _unpacked: None,
    };
    Ok(Named {
        files: Box::new(files),
        file: Some(name),
        name: stem,
    })
}

impl OnDisk {
    /// Looks through a folder. Links to folders are followed only where files outside
    /// are allowed, each folder once.
    pub fn open(root: &Path, outside: bool) -> Result<Self, Failure> {
        let mut found = Found::default();
        let real_root = root.canonicalize().ok();
        found.seen.extend(real_root.clone());
        walk(root, "", 0, outside, &mut found).map_err(|error| failed(root, &error))?;
        let Found {
            mut names, links, ..
        } = found;
        names.sort_unstable();
        let leaves = |name: &String| {
            let real = root.join(name).canonicalize();
            // One that leads nowhere is told when it is read.
            real.is_ok_and(|real| {
                real_root
                    .as_ref()
                    .is_none_or(|root| !real.starts_with(root))
            })
        };
        let leave = match outside {
            true => BTreeSet::new(),
            false => links.into_iter().filter(leaves).collect(),
        };
        let working = std::env::current_dir().ok();
        Ok(Self {
            root: root.to_owned(),
            names,
            leave,
            place: absolute(root),
            real_root,
            working: working.as_deref().and_then(absolute),
            outside,
            nearby: Nearby::default(),
            unread: RefCell::default(),
            _unpacked: None,
        })
    }

    /// What an archive was unpacked to. It has no place of its own: no path leads to it.
    fn unpacked(folder: TempDir) -> Result<Self, Failure> {
        let mut files = Self::open(folder.path(), false)?;
        files.place = None;
        files._unpacked = Some(folder);
        Ok(files)
    }

    /// A file of the folder, or an absolute path that was allowed.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Whether a file is a link out of the folder, which is not followed.
    pub fn leaves(&self, name: &str) -> bool {
        self.leave.contains(name)
    }

    fn file(&self, name: &str) -> Result<File, ReadError> {
        let opened = self.opened(name);
        if let Err(ReadError::Failed(reason)) = &opened {
            let mut unread = self.unread.borrow_mut();
            unread.insert(name.to_owned(), reason.clone());
        }
        opened
    }

    fn opened(&self, name: &str) -> Result<File, ReadError> {
        let path = self.path(name);
        let told = |error: std::io::Error| ReadError::Failed(error.to_string());
        // A link may lead out of the folder.
        if !self.outside && path.is_symlink() {
            let real = path.canonicalize().map_err(told)?;
            let root = if self.root.as_os_str().is_empty() {
                Path::new(".")
            } else {
                &self.root
            };
            let root = root.canonicalize().map_err(told)?;
            if self.place.is_some() && !real.starts_with(root) {
                let reason = "is a link out of the folder (--allow-outside)".to_owned();
                return Err(ReadError::Failed(reason));
            }
        }
        // One that was named alone may be a pipe; then it is all that there is.
        if self.place.is_some() && is_special(&path) {
            return Err(ReadError::Failed("is no regular file".to_owned()));
        }
        File::open(path).map_err(told)
    }

    /// Files that the machine did not let be read, and why.
    pub fn unread(&self) -> BTreeMap<String, String> {
        self.unread.borrow().clone()
    }
}

/// Whether it is neither a file nor a folder: a pipe has no end, a device none either. What
/// can't be looked at, such as a link that leads nowhere, is told when it is read.
fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|facts| !facts.is_file() && !facts.is_dir())
}

/// What a look through a folder found.
#[derive(Default)]
struct Found {
    names: Vec<String>,
    /// Those of them that are links.
    links: Vec<String>,
    /// Folders, as they are without links.
    seen: BTreeSet<PathBuf>,
}

fn walk(
    folder: &Path,
    prefix: &str,
    depth: usize,
    outside: bool,
    found: &mut Found,
) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if found.names.len() >= MAX_FILES {
            return Ok(());
        }
        let own = entry.file_name();
        // What is not UTF-8 can't be named in a manifest either.
        let Some(own) = own.to_str() else {
            continue;
        };
        let name = if prefix.is_empty() {
            own.to_owned()
        } else {
            format!("{prefix}/{own}")
        };
        let kind = entry.file_type()?;
        let path = entry.path();
        let leads_to_folder = kind.is_dir() || (kind.is_symlink() && path.is_dir());
        if !leads_to_folder {
            if !is_special(&path) {
                if kind.is_symlink() {
                    found.links.push(name.clone());
                }
                found.names.push(name);
            }
            continue;
        }
        if (kind.is_symlink() && !outside) || depth >= DEEPEST || own.starts_with('.') {
            continue;
        }
        let real = path.canonicalize()?;
        if found.seen.insert(real) {
            // A folder that may not be read is as good as empty: what it holds is told
            // as missing.
            match walk(&path, &name, depth + 1, outside, found) {
                Err(error) if error.kind() != std::io::ErrorKind::PermissionDenied => {
                    return Err(error);
                }
                _ => {}
            }
        }
    }
    Ok(())
}

impl Files for OnDisk {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn read(&self, name: &str, most: usize) -> Result<Vec<u8>, ReadError> {
        let bytes = self.head(name, most.saturating_add(1))?;
        if bytes.len() > most {
            return Err(ReadError::TooLarge);
        }
        Ok(bytes)
    }

    fn head(&self, name: &str, most: usize) -> Result<Vec<u8>, ReadError> {
        let file = self.file(name)?;
        // What a file says of its size may be wrong; a pipe says nothing.
        let size = file.metadata().map_or(0, |facts| facts.len());
        let size = usize::try_from(size).unwrap_or(most).saturating_add(1);
        let mut bytes = Vec::with_capacity(size.min(most));
        let read = file.take(most as u64).read_to_end(&mut bytes);
        read.map_err(|error| ReadError::Failed(error.to_string()))?;
        Ok(bytes)
    }

    fn utf8(&self, name: &str, most: usize) -> Option<Whole> {
        // A pipe can be read once only.
        let facts = std::fs::metadata(self.path(name)).ok()?;
        if !facts.is_file() {
            return None;
        }
        let size = usize::try_from(facts.len()).ok()?;
        utf8::read(self.file(name).ok()?, size, most)
    }

    fn seekable(&self, name: &str) -> Result<Box<dyn Random>, ReadError> {
        Ok(Box::new(self.file(name)?))
    }

    fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    fn working(&self) -> Option<&str> {
        self.working.as_deref()
    }

    fn has_outside(&self, path: &str) -> bool {
        self.nearby.has_file(path)
    }

    fn through_links(&self, path: &str) -> Option<String> {
        let (folder, own) = path.rsplit_once('/')?;
        let real = self.nearby.real_folder(folder)?;
        let below = real.strip_prefix(self.real_root.as_ref()?).ok()?.to_str()?;
        Some(match below.is_empty() {
            true => own.to_owned(),
            false => format!("{}/{own}", below.replace('\\', "/")),
        })
    }
}
