//! Going through the results of a run once, position by position. What is kept
//! of each is a few numbers; texts are looked at and let go. It can be written
//! down at any position and gone on with.

use std::collections::{BTreeMap, HashMap};

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use stt_eval_shared::App;
use stt_eval_shared::domain::rescoring::{Held, Scoring};
use stt_eval_shared::domain::result::{Outcome, ResultStatus};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::scoring::confusions::{Confusions, KeywordRecall};
use stt_eval_shared::scoring::normalise::{Normaliser, Waterfall};
use stt_eval_shared::scoring::uncertainty::Sample;
use stt_eval_shared::scoring::{CorpusSums, SampleScore, ScoreError, Scorer};
use stt_eval_shared::store::results::Entry;

use super::fields::Fields;
use crate::error::ApiError;

/// Positions of a page; each is as many results as the run has models.
const PAGE: u16 = 50;
/// Most different confusions kept of a model.
const MAX_CONFUSIONS: usize = 50_000;
/// Most codes of failures told apart.
const MAX_CODES: usize = 50;

/// What is kept of one scored or failed item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept(u16, u64, u64, u64, u64);

impl Kept {
    fn new(position: u16, sums: (Sample, Sample)) -> Self {
        let (words, chars) = sums;
        Self(
            position,
            words.errors,
            words.reference,
            chars.errors,
            chars.reference,
        )
    }

    /// Position of the sample.
    #[must_use]
    pub fn position(self) -> u16 {
        self.0
    }

    /// Errors and size in words.
    #[must_use]
    pub fn words(self) -> Sample {
        Sample {
            errors: self.1,
            reference: self.2,
        }
    }

    /// Errors and size in code points.
    #[must_use]
    pub fn chars(self) -> Sample {
        Sample {
            errors: self.3,
            reference: self.4,
        }
    }
}

/// What was found of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Items that count, in order of position.
    pub kept: Vec<Kept>,
    /// Sums over the samples that every model transcribed.
    pub common: CorpusSums,
    /// Sums by part, sparse.
    pub languages: BTreeMap<usize, CorpusSums>,
    /// The same for the field of `group_by`.
    pub groups: BTreeMap<usize, CorpusSums>,
    /// Failures by code.
    pub failures: BTreeMap<String, u64>,
    /// What each step forgives.
    pub waterfall: Waterfall,
    /// Words that go wrong.
    pub confusions: Confusions,
    /// Whether rare ones were forgotten.
    pub approximate: bool,
    /// Words that matter.
    pub keywords: KeywordRecall,
    /// Transcribed, without a reference.
    pub without_reference: u64,
    /// Transcribed, beyond scoring.
    pub unscored: u64,
    /// Seconds of audio of items with an outcome.
    pub seconds: f64,
}

/// How far it is, and what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scan {
    next: u16,
    scoring: u16,
    normalizer: String,
    /// By model.
    pub models: Vec<Found>,
    /// Samples that every model transcribed.
    pub common_samples: u64,
}

/// An item in a scoring.
enum Item {
    /// No outcome.
    Pending,
    /// Transcribed, without a reference.
    NoReference,
    /// Transcribed, beyond scoring.
    Unscored,
    /// Transcribed and scored.
    Scored(Box<SampleScore>),
    /// Not transcribed, for this reason.
    Failed(String),
}

/// What is told apart of an outcome.
fn item(run: &Run, outcome: &mut Outcome, held: Held) -> Item {
    let failed = outcome.status() == ResultStatus::Failed;
    match (failed, held, &outcome.ground_truth, outcome.score.take()) {
        // A retry was to replace it and did not (yet).
        (true, ..) if outcome.round < run.round => Item::Pending,
        (true, ..) => Item::Failed(outcome.error_code.clone().unwrap_or_default()),
        (false, _, None, _) => Item::NoReference,
        (false, _, Some(_), Some(score)) => Item::Scored(Box::new(score)),
        // It had failed when this scoring was made.
        (false, Held::Unknown, ..) => Item::Failed("retried_since".into()),
        (false, Held::Scored, ..) => Item::Unscored,
    }
}

/// The scorer of one reference after the other.
struct Texts {
    normaliser: Normaliser,
    scorer: Scorer,
    language: String,
    reference: Option<String>,
}

impl Texts {
    fn new(normaliser: Normaliser) -> Self {
        Self {
            scorer: Scorer::new(normaliser.clone(), ""),
            normaliser,
            language: String::new(),
            reference: None,
        }
    }

    /// The scorer with a reference set, which models of a sample share.
    fn of(&mut self, reference: &str, language: &str) -> Result<&mut Scorer, ScoreError> {
        if self.language != language {
            self.scorer = Scorer::new(self.normaliser.clone(), language);
            language.clone_into(&mut self.language);
            self.reference = None;
        }
        if self.reference.as_deref() != Some(reference) {
            self.reference = None;
            self.scorer.set_reference(reference)?;
            self.reference = Some(reference.to_owned());
        }
        Ok(&mut self.scorer)
    }
}

impl Scan {
    /// At the beginning.
    pub fn new(run: &Run, scoring: &Scoring, keywords: &[String]) -> Result<Self, ApiError> {
        let normaliser = Normaliser::by_name(&scoring.normalizer)
            .ok_or_else(|| ApiError::internal("a scoring's normaliser is unknown here"))?;
        let keywords: Vec<&str> = keywords.iter().map(String::as_str).collect();
        let found = Found {
            kept: Vec::new(),
            common: CorpusSums::default(),
            languages: BTreeMap::new(),
            groups: BTreeMap::new(),
            failures: BTreeMap::new(),
            waterfall: Waterfall::new(&normaliser),
            confusions: Confusions::default(),
            approximate: false,
            keywords: KeywordRecall::new(&keywords, &run.language, &normaliser),
            without_reference: 0,
            unscored: 0,
            seconds: 0.0,
        };
        Ok(Self {
            next: 0,
            scoring: scoring.id,
            normalizer: normaliser.name().to_owned(),
            models: vec![found; run.providers.len()],
            common_samples: 0,
        })
    }

