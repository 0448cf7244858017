//! API keys and provider credentials.

use stt_eval_shared::access::credentials::SealedCredential;
use stt_eval_shared::access::keys::KeyRecord;
use stt_eval_shared::wire::access::{ApiKey, CreatedKey, Credential};
use stt_eval_shared::wire::secret::SecretText;

/// All that is shown of a provider's key.
#[must_use]
pub fn credential(sealed: SealedCredential) -> Credential {
    Credential {
        provider: sealed.provider,
        last_four: sealed.last_four,
        region: sealed.region,
        inserted_at: sealed.inserted_at,
        updated_at: sealed.updated_at,
    }
}

/// An API key.
#[must_use]
pub fn key(record: KeyRecord) -> ApiKey {
    ApiKey {
        id: record.id,
        name: record.name,
        role: record.role,
        last_four: record.last_four,
        inserted_at: record.inserted_at,
        updated_at: record.inserted_at,
    }
}

/// An API key and, where it was just made, its text.
#[must_use]
pub fn created_key(record: KeyRecord, text: Option<SecretText>) -> CreatedKey {
    CreatedKey {
        record: key(record),
        key: text,
    }
}
