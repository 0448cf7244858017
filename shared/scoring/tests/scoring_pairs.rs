//! Whole pairs: variants, aligned words, laws that every score obeys.

#![allow(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use proptest::prelude::*;
use stt_eval_scoring::align::Op;
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::{
    MarkupProblem, SampleScore, ScoreError, Scorer, align_words, reference, score,
    validate_reference, words,
};

fn scored(reference: &str, hypothesis: &str) -> SampleScore {
    score(reference, hypothesis, "hi-en", &Normaliser::default(), None).expect("scores")
}

#[test]
fn the_example_of_the_specification() {
    let score = scored("{दस हजार|10000} दस रुपये", "10000 दस रुपये");
    assert_eq!((score.words().errors(), score.reference_words), (0, 3));
    let other = scored("{दस हजार|10000} दस रुपये", "दस हजार दस रुपये");
    assert_eq!((other.words().errors(), other.reference_words), (0, 4));
}

#[test]
fn variants_are_chosen_together_not_one_by_one() {
    // Greedy from the left takes "a b" for the first group and then has to delete.
    let score = scored("{a b|a} {b c|d}", "a b c");
    assert_eq!((score.words().errors(), score.hits), (0, 3));
    assert_eq!((score.char_hits, score.chars().errors()), (5, 0));
}

#[test]
fn of_equal_paths_that_with_more_hits_wins() {
    let score = scored("{x y|y}", "y z");
    // "x y" / "y z" costs two either way; "y" costs one.
    assert_eq!(
        (score.hits, score.insertions, score.substitutions),
        (1, 1, 0)
    );
    let tie = scored("{one|one two}", "one three");
    assert_eq!((tie.words().errors(), tie.hits), (1, 1));
    assert_eq!(tie.reference_words, 1, "the first of equal alternatives");
}

#[test]
fn optional_words_and_unclear_speech() {
    assert_eq!(scored("{uh|} yes", "yes").wer, 0.0);
    assert_eq!(scored("{uh|} yes", "uh yes").wer, 0.0);
    let score = scored("start <*> end", "start anything at all end");
    assert_eq!((score.words().errors(), score.hypothesis_words), (0, 2));
    assert_eq!((score.reference_chars, score.cer), (8, 0.0));
    assert_eq!(scored("start <*> end", "start end").wer, 0.0);
    assert_eq!(scored("start <*> end", "start mumble and").wer, 0.5);
    assert_eq!(scored("<*>", "whatever it is").wer, 0.0);
    assert_eq!(scored("<*>", "").wer, 0.0);
}

#[test]
fn a_failed_sample_counts_its_shortest_variant() {
    let size = scored("{दस हजार|10000} रुपये", "").reference_size();
    assert_eq!((size.words, size.raw_words), (2, 2));
}

#[test]
fn markup_without_variants_changes_no_blank() {
    for reference in ["1 < 2 three", r"1 \{ 2 three"] {
        let text = reference.replace('\\', "");
        for blanks in [" ", " \n\t"] {
            let hypothesis = text.replace(" three", &format!("{blanks}three"));
            let raw = Normaliser::raw();
            let score = score(reference, &hypothesis, "en", &raw, None).expect("scores");
            assert_eq!((score.hits, score.wer), (4, 0.0), "{reference}");
            let more = blanks.chars().count() as u64 - 1;
            assert_eq!(score.char_insertions, more, "{reference}");
        }
    }
}

#[test]
fn escaped_characters_are_literal() {
    let raw = Normaliser::by_name("raw-v1").expect("known");
    for (reference, hypothesis) in [
        (r"\{a\|b\}", "{a|b}"),
        (r"\<*>", "<*>"),
        (r"a\\b", r"a\b"),
        (r"a\b", r"a\b"),
        ("a|b < c", "a|b < c"),
        (r"{\{|x} y", "{ y"),
    ] {
        let score = score(reference, hypothesis, "en", &raw, None).expect("scores");
        assert_eq!((score.wer, score.cer), (0.0, 0.0), "{reference}");
    }
}

#[test]
fn malformed_markup_names_its_place() {
    for (text, byte, character, problem) in [
        ("दस {हजार", 7, 4, MarkupProblem::Unclosed),
        ("a } b", 2, 3, MarkupProblem::Unopened),
        ("{a|{b|c}}", 3, 4, MarkupProblem::Nested),
        ("x {a}", 2, 3, MarkupProblem::OneAlternative),
        ("{}", 0, 1, MarkupProblem::OneAlternative),
        ("{ | }", 0, 1, MarkupProblem::AllEmpty),
        ("{a|<*>}", 3, 4, MarkupProblem::UnclearInGroup),
        ("{a|b} {c|d", 6, 7, MarkupProblem::Unclosed),
    ] {
        let expected = ScoreError::Markup {
            byte,
            character,
            problem,
        };
        assert_eq!(validate_reference(text), Err(expected.clone()), "{text}");
        let scored = score(text, "x", "en", &Normaliser::default(), None);
        assert_eq!(scored, Err(expected), "{text}");
    }
    assert_eq!(
        validate_reference("no markup, only | and < and > and *"),
        Ok(())
    );
}

