//! What readers of manifests work with.

use super::row::{Options, Reading};
use crate::files::{self, Files};
use crate::finding::Findings;
use crate::problem::Problem;

/// What readers work with.
pub(crate) struct Reader<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) options: &'a Options,
    pub(crate) findings: &'a mut Findings,
    pub(crate) reading: Reading,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        files: &'a dyn Files,
        options: &'a Options,
        findings: &'a mut Findings,
    ) -> Self {
        Self {
            files,
            options,
            findings,
            reading: Reading::default(),
        }
    }

    /// A file as text; it is then one of those that were read.
    pub(crate) fn text(&mut self, name: &str) -> Result<String, Problem> {
        let decoded = files::text(self.files, name)?;
        self.reading.encoding.get_or_insert(decoded.encoding);
        self.reading.remarks.extend(decoded.remark(name));
        self.reading.files.push(name.to_owned());
        Ok(decoded.text.into_string())
    }

    /// Whether there is such a file.
    pub(crate) fn has(&self, name: &str) -> bool {
        let names = self.files.names();
        names.binary_search_by(|one| one.as_str().cmp(name)).is_ok()
    }
}
