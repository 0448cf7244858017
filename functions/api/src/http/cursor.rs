//! Cursors: where a page begins, signed so that none can be made up.
//!
//! A cursor is `base64url(HMAC-SHA256 ‖ position)`. The signature covers the
//! project, the list and its filters, so a cursor of another project, list or
//! query is refused as one that was tampered with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use stt_eval_shared::domain::ProjectId;

use crate::refusal::Refusal;

const TAG: usize = 32;
/// Longer than any cursor that was ever given out.
const MAX_LEN: usize = 1_024;

/// Makes and reads the cursors of one list under one set of filters.
pub struct Cursors {
    key: hmac::Key,
    scope: Vec<u8>,
}

impl Cursors {
    /// Cursors of a list. `filters` must tell every query apart that gives
    /// another list; the page size is no filter.
    #[must_use]
    pub fn new(secret: &str, project: &ProjectId, list: &str, filters: &[&str]) -> Self {
        let mut scope = Vec::new();
        for part in ["cursor/1", project.as_str(), list].iter().chain(filters) {
            // With its length in front: two lists of parts never read the same.
            scope.extend_from_slice(&(part.len() as u64).to_be_bytes());
            scope.extend_from_slice(part.as_bytes());
        }
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            scope,
        }
    }

    fn signed(&self, position: &str) -> Vec<u8> {
        [&*self.scope, position.as_bytes()].concat()
    }

    /// The cursor that goes on after a position.
    #[must_use]
    pub fn seal(&self, position: &str) -> String {
        let tag = hmac::sign(&self.key, &self.signed(position));
        URL_SAFE_NO_PAD.encode([tag.as_ref(), position.as_bytes()].concat())
    }

    /// The position of a cursor.
    pub fn open(&self, cursor: &str) -> Result<String, Refusal> {
        self.read(cursor).ok_or_else(|| {
            Refusal::malformed_field(
                "cursor",
                "is not a cursor of this list; take next_cursor of the page before, with the same filters",
            )
        })
    }

    fn read(&self, cursor: &str) -> Option<String> {
        if cursor.len() > MAX_LEN {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (tag, position) = bytes.split_at_checked(TAG)?;
        let position = std::str::from_utf8(position).ok()?;
        hmac::verify(&self.key, &self.signed(position), tag).ok()?;
        Some(position.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::refusal::Kind;

    fn cursors(secret: &str, project: &str, list: &str, filters: &[&str]) -> Cursors {
        Cursors::new(secret, &project.parse().unwrap(), list, filters)
    }

    #[test]
    fn only_the_list_it_was_made_for_takes_it() {
        let mine = cursors("s", "demo", "runs", &["ds_1", ""]);
        let cursor = mine.seal("run_9");
        assert_eq!(mine.open(&cursor).unwrap(), "run_9");
        for other in [
            cursors("t", "demo", "runs", &["ds_1", ""]),
            cursors("s", "demo2", "runs", &["ds_1", ""]),
            cursors("s", "demo", "files", &["ds_1", ""]),
            cursors("s", "demo", "runs", &["", "ds_1"]),
            cursors("s", "demo", "runs", &["ds_1"]),
        ] {
            let error = other.open(&cursor).unwrap_err();
            assert_eq!(error.kind, Kind::Malformed);
            assert_eq!(error.fields[0].field, "cursor");
        }
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_refused(position in "[ -~]{0,80}", at: usize, bit in 0u8..8) {
            let cursors = cursors("s", "demo", "runs", &[]);
            let cursor = cursors.seal(&position);
            prop_assert_eq!(cursors.open(&cursor).unwrap(), position);
            let mut bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert!(cursors.open(&URL_SAFE_NO_PAD.encode(&bytes)).is_err());
            // The text itself has one spelling as well.
            let at = at % cursor.len();
            let mut text = cursor.clone().into_bytes();
            text[at] = if text[at] == b'A' { b'B' } else { b'A' };
            prop_assert!(cursors.open(std::str::from_utf8(&text).unwrap()).is_err());
        }

        #[test]
        fn any_text_is_a_cursor_or_refused(text in ".{0,200}") {
            prop_assert!(cursors("s", "demo", "runs", &[]).open(&text).is_err());
        }
    }
}
