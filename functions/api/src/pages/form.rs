//! Bodies of forms.

use axum::extract::{FromRequest, Request};

use crate::http::body;
use crate::http::query::Pairs;
use crate::refusal::Refusal;

/// Largest form in bytes: a verdict with a long comment, some times over.
const MAX_FORM: usize = 64 * 1024;

/// The fields of a form.
pub struct Form(pub Pairs);

impl<S: Sync> FromRequest<S> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        if body::media_type(&parts.headers) != "application/x-www-form-urlencoded" {
            return Err(Refusal::unsupported(
                "the body must be a form (application/x-www-form-urlencoded)",
            ));
        }
        let bytes = body::read(&parts.headers, body, MAX_FORM, "64 KiB").await?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Refusal::malformed("the form is not percent-encoded UTF-8"))?;
        Ok(Self(Pairs::any(text)))
    }
}
