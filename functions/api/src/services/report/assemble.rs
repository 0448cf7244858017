//! From what was found to what is shown.

use std::collections::BTreeMap;

use stt_eval_shared::App;
use stt_eval_shared::domain::rescoring::{ArchivedModel, Scoring};
use stt_eval_shared::domain::run::{Run, RunModel};
use stt_eval_shared::scoring::CorpusSums;
use stt_eval_shared::scoring::uncertainty::{Comparison, Resampling, Sample};
use stt_eval_shared::wire::comparison::{Interval, Rank};
use stt_eval_shared::wire::report::{
    Cost, Group, Groups, Human, Keyword, Keywords, Latency, ModelReport, References, Report,
};
use stt_eval_shared::wire::{self, compared, scored};
use time::OffsetDateTime;

use super::fields::{Fields, Parts};
use super::question::ReportQuestion;
use super::scan::{Kept, ModelScan, Scan};
use super::warnings::{self, coverage};
use crate::refusal::Refusal;
use crate::views;
use crate::views::scores::usd;

/// Confusions of each kind that are shown.
const TOP: usize = 20;
/// Samples of a part below which no interval of it is told: it would say little, and
/// be taken for more.
const FEWEST: usize = 10;
/// Quantile of the normal distribution for 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// Wilson's interval of a share: never beyond 0 and 1, and honest for few.
fn wilson(right: u32, wrong: u32) -> Option<(f64, f64, f64)> {
    let n = f64::from(right) + f64::from(wrong);
    if n == 0.0 {
        return None;
    }
    let share = f64::from(right) / n;
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let (middle, scale) = (share + Z * Z / (2.0 * n), 1.0 + Z * Z / n);
    let bound = |end: f64| (end / scale).clamp(0.0, 1.0);
    Some((share, bound(middle - spread), bound(middle + spread)))
}

fn human(model: &RunModel) -> Human {
    let found = wilson(model.correct, model.incorrect);
    Human {
        correct: model.correct,
        incorrect: model.incorrect,
        accuracy: found.map(|(share, ..)| share),
        low: found.map(|(_, low, _)| low),
        high: found.map(|(.., high)| high),
    }
}

/// Intervals and verdicts over some samples.
fn resample(
    fields: &Fields,
    positions: &[u16],
    models: &[Vec<Sample>],
) -> Result<Comparison, Refusal> {
    let blocks = fields.blocks(positions);
    Resampling::default()
        .run(models, blocks.as_deref())
        .map_err(|error| Refusal::internal(error.to_string()))
}

/// Interval of one model over all of its own samples.
fn interval(
    fields: &Fields,
    kept: &[Kept],
    tokens: impl Fn(Kept) -> Sample,
) -> Result<Option<Interval>, Refusal> {
    if kept.is_empty() {
        return Ok(None);
    }
    let positions: Vec<u16> = kept.iter().map(|kept| kept.position()).collect();
    let samples: Vec<Sample> = kept.iter().map(|kept| tokens(*kept)).collect();
    let found = resample(fields, &positions, &[samples])?;
    Ok(compared::interval(&found, 0))
}

/// A model that had its chance at less than this part of the samples of another is not compared:
/// all others would be compared on these few.
const FEWEST_OF: usize = 4;

/// The models that are compared: those with anything that counts, and with enough of it where two
/// others are left.
pub(super) fn with_results(models: &[ModelScan]) -> Vec<usize> {
    let kept = |index: usize| models.get(index).map_or(0, |found| found.kept.len());
    let any: Vec<usize> = (0..models.len()).filter(|one| kept(*one) > 0).collect();
    let most = any.iter().map(|one| kept(*one)).max().unwrap_or(0);
    let is_enough = |one: &usize| kept(*one) * FEWEST_OF >= most;
    let enough: Vec<usize> = any.iter().copied().filter(is_enough).collect();
    if enough.len() < 2 { any } else { enough }
}

