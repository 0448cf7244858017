//! What `submit` and `poll` do alike with a unit: opening the account that it is
//! sent with, stepping it with its effects, releasing admission, and discarding
//! what was made for it.
//!
//! All of it fails with [`Failure`]: the piece of work could not be done now, and
//! comes again.

pub mod account;
pub mod admission;
pub mod after_start;
pub mod discard;
mod failure;
pub mod step;

pub use failure::Failure;
