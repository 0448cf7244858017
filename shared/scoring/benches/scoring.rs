//! `cargo bench --bench scoring`: the work of a run, one thread.
//!
//! The comparison with jiwer is `infra/bench/scoring_vs_jiwer.py`; these are for
//! watching our own code change.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::hint::black_box;
use stt_eval_scoring::Scorer;
use stt_eval_scoring::align::{CharAligner, WordAligner};
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::uncertainty::{Resampling, Sample};

const VOCABULARY: [&str; 40] = [
    "the",
    "weather",
    "is",
    "nice",
    "today",
    "please",
    "call",
    "manager",
    "account",
    "balance",
    "मैं",
    "किसान",
    "फसल",
    "बारिश",
    "पानी",
    "अस्पताल",
    "टीका",
    "योजना",
    "बच्चा",
    "कागज़",
    "আমি",
    "ভাত",
    "বাড়ি",
    "হাসপাতাল",
    "টাকা",
    "பள்ளி",
    "தண்ணீர்",
    "மருத்துவர்",
    "நான்",
    "மழை",
    "పొలం",
    "వర్షం",
    "పాఠశాల",
    "ಮಳೆ",
    "ಶಾಲೆ",
    "ಹಣ",
    "വീട്",
    "സ്കൂൾ",
    "പണം",
    "ഞാൻ",
];

type Pair = (String, String);

/// Pairs of `low..=high` words with one word in ten wrong.
fn pairs(count: usize, low: usize, high: usize) -> Vec<Pair> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(42);
    let mut below = move |limit: usize| (random.next_u64() % limit as u64) as usize;
    (0..count)
        .map(|_| {
            let (mut reference, mut hypothesis) = (Vec::new(), Vec::new());
            for _ in 0..low + below(high - low + 1) {
                let word = VOCABULARY[below(VOCABULARY.len())];
                reference.push(word);
                match below(40) {
                    0 => {}
                    1 => hypothesis.extend([word, VOCABULARY[below(VOCABULARY.len())]]),
                    2 | 3 => hypothesis.push(VOCABULARY[below(VOCABULARY.len())]),
                    _ => hypothesis.push(word),
                }
            }
            (reference.join(" "), hypothesis.join(" "))
        })
        .collect()
}

fn align_words(pairs: &[Pair]) -> u64 {
    let mut aligner = WordAligner::new();
    let mut errors = 0;
    for (reference, hypothesis) in pairs {
        aligner.set_reference(reference);
        errors += aligner
            .align(hypothesis)
            .map_or(0, |counts| counts.errors());
        black_box(aligner.runs());
    }
    errors
}

fn align_chars(pairs: &[Pair]) -> u64 {
    let mut aligner = CharAligner::new();
    let mut errors = 0;
    for (reference, hypothesis) in pairs {
        aligner.set_reference(reference);
        errors += aligner
            .align(hypothesis)
            .map_or(0, |counts| counts.errors());
        black_box(aligner.runs());
    }
    errors
}

fn full_scores(pairs: &[Pair], hypotheses_per_reference: usize) -> u64 {
    let mut scorer = Scorer::new(Normaliser::default(), "hi-en");
    let mut errors = 0;
    for (reference, hypothesis) in pairs {
        if scorer.set_reference(reference).is_err() {
            continue;
        }
        for _ in 0..hypotheses_per_reference {
            let score = scorer.score(hypothesis, Some(8.0));
            errors += score.map_or(0, |score| score.words().errors());
        }
    }
    errors
}

fn samples(providers: u64) -> Vec<Vec<Sample>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut provider = |salt: u64| -> Vec<Sample> {
        (0..10_000)
            .map(|i| {
                let reference = 10 + i % 21;
                let errors = random.next_u64() % (2 + salt);
                Sample { errors, reference }
            })
            .collect()
    };
    (0..providers).map(&mut provider).collect()
}

fn alignment(criterion: &mut Criterion) {
    let short = pairs(10_000, 10, 30);
    let long = pairs(10, 10_000, 10_000);
    let mut group = criterion.benchmark_group("align");
    group.sample_size(20);
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("10,000 pairs of words", |b| b.iter(|| align_words(&short)));
    group.bench_function("10,000 pairs of characters", |b| {
        b.iter(|| align_chars(&short))
    });
    group.throughput(Throughput::Elements(10));
    group.bench_function("10 pairs of 10,000 words", |b| {
        b.iter(|| align_words(&long))
    });
    group.finish();
}

fn scores(criterion: &mut Criterion) {
    let short = pairs(1_000, 10, 30);
    let mut group = criterion.benchmark_group("score");
    group.sample_size(20);
    group.bench_function("1,000 references, 1 hypothesis each", |b| {
        b.iter(|| full_scores(&short, 1));
    });
    group.bench_function("1,000 references, 5 hypotheses each", |b| {
        b.iter(|| full_scores(&short, 5));
    });
    group.finish();
}

/// Resampling alone, the permutation test alone, and both. Permutations are
/// 10,000; sixteen models are 120 pairs.
fn uncertainty(criterion: &mut Criterion) {
    let intervals = Resampling {
        permutations: 0,
        ..Resampling::default()
    };
    let test = Resampling {
        replicates: 0,
        ..Resampling::default()
    };
    let mut group = criterion.benchmark_group("10,000 blocks");
    group.sample_size(10);
    for providers in [2, 5, 16] {
        let data = samples(providers);
        for (name, resampling) in [
            ("bootstrap of 1,000", intervals),
            ("permutation test", test),
            ("both", Resampling::default()),
        ] {
            group.bench_function(format!("{providers} models, {name}"), |b| {
                b.iter(|| resampling.run(&data, None));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, alignment, scores, uncertainty);
criterion_main!(benches);
