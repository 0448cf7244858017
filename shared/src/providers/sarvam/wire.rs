//! Requests and answers, as far as they are of use.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[derive(Debug, Serialize)]
pub(super) struct Init<'a> {
    pub(super) job_parameters: Parameters<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct Parameters<'a> {
    pub(super) language_code: &'a str,
    pub(super) model: &'a str,
    pub(super) mode: &'a str,
    /// Tells how far the audio was heard.
    pub(super) with_timestamps: bool,
    /// Costs half as much again.
    pub(super) with_diarization: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct JobMade {
    pub(super) job_id: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Files<'a> {
    pub(super) job_id: &'a str,
    pub(super) files: &'a [String],
}

#[derive(Debug, Deserialize)]
pub(super) struct UploadUrls {
    pub(super) upload_urls: BTreeMap<String, Signed>,
}

#[derive(Debug, Deserialize)]
pub(super) struct DownloadUrls {
    pub(super) download_urls: BTreeMap<String, Signed>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Signed {
    pub(super) file_url: String,
}

/// What the vendor says of a job.
#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) job_id: String,
    pub(super) job_state: String,
    #[serde(default)]
    pub(super) created_at: Option<String>,
    #[serde(default)]
    pub(super) updated_at: Option<String>,
    #[serde(default)]
    pub(super) error_message: Option<String>,
    #[serde(default)]
    pub(super) job_details: Option<Vec<Task>>,
}

/// What became of one file.
#[derive(Debug, Deserialize)]
pub(super) struct Task {
    #[serde(default)]
    pub(super) inputs: Option<Vec<File>>,
    #[serde(default)]
    pub(super) outputs: Option<Vec<File>>,
    #[serde(default)]
    pub(super) state: Option<String>,
    #[serde(default)]
    pub(super) error_message: Option<String>,
    #[serde(default)]
    pub(super) exception_name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct File {
    pub(super) file_name: String,
}

/// A file without a transcript, as it is kept in its place.
#[derive(Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct FailedFile {
    pub(super) state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error_message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) exception_name: Option<String>,
}

/// State of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Made, and not started: nothing is charged.
    Accepted,
    Pending,
    Running,
    /// Over, with files that failed or without.
    Completed,
    Failed,
    /// Not known here. It was started: what is not may be told only by the one state
    /// that says so.
    Other(String),
}

impl Status {
    pub(super) fn state(&self) -> State {
        // Prose and client differ in how the last one but one is written.
        match &*self.job_state.to_ascii_lowercase().replace('_', "") {
            "accepted" => State::Accepted,
            "pending" => State::Pending,
            "running" => State::Running,
            "completed" | "partiallycompleted" => State::Completed,
            "failed" => State::Failed,
            _ => State::Other(self.job_state.clone()),
        }
    }

    pub(super) fn created_at(&self) -> Option<OffsetDateTime> {
        self.created_at.as_deref().and_then(read_time)
    }

    /// When it changed last.
    pub(super) fn changed_at(&self) -> Option<OffsetDateTime> {
        let updated = self.updated_at.as_deref().and_then(read_time);
        updated.or_else(|| self.created_at())
    }

    pub(super) fn tasks(&self) -> &[Task] {
        self.job_details.as_deref().unwrap_or_default()
    }
}

impl Task {
    /// Name of the file that it is of.
    pub(super) fn input(&self) -> Option<&str> {
        Some(&*self.inputs.as_ref()?.first()?.file_name)
    }

    /// Name of the file that it brought.
    pub(super) fn output(&self) -> Option<&str> {
        Some(&*self.outputs.as_ref()?.first()?.file_name)
    }
}

/// A time, which may lack its zone: it is that of the vendor's clock then, UTC.
fn read_time(text: &str) -> Option<OffsetDateTime> {
    let read = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    read(text).or_else(|| read(&format!("{text}Z")))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn states_and_times_are_read() {
        let status = |state: &str, at: &str| -> Status {
            let text = serde_json::json!({ "job_id": "j", "job_state": state, "created_at": at, "job_details": null });
            serde_json::from_value(text).unwrap()
        };
        for (text, state) in [
            ("Accepted", State::Accepted),
            ("PENDING", State::Pending),
            ("Running", State::Running),
            ("Completed", State::Completed),
            ("PartiallyCompleted", State::Completed),
            ("Partially_Completed", State::Completed),
            ("Failed", State::Failed),
            ("Paused", State::Other("Paused".to_owned())),
        ] {
            assert_eq!(status(text, "").state(), state, "{text}");
        }
        let at = datetime!(2026-11-26 10:00:00.5 UTC);
        for text in ["2026-11-26T10:00:00.5Z", "2026-11-26T10:00:00.500"] {
            assert_eq!(status("Running", text).changed_at(), Some(at), "{text}");
        }
        assert_eq!(status("Running", "yesterday").changed_at(), None);
    }
}
