//! What a piece of work needs to begin, and why it could not be done now.

use std::time::Duration;

use stt_eval_shared::domain::ProjectId;
use stt_eval_shared::store::StoreError;
pub use stt_eval_shared::work::Failure;

/// Least time that must be left to begin another piece.
pub(crate) const NEEDED: Duration = Duration::from_secs(10);

/// The project in whose partition a due item lies.
pub(crate) fn project(pk: &str) -> Result<ProjectId, Failure> {
    pk.parse()
        .map_err(|_| Failure::Setup("a due item belongs to no project"))
}

/// The result of a write that another write may have been faster than: that one
/// has said when the item is due, too.
pub(crate) fn unless_changed(result: Result<(), StoreError>) -> Result<(), Failure> {
    match result {
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