    /// Samples gone through so far.
    #[must_use]
    pub fn samples_read(&self) -> u32 {
        u32::from(self.next)
    }

    /// Goes on while there is time, at least one page; true at the end.
    pub async fn read_on(
        &mut self,
        app: &App,
        run: &Run,
        scoring: &Scoring,
        fields: &Fields,
        has_time: impl Fn() -> bool,
    ) -> Result<bool, ApiError> {
        let mut texts = Texts::new(
            Normaliser::by_name(&scoring.normalizer)
                .ok_or_else(|| ApiError::internal("a scoring's normaliser is unknown here"))?,
        );
        let end = u16::try_from(run.sample_count).unwrap_or(u16::MAX);
        while self.next < end {
            let (start, stop) = (self.next, self.next.saturating_add(PAGE).min(end));
            let models = 0..u8::try_from(run.providers.len()).unwrap_or(u8::MAX);
            let reads = models.map(|model| {
                app.store
                    .results_between(&run.project, run.id, model, start, stop)
            });
            let entries = try_join_all(reads).await?.into_iter().flatten();
            let mut entries: HashMap<(u16, u8), Entry> = entries
                .map(|entry| {
                    let id = entry.outcome.id;
                    ((id.position(), id.provider()), entry)
                })
                .collect();
            for position in start..stop {
                let of_models = (0..run.providers.len())
                    .map(|model| {
                        entries.remove(&(position, u8::try_from(model).unwrap_or(u8::MAX)))
                    })
                    .collect();
                self.take(run, position, of_models, fields, &mut texts);
                self.next = position + 1;
                // Others on this thread have a turn too.
                tokio::task::yield_now().await;
            }
            if !has_time() {
                break;
            }
        }
        Ok(self.next >= end)
    }

    /// Takes in the results of one sample, one for each model.
    fn take(
        &mut self,
        run: &Run,
        position: u16,
        entries: Vec<Option<Entry>>,
        fields: &Fields,
        texts: &mut Texts,
    ) {
        let mut answered = Vec::with_capacity(entries.len());
        for (found, entry) in self.models.iter_mut().zip(entries) {
            let Some(Entry {
                mut outcome,
                scores,
                ..
            }) = entry
            else {
                continue;
            };
            let held = outcome.show(self.scoring, &scores);
            let item = item(run, &mut outcome, held);
            if matches!(item, Item::Pending) {
                continue;
            }
            found.seconds += fields.seconds(usize::from(position));
            match found.add(position, &item, &outcome, fields, texts) {
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(result_id = %outcome.id, %error, "a result is missing in parts of a report");
                }
            }
            if let Item::Scored(score) = item {
                answered.push(score);
            }
        }
        if answered.len() == self.models.len() {
            self.common_samples += 1;
            for (found, score) in self.models.iter_mut().zip(&answered) {
                found.common.add(score);
            }
        }
    }
}

impl Found {
    fn add(
        &mut self,
        position: u16,
        item: &Item,
        outcome: &Outcome,
        fields: &Fields,
        texts: &mut Texts,
    ) -> Result<(), ScoreError> {
        let (Item::Scored(_) | Item::Failed(_)) = item else {
            match item {
                Item::NoReference => self.without_reference += 1,
                _ => self.unscored += 1,
            }
            return Ok(());
        };
        if let Item::Failed(code) = item {
            let told_apart = self.failures.len() < MAX_CODES || self.failures.contains_key(code);
            let code = if told_apart { code } else { "other" };
            *self.failures.entry(code.to_owned()).or_default() += 1;
        }
        let Some(reference) = outcome.ground_truth.as_deref() else {
            return Ok(());
        };
        let language = &*outcome.language;
        let scorer = texts.of(reference, language)?;
        let mut parts = [
            Some(
                self.languages
                    .entry(fields.languages.part(language))
                    .or_default(),
            ),
            fields.groups.as_ref().map(|groups| {
                self.groups
                    .entry(groups.of(usize::from(position)))
                    .or_default()
            }),
        ];
        let mut hypothesis = "";
        let kept = match item {
            Item::Scored(score) => {
                parts.iter_mut().flatten().for_each(|sums| sums.add(score));
                hypothesis = outcome.transcription.as_deref().unwrap_or_default();
                let of = |counts: stt_eval_shared::scoring::Counts| Sample {
                    errors: counts.errors(),
                    reference: counts.reference(),
                };
                (of(score.words()), of(score.chars()))
            }
            _ => {
                let size = scorer.reference_size()?;
                parts
                    .iter_mut()
                    .flatten()
                    .for_each(|sums| sums.add_failure(&size));
                let all = |tokens| Sample {
                    errors: tokens,
                    reference: tokens,
                };
                (all(size.words), all(size.chars))
            }
        };
        self.kept.push(Kept::new(position, kept));
        let words = scorer.align_words(hypothesis)?;
        if matches!(item, Item::Scored(_)) {
            self.confusions.add(&words);
            self.approximate |= self.confusions.prune(MAX_CONFUSIONS);
        }
        self.keywords.add(&words);
        self.waterfall.add(reference, hypothesis, language)
    }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
