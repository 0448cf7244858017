//! How a score lies in a table: its counts, from which all its rates follow.
//!
//! Written out, a score takes 900 bytes, most of them names; DynamoDB charges
//! for each begun kilobyte of an item, and there is one item for each
//! evaluation. The counts take 60.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use stt_eval_scoring::{Counts, Flag, SampleCounts, SampleScore};

#[derive(Serialize, Deserialize)]
struct Packed {
    /// Hits, substitutions, deletions and insertions of words, characters,
    /// graphemes, raw words and raw characters, with blanks between.
    counts: String,
    normaliser: String,
    scorer_version: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    flags: Vec<Flag>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Packed(Packed),
    /// As release 0.1.0 stored it.
    Whole(Box<SampleScore>),
}

fn pack(counts: &SampleCounts) -> String {
    let numbers: Vec<String> = [
        counts.words,
        counts.chars,
        counts.graphemes,
        counts.raw_words,
        counts.raw_chars,
    ]
    .iter()
    .flat_map(|c| [c.hits, c.substitutions, c.deletions, c.insertions])
    .map(|number| number.to_string())
    .collect();
    numbers.join(" ")
}

fn unpack(text: &str) -> Option<SampleCounts> {
    let mut numbers = text.split(' ').map(|number| number.parse::<u64>().ok());
    let mut counts = || {
        Some(Counts {
            hits: numbers.next()??,
            substitutions: numbers.next()??,
            deletions: numbers.next()??,
            insertions: numbers.next()??,
        })
    };
    let found = SampleCounts {
        words: counts()?,
        chars: counts()?,
        graphemes: counts()?,
        raw_words: counts()?,
        raw_chars: counts()?,
    };
    numbers.next().is_none().then_some(found)
}

pub(super) fn serialize<S: Serializer>(
    score: &Option<SampleScore>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let packed = score.as_ref().map(|score| Packed {
        counts: pack(&score.counts()),
        normaliser: score.normaliser.clone(),
        scorer_version: score.scorer_version.clone(),
        flags: score.flags.clone(),
    });
    packed.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SampleScore>, D::Error> {
    Ok(match Option::<Stored>::deserialize(deserializer)? {
        None => None,
        Some(Stored::Whole(score)) => Some(*score),
        Some(Stored::Packed(packed)) => {
            let counts = unpack(&packed.counts)
                .ok_or_else(|| D::Error::custom("the counts of a score can't be read"))?;
            Some(SampleScore::from_counts(
                counts,
                packed.normaliser,
                packed.scorer_version,
                packed.flags,
            ))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{from_value, to_value};
    use stt_eval_scoring::normalise::Normaliser;
    use stt_eval_scoring::score;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Item {
        #[serde(default, with = "super")]
        score: Option<SampleScore>,
    }

    #[derive(Serialize)]
    struct Whole<'a> {
        score: &'a SampleScore,
    }

    proptest! {
        #[test]
        fn what_is_stored_comes_back_to_the_last_bit(
            reference in "[a-eक-ङ ]{0,40}",
            hypothesis in "[a-eक-ङ ]{0,60}",
        ) {
            let normaliser = Normaliser::default();
            let score = score(&reference, &hypothesis, "hi", &normaliser, Some(0.1)).unwrap();
            let whole = to_value(Whole { score: &score }).unwrap();
            let read = from_value::<Item>(whole).unwrap();
            let item = Item { score: Some(score) };
            prop_assert_eq!(&read, &item);
            let stored = to_value(&item).unwrap();
            prop_assert_eq!(from_value::<Item>(stored).unwrap(), item);
        }
    }

    #[test]
    fn no_score_is_none_and_half_a_score_is_an_error() {
        let read = |json: &str| serde_json::from_str::<Item>(json);
        assert_eq!(read("{}").unwrap(), Item { score: None });
        assert_eq!(read(r#"{"score":null}"#).unwrap(), Item { score: None });
        let nineteen = ["1"; 19].join(" ");
        for bad in [
            "",
            "1 2 3",
            &*nineteen,
            &format!("{nineteen} 1 1"),
            &format!("{nineteen} x"),
        ] {
            let json = format!(
                r#"{{"score":{{"counts":"{bad}","normaliser":"indic-v1","scorer_version":"1"}}}}"#
            );
            assert!(read(&json).is_err(), "{bad}");
        }
    }
}