#[test]
fn a_scorer_is_usable_after_a_malformed_reference() {
    let mut scorer = Scorer::new(Normaliser::default(), "en");
    scorer.set_reference("one two").expect("fine");
    assert!(scorer.set_reference("{one").is_err());
    assert_eq!(scorer.score("x", None).expect("scores").insertions, 1);
    scorer.set_reference("one two").expect("fine");
    assert_eq!(scorer.score("one two", None).expect("scores").wer, 0.0);
}

#[test]
fn spans_point_into_the_original_texts() {
    let reference = "{दस हज़ार|10000} रुपये, <*> दीजिए।";
    let hypothesis = "“दस हज़ार” रूपये अभी दीजिए जी!";
    let aligned = align_words(reference, hypothesis, "hi", &Normaliser::default());
    let aligned = aligned.expect("aligns");
    let shown: Vec<(Op, &str, &str)> = aligned
        .iter()
        .map(|word| {
            let part = |text: &'static str, span: &Option<_>| {
                let span: &Option<stt_eval_scoring::SpannedWord> = span;
                span.as_ref().map_or("", |word| &text[word.start..word.end])
            };
            (
                word.op,
                part(reference, &word.reference),
                part(hypothesis, &word.hypothesis),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (Op::Equal, "दस", "दस"),
            (Op::Equal, "हज़ार", "हज़ार"),
            (Op::Substitute, "रुपये", "रूपये"),
            (Op::Unclear, "", "अभी"),
            (Op::Equal, "दीजिए", "दीजिए"),
            (Op::Insert, "", "जी"),
        ]
    );
    let json = serde_json::to_value(&aligned[2]).expect("serialises");
    assert_eq!(json["op"], "substitute");
    assert_eq!(json["reference"]["text"], "रुपये");
}

/// The alternatives of a small reference, each written out in full.
fn expand(groups: &[Vec<String>]) -> Vec<String> {
    groups.iter().fold(vec![String::new()], |sentences, group| {
        let mut longer = Vec::new();
        for sentence in &sentences {
            longer.extend(group.iter().map(|phrase| format!("{sentence} {phrase}")));
        }
        longer
    })
}

fn group() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("([abc]( [abc]){0,2})?", 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn variants_are_the_best_of_all_sentences(
        groups in prop::collection::vec(group(), 1..5),
        hypothesis in "[abc]?( [abc]){0,7}",
    ) {
        let mut markup = String::new();
        for group in &groups {
            let all_empty = group.iter().all(String::is_empty);
            if group.len() > 1 && !all_empty {
                markup += &format!(" {{{}}}", group.join("|"));
            } else {
                markup += &format!(" {}", group[0]);
            }
        }
        let groups: Vec<Vec<String>> = groups
            .into_iter()
            .map(|group| if group.iter().all(String::is_empty) { vec![String::new()] } else { group })
            .collect();
        let best = expand(&groups)
            .iter()
            .map(|sentence| scored(sentence, &hypothesis).words().errors())
            .min();
        prop_assert_eq!(Some(scored(&markup, &hypothesis).words().errors()), best, "{}", markup);
    }

    #[test]
    fn unclear_speech_is_the_best_of_all_cuts(
        before in "[ab]( [ab]){0,3}",
        after in "[ab]( [ab]){0,3}",
        hypothesis in "[ab]?( [ab]){0,7}",
    ) {
        let words = words(&hypothesis);
        let mut best = u64::MAX;
        for start in 0..=words.len() {
            for end in start..=words.len() {
                let left = scored(&before, &words[..start].join(" ")).words().errors();
                let right = scored(&after, &words[end..].join(" ")).words().errors();
                best = best.min(left + right);
            }
        }
        let reference = format!("{before} <*> {after}");
        prop_assert_eq!(scored(&reference, &hypothesis).words().errors(), best);
    }

    #[test]
    fn literal_text_survives_escaping(text in "[a-c{}|\\\\<*> ]{0,20}") {
        let raw = Normaliser::by_name("raw-v1").expect("known");
        let score = score(&reference::escape(&text), &text, "en", &raw, None).expect("scores");
        prop_assert_eq!((score.words().errors(), score.chars().errors()), (0, 0));
    }

    #[test]
    fn any_markup_is_scored_or_refused(text in "[ab{}|\\\\<*> क]{0,24}", hypothesis in "[ab क]{0,12}") {
        let valid = validate_reference(&text);
        let scored = score(&text, &hypothesis, "hi", &Normaliser::default(), None);
        prop_assert_eq!(valid.err(), scored.err());
    }
}

