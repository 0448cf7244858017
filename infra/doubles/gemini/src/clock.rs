//! The simulator's clock, time stamps, identifiers and hashes.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use ring::digest;
use time::OffsetDateTime;

/// Wall clock plus an offset that tests may move forward.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_millis: AtomicI64,
}

impl Clock {
    pub(crate) fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
            + time::Duration::milliseconds(self.offset_millis.load(Ordering::Relaxed))
    }

    pub(crate) fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.offset_millis.fetch_add(millis, Ordering::Relaxed);
    }
}

/// RFC 3339 in UTC with nine fractional digits, as Google writes it.
pub(crate) fn stamp(at: OffsetDateTime) -> String {
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.nanosecond()
    )
}

/// `at + by`, staying put where the sum cannot be represented.
pub(crate) fn later(at: OffsetDateTime, by: Duration) -> OffsetDateTime {
    time::Duration::try_from(by)
        .ok()
        .and_then(|by| at.checked_add(by))
        .unwrap_or(at)
}

/// `length` (at most 64) lower-case letters and digits that no earlier call returned.
pub(crate) fn unique_id(length: usize) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let seed = format!(
        "{}-{}-{}",
        COUNTER.fetch_add(1, Ordering::Relaxed),
        OffsetDateTime::now_utc().unix_timestamp_nanos(),
        std::process::id()
    );
    digest::digest(&digest::SHA512, seed.as_bytes())
        .as_ref()
        .iter()
        .take(length)
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect()
}

/// The lower-case hex SHA-256 of some bytes.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_have_nine_digits() {
        let at = OffsetDateTime::UNIX_EPOCH + time::Duration::nanoseconds(42);
        assert_eq!(stamp(at), "1970-01-01T00:00:00.000000042Z");
    }

    #[test]
    fn ids_differ_and_have_the_length_asked_for() {
        let (a, b) = (unique_id(36), unique_id(36));
        assert_ne!(a, b);
        assert_eq!(a.len(), 36);
        assert!(
            a.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        );
    }
}
