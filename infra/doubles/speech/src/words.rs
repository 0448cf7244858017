//! When words were said, as answers tell it: each takes the same share of the recording.

/// Words above which a text is told as one: no recording of a test is that long.
const MOST: usize = 10_000;

/// A word of a text.
pub(crate) struct Word<'a> {
    pub text: &'a str,
    /// In seconds, to the millisecond.
    pub start: f64,
    pub end: f64,
}

/// The words of a text that was said within some seconds.
pub(crate) fn words(text: &str, seconds: f64) -> Vec<Word<'_>> {
    let mut all: Vec<&str> = text.split_whitespace().take(MOST + 1).collect();
    if all.len() > MOST {
        all = vec![text];
    }
    let count = all.len() as f64;
    let at = |number: f64| (seconds * 1_000.0 * number / count).round() / 1_000.0;
    let words = all.into_iter().enumerate();
    let words = words.map(|(index, text)| Word {
        text,
        start: at(index as f64),
        end: at(index as f64 + 1.0),
    });
    words.collect()
}

/// A word and the signs behind it.
pub(crate) fn signs(word: &str) -> (&str, &str) {
    let bare = word.trim_end_matches(['.', ',', '?', '!', ':', ';', '।']);
    word.split_at(bare.len())
}
