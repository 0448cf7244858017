//! API Gateway events (HTTP API, payload 2.0) in, its responses out, through
//! `lambda_http`. Lambda and the embedded cloud both come in here.

use axum::Router;
use axum::response::Response;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, SET_COOKIE};
use http_body_util::BodyExt;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::lambda_runtime::Context;
use lambda_http::request::LambdaRequest;
use lambda_http::{Body, Error, RequestExt, Service};
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
    /// When the body of an answer breaks off: the router itself has an answer to everything.
    pub async fn respond(
        &self,
        request: ApiGatewayV2httpRequest,
        context: Context,
    ) -> Result<ApiGatewayV2httpResponse, Error> {
        let request: lambda_http::Request = LambdaRequest::ApiGatewayV2(sanitised(request)).into();
        let request = request.with_lambda_context(context);
        let answer = self.router.clone().call(request).await?;
        answered(answer).await
    }
}

/// An answer in the gateway's form. `lambda_http` has the same, which can write text in any
/// character set, and the tables of all of them are in every function that uses it.
async fn answered(answer: Response) -> Result<ApiGatewayV2httpResponse, Error> {
    let (parts, body) = answer.into_parts();
    let body = Vec::from(body.collect().await?.to_bytes());
    let (is_base64_encoded, body) = match is_text(&parts.headers) {
        _ if body.is_empty() => (false, None),
        true => match String::from_utf8(body) {
            Ok(text) => (false, Some(Body::Text(text))),
            Err(bytes) => (true, Some(Body::Binary(bytes.into_bytes()))),
        },
        false => (true, Some(Body::Binary(body))),
    };
    let mut headers = parts.headers;
    let cookies = headers.get_all(SET_COOKIE).iter();
    let cookies = cookies.filter_map(|cookie| cookie.to_str().ok().map(str::to_owned));
    let cookies = cookies.collect();
    // The gateway sets them from their own field.
    headers.remove(SET_COOKIE);
    let mut told = ApiGatewayV2httpResponse::default();
    told.status_code = i64::from(parts.status.as_u16());
    told.headers = headers;
    told.body = body;
    told.is_base64_encoded = is_base64_encoded;
    told.cookies = cookies;
    Ok(told)
}

/// Whether a body can go as it is: the gateway takes everything else as base64.
fn is_text(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::to_str);
    let Some(Ok(content_type)) = content_type else {
        return !headers.contains_key(CONTENT_ENCODING);
    };
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    !headers.contains_key(CONTENT_ENCODING)
        && (media_type.starts_with("text/")
            || matches!(media_type, "application/json" | "application/javascript")
            || media_type.ends_with("+json")
            || media_type.ends_with("+xml"))
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

    #[tokio::test]
    async fn text_goes_as_it_is_and_all_else_as_base64() {
        let of = |headers: &[(http::HeaderName, &str)], body: Vec<u8>| {
            let mut answer = Response::new(axum::body::Body::from(body));
            for (name, value) in headers {
                answer.headers_mut().append(name, value.parse().unwrap());
            }
            answered(answer)
        };
        let told = |told: ApiGatewayV2httpResponse| serde_json::to_value(told).unwrap();
        let json = (CONTENT_TYPE, "application/json; charset=utf-8");
        let text = told(
            of(std::slice::from_ref(&json), "नमस्ते".into())
                .await
                .unwrap(),
        );
        assert_eq!(
            (&text["body"], &text["isBase64Encoded"]),
            (&"नमस्ते".into(), &false.into())
        );
        let png = told(
            of(&[(CONTENT_TYPE, "image/png")], b"text".into())
                .await
                .unwrap(),
        );
        assert_eq!(
            (&png["body"], &png["isBase64Encoded"]),
            (&"dGV4dA==".into(), &true.into())
        );
        let packed = [json.clone(), (CONTENT_ENCODING, "gzip")];
        let packed = told(of(&packed, b"text".into()).await.unwrap());
        assert_eq!(packed["isBase64Encoded"], true);
        // What is called text and is none is not changed.
        let odd = told(of(&[json], vec![0xff, 0x61]).await.unwrap());
        assert_eq!(
            (&odd["body"], &odd["isBase64Encoded"]),
            (&"/2E=".into(), &true.into())
        );
        let cookies = [(SET_COOKIE, "a=1"), (SET_COOKIE, "b=2")];
        let cookies = told(of(&cookies, Vec::new()).await.unwrap());
        assert_eq!(cookies["cookies"], serde_json::json!(["a=1", "b=2"]));
        assert!(cookies["headers"].get("set-cookie").is_none() && cookies["body"].is_null());
    }
}
