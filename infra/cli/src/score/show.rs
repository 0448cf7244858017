//! The table of a score, and sentences about pairs.

use stt_eval_formats::{counted, grouped};

use super::compare::Compared;
use super::count::Scored;
use super::figures::{CountsOf, Ends, SystemOf};
use super::silence::{self, shown, shown_interval};
use crate::columns::columns;

/// A rate in per cent.
pub fn percent(rate: f64) -> String {
    format!("{:.1} %", rate * 100.0)
}

/// A rate in per cent, if there is one.
pub fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(|| "–".to_owned(), percent)
}

/// A difference of rates in points; nothing is not less than nothing.
pub fn points(rate: f64) -> String {
    let text = format!("{:.1}", rate * 100.0);
    match text.as_str() {
        "-0.0" => "0.0".to_owned(),
        _ => text,
    }
}

/// Ends of an interval in points.
pub fn interval(ends: Option<Ends>) -> String {
    ends.map_or_else(
        || "–".to_owned(),
        |ends| format!("{} … {}", points(ends.low), points(ends.high)),
    )
}

/// A p-value.
pub fn probability(p: f64) -> String {
    if p < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p {p:.3}")
    }
}

/// The result in words.
pub fn text(
    scored: &Scored,
    systems: &[SystemOf],
    comparisons: &[Compared],
    normaliser: &str,
) -> String {
    let pairs = &scored.pairs;
    let mut out = format!(
        "{} ({}), hypotheses: {}; scored with {normaliser}\n",
        counted(pairs.samples.len(), "reference", "references"),
        pairs.references.title(),
        pairs.hypotheses.title()
    );
    let header = ["system", "WER", "95 %", "CER", "S / D / I", "samples"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for system in systems {
        let words = system.words;
        rows.push(vec![
            system.name.clone(),
            shown(system.wer, system.counted()),
            shown_interval(system.wer_interval, system.counted()),
            shown(system.cer, system.counted()),
            format!(
                "{} / {} / {}",
                words.substitutions, words.deletions, words.insertions
            ),
            grouped(system.samples as u64),
        ]);
    }
    out += &columns(&rows);
    if !pairs.missing.is_empty() {
        out += &format!(
            "{} no hypothesis of some system; each counts as an empty one\n",
            counted(pairs.missing.len(), "reference has", "references have")
        );
    }
    for system in systems.iter().filter(|system| system.failed > 0) {
        let results = counted(system.failed, "result", "results");
        out += &format!(
            "{results} of {}: its service failed; in no figure\n",
            system.name
        );
    }
    out + &of_pairs(
        comparisons,
        systems.iter().map(|one| (&*one.name, one.counted())),
    )
}

/// A sentence for each pair of systems; where no reference has a word, that alone.
pub fn of_pairs<'a>(
    comparisons: &[Compared],
    systems: impl Iterator<Item = (&'a str, Option<CountsOf>)>,
) -> String {
    silence::note(systems).unwrap_or_else(|| {
        let all = comparisons.len();
        let sentences = comparisons.iter().map(|pair| sentence(pair, all) + "\n");
        sentences.collect()
    })
}

/// Which of two is better, and how sure that is, of so many pairs.
fn sentence(pair: &Compared, all: usize) -> String {
    if pair.samples == 0 {
        let (a, b) = (&pair.a, &pair.b);
        return format!("{a} and {b} can't be compared: there is no sample that both have.");
    }
    let (better, worse) = if pair.difference <= 0.0 {
        (&pair.a, &pair.b)
    } else {
        (&pair.b, &pair.a)
    };
    let ends = match (pair.low, pair.high) {
        (Some(low), Some(high)) if pair.difference <= 0.0 => {
            format!("{} … {}; ", points(-high), points(-low))
        }
        (Some(low), Some(high)) => format!("{} … {}; ", points(low), points(high)),
        _ => String::new(),
    };
    let drawn = if pair.by_speaker {
        ", blocks by speaker"
    } else {
        ""
    };
    let facts = format!(
        "{ends}{}; {}{drawn}",
        probability(pair.p_adjusted),
        counted(pair.samples, "sample", "samples")
    );
    let size = points(pair.difference.abs());
    if pair.distinguishable {
        format!("{better} is better than {worse} by {size} points ({facts}).")
    } else {
        // The interval alone would say that they can.
        let leaves_zero_out = pair.low.zip(pair.high).is_some_and(|(a, b)| a * b > 0.0);
        let adjusted = match leaves_zero_out && all > 1 {
            true => {
                format!(" The interval is of this pair alone; p is adjusted for all {all} pairs.")
            }
            false => String::new(),
        };
        format!("{better} and {worse} can't be told apart: {size} points ({facts}).{adjusted}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_p_is_adjusted_for_is_told_where_the_interval_says_otherwise() {
        let pair = |low: f64, p_adjusted: f64| Compared {
            a: "a".to_owned(),
            b: "b".to_owned(),
            difference: -0.031,
            low: Some(low),
            high: Some(-0.004),
            p: 0.025,
            p_adjusted,
            distinguishable: p_adjusted < 0.05,
            samples: 120,
            by_speaker: false,
        };
        let told = |pairs: &[Compared]| of_pairs(pairs, std::iter::empty());
        let plain = "a and b can't be told apart: 3.1 points (0.4 … 5.4; p 0.147; 120 samples).";
        let adjusted = " The interval is of this pair alone; p is adjusted for all 2 pairs.";
        let open = pair(-0.054, 0.147);
        assert_eq!(told(std::slice::from_ref(&open)), format!("{plain}\n"));
        let better = "a is better than b by 3.1 points (0.4 … 5.4; p 0.025; 120 samples).";
        let both = told(&[open, pair(-0.054, 0.025)]);
        assert_eq!(both, format!("{plain}{adjusted}\n{better}\n"));
        // An interval with 0 in it says the same as p.
        let within = Compared {
            high: Some(0.004),
            ..pair(-0.054, 0.147)
        };
        assert!(!told(&[within.clone(), within]).contains("adjusted"));
    }
}
