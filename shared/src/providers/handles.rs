//! A job that is one request for each item at its vendor, named in one.
//!
//! A unit of one item would cost as many writes as one of twenty: its plan, its
//! admission, its intent, its start, its collection. So a unit owns many handles instead,
//! and the name of its job tells them all: for each key what it is at the vendor. What
//! keys have in common, and what handles have, is written once; a name of twenty items
//! has about a kilobyte.

use std::time::Duration;

use time::OffsetDateTime;

use super::error::CallError;
use super::http::{refused_here, unreadable};

/// What an item is at the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handle {
    /// The vendor has this for it.
    Known(String),
    /// It was asked for something by this, and did not tell whether it has it.
    Asked(String),
    /// It has nothing, for certain.
    None,
}

/// The handles of a job's items, and since when there are such.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handles {
    /// In seconds since 1970.
    pub since: i64,
    /// By key.
    pub each: Vec<(String, Handle)>,
}

const FIELDS: char = '|';
const ITEMS: char = ',';
const VALUE: char = '=';
const ASKED: char = '?';
const NONE: char = '!';

/// What texts begin with, all of them.
fn common<'a>(mut texts: impl Iterator<Item = &'a str>) -> &'a str {
    let Some(first) = texts.next() else {
        return "";
    };
    let shared = texts.fold(first.len(), |shared, text| {
        let same = first.bytes().zip(text.bytes()).take(shared);
        same.take_while(|(a, b)| a == b).count()
    });
    first.get(..shared).unwrap_or_default()
}

impl Handles {
    /// Handles as of now.
    #[must_use]
    pub fn now(each: Vec<(String, Handle)>) -> Self {
        Self {
            since: OffsetDateTime::now_utc().unix_timestamp(),
            each,
        }
    }

    /// The name of a job of which some items have something by now. Where none has, an error:
    /// the doubt about one, or else the refusal that ended it.
    pub fn started(
        each: Vec<(String, Handle)>,
        doubt: Option<String>,
        refusal: Option<CallError>,
    ) -> Result<String, CallError> {
        let has_one = |(_, handle): &(String, Handle)| matches!(handle, Handle::Known(_));
        if each.iter().any(has_one) {
            return Self::now(each).name();
        }
        Err(match (doubt, refusal) {
            (Some(message), _) => CallError::Ambiguous { message },
            (None, Some(refusal)) => refusal,
            (None, None) => refused_here("there is nothing to ask for"),
        })
    }

    /// How long there have been such.
    #[must_use]
    pub fn age(&self) -> Duration {
        let age = OffsetDateTime::now_utc().unix_timestamp() - self.since;
        Duration::from_secs(u64::try_from(age).unwrap_or_default())
    }

    /// All of them as a name. An error is a key or a handle that can't be in one.
    pub fn name(&self) -> Result<String, CallError> {
        let values = |(_, handle): &'_ (String, Handle)| match handle {
            Handle::Known(text) | Handle::Asked(text) => Some(text.clone()),
            Handle::None => None,
        };
        let texts: Vec<String> = self.each.iter().filter_map(values).collect();
        let odd = |text: &str| {
            text.is_empty()
                || text
                    .bytes()
                    .any(|b| !b.is_ascii_graphic() || matches!(b, b'|' | b',' | b'?' | b'!'))
        };
        if let Some((key, _)) = self
            .each
            .iter()
            .find(|(key, _)| odd(key) || key.contains(VALUE))
        {
            return Err(refused_here(&format!("{key} can't be a key")));
        }
        if texts.iter().any(|text| odd(text)) {
            return Err(unreadable("a name that can't be kept"));
        }
        let keys = common(self.each.iter().map(|(key, _)| &**key));
        let handles = common(texts.iter().map(|text| &**text));
        let mut name = format!("{}{FIELDS}{keys}{FIELDS}{handles}{FIELDS}", self.since);
        for (number, (key, handle)) in self.each.iter().enumerate() {
            if number > 0 {
                name.push(ITEMS);
            }
            name.push_str(key.strip_prefix(keys).unwrap_or_default());
            name.push(VALUE);
            let rest = |text: &str| text.strip_prefix(handles).unwrap_or_default().to_owned();
            match handle {
                Handle::Known(text) => name.push_str(&rest(text)),
                Handle::Asked(text) => {
                    name.push(ASKED);
                    name.push_str(&rest(text));
                }
                Handle::None => name.push(NONE),
            }
        }
        Ok(name)
    }

    /// Reads a name.
    pub fn read(name: &str) -> Result<Self, CallError> {
        let read = || {
            let mut fields = name.splitn(4, FIELDS);
            let since = fields.next()?.parse().ok()?;
            let (keys, handles) = (fields.next()?, fields.next()?);
            let item = |item: &str| {
                let (key, value) = item.split_once(VALUE)?;
                let handle = match value.strip_prefix(ASKED) {
                    Some(rest) => Handle::Asked(format!("{handles}{rest}")),
                    None if value.starts_with(NONE) => Handle::None,
                    None => Handle::Known(format!("{handles}{value}")),
                };
                Some((format!("{keys}{key}"), handle))
            };
            let each: Option<Vec<_>> = fields.next()?.split(ITEMS).map(item).collect();
            Some(Self { since, each: each? })
        };
        read().ok_or_else(|| refused_here("a name that is none of this vendor's jobs"))
    }

    /// The handle of a key.
    #[must_use]
    pub fn of(&self, key: &str) -> Option<&Handle> {
        let mut each = self.each.iter();
        each.find(|(known, _)| known == key)
            .map(|(_, handle)| handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str) -> Handle {
        Handle::Known(text.to_owned())
    }

    #[test]
    fn names_are_read_again() {
        let two = vec![
            ("res_01A".to_owned(), known("https://h/u/a=1")),
            ("res_01B".to_owned(), known("https://h/u/b")),
        ];
        let mut all = two.clone();
        all.push((
            "res_01".to_owned(),
            Handle::Asked("https://h/u/".to_owned()),
        ));
        all.push(("res_02".to_owned(), Handle::None));
        for each in [
            two.clone(),
            two[..1].to_vec(),
            all,
            vec![("k".to_owned(), Handle::None)],
        ] {
            let handles = Handles { since: 7, each };
            assert_eq!(Handles::read(&handles.name().unwrap()), Ok(handles));
        }
        let handles = Handles {
            since: 7,
            each: two,
        };
        assert_eq!(handles.name().unwrap(), "7|res_01|https://h/u/|A=a=1,B=b");
        assert_eq!(handles.of("res_01B"), Some(&known("https://h/u/b")));
        assert_eq!(handles.of("res_01"), None);
    }

    #[test]
    fn what_can_not_be_in_a_name_is_refused() {
        for (key, handle) in [
            ("a=b", "x"),
            ("", "x"),
            ("a", ""),
            ("a", "x,y"),
            ("a|", "x"),
            ("a", "?x"),
            ("a", "x y"),
        ] {
            let each = vec![(key.to_owned(), known(handle))];
            assert!(Handles { since: 0, each }.name().is_err(), "{key} {handle}");
        }
        for odd in ["", "x", "7|a|b", "x|a|b|c=d", "7|a|b|c"] {
            assert!(Handles::read(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_name_of_twenty_items_is_short() {
        let each = (0..20).map(|n| {
            let key = format!("res_01KB0QZ3V5M7N9P1R3T5{n:06}");
            (
                key,
                known(&format!("0b5c4a{n:02}-1111-4222-8333-444455556666")),
            )
        });
        let name = Handles::now(each.collect()).name().unwrap();
        assert!(name.len() < 1_024, "{}", name.len());
    }
}
