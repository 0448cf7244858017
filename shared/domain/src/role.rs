//! What an API key may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a key may do. Each role may do all that the ones before it may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Read.
    Viewer,
    /// Give feedback on results.
    Reviewer,
    /// Make files, datasets and runs.
    Editor,
    /// Make API keys and keep provider credentials.
    Admin,
}
