//! Going through the results of a run once, position by position. What is kept
//! of each is a few numbers; texts are looked at and let go. It can be written
//! down at any position and gone on with.

use std::collections::{BTreeMap, HashMap};

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use stt_eval_shared::App;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::failure::failed_by;
use stt_eval_shared::domain::rescoring::{AsScored, Scoring};
use stt_eval_shared::domain::result::Outcome;
use stt_eval_shared::domain::review::{Opinion, Queue, Review};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::scoring::agreement::Judged;
use stt_eval_shared::scoring::confusions::{Confusions, KeywordRecall};
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::scoring::uncertainty::Sample;
use stt_eval_shared::scoring::waterfall::Waterfall;
use stt_eval_shared::scoring::{CorpusSums, FailedBy, SampleScore, ScoreError, Scorer};
use stt_eval_shared::store::results::Entry;

use super::fields::Fields;
use super::origins::Origins;
use crate::refusal::Refusal;

/// Positions of a page; each is as many results as the run has models.
const PAGE: u16 = 50;
/// Most different confusions kept of a model.
const MAX_CONFUSIONS: usize = 50_000;
/// Most codes of failures told apart.
const MAX_CODES: usize = 50;

/// What is kept of one scored or failed item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept(u16, u64, u64, u64, u64, u8);

impl Kept {
    fn new(position: u16, language: usize, sums: (Sample, Sample)) -> Self {
        let (words, chars) = sums;
        Self(
            position,
            words.errors,
            words.reference,
            chars.errors,
            chars.reference,
            u8::try_from(language).unwrap_or(u8::MAX),
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

    /// The part of the languages that it was scored in.
    #[must_use]
    pub fn language(self) -> usize {
        usize::from(self.5)
    }
}

/// What was found of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelScan {
    /// Items at which the model had its chance, in order of position.
    pub kept: Vec<Kept>,
    /// Sums over the samples that every model transcribed.
    pub common: CorpusSums,
    /// Sums by part, sparse.
    pub languages: BTreeMap<usize, CorpusSums>,
    /// The same for the field of `group_by`.
    pub groups: BTreeMap<usize, CorpusSums>,
    /// Failures by code.
    pub failures: BTreeMap<String, u64>,
    /// Items with a transcription, scored or not.
    pub transcribed: u64,
    /// Items that the model failed at.
    pub failed_by_model: u64,
    /// Items that failed otherwise.
    pub failed_by_service: u64,
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
    /// Seconds of audio of items that were transcribed.
    pub seconds: f64,
    /// The same of items that have a cost.
    #[serde(default)]
    pub priced_seconds: f64,
    /// Milliseconds that transcriptions took, of which that is known.
    pub latencies: Vec<u32>,
}

/// How far it is, and what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scan {
    next: u16,
    scoring: u16,
    normalizer: String,
    /// By model.
    pub models: Vec<ModelScan>,
    /// Samples that every model transcribed.
    pub common_samples: u64,
    /// What reviewers found of transcriptions that they judged.
    pub judged: Vec<Judged>,
    /// Verdicts by the order in which reviewers met what they judged.
    pub verdicts: BTreeMap<String, u64>,
    /// References that were words of models.
    pub origins: Origins,
    /// A digest of all references so far, and where they stand.
    pub digest: String,
}

/// How many reviewers found a transcription right, and how many wrong.
fn votes(clip: u16, review: &Review) -> Judged {
    let opinions = review.opinions();
    let found = |right| {
        let votes = opinions.iter().filter_map(Opinion::vote);
        u16::try_from(votes.filter(|vote| *vote == right).count()).unwrap_or(u16::MAX)
    };
    Judged {
        clip,
        right: found(true),
        wrong: found(false),
    }
}

/// An item in a scoring.
pub(super) enum ScannedItem {
    /// No outcome.
    Pending,
    /// Transcribed, without a reference.
    NoReference,
    /// Transcribed, beyond scoring.
    Unscored,
    /// Transcribed and scored.
    Scored(Box<SampleScore>),
    /// Not transcribed: the code, and whose failure it is.
    Failed(String, FailedBy),
}

