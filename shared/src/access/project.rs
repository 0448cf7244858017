//! A project: a tenant, and what only the server knows of it.

use serde::{Deserialize, Serialize};

use crate::domain::{ProjectId, Timestamp};

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its name, and the beginning of every key of its items and objects.
    pub id: ProjectId,
    /// Secret that cursors of this project are signed with, hex.
    pub cursor_secret: String,
    /// When it was made, by this service's clock.
    pub inserted_at: Timestamp,
}
