//! What neither embedded DynamoDB does: refusing transactions that meet.
//!
//! A transaction holds its items for a while. Another one that wants any of them
//! is cancelled (`TransactionConflict`), and so is a write of a single item
//! (`TransactionConflictException`), as DynamoDB documents it. The SDK tries
//! neither again by itself.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// Holds the items of transactions.
#[derive(Debug)]
pub struct Collider {
    hold: Duration,
    held: Mutex<HashSet<String>>,
    done: AtomicU64,
    refused: AtomicU64,
}

impl Collider {
    /// One that holds items for this long before a transaction is carried out.
    #[must_use]
    pub fn new(hold: Duration) -> Arc<Self> {
        Arc::new(Self {
            hold,
            held: Mutex::default(),
            done: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    /// Transactions that were passed on.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Transactions and writes that met another transaction.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts this layer around an HTTP client of the SDK.
    #[must_use]
    pub fn around(self: &Arc<Self>, client: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Layer {
            collider: self.clone(),
            client,
        })
    }
}

/// Items that are held until this is dropped.
struct Holding(Arc<Collider>, Vec<String>);

impl Drop for Holding {
    fn drop(&mut self) {
        let mut held = self.0.held();
        for item in &self.1 {
            held.remove(item);
        }
    }
}

#[derive(Debug)]
struct Layer {
    collider: Arc<Collider>,
    client: SharedHttpClient,
}

impl HttpClient for Layer {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            collider: self.collider.clone(),
            connector: self.client.http_connector(settings, components),
        })
    }
}

#[derive(Debug)]
struct Connector {
    collider: Arc<Collider>,
    connector: SharedHttpConnector,
}

/// Table and key of a write.
fn item(write: &Value) -> String {
    let key = write.get("Key").or_else(|| write.get("Item"));
    let part = |name: &str| key.map_or(Value::Null, |key| key[name]["S"].clone());
    format!("{} {} {}", write["TableName"], part("pk"), part("sk"))
}

fn items(target: &str, body: &Value) -> Vec<String> {
    match target {
        "DynamoDB_20120810.TransactWriteItems" => body["TransactItems"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|write| write.as_object()?.values().next().map(item))
            .collect(),
        "DynamoDB_20120810.PutItem"
        | "DynamoDB_20120810.UpdateItem"
        | "DynamoDB_20120810.DeleteItem" => vec![item(body)],
        _ => Vec::new(),
    }
}

fn refusal(body: &Value) -> HttpResponse {
    let status = StatusCode::try_from(400u16).unwrap();
    let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
    response
        .headers_mut()
        .insert("content-type", "application/x-amz-json-1.0");
    response
}

fn cancelled(met: &[bool]) -> HttpResponse {
    let reasons: Vec<Value> = met
        .iter()
        .map(|met| match met {
            true => json!({
                "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"
            }),
            false => json!({ "Code": "None" }),
        })
        .collect();
    refusal(&json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": reasons,
    }))
}

fn conflict() -> HttpResponse {
    refusal(&json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
        "message": "Transaction is ongoing for the item",
    }))
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let transaction = target.ends_with(".TransactWriteItems");
        let body = request.body().bytes().unwrap_or_default();
        let body = serde_json::from_slice(body).unwrap_or(Value::Null);
        let wanted = items(target, &body);
        let holding = {
            let mut held = self.collider.held();
            let met: Vec<bool> = wanted.iter().map(|item| held.contains(item)).collect();
            if met.contains(&true) {
                self.collider.refused.fetch_add(1, Ordering::Relaxed);
                let answer = if transaction {
                    cancelled(&met)
                } else {
                    conflict()
                };
                return HttpConnectorFuture::ready(Ok(answer));
            }
            if !transaction {
                drop(held);
                return self.connector.call(request);
            }
            held.extend(wanted.iter().cloned());
            Holding(self.collider.clone(), wanted)
        };
        self.collider.done.fetch_add(1, Ordering::Relaxed);
        let (connector, hold) = (self.connector.clone(), self.collider.hold);
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(hold).await;
            let answer = connector.call(request).await;
            drop(holding);
            answer
        })
    }
}
