//! What a report comes to, in a sentence: never more than the comparisons tell.

use stt_eval_wire::comparison::{Comparison, Interval, Pair, WarningCode};
use stt_eval_wire::report::{ModelReport, Report, SPEAKER};

use crate::figures::{count, counted, percent, roughly, these};
use crate::invisible::visible;
pub use crate::sentence::plain;
use crate::sentence::{Sentence, named, names, words};

/// What a report comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The finding.
    pub finding: Sentence,
    /// What else is to be known of it.
    pub further: Vec<Sentence>,
}

fn providers<'a>(models: &'a [&ModelReport]) -> impl ExactSizeIterator<Item = &'a str> {
    models.iter().map(|model| model.provider.as_str())
}

/// Models that are compared, the lowest rate first. Rates are those on the clips that
/// all of them had.
pub(super) fn ranked(report: &Report) -> Vec<&ModelReport> {
    let rate = |model: &ModelReport| {
        let comparison = report.comparison.as_ref();
        let compared = comparison.and_then(|c| c.providers.get(&model.provider));
        compared.map_or(f64::INFINITY, |compared| compared.wer)
    };
    let mut ranked: Vec<&ModelReport> = report.providers.iter().collect();
    ranked.retain(|model| model.rank.is_some());
    ranked.sort_by(|a, b| rate(a).total_cmp(&rate(b)));
    ranked
}

/// The comparison, where it is of fewer clips than a model has: then rates of all of their
/// clips do not stand beside each other.
pub(super) fn in_common(report: &Report) -> Option<&Comparison> {
    let fewer = WarningCode::FewerSharedSamples;
    let is_fewer = report.warnings.iter().any(|warning| warning.code == fewer);
    report.comparison.as_ref().filter(|_| is_fewer)
}

/// What rates are over, where that is not all clips.
pub(super) fn over(report: &Report) -> Option<String> {
    in_common(report).map(|common| {
        let clips = counted(common.samples as u64, "clip", "clips");
        format!("over the {clips} that all models have")
    })
}

/// The rate of a model that can stand beside those of the others, and its interval.
pub(super) fn wer<'a>(
    report: &'a Report,
    model: &'a ModelReport,
) -> Option<(f64, Option<&'a Interval>)> {
    let score = model.score.as_ref()?;
    let common = in_common(report).and_then(|common| common.providers.get(&model.provider));
    Some(match common {
        Some(common) => (common.wer, common.wer_interval.as_ref()),
        None => (score.all.wer, model.wer_interval.as_ref()),
    })
}

/// The comparison of two models, and whether `a` of it is the first of them.
pub(super) fn pair<'a>(report: &'a Report, one: &str, other: &str) -> Option<(&'a Pair, bool)> {
    let pairs = &report.comparison.as_ref()?.pairs;
    pairs.iter().find_map(|pair| {
        if pair.a == one && pair.b == other {
            Some((pair, true))
        } else if pair.a == other && pair.b == one {
            Some((pair, false))
        } else {
            None
        }
    })
}

/// What blocks are called.
fn blocks(report: &Report, number: u64) -> String {
    let number = roughly(number);
    match &report.block_by {
        Some(field) if field == SPEAKER => counted(number, "more speaker", "more speakers"),
        Some(field) => format!("{} more values of “{}”", count(number), visible(field)),
        None => counted(number, "more clip", "more clips"),
    }
}

/// What of the clips counts as one, where that is not each of them.
pub(crate) fn together(field: &str) -> String {
    match field {
        SPEAKER => "Clips of one speaker count together for intervals and verdicts".to_owned(),
        field => format!(
            "Clips of one “{}” count together for intervals and verdicts",
            visible(field)
        ),
    }
}

/// How many more clips would tell models apart.
fn more(report: &Report, best: &ModelReport, tied: &[&ModelReport]) -> Option<Sentence> {
    let needed = |other: &&&ModelReport| {
        let (pair, _) = pair(report, &best.provider, &other.provider)?;
        pair.more_blocks
    };
    let (nearest, number) = tied
        .iter()
        .find_map(|other| needed(&other).map(|number| (other, number)))?;
    let number = blocks(report, number);
    Some(vec![
        words(format!("About {number} would tell ")),
        named(&best.provider),
        words(" and "),
        named(&nearest.provider),
        words(" apart, if their difference is what it seems."),
    ])
}

/// Whether chance explains the difference of two models, or nothing is known of it.
fn may_be_chance(report: &Report, one: &ModelReport, other: &ModelReport) -> bool {
    pair(report, &one.provider, &other.provider).is_none_or(|(pair, _)| !pair.distinguishable)
}

