//! Refusals as answers.
//!
//! A response of a [`Refusal`] has no body yet: the outermost middleware
//! ([`super::observe`]) knows the request id and writes the envelope. So there is
//! one place where refusals become text, and one where they are logged.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::refusal::{Kind, Refusal};

/// Answer of a route.
pub type Answer = Result<Response, Refusal>;

/// The refusal behind a response that has no body yet.
#[derive(Debug, Clone)]
pub struct PendingRefusal(pub Arc<Refusal>);

/// The status that a kind of refusal is answered with.
#[must_use]
pub fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NoSuch => StatusCode::NOT_FOUND,
        Kind::NoSuchMethod => StatusCode::METHOD_NOT_ALLOWED,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Changed => StatusCode::PRECONDITION_FAILED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unfinished | Kind::ProviderUnreachable | Kind::Unavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A word for programs, for the kinds on which one should act.
#[must_use]
pub fn code(kind: Kind) -> Option<&'static str> {
    (kind == Kind::ProviderUnreachable).then_some("provider_unreachable")
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = status(self.kind).into_response();
        response
            .extensions_mut()
            .insert(PendingRefusal(Arc::new(self)));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_status_of_the_contract() {
        for (kind, number) in [
            (Kind::Malformed, 400),
            (Kind::Unauthorized, 401),
            (Kind::Forbidden, 403),
            (Kind::NoSuch, 404),
            (Kind::NoSuchMethod, 405),
            (Kind::Conflict, 409),
            (Kind::Changed, 412),
            (Kind::TooLarge, 413),
            (Kind::Unsupported, 415),
            (Kind::Invalid, 422),
            (Kind::TooMany, 429),
            (Kind::Internal, 500),
            (Kind::Unfinished, 503),
            (Kind::ProviderUnreachable, 503),
            (Kind::Unavailable, 503),
        ] {
            assert_eq!(status(kind).as_u16(), number, "{kind:?}");
            assert_eq!(kind.is_failure(), number >= 500, "{kind:?}");
        }
    }
}
