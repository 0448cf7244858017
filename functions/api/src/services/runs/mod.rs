//! Runs: accepting them, reading them, stopping them, trying them and scoring them again.

mod accept;
pub mod check;
mod control;
mod read;
pub mod rescore;

pub use accept::accept;
pub(in crate::services) use accept::{Credentials, announce, check_run};
pub use control::{cancel, retry};
pub use read::{Changed, References, changed_since, find, references, waiting, was_scored_before};
