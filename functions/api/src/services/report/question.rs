//! What a report and a comparison are asked to show.

/// What a report is asked to show.
#[derive(Debug, Clone, Default)]
pub struct ReportQuestion {
    /// Metadata field that makes blocks.
    pub block_by: Option<String>,
    /// Metadata field to break down by.
    pub group_by: Option<String>,
    /// Normaliser of the scoring.
    pub normalizer: Option<String>,
    /// Number of the scoring.
    pub scoring: Option<u16>,
}

/// What a comparison is asked to show.
#[derive(Debug, Clone, Default)]
pub struct ComparisonQuestion {
    /// Metadata field that makes blocks.
    pub block_by: Option<String>,
    /// Normaliser of both scorings; without one, that of the run's.
    pub normalizer: Option<String>,
}
