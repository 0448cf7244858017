//! Judging conditions.

use std::collections::BTreeSet;

use stt_eval_scoring::Flag;
use stt_eval_scoring::uncertainty::{Interval, Resampling, Sample};

use super::baseline::Baseline;
use super::condition::{Condition, Metric};
use super::decided::verdict;
use super::figures::{agrees, by_figures};
use super::measured::{Measured, of_share};
use super::verdict::Verdict;
use crate::arguments::GateArguments;
use crate::failure::Failure;
use crate::score::{Ends, One, Scored, System, is_in, known_speakers, speakers};

/// Resamples: the ends of intervals decide here.
const REPLICATES: usize = 10_000;
/// Quantiles of the normal distribution for a one-sided test at 5 % and a power of 80 %.
const Z_VISIBLE: f64 = 1.644_853_626_951_473 + 0.841_621_233_572_914;

/// How the figures of a gate were made: what those of a baseline must agree with.
#[derive(Clone, Copy)]
pub struct Scoring<'a> {
    /// The normaliser.
    pub normaliser: &'a str,
    /// The version of the scorer.
    pub scorer: &'a str,
    /// A digest of the references.
    pub references: &'a str,
}

/// Resamples for all intervals that are told beside these conditions: where the ends of one
/// decide, there are more, and one figure has one interval.
pub fn replicates(conditions: &[Condition]) -> usize {
    match conditions.iter().any(Condition::is_careful) {
        true => REPLICATES,
        false => Resampling::default().replicates,
    }
}

/// Judges all conditions for all systems they name.
///
/// # Errors
/// A system that is not there.
pub fn judge(
    gate: &GateArguments,
    scoring: Scoring<'_>,
    conditions: &[Condition],
    scored: &Scored,
    baseline: Option<&Baseline>,
) -> Result<Vec<Verdict>, Failure> {
    let mut judged = Vec::new();
    for condition in conditions {
        let named = condition.model.as_deref();
        let fits = |system: &&System| named.is_none_or(|name| name == system.name);
        let systems: Vec<&System> = scored.systems.iter().filter(fits).collect();
        if systems.is_empty() {
            let message = format!(
                "condition \"{}\": there is no system {}",
                condition.text,
                named.unwrap_or_default()
            );
            return Err(Failure::usage(message));
        }
        for system in systems {
            let asked = Asked {
                gate,
                scoring,
                replicates: replicates(conditions),
            };
            let found = measure(asked, condition, scored, system, baseline);
            judged.push((condition, system.name.clone(), found));
        }
    }
    adjust(&mut judged);
    let weak = gate.allow_weak;
    let verdicts = judged
        .into_iter()
        .map(|(condition, model, found)| verdict(condition, model, found, weak));
    Ok(verdicts.collect())
}

/// A figure, or why there is none.
pub(super) type Found = Result<Measured, String>;

/// Holm's adjustment over all conditions that have a level.
fn adjust(judged: &mut [(&Condition, String, Found)]) {
    let mut tested: Vec<(f64, usize)> = Vec::new();
    for (index, (condition, _, found)) in judged.iter().enumerate() {
        if let (Some(_), Ok(Measured { p: Some(p), .. })) = (condition.p, found) {
            tested.push((*p, index));
        }
    }
    tested.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count = tested.len();
    let mut least: f64 = 0.0;
    for (rank, (p, index)) in tested.into_iter().enumerate() {
        least = least.max((p * (count - rank) as f64).min(1.0));
        if let Ok(measured) = &mut judged[index].2 {
            measured.p = Some(least);
        }
    }
}

/// What was asked of the gate, and how its figures are made.
#[derive(Clone, Copy)]
struct Asked<'a> {
    gate: &'a GateArguments,
    scoring: Scoring<'a>,
    replicates: usize,
}

impl Asked<'_> {
    fn resampling(&self) -> Resampling {
        Resampling {
            replicates: self.replicates,
            ..Resampling::default()
        }
    }
}

