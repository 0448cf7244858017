//! The clips of a dataset, by all that they can be named by.

use std::collections::HashMap;

use stt_eval_shared::domain::imported::ClipRef;
use stt_eval_shared::domain::validate;
use stt_eval_shared::domain::{FileId, SampleId};
use stt_eval_shared::store::samples::Clip;

use crate::services::named::last_part;

/// Why a name is not that of one clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotOne {
    /// The dataset has no such clip.
    Unknown(&'static str),
    /// It has several.
    Several,
}

impl NotOne {
    /// In words.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Unknown(message) => message,
            Self::Several => {
                "several clips of the dataset have this name; name it by file_id or sample_id"
            }
        }
    }
}

/// The clips of a dataset.
pub struct Clips<'a> {
    by_sample: HashMap<SampleId, &'a Clip>,
    by_file: HashMap<FileId, &'a Clip>,
    by_name: HashMap<&'a str, Vec<&'a Clip>>,
    /// By their names without the ending.
    by_stem: HashMap<&'a str, Vec<&'a Clip>>,
}

/// A name without its ending.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

impl<'a> Clips<'a> {
    /// Of all clips of a dataset.
    #[must_use]
    pub fn of(clips: &'a [Clip]) -> Self {
        let mut by_name: HashMap<&str, Vec<&Clip>> = HashMap::with_capacity(clips.len());
        let mut by_stem = by_name.clone();
        for clip in clips {
            by_name.entry(&clip.filename).or_default().push(clip);
            by_stem.entry(stem(&clip.filename)).or_default().push(clip);
        }
        Self {
            by_sample: clips.iter().map(|clip| (clip.id, clip)).collect(),
            by_file: clips.iter().map(|clip| (clip.file_id, clip)).collect(),
            by_name,
            by_stem,
        }
    }

    /// Those of a name, as it is kept with the file.
    fn named(&self, name: &str) -> Option<&[&'a Clip]> {
        let kept = validate::name("filename", name).unwrap_or_else(|_| name.to_owned());
        let found = self
            .by_name
            .get(&*kept)
            .or_else(|| self.by_stem.get(&*kept));
        found.map(Vec::as_slice)
    }

    /// The clip that is meant.
    ///
    /// # Errors
    /// Why it is none of the dataset, or not one.
    pub fn find(&self, clip: &ClipRef) -> Result<&'a Clip, NotOne> {
        match clip {
            ClipRef::Sample(id) => match self.by_sample.get(id) {
                Some(clip) => Ok(clip),
                None => Err(NotOne::Unknown("is no sample of the dataset")),
            },
            ClipRef::File(id) => match self.by_file.get(id) {
                Some(clip) => Ok(clip),
                None => Err(NotOne::Unknown("is no file of the dataset")),
            },
            ClipRef::Name(name) => match self.named(name).or_else(|| self.named(last_part(name))) {
                Some([one]) => Ok(one),
                Some([_, ..]) => Err(NotOne::Several),
                _ => Err(NotOne::Unknown("no clip of the dataset has this name")),
            },
        }
    }
}
