//! Identifiers: prefixed ULIDs (`file_01J…`), and ids derived from others.
//!
//! A sample's id is its dataset's ULID with the position in the low bits, a
//! result's is its run's with model and position in them. So an id of a
//! sample or result names its place: one `GetItem`, no index to keep.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ulid::Ulid;

/// Low bits of a dataset's ULID that number its samples.
const POSITION_BITS: u32 = 16;
/// Bits above the position that number a run's models.
const PROVIDER_BITS: u32 = 8;

/// The text is not an id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a {0} id")]
pub struct InvalidId(pub &'static str);

macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl $name {
            /// What ids of this kind start with.
            pub const PREFIX: &'static str = $prefix;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let ulid = text
                    .strip_prefix(concat!($prefix, "_"))
                    .and_then(|rest| Ulid::from_string(rest).ok())
                    .ok_or(InvalidId($prefix))?;
                let id = Self(ulid);
                // One spelling per id: lower case and Crockford look-alikes
                // would make two names of one thing.
                if id.to_string() == text { Ok(id) } else { Err(InvalidId($prefix)) }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-9A-HJKMNP-TV-Z]{26}$")))
                    .examples([concat!($prefix, "_01KAR8F3V4N7C3Q8Z5W2Y0H6M1")])
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {}
    };
}

prefixed_id!(
    /// An uploaded file.
    FileId, "file"
);
prefixed_id!(
    /// A dataset.
    DatasetId, "ds"
);
prefixed_id!(
    /// A sample: one file in a dataset, with its reference.
    SampleId, "smp"
);
prefixed_id!(
    /// A run of several models over a dataset.
    RunId, "run"
);
prefixed_id!(
    /// The result of one model on one sample in a run.
    ResultId, "res"
);
prefixed_id!(
    /// An API key.
    KeyId, "key"
);
prefixed_id!(
    /// A session of the pages.
    SessionId, "ses"
);

fn from_entropy(millis: u64, entropy: [u8; 10]) -> Ulid {
    let mut wide = [0u8; 16];
    wide[6..].copy_from_slice(&entropy);
    Ulid::from_parts(millis, u128::from_be_bytes(wide))
}

macro_rules! minted {
    ($name:ident, $low_bits:expr) => {
        impl $name {
            /// Makes an id from a time and 80 bits of entropy: random ones for
            /// a new thing, a digest for one that must come out the same again.
            #[must_use]
            pub fn mint(millis: u64, entropy: [u8; 10]) -> Self {
                let ulid = from_entropy(millis, entropy);
                Self(Ulid((ulid.0 >> $low_bits) << $low_bits))
            }
        }
    };
}
minted!(FileId, 0);
minted!(KeyId, 0);
minted!(SessionId, 0);
minted!(DatasetId, POSITION_BITS);
minted!(RunId, POSITION_BITS + PROVIDER_BITS);

impl SampleId {
    /// The sample at a position of a dataset.
    #[must_use]
    pub fn new(dataset: DatasetId, position: u16) -> Self {
        Self(Ulid(dataset.0.0 | u128::from(position)))
    }
    /// The dataset it is in.
    #[must_use]
    pub fn dataset(self) -> DatasetId {
        DatasetId(Ulid((self.0.0 >> POSITION_BITS) << POSITION_BITS))
    }
    /// Its position there, from 0.
    #[must_use]
    pub fn position(self) -> u16 {
        (self.0.0 & u128::from(u16::MAX)) as u16
    }
}

impl ResultId {
    /// The result of a run's model (by its index in the run) at a position.
    #[must_use]
    pub fn new(run: RunId, model: u8, position: u16) -> Self {
        let low = (u128::from(model) << POSITION_BITS) | u128::from(position);
        Self(Ulid(run.0.0 | low))
    }
    /// The run it belongs to.
    #[must_use]
    pub fn run(self) -> RunId {
        let bits = POSITION_BITS + PROVIDER_BITS;
        RunId(Ulid((self.0.0 >> bits) << bits))
    }
    /// Index of the model in the run.
    #[must_use]
    pub fn model(self) -> u8 {
        ((self.0.0 >> POSITION_BITS) & u128::from(u8::MAX)) as u8
    }
    /// Position of the sample in the dataset.
    #[must_use]
    pub fn position(self) -> u16 {
        (self.0.0 & u128::from(u16::MAX)) as u16
    }
}

/// A project: the tenant. A short lower-case name, chosen when it is made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ProjectId(String);

impl ProjectId {
    /// Longest name in bytes.
    pub const MAX_LEN: usize = 63;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ProjectId {
    type Err = InvalidId;
    /// Lower-case letters, digits, `-` and `_`, starting with a letter or
    /// digit: the name is part of object keys and partition keys.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        let bytes = text.as_bytes();
        let valid = (1..=Self::MAX_LEN).contains(&bytes.len())
            && bytes.iter().all(|b| ok(*b))
            && bytes[0] != b'-'
            && bytes[0] != b'_';
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId("project"))
        }
    }
}

impl<'de> Deserialize<'de> for ProjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn samples_and_results_name_their_place(
            millis in 0u64..(1 << 48), entropy: [u8; 10], model: u8, position: u16
        ) {
            let dataset = DatasetId::mint(millis, entropy);
            let sample = SampleId::new(dataset, position);
            prop_assert_eq!(sample.dataset(), dataset);
            prop_assert_eq!(sample.position(), position);
            let run = RunId::mint(millis, entropy);
            let result = ResultId::new(run, model, position);
            prop_assert_eq!(result.run(), run);
            prop_assert_eq!(result.model(), model);
            prop_assert_eq!(result.position(), position);
            prop_assert_eq!(result.to_string().parse::<ResultId>().unwrap(), result);
        }

        #[test]
        fn any_text_is_an_id_or_refused(text in ".{0,40}") {
            if let Ok(id) = text.parse::<FileId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn one_spelling_per_id() {
        let id = FileId::mint(1, [7; 10]).to_string();
        assert!(id.parse::<FileId>().is_ok());
        assert!(id.to_lowercase().parse::<FileId>().is_err());
        assert!(id.parse::<RunId>().is_err());
    }

    #[test]
    fn project_names_fit_keys() {
        for good in ["demo", "a", "tamil-2026", "x_y"] {
            assert!(good.parse::<ProjectId>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a/b", "a#b", "é", &"a".repeat(64)] {
            assert!(bad.parse::<ProjectId>().is_err(), "{bad}");
        }
    }
}