/// Positions at which every one of some models had its chance.
fn shared(models: &[&ModelScan]) -> Vec<u16> {
    let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
    for kept in models.iter().flat_map(|found| &found.kept) {
        *seen.entry(kept.position()).or_default() += 1;
    }
    seen.retain(|_, count| *count == models.len());
    seen.into_keys().collect()
}

/// Models on the same samples.
struct Compared {
    /// Indices of the models.
    models: Vec<usize>,
    found: Comparison,
}

/// Compares the models; `None` when they share no sample.
fn compare(fields: &Fields, models: &[ModelScan]) -> Result<Option<Compared>, Refusal> {
    let indices = with_results(models);
    let chosen: Vec<&ModelScan> = indices.iter().filter_map(|i| models.get(*i)).collect();
    let positions = shared(&chosen);
    if positions.is_empty() {
        return Ok(None);
    }
    let samples: Vec<Vec<Sample>> = chosen
        .iter()
        .map(|found| {
            let kept = found.kept.iter();
            let wanted = kept.filter(|kept| positions.binary_search(&kept.position()).is_ok());
            wanted.map(|kept| kept.words()).collect()
        })
        .collect();
    Ok(Some(Compared {
        models: indices,
        found: resample(fields, &positions, &samples)?,
    }))
}

impl Compared {
    fn rank(&self, model: usize) -> Option<Rank> {
        let place = self.models.iter().position(|index| *index == model)?;
        self.found.providers.get(place).map(|found| Rank {
            group: found.group,
            best: found.rank_best,
            worst: found.rank_worst,
        })
    }

    fn view(&self, names: &[String]) -> wire::comparison::Comparison {
        let names: Vec<String> = self
            .models
            .iter()
            .filter_map(|index| names.get(*index).cloned())
            .collect();
        compared::comparison(&self.found, Resampling::default(), &names)
    }
}

/// A way to part the samples, and where what was found of each part is.
struct Parting<'a> {
    parts: &'a Parts,
    sums: fn(&ModelScan) -> &BTreeMap<usize, CorpusSums>,
    part: &'a dyn Fn(Kept) -> usize,
}

impl Parting<'_> {
    fn interval(
        &self,
        fields: &Fields,
        found: &ModelScan,
        part: usize,
    ) -> Result<Option<Interval>, Refusal> {
        let kept = found.kept.iter().copied();
        let kept: Vec<Kept> = kept.filter(|kept| (self.part)(*kept) == part).collect();
        if kept.len() < FEWEST {
            return Ok(None);
        }
        interval(fields, &kept, Kept::words)
    }

    /// The parts with figures of every model; those that nothing falls into say
    /// nothing.
    fn groups(
        &self,
        names: &[String],
        models: &[ModelScan],
        fields: &Fields,
    ) -> Result<Vec<Group>, Refusal> {
        let mut groups = Vec::new();
        for part in 0..self.parts.len() {
            let (value, kind) = self.parts.shared(part);
            let mut group = Group {
                value,
                kind,
                providers: BTreeMap::new(),
                wer_intervals: BTreeMap::new(),
            };
            for (name, found) in names.iter().zip(models) {
                let sums = (self.sums)(found).get(&part);
                let summary = sums.and_then(scored::summary);
                let interval = self.interval(fields, found, part)?;
                group.providers.insert(name.clone(), summary);
                group.wer_intervals.insert(name.clone(), interval);
            }
            if group.providers.values().any(Option::is_some) {
                groups.push(group);
            }
        }
        Ok(groups)
    }
}

fn keywords(found: &ModelScan) -> Option<Keywords> {
    let counts = found.keywords.keywords();
    (!counts.is_empty()).then(|| Keywords {
        recall: found.keywords.recall(),
        keywords: counts
            .iter()
            .map(|counts| Keyword {
                keyword: counts.keyword.clone(),
                in_reference: counts.in_reference,
                recalled: counts.recalled,
                in_hypothesis: counts.in_hypothesis,
            })
            .collect(),
    })
}

