//! API keys and provider credentials.

use serde::{Deserialize, Serialize};
use stt_eval_domain::{KeyId, SessionId, Timestamp};
use utoipa::ToSchema;

pub use stt_eval_domain::role::Role;

use crate::secret::SecretText;

/// A provider's key to be kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    /// The key: 8 to 512 visible ASCII characters. It never comes back.
    #[schema(value_type = String, write_only, min_length = 8, max_length = 512, pattern = "^[!-~]+$")]
    pub api_key: SecretText,
    /// Where the provider is to work on what it is sent, of those that its models name in
    /// `regions`; its usual place if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "eu")]
    pub region: Option<String>,
}

/// A provider's key that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = CredentialView)]
pub struct Credential {
    /// Provider it is for.
    #[schema(example = "google")]
    pub provider: String,
    /// All that ever comes back of it.
    pub last_four: String,
    /// Where the provider is to work with it; absent for its usual place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// When a key was first kept for the provider.
    pub inserted_at: Timestamp,
    /// When it was last replaced.
    pub updated_at: Timestamp,
}

/// An API key to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// Name; 1 to 255 characters.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// An API key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = KeyView)]
pub struct ApiKey {
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

/// A session of the pages that is good now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = SessionView)]
pub struct Session {
    /// Identity. It opens nothing by itself.
    pub id: SessionId,
    /// The name that was given at sign-in.
    pub reviewer_name: String,
    /// The key that was used to sign in; the session has its rights and ends with it.
    pub key_id: KeyId,
    /// Name of the key.
    pub key_name: String,
    /// When it began.
    pub inserted_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// What a key may do. Each right is in a role and in all stronger ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See everything but keys.
    Read,
    /// Give feedback on results.
    Review,
    /// Make, change and delete files, datasets and runs.
    Edit,
    /// Keep API keys, keys of providers, and models of the project's own.
    Administer,
}

impl Right {
    /// The rights of a role.
    #[must_use]
    pub fn of(role: Role) -> Vec<Self> {
        let all = [
            (Self::Read, Role::Viewer),
            (Self::Review, Role::Reviewer),
            (Self::Edit, Role::Editor),
            (Self::Administer, Role::Admin),
        ];
        let held = all.into_iter().filter(|(_, needed)| role >= *needed);
        held.map(|(right, _)| right).collect()
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = WhoAmIView)]
pub struct WhoAmI {
    /// The project that the key opens.
    pub project: String,
    /// The key.
    pub key: ApiKey,
    /// What it may do.
    pub may: Vec<Right>,
}

/// An API key just made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreatedKey {
    /// The key as it is listed from now on.
    #[serde(flatten)]
    pub record: ApiKey,
    /// The key itself, told this once; null when a request is repeated with
    /// its `Idempotency-Key`.
    #[schema(value_type = Option<String>)]
    pub key: Option<SecretText>,
}
