//! What the handlers share.

use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use crate::clock::Clock;
use crate::config::SimConfig;
use crate::faults::Faults;
use crate::file_record::FileView;
use crate::ledger::LedgerBook;
use crate::session::Sessions;
use crate::store::State;

/// Everything the handlers share.
pub(crate) struct Sim {
    /// For work that must go on when its request is dropped.
    pub me: Weak<Sim>,
    pub config: SimConfig,
    pub base_url: String,
    pub clock: Clock,
    pub faults: Faults,
    pub ledger: LedgerBook,
    pub sessions: Sessions,
    pub state: Mutex<State>,
    /// Removed with the simulator when there is no state directory.
    pub _scratch: Option<tempfile::TempDir>,
}

impl Sim {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn file_views(&self) -> Vec<FileView> {
        let now = self.clock.now();
        let state = self.state();
        let mut all: Vec<_> = state.all_files().collect();
        all.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        all.into_iter().map(|file| file.view(now)).collect()
    }
}
