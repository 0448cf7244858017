//! What is wrong with, or odd about, single rows of a source: data, not errors.

use std::collections::BTreeMap;

use serde::Serialize;

/// Kinds of findings. Those that are errors make a row unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// There is no such recording.
    MissingAudio,
    /// The recording can't be used.
    RefusedAudio,
    /// Another row has this recording already.
    SameAudio,
    /// The recording lies outside the folder.
    OutsideFolder,
    /// The row can't be read.
    BadRow,
    /// The reference has markup that means nothing.
    BadMarkup,
    /// The cell of the text is empty: what is said is not known.
    EmptyText,
    /// The row has no text at all.
    NoText,
    /// The text is in another script than its language.
    WrongScript,
    /// Many rows have this text.
    SameText,
    /// Several rows have this id.
    DuplicateId,
    /// The audio is a command of a shell, which is never run.
    Command,
    /// Two columns could hold the text; one was taken.
    TwoTextColumns,
    /// No length, or more than an hour.
    OddDuration,
    /// The format or its writer has lost or changed something.
    LossySource,
}

impl FindingKind {
    /// Whether the row is unusable.
    #[must_use]
    pub const fn is_error(self) -> bool {
        matches!(
            self,
            Self::MissingAudio
                | Self::RefusedAudio
                | Self::SameAudio
                | Self::OutsideFolder
                | Self::BadRow
                | Self::BadMarkup
        )
    }

    /// `error` or `warning`.
    #[must_use]
    pub const fn severity(self) -> &'static str {
        if self.is_error() { "error" } else { "warning" }
    }
}

/// Most findings that are kept of a kind; what is beyond is counted.
pub const MOST_OF_A_KIND: usize = 1_000;

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Kind.
    pub kind: FindingKind,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The file inside the source.
    pub file: Option<String>,
    /// Line, from 1, as an editor counts.
    pub line: Option<u64>,
    /// Id of the row.
    pub id: Option<String>,
    /// What was found; no text of a transcript.
    pub message: String,
}

/// Findings of a source, up to a bound of each kind.
#[derive(Debug, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    counts: BTreeMap<FindingKind, usize>,
    /// How many of them have no id.
    without_row: BTreeMap<FindingKind, usize>,
}

impl Findings {
    /// Adds one of the whole source.
    pub fn of_source(&mut self, kind: FindingKind, message: impl Into<String>) {
        self.push(kind, None, None, None, message.into());
    }

    /// Adds one of a line.
    pub fn of_line(
        &mut self,
        kind: FindingKind,
        file: &str,
        line: u64,
        message: impl Into<String>,
    ) {
        self.push(
            kind,
            Some(file.to_owned()),
            Some(line),
            None,
            message.into(),
        );
    }

    /// Adds one of a row that has an id.
    pub fn of_row(
        &mut self,
        kind: FindingKind,
        file: &str,
        line: u64,
        id: &str,
        message: impl Into<String>,
    ) {
        let (file, id) = (file.to_owned(), id.to_owned());
        self.push(kind, Some(file), Some(line), Some(id), message.into());
    }

    fn push(
        &mut self,
        kind: FindingKind,
        file: Option<String>,
        line: Option<u64>,
        id: Option<String>,
        message: String,
    ) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if id.is_none() {
            *self.without_row.entry(kind).or_default() += 1;
        }
        if *count <= MOST_OF_A_KIND {
            self.kept.push(Finding {
                kind,
                severity: kind.severity(),
                file,
                line,
                id,
                message,
            });
        }
    }

    /// Says something else in the place of one of a line.
    pub(crate) fn reword(
        &mut self,
        kind: FindingKind,
        (file, line): (&str, u64),
        told: &str,
        message: &str,
    ) {
        let is_it = |one: &&mut Finding| {
            let place = (one.file.as_deref(), one.line);
            one.kind == kind && place == (Some(file), Some(line)) && one.message == told
        };
        if let Some(found) = self.kept.iter_mut().find(is_it) {
            message.clone_into(&mut found.message);
        }
    }

    /// How many there are of a kind, those included that are not kept.
    #[must_use]
    pub fn count(&self, kind: FindingKind) -> usize {
        self.counts.get(&kind).copied().unwrap_or_default()
    }

    /// How many there are of a kind that are of no row that has an id, those included that are not
    /// kept: a row that can't be read is no utterance.
    #[must_use]
    pub fn count_without_row(&self, kind: FindingKind) -> usize {
        self.without_row.get(&kind).copied().unwrap_or_default()
    }

    /// How many are errors, those included that are not kept.
    #[must_use]
    pub fn errors(&self) -> usize {
        let of_errors = self.counts.iter().filter(|(kind, _)| kind.is_error());
        of_errors.map(|(_, count)| count).sum()
    }

    /// Those that are kept, in the order they were found.
    #[must_use]
    pub fn kept(&self) -> &[Finding] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_is_counted() {
        let (kind, rows, bad) = (FindingKind::BadRow, MOST_OF_A_KIND + 500, 3);
        let mut findings = Findings::default();
        for line in 1..=rows as u64 {
            findings.of_row(kind, "m.csv", line, "id", "can't be read");
        }
        for line in 1..=bad {
            findings.of_line(kind, "m.csv", line, "can't be read");
        }
        findings.of_source(FindingKind::LossySource, "has lost something");
        assert_eq!(findings.count(kind), rows + 3);
        assert_eq!(findings.count_without_row(kind), 3);
        assert_eq!(findings.count_without_row(FindingKind::LossySource), 1);
        assert_eq!(findings.count_without_row(FindingKind::NoText), 0);
        let kept = findings.kept().iter().filter(|one| one.kind == kind);
        assert_eq!(kept.count(), MOST_OF_A_KIND);
    }
}
