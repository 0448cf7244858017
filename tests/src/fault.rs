//! A fault layer under the official AWS clients: every call a handler makes is
//! numbered, and one chosen call can go wrong in one chosen way.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use tokio::sync::Notify;

use crate::fault_name::name_of;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The connection breaks before anything is sent.
    Before,
    /// The service refuses for now: too many requests, or (transactions, and
    /// writes of one item) a collision with a transaction.
    Throttled,
    /// The call is carried out, then the connection breaks. Not repeated.
    Lost,
    /// The same, and the SDK repeats the call.
    LostRepeated,
    /// The call is carried out, and the process dies right after it.
    Crash,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Before,
        Self::Throttled,
        Self::Lost,
        Self::LostRepeated,
        Self::Crash,
    ];

    /// Whether the SDK may repeat calls in such a case.
    #[must_use]
    pub fn repeats(self) -> bool {
        self == Self::LostRepeated
    }
}

/// A call: made by which handler, of which operation, the how-many-eth of both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// Handler it is made by.
    pub handler: &'static str,
    /// Service, operation and what it is about.
    pub call: String,
    /// Which one of the same handler and call, from 1.
    pub ordinal: u32,
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} #{}", self.handler, self.call, self.ordinal)
    }
}

#[derive(Default)]
struct Book {
    handler: &'static str,
    counts: BTreeMap<(&'static str, String), u32>,
    log: Vec<Site>,
    plan: Option<(Site, Kind)>,
    struck: bool,
    hold: Option<(Wanted, Arc<Held>)>,
}

type Wanted = Box<dyn FnMut(&Site) -> bool + Send>;

/// A call that stands still.
#[derive(Debug, Default)]
pub struct Held {
    reached: Notify,
    go: Notify,
}

impl Held {
    /// Returns once the call is about to be sent.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets it be sent.
    pub fn release(&self) {
        self.go.notify_one();
    }
}

/// Numbers calls and makes one of them fail.
#[derive(Default)]
pub struct Injector {
    book: Mutex<Book>,
    crashed: Notify,
}

impl std::fmt::Debug for Injector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Injector")
    }
}

impl Injector {
    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call go wrong, once.
    pub fn arm(&self, site: Site, kind: Kind) {
        self.book().plan = Some((site, kind));
    }

    /// Counts anew: what follows has sites of its own, whatever came before.
    pub fn restart(&self) {
        let mut book = self.book();
        book.counts.clear();
        book.log.clear();
        book.plan = None;
        book.struck = false;
    }

    /// Holds the first call that is wanted, before it is sent.
    pub fn hold(&self, wanted: impl FnMut(&Site) -> bool + Send + 'static) -> Arc<Held> {
        let held = Arc::new(Held::default());
        self.book().hold = Some((Box::new(wanted), held.clone()));
        held
    }

    /// Whether the fault happened.
    #[must_use]
    pub fn struck(&self) -> bool {
        self.book().struck
    }

    /// Every call so far.
    #[must_use]
    pub fn log(&self) -> Vec<Site> {
        self.book().log.clone()
    }

    /// Kills the handler that is running.
    pub fn crash(&self) {
        self.crashed.notify_one();
    }

    /// Runs a handler. `None` when it died on the way: everything it had begun
    /// is dropped where it stands.
    pub async fn run<F: Future>(&self, handler: &'static str, work: F) -> Option<F::Output> {
        self.book().handler = handler;
        tokio::select! {
            biased;
            () = self.crashed.notified() => None,
            done = work => Some(done),
        }
    }

    /// The next call: gives what is to go wrong with it, and what it waits for.
    fn next(&self, call: String) -> (Option<Kind>, Option<Arc<Held>>) {
        let mut guard = self.book();
        let book = &mut *guard;
        let handler = book.handler;
        let count = book.counts.entry((handler, call.clone())).or_default();
        *count += 1;
        let site = Site {
            handler,
            call,
            ordinal: *count,
        };
        let kind = book
            .plan
            .as_ref()
            .filter(|(wanted, _)| *wanted == site)
            .map(|(_, kind)| *kind);
        let wanted = book.hold.as_mut().is_some_and(|(wanted, _)| wanted(&site));
        let held = book.hold.take_if(|_| wanted).map(|(_, held)| held);
        book.log.push(site);
        if kind.is_some() {
            book.plan = None;
            book.struck = true;
        }
        (kind, held)
    }

    /// Puts this layer around an HTTP client of the SDK.
    #[must_use]
    pub fn around(self: &Arc<Self>, client: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Layer {
            injector: self.clone(),
            client,
        })
    }
}

#[derive(Debug)]
struct Layer {
    injector: Arc<Injector>,
    client: SharedHttpClient,
}

impl HttpClient for Layer {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            injector: self.injector.clone(),
            connector: self.client.http_connector(settings, components),
        })
    }
}

#[derive(Debug)]
struct Connector {
    injector: Arc<Injector>,
    connector: SharedHttpConnector,
}

fn broken() -> ConnectorError {
    ConnectorError::io("the connection broke, on purpose".into())
}

/// As the services say it, each in its own protocol.
fn throttled(request: &HttpRequest) -> HttpResponse {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let (status, content_type, body) = match target {
        "DynamoDB_20120810.TransactWriteItems" => (
            400,
            "application/x-amz-json-1.0",
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "Message":"Transaction cancelled",
                "CancellationReasons":[{"Code":"TransactionConflict","Message":"collided"}]}"#,
        ),
        // What a write gets that meets a transaction.
        "DynamoDB_20120810.PutItem"
        | "DynamoDB_20120810.UpdateItem"
        | "DynamoDB_20120810.DeleteItem" => (
            400,
            "application/x-amz-json-1.0",
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException",
                "message":"Transaction is ongoing for the item"}"#,
        ),
        dynamodb if dynamodb.starts_with("DynamoDB") => (
            400,
            "application/x-amz-json-1.0",
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                "message":"too fast"}"#,
        ),
        sqs if sqs.starts_with("AmazonSQS") => (
            400,
            "application/x-amz-json-1.0",
            r#"{"__type":"com.amazonaws.sqs#RequestThrottled","message":"too fast"}"#,
        ),
        transcribe if transcribe.starts_with("Transcribe") => (
            400,
            "application/x-amz-json-1.1",
            r#"{"__type":"LimitExceededException","Message":"too fast"}"#,
        ),
        _ => (
            503,
            "application/xml",
            "<Error><Code>SlowDown</Code><Message>too fast</Message></Error>",
        ),
    };
    let status = StatusCode::try_from(status).unwrap();
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    response.headers_mut().insert("content-type", content_type);
    response
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (kind, held) = self.injector.next(name_of(&request));
        let Some(kind) = kind else {
            let Some(held) = held else {
                return self.connector.call(request);
            };
            let connector = self.connector.clone();
            return HttpConnectorFuture::new(async move {
                held.reached.notify_one();
                held.go.notified().await;
                connector.call(request).await
            });
        };
        match kind {
            Kind::Before => return HttpConnectorFuture::ready(Err(broken())),
            Kind::Throttled => return HttpConnectorFuture::ready(Ok(throttled(&request))),
            Kind::Lost | Kind::LostRepeated | Kind::Crash => {}
        }
        let (connector, injector) = (self.connector.clone(), self.injector.clone());
        HttpConnectorFuture::new(async move {
            // Answered, so committed.
            let answer = connector.call(request).await;
            if kind == Kind::Crash {
                injector.crash();
                std::future::pending::<()>().await;
            }
            drop(answer);
            Err(broken())
        })
    }
}
