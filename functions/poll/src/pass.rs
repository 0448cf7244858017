//! What the pieces of one invocation share: what was seen, the run that
//! collections add to, the room that they give back, and how many there are at
//! once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use stt_eval_shared::App;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::{Unit, UnitKey};
use stt_eval_shared::domain::{ProjectId, RunId};
use stt_eval_shared::metrics::Cycle;
use stt_eval_shared::store::StoreError;
use tokio::sync::Semaphore;

/// Collections under way at once, whatever the number of credentials: each has
/// an output in memory.
const COLLECTIONS: usize = 8;

/// A run as this invocation wrote it last. Whoever adds to it holds the lock:
/// the units of a run would otherwise collide over it, each a write in vain and
/// a pause. Other invocations are kept apart by its revision alone.
pub(crate) type Latest = Arc<tokio::sync::Mutex<Option<Run>>>;

/// A credential at a provider.
#[derive(PartialEq, Eq, Hash)]
struct Account {
    project: ProjectId,
    provider: String,
    credential: String,
}

/// One invocation's share of the work.
pub(crate) struct Pass {
    seen: Mutex<Cycle>,
    /// A permit for each collection.
    pub(crate) collections: Semaphore,
    runs: Mutex<HashMap<RunId, Latest>>,
    left: Mutex<HashMap<Account, Vec<(RunId, UnitKey)>>>,
}

impl Default for Pass {
    fn default() -> Self {
        Self {
            seen: Mutex::default(),
            collections: Semaphore::new(COLLECTIONS),
            runs: Mutex::default(),
            left: Mutex::default(),
        }
    }
}

impl Pass {
    /// Notes something for the metrics of this invocation.
    pub(crate) fn note(&self, see: impl FnOnce(&mut Cycle)) {
        see(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn run(&self, run: RunId) -> Latest {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(runs.entry(run).or_default())
    }

    /// Notes that a unit takes up no room at its provider any more.
    pub(crate) fn leaves(&self, unit: &Unit) {
        let Some(credential) = unit.credential.clone() else {
            return;
        };
        let account = Account {
            project: unit.project.clone(),
            provider: unit.provider.clone(),
            credential,
        };
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.entry(account).or_default().push((unit.run, unit.key));
    }

    /// Gives back the room of all that left, in one write for each credential.
    /// What a crash keeps from being given back is found when room runs out.
    pub(crate) async fn give_back(&self, app: &App) -> Result<(), StoreError> {
        let left = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        for (account, units) in left {
            app.store
                .give_back_slots_of(
                    &account.project,
                    &account.provider,
                    &account.credential,
                    &units,
                )
                .await?;
        }
        Ok(())
    }
}
