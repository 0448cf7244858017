//! API keys and provider credentials.

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use stt_eval_shared::access::credentials::SealedCredential;
use stt_eval_shared::access::keys::{KeyRecord, Role};
use stt_eval_shared::domain::{KeyId, Timestamp};
use utoipa::ToSchema;

/// Text that is never shown, not even by `Debug`.
#[derive(Debug)]
pub struct SecretText(pub SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

/// A provider's key to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    /// The key: 8 to 512 visible ASCII characters. It never comes back.
    #[schema(value_type = String, write_only, min_length = 8, max_length = 512, pattern = "^[!-~]+$")]
    pub api_key: SecretText,
}

/// A provider's key that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct CredentialView {
    /// Provider it is for.
    #[schema(example = "google")]
    pub provider: String,
    /// All that ever comes back of it.
    pub last_four: String,
    /// When a key was first kept for the provider.
    pub inserted_at: Timestamp,
    /// When it was last replaced.
    pub updated_at: Timestamp,
}

impl From<SealedCredential> for CredentialView {
    fn from(sealed: SealedCredential) -> Self {
        Self {
            provider: sealed.provider,
            last_four: sealed.last_four,
            inserted_at: sealed.inserted_at,
            updated_at: sealed.updated_at,
        }
    }
}

/// An API key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// Name; 1 to 255 characters.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// An API key.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyView {
    /// Identity.
    pub id: KeyId,
    /// Name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Last four characters.
    pub last_four: String,
    /// When it was made.
    pub inserted_at: Timestamp,
    /// The same: keys do not change.
    pub updated_at: Timestamp,
}

impl From<KeyRecord> for KeyView {
    fn from(record: KeyRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            role: record.role,
            last_four: record.last_four,
            inserted_at: record.inserted_at,
            updated_at: record.inserted_at,
        }
    }
}

/// An API key just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedKey {
    /// The key as it is listed from now on.
    #[serde(flatten)]
    pub record: KeyView,
    /// The key itself, told this once; null when a request is repeated with
    /// its `Idempotency-Key`.
    pub key: Option<String>,
}
