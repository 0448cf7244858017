//! Ids as they are compared.

use std::borrow::Cow;
use std::collections::HashSet;

use super::paths::without_audio;
use super::transcripts::Entry;

/// An id as it is compared: sides are brought together without case, and `u1.wav` is `u1`.
pub(super) fn folded(id: &str) -> Cow<'_, str> {
    let own = without_audio(id);
    match own.bytes().any(|b| b.is_ascii_uppercase()) {
        true => Cow::Owned(own.to_ascii_lowercase()),
        false => Cow::Borrowed(own),
    }
}

/// The ids of a source.
pub(super) fn ids(entries: &[Entry]) -> HashSet<Cow<'_, str>> {
    let ids = entries.iter().filter_map(|entry| entry.id.as_deref());
    ids.map(folded).collect()
}

/// Whether a source has any.
pub(super) fn has_ids(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.id.is_some())
}
