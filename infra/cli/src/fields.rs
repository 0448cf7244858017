//! Free fields of samples: which a dataset keeps.

use std::collections::{BTreeMap, BTreeSet};

use stt_eval_domain::dataset::{MAX_METADATA_FIELDS, MAX_METADATA_VALUE_CHARS};
use stt_eval_domain::validate::{self, is_hostile};
use stt_eval_formats::{Sample, counted};

/// Names that are told.
const TOLD: usize = 3;
/// Characters of a name that are told.
const SHOWN: usize = 40;

/// A name without what has no place in one: what controls or hides.
pub fn shown(name: &str) -> String {
    let visible = |c| if is_hostile(c) { '_' } else { c };
    let name: String = name.trim().chars().map(visible).collect();
    if name.is_empty() {
        "_".to_owned()
    } else {
        name
    }
}

/// Fields of a sample as they are kept, and names of those that are not: too many, or of a name
/// that is refused.
#[derive(Default)]
struct Fields<'a> {
    kept: BTreeMap<String, String>,
    too_many: Vec<&'a str>,
    refused: Vec<&'a str>,
}

/// What is kept of a sample: those of `first` before others, which groups are made of.
fn of<'a>(sample: &'a Sample, first: &[String]) -> Fields<'a> {
    let mut fields = Fields::default();
    let shortened = |text: &str| text.chars().take(MAX_METADATA_VALUE_CHARS).collect();
    let kept = &mut fields.kept;
    kept.insert("utterance".to_owned(), shortened(&sample.id));
    if let Some(speaker) = &sample.speaker {
        kept.insert("speaker".to_owned(), shortened(speaker));
    }
    let is_first = |(name, _): &(&str, &str)| first.iter().any(|one| one == name);
    let named = sample.metadata.iter().filter(is_first);
    let others = sample.metadata.iter().filter(|field| !is_first(field));
    for (name, value) in named.chain(others).filter(|(_, value)| !value.is_empty()) {
        let fits = validate::text(name, value, MAX_METADATA_VALUE_CHARS).is_ok();
        let Ok(own) = validate::name(name, &shown(name)) else {
            fields.refused.push(name);
            continue;
        };
        if !fits {
            fields.refused.push(name);
        } else if kept.len() < MAX_METADATA_FIELDS {
            kept.entry(own).or_insert_with(|| value.to_owned());
        } else if !kept.contains_key(&own) {
            fields.too_many.push(name);
        }
    }
    fields
}

/// Fields of a sample as a dataset keeps them.
pub fn kept(sample: &Sample, first: &[String]) -> BTreeMap<String, String> {
    of(sample, first).kept
}

/// Names as they are told, the first few of them.
fn told(names: &BTreeSet<&str>) -> String {
    let shortened = |name: &&str| {
        let name = shown(name);
        match name.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &name[..end]),
            None => name,
        }
    };
    let first: Vec<String> = names.iter().take(TOLD).map(shortened).collect();
    let more = match names.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    first.join(", ") + &more
}

/// Tells of fields that a dataset would not keep.
pub fn left_out(samples: &[Sample], first: &[String]) -> Vec<String> {
    let (mut too_many, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for sample in samples.iter().filter(|sample| !sample.metadata.is_empty()) {
        let fields = of(sample, first);
        too_many.extend(fields.too_many);
        refused.extend(fields.refused);
    }
    let mut remarks = Vec::new();
    if !too_many.is_empty() {
        remarks.push(format!(
            "{} left out of a dataset, which keeps {MAX_METADATA_FIELDS} of a sample with `utterance` and \
             `speaker`: {}",
            counted(too_many.len(), "field is", "fields are"),
            told(&too_many)
        ));
    }
    if !refused.is_empty() {
        remarks.push(format!(
            "{} left out of a dataset, for the name is longer than 255 characters or the value can't be \
             kept: {}",
            counted(refused.len(), "field is", "fields are"),
            told(&refused)
        ));
    }
    remarks
}
