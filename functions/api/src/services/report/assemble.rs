//! From what was found to what is shown.

use std::collections::BTreeMap;

use stt_eval_shared::App;
use stt_eval_shared::domain::rescoring::Scoring;
use stt_eval_shared::domain::run::{ProviderRun, Run};
use stt_eval_shared::scoring::CorpusSums;
use stt_eval_shared::scoring::uncertainty::{Bootstrap, Comparison, Sample};

use super::Wanted;
use super::fields::{Fields, Parts};
use super::scan::{Found, Kept, Scan};
use crate::dto::report::{
    ComparisonView, ConfusionsView, CostView, GroupView, GroupsView, HumanView, IntervalView,
    KeywordView, KeywordsView, PairView, ProviderReport, RankView, ReportView, ScoringView,
    SummaryView,
};
use crate::dto::scores::usd;
use crate::error::ApiError;

/// Confusions of each kind that are shown.
const TOP: usize = 20;
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

fn human(provider: &ProviderRun) -> HumanView {
    let found = wilson(provider.correct, provider.incorrect);
    HumanView {
        correct: provider.correct,
        incorrect: provider.incorrect,
        accuracy: found.map(|(share, ..)| share),
        low: found.map(|(_, low, _)| low),
        high: found.map(|(.., high)| high),
    }
}

fn resample(
    fields: &Fields,
    positions: &[u16],
    providers: &[Vec<Sample>],
) -> Result<Comparison, ApiError> {
    let blocks = fields.blocks(positions);
    Bootstrap::default()
        .run(providers, blocks.as_deref())
        .map_err(|error| ApiError::internal(error.to_string()))
}

/// Interval of one model over all of its own samples.
fn interval(
    fields: &Fields,
    kept: &[Kept],
    tokens: impl Fn(Kept) -> Sample,
) -> Result<Option<IntervalView>, ApiError> {
    if kept.is_empty() {
        return Ok(None);
    }
    let positions: Vec<u16> = kept.iter().map(|kept| kept.position()).collect();
    let samples: Vec<Sample> = kept.iter().map(|kept| tokens(*kept)).collect();
    let found = resample(fields, &positions, &[samples])?;
    Ok(found.providers.first().map(IntervalView::from))
}

/// Positions at which every model has something that counts.
fn shared(models: &[Found]) -> Vec<u16> {
    let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
    for kept in models.iter().flat_map(|found| &found.kept) {
        *seen.entry(kept.position()).or_default() += 1;
    }
    seen.retain(|_, count| *count == models.len());
    seen.into_keys().collect()
}

/// Compares the models; `None` when they share no sample.
fn compare(fields: &Fields, models: &[Found]) -> Result<Option<Comparison>, ApiError> {
    let positions = shared(models);
    if positions.is_empty() {
        return Ok(None);
    }
    let providers: Vec<Vec<Sample>> = models
        .iter()
        .map(|found| {
            let kept = found.kept.iter();
            let wanted = kept.filter(|kept| positions.binary_search(&kept.position()).is_ok());
            wanted.map(|kept| kept.words()).collect()
        })
        .collect();
    resample(fields, &positions, &providers).map(Some)
}

fn comparison_view(comparison: &Comparison, names: &[String]) -> ComparisonView {
    let mut order: Vec<usize> = (0..comparison.providers.len()).collect();
    let rate = |index: &usize| comparison.providers.get(*index).map_or(0.0, |p| p.rate);
    order.sort_by(|a, b| rate(a).total_cmp(&rate(b)));
    let leaders = order.first().zip(order.get(1));
    let of_leaders = comparison
        .pairs
        .iter()
        .find(|pair| leaders.is_some_and(|(a, b)| (pair.a, pair.b) == (*a.min(b), *a.max(b))));
    let bootstrap = Bootstrap::default();
    ComparisonView {
        samples: comparison.samples,
        blocks: comparison.blocks,
        replicates: bootstrap.replicates,
        seed: bootstrap.seed,
        pairs: comparison
            .pairs
            .iter()
            .map(|pair| PairView::new(pair, names))
            .collect(),
        more_samples: of_leaders.and_then(|pair| pair.more_samples),
    }
}

fn parts(
    names: &[String],
    models: &[Found],
    parts: &Parts,
    sums: impl Fn(&Found) -> &BTreeMap<usize, CorpusSums>,
) -> Vec<GroupView> {
    let of_model = |found: &Found, part| sums(found).get(&part).and_then(SummaryView::new);
    let views = (0..parts.len()).map(|part| {
        let (value, kind) = parts.shared(part);
        let providers: BTreeMap<String, Option<SummaryView>> = names
            .iter()
            .zip(models)
            .map(|(name, found)| (name.clone(), of_model(found, part)))
            .collect();
        GroupView {
            value,
            kind,
            providers,
        }
    });
    // Parts that nothing falls into say nothing.
    views
        .filter(|view| view.providers.values().any(Option::is_some))
        .collect()
}

