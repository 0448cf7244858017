//! When words were spoken, by what answers tell of it.
//!
//! No answer has to tell, and no text is given up for odd times: what can't be read, or
//! is not found in the text, is left out.

use serde_json::Value;

use crate::domain::word_times::{WordTime, WordTimes};

/// Words of an answer that are looked at.
const MOST_WORDS: usize = 20_000;
/// Bytes within which a word is looked for behind the one before, besides those of words
/// that were not found.
const NEAR: usize = 64;
/// The same with them.
const FAR: usize = 1_024;

/// A word, or a phrase, as an answer lists it.
pub struct Spoken<'a> {
    /// As it stands in the text.
    pub text: &'a str,
    /// When it begins, in seconds: a number, or a text that is one.
    pub start: &'a Value,
}

/// A number that is not negative, or a text that is one.
pub fn number(value: Option<&Value>) -> Option<f64> {
    let number = match value? {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    };
    number.filter(|n: &f64| n.is_finite() && *n >= 0.0)
}

/// The words of a list, as `read` finds them in its entries.
pub fn listed<'a>(
    list: Option<&'a Value>,
    read: impl Fn(&'a Value) -> Option<Spoken<'a>>,
) -> impl Iterator<Item = Spoken<'a>> {
    let entries = list.and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(read)
}

/// The last end that a list tells of, under its name.
pub fn last_end(list: Option<&Value>, name: &str) -> Option<f64> {
    let entries = list?.as_array()?.iter().rev();
    let mut ends = entries.filter_map(|entry| number(entry.get(name)));
    ends.next()
}

/// Where words stand in a text, and when they were begun.
pub fn times<'a>(text: &str, spoken: impl Iterator<Item = Spoken<'a>>) -> WordTimes {
    in_units(text, spoken, 1_000.0)
}

/// The same of an answer that counts milliseconds.
pub fn times_in_ms<'a>(text: &str, spoken: impl Iterator<Item = Spoken<'a>>) -> WordTimes {
    in_units(text, spoken, 1.0)
}

fn in_units<'a>(text: &str, spoken: impl Iterator<Item = Spoken<'a>>, ms: f64) -> WordTimes {
    let mut times = WordTimes::default();
    let (mut at, mut near) = (0, NEAR);
    for word in spoken.take(MOST_WORDS) {
        let length = word.text.len();
        let Some((start, end)) = find(text, at, near, word.text) else {
            near = near.saturating_add(length + 1).min(FAR);
            continue;
        };
        (at, near) = (end, NEAR);
        let Some(seconds) = number(Some(word.start)) else {
            continue;
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and is not negative"
        )]
        let at_ms = (seconds * ms).round() as u32;
        if let Ok(start) = u32::try_from(start) {
            times.push(WordTime { start, at_ms });
        }
    }
    times
}

/// Where a word stands near a place of a text. Blanks of a phrase may be others there.
fn find(text: &str, from: usize, near: usize, word: &str) -> Option<(usize, usize)> {
    let as_written = word.trim();
    let found = find_near(text, from, near, as_written);
    if found.is_some() || !as_written.contains(char::is_whitespace) {
        return found;
    }
    let squeezed = as_written.split_whitespace().collect::<Vec<_>>().join(" ");
    find_near(text, from, near, &squeezed)
}

fn find_near(text: &str, from: usize, near: usize, word: &str) -> Option<(usize, usize)> {
    if word.is_empty() {
        return None;
    }
    let end = from.saturating_add(near + word.len()).min(text.len());
    // By bytes: a word of whole characters is only found where characters begin.
    let window = text.as_bytes().get(from..end)?;
    let mut places = window.windows(word.len());
    let place = from + places.position(|bytes| bytes == word.as_bytes())?;
    Some((place, place + word.len()))
}

#[cfg(test)]
pub fn made_of(pairs: &[(u32, u32)]) -> WordTimes {
    let mut times = WordTimes::default();
    for &(start, at_ms) in pairs {
        assert!(times.push(WordTime { start, at_ms }));
    }
    times
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(text: &str, words: &Value) -> Vec<(u32, u32)> {
        let spoken = listed(Some(words), |word| {
            Some(Spoken {
                text: word.get("w")?.as_str()?,
                start: word.get("s")?,
            })
        });
        let times = times(text, spoken);
        let pairs = times.as_slice().iter();
        pairs.map(|time| (time.start, time.at_ms)).collect()
    }

    #[test]
    fn words_are_found_where_they_stand() {
        let words = json!([{"w": "एक", "s": 0.12}, {"w": "दो", "s": "0.47"}, {"w": "एक", "s": 1}]);
        assert_eq!(of("एक, दो एक", &words), [(0, 120), (8, 470), (15, 1_000)]);
        // A phrase, with other blanks.
        let phrases = json!([{"w": " one \n two ", "s": 0.5}, {"w": "two", "s": 2.0}]);
        assert_eq!(of("one two two", &phrases), [(0, 500), (8, 2_000)]);
    }

    #[test]
    fn what_is_odd_is_left_out() {
        let words = json!([
            {"w": "one", "s": 0.1}, {"w": "other", "s": 0.2}, 7, {"w": "", "s": 0.3},
            {"w": "two", "s": null}, {"w": "three", "s": -1}, {"w": "four", "s": 0.05},
            {"w": "five", "s": 1e300}
        ]);
        let text = "one two three four five";
        assert_eq!(of(text, &words), [(0, 100), (19, u32::MAX)]);
        assert!(of(text, &json!({"w": "one"})).is_empty());
        // One that stands far away is another word.
        let far = format!("one {}two", "- ".repeat(200));
        assert_eq!(
            of(&far, &json!([{"w": "one", "s": 0}, {"w": "two", "s": 1}])),
            [(0, 0)]
        );
    }

    proptest! {
        #[test]
        fn words_of_a_text_are_all_found(words in proptest::collection::vec("[aकि\u{200d}é]{1,4}", 0..20)) {
            let text = words.join(" ");
            let list: Vec<Value> = words
                .iter()
                .enumerate()
                .map(|(index, word)| json!({"w": word, "s": index}))
                .collect();
            let found = of(&text, &Value::Array(list));
            prop_assert_eq!(found.len(), words.len());
            for ((start, _), word) in found.iter().zip(&words) {
                prop_assert!(text[*start as usize..].starts_with(word.as_str()));
            }
        }
    }
}
