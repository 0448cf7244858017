//! Bodies of forms.

use axum::extract::{FromRequest, Request};

use stt_eval_shared::crypto::random;

use crate::http::body;
use crate::http::query::Pairs;
use crate::refusal::Refusal;

/// Largest form in bytes: one of names and choices, some times over.
const MAX_FORM: usize = 64 * 1024;
/// Largest form with a reference in it, or remarks on some transcriptions: percent encoding makes nine bytes of a letter of
/// most scripts. It is more than a reference may have, so that one that is too long comes
/// back in its form, and fits into what a function is given.
const MAX_LONG: usize = 4 * 1024 * 1024;

/// The fields of a form.
pub struct Form<const MOST: usize = MAX_FORM>(pub Pairs);

/// The fields of a form with long texts in it.
pub type LongForm = Form<MAX_LONG>;

/// A token of a form: what it does is done once, however often it is sent.
pub(super) fn token() -> Result<String, Refusal> {
    let bytes: [u8; 16] = random()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn fields(request: Request, most: usize) -> Result<Pairs, Refusal> {
    let (parts, body) = request.into_parts();
    if body::media_type(&parts.headers) != "application/x-www-form-urlencoded" {
        return Err(Refusal::unsupported(
            "the body must be a form (application/x-www-form-urlencoded)",
        ));
    }
    let told = format!("{} KiB", most / 1024);
    let bytes = body::read(&parts.headers, body, most, &told).await?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Refusal::malformed("the form is not percent-encoded UTF-8"))?;
    Ok(Pairs::any(text))
}

impl<S: Sync, const MOST: usize> FromRequest<S> for Form<MOST> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        fields(request, MOST).await.map(Self)
    }
}
