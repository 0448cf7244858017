//! Figures of a saved document, which has no single samples.

use stt_eval_formats::counted;

use super::baseline::SystemFigures;
use super::condition::{Bound, Condition, Metric};
use super::judge::{Found, Scoring, sample, words};
use super::measured::Measured;
use crate::score::{Scored, System};

/// Whether figures of a saved document can be held against these.
pub fn agrees(now: Scoring<'_>, before: Scoring<'_>) -> Result<(), String> {
    let asked = stt_eval_scoring::normalise::Normaliser::by_name(now.normaliser);
    if asked.is_none_or(|asked| asked.name() != before.normaliser) {
        return Err(format!(
            "the baseline was scored with {}",
            before.normaliser
        ));
    }
    if before.references.is_empty() || before.scorer.is_empty() {
        return Err(
            "the baseline does not tell its references and its scorer: save it again".to_owned(),
        );
    }
    if before.references != now.references {
        return Err("the baseline is of other references".to_owned());
    }
    if before.scorer != now.scorer {
        return Err(format!(
            "the baseline was scored by version {} of the scorer, this by {}",
            before.scorer, now.scorer
        ));
    }
    Ok(())
}

/// Against a saved document: the difference of two figures, and nothing more.
pub fn by_figures(
    condition: &Condition,
    system: &System,
    before: &SystemFigures,
    scored: &Scored,
) -> Found {
    if condition.p.is_some() || condition.bound != Bound::Point || condition.group.is_some() {
        return Err(
            "a saved result has no figures of single samples: name the hypotheses of the \
                    baseline instead"
                .to_owned(),
        );
    }
    let kept: Vec<usize> = (0..scored.pairs.samples.len())
        .filter(|index| !system.samples[*index].is_failed())
        .collect();
    if kept.len() != before.samples {
        return Err(format!(
            "the baseline has {}, this {}",
            counted(before.samples, "sample", "samples"),
            kept.len()
        ));
    }
    if before.without > 0 {
        let have = match before.without {
            1 => "has",
            _ => "have",
        };
        return Err(format!(
            "{} of the baseline {have} no hypothesis, so what both have is not known: name its \
             hypotheses or its run instead",
            counted(before.without, "sample", "samples")
        ));
    }
    let metric = condition.metric;
    let (mut errors, mut reference) = (0, 0);
    for index in &kept {
        let one = sample(&system.samples[*index], metric);
        errors += one.errors;
        reference += one.reference;
    }
    let before = if metric == Metric::CerRegression {
        before.cer
    } else {
        before.wer
    };
    let now = errors as f64 / (reference.max(1)) as f64;
    Ok(Measured {
        value: now - before,
        before: Some(before),
        samples: kept.len(),
        words: words(&kept, system),
        blocks: kept.len(),
        ..Measured::default()
    })
}
