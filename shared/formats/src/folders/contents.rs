//! The files of a folder, and what is asked of them.

use crate::detect::format_of;
use crate::files::{Files, beside, parent};
use crate::format::Format;

/// A folder.
pub(super) struct Folder<'a> {
    files: &'a dyn Files,
    pub(super) names: Vec<&'a str>,
    /// Folders that all files are in: a ZIP of a Mac has one more than its folder.
    top: usize,
}

/// How many folders all files are in.
fn top_of(names: &[&str]) -> usize {
    let (Some(first), Some(last)) = (names.first(), names.last()) else {
        return 0;
    };
    // What the first and the last of sorted names begin with, all begin with.
    let parts = parent(first).split('/').zip(parent(last).split('/'));
    parts
        .take_while(|(one, other)| one == other && !one.is_empty())
        .count()
}

impl<'a> Folder<'a> {
    /// Of the names of its files, sorted.
    pub(super) fn of(files: &'a dyn Files, names: Vec<&'a str>) -> Self {
        let top = top_of(&names);
        Self { files, names, top }
    }

    pub(super) fn with(&self, test: impl Fn(&str) -> bool) -> Vec<&'a str> {
        self.names
            .iter()
            .copied()
            .filter(|name| test(name))
            .collect()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.binary_search(&name).is_ok()
    }

    /// Whether there is such a folder beside a file.
    pub(super) fn has_folder(&self, name: &str, folder: &str) -> bool {
        let path = format!("{}/", beside(name, folder));
        self.names.iter().any(|name| name.starts_with(&path))
    }

    /// How many folders a file is in, below those that all are in.
    pub(super) fn depth(&self, name: &str) -> usize {
        name.matches('/').count().saturating_sub(self.top)
    }

    pub(super) fn format(&self, name: &str) -> Option<Format> {
        format_of(self.files, name).ok()
    }
}