/// What is told apart of an outcome.
pub(super) fn item(
    run: &Run,
    outcome: &mut Outcome,
    held: AsScored,
    failed_before: Option<&str>,
) -> ScannedItem {
    let by = outcome.failed_by();
    match (by, held, &outcome.ground_truth, outcome.score.take()) {
        // Another round was to replace it and did not (yet).
        (Some(_), ..) if run.is_open(outcome) => ScannedItem::Pending,
        (Some(by), ..) => ScannedItem::Failed(outcome.error_code.clone().unwrap_or_default(), by),
        (None, _, None, _) => ScannedItem::NoReference,
        (None, _, Some(_), Some(score)) => ScannedItem::Scored(Box::new(score)),
        // It had failed when this scoring was made.
        (None, AsScored::Unknown, ..) => {
            let by = failed_by(failed_before.unwrap_or_default());
            ScannedItem::Failed("retried_since".into(), by)
        }
        (None, AsScored::Scored, ..) => ScannedItem::Unscored,
    }
}

/// The scorer of one reference after the other.
pub(super) struct Texts {
    normaliser: Normaliser,
    scorer: Scorer,
    language: String,
    reference: Option<String>,
}

impl Texts {
    pub(super) fn new(normaliser: Normaliser) -> Self {
        Self {
            scorer: Scorer::new(normaliser.clone(), ""),
            normaliser,
            language: String::new(),
            reference: None,
        }
    }