fn measure(
    asked: Asked<'_>,
    condition: &Condition,
    scored: &Scored,
    system: &System,
    baseline: Option<&Baseline>,
) -> Found {
    let group = condition.group.as_ref();
    if let Some((key, _)) = group
        && !scored
            .pairs
            .samples
            .iter()
            .any(|pair| pair.field(key).is_some())
    {
        return Err(format!("no sample has {key}"));
    }
    let samples = scored.pairs.samples.iter().enumerate();
    let inside: Vec<usize> = samples
        .filter(|(_, pair)| is_in(pair, group))
        .map(|(index, _)| index)
        .collect();
    if inside.is_empty() {
        return Err("no sample is in the group".to_owned());
    }
    let share = |test: &dyn Fn(&One) -> bool, of: &[usize]| {
        let count = of
            .iter()
            .filter(|index| test(&system.samples[**index]))
            .count();
        let (low, high) = of_share(count, of.len()).unzip();
        Measured {
            value: count as f64 / of.len().max(1) as f64,
            low,
            high,
            samples: of.len(),
            words: words(of, system),
            blocks: blocks(scored, of),
            speakers: known_speakers(scored, of),
            ..Measured::default()
        }
    };
    let answered: Vec<usize> = inside
        .iter()
        .copied()
        .filter(|index| !system.samples[*index].is_failed())
        .collect();
    match condition.metric {
        Metric::Failed => Ok(share(&|one| one.is_failed() || one.is_missing(), &inside)),
        Metric::Unscored => Ok(share(&|one| one.is_failed(), &inside)),
        Metric::Hallucinated => {
            let invented = [
                Flag::OutputOnSilence,
                Flag::LongInsertion,
                Flag::Loop,
                Flag::StockPhrase,
            ];
            Ok(share(
                &|one| {
                    let flags = one.more().into_iter().flat_map(|more| &more.flags);
                    flags.into_iter().any(|flag| invented.contains(flag))
                },
                &answered,
            ))
        }
        Metric::Cost => told(system.cost_usd, "cost", &inside),
        Metric::Latency => told(system.latency_p95_ms, "latency", &inside),
        Metric::Wer | Metric::Cer | Metric::RawWer => {
            let mut found = rate(asked, condition, scored, system, &answered)?;
            if condition.metric != Metric::RawWer && answered.len() < inside.len() {
                let all = inside.iter().map(|index| &system.samples[*index]);
                found.all_deleted = all_deleted(all, condition.metric);
            }
            Ok(found)
        }
        Metric::Regression | Metric::CerRegression => {
            regression(asked, condition, scored, system, baseline, &inside)
        }
    }
}

/// A figure that was told from outside, of all samples.
fn told(figure: Option<f64>, what: &str, inside: &[usize]) -> Found {
    match figure {
        Some(value) => Ok(Measured {
            value,
            samples: inside.len(),
            ..Measured::default()
        }),
        None => Err(format!("the {what} is not known here")),
    }
}

/// Errors and tokens of a sample, of the metric.
pub(super) fn sample(one: &One, metric: Metric) -> Sample {
    let counts = match metric {
        Metric::Cer | Metric::CerRegression => one.chars(),
        Metric::RawWer => {
            let more = one.more();
            more.map(|more| more.raw_words).unwrap_or_default()
        }
        _ => one.words(),
    };
    Sample {
        errors: counts.errors(),
        reference: counts.reference(),
    }
}

/// Words of references.
pub(super) fn words(samples: &[usize], system: &System) -> u64 {
    samples
        .iter()
        .map(|index| system.samples[*index].words().reference())
        .sum()
}

/// The rate if nothing was heard where the service failed.
fn all_deleted<'a>(samples: impl Iterator<Item = &'a One>, metric: Metric) -> Option<f64> {
    let (mut errors, mut reference) = (0, 0);
    for one in samples {
        let one = sample(one, metric);
        errors += one.errors;
        reference += one.reference;
    }
    (reference > 0).then(|| errors as f64 / reference as f64)
}

/// Speakers of samples, where they are known and there are several; else each by itself.
fn blocks(scored: &Scored, samples: &[usize]) -> usize {
    speakers(scored, samples).map_or(samples.len(), |speakers| {
        speakers.into_iter().collect::<BTreeSet<_>>().len()
    })
}

