//! What can go wrong with a request, and the status it is answered with.
//!
//! A response of an [`ApiError`] has no body yet: the outermost middleware
//! ([`crate::observe`]) knows the request id and writes the envelope. So there
//! is one place where errors become text, and one where they are logged.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use stt_eval_shared::access::NoRandomness;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::run::NotAllowed;
use stt_eval_shared::domain::validate::{Errors, FieldError};
use stt_eval_shared::objects::ObjectError;
use stt_eval_shared::store::StoreError;

/// Answer of a route.
pub type Answer = Result<Response, ApiError>;

/// Why a request was not done.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// Status of the answer.
    pub status: StatusCode,
    /// One sentence for people.
    pub message: String,
    /// The fields that are wrong, where it is about fields.
    pub fields: Vec<FieldError>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
    /// What really happened. For logs only.
    pub cause: Option<String>,
}

/// The error of a response that has no body yet.
#[derive(Debug, Clone)]
pub struct Failure(pub Arc<ApiError>);

impl ApiError {
    /// An error with a status and a sentence.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            fields: Vec::new(),
            retry_after: None,
            cause: None,
        }
    }

    /// 400: the request can't be read.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 400 that names a field.
    pub fn malformed_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::with_fields(
            StatusCode::BAD_REQUEST,
            vec![FieldError::new(field, message)],
        )
    }

    /// 422: readable, but not valid.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        Self::with_fields(StatusCode::UNPROCESSABLE_ENTITY, fields)
    }

    /// 422 for one field.
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, message)])
    }

    fn with_fields(status: StatusCode, fields: Vec<FieldError>) -> Self {
        let message = match fields.as_slice() {
            [] => "the request is not valid".to_owned(),
            [one] => format!("{}: {}", one.field, one.message),
            [first, rest @ ..] => {
                format!(
                    "{}: {} (and {} more)",
                    first.field,
                    first.message,
                    rest.len()
                )
            }
        };
        Self {
            fields,
            ..Self::new(status, message)
        }
    }

    /// 401.
    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "a valid API key is required, in the header X-API-KEY or as a bearer token",
        )
    }

    /// 403.
    pub fn forbidden(needed: Role) -> Self {
        let role = match needed {
            Role::Viewer => "viewer",
            Role::Reviewer => "reviewer",
            Role::Editor => "editor",
            Role::Admin => "admin",
        };
        Self::new(
            StatusCode::FORBIDDEN,
            format!("this API key may not do that; it takes the role {role}"),
        )
    }

    /// 404. The same for what never existed, is gone, or is another project's.
    pub fn no_such(noun: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no such {noun}"))
    }

    /// 409.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 413.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    /// 415.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    }

    /// 503: something we need can't be reached; trying again makes sense.
    pub fn unavailable(cause: impl Into<String>) -> Self {
        Self {
            retry_after: Some(2),
            cause: Some(cause.into()),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the service can't do this right now; please try again in a moment",
            )
        }
    }

    /// 500: our fault, and trying again will not help.
    pub fn internal(cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "something went wrong on our side; the request id finds it in the logs",
            )
        }
    }

    /// Adds when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Failure(Arc::new(self)));
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => {
                Self::conflict("it was changed by another request meanwhile; please try again")
            }
            StoreError::Corrupt(_) => Self::internal(error.to_string()),
            StoreError::Unavailable(_) => Self::unavailable(error.to_string()),
        }
    }
}

impl From<ObjectError> for ApiError {
    fn from(error: ObjectError) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<NoRandomness> for ApiError {
    fn from(error: NoRandomness) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<NotAllowed> for ApiError {
    fn from(error: NotAllowed) -> Self {
        Self::conflict(error.to_string())
    }
}

impl From<Vec<FieldError>> for ApiError {
    fn from(fields: Vec<FieldError>) -> Self {
        Self::invalid(fields)
    }
}

/// `Ok` when nothing was collected, else 422 with all of it.
pub fn finish(errors: Errors) -> Result<(), ApiError> {
    errors.finish().map_err(ApiError::invalid)
}