/// Half of the times are no longer than the first, 95 of 100 than the second.
fn latency(millis: &[u32]) -> Option<Latency> {
    let mut millis = millis.to_vec();
    millis.sort_unstable();
    // The nearest rank, which is one of them.
    let at = |percent: usize| {
        let rank = (millis.len() * percent).div_ceil(100);
        millis.get(rank.saturating_sub(1)).copied()
    };
    Some(Latency {
        p50_ms: at(50)?,
        p95_ms: at(95)?,
    })
}

/// What a model had in the scoring.
#[derive(Default)]
struct Headline {
    completed: u32,
    failed: u32,
    sums: CorpusSums,
}

async fn headlines(app: &App, run: &Run, scoring: u16) -> Result<Vec<Headline>, Refusal> {
    if scoring == run.scorings.current {
        let headline = |model: &RunModel| Headline {
            completed: model.completed,
            failed: model.failed,
            sums: model.sums.clone(),
        };
        return Ok(run.models.iter().map(headline).collect());
    }
    let archived = app
        .store
        .archived_scoring(&run.project, run.id, scoring)
        .await?;
    let archived = archived.ok_or_else(|| Refusal::internal("a scoring's sums are gone"))?;
    let headline = |model: ArchivedModel| Headline {
        completed: model.completed,
        failed: model.failed,
        sums: model.sums,
    };
    let mut headlines: Vec<Headline> = archived.models.into_iter().map(headline).collect();
    // Models that joined the run since have nothing in that scoring.
    headlines.resize_with(run.models.len(), Headline::default);
    Ok(headlines)
}

/// What is shown of one model.
fn of_model(
    (model, price_read_at): (&RunModel, Option<String>),
    headline: Headline,
    found: ModelScan,
    whole: bool,
    fields: &Fields,
    rank: Option<Rank>,
) -> Result<ModelReport, Refusal> {
    let hours = found.seconds / 3600.0;
    // Of transcripts that came from elsewhere costs may be known of some.
    let priced = match model.imported {
        Some(_) => found.priced_seconds / 3600.0,
        None => hours,
    };
    let latency = latency(&found.latencies);
    let dollars = usd(model.cost_micro_usd);
    // Transcripts that came without costs were not made for nothing.
    let is_known = model.imported.is_none() || model.cost_micro_usd > 0;
    Ok(ModelReport {
        provider: model.model.clone(),
        coverage: coverage(&found),
        temperature: model.config.temperature,
        wer_interval: interval(fields, &found.kept, Kept::words)?,
        cer_interval: interval(fields, &found.kept, Kept::chars)?,
        distribution: scored::distribution(found.kept.iter().map(|kept| kept.words())),
        common: scored::summary(&found.common).map(|summary| summary.all),
        rank,
        completed: headline.completed,
        failed: headline.failed,
        human: human(model),
        cost: Cost {
            usd: dollars,
            audio_hours: hours,
            usd_per_audio_hour: (whole && is_known && priced > 0.0).then(|| dollars / priced),
            price_read_at,
        },
        latency_seconds: None,
        latency,
        flags: headline.sums.summary().flags,
        score: scored::summary(&headline.sums),
        model_versions: model.model_versions.clone(),
        keywords: keywords(&found),
        waterfall: found
            .waterfall
            .rows()
            .into_iter()
            .map(scored::step)
            .collect(),
        confusions: scored::confusions(found.confusions.top(TOP), found.approximate),
        without_reference: found.without_reference,
        unscored: found.unscored,
        failures: found.failures,
    })
}

/// The sums that the headline is made of. Where a run of release 0.1.0 has
/// failures in its sums, they do not say whose; the results do.
fn told_apart(headline: Headline, found: &ModelScan) -> Headline {
    if headline.sums.failures_told_apart() {
        return headline;
    }
    Headline {
        sums: found.sums(),
        ..headline
    }
}

