//! Times one piece of scoring work at a time, driven by
//! `infra/bench/scoring_vs_jiwer.py`, which runs jiwer in between.
//!
//! `scoring_bench <pairs.tsv> <long.tsv>`, each line a reference, a tab and a
//! hypothesis. Then, per line on standard input, the name of a task; answers a
//! line `<seconds> <errors>`.

use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Instant;
use stt_eval_scoring::Scorer;
use stt_eval_scoring::align::{CharAligner, WordAligner};
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::uncertainty::{Resampling, Sample};

type Pair = (String, String);

fn read(path: &str) -> Result<Vec<Pair>, Box<dyn Error>> {
    std::fs::read_to_string(path)?
        .lines()
        .map(|line| {
            let (reference, hypothesis) = line.split_once('\t').ok_or("no tab in a line")?;
            Ok((reference.to_owned(), hypothesis.to_owned()))
        })
        .collect()
}

/// Counts and alignment of words, text in.
fn words(pairs: &[Pair]) -> Result<u64, Box<dyn Error>> {
    let mut aligner = WordAligner::new();
    let mut errors = 0;
    for (reference, hypothesis) in pairs {
        aligner.set_reference(reference);
        errors += aligner.align(hypothesis)?.errors();
        std::hint::black_box(aligner.runs());
    }
    Ok(errors)
}

/// Counts and alignment of code points, text in.
fn chars(pairs: &[Pair]) -> Result<u64, Box<dyn Error>> {
    let mut aligner = CharAligner::new();
    let mut errors = 0;
    for (reference, hypothesis) in pairs {
        aligner.set_reference(reference);
        errors += aligner.align(hypothesis)?.errors();
        std::hint::black_box(aligner.runs());
    }
    Ok(errors)
}

/// Everything a stored score holds: normalisation, words, characters, grapheme
/// clusters, raw figures, flags.
fn full(pairs: &[Pair]) -> Result<u64, Box<dyn Error>> {
    let mut scorer = Scorer::new(Normaliser::default(), "hi-en");
    let mut errors = 0;
    for (reference, hypothesis) in pairs {
        scorer.set_reference(reference)?;
        errors += scorer.score(hypothesis, Some(8.0))?.words().errors();
    }
    Ok(errors)
}

/// 1,000 replicates and 10,000 permutations over 10,000 samples of two providers.
fn bootstrap() -> Result<u64, Box<dyn Error>> {
    let providers = [0, 5].map(|salt| {
        let samples = (0..10_000u64).map(|i| {
            let reference = 10 + i % 21;
            Sample {
                errors: (i * 7919 + salt) % 11 * reference / 60,
                reference,
            }
        });
        samples.collect::<Vec<_>>()
    });
    let result = Resampling::default().run(&providers, None)?;
    Ok(result.pairs.len() as u64)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(pairs), Some(long)) = (arguments.next(), arguments.next()) else {
        return Err("usage: scoring_bench <pairs.tsv> <long.tsv>".into());
    };
    let (pairs, long) = (read(&pairs)?, read(&long)?);
    let mut out = std::io::stdout();
    for task in std::io::stdin().lock().lines() {
        let start = Instant::now();
        let errors = match task?.as_str() {
            "words" => words(&pairs)?,
            "chars" => chars(&pairs)?,
            "long" => words(&long)?,
            "long-chars" => chars(&long)?,
            "full" => full(&pairs)?,
            "bootstrap" => bootstrap()?,
            other => return Err(format!("no such task: {other}").into()),
        };
        writeln!(out, "{} {errors}", start.elapsed().as_secs_f64())?;
        out.flush()?;
    }
    Ok(())
}
