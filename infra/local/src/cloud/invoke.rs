//! Calling a handler as Lambda does: its failure is an answer, not a crash.

use std::fmt::Display;
use std::time::Duration;

/// Why a handler gave no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvokeError {
    #[error("the handler failed: {0}")]
    Failed(String),
    #[error("the handler panicked")]
    Panicked,
    #[error("the handler ran into its time limit")]
    TimedOut,
}

/// Runs a handler to its end in a task of its own, for `limit` at most.
///
/// The caller may go away: the handler goes on, as in Lambda.
pub(super) async fn invoke<F, T, E>(handler: F, limit: Duration) -> Result<T, InvokeError>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Display,
{
    let handler = async move { handler.await.map_err(|error| error.to_string()) };
    let limited = tokio::time::timeout(limit, handler);
    match tokio::spawn(limited).await {
        Ok(Ok(Ok(result))) => Ok(result),
        Ok(Ok(Err(error))) => Err(InvokeError::Failed(error)),
        Ok(Err(_)) => Err(InvokeError::TimedOut),
        Err(_) => Err(InvokeError::Panicked),
    }
}
