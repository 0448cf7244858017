//! What the pieces of one cycle share: what was seen, how many collections
//! there are at once, and what is to be recorded.

use std::sync::{Mutex, PoisonError};

use stt_eval_shared::cloudwatch::CycleFigures;
use tokio::sync::Semaphore;

use super::units::chunks::Chunks;
use super::units::record::Recorder;
use super::units::writer::Writer;

/// Collections under way at once, whatever the number of credentials: each has
/// an output in memory.
const COLLECTIONS: usize = 8;

/// One cycle of the schedule: what its pieces of work share.
pub(crate) struct Cycle {
    seen: Mutex<CycleFigures>,
    /// A permit for each piece of work that may come to a collection.
    pub(crate) collections: Semaphore,
    /// Samples that were read.
    pub(crate) chunks: Chunks,
    /// Writes units that begin to be collected, several at once.
    pub(crate) writer: Writer,
    /// Writes units that were collected, several at once.
    pub(crate) recorder: Recorder,
}

impl Default for Cycle {
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

impl Cycle {
    /// Notes something for the metrics of this invocation.
    pub(crate) fn note(&self, see: impl FnOnce(&mut CycleFigures)) {
        see(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