    /// The scorer with a reference set, which models of a sample share.
    pub(super) fn of(
        &mut self,
        reference: &str,
        language: &str,
    ) -> Result<&mut Scorer, ScoreError> {
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
    pub fn new(run: &Run, scoring: &Scoring, keywords: &[String]) -> Result<Self, Refusal> {
        let normaliser = Normaliser::by_name(&scoring.normalizer)
            .ok_or_else(|| Refusal::internal("a scoring's normaliser is unknown here"))?;
        let keywords: Vec<&str> = keywords.iter().map(String::as_str).collect();
        let found = ModelScan {
            kept: Vec::new(),
            common: CorpusSums::default(),
            languages: BTreeMap::new(),
            groups: BTreeMap::new(),
            failures: BTreeMap::new(),
            transcribed: 0,
            failed_by_model: 0,
            failed_by_service: 0,
            waterfall: Waterfall::new(&normaliser),
            confusions: Confusions::default(),
            approximate: false,
            keywords: KeywordRecall::new(&keywords, &run.language, &normaliser),
            without_reference: 0,
            unscored: 0,
            seconds: 0.0,
            priced_seconds: 0.0,
            latencies: Vec::new(),
        };
        Ok(Self {
            next: 0,
            scoring: scoring.id,
            normalizer: normaliser.name().to_owned(),
            models: vec![found; run.models.len()],
            common_samples: 0,
            judged: Vec::new(),
            verdicts: BTreeMap::new(),
            origins: Origins::default(),
            digest: String::new(),
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
    ) -> Result<bool, Refusal> {
        let mut texts = Texts::new(
            Normaliser::by_name(&scoring.normalizer)
                .ok_or_else(|| Refusal::internal("a scoring's normaliser is unknown here"))?,
        );
        let end = u16::try_from(run.sample_count).unwrap_or(u16::MAX);
        while self.next < end {
            let (start, stop) = (self.next, self.next.saturating_add(PAGE).min(end));
            let models = 0..u8::try_from(run.models.len()).unwrap_or(u8::MAX);
            let reads = models.map(|model| {
                app.store
                    .results_between(&run.project, run.id, model, start, stop)
            });
            let entries = try_join_all(reads).await?.into_iter().flatten();
            let mut entries: HashMap<(u16, u8), Entry> = entries
                .map(|entry| {
                    let id = entry.outcome.id;
                    ((id.position(), id.model()), entry)
                })
                .collect();
            for position in start..stop {
                let of_models = (0..run.models.len())
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
        let mut scored_by: Option<(u32, String)> = None;
        for (found, entry) in self.models.iter_mut().zip(entries) {
            let Some(Entry {
                mut outcome,
                scores,
                failed_before,
                review,
            }) = entry
            else {
                continue;
            };
            let held = outcome.show(self.scoring, &scores);
            let item = item(run, &mut outcome, held, failed_before.as_deref());
            if matches!(item, ScannedItem::Pending) {
                continue;
            }
            if let Some(review) = review
                && !matches!(item, ScannedItem::Failed(..))
            {
                let opinions = review.opinions();
                for opinion in opinions.iter().filter(|one| one.vote().is_some()) {
                    let queue = opinion.queue.map_or("unknown", Queue::name);
                    *self.verdicts.entry(queue.to_owned()).or_default() += 1;
                }
                self.judged.push(votes(position, &review));
            }
            if let Some(reference) = &outcome.ground_truth
                && scored_by
                    .as_ref()
                    .is_none_or(|(version, _)| *version < outcome.reference_version)
            {
                let told = (&self.digest, position, &*outcome.language, reference);
                // A number and texts can be written.
                let told = serde_json::to_vec(&told).unwrap_or_default();
                scored_by = Some((outcome.reference_version, sha256_hex(&told)));
            }
            // What failed was not paid for, as a rule, and has no price by the hour.
            if !matches!(item, ScannedItem::Failed(..)) {
                let seconds = fields.seconds(usize::from(position));
                found.seconds += seconds;
                if outcome.cost_micro_usd > 0 {
                    found.priced_seconds += seconds;
                }
            }
            match found.add(position, &item, &outcome, fields, texts) {
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(result_id = %outcome.id, %error, "a result is missing in parts of a report");
                }
            }
            if let ScannedItem::Scored(score) = item {
                answered.push(score);
            }
        }
        if let Some((version, digest)) = scored_by {
            let from = fields.words_of_models(usize::from(position));
            self.origins.add(from, version);
            self.digest = digest;
        }
        if answered.len() == self.models.len() {
            self.common_samples += 1;
            for (found, score) in self.models.iter_mut().zip(&answered) {
                found.common.add(score);
            }
        }
    }
}

impl ModelScan {
    /// Sums over all items, from those by language.
    #[must_use]
    pub fn sums(&self) -> CorpusSums {
        let mut sums = CorpusSums::default();
        self.languages.values().for_each(|part| sums.merge(part));
        sums
    }

    fn add(
        &mut self,
        position: u16,
        item: &ScannedItem,
        outcome: &Outcome,
        fields: &Fields,
        texts: &mut Texts,
    ) -> Result<(), ScoreError> {
        match item {
            ScannedItem::Failed(code, by) => {
                let told_apart =
                    self.failures.len() < MAX_CODES || self.failures.contains_key(code);
                let code = if told_apart { code } else { "other" };
                *self.failures.entry(code.to_owned()).or_default() += 1;
                match by {
                    FailedBy::Model => self.failed_by_model += 1,
                    FailedBy::Service => self.failed_by_service += 1,
                }
            }
            ScannedItem::Pending => return Ok(()),
            ScannedItem::Scored(_) | ScannedItem::NoReference | ScannedItem::Unscored => {
                self.transcribed += 1;
                self.latencies.extend(outcome.latency_ms);
            }
        }
        match item {
            ScannedItem::NoReference => self.without_reference += 1,
            ScannedItem::Unscored => self.unscored += 1,
            ScannedItem::Scored(_) | ScannedItem::Failed(..) | ScannedItem::Pending => {}
        }
        let (ScannedItem::Scored(_) | ScannedItem::Failed(..)) = item else {
            return Ok(());
        };
        let Some(reference) = outcome.ground_truth.as_deref() else {
            return Ok(());
        };
        let language = &*outcome.language;
        let scorer = texts.of(reference, language)?;
        let part = fields.languages.part(language);
        let mut parts = [
            Some(self.languages.entry(part).or_default()),
            fields.groups.as_ref().map(|groups| {
                self.groups
                    .entry(groups.of(usize::from(position)))
                    .or_default()
            }),
        ];
        let mut hypothesis = "";
        let kept = match item {
            ScannedItem::Scored(score) => {
                parts.iter_mut().flatten().for_each(|sums| sums.add(score));
                hypothesis = outcome.transcription.as_deref().unwrap_or_default();
                let of = |counts: stt_eval_shared::scoring::Counts| Sample {
                    errors: counts.errors(),
                    reference: counts.reference(),
                };
                (of(score.words()), of(score.chars()))
            }
            ScannedItem::Failed(_, by) => {
                let size = scorer.reference_size()?;
                parts
                    .iter_mut()
                    .flatten()
                    .for_each(|sums| sums.add_failure(&size, *by));
                if *by == FailedBy::Service {
                    // It says nothing of the model.
                    return Ok(());
                }
                let all = |tokens| Sample {
                    errors: tokens,
                    reference: tokens,
                };
                (all(size.words), all(size.chars))
            }
            ScannedItem::Pending | ScannedItem::NoReference | ScannedItem::Unscored => {
                return Ok(());
            }
        };
        self.kept.push(Kept::new(position, part, kept));
        let words = scorer.align_words(hypothesis)?;
        if matches!(item, ScannedItem::Scored(_)) {
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
