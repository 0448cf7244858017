//! What a simulator is started with.

use std::path::PathBuf;
use std::time::Duration;

use crate::faults::FaultRule;
use crate::recordings::Recordings;

const HOUR: u64 = 3600;

/// Settings of one simulator; [`SimConfig::default`] has the documented limits.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// The audio that can be answered.
    pub recordings: Recordings,
    /// From the creation of a batch to its end: the first third is
    /// `PENDING`, the rest `RUNNING`.
    pub batch_delay: Duration,
    /// The API keys that are valid; `None` takes any that is not empty.
    pub accepted_keys: Option<Vec<String>>,
    /// Where files and batches are kept over restarts; `None` keeps them in a
    /// temporary directory that goes with the simulator.
    pub state_dir: Option<PathBuf>,
    /// How long an uploaded or generated file lives.
    pub file_ttl: Duration,
    /// After this time a batch that has not ended is `EXPIRED`.
    pub batch_ttl: Duration,
    /// Batches one API key may have open at a time.
    pub max_open_batches: usize,
    /// The largest file.
    pub max_file_bytes: u64,
    /// What the files of one API key may hold together.
    pub max_stored_bytes: u64,
    /// Every upload chunk but the last must be a multiple of this.
    pub chunk_granularity: u64,
    /// Refuse the old type name `jsonl`; only `application/jsonl` remains.
    pub strict_mime: bool,
    /// The address clients know the simulator by, if not that of the listener.
    pub public_url: Option<String>,
    /// Faults that are set from the beginning.
    pub faults: Vec<FaultRule>,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            recordings: Recordings::default(),
            batch_delay: Duration::from_millis(500),
            accepted_keys: None,
            state_dir: None,
            file_ttl: Duration::from_secs(48 * HOUR),
            batch_ttl: Duration::from_secs(48 * HOUR),
            max_open_batches: 100,
            max_file_bytes: 2 << 30,
            max_stored_bytes: 20 << 30,
            chunk_granularity: 8 << 20,
            strict_mime: false,
            public_url: None,
            faults: Vec::new(),
        }
    }
}
