//! Which words of a reference were a model's before: what is measured by them favours that
//! model, and reports say so.

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
