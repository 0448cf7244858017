//! Calls that may be repeated, repeated.

use futures::future::BoxFuture;

use super::retry::RetryPolicy;
use crate::providers::error::CallError;

/// Makes a call until it succeeds, is refused, or the attempts are used up. Only for
/// what is free and may be done twice.
pub async fn repeated<'a, T>(
    policy: &RetryPolicy,
    call: impl Fn() -> BoxFuture<'a, Result<T, CallError>>,
) -> Result<T, CallError> {
    let mut attempt = 1;
    loop {
        let error = match call().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let Some(pause) = policy.after(attempt, &error) else {
            return Err(error);
        };
        tracing::warn!(attempt, %error, "a call to a vendor is repeated");
        tokio::time::sleep(pause).await;
        attempt += 1;
    }
}
