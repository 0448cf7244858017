//! Samples and what models heard in them, as the writers of formats take them.

use std::ops::Range;

use futures::future::{try_join, try_join_all};
use stt_eval_formats::write::{Reviewed, ScoredBy, Told, Written};
use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::reference_origin::Origin;
use stt_eval_shared::domain::review::{Opinion, Review};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::Span;
use stt_eval_shared::store::results::Entry;
use stt_eval_shared::store::samples::SampleFacts;

use stt_eval_shared::wire::report::SPEAKER;

use super::Source;
use crate::refusal::Refusal;
use crate::services::results::selection::current;
use crate::views;

/// The entry of a model at a position, as it counts now.
fn taken(run: &Run, entries: &mut Vec<Entry>, position: u16) -> Option<Entry> {
    let at = |entry: &Entry| entry.outcome.id.position() == position;
    let index = entries.iter().position(at)?;
    current(run, entries.swap_remove(index))
}

/// References that reviewers propose, in the order in which they first spoke.
fn proposed(review: &Review) -> Vec<String> {
    let mut found = Vec::new();
    for text in review.opinions().into_iter().filter_map(|o| o.proposed) {
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

/// What each reviewer finds.
fn reviewed(review: &Review) -> Vec<Reviewed> {
    let one = |opinion: Opinion| Reviewed {
        // One without a name came by a key alone.
        reviewer: opinion.reviewer.name.unwrap_or_else(|| "API".to_owned()),
        verdict: opinion.verdict.map(|verdict| verdict.name().to_owned()),
        reasons: opinion
            .reasons
            .iter()
            .map(|reason| reason.name().to_owned())
            .collect(),
        comment: opinion.comment,
    };
    review.opinions().into_iter().map(one).collect()
}

fn told(entry: &Entry, aligned: bool) -> Told {
    let outcome = &entry.outcome;
    let review = entry.review.as_ref();
    let alignment = aligned
        .then(|| views::results::alignment(outcome))
        .flatten();
    Told {
        wer: outcome.score.as_ref().map(|score| score.wer),
        cer: outcome.score.as_ref().map(|score| score.cer),
        scored_by: outcome.score.as_ref().map(|score| ScoredBy {
            normalizer: score.normaliser.clone(),
            scorer_version: score.scorer_version.clone(),
            reference_version: outcome.reference_version,
        }),
        error: outcome.error_code.clone(),
        is_correct: review.and_then(|review| review.is_correct),
        comment: review.and_then(|review| review.comment.clone()),
        reviews: review.map(reviewed).unwrap_or_default(),
        proposed_references: review.map(proposed).unwrap_or_default(),
        cost_usd: Some(views::scores::usd(outcome.cost_micro_usd)),
        latency_ms: outcome.latency_ms,
        alignment: alignment.and_then(|words| serde_json::to_value(words).ok()),
    }
}

/// A sample with its entries, one for each model.
fn written(run: &Run, sample: Sample, mut entries: Vec<Option<Entry>>, aligned: bool) -> Written {
    // Models may have been held against different references: the latest is told.
    let latest = entries
        .iter()
        .flatten()
        .max_by_key(|entry| entry.outcome.reference_version);
    let (reference, version, language) = match latest {
        Some(Entry { outcome, .. }) => (
            outcome.ground_truth.clone(),
            outcome.reference_version,
            outcome.language.clone(),
        ),
        None => (
            sample.ground_truth,
            sample.reference_version,
            sample.language,
        ),
    };
    let from = reference
        .as_ref()
        .map(|_| Origin::of(&sample.from_models, version).to_string());
    let absent = match run.status.is_active() {
        true => "pending",
        false => "cancelled",
    };
    let told = entries.iter().map(|entry| {
        let told = entry.as_ref().map(|entry| told(entry, aligned));
        // Nothing was heard where nothing was asked, which is no answer.
        told.unwrap_or_else(|| Told {
            error: Some(absent.to_owned()),
            ..Told::default()
        })
    });
    let told = told.collect();
    let heard = entries.iter_mut().map(|entry| {
        let outcome = &mut entry.as_mut()?.outcome;
        outcome.transcription.take()
    });
    let mut fields = sample.metadata;
    Written {
        id: sample.id.to_string(),
        audio: Some(sample.filename),
        seconds: Some(sample.duration_seconds),
        language: Some(language),
        speaker: fields.remove(SPEAKER),
        fields,
        reference,
        reference_from: from,
        heard: heard.collect(),
        told,
    }
}

/// The samples at some positions, and what all models heard in them. A sample that is
/// gone is left out: its dataset is being deleted, and the run with it.
pub async fn all(
    app: &App,
    source: &Source,
    positions: Range<u16>,
    aligned: bool,
) -> Result<Vec<Written>, Refusal> {
    let run = &source.run;
    let (start, end) = (positions.start, positions.end);
    let models = (0..run.models.len()).filter_map(|index| u8::try_from(index).ok());
    let results = models.map(|model| {
        app.store
            .results_between(&run.project, run.id, model, start, end)
    });
    let span = [Span { start, end }];
    let samples = app.store.samples_in(&run.project, run.dataset, &span);
    let (samples, mut results) = try_join(samples, try_join_all(results)).await?;
    let rows = samples.into_iter().map(|sample| {
        let position = sample.id.position();
        let entries = results.iter_mut();
        let entries = entries.map(|entries| taken(run, entries, position));
        written(run, sample, entries.collect(), aligned)
    });
    Ok(rows.collect())
}

/// What one model heard, by position, with what a line needs beside it.
pub async fn of_model(
    app: &App,
    source: &Source,
    model: u8,
    positions: Range<u16>,
) -> Result<Vec<(u16, Written)>, Refusal> {
    let run = &source.run;
    let (start, end) = (positions.start, positions.end);
    let mut entries = app
        .store
        .results_between(&run.project, run.id, model, start, end)
        .await?;
    let facts = source
        .facts
        .iter()
        .filter(|fact| positions.contains(&fact.id.position()));
    let rows = facts.map(|fact: &SampleFacts| {
        let position = fact.id.position();
        let entry = taken(run, &mut entries, position);
        let outcome = entry.map(|entry| entry.outcome);
        let language = outcome
            .as_ref()
            .map_or(&fact.language, |outcome| &outcome.language);
        let row = Written {
            id: fact.id.to_string(),
            language: Some(language.clone()),
            speaker: fact.metadata.get(SPEAKER).cloned(),
            heard: vec![outcome.and_then(|outcome| outcome.transcription)],
            ..Written::default()
        };
        (position, row)
    });
    Ok(rows.collect())
}
