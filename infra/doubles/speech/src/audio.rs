//! What is heard.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use ring::digest::{SHA256, digest};

/// One audio file.
#[derive(Debug, Clone)]
pub(crate) struct Audio {
    /// SHA-256, in hexadecimal.
    pub sha256: String,
    /// Length by its size: 32,000 bytes a second, as 16 kHz PCM has.
    pub seconds: f64,
}

impl Audio {
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: hex::encode(digest(&SHA256, bytes)),
            seconds: bytes.len() as f64 / 32_000.0,
        }
    }
}

/// Texts by the SHA-256 of their audio; without one, its first digits are heard.
#[derive(Debug, Default)]
pub(crate) struct Recordings(RwLock<HashMap<String, String>>);

impl Recordings {
    pub fn add(&self, sha256: String, text: String) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(sha256, text);
    }

    pub fn hear(&self, audio: &Audio) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let recorded = known.get(&audio.sha256).cloned();
        recorded.unwrap_or_else(|| audio.sha256.chars().take(8).collect())
    }
}
