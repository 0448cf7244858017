//! Intervals and comparisons: reproducible, and careful where little is known.
//! What they promise is held in `scoring_simulations.rs`.

#![allow(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use stt_eval_scoring::uncertainty::{Interval, Resampling, ResamplingError, Sample};

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
        let resampling = Resampling {
            replicates: 400,
            permutations: 0,
            seed: trial,
        };
        let blocks = by_speaker.then_some(blocks.as_slice());
        let result = resampling.run(&[data], blocks).expect("one provider");
        let interval = result.providers[0].interval.expect("blocks vary");
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
        Resampling {
            seed,
            ..Resampling::default()
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
    let result = Resampling::default()
        .run(&two_providers(300, 0.02), None)
        .expect("even");
    let [a, b] = [&result.providers[0], &result.providers[1]];
    let ends = |of: Option<Interval>| of.expect("blocks vary");
    assert!(
        ends(a.interval).high > ends(b.interval).low,
        "the intervals overlap"
    );
    let pair = &result.pairs[0];
    assert!(pair.distinguishable && pair.difference < 0.0 && ends(pair.interval).high < 0.0);
    assert!(pair.p_value < 0.01 && pair.probability_a_better > Some(0.99));
    assert_eq!(pair.p_adjusted, pair.p_value, "one pair needs no adjusting");
    assert_eq!((a.group, b.group), (1, 2));
    assert_eq!(
        (a.rank_best, a.rank_worst, b.rank_best, b.rank_worst),
        (1, 1, 2, 2)
    );
    assert_eq!(pair.more_blocks, None);
}

#[test]
fn equal_providers_share_a_rank() {
    let [one, _] = two_providers(100, 0.0);
    let result = Resampling::default()
        .run(&[one.clone(), one], None)
        .expect("even");
    let pair = &result.pairs[0];
    assert!(!pair.distinguishable);
    assert_eq!(
        (pair.p_value, pair.probability_a_better, pair.more_blocks),
        (1.0, Some(0.5), None)
    );
    for provider in &result.providers {
        assert_eq!(
            (provider.group, provider.rank_best, provider.rank_worst),
            (1, 1, 2)
        );
    }
}

#[test]
fn the_hint_tells_how_many_blocks_separate() {
    // Independent errors and a small true difference: 60 samples cannot tell.
    let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
    let mut data = |rate: f64, count: usize| {
        (0..count)
            .map(|_| sample(&mut random, rate))
            .collect::<Vec<_>>()
    };
    let small = [data(0.18, 60), data(0.2, 60)];
    let result = Resampling::default().run(&small, None).expect("even");
    let pair = &result.pairs[0];
    assert!(!pair.distinguishable, "{pair:?}");
    let more = pair.more_blocks.expect("a hint");
    assert!(more > 60, "{more}");
    let large = [data(0.18, 8000), data(0.2, 8000)];
    assert!(Resampling::default().run(&large, None).expect("even").pairs[0].distinguishable);

    // The same samples in blocks of three: what is missing is counted in these.
    let speakers: Vec<String> = (0..60).map(|i| (i / 3).to_string()).collect();
    let speakers: Vec<&str> = speakers.iter().map(String::as_str).collect();
    let blocks = Resampling::default().run(&small, Some(&speakers));
    let blocks = blocks.expect("even").pairs[0].more_blocks.expect("a hint");
    assert!(blocks < more, "{blocks} blocks, {more} samples");

    // Among more models, more is asked for.
    let others = [small.to_vec(), small.to_vec()].concat();
    let many = Resampling::default().run(&others, None).expect("even");
    assert!(many.pairs[0].more_blocks > Some(more));

    // From nine nothing can be guessed.
    let nine: Vec<&[Sample]> = small.iter().map(|model| &model[..9]).collect();
    let nine = Resampling::default().run(&nine, None).expect("even");
    assert_eq!(nine.pairs[0].more_blocks, None);
    assert!(!nine.is_reliable());
}

fn always(errors: u64) -> Vec<Sample> {
    let sample = Sample {
        errors,
        reference: 10,
    };
    vec![sample; 40]
}

#[test]
fn one_block_has_no_interval() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(2);
    let data: Vec<Vec<Sample>> = [0.1, 0.5]
        .map(|rate| (0..40).map(|_| sample(&mut random, rate)).collect())
        .into();
    let result = Resampling::default()
        .run(&data, Some(&["one speaker"; 40]))
        .expect("even");
    assert_eq!(result.blocks, 1);
    assert!(result.providers.iter().all(|p| p.interval.is_none()));
    let pair = &result.pairs[0];
    assert_eq!(
        (pair.interval, pair.probability_a_better, pair.more_blocks),
        (None, None, None)
    );
    assert_eq!((pair.p_value, pair.distinguishable), (1.0, false));
}

#[test]
fn blocks_that_never_vary_have_no_interval_of_width_zero() {
    let result = Resampling::default()
        .run(&[always(0), always(9), always(9)], None)
        .expect("even");
    assert!(result.providers.iter().all(|p| p.interval.is_none()));
    assert!(result.pairs.iter().all(|pair| pair.interval.is_none()));
    // And yet, forty of forty are no chance.
    assert!(result.pairs[0].distinguishable && !result.pairs[2].distinguishable);
    let groups: Vec<usize> = result.providers.iter().map(|p| p.group).collect();
    assert_eq!(groups, [1, 2, 2]);
}

