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

use crate::http::host::ORIGINAL_HOST;

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
        let request = LambdaRequest::ApiGatewayV2(sanitised(request));
        adapter.call(LambdaEvent::new(request, context))
    }
}

/// Whether a byte may stand in the query of an `http::Uri`.
fn fits_query(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x24..=0x3b | 0x3d | 0x3f..=0x7e)
}

/// Whether a URL can be made of a host beyond any doubt: a name or an IPv4
/// address, perhaps with a port.
fn is_plain_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    let plain = |label: &str| {
        !label.is_empty()
            && !label.starts_with("xn--")
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let lower = name.to_ascii_lowercase();
    // URLs take a name whose last label is a number for an IPv4 address.
    let last_is_word = lower
        .rsplit('.')
        .next()
        .is_some_and(|label| label.starts_with(|c: char| c.is_ascii_lowercase()));
    port.parse::<u16>().is_ok()
        && lower.split('.').all(plain)
        && (last_is_word || name.parse::<std::net::Ipv4Addr>().is_ok())
}

/// Gateways pass on what clients send, but `lambda_http` panics on a query or
/// host that does not fit into a URI. Here they are made to fit first.
fn sanitised(mut request: ApiGatewayV2httpRequest) -> ApiGatewayV2httpRequest {
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
        .map(|host| host.to_str().unwrap_or_default());
    let is_odd = host.is_some_and(|host| !is_plain_host(host));
    request.headers.remove(ORIGINAL_HOST);
    if is_odd {
        let odd = request
            .headers
            .insert(HOST, HeaderValue::from_static("localhost"));
        if let Some(odd) = odd {
            request.headers.insert(ORIGINAL_HOST, odd);
        }
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
    // A stage with a name is part of the path, and no part of a route.
    if let Some(stage) = request.request_context.stage.take()
        && let Some(rest) = path
            .strip_prefix('/')
            .and_then(|rest| rest.strip_prefix(&*stage))
        && (rest.is_empty() || rest.starts_with('/'))
    {
        *path = if rest.is_empty() { "/" } else { rest }.to_owned();
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(query: &str, headers: &[(&str, &str)]) -> serde_json::Value {
        let headers: serde_json::Map<String, serde_json::Value> = headers
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        serde_json::json!({
            "version": "2.0", "routeKey": "$default", "rawPath": "/healthz",
            "rawQueryString": query, "headers": headers, "isBase64Encoded": false,
            "requestContext": {
                "requestId": "Abc=1", "stage": "$default", "time": "", "timeEpoch": 0,
                "http": { "method": "GET", "path": "/healthz", "protocol": "HTTP/1.1" },
            },
        })
    }

    /// A router like ours without an app behind it.
    fn handler() -> Handler {
        let router = Router::new()
            .route(
                "/healthz",
                axum::routing::get(async |uri: http::Uri| {
                    crate::http::envelope::ok(uri.query().unwrap_or_default().to_owned())
                }),
            )
            .fallback(async || crate::refusal::Refusal::no_such("route"))
            .layer(axum::middleware::from_fn(crate::http::observe::observe));
        Handler { router }
    }

    fn sendable<T: Send>(value: T) -> T {
        value
    }

    #[tokio::test]
    async fn odd_queries_and_hosts_are_answered() {
        for (query, headers) in [
            ("a=<\"é\u{7f}>", &[] as &[(&str, &str)]),
            ("", &[("host", "a b")]),
            ("", &[("host", "a:99999999")]),
            ("", &[("host", "")]),
            ("", &[("host", "999.1.1.1")]),
            ("", &[("host", "a.0x1")]),
            ("", &[("host", "xn--zzzzzz.com")]),
            ("", &[("host", "[::1")]),
            ("", &[("host", "127.0.0.1:8080")]),
            ("", &[("host", "API.example.com:443")]),
            (
                "",
                &[("host", "x"), ("x-forwarded-proto", "no such scheme")],
            ),
        ] {
            let handler = handler();
            let answer = sendable(handler.handle(event(query, headers)))
                .await
                .unwrap();
            assert_eq!(answer["statusCode"], 200, "{query} {headers:?}");
            assert_eq!(answer["headers"]["x-request-id"], "Abc=1");
            assert_eq!(answer["headers"]["cache-control"], "no-store");
            assert_eq!(answer["isBase64Encoded"], false);
        }
    }

    #[tokio::test]
    async fn errors_carry_the_request_id() {
        let mut event = event("", &[]);
        event["rawPath"] = "/nope".into();
        let answer = handler().handle(event).await.unwrap();
        assert_eq!(answer["statusCode"], 404);
        let body: serde_json::Value =
            serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "success": false, "data": null, "error": "there is no such route",
                "errors": null, "metadata": { "request_id": "Abc=1" },
            })
        );
    }
}
