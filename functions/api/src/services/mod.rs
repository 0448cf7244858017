//! What routes do that is more than reading a record.

pub mod datasets;
pub mod deletion;
pub mod inline;
pub mod manifest;
pub mod results;
pub mod results_by_sample;
pub mod results_by_wer;
pub mod reviews;
pub mod runs;
pub mod signing;
pub mod snapshot;
pub mod uploads;

use std::time::Duration;

/// How often a change is tried again when somebody else was faster.
pub const ATTEMPTS: u32 = 8;

/// A pause before the next attempt, longer each time.
pub async fn pause(attempt: u32) {
    let jitter = stt_eval_shared::access::random::<1>().map_or(0, |[byte]| u64::from(byte) % 16);
    tokio::time::sleep(Duration::from_millis((10 << attempt.min(6)) + jitter)).await;
}
