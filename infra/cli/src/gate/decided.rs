//! From a figure to a verdict.

use stt_eval_formats::counted;
use stt_eval_scoring::uncertainty::RELIABLE_BLOCKS;

use super::condition::{Bound, Condition};
use super::judge::Found;
use super::measured::{Measured, facts};
use super::verdict::{Status, Verdict};
use crate::score::points;

/// Fewest utterances from which on intervals and regressions are judged.
const LEAST_SAMPLES: usize = 100;
/// Fewest words of references.
const LEAST_WORDS: u64 = 1_000;

/// Why too little is there to judge; `None` if enough is.
fn too_little(measured: &Measured) -> Option<String> {
    if measured.samples < LEAST_SAMPLES {
        return Some(format!(
            "{}; {LEAST_SAMPLES} are needed",
            counted(measured.samples, "utterance", "utterances")
        ));
    }
    if measured.words < LEAST_WORDS {
        return Some(format!(
            "{} of references; {LEAST_WORDS} are needed",
            counted(
                usize::try_from(measured.words).unwrap_or(usize::MAX),
                "word",
                "words"
            )
        ));
    }
    // Samples of nobody may all be of one speaker.
    let speakers = measured.speakers.unwrap_or(measured.blocks);
    if speakers < RELIABLE_BLOCKS {
        return Some(format!(
            "{}; {RELIABLE_BLOCKS} are needed",
            counted(speakers, "speaker", "speakers")
        ));
    }
    None
}

/// What becomes of a condition with these figures.
pub fn verdict(condition: &Condition, model: String, found: Found, weak: bool) -> Verdict {
    let mut made = Verdict::open(condition, model);
    let place = match &made.group {
        Some(group) => format!("{}, {group}: ", made.model),
        None => format!("{}: ", made.model),
    };
    let measured = match found {
        Ok(measured) => measured,
        Err(reason) => {
            made.message = format!("{place}{} can't be judged: {reason}", condition.text);
            return made;
        }
    };
    made.value = Some(measured.value);
    made.low = measured.low;
    made.high = measured.high;
    made.p = measured.p.filter(|_| condition.is_regression());
    made.smallest_visible = measured.smallest_visible;
    let facts = format!("{place}{}", facts(condition, &measured));
    let lacks = match condition.is_careful() {
        true => too_little(&measured),
        false => None,
    };
    let lifted = match lacks {
        None => String::new(),
        Some(reason) if weak => format!("; judged with {reason} (--allow-weak)"),
        Some(reason) => {
            made.message = format!("{facts}: can't be judged with {reason} (--allow-weak)");
            return made;
        }
    };
    let figure = match condition.bound {
        Bound::Point => Some(measured.value),
        Bound::Low => measured.low,
        Bound::High => measured.high,
    };
    let Some(figure) = figure else {
        made.message = format!("{facts}: there is no interval");
        return made;
    };
    let level = condition.p.zip(measured.p);
    let sure = level.is_none_or(|(level, p)| p < level);
    if condition.is_true_of(figure) && sure {
        made.status = Status::Failed;
        made.message = format!("{facts}: {}{lifted}", condition.text);
        return made;
    }
    let unseen = measured.smallest_visible.filter(|visible| {
        // What the whole interval lies below can't have gone unnoticed.
        let may_be = measured.high.is_none_or(|high| condition.is_true_of(high));
        condition.p.is_some() && condition.limit > 0.0 && *visible > condition.limit && may_be
    });
    if let Some(visible) = unseen {
        let told = format!(
            "with {} a regression under {} points would go unnoticed",
            counted(measured.samples, "sample", "samples"),
            points(visible)
        );
        if !weak {
            made.message = format!("{facts}: {told} (--allow-weak)");
            return made;
        }
        made.status = Status::Passed;
        made.message = format!("{facts}; {told}{lifted}");
        return made;
    }
    made.status = Status::Passed;
    made.message = format!("{facts}; not {}{lifted}", condition.text);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_nobody_may_be_of_one_speaker() {
        let lacks = |speakers| {
            let measured = Measured {
                samples: 400,
                words: 4_000,
                blocks: 390,
                speakers,
                ..Measured::default()
            };
            too_little(&measured)
        };
        assert_eq!(lacks(Some(9)).unwrap(), "9 speakers; 10 are needed");
        assert_eq!((lacks(Some(10)), lacks(None)), (None, None));
    }

    /// One that got better by more than chance can't have got worse unseen.
    #[test]
    fn a_regression_that_the_interval_excludes_is_none() {
        let condition = Condition::parse("regression>0.01 p<0.05").unwrap();
        let decided = |value: f64, low: f64, high: f64| {
            let measured = Measured {
                value,
                low: Some(low),
                high: Some(high),
                p: Some(1.0 - 1e-4),
                smallest_visible: Some(0.03),
                samples: 200,
                words: 2_000,
                blocks: 200,
                ..Measured::default()
            };
            verdict(&condition, "m".to_owned(), Ok(measured), false).status
        };
        assert_eq!(decided(-0.055, -0.079, -0.032), Status::Passed);
        assert_eq!(decided(-0.01, -0.03, 0.02), Status::NotJudged);
    }
}
