//! What routes do that is more than reading a record.

pub mod dataset_checks;
pub mod datasets;
pub mod deletion;
pub mod inline;
pub mod manifest;
pub mod report;
pub mod rescore;
pub mod results;
pub mod results_by_sample;
pub mod results_by_wer;
pub mod reviews;
pub mod run_checks;
pub mod runs;
pub mod signing;
pub mod snapshot;
pub mod uploads;

use std::time::Duration;

/// Bytes after which a page ends, whatever its limit. An answer of Lambda has
/// at most 6 MB, quoted once more as a string inside the gateway's event; one
/// item fits into what is left above this.
pub const MAX_PAGE_BYTES: usize = 3_500_000;

/// How often a change is tried again when somebody else was faster.
pub const ATTEMPTS: u32 = 8;

/// A pause before the next attempt, longer each time.
pub async fn pause(attempt: u32) {
    let jitter = stt_eval_shared::access::random::<1>().map_or(0, |[byte]| u64::from(byte) % 16);
    tokio::time::sleep(Duration::from_millis((10 << attempt.min(6)) + jitter)).await;
}