fn rate(
    asked: Asked<'_>,
    condition: &Condition,
    scored: &Scored,
    system: &System,
    kept: &[usize],
) -> Found {
    let own: Vec<Sample> = kept
        .iter()
        .map(|index| sample(&system.samples[*index], condition.metric))
        .collect();
    if kept.is_empty() {
        return Err("no sample counts".to_owned());
    }
    if own.iter().all(|sample| sample.reference == 0) {
        return Err("the references have no word".to_owned());
    }
    let blocks = speakers(scored, kept);
    let compared = asked
        .resampling()
        .run(&[own], blocks.as_deref())
        .map_err(|error| error.to_string())?;
    let Some(provider) = compared.providers.first() else {
        return Err("there is no sample".to_owned());
    };
    let drawn = provider.interval.map(|ends| Ends {
        low: ends.low,
        high: ends.high,
    });
    let ends = match (
        system.told.filter(|_| condition.group.is_none()),
        condition.metric,
    ) {
        (Some(told), Metric::Wer) => told.words,
        (Some(told), Metric::Cer) => told.characters,
        _ => drawn,
    };
    Ok(Measured {
        value: provider.rate,
        low: ends.map(|ends| ends.low),
        high: ends.map(|ends| ends.high),
        samples: kept.len(),
        words: words(kept, system),
        blocks: compared.blocks,
        speakers: known_speakers(scored, kept),
        ..Measured::default()
    })
}

fn regression(
    asked: Asked<'_>,
    condition: &Condition,
    scored: &Scored,
    system: &System,
    baseline: Option<&Baseline>,
    inside: &[usize],
) -> Found {
    let Some(baseline) = baseline else {
        return Err("there is no baseline".to_owned());
    };
    let named = asked.gate.baseline_model.as_deref();
    let Some(place) = baseline.system(&system.name, named) else {
        let wanted = named.unwrap_or(&system.name);
        return Err(format!(
            "the baseline has no system {wanted} (--baseline-model)"
        ));
    };
    let before = match baseline {
        Baseline::Texts { scored, .. } => scored,
        Baseline::Figures {
            normaliser,
            scorer,
            references,
            systems,
            ..
        } => {
            let of = Scoring {
                normaliser,
                scorer,
                references,
            };
            agrees(asked.scoring, of)?;
            let found = by_figures(condition, system, &systems[place], scored)?;
            let called = baseline.called(place, &system.name, asked.gate.baseline.as_deref());
            return Ok(Measured {
                against: Some(called),
                ..found
            });
        }
    };
    let same = before.pairs.samples.len() == scored.pairs.samples.len()
        && before
            .pairs
            .samples
            .iter()
            .zip(&scored.pairs.samples)
            .all(|(a, b)| a.id == b.id && a.reference == b.reference);
    if !same {
        return Err("the baseline is of other references".to_owned());
    }
    let other = &before.systems[place];
    let is_there = |one: &One| !one.is_failed() && !one.is_missing();
    let common: Vec<usize> = inside
        .iter()
        .copied()
        .filter(|index| is_there(&system.samples[*index]) && is_there(&other.samples[*index]))
        .collect();
    let of = |system: &System| -> Vec<Sample> {
        let samples = common
            .iter()
            .map(|index| sample(&system.samples[*index], condition.metric));
        samples.collect()
    };
    let blocks = speakers(scored, &common);
    let compared = asked
        .resampling()
        .run(&[of(system), of(other)], blocks.as_deref())
        .map_err(|error| error.to_string())?;
    let (Some(pair), Some(base)) = (compared.pairs.first(), compared.providers.get(1)) else {
        return Err("there is no sample that both have".to_owned());
    };
    let same = of(system) == of(other);
    let exact = Interval {
        low: 0.0,
        high: 0.0,
        standard_error: 0.0,
    };
    // Nothing varies where all samples are alike, and nothing is unsure.
    let ends: Option<Interval> = pair.interval.or(same.then_some(exact));
    // Half of a two-sided test is the one-sided one, on the side where it lies.
    let p = if pair.difference > 0.0 {
        pair.p_value / 2.0
    } else {
        1.0 - pair.p_value / 2.0
    };
    Ok(Measured {
        against: Some(baseline.called(place, &system.name, asked.gate.baseline.as_deref())),
        left_out: inside.len() - common.len(),
        value: pair.difference,
        low: ends.map(|ends| ends.low),
        high: ends.map(|ends| ends.high),
        p: Some(p),
        smallest_visible: ends.map(|ends| ends.standard_error * Z_VISIBLE),
        before: Some(base.rate),
        samples: common.len(),
        words: words(&common, system),
        blocks: compared.blocks,
        speakers: known_speakers(scored, &common),
        ..Measured::default()
    })
}
