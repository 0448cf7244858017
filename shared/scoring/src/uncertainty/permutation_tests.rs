//! The test against its definition, worked out the slow way.

use super::*;
use proptest::prelude::*;

fn blocks(pairs: &[(u64, u64)]) -> [Vec<Sample>; 2] {
    let of = |errors: u64| Sample {
        errors,
        reference: 20,
    };
    [
        pairs.iter().map(|(a, _)| of(*a)).collect(),
        pairs.iter().map(|(_, b)| of(*b)).collect(),
    ]
}

fn p(pairs: &[(u64, u64)], draws: usize) -> f64 {
    p_values(&blocks(pairs), &[(0, 1)], draws, 1)[0]
}

/// Pooled rates, as exact fractions: errors and reference tokens.
fn apart(a: &[Sample], b: &[Sample]) -> (i128, i128) {
    let sum = |s: &[Sample]| {
        s.iter().fold((0, 0), |(e, r), s| {
            (e + i128::from(s.errors), r + i128::from(s.reference))
        })
    };
    let ((ea, ra), (eb, rb)) = (sum(a), sum(b));
    (ea * rb - eb * ra, ra * rb)
}

/// Every way of swapping, both rates anew each time.
fn by_definition(a: &[Sample], b: &[Sample]) -> f64 {
    let observed = apart(a, b).0.abs();
    let ways = 1usize << a.len();
    let extreme = (0..ways).filter(|way| {
        let swapped = |i: usize| way >> i & 1 == 1;
        let pick = |x: &[Sample], y: &[Sample]| -> Vec<Sample> {
            (0..x.len())
                .map(|i| if swapped(i) { y[i] } else { x[i] })
                .collect()
        };
        apart(&pick(a, b), &pick(b, a)).0.abs() >= observed
    });
    extreme.count() as f64 / ways as f64
}

#[test]
fn few_blocks_cannot_be_surer_than_their_number_of_ways() {
    for (count, least) in [(1, 1.0), (2, 0.5), (5, 0.0625), (6, 0.03125)] {
        let best: Vec<(u64, u64)> = (0..count).map(|i| (0, 10 + i)).collect();
        assert_eq!(p(&best, 10_000), least, "{count} blocks");
    }
    assert_eq!(p(&[], 10_000), 1.0);
    assert_eq!(p(&[(3, 3); 50], 10_000), 1.0, "no block differs");
}

#[test]
fn without_a_word_nothing_differs() {
    let of = |errors| Sample {
        errors,
        reference: 0,
    };
    let blocks = [vec![of(5), of(4)], vec![of(0), of(0)]];
    assert_eq!(p_values(&blocks, &[(0, 1)], 10_000, 1), [1.0]);
}

#[test]
fn p_is_never_zero() {
    assert_eq!(p(&[(0, 5); 40], 10_000), 1.0 / 10_001.0);
    assert_eq!(p(&[(0, 5); 40], 0), 1.0);
}

#[test]
fn draws_come_near_to_all_ways() {
    // Equal terms in plenty, terms of their own, and blocks that do not differ.
    let mut pairs = vec![(4, 3); 9];
    pairs.extend([
        (2, 3),
        (0, 9),
        (7, 0),
        (5, 5),
        (12, 1),
        (3, 0),
        (0, 2),
        (6, 2),
    ]);
    let [a, b] = blocks(&pairs);
    let exact = by_definition(&a, &b);
    let drawn = p(&pairs, 200_000);
    assert!((drawn - exact).abs() < 0.004, "{drawn} for {exact}");
}

#[test]
fn a_pair_has_the_same_p_alone_and_among_others() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(5);
    let mut one = || -> Vec<Sample> {
        let errors = (0..90).map(|_| random.next_u64() % 12);
        errors
            .map(|errors| Sample {
                errors,
                reference: 20,
            })
            .collect()
    };
    let all = vec![one(), one(), one()];
    let together = p_values(&all, &[(0, 1), (0, 2), (1, 2)], 10_000, 9);
    assert_eq!(p_values(&all[1..], &[(0, 1)], 10_000, 9), together[2..]);
    assert_ne!(p_values(&all[1..], &[(0, 1)], 10_000, 8), together[2..]);
}

#[test]
fn sizes_beyond_anything_real_are_taken() {
    let huge = |errors: u64| Sample {
        errors,
        reference: u64::MAX / 4,
    };
    let a: Vec<Sample> = (0..20).map(|i| huge(u64::MAX / 2 - i)).collect();
    let b: Vec<Sample> = (0..20)
        .map(|i| Sample {
            errors: i,
            reference: 1 + i,
        })
        .collect();
    let found = p_values(&[a, b], &[(0, 1)], 1_000, 1)[0];
    assert!(found > 0.0 && found <= 1.0, "{found}");
}

fn sample() -> impl Strategy<Value = Sample> {
    (0u64..9, 0u64..12).prop_map(|(errors, reference)| Sample { errors, reference })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Also where references differ between the two, as with variants.
    #[test]
    fn up_to_twelve_blocks_it_is_the_definition(both in prop::collection::vec((sample(), sample()), 0..9)) {
        let (a, b): (Vec<Sample>, Vec<Sample>) = both.into_iter().unzip();
        let wanted = by_definition(&a, &b);
        let found = p_values(&[a, b], &[(0, 1)], 10, 1)[0];
        prop_assert!((found - wanted).abs() < 1e-12, "{} for {}", found, wanted);
    }

    /// What a draw swaps, counted and looked up, is what its bits say.
    #[test]
    fn a_draw_swaps_what_its_bits_say(sizes in prop::collection::vec(1i64..6, 13..300), seed: u64) {
        let pair = Pair::new(&sizes);
        let mut draws = Draws::new(sizes.len());
        draws.renew(&mut Xoshiro256PlusPlus::seed_from_u64(seed), 3);
        let counted = pair.counted.last().map_or(0, |(_, end)| *end);
        let wanted = draws.each().filter(|(bits, _)| {
            let swapped: u64 = (0..sizes.len()).filter_map(|i| {
                // Where the tables begin, a new byte does.
                let bit = if i < counted { i } else { pair.first_byte * 8 + i - counted };
                (bits[bit / 64] >> (bit % 64) & 1 == 1).then(|| pair.sizes[i])
            }).sum();
            pair.is_extreme(swapped)
        }).count();
        prop_assert_eq!(pair.extreme(&draws), wanted);
    }
}
