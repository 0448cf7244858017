//! What a reference said before: its latest earlier wordings, with who wrote them and when.

use serde::{Deserialize, Serialize};

use super::dataset::{MAX_SAMPLE_BYTES, Sample};
use super::reference_origin::FromModel;
use super::{KeyId, Timestamp};

/// Most earlier wordings of a reference that are kept.
pub const MAX_KEPT: usize = 10;
/// Most bytes that they have together: the one before always has room.
pub const MAX_KEPT_BYTES: usize = MAX_SAMPLE_BYTES;

/// A version of a reference, and where it came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wording {
    /// Its number.
    pub version: u32,
    /// What it said; `None` while it was not known, and of the version that stands, which
    /// the sample has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The key that it was written with, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<KeyId>,
    /// The person who wrote it, by the name given at sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What of it were words of models; of the version that stands, the sample has that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from_models: Vec<FromModel>,
}

/// Versions of a reference, kept beside the sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wordings {
    /// Where the version that stands came from.
    pub stands: Wording,
    /// Those before it, newest first.
    #[serde(default)]
    pub earlier: Vec<Wording>,
}

impl Wordings {
    /// What is kept once a sample has another reference.
    #[must_use]
    pub fn after(kept: Option<Self>, before: &Sample, after: &Sample, name: Option<&str>) -> Self {
        let Self {
            stands,
            mut earlier,
        } = kept.unwrap_or_else(|| Self::unnoted(before));
        earlier.insert(
            0,
            Wording {
                text: before.ground_truth.clone(),
                from_models: before.from_models.clone(),
                ..stands
            },
        );
        let mut bytes = 0;
        let fits = |wording: &&Wording| {
            bytes += wording.text.as_ref().map_or(0, String::len);
            bytes <= MAX_KEPT_BYTES
        };
        let fitting = earlier.iter().take(MAX_KEPT).take_while(fits).count();
        earlier.truncate(fitting);
        Self {
            stands: Wording {
                version: after.reference_version,
                text: None,
                by: after.updated_by,
                name: name.map(str::to_owned),
                at: Some(after.updated_at),
                from_models: Vec::new(),
            },
            earlier,
        }
    }

    /// What of this text were words of models, if a reference of it was there before: a wording
    /// that is used again is as much of them as it was.
    #[must_use]
    pub fn from_models(&self, text: &str) -> Option<&[FromModel]> {
        let is_it = |wording: &&Wording| wording.text.as_deref() == Some(text);
        let found = self.earlier.iter().find(is_it)?;
        Some(&found.from_models)
    }

    /// Of a sample of whose reference nothing was noted so far.
    #[must_use]
    pub fn unnoted(sample: &Sample) -> Self {
        Self {
            stands: Wording::unnoted(sample),
            earlier: Vec::new(),
        }
    }

    /// How many earlier versions are not kept.
    #[must_use]
    pub fn left_out(&self) -> u32 {
        let kept = u32::try_from(self.earlier.len()).unwrap_or(u32::MAX);
        self.stands.version.saturating_sub(1).saturating_sub(kept)
    }
}

impl Wording {
    /// Where a reference came from of which nothing was noted: the first came with the
    /// dataset, and of a later one it is not known any more.
    fn unnoted(sample: &Sample) -> Self {
        let is_first = sample.reference_version == 1;
        Self {
            version: sample.reference_version,
            text: None,
            by: sample.updated_by.filter(|_| sample.rev == 1),
            name: None,
            at: is_first.then_some(sample.inserted_at),
            from_models: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DatasetId, FileId, SampleId};

    fn sample(text: &str) -> Sample {
        Sample {
            id: SampleId::new(DatasetId::mint(1, [1; 10]), 0),
            file_id: FileId::mint(1, [2; 10]),
            filename: "a.wav".to_owned(),
            ground_truth: Some(text.to_owned()),
            reference_version: 1,
            from_models: Vec::new(),
            language: "hi".to_owned(),
            metadata: crate::dataset::Metadata::new(),
            duration_seconds: 1.0,
            size_bytes: 1,
            content_type: "audio/wav".to_owned(),
            object_key: String::new(),
            object_version: None,
            updated_by: Some(KeyId::mint(1, [3; 10])),
            inserted_at: Timestamp::from_millis(1_000),
            updated_at: Timestamp::from_millis(1_000),
            rev: 1,
        }
    }

    fn next(of: &Sample, text: Option<&str>) -> Sample {
        Sample {
            ground_truth: text.map(str::to_owned),
            reference_version: of.reference_version + 1,
            updated_by: Some(KeyId::mint(2, [4; 10])),
            updated_at: Timestamp::from_millis(2_000),
            rev: of.rev + 1,
            ..of.clone()
        }
    }

    #[test]
    fn the_latest_wordings_are_kept_with_who_and_when() {
        let first = sample("one");
        let second = next(&first, None);
        let kept = Wordings::after(None, &first, &second, Some("Asha"));
        assert_eq!(kept.earlier.len(), 1);
        let told = &kept.earlier[0];
        assert_eq!((told.version, told.text.as_deref()), (1, Some("one")));
        assert_eq!(
            (told.by, told.at),
            (first.updated_by, Some(first.inserted_at))
        );
        let third = next(&second, Some("three"));
        let kept = Wordings::after(Some(kept), &second, &third, None);
        let told = &kept.earlier[0];
        assert_eq!((told.version, told.text.as_deref()), (2, None));
        assert_eq!(told.name.as_deref(), Some("Asha"));
        assert_eq!(told.at, Some(second.updated_at));
        assert_eq!((kept.earlier.len(), kept.left_out()), (2, 0));
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let (mut now, mut kept) = (sample("0"), None);
        for version in 1..=12 {
            let after = next(&now, Some(&version.to_string()));
            kept = Some(Wordings::after(kept, &now, &after, None));
            now = after;
        }
        let kept = kept.unwrap();
        let versions: Vec<u32> = kept.earlier.iter().map(|wording| wording.version).collect();
        assert_eq!(versions, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
        assert_eq!(kept.left_out(), 2);
        let long = next(&now, Some(&"x".repeat(MAX_KEPT_BYTES)));
        let kept = Wordings::after(Some(kept), &now, &long, None);
        assert_eq!((kept.earlier.len(), kept.left_out()), (10, 3));
        let short = next(&long, Some("y"));
        let kept = Wordings::after(Some(kept), &long, &short, None);
        // It alone takes all the room there is.
        assert_eq!((kept.earlier.len(), kept.left_out()), (1, 13));
    }

    #[test]
    fn of_what_was_changed_before_this_was_kept_nothing_is_made_up() {
        let old = next(&sample("one"), Some("two"));
        let now = next(&old, Some("three"));
        let kept = Wordings::after(None, &old, &now, None);
        let told = &kept.earlier[0];
        assert_eq!((told.version, told.by, told.at), (2, None, None));
        assert_eq!((told.text.as_deref(), kept.left_out()), (Some("two"), 1));
    }
}
