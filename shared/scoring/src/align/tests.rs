//! Against a plain dynamic programme, cell by cell, over every way to align.

use super::super::error::Unit;
use super::super::tokens;
use super::banded::{self, Buffers, LIMITS, Limits};
use super::intern::UNKNOWN;
use super::pattern::Pattern;
use super::trace::{Op, OpRun, Runs, Window};
use super::{CharAligner, TokenAligner, WordAligner};
use proptest::prelude::*;

/// The documented rule, written down once more without bits: full matrix, common
/// prefix and suffix off, trace back.
fn plain<T: PartialEq>(reference: &[T], hypothesis: &[T]) -> Vec<Op> {
    let prefix = reference
        .iter()
        .zip(hypothesis)
        .take_while(|(r, h)| r == h)
        .count();
    let (r, h) = (&reference[prefix..], &hypothesis[prefix..]);
    let suffix = r
        .iter()
        .rev()
        .zip(h.iter().rev())
        .take_while(|(r, h)| r == h)
        .count();
    let (r, h) = (&r[..r.len() - suffix], &h[..h.len() - suffix]);
    let mut d = vec![vec![0usize; h.len() + 1]; r.len() + 1];
    for i in 0..=r.len() {
        for j in 0..=h.len() {
            d[i][j] = match (i, j) {
                (i, 0) => i,
                (0, j) => j,
                _ => (d[i - 1][j] + 1)
                    .min(d[i][j - 1] + 1)
                    .min(d[i - 1][j - 1] + usize::from(r[i - 1] != h[j - 1])),
            };
        }
    }
    let mut ops = vec![Op::Equal; suffix];
    let (mut i, mut j) = (r.len(), h.len());
    while i > 0 && j > 0 {
        if d[i][j] == d[i - 1][j] + 1 {
            ops.push(Op::Delete);
            i -= 1;
        } else if d[i][j - 1] + 1 == d[i - 1][j - 1] {
            ops.push(Op::Insert);
            j -= 1;
        } else {
            let equal = r[i - 1] == h[j - 1];
            ops.push(if equal { Op::Equal } else { Op::Substitute });
            i -= 1;
            j -= 1;
        }
    }
    ops.extend(std::iter::repeat_n(Op::Delete, i));
    ops.extend(std::iter::repeat_n(Op::Insert, j));
    ops.extend(std::iter::repeat_n(Op::Equal, prefix));
    ops.reverse();
    ops
}

fn flat(runs: &[OpRun]) -> Vec<Op> {
    runs.iter()
        .flat_map(|run| std::iter::repeat_n(run.op, run.len as usize))
        .collect()
}

fn by_tokens(reference: &[u8], hypothesis: &[u8]) -> Vec<Op> {
    let text = |tokens: &[u8]| tokens.iter().map(|t| format!("w{t}")).collect::<Vec<_>>();
    let (reference, hypothesis) = (text(reference), text(hypothesis));
    let mut aligner = TokenAligner::new(Unit::Word);
    aligner.set_reference(reference.iter().map(String::as_str));
    let counts = aligner
        .align(hypothesis.iter().map(String::as_str))
        .expect("short");
    let ops = flat(aligner.runs());
    assert_eq!(
        counts.errors(),
        ops.iter().filter(|op| **op != Op::Equal).count() as u64
    );
    assert_eq!(counts.reference(), reference.len() as u64);
    assert_eq!(counts.hypothesis(), hypothesis.len() as u64);
    ops
}

/// Straight to the banded code, with the given limits and nothing taken off.
fn banded(reference: &[u8], hypothesis: &[u8], limits: Limits) -> Vec<Op> {
    let distinct = 1 + reference.iter().copied().max().unwrap_or(0) as usize;
    let mut pattern = Pattern::default();
    pattern.ids.extend(reference.iter().map(|t| u32::from(*t)));
    pattern.build(distinct);
    let hypothesis: Vec<u32> = hypothesis
        .iter()
        .map(|t| {
            if (*t as usize) < distinct {
                u32::from(*t)
            } else {
                UNKNOWN
            }
        })
        .collect();
    let mut runs = Runs::default();
    let window = Window {
        start: 0,
        end: reference.len(),
    };
    let mut buffers = Buffers::default();
    if banded::align(
        &pattern,
        &hypothesis,
        window,
        0,
        limits,
        &mut buffers,
        &mut runs,
    )
    .is_err()
    {
        panic!("over the limits");
    }
    runs.finish();
    flat(runs.as_slice())
}

fn random(max_len: usize, alphabet: u8) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0..alphabet, 0..max_len)
}

/// A reference and a hypothesis made of it by edits, as recognisers do.
fn edited(len: std::ops::Range<usize>, alphabet: u8) -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let edits = prop::collection::vec((0..3u8, any::<prop::sample::Index>(), 0..alphabet), 0..60);
    (prop::collection::vec(0..alphabet, len), edits).prop_map(|(reference, edits)| {
        let mut hypothesis = reference.clone();
        for (kind, place, token) in edits {
            if hypothesis.is_empty() {
                break;
            }
            let at = place.index(hypothesis.len());
            match kind {
                0 => hypothesis[at] = token,
                1 => hypothesis.insert(at, token),
                _ => drop(hypothesis.remove(at)),
            }
        }
        (reference, hypothesis)
    })
}

