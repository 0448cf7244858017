//! Why the store could not do something.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::sdk_error::told;

/// Why the store could not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The item is not in the state that the caller saw: another write was faster.
    #[error("the item has changed meanwhile")]
    Conflict,
    /// An item can't be read by this version.
    #[error("an item can't be read: {0}")]
    Corrupt(String),
    /// DynamoDB could not be reached, or refused. For logs only.
    #[error("DynamoDB: {0}")]
    Unavailable(String),
}

impl<E> From<SdkError<E>> for StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        if error.code() == Some("ConditionalCheckFailedException") {
            return Self::Conflict;
        }
        Self::Unavailable(told(&error))
    }
}

impl From<aws_sdk_dynamodb::error::BuildError> for StoreError {
    fn from(error: aws_sdk_dynamodb::error::BuildError) -> Self {
        Self::Corrupt(error.to_string())
    }
}
