//! How often each operation of each service was asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Request, Response};
use hyper::body::Body;

/// What went through one operation of one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests answered, whatever the answer.
    pub requests: u64,
    /// Requests answered with a status of 400 or more.
    pub refused: u64,
    /// Body bytes received, as announced by `Content-Length`.
    pub bytes_in: u64,
    /// Body bytes sent.
    pub bytes_out: u64,
    /// DynamoDB's capacity units, indexes and transactions included, in halves:
    /// there is no smaller part. Of reads or writes, as the operation is one.
    /// Zero where it was not asked for.
    pub half_units: u64,
}

type Totals = BTreeMap<(&'static str, String), Traffic>;

/// The shared counters of one cloud.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts(Arc<Mutex<Totals>>);

impl Counts {
    pub fn totals(&self) -> Totals {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Counts one request once its answer is known.
    pub fn record<B: Body>(&self, seen: Seen, response: &Response<B>) {
        let sent = response
            .body()
            .size_hint()
            .exact()
            .unwrap_or_else(|| announced(response.headers()));
        let mut totals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let traffic = totals.entry((seen.service, seen.operation)).or_default();
        traffic.requests += 1;
        traffic.refused += u64::from(response.status().as_u16() >= 400);
        traffic.bytes_in += seen.bytes_in;
        traffic.bytes_out += if seen.bodiless { 0 } else { sent };
        traffic.half_units += seen.half_units;
    }
}

/// What is known of a request before it is answered.
#[derive(Debug)]
pub(super) struct Seen {
    service: &'static str,
    operation: String,
    bytes_in: u64,
    /// The answer to a HEAD announces a length that it does not have.
    bodiless: bool,
    /// What [`Traffic::half_units`] grows by.
    pub half_units: u64,
}

impl Seen {
    pub fn new<B>(service: &'static str, operation: String, request: &Request<B>) -> Self {
        Self {
            service,
            operation,
            bytes_in: announced(request.headers()),
            bodiless: request.method() == http::Method::HEAD,
            half_units: 0,
        }
    }
}

fn announced(headers: &HeaderMap) -> u64 {
    headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok())
        .unwrap_or(0)
}

/// The operation in `X-Amz-Target`, such as `PutItem`.
pub(super) fn target_operation(headers: &HeaderMap) -> String {
    headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.rsplit_once('.'))
        .map(|(_, operation)| operation)
        .filter(|name| name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .unwrap_or("Unknown")
        .to_owned()
}