/// Checkpoints instead of all columns, and bands that begin far too narrow.
const CRAMPED: Limits = Limits {
    keep_all: 0,
    first_band: 1,
    ..LIMITS
};
const NARROW: Limits = Limits {
    first_band: 1,
    ..LIMITS
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn short_pairs((a, b) in (random(90, 4), random(90, 5))) {
        prop_assert_eq!(by_tokens(&a, &b), plain(&a, &b));
    }

    #[test]
    fn pairs_of_two_to_four_blocks((a, b) in edited(60..260, 6)) {
        prop_assert_eq!(by_tokens(&a, &b), plain(&a, &b));
    }

    #[test]
    fn characters((a, b) in edited(0..300, 30)) {
        let text = |tokens: &[u8]| -> String {
            tokens.iter().map(|t| ['अ', 'a', '漢'][*t as usize % 3]).collect()
        };
        let (a, b) = (text(&a), text(&b));
        let mut aligner = CharAligner::new();
        aligner.set_reference("an older reference");
        aligner.set_reference(&a);
        aligner.align(&b).expect("short");
        let chars = |s: &str| s.chars().collect::<Vec<_>>();
        prop_assert_eq!(flat(aligner.runs()), plain(&chars(&a), &chars(&b)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn long_pairs_by_bands((a, b) in edited(200..1200, 12)) {
        prop_assert_eq!(by_tokens(&a, &b), plain(&a, &b));
    }

    #[test]
    fn rare_tokens_by_lists((a, b) in edited(700..1500, 250)) {
        prop_assert_eq!(by_tokens(&a, &b), plain(&a, &b));
    }

    #[test]
    fn bands_and_checkpoints_change_nothing((a, b) in edited(1..500, 7)) {
        // Without the prefix and suffix taken off, the rule has to be that of
        // the whole matrix: compare the two ways of storing, and the distance.
        prop_assume!(!b.is_empty());
        let cramped = banded(&a, &b, CRAMPED);
        prop_assert_eq!(&cramped, &banded(&a, &b, NARROW));
        let errors = |ops: &[Op]| ops.iter().filter(|op| **op != Op::Equal).count();
        prop_assert_eq!(errors(&cramped), errors(&plain(&a, &b)));
    }

    #[test]
    fn bands_of_unlike_pairs((a, b) in (random(400, 3), random(700, 3))) {
        // A first token that is unlike on both sides and a last one likewise:
        // nothing is taken off, so the full rule applies.
        let wrap = |mut tokens: Vec<u8>, edge: u8| {
            tokens.insert(0, edge);
            tokens.push(edge);
            tokens
        };
        let (a, b) = (wrap(a, 4), wrap(b, 5));
        prop_assert_eq!(banded(&a, &b, CRAMPED), plain(&a, &b));
        prop_assert_eq!(banded(&a, &b, NARROW), plain(&a, &b));
    }
}

#[test]
fn a_band_refuses_what_exceeds_its_limits() {
    let (a, b): (Vec<u32>, Vec<u32>) = (
        (0..900).map(|i| i % 7).collect(),
        (0..900).map(|i| i % 5).collect(),
    );
    let mut pattern = Pattern::default();
    pattern.ids = a;
    pattern.build(7);
    for limits in [
        Limits {
            steps: 900,
            ..LIMITS
        },
        Limits {
            keep_all: 0,
            keep_most: 100,
            ..LIMITS
        },
    ] {
        let window = Window { start: 0, end: 900 };
        let (mut buffers, mut runs) = (Buffers::default(), Runs::default());
        assert!(banded::align(&pattern, &b, window, 0, limits, &mut buffers, &mut runs).is_err());
    }
}

#[test]
fn nothing_in_common_needs_no_matrix() {
    let mut aligner = CharAligner::new();
    for (reference, hypothesis) in [(700, 1200), (1200, 700), (900, 900)] {
        let (a, b) = ("a".repeat(reference), "b".repeat(hypothesis));
        aligner.set_reference(&a);
        aligner.align(&b).expect("scores");
        assert_eq!(flat(aligner.runs()), plain(a.as_bytes(), b.as_bytes()));
    }
}

/// Text of few words with every kind of separator.
fn untidy_text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("a"),
        Just("b"),
        Just("ab"),
        Just("क"),
        Just("कि"),
        Just("a-very-long-word")
    ];
    let blank = prop_oneof![8 => Just(" "), 1 => Just("  "), 1 => Just("\t"), 1 => Just("\u{a0}")];
    let part = (word, blank).prop_map(|(word, blank)| format!("{word}{blank}"));
    (prop::collection::vec(part, 0..12), any::<bool>()).prop_map(|(parts, trimmed)| {
        let text = parts.concat();
        if trimmed {
            text.trim_end().to_owned()
        } else {
            text
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// Skipping shared ends and building only a part of the table change nothing,
    /// whatever was aligned before.
    #[test]
    fn texts_are_aligned_as_their_words(
        reference in untidy_text(),
        hypotheses in prop::collection::vec(untidy_text(), 1..4),
    ) {
        let mut words = WordAligner::new();
        words.set_reference("a b c");
        words.align("a x c").expect("short");
        words.set_reference(&reference);
        let mut chars = CharAligner::new();
        chars.set_reference(&reference);
        for hypothesis in hypotheses.iter().chain([&reference]) {
            words.align(hypothesis).expect("short");
            let expected = plain(&tokens::words(&reference), &tokens::words(hypothesis));
            prop_assert_eq!(flat(words.runs()), expected, "{:?} {:?}", &reference, hypothesis);
            chars.align(hypothesis).expect("short");
            let list = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(flat(chars.runs()), plain(&list(&reference), &list(hypothesis)));
        }
    }
}