fn keywords(found: &Found) -> Option<KeywordsView> {
    let counts = found.keywords.keywords();
    (!counts.is_empty()).then(|| KeywordsView {
        recall: found.keywords.recall(),
        keywords: counts
            .iter()
            .map(|counts| KeywordView {
                keyword: counts.keyword.clone(),
                in_reference: counts.in_reference,
                recalled: counts.recalled,
                in_hypothesis: counts.in_hypothesis,
            })
            .collect(),
    })
}

/// What a model had in the scoring.
struct Headline {
    completed: u32,
    failed: u32,
    sums: CorpusSums,
}

async fn headlines(app: &App, run: &Run, scoring: u16) -> Result<Vec<Headline>, ApiError> {
    if scoring == run.scorings.current {
        let headline = |provider: &ProviderRun| Headline {
            completed: provider.completed,
            failed: provider.failed,
            sums: provider.sums.clone(),
        };
        return Ok(run.providers.iter().map(headline).collect());
    }
    let archived = app
        .store
        .archived_scoring(&run.project, run.id, scoring)
        .await?;
    let archived = archived.ok_or_else(|| ApiError::internal("a scoring's sums are gone"))?;
    let headline = |provider: stt_eval_shared::domain::rescoring::ArchivedProvider| Headline {
        completed: provider.completed,
        failed: provider.failed,
        sums: provider.sums,
    };
    Ok(archived.providers.into_iter().map(headline).collect())
}

/// What is shown of one model.
fn provider(
    provider: &ProviderRun,
    headline: Headline,
    found: Found,
    whole: bool,
    fields: &Fields,
    rank: Option<RankView>,
) -> Result<ProviderReport, ApiError> {
    let hours = found.seconds / 3600.0;
    let dollars = usd(provider.cost_micro_usd);
    Ok(ProviderReport {
        provider: provider.model.clone(),
        wer_interval: interval(fields, &found.kept, Kept::words)?,
        cer_interval: interval(fields, &found.kept, Kept::chars)?,
        common: SummaryView::new(&found.common).map(|summary| summary.all),
        rank,
        completed: headline.completed,
        failed: headline.failed,
        human: human(provider),
        cost: CostView {
            usd: dollars,
            audio_hours: hours,
            usd_per_audio_hour: (whole && hours > 0.0).then(|| dollars / hours),
        },
        latency_seconds: None,
        flags: headline.sums.summary().flags,
        score: SummaryView::new(&headline.sums),
        model_versions: provider.model_versions.clone(),
        keywords: keywords(&found),
        waterfall: found.waterfall.rows().into_iter().map(Into::into).collect(),
        confusions: ConfusionsView::new(found.confusions.top(TOP), found.approximate),
        without_reference: found.without_reference,
        unscored: found.unscored,
        failures: found.failures,
    })
}

/// The report.
pub async fn view(
    app: &App,
    run: &Run,
    scoring: Scoring,
    wanted: &Wanted,
    fields: &Fields,
    scan: Scan,
) -> Result<ReportView, ApiError> {
    let names: Vec<String> = run.providers.iter().map(|p| p.model.clone()).collect();
    let headlines = headlines(app, run, scoring.id).await?;
    let samples_read = scan.samples_read();
    let whole = samples_read >= run.sample_count;
    let comparison = compare(fields, &scan.models)?;
    let languages = parts(&names, &scan.models, &fields.languages, |found| {
        &found.languages
    });
    let groups = fields
        .groups
        .as_ref()
        .map(|groups| parts(&names, &scan.models, groups, |found| &found.groups));
    let mut providers = Vec::with_capacity(names.len());
    let all = run.providers.iter().zip(headlines).zip(scan.models);
    for (index, ((of_run, headline), found)) in all.enumerate() {
        let rank = comparison
            .as_ref()
            .and_then(|c| c.providers.get(index))
            .map(|found| RankView {
                group: found.group,
                best: found.rank_best,
                worst: found.rank_worst,
            });
        providers.push(provider(of_run, headline, found, whole, fields, rank)?);
    }
    Ok(ReportView {
        run_id: run.id,
        run_name: run.name.clone(),
        dataset_id: run.dataset,
        status: run.status,
        complete: !run.status.is_active() && run.pending() == 0 && whole,
        sample_count: run.sample_count,
        samples_read,
        scoring: ScoringView::new(run, scoring),
        scorings: ScoringView::all(run),
        common_samples: scan.common_samples,
        comparison: comparison.map(|comparison| comparison_view(&comparison, &names)),
        providers,
        block_by: wanted.block_by.clone(),
        languages,
        groups: groups
            .zip(wanted.group_by.clone())
            .map(|(groups, field)| GroupsView { field, groups }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
