//! DynamoDB: dynoxide on a file, behind a listener of ours that counts.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use aws_sdk_dynamodb::types::TimeToLiveSpecification;
use bytes::Bytes;
use dynoxide::Database;
use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::capacity;
use super::config::{CloudError, TableSpec};
use super::counts::{Counts, Seen, target_operation};
use super::serving;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const SERVICE: &str = "dynamodb";
/// How often expired items are removed; AWS takes up to days.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(60);

/// The database and the thread it works on.
pub(super) struct Engine {
    address: SocketAddr,
    /// Ends the thread when it is dropped.
    stop: DropGuard,
    thread: JoinHandle<()>,
}

impl Engine {
    /// Opens the file and serves it on a private loopback port.
    ///
    /// `SQLite` blocks the thread it runs on, and its writes are one at a time
    /// anyway: it gets a thread of its own and leaves the caller's runtime free.
    pub async fn start(file: &Path) -> Result<Self, CloudError> {
        let (listener, address) = serving::bind_loopback(0)
            .await
            .map_err(CloudError::io("a private port for DynamoDB"))?;
        let listener = listener
            .into_std()
            .map_err(CloudError::io("a private port for DynamoDB"))?;
        let path = file
            .to_str()
            .ok_or_else(|| CloudError::Config("the data directory is not UTF-8".to_owned()))?;
        let database = Database::new(path).map_err(|error| CloudError::service(SERVICE, error))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CloudError::io("a runtime for DynamoDB"))?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("dynamodb".to_owned())
            .spawn(move || runtime.block_on(run(listener, database, stopped)))
            .map_err(CloudError::io("a thread for DynamoDB"))?;
        Ok(Self {
            address,
            stop: stop.drop_guard(),
            thread,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the thread; the file is closed and complete when this returns.
    pub async fn stop(self) -> Result<(), CloudError> {
        drop(self.stop);
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        match joined {
            Ok(Ok(())) => Ok(()),
            _ => Err(CloudError::service(SERVICE, "the database thread panicked")),
        }
    }
}

async fn run(listener: std::net::TcpListener, database: Database, stop: CancellationToken) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "DynamoDB has no listener");
            return;
        }
    };
    let expiring = database.clone();
    let sweep = tokio::spawn(async move {
        loop {
            tokio::time::sleep(EXPIRY_INTERVAL).await;
            if let Err(error) = expiring.sweep_ttl() {
                tracing::warn!(%error, "expired items could not be removed");
            }
        }
    });
    let served =
        dynoxide::server::serve_with_shutdown(listener, database, stop.cancelled_owned()).await;
    sweep.abort();
    let _ = sweep.await;
    if let Err(error) = served {
        tracing::error!(%error, "DynamoDB stopped");
    }
}

/// Serves the public port: every request is counted and handed to the engine.
pub(super) async fn serve(
    listener: TcpListener,
    engine: SocketAddr,
    metered: bool,
    counts: Counts,
    stop: CancellationToken,
    grace: Duration,
) {
    let clients = Clients {
        engine,
        plain: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
        asking: metered.then(|| Client::builder(TokioExecutor::new()).build(HttpConnector::new())),
    };
    let service = move |_peer| {
        let clients = clients.clone();
        let counts = counts.clone();
        service_fn(move |request: Request<Incoming>| {
            let clients = clients.clone();
            let counts = counts.clone();
            async move {
                let operation = target_operation(request.headers());
                let mut seen = Seen::new(SERVICE, operation.clone(), &request);
                let response = match clients.forward(request, &operation).await {
                    Ok((response, half_units)) => {
                        seen.half_units = half_units;
                        response
                    }
                    Err(error) => {
                        tracing::error!(%error, "DynamoDB did not answer");
                        unavailable().map(Either::Right)
                    }
                };
                counts.record(seen, &response);
                Ok::<_, Infallible>(response)
            }
        })
    };
    serving::serve(listener, service, stop, grace).await;
}

/// What requests are handed on with.
#[derive(Clone)]
struct Clients {
    engine: SocketAddr,
    plain: Client<HttpConnector, Incoming>,
    /// Reads what goes through it.
    asking: Option<Client<HttpConnector, Full<Bytes>>>,
}

impl Clients {
    /// Gives the answer and the half units that it says it cost.
    async fn forward(
        &self,
        mut request: Request<Incoming>,
        operation: &str,
    ) -> Result<(Response<Either<Incoming, Full<Bytes>>>, u64), BoxError> {
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(Authority::try_from(self.engine.to_string())?);
        *request.uri_mut() = Uri::from_parts(parts)?;
        if let Some(client) = &self.asking {
            let (response, units) = capacity::ask(request, operation, client).await?;
            return Ok((response.map(Either::Right), units));
        }
        Ok((self.plain.request(request).await?.map(Either::Left), 0))
    }
}

fn unavailable() -> Response<Full<Bytes>> {
    let body = Bytes::from_static(
        br#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"unavailable"}"#,
    );
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// Makes the tables that are missing.
pub(super) async fn create_tables(
    client: &aws_sdk_dynamodb::Client,
    tables: Vec<TableSpec>,
) -> Result<(), CloudError> {
    for table in tables {
        let name = table.create.get_table_name().clone().unwrap_or_default();
        let failed = |error: &dyn std::fmt::Display| {
            CloudError::service(SERVICE, format!("table {name}: {error}"))
        };
        match table.create.send_with(client).await {
            Ok(_) => {}
            Err(error) => {
                let error = error.into_service_error();
                if error.is_resource_in_use_exception() {
                    continue;
                }
                return Err(failed(&aws_sdk_dynamodb::error::DisplayErrorContext(
                    &error,
                )));
            }
        }
        if let Some(attribute) = table.ttl_attribute {
            let specification = TimeToLiveSpecification::builder()
                .enabled(true)
                .attribute_name(attribute)
                .build()
                .map_err(|error| failed(&error))?;
            client
                .update_time_to_live()
                .table_name(&name)
                .time_to_live_specification(specification)
                .send()
                .await
                .map_err(|error| failed(&aws_sdk_dynamodb::error::DisplayErrorContext(&error)))?;
        }
    }
    Ok(())
}