/// The report.
pub async fn view(
    app: &App,
    run: &Run,
    scoring: Scoring,
    wanted: &ReportQuestion,
    fields: &Fields,
    scan: Scan,
) -> Result<Report, Refusal> {
    let names: Vec<String> = run.models.iter().map(|p| p.model.clone()).collect();
    let headlines = headlines(app, run, scoring.id).await?;
    let samples_read = scan.samples_read();
    let whole = samples_read >= run.sample_count;
    let comparison = compare(fields, &scan.models)?;
    let warnings = warnings::of(
        run,
        &names,
        &scan.models,
        comparison.as_ref().map(|c| &c.found),
        &scan.origins,
    );
    let agreement = stt_eval_shared::scoring::agreement::agreement(&scan.judged);
    let languages = Parting {
        parts: &fields.languages,
        sums: |found| &found.languages,
        part: &Kept::language,
    };
    let languages = languages.groups(&names, &scan.models, fields)?;
    let by_field = |parts: &Parts| {
        let groups = Parting {
            parts,
            sums: |found| &found.groups,
            part: &|kept| parts.of(usize::from(kept.position())),
        };
        groups.groups(&names, &scan.models, fields)
    };
    let groups = fields.groups.as_ref().map(by_field).transpose()?;
    let begun = OffsetDateTime::from(run.inserted_at).date();
    let mut models = Vec::with_capacity(names.len());
    let all = run.models.iter().zip(headlines).zip(scan.models);
    for (index, ((model, headline), found)) in all.enumerate() {
        let rank = comparison.as_ref().and_then(|c| c.rank(index));
        let headline = told_apart(headline, &found);
        let price = app.model(&model.model).and_then(|known| known.price(begun));
        let model = (model, price.map(|price| price.read_on.to_string()));
        models.push(of_model(model, headline, found, whole, fields, rank)?);
    }
    Ok(Report {
        run_id: run.id,
        run_name: run.name.clone(),
        dataset_id: run.dataset,
        dataset_name: run.dataset_name.clone(),
        status: run.status,
        complete: !run.status.is_active() && run.pending() == 0 && whole,
        sample_count: run.sample_count,
        samples_read,
        scoring: views::report::scoring(run, scoring),
        scorings: views::report::scorings(run),
        common_samples: scan.common_samples,
        references: References {
            digest: scan.digest,
            ..scan.origins.references()
        },
        comparison: comparison.map(|comparison| comparison.view(&names)),
        warnings,
        providers: models,
        verdicts: scan.verdicts,
        agreement: agreement.map(views::report::agreement),
        block_by: wanted.block_by.clone(),
        languages,
        groups: groups
            .zip(wanted.group_by.clone())
            .map(|(groups, field)| Groups { field, groups }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_told() {
        assert_eq!(latency(&[]), None);
        for (millis, p50_ms, p95_ms) in [
            (vec![7], 7, 7),
            (vec![300, 100], 100, 300),
            ((1..=100).rev().collect(), 50, 95),
            ((1..=101).collect(), 51, 96),
        ] {
            let millis: Vec<u32> = millis;
            assert_eq!(latency(&millis), Some(Latency { p50_ms, p95_ms }));
        }
    }

    #[test]
    fn wilson_is_as_in_the_books() {
        assert_eq!(wilson(0, 0), None);
        let (share, low, high) = wilson(9, 1).unwrap();
        assert!((share - 0.9).abs() < 1e-12);
        assert!((low - 0.595_849_97).abs() < 1e-6, "{low}");
        assert!((high - 0.982_123_8).abs() < 1e-6, "{high}");
        assert!(wilson(0, 3).unwrap().1 < 1e-9);
        assert!(wilson(3, 0).unwrap().2 > 1.0 - 1e-9);
    }
}
