//! Going through two runs over one dataset side by side, once. What is kept of each
//! pair of results is a few numbers.

use std::collections::HashMap;

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use stt_eval_shared::App;
use stt_eval_shared::domain::FileId;
use stt_eval_shared::domain::rescoring::Scoring;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::scoring::uncertainty::Sample;
use stt_eval_shared::scoring::{FailedBy, ScoreError};
use stt_eval_shared::store::results::Entry;
use stt_eval_shared::wire::run_comparison::LeftOut;

use super::super::scan::{ScannedItem, Texts, item};
use crate::refusal::Refusal;

/// Positions of a page; each is two results for each model that both runs have.
const PAGE: u16 = 25;

/// A sample in both runs: its position, errors and size in the run, and the same in
/// the other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Both(u16, u64, u64, u64, u64);

impl Both {
    /// Position of the sample.
    #[must_use]
    pub fn position(self) -> u16 {
        self.0
    }

    /// Words in the run.
    #[must_use]
    pub fn in_run(self) -> Sample {
        Sample {
            errors: self.1,
            reference: self.2,
        }
    }

    /// Words in the other run.
    #[must_use]
    pub fn in_other(self) -> Sample {
        Sample {
            errors: self.3,
            reference: self.4,
        }
    }
}

/// What was found of a model that both runs have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelPairs {
    /// Its index in the run.
    pub in_run: u8,
    /// Its index in the other run.
    pub in_other: u8,
    /// Samples that are compared, in order of position.
    pub both: Vec<Both>,
    /// Of these, how many the model failed at in the run alone, and in the other one alone.
    #[serde(default)]
    pub missing: (u64, u64),
    /// What is not.
    pub left_out: LeftOut,
}

/// How far it is, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairScan {
    next: u16,
    /// By model.
    pub models: Vec<ModelPairs>,
}

/// A result that counts: what it was held against, and its words.
struct Counted {
    file: FileId,
    reference: String,
    version: u32,
    language: String,
    words: Sample,
    is_failed: bool,
}

impl Counted {
    fn is_held_against_the_same(&self, other: &Self) -> bool {
        // The version says it; file, text and language hold it to that.
        (self.file, self.version, &self.reference, &self.language)
            == (other.file, other.version, &other.reference, &other.language)
    }
}

/// What counts of an entry, as in a report: a score, or a failure of the model.
fn counted(
    run: &Run,
    scoring: u16,
    entry: Option<Entry>,
    texts: &mut Texts,
) -> Result<Option<Counted>, ScoreError> {
    let Some(Entry {
        mut outcome,
        scores,
        failed_before,
        ..
    }) = entry
    else {
        return Ok(None);
    };
    let held = outcome.show(scoring, &scores);
    let found = item(run, &mut outcome, held, failed_before.as_deref());
    let Some(reference) = outcome.ground_truth.take() else {
        return Ok(None);
    };
    let is_failed = matches!(found, ScannedItem::Failed(..));
    let words = match found {
        ScannedItem::Scored(score) => Sample {
            errors: score.words().errors(),
            reference: score.words().reference(),
        },
        ScannedItem::Failed(_, FailedBy::Model) => {
            let size = texts.of(&reference, &outcome.language)?.reference_size()?;
            Sample {
                errors: size.words,
                reference: size.words,
            }
        }
        ScannedItem::Failed(_, FailedBy::Service)
        | ScannedItem::Pending
        | ScannedItem::NoReference
        | ScannedItem::Unscored => return Ok(None),
    };
    Ok(Some(Counted {
        file: outcome.file_id,
        reference,
        version: outcome.reference_version,
        language: outcome.language,
        words,
        is_failed,
    }))
}

impl ModelPairs {
    fn new(in_run: u8, in_other: u8) -> Self {
        Self {
            in_run,
            in_other,
            both: Vec::new(),
            missing: (0, 0),
            left_out: LeftOut::default(),
        }
    }

    fn add(&mut self, position: u16, run: Option<Counted>, other: Option<Counted>) {
        match (run, other) {
            (Some(run), Some(other)) if run.is_held_against_the_same(&other) => {
                let (a, b) = (run.words, other.words);
                self.missing.0 += u64::from(run.is_failed && !other.is_failed);
                self.missing.1 += u64::from(other.is_failed && !run.is_failed);
                self.both
                    .push(Both(position, a.errors, a.reference, b.errors, b.reference));
            }
            (Some(_), Some(_)) => self.left_out.other_reference += 1,
            (Some(_), None) => self.left_out.only_in_run += 1,
            (None, Some(_)) => self.left_out.only_in_other += 1,
            (None, None) => self.left_out.in_neither += 1,
        }
    }
}

/// One of the two runs, and the scoring of it.
pub type Side<'a> = (&'a Run, &'a Scoring);

impl PairScan {
    /// At the beginning, for models by their indices in the two runs.
    #[must_use]
    pub fn new(models: &[(u8, u8)]) -> Self {
        let models = models.iter();
        Self {
            next: 0,
            models: models.map(|(a, b)| ModelPairs::new(*a, *b)).collect(),
        }
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
        sides: [Side<'_>; 2],
        texts: &mut Texts,
        has_time: impl Fn() -> bool,
    ) -> Result<bool, Refusal> {
        let samples = sides.map(|(run, _)| run.sample_count).into_iter().max();
        let end = u16::try_from(samples.unwrap_or(0)).unwrap_or(u16::MAX);
        while self.next < end {
            let (start, stop) = (self.next, self.next.saturating_add(PAGE).min(end));
            let reads = self.models.iter().flat_map(|model| {
                let [(run, _), (other, _)] = sides;
                [(run, model.in_run), (other, model.in_other)]
            });
            let reads = reads.map(|(run, model)| {
                app.store
                    .results_between(&run.project, run.id, model, start, stop)
            });
            let mut read = try_join_all(reads).await?.into_iter().map(by_position);
            for model in &mut self.models {
                let (mut ours, mut theirs) = (
                    read.next().unwrap_or_default(),
                    read.next().unwrap_or_default(),
                );
                for position in start..stop {
                    let [a, b] = [
                        (sides[0], ours.remove(&position)),
                        (sides[1], theirs.remove(&position)),
                    ]
                    .map(|((run, scoring), entry)| {
                        counted(run, scoring.id, entry, texts).unwrap_or_else(|error| {
                            tracing::warn!(run_id = %run.id, position, %error, "a result is left out of a comparison");
                            None
                        })
                    });
                    model.add(position, a, b);
                }
                // Others on this thread have a turn too.
                tokio::task::yield_now().await;
            }
            self.next = stop;
            if !has_time() {
                break;
            }
        }
        Ok(self.next >= end)
    }
}

fn by_position(entries: Vec<Entry>) -> HashMap<u16, Entry> {
    let entries = entries.into_iter();
    entries
        .map(|entry| (entry.outcome.id.position(), entry))
        .collect()
}
