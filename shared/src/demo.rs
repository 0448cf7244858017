//! A demonstration that a machine may have at hand: recordings, and a run over them. No
//! deployment has one; the embedded cloud does.

use async_trait::async_trait;

use crate::domain::{ProjectId, RunId};

/// Something to look at for those who have nothing of their own yet.
#[async_trait]
pub trait Demo: Send + Sync {
    /// Whether a project can have it.
    fn is_for(&self, project: &ProjectId) -> bool;

    /// The vendor that is simulated for it. What plays it knows the demonstration's
    /// recordings, and fails for others.
    fn stand_in(&self) -> &'static str;

    /// Makes its dataset and its run in a project, and gives the run. What of it is there
    /// already stays as it is: asked for twice, even at once, there is one.
    ///
    /// # Errors
    /// When some part of it could not be made. What was made before is found again.
    async fn load(&self, project: &ProjectId) -> Result<RunId, DemoFailed>;
}

/// The demonstration could not be made: for the log.
#[derive(Debug, thiserror::Error)]
#[error("the demo can't be loaded: {0}")]
pub struct DemoFailed(pub String);
