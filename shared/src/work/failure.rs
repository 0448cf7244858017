//! Why a piece of work could not be done now.

use crate::access::credentials::VaultError;
use crate::crypto::NoRandomness;
use crate::objects::ObjectError;
use crate::providers::CallError;
use crate::queue::QueueError;
use crate::registration::RegisterError;
use crate::store::StoreError;

/// A piece of work could not be done now. It stays due, or its message comes
/// again.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The vendor.
    #[error(transparent)]
    Provider(#[from] CallError),
    /// Registration.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// No claims can be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// Reading landed output broke off.
    #[error("landed output: {0}")]
    Output(#[from] std::io::Error),
    /// The function is not set up for it, or data names what is unknown here.
    #[error("{0}")]
    Setup(&'static str),
}
