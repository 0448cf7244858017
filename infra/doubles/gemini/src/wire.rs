//! Google's JSON error bodies and the replies built from them.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// `google.rpc.Status`, as in the `error` of an operation or of one result line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RpcStatus {
    pub code: i32,
    pub message: String,
    #[serde(default)]
    pub details: Vec<Value>,
}

impl RpcStatus {
    pub(crate) fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
        }
    }
}

/// A refusal: the HTTP status and Google's name for it.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub http: u16,
    pub message: String,
    pub details: Vec<Value>,
}

/// Google's canonical name of an HTTP status.
pub(crate) fn status_name(http: u16) -> &'static str {
    match http {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ALREADY_EXISTS",
        412 => "FAILED_PRECONDITION",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        500 => "INTERNAL",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "UNKNOWN",
    }
}

impl ApiError {
    pub(crate) fn new(http: u16, message: impl Into<String>) -> Self {
        Self {
            http,
            message: message.into(),
            details: Vec::new(),
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// The same with one of its details.
    pub(crate) fn with_detail(mut self, detail: Value) -> Self {
        self.details.push(detail);
        self
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "Requested entity was not found.")
    }

    pub(crate) fn internal(message: impl std::fmt::Display) -> Self {
        Self::new(500, format!("gemini-sim: {message}"))
    }

    /// What Google says of a file that is unknown, expired or of another key.
    pub(crate) fn no_file(id: &str) -> Self {
        Self::new(403, no_file_message(id))
    }

    pub(crate) fn bad_key() -> Self {
        Self {
            http: 400,
            message: "API key not valid. Please pass a valid API key.".to_owned(),
            details: vec![json!({
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            })],
        }
    }

    pub(crate) fn no_key() -> Self {
        Self::new(
            403,
            "Method doesn't allow unregistered callers (callers without established identity). \
             Please use API Key or other form of API consumer identity to call this API.",
        )
    }

    pub(crate) fn response(&self) -> Response {
        let mut error = json!({
            "code": self.http,
            "message": self.message,
            "status": status_name(self.http),
        });
        if !self.details.is_empty() {
            error["details"] = Value::Array(self.details.clone());
        }
        json_response(self.http, &json!({ "error": error }))
    }
}

pub(crate) fn no_file_message(id: &str) -> String {
    format!("You do not have permission to access the File {id} or it may not exist.")
}

/// A JSON reply.
pub(crate) fn json_response(status: u16, body: &Value) -> Response {
    typed_response(status, "application/json; charset=UTF-8", body.to_string())
}

/// A reply of some type.
pub(crate) fn typed_response(
    status: u16,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A reply that sends the client elsewhere.
pub(crate) fn redirect(to: &str) -> Response {
    let mut response = typed_response(302, "text/html; charset=UTF-8", Body::empty());
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}
