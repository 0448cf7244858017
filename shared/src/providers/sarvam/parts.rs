//! A job of ours as the vendor's jobs: one for each language in it, of twenty files at
//! most.
//!
//! A unit is cut by positions, since the language of a sample can be changed while a run
//! is planned, and a plan that goes on after an interruption must be the same plan. So a
//! unit may hold several languages, and is several jobs then. Which ones is settled by
//! their ids, which are recorded before the first is started: whatever is asked later is
//! asked of exactly these.

use crate::crypto::sha256_hex;
use crate::providers::error::CallError;
use crate::providers::http::unreadable;
use crate::providers::jobs::JobItem;

/// Files in a job of the vendor.
pub(super) const MAX_FILES: usize = 20;

/// Keeps ids apart.
const SEPARATOR: char = ',';
/// Ends what tells the items of prepared jobs.
const DIGEST_ENDS: char = ':';
/// Hexadecimal digits of it.
const DIGEST: usize = 16;

/// What one job of the vendor is made of.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) language_code: &'static str,
    pub(super) items: Vec<&'a JobItem>,
}

/// The vendor's jobs for items: in the order in which their languages come.
pub(super) fn parts(items: &[JobItem]) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for item in items {
        let mut open = parts.iter_mut();
        let open = open
            .find(|part| part.language_code == item.language_code && part.items.len() < MAX_FILES);
        match open {
            Some(part) => part.items.push(item),
            None => parts.push(Part {
                language_code: item.language_code,
                items: vec![item],
            }),
        }
    }
    parts
}

/// What a file is called in a job: the item's key, so that its result is found by it.
pub(super) fn file_name(item: &JobItem) -> String {
    match item.file_name.rsplit_once('.') {
        Some((_, extension)) => format!("{}.{extension}", item.key),
        None => item.key.clone(),
    }
}

/// The item that a file of a job is of.
pub(super) fn key(file_name: &str) -> &str {
    file_name.split_once('.').map_or(file_name, |(key, _)| key)
}

/// What prepared jobs are called: what they are of, and their ids.
pub(super) fn prepared(model: &str, parts: &[Part<'_>], ids: &[String]) -> String {
    let mut text = model.to_owned();
    for part in parts {
        text.push('\n');
        text.push_str(part.language_code);
        for item in &part.items {
            text.push(' ');
            text.push_str(&file_name(item));
        }
    }
    let digest: String = sha256_hex(text.as_bytes()).chars().take(DIGEST).collect();
    format!("{digest}{DIGEST_ENDS}{}", joined(ids))
}

/// The ids of prepared jobs, or of started ones.
pub(super) fn ids(name: &str) -> impl Iterator<Item = &str> {
    let ids = name
        .split_once(DIGEST_ENDS)
        .map_or(name, |(_, joined)| joined);
    ids.split(SEPARATOR)
}

/// Ids of the vendor as one name.
pub(super) fn joined<T: AsRef<str>>(ids: &[T]) -> String {
    let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
    ids.join(&SEPARATOR.to_string())
}

/// An id as the vendor gave it, if it can be one.
pub(super) fn checked(id: String) -> Result<String, CallError> {
    let of_id = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if (1..=64).contains(&id.len()) && id.bytes().all(of_id) {
        Ok(id)
    } else {
        Err(unreadable("an id that is none"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::audio::ItemAudio;

    fn item(number: usize, language_code: &'static str) -> JobItem {
        JobItem {
            key: format!("res_{number}"),
            audio: ItemAudio::Url(String::new()),
            file_name: "fil_1.wav".to_owned(),
            mime_type: "audio/wav".to_owned(),
            language: String::new(),
            language_code,
            duration_seconds: 1.0,
        }
    }

    #[test]
    fn a_job_is_of_one_language_and_twenty_files() {
        let mut items: Vec<JobItem> = (0..22).map(|number| item(number, "hi-IN")).collect();
        items.insert(1, item(30, "en-IN"));
        let cut = parts(&items);
        let sizes: Vec<_> = cut
            .iter()
            .map(|part| (part.language_code, part.items.len()))
            .collect();
        assert_eq!(sizes, [("hi-IN", 20), ("en-IN", 1), ("hi-IN", 2)]);
        let all = cut.iter().flat_map(|part| &part.items);
        assert_eq!(all.count(), items.len());
    }

    #[test]
    fn names_tell_items_and_jobs() {
        let items = [item(1, "hi-IN"), item(2, "en-IN")];
        let made = |items: &[JobItem], model| {
            prepared(model, &parts(items), &["a-1".to_owned(), "b-2".to_owned()])
        };
        let name = made(&items, "m");
        assert_eq!(ids(&name).collect::<Vec<_>>(), ["a-1", "b-2"]);
        assert_eq!(ids("a-1,b-2").collect::<Vec<_>>(), ["a-1", "b-2"]);
        assert_eq!(ids("a-1").collect::<Vec<_>>(), ["a-1"]);
        assert_ne!(name, made(&items, "n"));
        // A language was changed, or an item is missing.
        assert_ne!(name, made(&[item(1, "hi-IN"), item(2, "ta-IN")], "m"));
        assert_ne!(name, made(&items[..1], "m"));
        assert_eq!(name, made(&items, "m"));
        assert_eq!(key(&file_name(&items[0])), "res_1");
    }

    #[test]
    fn ids_are_looked_at() {
        for bad in ["", "a/b", "a,b", "a:b", &"x".repeat(65)] {
            assert!(checked(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(checked("0b5c-4_A".to_owned()).is_ok());
    }
}
