//! Recorded transcriptions, by the SHA-256 of the audio and the model.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

/// What a model answered to one audio.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// The transcription.
    #[serde(default)]
    pub text: String,
    /// The finish reason; `None` is `STOP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// The prompt was blocked for this reason: there are no candidates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_reason: Option<String>,
    /// The length of the audio; without it the length is estimated from the
    /// size: 32,000 bytes a second for WAV, 16,000 for FLAC, 8,000 otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<f64>,
    /// Thinking tokens to bill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thoughts_tokens: Option<u64>,
    /// Anything the author wants to say; not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Recording {
    /// A plain answer that ended with `STOP`.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// An answer that ended for another reason.
    pub fn finished(reason: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            finish_reason: Some(reason.into()),
            ..Self::text(text)
        }
    }
}

/// Why recordings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be read.
    #[error("recordings cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// A line is not a recording.
    #[error("line {line}: {message}")]
    Line {
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
}

#[derive(Deserialize)]
struct Line {
    sha256: String,
    model: String,
    #[serde(flatten)]
    recording: Recording,
}

type Key = (String, String);

/// A set of recordings; clones share it, so it can grow under a running simulator.
#[derive(Debug, Clone, Default)]
pub struct Recordings {
    map: Arc<RwLock<HashMap<Key, Recording>>>,
}

impl Recordings {
    /// Reads a JSONL file: `{"sha256","model","text",…}` a line; further
    /// members are ignored.
    ///
    /// # Errors
    /// When the file cannot be read or a line is not a recording.
    pub fn load(path: &Path) -> Result<Self, RecordingError> {
        let recordings = Self::default();
        recordings.add_jsonl(&std::fs::read_to_string(path)?)?;
        Ok(recordings)
    }

    /// Adds recordings from JSONL text and says how many; none if a line is bad.
    ///
    /// # Errors
    /// When a line is not a recording.
    pub fn add_jsonl(&self, text: &str) -> Result<usize, RecordingError> {
        let mut parsed = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let bad = |message: String| RecordingError::Line {
                line: index + 1,
                message,
            };
            let line: Line = serde_json::from_str(line).map_err(|e| bad(e.to_string()))?;
            let digits = line.sha256.bytes().all(|b| b.is_ascii_hexdigit());
            if line.sha256.len() != 64 || !digits {
                return Err(bad("sha256 must be 64 hex digits".to_owned()));
            }
            parsed.push(line);
        }
        let count = parsed.len();
        for line in parsed {
            self.insert(&line.sha256, &line.model, line.recording);
        }
        Ok(count)
    }

    /// Adds or replaces one recording; the model may be written with `models/`.
    pub fn insert(&self, sha256: &str, model: &str, recording: Recording) {
        self.map
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key(sha256, model), recording);
    }

    /// The recording of an audio by a model.
    pub fn get(&self, sha256: &str, model: &str) -> Option<Recording> {
        self.map
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key(sha256, model))
            .cloned()
    }

    /// How many recordings there are.
    pub fn len(&self) -> usize {
        self.map
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn key(sha256: &str, model: &str) -> Key {
    (
        sha256.to_ascii_lowercase(),
        model.trim_start_matches("models/").to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jsonl_is_read_and_a_bad_line_adds_nothing() {
        let sha = "A".repeat(64);
        let recordings = Recordings::default();
        let good = format!(r#"{{"sha256":"{sha}","model":"m","text":"hi","clip":"x.wav"}}"#);
        let bad = format!("{good}\n{{\"sha256\":\"zz\",\"model\":\"m\"}}");
        assert!(recordings.add_jsonl(&bad).is_err());
        assert!(recordings.is_empty());
        assert_eq!(recordings.add_jsonl(&good).unwrap(), 1);
        let found = recordings.get(&"a".repeat(64), "models/m").unwrap();
        assert_eq!(found, Recording::text("hi"));
    }
}
