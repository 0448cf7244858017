//! What one credential has at its provider: open batches, what is left of them, and
//! audio.

pub(crate) mod audio;
pub(crate) mod poll;
pub(crate) mod reconcile;
