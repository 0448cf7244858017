//! Settings of the client: where, how long, how often.

use std::time::Duration;

use crate::providers::http::RetryPolicy;

/// Where Google serves the API.
pub const DEFAULT_BASE_URL: &str = "https://generativelanguage.googleapis.com";

/// Settings of [`super::Gemini`]. The default is what production uses.
#[derive(Debug, Clone)]
pub struct GeminiConfig {
    /// Scheme, host and port; a path is kept as a prefix.
    pub base_url: String,
    /// For a connection to stand, TLS included.
    pub connect_timeout: Duration,
    /// For one small call, from connecting to the last byte of the answer.
    pub request_timeout: Duration,
    /// The same for the creation of a batch. Longer, because giving up early
    /// turns a slow success into an unknown outcome.
    pub create_timeout: Duration,
    /// For one chunk of an upload.
    pub chunk_timeout: Duration,
    /// For the next bytes of a download; the whole has no limit.
    pub read_timeout: Duration,
    /// Bytes of a chunk of an upload. Both official clients use 8 MiB.
    pub chunk_size: u64,
    /// Repetition of calls that may be repeated.
    pub retry: RetryPolicy,
    /// First pause while waiting for a file to become usable; it doubles.
    pub file_poll: Duration,
    /// How long to wait for that in one call.
    pub file_wait: Duration,
    /// A file that is there already is only adopted when it will live at least
    /// this long: a batch may wait at the provider for 48 hours.
    pub adopt_min_lifetime: Duration,
    /// Most pages of a listing. More is an error, never a shorter list.
    pub max_list_pages: u32,
}

impl Default for GeminiConfig {
    fn default() -> Self {
        Self {
            base_url: DEFAULT_BASE_URL.to_owned(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            create_timeout: Duration::from_secs(60),
            chunk_timeout: Duration::from_secs(120),
            read_timeout: Duration::from_secs(60),
            chunk_size: 8 * 1024 * 1024,
            retry: RetryPolicy::default(),
            file_poll: Duration::from_millis(500),
            file_wait: Duration::from_secs(120),
            adopt_min_lifetime: Duration::from_secs(24 * 3600),
            max_list_pages: 5000,
        }
    }
}

/// The client could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The base URL is not a plain `http` or `https` URL.
    #[error("the base URL of Gemini is not usable: {0}")]
    BaseUrl(String),
    /// A setting that cannot work.
    #[error("setting of the Gemini client is out of range: {0}")]
    Setting(&'static str),
}
