//! What the pieces of one invocation share: what was seen, how many collections
//! there are at once, and what is to be recorded.

use std::sync::{Mutex, PoisonError};

use stt_eval_shared::metrics::Cycle;
use tokio::sync::Semaphore;

use super::chunks::Chunks;
use super::record::{Recorder, Writer};

/// Collections under way at once, whatever the number of credentials: each has
/// an output in memory.
const COLLECTIONS: usize = 8;

/// One invocation's share of the work.
pub(crate) struct Pass {
    seen: Mutex<Cycle>,
    /// A permit for each piece of work that may come to a collection.
    pub(crate) collections: Semaphore,
    /// Samples that were read.
    pub(crate) chunks: Chunks,
    /// Where collections begin.
    pub(crate) writer: Writer,
    /// Where they end.
    pub(crate) recorder: Recorder,
}

impl Default for Pass {
    fn default() -> Self {
        Self {
            seen: Mutex::default(),
            collections: Semaphore::new(COLLECTIONS),
            chunks: Chunks::default(),
            writer: Writer::default(),
            recorder: Recorder::default(),
        }
    }
}

impl Pass {
    /// Notes something for the metrics of this invocation.
    pub(crate) fn note(&self, see: impl FnOnce(&mut Cycle)) {
        see(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
