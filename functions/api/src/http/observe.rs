//! Around every request: an id, a span, one log line, the envelope of errors,
//! and headers that every answer carries.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    RETRY_AFTER, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, StatusCode};
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use stt_eval_shared::crypto::random;
use stt_eval_shared::domain::{ResultId, RunId, Timestamp};
use stt_eval_shared::wire::envelope::{Refused, RefusedMeta};
use tracing::Instrument;

use crate::http::error::{PendingRefusal, code};
use crate::refusal::{Kind, Refusal};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the logs know a request by.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The gateway's id of the request, else one of our own.
fn request_id(request: &Request) -> String {
    let given = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    given
        .filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_graphic()))
        .unwrap_or_else(|| {
            let millis = u64::try_from(Timestamp::now().millis()).unwrap_or(0);
            let entropy: [u8; 16] = random().unwrap_or_default();
            ulid::Ulid::from_parts(millis, u128::from_be_bytes(entropy)).to_string()
        })
}

/// The run that a request's path is about: by its own id or by a result's.
async fn run_in_path(request: Request) -> (Option<RunId>, Request) {
    let (mut parts, body) = request.into_parts();
    // None where no route matched: there is nothing to be about.
    let params = RawPathParams::from_request_parts(&mut parts, &()).await;
    let run = params.ok().and_then(|params| {
        params.iter().find_map(|(_, text)| {
            let of_result = || text.parse::<ResultId>().ok().map(ResultId::run);
            text.parse().ok().or_else(of_result)
        })
    });
    (run, Request::from_parts(parts, body))
}

/// The outermost middleware. Logs ids, route and status; never bodies, keys or
/// URLs.
pub async fn observe(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(&request);
    let (run, mut request) = run_in_path(request).await;
    request.extensions_mut().insert(RequestId(id.clone()));
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        request_id = %id,
        method = %request.method(),
        route,
        project_id = tracing::field::Empty,
        run_id = run.map(tracing::field::display),
        key_id = tracing::field::Empty,
    );
    async {
        // A panic in one request is that request's 500, in the same envelope.
        let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) => response,
            Err(_) => Refusal::internal("a handler panicked").into_response(),
        };
        if let Some(PendingRefusal(error)) = response.extensions_mut().remove::<PendingRefusal>() {
            response = render(&error, &id, response);
        }
        add_headers(&mut response, &id);
        let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status = response.status().as_u16(), duration_ms, "request");
        response
    }
    .instrument(span)
    .await
}

/// Logs why a request was refused, where there is more to it than the answer says.
pub fn tell(error: &Refusal, status: StatusCode) {
    if let Some(cause) = &error.cause {
        if error.kind.is_failure() {
            tracing::error!(status = status.as_u16(), cause, "request failed");
        } else {
            tracing::warn!(status = status.as_u16(), cause, "request refused");
        }
    }
}

fn render(error: &Refusal, id: &str, mut response: Response) -> Response {
    tell(error, response.status());
    let envelope = Refused {
        success: false,
        data: (),
        error: error.message.clone(),
        errors: (!error.fields.is_empty()).then(|| error.fields.clone()),
        metadata: RefusedMeta {
            request_id: id.to_owned(),
            code: code(error.kind).map(str::to_owned),
        },
    };
    let text = serde_json::to_vec(&envelope).unwrap_or_default();
    *response.body_mut() = Body::from(text);
    let headers = response.headers_mut();
    headers.remove(http::header::CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if error.kind == Kind::Unauthorized {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = error.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn add_headers(response: &mut Response, id: &str) {
    let json = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(X_REQUEST_ID, value);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=63072000; includeSubDomains"),
    );
    if json {
        for (name, value) in [
            (CACHE_CONTROL, "no-store"),
            (REFERRER_POLICY, "no-referrer"),
            (
                CONTENT_SECURITY_POLICY,
                "default-src 'none'; frame-ancestors 'none'",
            ),
        ] {
            headers
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        }
    }
}
