//! What is known of a File, and how it is told.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::clock::stamp;
use crate::owner::Owner;

/// A file that was uploaded or generated.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    pub id: String,
    pub owner: Owner,
    pub display_name: Option<String>,
    pub mime_type: String,
    pub size: u64,
    /// Hex digest of the bytes.
    pub sha256: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    /// When processing ends.
    #[serde(with = "time::serde::rfc3339")]
    pub ready: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub expires: OffsetDateTime,
    /// Processing ends in failure, with this message.
    pub failure: Option<String>,
    pub generated: bool,
    /// Whether the bytes are kept.
    pub stored: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileState {
    Processing,
    Active,
    Failed,
}

impl FileState {
    fn name(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Active => "ACTIVE",
            Self::Failed => "FAILED",
        }
    }
}

/// A file as tests see it from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileView {
    /// `files/…`.
    pub name: String,
    /// The last four characters of the API key.
    pub key_last4: String,
    /// The display name given at the upload.
    pub display_name: Option<String>,
    /// The declared type.
    pub mime_type: String,
    /// The size in bytes.
    pub size: u64,
    /// The hex SHA-256 of the bytes.
    pub sha256: String,
    /// `PROCESSING`, `ACTIVE`, `FAILED` or `EXPIRED`.
    pub state: String,
    /// Whether it is the output of a batch.
    pub generated: bool,
}

impl FileRecord {
    pub(crate) fn state(&self, now: OffsetDateTime) -> FileState {
        if now < self.ready {
            FileState::Processing
        } else if self.failure.is_some() {
            FileState::Failed
        } else {
            FileState::Active
        }
    }

    /// Whether it is an output that was named before it is there.
    pub(crate) fn is_late(&self, now: OffsetDateTime) -> bool {
        self.generated && now < self.ready
    }

    /// The resource as the API shows it.
    pub(crate) fn json(&self, base_url: &str, now: OffsetDateTime) -> Value {
        let state = self.state(now);
        let mut file = json!({
            "name": format!("files/{}", self.id),
            "mimeType": self.mime_type,
            "sizeBytes": self.size.to_string(),
            "createTime": stamp(self.created),
            "updateTime": stamp(self.ready.min(now).max(self.created)),
            "expirationTime": stamp(self.expires),
            "sha256Hash": STANDARD.encode(&self.sha256),
            "uri": format!(
                "https://generativelanguage.googleapis.com/v1beta/files/{}",
                self.id
            ),
            "state": state.name(),
            "source": if self.generated { "GENERATED" } else { "UPLOADED" },
        });
        if let Some(name) = &self.display_name {
            file["displayName"] = json!(name);
        }
        if self.generated {
            file["downloadUri"] = json!(format!(
                "{base_url}/download/v1beta/files/{}:download?alt=media",
                self.id
            ));
        }
        if let (FileState::Failed, Some(message)) = (state, &self.failure) {
            file["error"] = json!({"code": 3, "message": message});
        }
        file
    }

    pub(crate) fn view(&self, now: OffsetDateTime) -> FileView {
        FileView {
            name: format!("files/{}", self.id),
            key_last4: self.owner.last4.clone(),
            display_name: self.display_name.clone(),
            mime_type: self.mime_type.clone(),
            size: self.size,
            sha256: self.sha256.clone(),
            state: if self.expires <= now {
                "EXPIRED".to_owned()
            } else {
                self.state(now).name().to_owned()
            },
            generated: self.generated,
        }
    }
}
