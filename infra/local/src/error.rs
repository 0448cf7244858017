//! Why the machine did not start.

/// The machine can't start, or not stop cleanly. One line for people.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NodeError(pub String);
