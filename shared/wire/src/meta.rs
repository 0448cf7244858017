//! About the service itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// That the service answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`.
    #[schema(example = "ok")]
    pub status: String,
}
