//! Headers of pages: what a page may load and where it may send, and that it is kept
//! nowhere.

use axum::response::Response;
use http::HeaderName;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY, VARY};
use stt_eval_shared::App;
use stt_eval_shared::objects::ObjectError;
use tokio::sync::OnceCell;

use crate::services::signing;

/// The policy of all pages, which names the bucket: audio is played from there and
/// sent there.
#[derive(Debug, Default)]
pub struct Policy(OnceCell<HeaderValue>);

fn policy(bucket: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'{bucket}; media-src 'self'{bucket}; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types fragment"
    )
}

impl Policy {
    /// The policy. Without the bucket while that can't be told: then nothing plays.
    pub async fn value(&self, app: &App) -> HeaderValue {
        let made = self.0.get_or_try_init(async || {
            let bucket = signing::origin(app).await?;
            Ok::<_, ObjectError>(value(&format!(" {bucket}")))
        });
        match made.await {
            Ok(value) => value.clone(),
            Err(error) => {
                tracing::warn!(%error, "a page can't play audio: its origin is not known");
                value("")
            }
        }
    }
}

fn value(bucket: &str) -> HeaderValue {
    HeaderValue::from_str(&policy(bucket)).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Sets the headers of a page.
pub fn set(response: &mut Response, policy: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=(), payment=()",
        ),
        (VARY, "accept-encoding"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_as_designed() {
        assert_eq!(
            value(" https://b.s3.ap-south-1.amazonaws.com"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
             font-src 'self'; connect-src 'self' https://b.s3.ap-south-1.amazonaws.com; \
             media-src 'self' https://b.s3.ap-south-1.amazonaws.com; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
             trusted-types fragment"
        );
    }
}
