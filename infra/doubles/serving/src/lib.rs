//! How the doubles of vendors listen.
//!
//! A double must be able to do what no well-behaved server does: take a request, carry it
//! out, and close the connection without a word ([`dropped`]). And like a real server it
//! carries out what it received even if the client goes away.

use std::convert::Infallible;
use std::fmt;
use std::io;
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
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt;

/// A router that is served on a listener, until [`Self::shutdown`].
pub struct Serving {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Starts to serve. Must be called within a runtime.
    #[must_use]
    pub fn start(listener: TcpListener, router: Router) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, router, stopped));
        Self { stop, task }
    }

    /// Stops listening and closes all connections.
    pub async fn shutdown(self) {
        // Neither can fail in a way that leaves something open: who listened is gone then.
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").finish_non_exhaustive()
    }
}

/// Marks a response that must never reach the client.
#[derive(Debug, Clone, Copy)]
struct Dropped;

/// The connection is closed without a reply.
#[must_use]
pub fn dropped() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Dropped);
    response
}

/// Whether a response stands for a connection that is to be closed without one.
#[must_use]
pub fn is_dropped(response: &Response) -> bool {
    response.extensions().get::<Dropped>().is_some()
}

/// The signals at which a double that is a process of its own ends.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes them from now on.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn take() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the first of them.
    pub async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
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
    // Only slower without.
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
    // Its own task: what was received is carried out even if the client goes away.
    let work = tokio::spawn(router.oneshot(request.map(Body::new)));
    let answered: Result<Response, Infallible> = work.await.map_err(|_| DropConnection)?;
    match answered {
        Ok(response) if !is_dropped(&response) => Ok(response),
        _ => Err(DropConnection),
    }
}
