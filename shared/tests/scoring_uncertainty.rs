//! The bootstrap: reproducible, and its intervals cover what they promise.

#![allow(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use stt_eval_shared::scoring::uncertainty::{Bootstrap, BootstrapError, Sample};

/// Uniform in [0, 1).
fn uniform(random: &mut Xoshiro256PlusPlus) -> f64 {
    (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A sample of 5 to 24 words, each wrong with the given probability.
fn sample(random: &mut Xoshiro256PlusPlus, rate: f64) -> Sample {
    let reference = 5 + random.next_u64() % 20;
    let errors = (0..reference).filter(|_| uniform(random) < rate).count() as u64;
    Sample { errors, reference }
}

fn share_covered(trials: u64, samples: usize, by_speaker: bool) -> f64 {
    const TRUTH: f64 = 0.15;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut covered = 0;
    for trial in 0..trials {
        let names: Vec<String> = (0..samples)
            .map(|i| format!("speaker {}", i / 10))
            .collect();
        let mut rate = TRUTH;
        let data: Vec<Sample> = (0..samples)
            .map(|i| {
                if by_speaker && i % 10 == 0 {
                    // Speakers differ a lot; their mean is the truth.
                    rate = TRUTH * 2.0 * uniform(&mut random);
                }
                sample(&mut random, rate)
            })
            .collect();
        let blocks: Vec<&str> = names.iter().map(String::as_str).collect();
        let bootstrap = Bootstrap {
            replicates: 400,
            seed: trial,
        };
        let blocks = by_speaker.then_some(blocks.as_slice());
        let result = bootstrap.run(&[data], blocks).expect("one provider");
        let interval = &result.providers[0];
        covered += u64::from(interval.low <= TRUTH && TRUTH <= interval.high);
    }
    covered as f64 / trials as f64
}

#[test]
fn intervals_cover_the_truth_as_often_as_they_say() {
    let share = share_covered(1000, 120, false);
    assert!((0.93..=0.97).contains(&share), "{share}");
}

#[test]
fn blocks_keep_the_promise_where_speakers_differ() {
    let share = share_covered(600, 600, true);
    assert!((0.925..=0.97).contains(&share), "{share}");
}

#[test]
fn the_seed_decides() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let data: Vec<Vec<Sample>> = (0..3)
        .map(|_| (0..50).map(|_| sample(&mut random, 0.2)).collect())
        .collect();
    let run = |seed| {
        Bootstrap {
            seed,
            ..Bootstrap::default()
        }
        .run(&data, None)
        .expect("even")
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
    assert_eq!(run(5).pairs.len(), 3);
}

/// A common difficulty per sample, and a provider that is worse by some rate.
fn two_providers(samples: usize, extra: f64) -> [Vec<Sample>; 2] {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(11);
    let mut second = Vec::new();
    let first = (0..samples)
        .map(|_| {
            let rate = uniform(&mut random) * 0.6;
            let one = sample(&mut random, rate);
            let right = one.reference - one.errors;
            let more = (0..right).filter(|_| uniform(&mut random) < extra).count() as u64;
            second.push(Sample {
                errors: one.errors + more,
                ..one
            });
            one
        })
        .collect();
    [first, second]
}

#[test]
fn pairing_sees_what_intervals_alone_do_not() {
    let result = Bootstrap::default()
        .run(&two_providers(300, 0.02), None)
        .expect("even");
    let [a, b] = [&result.providers[0], &result.providers[1]];
    assert!(a.high > b.low, "the intervals overlap");
    let pair = &result.pairs[0];
    assert!(pair.distinguishable && pair.difference < 0.0 && pair.high < 0.0);
    assert!(pair.p_value < 0.01 && pair.probability_a_better > 0.99);
    assert_eq!((a.group, b.group), (1, 2));
    assert_eq!(
        (a.rank_best, a.rank_worst, b.rank_best, b.rank_worst),
        (1, 1, 2, 2)
    );
    assert_eq!(pair.more_samples, None);
}

#[test]
fn equal_providers_share_a_rank() {
    let [one, _] = two_providers(100, 0.0);
    let result = Bootstrap::default()
        .run(&[one.clone(), one], None)
        .expect("even");
    let pair = &result.pairs[0];
    assert!(!pair.distinguishable);
    assert_eq!(
        (pair.p_value, pair.probability_a_better, pair.more_samples),
        (1.0, 0.5, None)
    );
    for provider in &result.providers {
        assert_eq!(
            (provider.group, provider.rank_best, provider.rank_worst),
            (1, 1, 2)
        );
    }
}

#[test]
fn the_hint_tells_how_many_samples_separate() {
    // Independent errors and a small true difference: 60 samples cannot tell.
    let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
    let mut data = |rate: f64, count: usize| {
        (0..count)
            .map(|_| sample(&mut random, rate))
            .collect::<Vec<_>>()
    };
    let small = [data(0.18, 60), data(0.2, 60)];
    let result = Bootstrap::default().run(&small, None).expect("even");
    let pair = &result.pairs[0];
    assert!(!pair.distinguishable, "{pair:?}");
    let more = pair.more_samples.expect("a hint") as usize;
    assert!(more > 60, "{more}");
    let large = [data(0.18, 8000), data(0.2, 8000)];
    assert!(Bootstrap::default().run(&large, None).expect("even").pairs[0].distinguishable);
}

#[test]
fn few_blocks_tell_nothing() {
    let good = vec![
        Sample {
            errors: 0,
            reference: 10
        };
        40
    ];
    let bad = vec![
        Sample {
            errors: 9,
            reference: 10
        };
        40
    ];
    let speakers: Vec<&str> = (0..40)
        .map(|i| if i < 20 { "one" } else { "two" })
        .collect();
    let result = Bootstrap::default()
        .run(&[&good, &bad], Some(&speakers))
        .expect("even");
    assert_eq!(result.blocks, 2);
    assert!(!result.pairs[0].distinguishable);
    assert_eq!(result.pairs[0].p_value, 1.0);
    assert!(
        Bootstrap::default()
            .run(&[good, bad], None)
            .expect("even")
            .pairs[0]
            .distinguishable
    );
}

#[test]
fn many_providers_and_none() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(9);
    let data: Vec<Vec<Sample>> = (1..=11)
        .map(|p| {
            (0..200)
                .map(|_| sample(&mut random, 0.03 * f64::from(p)))
                .collect()
        })
        .collect();
    let result = Bootstrap::default().run(&data, None).expect("even");
    assert_eq!((result.providers.len(), result.pairs.len()), (11, 55));
    assert!(
        result
            .providers
            .windows(2)
            .all(|pair| pair[0].group <= pair[1].group)
    );
    // The same figures whether resampled alone or with others.
    let two = Bootstrap::default().run(&data[..2], None).expect("even");
    assert_eq!(two.providers[0].low, result.providers[0].low);
    let none = Bootstrap::default()
        .run::<Vec<Sample>>(&[], None)
        .expect("nothing to compare");
    assert!(none.providers.is_empty());
    let empty = Bootstrap::default()
        .run(&[Vec::<Sample>::new()], None)
        .expect("even");
    assert_eq!(empty.providers[0].rate, 0.0);
}

#[test]
fn uneven_lists_are_refused() {
    let one = vec![Sample::default(); 3];
    let error = Bootstrap::default().run(&[one.clone(), one[..2].to_vec()], None);
    assert_eq!(
        error,
        Err(BootstrapError::Uneven {
            expected: 3,
            got: 2
        })
    );
    assert!(Bootstrap::default().run(&[one], Some(&["a"])).is_err());
}
