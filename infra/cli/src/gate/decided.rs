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

/// What could have been seen with these samples: the smallest regression that four of five such
/// tests find.
fn visible(measured: &Measured) -> Option<String> {
    let visible = measured.smallest_visible.filter(|visible| *visible > 0.0)?;
    Some(format!(
        "with {} a regression under {} points would go unnoticed (80 %)",
        counted(measured.samples, "sample", "samples"),
        points(visible)
    ))
}

/// Whether a condition passes what it can't prove, and could not have proven what it forbids.
fn is_blind(condition: &Condition, measured: &Measured) -> bool {
    let needs_proof = condition.p.is_some() || condition.bound == Bound::Low;
    let visible = measured.smallest_visible.filter(|_| condition.limit > 0.0);
    needs_proof && visible.is_some_and(|visible| visible > condition.limit)
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
    // Of every regression it is told what could have been seen.
    let told = visible(&measured);
    let told = told.map_or_else(String::new, |told| format!("; {told}"));
    let lifted = match lacks {
        None => String::new(),
        Some(reason) if weak => format!("; judged with {reason} (--allow-weak)"),
        Some(reason) => {
            made.message = format!("{facts}: can't be judged with {reason} (--allow-weak){told}");
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
        made.message = format!("{facts}: {}{lifted}{told}", condition.text);
        return made;
    }
    if is_blind(condition, &measured) && !weak {
        made.message = format!(
            "{facts}: can't be judged: {} (--allow-weak)",
            told.trim_start_matches("; ")
        );
        return made;
    }
    made.status = Status::Passed;
    made.message = format!("{facts}; not {}{lifted}{told}", condition.text);
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

    fn measured(value: f64, low: f64, high: f64, samples: usize) -> Measured {
        Measured {
            value,
            low: Some(low),
            high: Some(high),
            before: Some(0.2),
            p: Some(if value > 0.0 { 1e-4 } else { 1.0 - 1e-4 }),
            smallest_visible: Some(0.03),
            samples,
            words: 2_000,
            blocks: samples,
            ..Measured::default()
        }
    }

    /// Whether it passed, failed or could not be judged: of every regression it is told what could
    /// have been seen.
    #[test]
    fn what_could_have_been_seen_is_told_of_every_regression() {
        let better = (-0.055, -0.079, -0.032, 200);
        let same = (-0.01, -0.03, 0.02, 200);
        let worse = (0.05, 0.02, 0.08, 200);
        let few = (0.05, 0.02, 0.08, 20);
        for (condition, (value, low, high, samples), weak, wanted) in [
            ("regression>0.01 p<0.05", better, false, Status::NotJudged),
            ("regression>0.01 p<0.05", same, false, Status::NotJudged),
            ("regression>0.01 p<0.05", same, true, Status::Passed),
            ("regression>0.01 p<0.05", worse, false, Status::Failed),
            ("regression>0.01 p<0.05", few, false, Status::NotJudged),
            ("regression>0.01 p<0.05", few, true, Status::Failed),
            ("regression>0.05 p<0.05", same, false, Status::Passed),
            // No number of samples sees every regression: what it does not see is told.
            ("regression>0 p<0.05", same, false, Status::Passed),
            ("regression.low>0", same, false, Status::Passed),
            ("regression.low>0.01", same, false, Status::NotJudged),
            ("regression.high>0.03", same, false, Status::Passed),
            ("regression>0.01", same, false, Status::Passed),
            ("cer_regression>0.01 p<0.05", same, false, Status::NotJudged),
        ] {
            let asked = Condition::parse(condition).unwrap();
            let found = measured(value, low, high, samples);
            let made = verdict(&asked, "m".to_owned(), Ok(found), weak);
            assert_eq!(made.status, wanted, "{condition}: {}", made.message);
            let told = format!(
                "with {samples} samples a regression under 3.0 points would go unnoticed (80 %)"
            );
            assert!(
                made.message.contains(&told),
                "{condition}: {}",
                made.message
            );
        }
        let known = Measured {
            smallest_visible: Some(0.0),
            ..measured(0.0, 0.0, 0.0, 200)
        };
        let asked = Condition::parse("regression>0.01 p<0.05").unwrap();
        let made = verdict(&asked, "m".to_owned(), Ok(known), false);
        assert_eq!(made.status, Status::Passed);
        assert!(!made.message.contains("unnoticed"), "{}", made.message);
    }
}
