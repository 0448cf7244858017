//! A normaliser that blanks marks picks the wrong winner; ours does not.
//! Generated data.

#![allow(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::{CorpusSums, Scorer};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Reference, output with wrong vowel signs, output with one word missing.
const SENTENCES: &[(&str, &str, &str, &str)] = &[
    (
        "hi",
        "किसान मंडी में गेहूँ बेचता है",
        "किसन मंडि में गेहूं बेचति हैं",
        "किसान मंडी में गेहूँ है",
    ),
    (
        "ta",
        "பள்ளி நாளை மூடப்படும்",
        "பளளி நாளி மூடப்படும்",
        "பள்ளி மூடப்படும்",
    ),
    ("bn", "আমি ভালো আছি আজ", "আমী ভালি আছি আজ", "আমি ভালো আছি"),
];

fn blank_marks(text: &str) -> String {
    let is_mark = |c: char| c.general_category_group() == GeneralCategoryGroup::Mark;
    text.chars()
        .map(|c| if is_mark(c) { ' ' } else { c })
        .collect()
}

fn wer(normaliser: &Normaliser, prepare: impl Fn(&str) -> String) -> [f64; 2] {
    let mut sums = [CorpusSums::default(), CorpusSums::default()];
    for (language, reference, signs, words) in SENTENCES {
        let mut scorer = Scorer::new(normaliser.clone(), language);
        scorer
            .set_reference(&prepare(reference))
            .expect("no markup");
        for (sums, hypothesis) in sums.iter_mut().zip([signs, words]) {
            sums.add(&scorer.score(&prepare(hypothesis), None).expect("scores"));
        }
    }
    sums.map(|sums| sums.summary().all.wer)
}

#[test]
fn blanking_marks_flips_the_winner() {
    let [signs, words] = wer(&Normaliser::raw(), blank_marks);
    assert!(signs < words, "blanked: {signs} {words}");
    let [signs, words] = wer(&Normaliser::default(), str::to_owned);
    assert!(signs > words, "kept: {signs} {words}");
}
