//! What is resampled.

/// One sample of one provider: errors and reference tokens (words or characters).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sample {
    /// Substitutions, deletions and insertions.
    pub errors: u64,
    /// Reference tokens; 0 where the reference is empty.
    pub reference: u64,
}
