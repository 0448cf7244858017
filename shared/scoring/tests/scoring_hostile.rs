//! Input made to break things: never a panic, never more than linear or bounded
//! time, a clear error where there is no score.

#![allow(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::time::{Duration, Instant};
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::{
    MAX_TEXT_BYTES, SampleScore, ScoreError, Unit, align_words, score, validate_reference,
};

fn try_score(reference: &str, hypothesis: &str) -> Result<SampleScore, ScoreError> {
    score(
        reference,
        hypothesis,
        "hi",
        &Normaliser::default(),
        Some(10.0),
    )
}

/// A debug build is some thirty times slower: it gets texts a tenth as long.
const SCALE: usize = if cfg!(debug_assertions) { 10 } else { 1 };

/// Far above what a debug build needs on a busy machine, far below what anything
/// quadratic would take on these texts.
const PATIENCE: Duration = Duration::from_secs(90);

#[track_caller]
fn soon<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    assert!(start.elapsed() < PATIENCE, "took {:?}", start.elapsed());
    result
}

#[test]
fn short_oddities() {
    let odd = [
        "",
        " ",
        "\t\n\u{a0}\u{2003}",
        "\0",
        "a\0b",
        "\u{301}\u{93c}\u{94d}",
        "\u{202e}abc\u{202c} \u{2067}x\u{2069}",
        "\u{200d}",
        "{",
        "}",
        "{|",
        "\\",
        "<*",
        "।।।",
        "ﷺ",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "\u{10ffff}",
        "cafe\u{301} caf\u{e9}",
        "क\u{94d}\u{200d}",
        "1,,2,",
        ",1",
        "٬1٬234",
    ];
    for reference in odd {
        for hypothesis in odd {
            match try_score(reference, hypothesis) {
                Ok(score) => {
                    assert!(score.wer.is_finite() && score.cer.is_finite());
                    align_words(reference, hypothesis, "hi", &Normaliser::default())
                        .expect("scored");
                }
                Err(error) => assert_eq!(validate_reference(reference), Err(error)),
            }
        }
    }
}

#[test]
fn ten_megabytes_of_one_character() {
    let one = "क".repeat(3_400_000 / SCALE);
    let (same, other) = soon(|| {
        let same = try_score(&one, &one).expect("scores");
        (
            same,
            try_score(&one, &"ख".repeat(3_400_000 / SCALE)).expect("nothing in common is easy"),
        )
    });
    assert_eq!((same.wer, same.cer), (0.0, 0.0));
    assert_eq!(
        (other.wer, other.cer, other.char_substitutions),
        (1.0, 1.0, 3_400_000 / SCALE as u64)
    );
    let shorter = soon(|| try_score(&one, &one[..30]).expect("scores"));
    assert_eq!(shorter.char_deletions, 3_400_000 / SCALE as u64 - 10);
}

#[test]
fn ten_megabytes_of_marks() {
    let marks = "\u{301}\u{94d}\u{327}".repeat(1_400_000 / SCALE);
    let score = soon(|| try_score(&marks, &marks).expect("scores"));
    assert_eq!((score.reference_words, score.wer), (1, 0.0));
}

#[test]
fn a_million_words() {
    let reference = "एक दो तीन चार ".repeat(250_000 / SCALE);
    let mut hypothesis = reference.clone();
    hypothesis.replace_range(0.."एक".len(), "दस");
    hypothesis.push_str("पाँच छह");
    let score = soon(|| try_score(&reference, &hypothesis).expect("few errors"));
    assert_eq!(
        (score.reference_words, score.substitutions, score.insertions),
        (1_000_000 / SCALE as u64, 1, 2)
    );
}

#[test]
fn long_and_different_is_refused() {
    // The same two letters in another rhythm: close to a worst case.
    let word = |i: usize, modulus: usize| {
        if i * i % modulus < modulus / 2 {
            "a "
        } else {
            "b "
        }
    };
    let text = |modulus: usize| (0..400_000).map(|i| word(i, modulus)).collect::<String>();
    let result = soon(|| try_score(&text(1009), &text(773)));
    match result {
        Err(ScoreError::TooDifferent {
            unit: Unit::Word,
            reference,
            hypothesis,
        }) => {
            assert_eq!((reference, hypothesis), (400_000, 400_000));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn too_long_is_refused() {
    let text = "a".repeat(MAX_TEXT_BYTES + 1);
    let expected = Err(ScoreError::TooLong {
        bytes: MAX_TEXT_BYTES + 1,
        limit: MAX_TEXT_BYTES,
    });
    assert_eq!(validate_reference(&text), expected);
    assert!(try_score("a", &text).is_err() && try_score(&text, "a").is_err());
}

#[test]
fn many_variants() {
    let groups = "{a|b c|d e f} ".repeat(2_000);
    let score = soon(|| try_score(&groups, &"a ".repeat(1_000)).expect("within the bound"));
    assert_eq!((score.hits, score.deletions), (1_000, 1_000));
    let refused = soon(|| try_score(&"{a|b} ".repeat(20_000), &"a ".repeat(20_000)));
    assert!(
        matches!(
            refused,
            Err(ScoreError::TooManyVariants { groups: 20_000, .. })
        ),
        "{refused:?}"
    );
    // An enormous number of empty alternatives costs no more than as many words.
    let empty = format!("{{a{}}}", "|".repeat(1_000_000));
    assert!(soon(|| try_score(&empty, "a b c")).is_ok());
}

#[test]
fn open_braces_do_not_add_up() {
    assert!(soon(|| validate_reference(&"{".repeat(3_000_000))).is_err());
    assert!(soon(|| validate_reference(&"\\{".repeat(3_000_000))).is_ok());
    assert!(soon(|| validate_reference(&"{a|b}".repeat(1_000_000))).is_ok());
}