#[test]
fn what_nothing_is_said_on_has_no_rate_and_makes_none() {
    let silent = Sample {
        errors: 2,
        reference: 0,
    };
    let spoken = |errors| Sample {
        errors,
        reference: 4,
    };
    let none = Sample::default();
    let result = Resampling::default()
        .run(&[vec![silent; 40], vec![none; 40]], None)
        .expect("even");
    assert!(result.providers.iter().all(|p| p.interval.is_none()));
    let pair = &result.pairs[0];
    assert_eq!((pair.interval, pair.probability_a_better), (None, None));
    // Errors on silence lift the rate of what is said: few resamples have nothing that is.
    let with = |one, other| [vec![one; 5], vec![spoken(other), spoken(1), spoken(0)]].concat();
    let result = Resampling::default()
        .run(&[with(silent, 2), with(none, 1)], None)
        .expect("even");
    let of = |provider: usize| result.providers[provider].interval.expect("varies");
    assert!(of(0).high > 1.0 && of(0).high < 14.0, "{:?}", of(0));
    assert!(of(1).high <= 0.25, "{:?}", of(1));
    let difference = result.pairs[0].interval.expect("varies");
    assert!(difference.high < 5.0, "{difference:?}");
}

#[test]
fn few_blocks_tell_nothing() {
    let (good, bad) = (always(0), always(9));
    let speakers: Vec<&str> = (0..40)
        .map(|i| if i < 20 { "one" } else { "two" })
        .collect();
    let result = Resampling::default()
        .run(&[&good, &bad], Some(&speakers))
        .expect("even");
    assert_eq!(result.blocks, 2);
    assert!(!result.pairs[0].distinguishable);
    assert_eq!(result.pairs[0].p_value, 0.5);
    assert!(
        Resampling::default()
            .run(&[good, bad], None)
            .expect("even")
            .pairs[0]
            .distinguishable
    );
}

#[test]
fn p_values_are_adjusted_for_all_pairs_shown() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(21);
    let data: Vec<Vec<Sample>> = [0.1, 0.13, 0.2]
        .map(|rate| (0..80).map(|_| sample(&mut random, rate)).collect())
        .into();
    let three = Resampling::default().run(&data, None).expect("even");
    let two = Resampling::default().run(&data[..2], None).expect("even");
    let (alone, among) = (&two.pairs[0], &three.pairs[0]);
    assert_eq!(alone.p_value, among.p_value);
    assert_eq!(alone.p_adjusted, alone.p_value);
    let surest = three.pairs.iter().map(|pair| pair.p_value);
    let surest = surest.fold(1.0, f64::min);
    for pair in &three.pairs {
        assert!(pair.p_adjusted >= pair.p_value && pair.p_adjusted >= 3.0 * surest);
        assert!(pair.p_adjusted <= 3.0 * pair.p_value);
    }
    for pair in &three.pairs {
        assert_eq!(pair.distinguishable, pair.p_adjusted < 0.05, "{pair:?}");
    }
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
    let result = Resampling::default().run(&data, None).expect("even");
    assert_eq!((result.providers.len(), result.pairs.len()), (11, 55));
    assert!(
        result
            .providers
            .windows(2)
            .all(|pair| pair[0].group <= pair[1].group)
    );
    // The same figures whether resampled alone or with others.
    let two = Resampling::default().run(&data[..2], None).expect("even");
    assert_eq!(two.providers[0].interval, result.providers[0].interval);
    assert_eq!(two.pairs[0].p_value, result.pairs[0].p_value);
    let none = Resampling::default()
        .run::<Vec<Sample>>(&[], None)
        .expect("nothing to compare");
    assert!(none.providers.is_empty());
    let empty = Resampling::default()
        .run(&[Vec::<Sample>::new()], None)
        .expect("even");
    assert_eq!(empty.providers[0].rate, 0.0);
}

/// Few blocks that hold most errors do not stretch an interval without bounds, and it still
/// holds what so few may stand for.
#[test]
fn rare_errors_have_intervals_that_can_be_believed() {
    let clips = |bad: &[u64]| -> Vec<Sample> {
        let errors = |at: usize| bad.get(at).copied().unwrap_or_default();
        let clip = |at| Sample {
            errors: errors(at),
            reference: 8,
        };
        (0..200).map(clip).collect()
    };
    // Exact upper limits of 1, 2 and 3 events are 5.57, 7.22 and 8.77.
    for (bad, size, exact) in [
        (&[8, 8][..], 8.0, 7.22),
        (&[1, 1, 1], 1.0, 8.77),
        (&[792], 792.0, 5.57),
    ] {
        let data = [clips(bad)];
        for replicates in [1_000, 10_000] {
            let resampling = Resampling {
                replicates,
                ..Resampling::default()
            };
            let result = resampling.run(&data, None).expect("even");
            let interval = result.providers[0].interval.expect("varies");
            let events = interval.high * 1_600.0 / size;
            let believed = exact * 0.8..exact * 1.5;
            assert!(believed.contains(&events), "{bad:?}: {events} {interval:?}");
            assert!(interval.low < result.providers[0].rate);
        }
    }
    // What nothing is said on lifts rates; an end is a rate that a resample has.
    let of = |errors, reference| Sample { errors, reference };
    let data = [vec![of(1, 2), of(1, 0), of(1, 2)]];
    let result = Resampling::default().run(&data, None).expect("even");
    let interval = result.providers[0].interval.expect("varies");
    assert!(interval.high <= 3.0 / 2.0, "{interval:?}");
}

#[test]
fn uneven_lists_are_refused() {
    let one = vec![Sample::default(); 3];
    let error = Resampling::default().run(&[one.clone(), one[..2].to_vec()], None);
    assert_eq!(
        error,
        Err(ResamplingError::Uneven {
            expected: 3,
            got: 2
        })
    );
    assert!(Resampling::default().run(&[one], Some(&["a"])).is_err());
}
