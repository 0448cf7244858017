//! What a report needs of the samples, in a few bytes for each; and whether that is still
//! what it was.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use stt_eval_shared::App;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::reference_origin::FromModel;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::store::samples::SampleFacts;
use stt_eval_shared::wire::report::GroupKind;

use super::question::ReportQuestion;
use crate::refusal::Refusal;

/// How long a change of a sample may take from when it is counted until it is there: longer
/// than a request may.
const SETTLED: Duration = Duration::from_secs(60);
/// Most values of a field that are told apart.
pub const MAX_GROUPS: usize = 20;
/// Most languages that are told apart.
pub const MAX_LANGUAGES: usize = 40;

/// Values told apart, and the part each sample is in: an index into them, or
/// one more for "missing", two more for "other".
#[derive(Debug, Default)]
pub struct Parts {
    values: Vec<String>,
    of: Vec<usize>,
}

impl Parts {
    /// Of the values of samples, the most frequent ones.
    #[must_use]
    pub fn new(given: &[Option<&str>], most: usize) -> Self {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for value in given.iter().flatten() {
            *counts.entry(value).or_default() += 1;
        }
        let mut values: Vec<(&str, usize)> = counts.into_iter().collect();
        values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        values.truncate(most);
        let values: Vec<String> = values
            .into_iter()
            .map(|(value, _)| value.to_owned())
            .collect();
        let index: HashMap<&str, usize> = values
            .iter()
            .enumerate()
            .map(|(i, value)| (&**value, i))
            .collect();
        let (missing, other) = (values.len(), values.len() + 1);
        let of = given
            .iter()
            .map(|value| match value {
                None => missing,
                Some(value) => index.get(value).copied().unwrap_or(other),
            })
            .collect();
        Self { values, of }
    }

    /// How many parts there can be.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() + 2
    }

    /// The part of a sample.
    #[must_use]
    pub fn of(&self, position: usize) -> usize {
        self.of.get(position).copied().unwrap_or(self.values.len())
    }

    /// The part of a value.
    #[must_use]
    pub fn part(&self, value: &str) -> usize {
        let found = self.values.iter().position(|known| known == value);
        found.unwrap_or(self.values.len() + 1)
    }

    /// What the samples of a part share.
    #[must_use]
    pub fn shared(&self, part: usize) -> (Option<String>, GroupKind) {
        match self.values.get(part) {
            Some(value) => (Some(value.clone()), GroupKind::Value),
            None if part == self.values.len() => (None, GroupKind::Missing),
            None => (None, GroupKind::Other),
        }
    }
}

/// Values of a free field that a parameter names.
fn column<'a>(
    facts: &'a [SampleFacts],
    parameter: &str,
    name: Option<&str>,
) -> Result<Option<Vec<Option<&'a str>>>, Refusal> {
    let Some(name) = name else {
        return Ok(None);
    };
    let value = |fact: &'a SampleFacts| fact.metadata.get(name).map(String::as_str);
    let values: Vec<Option<&str>> = facts.iter().map(value).collect();
    if values.iter().all(Option::is_none) {
        let message = "no sample of the dataset has this metadata field";
        return Err(Refusal::invalid_field(parameter, message));
    }
    Ok(Some(values))
}

/// What the free fields of a dataset are told to be the same by.
#[derive(Debug)]
pub enum Known {
    /// By how often they were changed, the last time long enough ago that all of it is there:
    /// none is read.
    Counted(u64),
    /// By what they say.
    Read(Fields),
}

impl Known {
    /// Of the dataset of a run.
    pub async fn of(app: &App, run: &Run, wanted: &ReportQuestion) -> Result<Self, Refusal> {
        let changes = app.store.field_changes(&run.project, run.dataset).await?;
        let now = Timestamp::now();
        match changes {
            None => Ok(Self::Counted(0)),
            Some(last) if now.since(last.at) > SETTLED => Ok(Self::Counted(last.changes)),
            Some(_) => Ok(Self::Read(Fields::read(app, run, wanted).await?)),
        }
    }

    /// Part of the name of what is made of them.
    pub fn name(&self) -> String {
        match self {
            Self::Counted(changes) => changes.to_string(),
            Self::Read(fields) => fields.digest.clone(),
        }
    }

    /// The fields, read now if they are not yet.
    pub async fn read(
        self,
        app: &App,
        run: &Run,
        wanted: &ReportQuestion,
    ) -> Result<Fields, Refusal> {
        match self {
            Self::Read(fields) => Ok(fields),
            Self::Counted(_) => Fields::read(app, run, wanted).await,
        }
    }
}

/// Samples by what the report asks for.
#[derive(Debug, Default)]
pub struct Fields {
    /// By the field of `group_by`.
    pub groups: Option<Parts>,
    /// By language, as the samples have it now.
    pub languages: Parts,
    /// Block of each sample.
    blocks: Option<Vec<String>>,
    durations: Vec<f64>,
    /// By position, of samples whose reference has taken words of models.
    from_models: BTreeMap<usize, Vec<FromModel>>,
    /// Changes with the fields that are used.
    digest: String,
}

impl Fields {
    /// Reads the samples of a run.
    pub async fn read(app: &App, run: &Run, wanted: &ReportQuestion) -> Result<Self, Refusal> {
        let names = [wanted.block_by.as_deref(), wanted.group_by.as_deref()];
        let names: Vec<&str> = names.into_iter().flatten().collect();
        let facts = app
            .store
            .sample_facts(&run.project, run.dataset, run.sample_count, &names)
            .await?;
        Self::new(&facts, wanted)
    }

    /// Of samples in order.
    pub fn new(facts: &[SampleFacts], wanted: &ReportQuestion) -> Result<Self, Refusal> {
        let blocks = column(facts, "block_by", wanted.block_by.as_deref())?;
        let groups = column(facts, "group_by", wanted.group_by.as_deref())?;
        let languages: Vec<Option<&str>> = facts.iter().map(|fact| Some(&*fact.language)).collect();
        let digest = serde_json::json!([blocks, groups]).to_string();
        Ok(Self {
            groups: groups.map(|column| Parts::new(&column, MAX_GROUPS)),
            languages: Parts::new(&languages, MAX_LANGUAGES),
            // A sample without the field is a block of its own, and no name of
            // a block begins with a blank.
            blocks: blocks.map(|column| {
                let named = column.into_iter().enumerate().map(|(position, value)| {
                    value.map_or_else(|| format!(" {position}"), |value| format!("={value}"))
                });
                named.collect()
            }),
            durations: facts.iter().map(|fact| fact.duration_seconds).collect(),
            from_models: facts
                .iter()
                .filter(|fact| !fact.from_models.is_empty())
                .map(|fact| (usize::from(fact.id.position()), fact.from_models.clone()))
                .collect(),
            digest: sha256_hex(digest.as_bytes()),
        })
    }

    /// Blocks of samples; `None` when each is its own.
    #[must_use]
    pub fn blocks(&self, positions: &[u16]) -> Option<Vec<&str>> {
        let blocks = self.blocks.as_ref()?;
        let block = |position: &u16| blocks.get(usize::from(*position)).map_or("", |b| b);
        Some(positions.iter().map(block).collect())
    }

    /// What of a sample's reference were words of models.
    #[must_use]
    pub fn words_of_models(&self, position: usize) -> &[FromModel] {
        self.from_models.get(&position).map_or(&[], Vec::as_slice)
    }

    /// Length of a recording.
    #[must_use]
    pub fn seconds(&self, position: usize) -> f64 {
        self.durations.get(position).copied().unwrap_or(0.0)
    }
}
