//! API Gateway events (HTTP API, payload 2.0) in, its responses out, through
//! `lambda_http`. Lambda and the embedded cloud both come in here.

use axum::Router;
use axum::response::Response;
use http::header::{HOST, HeaderValue};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::lambda_runtime::{Context, LambdaEvent};
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Error, Service};
use serde::Serialize;
use stt_eval_shared::App;

/// The api function.
#[derive(Clone)]
pub struct Handler {
    router: Router,
}

impl Handler {
    /// Over an app.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self {
            router: crate::router(app),
        }
    }

    /// Answers one event given as JSON with the response as JSON.
    ///
    /// # Errors
    /// When the event is not one of API Gateway. Whatever is wrong with the
    /// request inside is answered, not failed.
    pub async fn handle(&self, event: serde_json::Value) -> Result<serde_json::Value, Error> {
        let request = serde_json::from_value(event)?;
        let response = self.respond(request, Context::default()).await?;
        Ok(serde_json::to_value(response)?)
    }

    /// Answers one event.
    ///
    /// # Errors
    /// Never: the router has an answer to everything.
    pub async fn respond(
        &self,
        request: ApiGatewayV2httpRequest,
        context: Context,
    ) -> Result<impl Serialize + use<>, Error> {
        Ok(self.begin(request, context).await?)
    }

    /// Not in the `async fn`: the adapter is not `Sync`, and held over the wait
    /// it would keep the future from moving between threads.
    fn begin(
        &self,
        request: ApiGatewayV2httpRequest,
        context: Context,
    ) -> <Adapter<'static, Response, Router> as Service<LambdaEvent<LambdaRequest>>>::Future {
        let mut adapter: Adapter<'static, Response, Router> = self.router.clone().into();
        let request = LambdaRequest::ApiGatewayV2(tidy(request));
        adapter.call(LambdaEvent::new(request, context))
    }
}

/// Whether a byte may stand in the query of an `http::Uri`.
fn fits_query(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x24..=0x3b | 0x3d | 0x3f..=0x7e)
}

/// Gateways pass on what clients send, but `lambda_http` panics on a query or
/// host that does not fit into a URI. Here they are made to fit first.
fn tidy(mut request: ApiGatewayV2httpRequest) -> ApiGatewayV2httpRequest {
    if let Some(query) = &mut request.raw_query_string
        && !query.bytes().all(fits_query)
    {
        let mut fitting = String::with_capacity(query.len() + 8);
        for byte in query.bytes() {
            if fits_query(byte) {
                fitting.push(char::from(byte));
            } else {
                fitting.push_str(&format!("%{byte:02X}"));
            }
        }
        *query = fitting;
    }
    let host = request
        .headers
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| {
        host.parse::<http::uri::Authority>().is_err() || host.contains(['@', '[', '%'])
    }) {
        request
            .headers
            .insert(HOST, HeaderValue::from_static("localhost"));
    }
    // Taken for the scheme of the request's URL.
    if request
        .headers
        .get("x-forwarded-proto")
        .is_some_and(|p| p != "https" && p != "http")
    {
        request.headers.remove("x-forwarded-proto");
    }
    let path = request.raw_path.get_or_insert_default();
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    request
}
