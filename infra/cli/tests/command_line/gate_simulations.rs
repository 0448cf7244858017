//! How often the gate sees a regression, and how often it fails equal models: by seeded texts of
//! utterances that differ in difficulty, of which two models get most words alike.

use super::{Set, code};

const UTTERANCES: usize = 400;
const WORDS: usize = 9;
/// Mean word error rate of the baseline.
const RATE: f64 = 0.15;
/// Share of the words that both models get alike.
const ALIKE: f64 = 0.6;
const ROUNDS: u64 = 40;

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

/// What a baseline and a model that is worse by `worse` heard.
fn heard(seed: u64, worse: f64) -> (String, String) {
    let mut draw = Draw(seed << 32);
    let (mut before, mut now) = (String::new(), String::new());
    for _ in 0..UTTERANCES {
        let hard = (-RATE * (1.0 - draw.next()).ln()).min(0.9);
        for word in 0..WORDS {
            let alike = draw.next() < ALIKE;
            let (one, other) = (draw.next(), draw.next());
            let end = if word + 1 == WORDS { '\n' } else { ' ' };
            let say = |text: &mut String, is_wrong| {
                text.push(if is_wrong { 'x' } else { 'a' });
                text.push(end);
            };
            say(&mut before, one < hard);
            say(&mut now, (if alike { one } else { other }) < hard + worse);
        }
    }
    (before, now)
}

/// In how many rounds the gate failed.
fn failed(worse: f64) -> u64 {
    let right = ["a"; WORDS].join(" ") + "\n";
    let right = right.repeat(UTTERANCES);
    let round = |seed: u64| {
        let (before, now) = heard(seed, worse);
        let set = Set::new(&[
            ("r.txt", right.as_bytes()),
            ("before.txt", before.as_bytes()),
            ("now.txt", now.as_bytes()),
        ]);
        let condition = "regression>0.01 p<0.05";
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
            condition,
        ]);
        // What is not seen is not passed: these are too few to see one point.
        assert!([100, 101].contains(&code(&told)), "{told:?}");
        u64::from(code(&told) == 100)
    };
    (1..=ROUNDS).map(round).sum()
}

#[test]
fn a_regression_of_three_points_is_found() {
    let found = failed(0.03);
    assert!(found * 100 >= ROUNDS * 80, "{found} of {ROUNDS}");
}

#[test]
fn equal_models_rarely_fail() {
    let failed = failed(0.0);
    // 5 %, and two standard deviations of so many rounds.
    assert!(failed * 100 <= ROUNDS * 12, "{failed} of {ROUNDS}");
}
