//! Names of objects: made by us, and read again from events.

use crate::domain::unit::UnitKey;
use crate::domain::{DatasetId, FileId, ProjectId, RunId};

/// Key of an uploaded file.
#[must_use]
pub fn audio_key(project: &ProjectId, file: FileId) -> String {
    format!("audio/{project}/{file}")
}

/// Prefix under which people may drop objects themselves.
pub const INCOMING: &str = "incoming/";

/// Prefix of a run's raw provider outputs.
#[must_use]
pub fn run_prefix(project: &ProjectId, run: RunId) -> String {
    format!("runs/{project}/{run}/")
}

/// Prefix of what vendors leave for a run that read audio in the bucket: results before
/// they have landed, and copies of recordings that may change. It goes with the run's
/// outputs.
#[must_use]
pub fn left_prefix(project: &ProjectId, run: RunId) -> String {
    format!("{}vendor/", run_prefix(project, run))
}

/// Key of the raw output that an attempt of a unit brought.
#[must_use]
pub fn raw_key(project: &ProjectId, run: RunId, unit: UnitKey, attempt: u32) -> String {
    format!("{}{unit}/a{attempt}/output.jsonl", run_prefix(project, run))
}

/// Prefix of the transcripts that people sent for a run.
#[must_use]
pub fn import_prefix(project: &ProjectId, run: RunId) -> String {
    format!("imports/{project}/{run}/")
}

/// Key of a block of transcripts, by the digest of all that were sent together.
#[must_use]
pub fn import_key(project: &ProjectId, run: RunId, digest: &str, block: u16) -> String {
    let prefix = import_prefix(project, run);
    format!("{prefix}{digest}/{block:04}.jsonl")
}

/// Prefix of a run's reports. Apart from its outputs, because these can be made
/// again: a rule of the bucket lets them expire.
#[must_use]
pub fn report_prefix(project: &ProjectId, run: RunId) -> String {
    format!("reports/{project}/{run}/")
}

/// Key of a dataset's table of samples.
#[must_use]
pub fn snapshot_key(project: &ProjectId, dataset: DatasetId) -> String {
    format!("datasets/{project}/{dataset}/samples.csv")
}

/// What an object is, and of which project, read from its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectKey {
    /// An upload that was announced.
    Audio(ProjectId, FileId),
    /// Dropped by people: project and path.
    Incoming(ProjectId, String),
}

/// Reads a (decoded) object key. `None` for keys that stand for no file.
#[must_use]
pub fn parse_key(key: &str) -> Option<ObjectKey> {
    if let Some(rest) = key.strip_prefix("audio/") {
        let (project, file) = rest.split_once('/')?;
        return Some(ObjectKey::Audio(project.parse().ok()?, file.parse().ok()?));
    }
    let (project, path) = key.strip_prefix(INCOMING)?.split_once('/')?;
    // A URL has no way to say a dot that stands between slashes: such an object can't be
    // asked for.
    let is_dots = |part: &str| matches!(part, "." | "..");
    if path.is_empty() || path.ends_with('/') || path.split('/').any(is_dots) {
        return None;
    }
    Some(ObjectKey::Incoming(project.parse().ok()?, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_whose_an_object_is() {
        let file = FileId::mint(5, [1; 10]);
        let project: ProjectId = "demo".parse().unwrap();
        assert_eq!(
            parse_key(&audio_key(&project, file)),
            Some(ObjectKey::Audio(project.clone(), file))
        );
        assert_eq!(
            parse_key("incoming/demo/a b/ஒலி.wav"),
            Some(ObjectKey::Incoming(project, "a b/ஒலி.wav".into()))
        );
        for other in [
            "incoming/demo/",
            "incoming/demo",
            "runs/demo/x",
            "audio/demo/x",
            "incoming/D/x",
            "incoming/demo/a/../b.wav",
            "incoming/demo/./b.wav",
        ] {
            assert_eq!(parse_key(other), None, "{other}");
        }
    }
}
