//! What can be done with files, datasets, runs and their results. Nothing in here
//! knows of HTTP.

pub mod attempt;
pub mod catalogue;
pub mod credentials;
pub mod datasets;
pub mod deletion;
pub mod estimate;
pub mod files;
pub mod keys;
pub mod models;
pub mod named;
pub mod report;
pub mod results;
pub mod runs;
pub mod samples;
pub mod sessions;
pub mod signing;
pub mod spreadsheet;
pub mod transcripts;

use stt_eval_shared::domain::RunId;

/// Bytes after which a page ends, whatever its limit. An answer of Lambda has
/// at most 6 MB, quoted once more as a string inside the gateway's event; one
/// item fits into what is left above this.
pub const MAX_PAGE_BYTES: usize = 3_500_000;

/// Gives every further line of the log the run that a request turned out to be
/// about.
pub fn about_run(run: RunId) {
    tracing::Span::current().record("run_id", tracing::field::display(run));
}
