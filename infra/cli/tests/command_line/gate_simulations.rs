//! How often the gate sees a regression, and how often it fails equal models: by seeded texts of
//! utterances that differ in difficulty, of which two models get most words alike.
//!
//! A few rounds are of the whole command. Many are of the test that it decides by: a share of
//! 5 % can be told from one of 10 % by hundreds of rounds, and not by forty.

use stt_eval_scoring::uncertainty::{Resampling, Sample};

use super::{Set, code};

const UTTERANCES: usize = 400;
const WORDS: usize = 9;
/// Mean word error rate of the baseline.
const RATE: f64 = 0.15;
/// Share of the words that both models get alike.
const ALIKE: f64 = 0.6;
/// Rounds of the whole command.
const WHOLE: u64 = 20;
/// Rounds of the test alone.
const ROUNDS: u64 = 1_000;
/// Level of the condition.
const LEVEL: f64 = 0.05;

/// Numbers from 0 to 1 (`SplitMix64`).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Which words a baseline, and a model that is worse by `worse`, heard wrongly: for each
/// utterance and each of its words.
fn heard(seed: u64, worse: f64) -> Vec<[[bool; 2]; WORDS]> {
    let mut draw = Draw(seed << 32);
    let utterance = |_| {
        let hard = (-RATE * (1.0 - draw.next()).ln()).min(0.9);
        std::array::from_fn(|_| {
            let alike = draw.next() < ALIKE;
            let (one, other) = (draw.next(), draw.next());
            let now = if alike { one } else { other };
            [one < hard, now < hard + worse]
        })
    };
    (0..UTTERANCES).map(utterance).collect()
}

/// What one of both wrote.
fn text(heard: &[[[bool; 2]; WORDS]], which: usize) -> String {
    let line = |words: &[[bool; 2]; WORDS]| {
        let words = words.map(|wrong| if wrong[which] { "x" } else { "a" });
        words.join(" ") + "\n"
    };
    heard.iter().map(line).collect()
}

/// Whether the whole command fails on a regression above `limit`.
fn fails(seed: u64, worse: f64, limit: f64) -> bool {
    let right = ["a"; WORDS].join(" ") + "\n";
    let heard = heard(seed, worse);
    let set = Set::new(&[
        ("r.txt", right.repeat(UTTERANCES).as_bytes()),
        ("before.txt", text(&heard, 0).as_bytes()),
        ("now.txt", text(&heard, 1).as_bytes()),
    ]);
    let told = set.run(&[
        "score",
        "r.txt",
        "now.txt",
        "--no-intervals",
        "--normalizer",
        "raw-v1",
        "--baseline",
        "before.txt",
        "--fail-if",
        &format!("regression>{limit} p<{LEVEL}"),
    ]);
    // What is not seen is not passed: these are too few to see one point.
    let other = if limit > 0.0 { 101 } else { 0 };
    assert!([100, other].contains(&code(&told)), "{told:?}");
    code(&told) == 100
}

/// The same by the test that the command decides by; for each of `limits`.
fn are_found<const N: usize>(seed: u64, worse: f64, limits: [f64; N]) -> [bool; N] {
    let heard = heard(seed, worse);
    let of = |which: usize| -> Vec<Sample> {
        let errors = heard.iter().map(|words| {
            let wrong = words.iter().filter(|wrong| wrong[which]);
            wrong.count() as u64
        });
        let sample = |errors| Sample {
            errors,
            reference: WORDS as u64,
        };
        errors.map(sample).collect()
    };
    let test = Resampling {
        // Intervals decide nothing here.
        replicates: 0,
        ..Resampling::default()
    };
    let compared = test.run(&[of(1), of(0)], None).unwrap();
    let pair = &compared.pairs[0];
    // Half of a two-sided test is the one-sided one, on the side where it lies.
    let is_sure = pair.difference > 0.0 && pair.p_value / 2.0 < LEVEL;
    limits.map(|limit| is_sure && pair.difference > limit)
}

/// How many of the rounds are found, for each of `limits`; the rounds are parted among the
/// processors.
fn found<const N: usize>(worse: f64, limits: [f64; N]) -> [u64; N] {
    const PARTS: u64 = 4;
    let part = |part: u64| {
        let mut counts = [0; N];
        for seed in (1..=ROUNDS).filter(|seed| seed % PARTS == part) {
            for (count, is) in counts.iter_mut().zip(are_found(seed, worse, limits)) {
                *count += u64::from(is);
            }
        }
        counts
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..PARTS)
            .map(|one| scope.spawn(move || part(one)))
            .collect();
        let mut all = [0; N];
        for one in parts {
            for (all, count) in all.iter_mut().zip(one.join().unwrap()) {
                *all += count;
            }
        }
        all
    })
}

#[test]
fn the_command_decides_by_the_test() {
    for (worse, limit) in [(0.03, 0.01), (0.0, 0.0)] {
        for seed in 1..=WHOLE {
            let [wanted] = are_found(seed, worse, [limit]);
            assert_eq!(fails(seed, worse, limit), wanted, "{seed}: {worse}");
        }
    }
}

#[test]
fn a_regression_of_three_points_is_found() {
    let [found] = found(0.03, [0.01]);
    assert!(found * 100 >= ROUNDS * 80, "{found} of {ROUNDS}");
}

#[test]
fn equal_models_rarely_fail() {
    let [of_any, of_a_point] = found(0.0, [0.0, 0.01]);
    // A condition that allows a point fails less often than its level.
    assert!(of_a_point * 20 <= ROUNDS, "{of_a_point} of {ROUNDS}");
    // One that allows nothing fails as often as its level: 5 %, and two standard deviations of
    // so many rounds (1.4 % of 1,000), for the count is itself a draw.
    let noise = 2.0 * (LEVEL * (1.0 - LEVEL) / ROUNDS as f64).sqrt();
    let share = of_any as f64 / ROUNDS as f64;
    assert!(share <= LEVEL + noise, "{of_any} of {ROUNDS}");
    // Far below it the test would be one that never fails.
    assert!(share >= LEVEL / 2.0, "{of_any} of {ROUNDS}");
}
