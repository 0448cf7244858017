//! The running simulator: its listener and its library interface.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doubles_serving::Serving;
use tokio::net::TcpListener;

use crate::batch_record::BatchView;
use crate::clock::Clock;
use crate::config::SimConfig;
use crate::control;
use crate::faults::Faults;
use crate::file_record::FileView;
use crate::ledger::{Ledger, LedgerBook};
use crate::recordings::Recordings;
use crate::session::Sessions;
use crate::sim::Sim;
use crate::store::State;

/// A simulator that listens.
pub struct GeminiSim {
    sim: Arc<Sim>,
    serving: Serving,
}

impl GeminiSim {
    /// Starts to serve on a listener, from now on and until [`Self::shutdown`].
    ///
    /// # Errors
    /// When the state directory cannot be used.
    pub async fn start(listener: TcpListener, config: SimConfig) -> io::Result<Self> {
        let mut address = listener.local_addr()?;
        if address.ip().is_unspecified() {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        let base_url = match &config.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{address}"),
        };
        let scratch = match config.state_dir {
            Some(_) => None,
            None => Some(tempfile::tempdir()?),
        };
        let dir: PathBuf = match (&config.state_dir, &scratch) {
            (Some(dir), _) => dir.clone(),
            (None, Some(scratch)) => scratch.path().to_owned(),
            (None, None) => return Err(io::Error::other("no state directory")),
        };
        let state = State::open(&dir, config.state_dir.is_some())?;
        let faults = Faults::default();
        for rule in &config.faults {
            faults.add(rule.clone());
        }
        let sim = Arc::new_cyclic(|me| Sim {
            me: me.clone(),
            config,
            base_url,
            clock: Clock::default(),
            faults,
            ledger: LedgerBook::default(),
            sessions: Sessions::default(),
            state: Mutex::new(state),
            _scratch: scratch,
        });
        let serving = Serving::start(listener, control::router(sim.clone()));
        Ok(Self { sim, serving })
    }

    /// The base URL, without a slash at the end.
    pub fn url(&self) -> String {
        self.sim.base_url.clone()
    }

    /// The failures on demand.
    pub fn faults(&self) -> &Faults {
        &self.sim.faults
    }

    /// The recordings, to which more can be added.
    pub fn recordings(&self) -> &Recordings {
        &self.sim.config.recordings
    }

    /// Every request so far.
    pub fn ledger(&self) -> Ledger {
        self.sim.ledger.snapshot(0)
    }

    /// Forgets the requests so far.
    pub fn reset_ledger(&self) {
        self.sim.ledger.reset();
    }

    /// All batches of all keys, deleted ones too, oldest first.
    pub async fn batches(&self) -> Vec<BatchView> {
        if let Err(error) = self.sim.settle(None).await {
            tracing::error!(message = error.message, "batches could not be ended");
        }
        self.sim.batch_views()
    }

    /// All files of all keys that were not deleted, oldest first.
    pub fn files(&self) -> Vec<FileView> {
        self.sim.file_views()
    }

    /// Moves the simulator's clock forward: files expire, batches end.
    pub fn advance(&self, by: Duration) {
        self.sim.clock.advance(by);
    }

    /// Stops listening and closes all connections.
    pub async fn shutdown(self) {
        self.serving.shutdown().await;
    }
}

impl std::fmt::Debug for GeminiSim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GeminiSim")
            .field("url", &self.sim.base_url)
            .finish_non_exhaustive()
    }
}