fn sentence() -> impl Strategy<Value = String> {
    prop::collection::vec("[abcकखिा]{1,4}", 0..14).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn a_text_equals_itself(text in sentence()) {
        let score = scored(&text, &text);
        prop_assert_eq!((score.wer, score.cer, score.cer_grapheme, score.wil), (0.0, 0.0, 0.0, 0.0));
        prop_assert!(score.is_perfect());
    }

    #[test]
    fn exchanging_the_texts_keeps_the_distance(a in sentence(), b in sentence()) {
        let (there, back) = (scored(&a, &b), scored(&b, &a));
        prop_assert_eq!(there.words().errors(), back.words().errors());
        prop_assert_eq!(there.chars().errors(), back.chars().errors());
        prop_assert_eq!(there.graphemes.errors(), back.graphemes.errors());
        prop_assert_eq!(there.reference_words, back.hypothesis_words);
    }

    #[test]
    fn the_distance_obeys_the_triangle(a in sentence(), b in sentence(), c in sentence()) {
        let distance = |x: &str, y: &str| scored(x, y).words().errors();
        prop_assert!(distance(&a, &c) <= distance(&a, &b) + distance(&b, &c));
    }

    #[test]
    fn one_more_word_costs_at_most_one(a in sentence(), b in sentence(), word in "[a-c]{1,3}") {
        let before = scored(&a, &b).words().errors();
        let after = scored(&a, &format!("{b} {word}")).words().errors();
        prop_assert!(before.abs_diff(after) <= 1);
        let both = scored(&format!("{a} {word}"), &format!("{b} {word}"));
        prop_assert_eq!(both.words().errors(), before);
    }

    #[test]
    fn counts_and_rates_agree(a in sentence(), b in sentence()) {
        let score = scored(&a, &b);
        prop_assert_eq!(score.reference_words, words(&a).len() as u64);
        prop_assert_eq!(score.hypothesis_words, words(&b).len() as u64);
        prop_assert_eq!(score.reference_chars, a.chars().count() as u64);
        prop_assert!((0.0..=1.0).contains(&score.mer) && (0.0..=1.0).contains(&score.wil));
        prop_assert!(score.mer <= score.wer || score.reference_words == 0);
        prop_assert!(score.graphemes.reference() <= score.reference_chars);
    }

    #[test]
    fn aligned_words_give_both_texts_back(a in sentence(), b in sentence()) {
        let aligned = align_words(&a, &b, "hi", &Normaliser::default()).expect("aligns");
        let score = scored(&a, &b);
        let of = |op: Op| aligned.iter().filter(|word| word.op == op).count() as u64;
        prop_assert_eq!(
            (of(Op::Equal), of(Op::Substitute), of(Op::Delete), of(Op::Insert)),
            (score.hits, score.substitutions, score.deletions, score.insertions)
        );
        let reference: Vec<&str> = aligned.iter().filter_map(|w| w.reference.as_ref()).map(|w| &a[w.start..w.end]).collect();
        let hypothesis: Vec<&str> = aligned.iter().filter_map(|w| w.hypothesis.as_ref()).map(|w| &b[w.start..w.end]).collect();
        prop_assert_eq!(reference, words(&a));
        prop_assert_eq!(hypothesis, words(&b));
    }

    #[test]
    fn one_reference_serves_many_hypotheses(a in sentence(), many in prop::collection::vec(sentence(), 1..5)) {
        let mut scorer = Scorer::new(Normaliser::default(), "hi-en");
        scorer.set_reference(&a).expect("no markup");
        for hypothesis in &many {
            prop_assert_eq!(scorer.score(hypothesis, None).expect("scores"), scored(&a, hypothesis));
        }
    }

    #[test]
    fn scores_survive_json(a in sentence(), b in sentence()) {
        let score = scored(&a, &b);
        let json = serde_json::to_string(&score).expect("serialises");
        let back: SampleScore = serde_json::from_str(&json).expect("parses");
        // serde_json reads floats to within one bit, unless a feature asks for more.
        prop_assert!((back.wer - score.wer).abs() < 1e-12 && (back.cer - score.cer).abs() < 1e-12);
        prop_assert_eq!((back.words(), back.chars(), back.graphemes), (score.words(), score.chars(), score.graphemes));
        prop_assert_eq!((back.raw_words, back.flags), (score.raw_words, score.flags));
    }
}
