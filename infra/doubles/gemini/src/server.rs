//! The running simulator: its listener and its library interface.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt;

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
use crate::wire::Dropped;

/// A simulator that listens.
pub struct GeminiSim {
    sim: Arc<Sim>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
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
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, control::router(sim.clone()), stopped));
        Ok(Self { sim, stop, task })
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
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

impl std::fmt::Debug for GeminiSim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GeminiSim")
            .field("url", &self.sim.base_url)
            .finish_non_exhaustive()
    }
}

async fn accept(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, router.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            _ = stopped.changed() => break,
        }
    }
    connections.shutdown().await;
}

/// Why a connection is closed without a reply.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on purpose")]
struct DropConnection;

async fn serve(stream: TcpStream, router: Router) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move { respond(router, request).await }
    });
    let served = http1::Builder::new()
        // Idle connections stay: only a fault closes one.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn respond(router: Router, request: Request<Incoming>) -> Result<Response, DropConnection> {
    // Its own task: like a real server, a request that was received is
    // carried out even if the client goes away.
    let work = tokio::spawn(router.oneshot(request.map(Body::new)));
    let answered: Result<Response, Infallible> = work.await.map_err(|_| DropConnection)?;
    match answered {
        Ok(response) if response.extensions().get::<Dropped>().is_none() => Ok(response),
        _ => Err(DropConnection),
    }
}
