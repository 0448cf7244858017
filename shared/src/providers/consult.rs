//! What a vendor's client is asked without being given work.
//!
//! A function that takes no part in the work of runs wants no more of a vendor than this:
//! whether a key is accepted, and what an item may cost at most. By a trait of its own the
//! protocol of jobs and calls, with all that is sent and read in them, is left out of it.

use async_trait::async_trait;

use super::credential::Credential;
use super::error::CallError;
use crate::domain::transcribe::ModelConfig;

/// A vendor's client, as far as it is asked without being given work.
#[async_trait]
pub trait Consult: Send + Sync {
    /// Whether the credential is accepted. `Rejected{Unauthorized}` when not.
    async fn check_credential(&self, credential: &Credential) -> Result<(), CallError>;

    /// How much an item takes up of what the vendor lets wait for a model, in
    /// tokens: rather too many than too few. 0 where nothing of the kind is
    /// limited.
    fn queued_tokens(&self, _config: &ModelConfig, _language: &str, _duration_seconds: f64) -> u64 {
        0
    }

    /// Most tokens that the answer for one item may have, reasoning among them; 0 where
    /// answers are not billed by tokens.
    fn most_output_tokens(&self, _config: &ModelConfig, _duration_seconds: f64) -> u64 {
        0
    }

    /// Whether asking again costs nothing (self-hosted).
    fn is_free(&self, _config: &ModelConfig) -> bool {
        false
    }
}
