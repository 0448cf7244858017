//! A function's answer as an HTTP response.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

/// The answer is no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResponseError {
    #[error("its status is none")]
    Status,
    #[error("its header {0} is none")]
    Header(String),
    #[error("its body is not base64")]
    Body,
}

/// The words of API Gateway.
pub(super) fn message(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    json_response(status, &json!({"message": message}))
}

fn json_response(status: StatusCode, value: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(value.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Reads the answer as API Gateway does.
pub(super) fn from_value(value: Value) -> Result<Response<Full<Bytes>>, ResponseError> {
    let Some(status) = value.get("statusCode") else {
        return Ok(json_response(StatusCode::OK, &value));
    };
    let status = match status {
        Value::String(status) => status.parse().ok(),
        status => status.as_u64().and_then(|status| status.try_into().ok()),
    };
    let status = status.and_then(|status: u16| StatusCode::from_u16(status).ok());
    let mut response = Response::new(Full::from(body(&value)?));
    *response.status_mut() = status.ok_or(ResponseError::Status)?;
    headers(&value, response.headers_mut())?;
    Ok(response)
}

fn body(value: &Value) -> Result<Bytes, ResponseError> {
    let Some(text) = value.get("body").and_then(Value::as_str) else {
        return Ok(Bytes::new());
    };
    if value.get("isBase64Encoded").and_then(Value::as_bool) == Some(true) {
        let decoded = STANDARD.decode(text).map_err(|_| ResponseError::Body)?;
        return Ok(decoded.into());
    }
    Ok(Bytes::copy_from_slice(text.as_bytes()))
}

fn headers(value: &Value, headers: &mut HeaderMap) -> Result<(), ResponseError> {
    let object = |name: &str| value.get(name).and_then(Value::as_object);
    for (name, value) in object("headers").into_iter().flatten() {
        add(headers, name, value, false)?;
    }
    for (name, values) in object("multiValueHeaders").into_iter().flatten() {
        for (at, value) in values.as_array().into_iter().flatten().enumerate() {
            // The first one takes the place of the single value.
            add(headers, name, value, at > 0)?;
        }
    }
    let cookies = value.get("cookies").and_then(Value::as_array);
    for cookie in cookies.into_iter().flatten() {
        add(headers, SET_COOKIE.as_str(), cookie, true)?;
    }
    // These are between us and the client.
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    Ok(())
}

fn add(
    headers: &mut HeaderMap,
    name: &str,
    value: &Value,
    append: bool,
) -> Result<(), ResponseError> {
    let wrong = || ResponseError::Header(name.to_owned());
    let value = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let key = HeaderName::try_from(name).map_err(|_| wrong())?;
    let value = HeaderValue::try_from(value).map_err(|_| wrong())?;
    if append {
        headers.append(key, value);
    } else {
        headers.insert(key, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_becomes_a_response() {
        let response = from_value(json!({
            "statusCode": 201,
            "headers": {"x-a": "1", "content-length": "99", "x-b": "0"},
            "multiValueHeaders": {"x-b": ["1", "2"]},
            "cookies": ["s=1; HttpOnly", "t=2"],
            "body": "aGk=",
            "isBase64Encoded": true,
        }))
        .unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        let all = |name| response.headers().get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(all("x-a"), ["1"]);
        assert_eq!(all("x-b"), ["1", "2"]);
        assert_eq!(all("set-cookie"), ["s=1; HttpOnly", "t=2"]);
        assert!(all("content-length").is_empty());
    }

    #[test]
    fn what_is_no_response_is_refused_or_sent_as_json() {
        for wrong in [
            json!({"statusCode": 7}),
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
            json!({"statusCode": 200, "body": "%", "isBase64Encoded": true}),
        ] {
            assert!(from_value(wrong.clone()).is_err(), "{wrong}");
        }
        let plain = from_value(json!({"a": 1})).unwrap();
        assert_eq!(plain.headers()[CONTENT_TYPE], "application/json");
    }
}
