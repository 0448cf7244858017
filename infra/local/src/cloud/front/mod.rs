//! API Gateway: an HTTP API with one Lambda function behind every route.
//!
//! Each request becomes the event of payload format 2.0, and the function's
//! answer becomes the response. What API Gateway and Lambda refuse between them
//! is refused here, with the same words: too large a request or response, a
//! function that fails or takes too long.

mod body;
mod request;
mod response;

use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::body::BodyError;
use super::bucket::Bucket;
use super::invoke::{InvokeError, invoke};
use super::serving;

/// The limits and names of the HTTP API.
#[derive(Clone, Debug)]
pub struct FrontOptions {
    /// The id in the event's request context.
    pub api_id: String,
    /// How long the function may take; API Gateway gives 30 s.
    pub handler_timeout: Duration,
    /// The largest event and the largest answer, as JSON; Lambda takes 6 MB.
    pub payload_limit: usize,
    /// How long open requests may take to end when the front stops.
    pub grace: Duration,
    /// A bucket that is served at the same address, which in AWS has one of its own.
    pub bucket: Option<Bucket>,
}

impl Default for FrontOptions {
    fn default() -> Self {
        Self {
            api_id: "local".to_owned(),
            handler_timeout: Duration::from_secs(30),
            payload_limit: 6_291_556,
            grace: Duration::from_secs(5),
            bucket: None,
        }
    }
}

/// Serves HTTP until `stop`, then gives open requests a little time.
///
/// `handler` takes the payload 2.0 event and gives back the response that a
/// function would: `statusCode`, `headers`, `multiValueHeaders`, `cookies`,
/// `body`, `isBase64Encoded`. A value without `statusCode` is sent as JSON with
/// status 200, as API Gateway does.
pub async fn serve<H, F, E>(
    listener: TcpListener,
    options: FrontOptions,
    handler: H,
    stop: CancellationToken,
) where
    H: Fn(Value) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Value, E>> + Send + 'static,
    E: Display + Send + 'static,
{
    let grace = options.grace;
    let port = listener.local_addr().map_or(0, |address| address.port());
    let shared = Arc::new((handler, options));
    let service = move |peer: SocketAddr| {
        let shared = Arc::clone(&shared);
        service_fn(move |request: Request<Incoming>| {
            let shared = Arc::clone(&shared);
            async move {
                if let Some(bucket) = shared.1.bucket.as_ref().filter(|of| of.takes(&request)) {
                    let response = bucket.answer(request).await?;
                    return Ok(response.map(Either::Right));
                }
                let from = request::Connection { peer, port };
                let response = answer(request, from, &shared).await;
                Ok::<_, s3s::HttpError>(response.map(Either::Left))
            }
        })
    };
    serving::serve(listener, service, stop, grace).await;
}

async fn answer<H, F, E>(
    request: Request<Incoming>,
    from: request::Connection,
    shared: &Arc<(H, FrontOptions)>,
) -> Response<Full<Bytes>>
where
    H: Fn(Value) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Value, E>> + Send + 'static,
    E: Display + Send + 'static,
{
    let options = &shared.1;
    let limit = options.payload_limit;
    let (head, body) = request.into_parts();
    let encoded = request::is_binary(&head.headers);
    let body = match body::read(&head.headers, body, limit, encoded).await {
        Ok(body) => body,
        Err(error) => return refuse_body(&error),
    };
    let event = request::event(&head, &body, encoded, from, &options.api_id);
    drop(body);
    if body::json_size(&event) > limit {
        return refuse_body(&BodyError::TooLong);
    }
    let called = Arc::clone(shared);
    let call = async move { (called.0)(event).await };
    match invoke(call, options.handler_timeout).await {
        Ok(result) if body::json_size(&result) <= limit => response::from_value(result)
            .unwrap_or_else(|error| {
                tracing::error!(%error, "the function's answer is no response");
                internal_error()
            }),
        Ok(_) => {
            tracing::error!("the function's answer is too large");
            internal_error()
        }
        Err(error @ InvokeError::TimedOut) => {
            tracing::error!(%error);
            response::message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        }
        Err(error) => {
            tracing::error!(%error);
            internal_error()
        }
    }
}

fn internal_error() -> Response<Full<Bytes>> {
    response::message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

/// Answers, and ends the connection: the rest of the body is not wanted.
fn refuse_body(error: &BodyError) -> Response<Full<Bytes>> {
    let mut response = match error {
        BodyError::TooLong => response::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long"),
        BodyError::Slow => response::message(StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
        BodyError::Broken => response::message(StatusCode::BAD_REQUEST, "Bad Request"),
    };
    response.headers_mut().insert(
        http::header::CONNECTION,
        http::HeaderValue::from_static("close"),
    );
    response
}
