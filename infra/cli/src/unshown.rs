//! What may be a key is not told back: a message about wrong usage ends in logs of CI.
//!
//! Of arguments whatever looks like one is left out of messages; of other texts what begins
//! as keys do and is as long. What standard output has as its result is left alone: `keys
//! new` prints a key, once.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

/// What stands in its place.
const MARK: &str = "(not shown: it may be a key)";
/// What keys begin with: ours, and those of vendors.
const BEGINNINGS: [&str; 9] = [
    "sk_", "sk-", "gsk_", "AIza", "eyJ", "hf_", "xai-", "ghp_", "AKIA",
];
/// Shorter words of other texts are no keys.
const LEAST: usize = 20;

/// Whether a character can be in a key.
fn is_of_keys(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-+=~.".contains(c)
}

/// A tag of a language, such as `sk-SK`.
fn is_tag(word: &str) -> bool {
    let behind = word.get(3..).unwrap_or_default();
    matches!(behind.len(), 2 | 4) && behind.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// The name of a file, or of something that this project made (`run_01M8…`).
fn is_name(word: &str) -> bool {
    let extension = word.rsplit_once('.').map(|(_, end)| end);
    let has_extension = extension.is_some_and(|end| (1..=5).contains(&end.len()));
    let made = ["run_", "ds_", "file_", "res_", "key_", "smp_"];
    has_extension && !word.starts_with("eyJ") || made.iter().any(|kind| word.starts_with(kind))
}

/// A long word of digits and letters that mean nothing: keys that begin with nothing special.
fn is_random(word: &str) -> bool {
    let count = |is: fn(&u8) -> bool| word.bytes().filter(is).count();
    word.len() >= LEAST
        && count(u8::is_ascii_digit) >= 4
        && count(u8::is_ascii_alphabetic) >= 4
        && !word.contains(['.', ' '])
}

/// Whether an argument, or what stands behind its `=`, may be a key.
fn may_be_key(word: &str) -> bool {
    let begins = BEGINNINGS.iter().any(|begin| word.starts_with(begin));
    word.chars().all(is_of_keys)
        && (begins && !is_tag(word) || is_random(word))
        && !is_name(word)
        && !Path::new(word).exists()
}

/// Arguments of this process that may be keys.
fn arguments() -> &'static [String] {
    static FOUND: OnceLock<Vec<String>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let words = std::env::args_os().skip(1);
        let words: Vec<String> = words.filter_map(|word| word.into_string().ok()).collect();
        let mut found: Vec<String> = words
            .iter()
            .flat_map(|word| [Some(&**word), word.split_once('=').map(|(_, value)| value)])
            .flatten()
            .map(|word| word.trim_start_matches('-'))
            .filter(|word| may_be_key(word))
            .map(str::to_owned)
            .collect();
        // One that holds another one goes first.
        found.sort_by_key(|word| std::cmp::Reverse(word.len()));
        found
    })
}

/// Words of a text that begin as keys do, and are as long.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    for word in text.split(|c| !is_of_keys(c)) {
        let begins = BEGINNINGS.iter().any(|begin| word.starts_with(begin));
        if begins && word.len() >= LEAST && !is_name(word) {
            found.push(at..at + word.len());
        }
        // What parts words is of one byte here, or is counted as the rest of its character.
        at += word.len();
        at += text[at..].chars().next().map_or(0, char::len_utf8);
    }
    found
}

/// A message without what may be a key.
pub fn without_keys(text: &str) -> Cow<'_, str> {
    let mut told = Cow::Borrowed(text);
    for word in arguments() {
        if told.contains(word.as_str()) {
            told = Cow::Owned(told.replace(word.as_str(), MARK));
        }
    }
    let found = words(&told);
    if found.is_empty() {
        return told;
    }
    let mut out = told.into_owned();
    for range in found.into_iter().rev() {
        out.replace_range(range, MARK);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_key_is_told_from_names() {
        for key in [
            "sk_x",
            "sk_abc_def",
            "sk_01H8_4f5e6d7c8b9a_1234",
            "sk-proj-abcdef",
            "AIzaSyA-0123456789_abcdef",
            "0123456789abcdef0123456789abcdef",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        ] {
            assert!(may_be_key(key), "{key}");
        }
        for name in [
            "sk-SK",
            "sk_SK",
            "gemini-2.5-flash",
            "run_01M8XYZ0123456789ABCDEFGH",
            "sk_speaker.wav",
            "--language",
            "https://stt.example.org",
            "sets/0123456789abcdef0123456789abcdef",
            "ten words of text 0123456789",
        ] {
            assert!(!may_be_key(name), "{name}");
        }
    }

    #[test]
    fn texts_lose_their_keys_and_nothing_else() {
        let told = without_keys("ключ sk_0123456789abcdefghij, “sk_01” and sk_0123456789abc.wav");
        assert_eq!(
            told,
            format!("ключ {MARK}, “sk_01” and sk_0123456789abc.wav")
        );
        assert!(matches!(without_keys("हाँ, ठीक"), Cow::Borrowed(_)));
    }
}
