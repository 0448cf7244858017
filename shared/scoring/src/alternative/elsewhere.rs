//! The same alternatives in other references: where one says the first of them, it takes
//! the others as well.

/// Alternatives of a reference, as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternatives {
    /// With its braces.
    text: String,
    /// The first of them.
    said: String,
}

/// What ends a word beside a blank.
fn ends_a_word(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '.' | ','
                | ';'
                | ':'
                | '!'
                | '?'
                | '"'
                | '('
                | ')'
                | '['
                | ']'
                | '{'
                | '}'
                | '<'
                | '>'
                | '…'
                | '“'
                | '”'
                | '।'
                | '॥'
                | '،'
                | '؛'
                | '؟'
                | '۔'
        )
}

/// A group of a reference.
struct Group<'a> {
    /// Where it begins.
    start: usize,
    /// From brace to brace.
    text: &'a str,
    options: Vec<&'a str>,
}

/// The groups of a reference.
fn groups(reference: &str) -> Vec<Group<'_>> {
    let mut groups = Vec::new();
    let mut options: Vec<&str> = Vec::new();
    let (mut open, mut from, mut is_escaped) = (None, 0, false);
    for (at, c) in reference.char_indices() {
        match (c, open) {
            _ if is_escaped => is_escaped = false,
            ('\\', _) => is_escaped = true,
            ('{', None) => (open, from) = (Some(at), at + 1),
            ('|', Some(_)) => {
                options.extend(reference.get(from..at));
                from = at + 1;
            }
            ('}', Some(start)) => {
                options.extend(reference.get(from..at));
                let text = reference.get(start..=at).unwrap_or_default();
                groups.push(Group {
                    start,
                    text,
                    options: std::mem::take(&mut options),
                });
                open = None;
            }
            _ => {}
        }
    }
    groups
}

/// Where words stand in a text as whole words.
fn places<'a>(text: &'a str, words: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(words).filter_map(move |(at, _)| {
        let mut before = text.get(..at)?.chars().rev();
        let after = text.get(at + words.len()..)?.chars().next();
        // What is escaped is a sign of the word.
        let begins = before.next().is_none_or(ends_a_word) && before.next() != Some('\\');
        (begins && after.is_none_or(ends_a_word)).then_some(at)
    })
}

/// The groups of a reference that are not in an earlier one and have words that were
/// heard beside the first: what a second wording has added. The first option is what was
/// said.
#[must_use]
pub fn added(before: &str, after: &str, heard: &str) -> Vec<Alternatives> {
    let known = groups(before);
    let heard = crate::reference::escape(heard);
    let mut added: Vec<Alternatives> = Vec::new();
    for Group { text, options, .. } in groups(after) {
        let mut options = options.into_iter().map(str::trim);
        let Some(said) = options.next().filter(|said| !said.is_empty()) else {
            continue;
        };
        let is_heard =
            options.any(|other| !other.is_empty() && places(&heard, other).next().is_some());
        let is_new = known.iter().all(|known| known.text != text);
        if is_heard && is_new && added.iter().all(|group| group.said != said) {
            added.push(Alternatives {
                text: text.to_owned(),
                said: said.to_owned(),
            });
        }
    }
    added
}

impl Alternatives {
    /// A reference in which the words that were said have the same alternatives, wherever
    /// they stand outside of others. `None` where they don't.
    ///
    /// ```
    /// use stt_eval_scoring::alternative::added;
    ///
    /// let groups = added("दस हजार लोग", "{दस हजार|10000} लोग", "10000 लोग");
    /// let other = groups[0].put_into("मुझे दस हजार, नहीं दस हजारों");
    /// assert_eq!(other.as_deref(), Some("मुझे {दस हजार|10000}, नहीं दस हजारों"));
    /// ```
    #[must_use]
    pub fn put_into(&self, reference: &str) -> Option<String> {
        let inside = groups(reference);
        let mut text = String::with_capacity(reference.len() + self.text.len());
        let mut done = 0;
        for at in places(reference, &self.said) {
            let end = at + self.said.len();
            let is_inside = inside
                .iter()
                .any(|group| at < group.start + group.text.len() && end > group.start);
            if at < done || is_inside {
                continue;
            }
            text.push_str(reference.get(done..at)?);
            text.push_str(&self.text);
            done = end;
        }
        if done == 0 {
            return None;
        }
        text.push_str(reference.get(done..)?);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate_reference;

    #[test]
    fn what_was_added_is_what_was_heard_and_is_new() {
        let of = |before: &str, after: &str, heard: &str| {
            let groups = added(before, after, heard).into_iter();
            groups.map(|group| group.text).collect::<Vec<_>>()
        };
        assert_eq!(of("one two", "one {two|too}", "one too"), ["{two|too}"]);
        // What stood there before, what was not heard, and what has no first words.
        assert!(of("one {two|too}", "one {two|too}", "one too").is_empty());
        assert!(of("one two", "one {two|to}", "one too").is_empty());
        assert!(of("two", "{|too} two", "too two").is_empty());
        // One alternative more, and signs that are told as they are.
        assert_eq!(of("{ten|10}", "{ten|tan|10}", "tan"), ["{ten|tan|10}"]);
        assert_eq!(of("a b", "a {b|\\|b}", "a |b"), ["{b|\\|b}"]);
    }

    #[test]
    fn only_whole_words_outside_of_alternatives_take_them() {
        let group = Alternatives {
            text: "{two|too}".to_owned(),
            said: "two".to_owned(),
        };
        for (reference, wanted) in [
            ("two", Some("{two|too}")),
            (
                "Two, two; (two) two।",
                Some("Two, {two|too}; ({two|too}) {two|too}।"),
            ),
            ("twofold no-two \\{two", None),
            ("{two|2} <*> two", Some("{two|2} <*> {two|too}")),
            ("{one two|12}", None),
            ("", None),
        ] {
            let found = group.put_into(reference);
            assert_eq!(found.as_deref(), wanted, "{reference}");
            if let Some(text) = found {
                validate_reference(&text).unwrap();
                // Done twice, it is done once.
                assert_eq!(group.put_into(&text), None, "{text}");
            }
        }
    }
}
