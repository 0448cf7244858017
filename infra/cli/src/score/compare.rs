//! Intervals, and whether systems differ.

use std::collections::BTreeSet;

use serde::Serialize;
use stt_eval_scoring::Counts;
use stt_eval_scoring::uncertainty::{Comparison, Resampling, Sample};

use super::count::{One, Scored, System};
use super::figures::{Ends, SystemOf};

/// What the block of a sample of nobody begins with, as no name does.
pub const NOBODY: char = '\0';

/// Two systems, on the samples that both have.
#[derive(Debug, Clone, Serialize)]
pub struct Compared {
    /// One.
    pub a: String,
    /// The other.
    pub b: String,
    /// WER of `a` less WER of `b`.
    pub difference: f64,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Of a permutation test, two-sided.
    pub p: f64,
    /// The same, adjusted for all pairs (Holm).
    pub p_adjusted: f64,
    /// Whether that is below 0.05.
    pub distinguishable: bool,
    /// Samples that both have.
    #[serde(skip)]
    pub samples: usize,
    /// What was drawn together: speakers, if all are known.
    #[serde(skip)]
    pub by_speaker: bool,
}

/// Errors and words.
pub(super) fn words(one: &One) -> Sample {
    sample(one.words())
}

/// Errors and characters.
pub(super) fn characters(one: &One) -> Sample {
    sample(one.chars())
}

fn sample(counts: Counts) -> Sample {
    Sample {
        errors: counts.errors(),
        reference: counts.reference(),
    }
}

/// What is drawn for intervals, as often as is wanted, and for tests.
pub(super) fn drawn(replicates: usize) -> Resampling {
    Resampling {
        replicates,
        ..Resampling::default()
    }
}

/// Samples at which no service failed: what is compared.
pub(super) fn common(scored: &Scored) -> Vec<usize> {
    let answered = |index: &usize| {
        let of = |system: &System| system.samples.get(*index).is_none_or(|one| one.is_failed());
        !scored.systems.iter().any(of)
    };
    (0..scored.pairs.samples.len()).filter(answered).collect()
}

/// Samples at which the service of a system did not fail: what its figures are of.
pub(super) fn kept(system: &System) -> Vec<usize> {
    let all = system.samples.iter().enumerate();
    all.filter(|(_, one)| !one.is_failed())
        .map(|(index, _)| index)
        .collect()
}

/// Speakers of samples, if all are known and there are several.
pub fn speakers<'a>(scored: &'a Scored, kept: &[usize]) -> Option<Vec<&'a str>> {
    let speakers: Option<Vec<&str>> = kept
        .iter()
        .map(|index| scored.pairs.samples.get(*index)?.speaker())
        .collect();
    speakers.filter(|all| all.iter().any(|one| Some(one) != all.first()))
}

/// Speakers among the blocks of samples, where any of these is of a speaker.
pub fn known_speakers(scored: &Scored, kept: &[usize]) -> Option<usize> {
    let all = speakers(scored, kept)?;
    let known = all.into_iter().filter(|name| !name.starts_with(NOBODY));
    Some(known.collect::<BTreeSet<_>>().len()).filter(|known| *known > 0)
}

/// Figures of all systems, and all pairs of them. Without `replicates` there are no intervals;
/// whether two systems differ is tested all the same.
pub fn compare(scored: &Scored, replicates: usize) -> (Vec<SystemOf>, Vec<Compared>) {
    let resampling = drawn(replicates);
    let count = scored.pairs.samples.len();
    let common = common(scored);
    let all: Vec<usize> = (0..scored.systems.len()).collect();
    let joint = resampled(resampling, scored, &common, &all, words);
    let mut systems = Vec::with_capacity(scored.systems.len());
    for (index, system) in scored.systems.iter().enumerate() {
        let answered = system.samples.iter().filter(|one| !one.is_failed());
        let counted = answered.clone().count();
        let own = if counted == common.len() {
            joint
                .as_ref()
                .and_then(|all| all.providers.get(index)?.interval)
        } else {
            let alone = resampled(resampling, scored, &kept(system), &[index], words);
            alone.and_then(|all| all.providers.first()?.interval)
        };
        let (mut of_words, mut chars) = (Counts::default(), Counts::default());
        let rate = |counts: &Counts| (counted > 0).then(|| counts.error_rate());
        for one in answered {
            of_words.add(&one.words());
            chars.add(&one.chars());
        }
        systems.push(SystemOf {
            name: system.name.clone(),
            samples: counted,
            failed: count - counted,
            wer: rate(&of_words),
            wer_interval: own.map(|own| Ends {
                low: own.low,
                high: own.high,
            }),
            words: of_words.into(),
            cer: rate(&chars),
            characters: chars.into(),
        });
    }
    let by_speaker = speakers(scored, &common).is_some();
    let pairs = joint.map(|all| all.pairs).unwrap_or_default();
    let name = |index: usize| {
        scored
            .systems
            .get(index)
            .map_or(String::new(), |one| one.name.clone())
    };
    let compared = pairs.into_iter().map(|pair| Compared {
        a: name(pair.a),
        b: name(pair.b),
        difference: pair.difference,
        low: pair.interval.map(|ends| ends.low),
        high: pair.interval.map(|ends| ends.high),
        p: pair.p_value,
        p_adjusted: pair.p_adjusted,
        distinguishable: pair.distinguishable,
        samples: common.len(),
        by_speaker,
    });
    (systems, compared.collect())
}

/// Systems on some samples, by what `unit` counts.
pub(super) fn resampled(
    resampling: Resampling,
    scored: &Scored,
    kept: &[usize],
    systems: &[usize],
    unit: fn(&One) -> Sample,
) -> Option<Comparison> {
    if resampling.replicates == 0 && systems.len() < 2 {
        // Neither intervals nor pairs.
        return None;
    }
    let of = |system: &usize| -> Vec<Sample> {
        let samples = &scored.systems[*system].samples;
        kept.iter().map(|index| unit(&samples[*index])).collect()
    };
    let all: Vec<Vec<Sample>> = systems.iter().map(of).collect();
    let blocks = speakers(scored, kept);
    // The lists are of one length by their making.
    resampling.run(&all, blocks.as_deref()).ok()
}

#[cfg(test)]
mod tests {
    use stt_eval_formats::{About, Format, Id, Pair, Pairs};

    use super::*;

    #[test]
    fn samples_of_nobody_are_blocks_and_no_speakers() {
        let of = |named: &[&str]| {
            let pair = |(line, speaker): (u64, &&str)| {
                let about = About {
                    speaker: Some((*speaker).to_owned()),
                    ..About::default()
                };
                Pair::new(Id::Line(line), "a".into(), about)
            };
            let scored = Scored {
                pairs: Pairs {
                    references: Format::Service,
                    hypotheses: Format::Service,
                    systems: Vec::new(),
                    samples: (1..).zip(named).map(pair).collect(),
                    heard: Vec::new(),
                    missing: Vec::new(),
                    remarks: Vec::new(),
                },
                systems: Vec::new(),
            };
            let kept: Vec<usize> = (0..named.len()).collect();
            known_speakers(&scored, &kept)
        };
        assert_eq!(of(&["s1", "\0x", "s1", " s2", "\0y"]), Some(2));
        assert_eq!((of(&["\0x", "\0y"]), of(&["s1", "s1"])), (None, None));
    }
}
