//! A batch as its provider tells of it.

use serde::{Deserialize, Serialize};

/// State of a batch at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Waiting at the provider.
    Pending,
    /// Being worked on.
    Running,
    /// Done; items may still have failed one by one.
    Succeeded,
    /// The batch as a whole failed.
    Failed,
    /// Cancelled; finished items may have results.
    Cancelled,
    /// Not processed in the provider's time; nothing to collect.
    Expired,
    /// A state this version does not know: keep polling, raise an alarm.
    Unknown(String),
}

impl BatchState {
    /// Whether nothing changes any more. A state that is not known may be
    /// anything.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Expired => true,
            Self::Pending | Self::Running | Self::Unknown(_) => false,
        }
    }
}