/// Whether nothing tells any of some models from another: naming one would make it the winner.
/// Of two with a difference it is told which is the lower.
fn are_alike(report: &Report, models: usize) -> bool {
    let pairs = report.comparison.iter().flat_map(|of| &of.pairs);
    let mut pairs = pairs.peekable();
    pairs.peek().is_some()
        && pairs.all(|pair| !pair.distinguishable && (models > 2 || pair.difference == 0.0))
}

fn alone(report: &Report) -> Verdict {
    let scored = report.providers.iter().find(|model| model.score.is_some());
    let Some((only, score)) = scored.and_then(|model| Some((model, model.score.as_ref()?))) else {
        return Verdict::default();
    };
    let others = report
        .providers
        .iter()
        .filter(|m| m.score.is_some())
        .count();
    let mut finding = vec![named(&only.provider)];
    if others == 1 {
        let rest = match report.providers.len() {
            0 | 1 => "There is no other model to compare it with.",
            2 => "The other model of the run has no score to compare it with.",
            _ => "The other models of the run have no scores to compare it with.",
        };
        finding.push(words(format!(
            " has a word error rate of {} on {}. {rest}",
            percent(score.all.wer),
            counted(score.all.samples, "clip", "clips"),
        )));
    } else {
        finding = vec![words(
            "No clip with words is scored for all of the models, so nothing is known of which is \
             better.",
        )];
    }
    Verdict {
        finding,
        further: Vec::new(),
    }
}

/// What a report comes to. Empty while nothing is scored.
#[must_use]
pub fn verdict(report: &Report) -> Verdict {
    let mut verdict = of_models(report);
    let blocks = report.block_by.as_ref().zip(report.comparison.as_ref());
    verdict.further.extend(blocks.map(|(field, found)| {
        let of = counted(found.blocks as u64, "block", "blocks");
        vec![words(format!("{}: {of} in all.", together(field)))]
    }));
    verdict
}

/// The same without what counts as one.
fn of_models(report: &Report) -> Verdict {
    let ranked = ranked(report);
    let Some((best, others)) = ranked
        .split_first()
        .filter(|(_, others)| !others.is_empty())
    else {
        return alone(report);
    };
    let compared = report.comparison.as_ref().map_or(0, |c| c.samples);
    // Why they are so few is told at once: it may be why nothing is told apart.
    let clips = if in_common(report).is_some() {
        format!(
            "the {} of {} that all of them have",
            count(compared as u64),
            counted(report.sample_count.into(), "clip", "clips")
        )
    } else {
        these(compared as u64, "clip", "clips")
    };
    // Groups do not tell this: the models of a group are compared with its first alone, so one
    // of a later group may still be as good as the best.
    let (tied, behind): (Vec<&ModelReport>, Vec<&ModelReport>) = others
        .iter()
        .copied()
        .partition(|other| may_be_chance(report, best, other));
    let mut verdict = Verdict::default();
    if tied.is_empty() {
        verdict.finding = vec![named(&best.provider), words(" makes fewer errors than ")];
        names(&mut verdict.finding, providers(others));
        verdict.finding.push(words(format!(
            ": on {clips}, chance does not explain the difference{}.",
            if others.len() > 1 {
                " to any of them"
            } else {
                ""
            }
        )));
        return verdict;
    }
    if are_alike(report, ranked.len()) {
        let models = match ranked.len() {
            2 => "These two models can’t be told apart".to_owned(),
            many => format!("No two of these {many} models can be told apart"),
        };
        verdict.finding = vec![words(format!("{models} with {clips}."))];
        verdict.further.extend(more(report, best, others));
        return verdict;
    }
    verdict.finding = vec![named(&best.provider), words(" is best or tied for best. ")];
    names(&mut verdict.finding, providers(&tied));
    verdict.finding.push(words(format!(
        " {} not distinguishable from it with {clips}.",
        if tied.len() > 1 { "are" } else { "is" }
    )));
    verdict.further.extend(more(report, best, &tied));
    if !behind.is_empty() {
        let mut sentence = Sentence::new();
        names(&mut sentence, providers(&behind));
        sentence.push(words(format!(
            " {} more errors than ",
            if behind.len() > 1 { "make" } else { "makes" }
        )));
        sentence.push(named(&best.provider));
        sentence.push(words(": chance does not explain the difference."));
        verdict.further.push(sentence);
    }
    verdict
}
