//! What is resampled.

/// One sample of one provider: errors and reference tokens (words or characters).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sample {
    /// Substitutions, deletions and insertions.
    pub errors: u64,
    /// Reference tokens; 0 where the reference is empty.
    pub reference: u64,
}

impl Sample {
    /// Pooled rate of one block.
    pub(super) fn rate(self) -> f64 {
        self.errors as f64 / self.reference.max(1) as f64
    }
}
