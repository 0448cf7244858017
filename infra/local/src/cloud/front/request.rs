//! An HTTP request as the event of payload format 2.0.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;
use ulid::Ulid;

use super::super::ACCOUNT_ID;

/// Both ends of the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection {
    pub peer: SocketAddr,
    pub port: u16,
}

/// Whether API Gateway hands over a body of this type in base64.
///
/// Text it leaves as it is; everything else, forms included, it encodes.
pub(super) fn is_binary(headers: &HeaderMap) -> bool {
    let Some(kind) = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
    else {
        return true;
    };
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let text = [
        "application/json",
        "application/javascript",
        "application/xml",
    ];
    let is_text = text.iter().any(|text| kind.eq_ignore_ascii_case(text))
        || kind
            .get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case("text/"));
    !is_text
}

/// The event.
pub(super) fn event(
    head: &Parts,
    body: &[u8],
    encoded: bool,
    from: Connection,
    api_id: &str,
) -> Value {
    let now = OffsetDateTime::now_utc();
    let id = Ulid::generate();
    let raw_path = head.uri.path();
    let query = head.uri.query().unwrap_or_default();
    let source_ip = from.peer.ip().to_string();
    let headers = headers(head, from, now, id);
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.unwrap_or("localhost");
    let domain = host.rsplit_once(':').map_or(host, |(domain, _)| domain);
    let user_agent = head
        .headers
        .get(USER_AGENT)
        .map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    let clock =
        format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");

    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT_ID,
            "apiId": api_id,
            "domainName": domain,
            "domainPrefix": domain.split('.').next().unwrap_or_default(),
            "http": {
                "method": head.method.as_str(),
                "path": raw_path,
                "protocol": format!("{:?}", head.version),
                "sourceIp": source_ip,
                "userAgent": user_agent.unwrap_or_default(),
            },
            "requestId": id.to_string(),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.format(clock).unwrap_or_default(),
            "timeEpoch": now.unix_timestamp_nanos() / 1_000_000,
        },
        "isBase64Encoded": false,
    });
    let cookies = cookies(&head.headers);
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !query.is_empty() {
        event["queryStringParameters"] = Value::Object(parameters(query));
    }
    if !body.is_empty() {
        match std::str::from_utf8(body) {
            Ok(text) if !encoded => event["body"] = json!(text),
            _ => {
                event["body"] = json!(STANDARD.encode(body));
                event["isBase64Encoded"] = json!(true);
            }
        }
    }
    event
}

/// Names in lower case, several values joined by commas, cookies apart.
fn headers(head: &Parts, from: Connection, now: OffsetDateTime, id: Ulid) -> Map<String, Value> {
    let joined = |name: &HeaderName| {
        let values = head.headers.get_all(name).iter();
        let values: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        values.join(",")
    };
    let mut headers: Map<String, Value> = head
        .headers
        .keys()
        .filter(|name| **name != COOKIE)
        .map(|name| (name.as_str().to_owned(), json!(joined(name))))
        .collect();
    // What API Gateway adds.
    let peer = from.peer.ip();
    let forwarded = match headers.get("x-forwarded-for").and_then(Value::as_str) {
        Some(before) => format!("{before}, {peer}"),
        None => peer.to_string(),
    };
    let trace = id.0 & ((1 << 96) - 1);
    let trace = format!("Root=1-{:08x}-{trace:024x}", now.unix_timestamp());
    headers.insert("x-forwarded-for".to_owned(), json!(forwarded));
    headers.insert("x-forwarded-port".to_owned(), json!(from.port.to_string()));
    headers.insert("x-forwarded-proto".to_owned(), json!("http"));
    headers.insert("x-amzn-trace-id".to_owned(), json!(trace));
    headers
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|line| {
            let line = String::from_utf8_lossy(line.as_bytes()).into_owned();
            let cookies = line.split(';').map(|cookie| cookie.trim().to_owned());
            cookies.collect::<Vec<_>>()
        })
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// Decoded parameters; several values of one name joined by commas.
fn parameters(query: &str) -> Map<String, Value> {
    let mut parameters: Map<String, Value> = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let joined = match parameters.get(name.as_ref()).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.into_owned(),
        };
        parameters.insert(name.into_owned(), json!(joined));
    }
    parameters
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn event_of(request: http::request::Builder, body: &[u8]) -> Value {
        let (head, ()) = request.body(()).unwrap().into_parts();
        let peer = SocketAddr::from(([127, 0, 0, 1], 50_000));
        let from = Connection { peer, port: 8080 };
        event(&head, body, is_binary(&head.headers), from, "local")
    }

    #[test]
    fn an_event_is_what_lambda_reads() {
        let request = Request::post("/files/a%2Fb?x=1&x=2&y=%20z")
            .header("Host", "127.0.0.1:8080")
            .header("Accept", "a")
            .header("accept", "b")
            .header("cookie", "s=1; t=2")
            .header("content-type", "application/json; charset=utf-8");
        let event = event_of(request, "{\"é\":1}".as_bytes());
        assert_eq!(event["rawPath"], "/files/a%2Fb");
        assert_eq!(event["headers"]["accept"], "a,b");
        assert_eq!(event["headers"].get("cookie"), None);
        assert_eq!(event["cookies"], json!(["s=1", "t=2"]));
        assert_eq!(
            event["queryStringParameters"],
            json!({"x": "1,2", "y": " z"})
        );
        assert_eq!(event["body"], "{\"é\":1}");
        assert_eq!(event["isBase64Encoded"], false);
        assert_eq!(event["requestContext"]["domainName"], "127.0.0.1");
        assert_eq!(event["requestContext"]["http"]["protocol"], "HTTP/1.1");
        let parsed: aws_lambda_events::event::apigw::ApiGatewayV2httpRequest =
            serde_json::from_value(event).expect("a payload 2.0 event");
        assert_eq!(parsed.request_context.stage.as_deref(), Some("$default"));
    }

    #[test]
    fn lambda_http_reads_the_request_that_was_sent() {
        use lambda_http::RequestExt as _;
        let request = Request::put("/a%2Fb/c%20d?x=1&x=%26&y=%E0%A4%B9")
            .header("host", "127.0.0.1:8080")
            .header("cookie", "s=1; t=2")
            .header("accept", "text/html, */*")
            .header("content-type", "audio/wav");
        let event = event_of(request, b"\x00\xff").to_string();
        let read = lambda_http::request::from_str(&event).unwrap();
        assert_eq!(read.method(), "PUT");
        assert_eq!(read.uri().path(), "/a%2Fb/c%20d");
        let query = read.query_string_parameters();
        assert_eq!(query.all("x"), Some(vec!["1", "&"]));
        assert_eq!(query.first("y"), Some("ह"));
        assert_eq!(read.headers()["cookie"], "s=1; t=2");
        assert_eq!(read.headers()["accept"], "text/html, */*");
        assert_eq!(read.body().as_ref(), b"\x00\xff");
    }

    #[test]
    fn binary_bodies_and_text_that_is_none_are_encoded() {
        let form = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        let event = event_of(form, b"a=b");
        assert_eq!(event["isBase64Encoded"], true);
        assert_eq!(event["body"], "YT1i");
        let broken = Request::post("/").header("content-type", "text/plain");
        assert_eq!(event_of(broken, b"\xff")["isBase64Encoded"], true);
        assert_eq!(event_of(Request::get("/"), b"").get("body"), None);
    }
}
