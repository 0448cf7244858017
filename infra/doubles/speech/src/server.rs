//! The running doubles: their listener and their library interface.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request as AxumRequest, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use doubles_serving::Serving;
use tokio::net::TcpListener;

use crate::bucket::Bucket;
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::sim::Sim;
use crate::{control, vendors};

/// Longest body that is read: what is too long for a vendor is refused by it.
const MAX_BODY: usize = 256 * 1024 * 1024;

/// Doubles that listen.
pub struct SpeechSim {
    sim: Arc<Sim>,
    address: SocketAddr,
    serving: Serving,
}

impl SpeechSim {
    /// Starts to serve on a listener, from now on and until [`Self::shutdown`].
    ///
    /// # Errors
    /// When the listener has no address.
    pub async fn start(listener: TcpListener) -> io::Result<Self> {
        Self::start_over(listener, None).await
    }

    /// The same with a bucket, which Amazon Transcribe reads and writes.
    ///
    /// # Errors
    /// When the listener has no address.
    pub async fn start_over(
        listener: TcpListener,
        bucket: Option<aws_sdk_s3::Client>,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let sim = Arc::new(Sim {
            url: format!("http://{address}"),
            bucket: bucket.map(Bucket),
            ..Sim::default()
        });
        let router = vendors::router()
            .merge(control::router())
            .layer(from_fn_with_state(Arc::clone(&sim), note))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(Arc::clone(&sim));
        Ok(Self {
            sim,
            address,
            serving: Serving::start(listener, router),
        })
    }

    /// Where it listens, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.sim.url().to_owned()
    }

    /// Where each vendor is, as `PROVIDER_URLS` has it.
    #[must_use]
    pub fn vendor_urls(&self) -> Vec<(&'static str, String)> {
        let url = self.url();
        let below = |(vendor, path): &(&'static str, &str)| (*vendor, format!("{url}{path}"));
        vendors::PATHS.iter().map(below).collect()
    }

    /// Where each server is that people run themselves or have deployed: base URLs of
    /// models of one's own.
    #[must_use]
    pub fn server_urls(&self) -> Vec<(&'static str, String)> {
        let url = self.url();
        let below = |(server, path): &(&'static str, &str)| (*server, format!("{url}{path}"));
        vendors::SERVERS.iter().map(below).collect()
    }

    /// Has the next paid request to a vendor go wrong; several in order.
    pub fn fault(&self, vendor: &str, fault: Fault) {
        self.sim.faults.add(vendor, fault);
    }

    /// What is heard in the audio with this SHA-256, in hexadecimal.
    pub fn record(&self, sha256: &str, text: &str) {
        self.sim.recordings.add(sha256.to_owned(), text.to_owned());
    }

    /// What was charged and asked so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.sim.book.snapshot()
    }

    /// Stops listening and closes all connections.
    pub async fn shutdown(self) {
        self.serving.shutdown().await;
    }
}

impl std::fmt::Debug for SpeechSim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpeechSim")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

async fn note(State(sim): State<Arc<Sim>>, request: AxumRequest, next: Next) -> Response {
    let path = request.uri().path();
    if !path.starts_with("/_sim/") {
        sim.book.request(format!("{} {path}", request.method()));
    }
    next.run(request).await
}
