//! Whose a resource is.

use serde::{Deserialize, Serialize};

use crate::clock::sha256_hex;

/// What a resource belongs to: an API key, of which only a hash and the last
/// four characters are kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub hash: String,
    pub last4: String,
}

impl Owner {
    pub(crate) fn of(key: &str) -> Self {
        Self {
            hash: sha256_hex(key.as_bytes())[..32].to_owned(),
            last4: last4(key),
        }
    }
}

/// The last four characters of a key.
pub(crate) fn last4(key: &str) -> String {
    let skip = key.chars().count().saturating_sub(4);
    key.chars().skip(skip).collect()
}
