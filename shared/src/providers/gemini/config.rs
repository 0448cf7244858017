//! Settings of the client: where, how long, how often.

use std::time::Duration;

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
            max_list_pages: 1000,
        }
    }
}

/// How often and at what pace a call is repeated: exponential, with full
/// jitter.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Calls altogether, at least one.
    pub attempts: u32,
    /// Pause after the first one, at most.
    pub base: Duration,
    /// Longest pause. When the provider asks for a longer one, the call ends
    /// with its refusal instead, and the caller schedules.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 4,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(8),
        }
    }
}

impl RetryPolicy {
    /// The pause after attempt `attempt` (from 1), or `None` to give up.
    /// `advice` is the provider's own; `random` is in `[0, 1)`.
    pub(super) fn pause(
        &self,
        attempt: u32,
        advice: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        if attempt >= self.attempts || advice.is_some_and(|wait| wait > self.cap) {
            return None;
        }
        let doublings = attempt.saturating_sub(1).min(16);
        let limit = self.base.saturating_mul(1 << doublings).min(self.cap);
        let jittered = limit.mul_f64(random.clamp(0.0, 1.0));
        Some(advice.map_or(jittered, |wait| (wait + jittered).min(self.cap)))
    }
}

/// A number in `[0, 1)` for jitter. Without a source of randomness, a middle.
pub(super) fn random() -> f64 {
    let mut bytes = [0_u8; 4];
    match ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
        Err(_) => 0.5,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_are_capped_and_end() {
        let policy = RetryPolicy {
            attempts: 4,
            base: Duration::from_millis(100),
            cap: Duration::from_millis(250),
        };
        let ms = Duration::from_millis;
        assert_eq!(policy.pause(1, None, 1.0), Some(ms(100)));
        assert_eq!(policy.pause(2, None, 1.0), Some(ms(200)));
        assert_eq!(policy.pause(3, None, 1.0), Some(ms(250)));
        assert_eq!(policy.pause(3, None, 0.0), Some(ms(0)));
        assert_eq!(policy.pause(4, None, 1.0), None);
        assert_eq!(policy.pause(1, Some(ms(120)), 0.5), Some(ms(170)));
        assert_eq!(policy.pause(1, Some(ms(251)), 0.5), None);
        assert_eq!(policy.pause(u32::MAX, None, 1.0), None);
    }

    #[test]
    fn random_is_a_fraction() {
        let drawn: Vec<f64> = (0..100).map(|_| random()).collect();
        assert!(drawn.iter().all(|x| (0.0..1.0).contains(x)));
        assert!(drawn.iter().any(|x| *x != drawn[0]));
    }
}
