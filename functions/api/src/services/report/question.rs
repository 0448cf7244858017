//! What a report is asked to show.

/// What a report is asked to show.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Metadata field that makes blocks.
    pub block_by: Option<String>,
    /// Metadata field to break down by.
    pub group_by: Option<String>,
    /// Normaliser of the scoring.
    pub normalizer: Option<String>,
    /// Number of the scoring.
    pub scoring: Option<u16>,
}
