//! Splits of a table. Training and test data are never taken together without that being
//! told.

use std::collections::BTreeMap;

use stt_eval_formats::same_split;
use stt_eval_shared::domain::dataset::Metadata;

/// The column that names them.
pub const SPLIT: &str = "split";

/// How many rows each has.
pub type Splits = BTreeMap<String, u64>;

/// The split of a row.
#[must_use]
pub fn of_row(row: &Metadata) -> Option<&str> {
    let fields = row.iter();
    of_fields(fields.map(|(name, value)| (name.as_str(), value.as_str())))
}

/// The split that fields name.
#[must_use]
pub fn of_fields<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Option<&'a str> {
    let mut fields = fields;
    let named = fields.find(|(name, _)| name.eq_ignore_ascii_case(SPLIT));
    named
        .map(|(_, split)| split.trim())
        .filter(|split| !split.is_empty())
}

/// What rows say of their splits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// How many rows each split has.
    pub splits: Splits,
    /// How many rows name none.
    pub without: u64,
}

/// What splits there are, of those that rows name, where not all of them are of one. Two spellings
/// are one.
#[must_use]
pub fn parts<'a>(of_rows: impl Iterator<Item = Option<&'a str>>) -> Parts {
    let Parts {
        mut splits,
        mut without,
    } = Parts::default();
    for split in of_rows {
        let Some(split) = split else {
            without += 1;
            continue;
        };
        let known = splits
            .keys()
            .find(|known| same_split(known, split))
            .cloned();
        *splits
            .entry(known.unwrap_or_else(|| split.to_owned()))
            .or_default() += 1;
    }
    match (splits.len(), without) {
        (0, _) | (1, 0) => Parts::default(),
        _ => Parts { splits, without },
    }
}

/// The splits alone, where there are several.
#[must_use]
pub fn several<'a>(rows: impl Iterator<Item = &'a Metadata>) -> Splits {
    let mut splits = parts(rows.map(of_row)).splits;
    if splits.len() < 2 {
        splits.clear();
    }
    splits
}

/// The one that is taken where none is chosen: models are judged by test data.
fn usual(splits: &Splits) -> Option<&str> {
    let of = |name: &str| splits.keys().find(|split| same_split(split, name));
    of("test").or_else(|| of("dev")).map(String::as_str)
}

/// Which split of a table is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Wanted {
    /// The usual one: that for tests, else that for development, else all of them.
    #[default]
    Usual,
    /// All of them together.
    All,
    /// One.
    Of(String),
}

impl Wanted {
    /// As a form says it: nothing is said of what is usual.
    #[must_use]
    pub fn asked(given: Option<&str>) -> Self {
        match given {
            None => Self::Usual,
            Some("") => Self::All,
            Some(split) => Self::Of(split.to_owned()),
        }
    }

    /// The same as a form says it.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Usual => None,
            Self::All => Some(""),
            Self::Of(split) => Some(split),
        }
    }

    /// The one that it is in a table; none for all of them.
    #[must_use]
    pub fn of(&self, splits: &Splits) -> Option<String> {
        match self {
            _ if splits.is_empty() => None,
            Self::Usual => usual(splits).map(str::to_owned),
            Self::All => None,
            Self::Of(split) => Some(split.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_splits_are_counted_and_one_is_taken() {
        let counted = |splits: &[&str]| {
            let row = |split: &&str| Metadata::from([("Split".to_owned(), (*split).to_owned())]);
            let rows: Vec<Metadata> = splits.iter().map(row).collect();
            (several(rows.iter()), parts(rows.iter().map(of_row)).without)
        };
        for (given, are_told, taken, without) in [
            (
                &["train", "test", "Train"][..],
                &[("test", 1), ("train", 2)][..],
                Some("test"),
                0,
            ),
            (
                &["train", "validation", "val"],
                &[("train", 1), ("validation", 2)],
                Some("validation"),
                0,
            ),
            (
                &["train", "other", ""],
                &[("other", 1), ("train", 1)],
                None,
                1,
            ),
            (&["test", "", " "], &[], None, 2),
            (&["train", "train"], &[], None, 0),
            (&["", ""], &[], None, 0),
            (&[], &[], None, 0),
        ] {
            let (splits, named_none) = counted(given);
            assert_eq!(named_none, without, "{given:?}");
            let told: Vec<_> = splits
                .iter()
                .map(|(split, rows)| (&**split, *rows))
                .collect();
            assert_eq!((&*told, usual(&splits)), (are_told, taken), "{given:?}");
        }
    }
}
