//! Models of a project's own, as they are kept.

use serde::{Deserialize, Serialize};

use super::credentials::SealedCredential;
use crate::domain::endpoint::Endpoint;

/// A model of a project's own: its credential, and where and how it is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnModelRecord {
    /// Its key, sealed together with its address; of one without a key the address alone.
    #[serde(flatten)]
    pub credential: SealedCredential,
    /// All else.
    pub endpoint: Endpoint,
    /// Revision, for conditional writes; the first is 1.
    pub rev: u64,
}

impl OwnModelRecord {
    /// Whether it has a key.
    #[must_use]
    pub fn has_key(&self) -> bool {
        !self.credential.last_four.is_empty()
    }
}
