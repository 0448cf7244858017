//! Which words of a reference were a model's before: what is measured by them favours that
//! model, and reports say so.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::RunId;

/// Most times that one reference takes words of models.
pub const MAX_TAKEN: usize = 100;

/// How words of a model came into a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The whole of it began as what models agreed on most, where nothing was known.
    Consensus,
    /// As another wording beside what stood there.
    Variant,
}

/// Words that a reference is about to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// How.
    pub how: How,
    /// The run in which they were heard.
    pub run: RunId,
    /// Catalogue id of the model that heard them.
    pub model: String,
}

impl Taken {
    /// Taken into a version of a reference.
    #[must_use]
    pub fn in_version(self, version: u32) -> FromModel {
        FromModel {
            how: self.how,
            run: self.run,
            model: self.model,
            version,
        }
    }
}

/// Words of a model in a reference. Later versions keep them, as far as people have left
/// them there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromModel {
    /// How they came.
    pub how: How,
    /// The run in which they were heard.
    pub run: RunId,
    /// Catalogue id of the model that heard them.
    pub model: String,
    /// The first version of the reference that has them.
    pub version: u32,
}

/// Where a version of a reference came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The model in whose words it began, where models agreed on them.
    pub consensus: Option<&'a str>,
    /// People or programs changed it since it began, or put it where there was none.
    pub is_edited: bool,
    /// Models of which another wording was taken, in the order in which that was done.
    pub variants: Vec<&'a str>,
}

impl<'a> Origin<'a> {
    /// Of a version. Each change is one version, so what is no model's is an edit.
    #[must_use]
    pub fn of(from: &'a [FromModel], version: u32) -> Self {
        let taken = || from.iter().filter(|from| from.version <= version);
        let consensus = taken().rfind(|from| from.how == How::Consensus);
        let begun = consensus.map_or(1, |consensus| consensus.version);
        let by_models = taken().filter(|from| from.version > begun).count();
        let mut variants: Vec<&str> = Vec::new();
        for variant in taken().filter(|from| from.how == How::Variant) {
            if !variants.contains(&&*variant.model) {
                variants.push(&variant.model);
            }
        }
        Self {
            consensus: consensus.map(|from| &*from.model),
            is_edited: version.saturating_sub(begun) as usize > by_models,
            variants,
        }
    }
}

/// As tables tell it: `dataset` (the dataset was made with it), `edited`,
/// `consensus:<model>`, `variant:<model>`, with blanks between them.
impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.consensus, self.is_edited) {
            (None, false) => f.write_str("dataset")?,
            (None, true) => f.write_str("edited")?,
            (Some(model), false) => write!(f, "consensus:{model}")?,
            (Some(model), true) => write!(f, "consensus:{model} edited")?,
        }
        self.variants
            .iter()
            .try_for_each(|model| write!(f, " variant:{model}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_and_models_did_to_a_reference_is_told() {
        let from = |how, model: &str, version| FromModel {
            how,
            run: RunId::mint(1, [1; 10]),
            model: model.to_owned(),
            version,
        };
        let variants = [
            from(How::Variant, "b", 2),
            from(How::Variant, "c", 3),
            from(How::Variant, "b", 5),
        ];
        let agreed = [from(How::Consensus, "a", 2), from(How::Variant, "b", 3)];
        for (from, version, is_told) in [
            (&[][..], 1, "dataset"),
            (&[], 2, "edited"),
            (&variants, 1, "dataset"),
            (&variants, 3, "dataset variant:b variant:c"),
            (&variants, 5, "edited variant:b variant:c"),
            (&agreed, 2, "consensus:a"),
            (&agreed, 3, "consensus:a variant:b"),
            (&agreed, 4, "consensus:a edited variant:b"),
        ] {
            let origin = Origin::of(from, version);
            assert_eq!(origin.to_string(), is_told, "version {version}");
        }
    }
}
