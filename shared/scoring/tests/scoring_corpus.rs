//! Sums over samples: order never matters, failures of the model count.

#![allow(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use proptest::prelude::*;
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::{CorpusSums, FailedBy, Flag, SampleScore, score};

fn scored(reference: &str, hypothesis: &str) -> SampleScore {
    score(
        reference,
        hypothesis,
        "en",
        &Normaliser::default(),
        Some(5.0),
    )
    .expect("scores")
}

#[test]
fn failures_are_deletions_in_the_headline_only() {
    let mut sums = CorpusSums::default();
    sums.add(&scored("one two three four", "one two three for"));
    sums.add(&scored("", ""));
    sums.add_failure(&scored("five six", "").reference_size(), FailedBy::Model);
    let summary = sums.summary();
    assert_eq!(summary.all.wer, 3.0 / 6.0);
    assert_eq!(summary.answered.wer, 0.25);
    assert_eq!(
        (summary.all.samples, summary.failed, summary.coverage),
        (3, 1, Some(2.0 / 3.0))
    );
    assert_eq!(summary.all.mean_wer, Some(0.625), "samples with words only");
    assert_eq!(
        summary.all.perfect_share,
        Some(1.0 / 3.0),
        "a failure is never perfect"
    );
    assert_eq!(summary.all.cer, (2.0 + 8.0 - 1.0) / (18.0 + 8.0));

    sums.clear_failures();
    assert_eq!(sums.summary().all, sums.summary().answered);
    assert_eq!(sums.summary().coverage, Some(1.0));
}

#[test]
fn failures_of_the_service_are_in_no_figure_but_coverage() {
    let mut sums = CorpusSums::default();
    sums.add(&scored("one two three four", "one two three for"));
    let before = sums.summary();
    sums.add_failure(&scored("five six", "").reference_size(), FailedBy::Service);
    let summary = sums.summary();
    assert_eq!(summary.all, before.all);
    assert_eq!(
        (summary.coverage, summary.failed, summary.left_out),
        (Some(0.5), 0, 1)
    );
    sums.clear_failures();
    assert_eq!(sums.summary(), before);
    // Nothing but such: no figures, and it is known that nothing was covered.
    let mut none = CorpusSums::default();
    none.add_failure(&scored("five six", "").reference_size(), FailedBy::Service);
    assert_eq!((none.samples(), none.summary().coverage), (0, Some(0.0)));
}

#[test]
fn sums_of_release_0_1_0_know_not_whose_failures_they_hold() {
    let mut sums = CorpusSums::default();
    sums.add(&scored("one two", "one two"));
    let older = |sums: &CorpusSums| -> CorpusSums {
        let mut json = serde_json::to_value(sums).expect("serialises");
        let fields = json.as_object_mut().expect("an object");
        assert!(fields.remove("left_out").is_some() && fields.remove("told_apart").is_some());
        serde_json::from_value(json).expect("parses")
    };
    // Without any there is nothing to know.
    assert!(sums.failures_told_apart() && older(&sums).failures_told_apart());
    sums.add_failure(&scored("five six", "").reference_size(), FailedBy::Model);
    assert!(sums.failures_told_apart());
    let mut before = older(&sums);
    assert!(!before.failures_told_apart());
    assert_eq!(before.summary(), sums.summary());
    // Nor do they when later ones are added; but a retry begins anew.
    before.merge(&sums);
    assert!(!before.failures_told_apart());
    before.clear_failures();
    before.merge(&sums);
    assert!(before.failures_told_apart());
}

#[test]
fn nothing_has_no_figures() {
    let summary = CorpusSums::default().summary();
    assert_eq!(
        (summary.all.wer, summary.all.mean_wer, summary.coverage),
        (0.0, None, None)
    );
    assert_eq!(
        (summary.all.median_wer, summary.all.perfect_share),
        (None, None)
    );
}

#[test]
fn the_median_is_the_middle_sample() {
    let mut sums = CorpusSums::default();
    for (reference, hypothesis) in [
        ("a b", "a b"),
        ("a b", "a x"),
        ("a b", "y x"),
        ("a", "p q r"),
    ] {
        sums.add(&scored(reference, hypothesis));
    }
    assert_eq!(sums.summary().all.median_wer, Some(0.75));
    sums.add(&scored("a b", "a b"));
    assert_eq!(sums.summary().all.median_wer, Some(0.5));
}

#[test]
fn flags_are_counted() {
    let mut sums = CorpusSums::default();
    sums.add(&scored("a b", ""));
    sums.add(&scored("", "thanks for watching"));
    let flags = sums.summary().flags;
    assert_eq!(flags.get(&Flag::Empty), Some(&1));
    assert_eq!(flags.get(&Flag::OutputOnSilence), Some(&1));
    assert_eq!(flags.get(&Flag::StockPhrase), Some(&1));
    let json = serde_json::to_value(sums.summary()).expect("serialises");
    assert_eq!(json["flags"]["output_on_silence"], 1);
    assert!(json["wer"].is_number() && json["answered"]["wer"].is_number());
}

fn samples() -> impl Strategy<Value = Vec<(String, Option<String>)>> {
    let text = || "[ab]?( [ab]){0,5}";
    prop::collection::vec((text(), prop::option::weighted(0.8, text())), 0..20)
}

fn sums(samples: &[(String, Option<String>)]) -> CorpusSums {
    let mut sums = CorpusSums::default();
    for (reference, hypothesis) in samples {
        match hypothesis {
            Some(hypothesis) => sums.add(&scored(reference, hypothesis)),
            None => sums.add_failure(&scored(reference, "").reference_size(), FailedBy::Model),
        }
    }
    sums
}

proptest! {
    #[test]
    fn parts_add_up_in_any_order(all in samples(), cut in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        let whole = sums(&all);
        let (first, second) = all.split_at(cut.index(all.len() + 1));
        let (second, third) = second.split_at(other.index(second.len() + 1));
        let [a, b, c] = [first, second, third].map(sums);
        for order in [[&a, &b, &c], [&c, &a, &b], [&b, &c, &a]] {
            let mut sum = CorpusSums::default();
            for part in order {
                sum.merge(part);
            }
            prop_assert_eq!(&sum, &whole);
        }
        let mut nested = b.clone();
        nested.merge(&c);
        let mut sum = a.clone();
        sum.merge(&nested);
        prop_assert_eq!(&sum, &whole);
        let json = serde_json::to_string(&whole).expect("serialises");
        prop_assert_eq!(serde_json::from_str::<CorpusSums>(&json).expect("parses"), whole);
    }

    #[test]
    fn a_failure_scores_like_an_empty_output(all in samples()) {
        let empty: Vec<_> = all.iter().map(|(r, h)| (r.clone(), Some(h.clone().unwrap_or_default()))).collect();
        let (failed, empty) = (sums(&all).summary().all, sums(&empty).summary().all);
        prop_assert_eq!(failed.counts, empty.counts);
        prop_assert_eq!(failed.mean_wer, empty.mean_wer);
    }
}
