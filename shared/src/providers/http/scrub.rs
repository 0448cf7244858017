//! Texts from outside, without keys and without what a URL's query may hold.

use secrecy::{ExposeSecret, SecretString};

use crate::providers::error::CallError;

/// What stands for a key. Without a character that ends a word, so that what
/// follows it in a URL is still seen as part of that.
const REDACTED: &str = "REDACTED";

/// Longest text kept of anything from outside, in characters.
const MAX_TEXT: usize = 400;

/// How keys begin that are known by their beginning: a text may show another
/// one than that which was sent.
const BEGINNINGS: [&str; 1] = ["AIza"];

/// The same error with its text cleaned. Every error passes here on its way
/// out of a client.
#[must_use]
pub fn scrubbed(error: CallError, key: &SecretString) -> CallError {
    let clean = |message: String| scrub(&message, key.expose_secret());
    match error {
        CallError::Rejected {
            status,
            kind,
            message,
        } => CallError::Rejected {
            status,
            kind,
            message: clean(message),
        },
        CallError::Ambiguous { message } => CallError::Ambiguous {
            message: clean(message),
        },
        CallError::Unreadable { message } => CallError::Unreadable {
            message: clean(message),
        },
        CallError::Input { message } => CallError::Input {
            message: clean(message),
        },
    }
}

/// Removes the key, anything that looks like a key, and the query of every URL
/// (signatures, upload ids); drops control characters; shortens.
#[must_use]
pub fn scrub(text: &str, key: &str) -> String {
    let without_key = if key.is_empty() {
        text.to_owned()
    } else {
        text.replace(key, REDACTED)
    };
    let mut out = String::new();
    for piece in without_key.split_inclusive(ends_word) {
        let word = piece.trim_end_matches(ends_word);
        let delimiter = piece.strip_prefix(word).unwrap_or_default();
        let (before_query, query) = match word.split_once('?') {
            Some((before, query)) if query.contains('=') => (before, "?[query]"),
            _ => (word, ""),
        };
        let at = BEGINNINGS
            .iter()
            .filter_map(|begin| before_query.find(begin))
            .min();
        match at.and_then(|at| before_query.get(..at)) {
            Some(before) => out.extend([before, REDACTED]),
            None => out.push_str(before_query),
        }
        out.push_str(query);
        out.push_str(delimiter);
    }
    let mut clean: String = out
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if let Some((end, _)) = clean.char_indices().nth(MAX_TEXT) {
        clean.truncate(end);
        clean.push('…');
    }
    clean
}

/// Ends of a URL in running text. Not `,` and `;`: signed URLs have them.
fn ends_word(c: char) -> bool {
    c.is_whitespace() || "\"'<>()[]{}".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cleaned() {
        let key = "AQ.secret-key";
        for (text, clean) in [
            ("plain", "plain"),
            ("what? no query", "what? no query"),
            ("key AQ.secret-key here", "key REDACTED here"),
            (
                "https://h/p?key=AQ.secret-key&b=1 failed",
                "https://h/p?[query] failed",
            ),
            (
                "(https://h/p?upload_id=abc&x=y): reset",
                "(https://h/p?[query]): reset",
            ),
            (
                "\"https://h/p?X-Amz-Signature=1\"",
                "\"https://h/p?[query]\"",
            ),
            ("other key AIzaSyABCDEFG-x_y end", "other key REDACTED end"),
            ("a\nb\u{7}c", "a b c"),
        ] {
            assert_eq!(scrub(text, key), clean);
        }
        assert_eq!(scrub("x", ""), "x");
        let long = scrub(&"ठ".repeat(5000), key);
        assert_eq!(long.chars().count(), MAX_TEXT + 1);
    }

    proptest::proptest! {
        #[test]
        fn cleaning_never_leaves_the_key(before in "\\PC{0,40}", after in "\\PC{0,40}") {
            let key = "AQ.Ab8RN6-secret_Z";
            let text = format!("{before}{key}{after}");
            proptest::prop_assert!(!scrub(&text, key).contains(key));
        }
    }
}
