//! What jobs are asked with.

use std::sync::Arc;
use std::time::Duration;

use super::service::Service;
use crate::providers::own_bucket::OwnBucket;

/// The service, and the bucket that it reads and writes.
#[derive(Clone)]
pub(super) struct Connected {
    pub(super) service: Arc<dyn Service>,
    pub(super) bucket: Arc<dyn OwnBucket>,
    /// After this nothing that starts a job is under way any more.
    pub(super) grace: Duration,
}
