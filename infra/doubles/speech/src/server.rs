//! The running doubles: their listener and their library interface.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request as AxumRequest, State};
use axum::middleware::{Next, from_fn_with_state};
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

use crate::bucket::Bucket;
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::refusal::Dropped;
use crate::sim::Sim;
use crate::{control, vendors};

/// Longest body that is read: what is too long for a vendor is refused by it.
const MAX_BODY: usize = 256 * 1024 * 1024;

/// Doubles that listen.
pub struct SpeechSim {
    sim: Arc<Sim>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
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
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, router, stopped));
        Ok(Self {
            sim,
            address,
            stop,
            task,
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
        let _ = self.stop.send(true);
        let _ = self.task.await;
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
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            // Its own task: what was received is done even if the client goes away.
            let work = tokio::spawn(router.oneshot(request.map(Body::new)));
            let answered: Result<Response, Infallible> = work.await.map_err(|_| DropConnection)?;
            match answered {
                Ok(response) if response.extensions().get::<Dropped>().is_none() => Ok(response),
                _ => Err(DropConnection),
            }
        }
    });
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended early");
    }
}
