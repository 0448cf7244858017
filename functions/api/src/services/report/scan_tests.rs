//! Going through results, in one go and in two.

use stt_eval_shared::domain::rescoring::Rescored;
use stt_eval_shared::domain::word_times::WordTimes;
use stt_eval_shared::domain::{FileId, ResultId, Timestamp};
use stt_eval_shared::providers::Usage;
use stt_eval_shared::scoring::score;

use super::*;
use crate::services::results::selection::tests::run;

fn outcome(run: &Run, model: u8, position: u16, text: Option<&str>) -> Outcome {
    let reference = format!("sample number {position} says one two three");
    let score =
        text.map(|text| score(&reference, text, "en", &Normaliser::default(), None).unwrap());
    Outcome {
        id: ResultId::new(run.id, model, position),
        round: 1,
        file_id: FileId::mint(1, [1; 10]),
        ground_truth: Some(reference),
        reference_version: 1,
        language: "en".into(),
        transcription: text.map(str::to_owned),
        word_times: WordTimes::default(),
        score,
        error_code: text.is_none().then(|| {
            let whose = ["provider_lost", "max_tokens"];
            whose[usize::from(position % 2)].into()
        }),
        error_message: None,
        scoring: 1,
        retryable: false,
        passing: false,
        attempts: 1,
        model_version: None,
        usage: Usage::default(),
        cost_micro_usd: 0,
        latency_ms: text.map(|_| u32::from(position) + 1),
        inserted_at: Timestamp::default(),
    }
}

fn entries(run: &Run, position: u16) -> Vec<Option<Entry>> {
    let entry = |outcome| {
        Some(Entry {
            outcome,
            scores: Vec::new(),
            review: None,
            failed_before: None,
        })
    };
    let right = format!("Sample number {position} says: one two three.");
    let wrong = (!position.is_multiple_of(3)).then_some("sample number says won two three");
    vec![
        entry(outcome(run, 0, position, Some(&right))),
        entry(outcome(run, 1, position, wrong)),
    ]
}

fn go(scan: &mut Scan, run: &Run, positions: std::ops::Range<u16>) {
    let (fields, mut texts) = (Fields::default(), Texts::new(Normaliser::default()));
    for position in positions {
        scan.take(run, position, entries(run, position), &fields, &mut texts);
        scan.next = position + 1;
    }
}

fn begin(run: &Run) -> Scan {
    let scoring = run.all_scorings().remove(0);
    Scan::new(run, &scoring, &["one two".to_owned()]).unwrap()
}

#[test]
fn written_down_and_gone_on_with_it_is_the_same() {
    let run = run();
    let mut whole = begin(&run);
    go(&mut whole, &run, 0..30);
    let mut part = begin(&run);
    go(&mut part, &run, 0..17);
    let text = serde_json::to_vec(&part).unwrap();
    let mut part: Scan = serde_json::from_slice(&text).unwrap();
    assert_eq!(part.samples_read(), 17);
    go(&mut part, &run, 17..30);
    assert_eq!(part, whole);
}

#[test]
fn what_is_found_is_what_is_there() {
    let run = run();
    let mut scan = begin(&run);
    go(&mut scan, &run, 0..30);
    let [right, wrong] = &scan.models[..] else {
        panic!("two models")
    };
    // Ten failed: the even ones for no fault of the model, the others by
    // itself, all seven words missing. Of the rest one is missing and one is
    // another.
    assert_eq!((right.kept.len(), wrong.kept.len()), (30, 25));
    assert!(right.kept.iter().all(|kept| kept.words().errors == 0));
    let errors: u64 = wrong.kept.iter().map(|kept| kept.words().errors).sum();
    assert_eq!(errors, 5 * 7 + 20 * 2);
    assert_eq!(
        wrong.failures,
        BTreeMap::from([
            ("max_tokens".to_owned(), 5),
            ("provider_lost".to_owned(), 5)
        ])
    );
    assert_eq!(
        (
            wrong.transcribed,
            wrong.failed_by_model,
            wrong.failed_by_service
        ),
        (20, 5, 5)
    );
    let sums = wrong.sums().summary();
    assert_eq!((sums.all.samples, sums.failed, sums.left_out), (25, 5, 5));
    assert_eq!(scan.common_samples, 20);
    assert_eq!(wrong.common.samples(), 20);
    let rows = wrong.waterfall.rows();
    assert_eq!(rows.last().unwrap().errors, errors);
    assert_eq!(right.waterfall.rows()[0].errors, 30 * 3);
    let top = wrong.confusions.top(1);
    assert_eq!(
        (&*top.substituted[0].hypothesis, top.substituted[0].times),
        ("won", 20)
    );
    assert_eq!(
        (right.keywords.recall(), wrong.keywords.recall()),
        (Some(1.0), Some(0.0))
    );
}

#[test]
fn an_older_scoring_knows_nothing_of_what_a_retry_brought() {
    let run = run();
    let mut scan = begin(&run);
    let (fields, mut texts) = (Fields::default(), Texts::new(Normaliser::default()));
    let late = Outcome {
        round: 2,
        scoring: 2,
        ..outcome(&run, 0, 0, Some("sample"))
    };
    let entry = |outcome, scores, failed_before: &str| {
        Some(Entry {
            outcome,
            scores,
            review: None,
            failed_before: Some(failed_before.to_owned()),
        })
    };
    let failed = entry(late.clone(), Vec::new(), "blocked_safety");
    scan.take(&run, 0, vec![failed, None], &fields, &mut texts);
    assert_eq!(scan.models[0].failures.get("retried_since"), Some(&1));
    assert_eq!(scan.models[0].kept[0].words().errors, 7);
    // Whose failure it was is known still.
    let mut lost = begin(&run);
    let failed = entry(late.clone(), Vec::new(), "provider_lost");
    lost.take(&run, 0, vec![failed, None], &fields, &mut texts);
    assert_eq!(lost.models[0].failures.get("retried_since"), Some(&1));
    assert_eq!(
        (lost.models[0].kept.len(), lost.models[0].failed_by_service),
        (0, 1)
    );
    // In its own scoring, and in a later one, it is what it is.
    let row = Rescored {
        id: late.id,
        scoring: 3,
        round: 2,
        ground_truth: Some("sample".into()),
        reference_version: 2,
        language: "en".into(),
        score: Some(score("sample", "sample", "en", &Normaliser::default(), None).unwrap()),
    };
    for (scoring, errors) in [(2, 6), (3, 0)] {
        let mut scan = Scan {
            scoring,
            ..begin(&run)
        };
        let entries = vec![
            entry(late.clone(), vec![row.clone()], "provider_lost"),
            None,
        ];
        scan.take(&run, 0, entries, &fields, &mut texts);
        assert_eq!(scan.models[0].kept[0].words().errors, errors);
        assert!(scan.models[0].failures.is_empty());
    }
}

#[test]
fn ten_thousand_samples_of_sixteen_models_are_a_few_megabytes() {
    let kept = Kept(9_999, 20, 30, 100, 150, 41);
    let bytes = std::mem::size_of::<Kept>() * 16 * 10_000;
    assert!(bytes <= 8_000_000, "{bytes}");
    let written = serde_json::to_string(&kept).unwrap().len() * 16 * 10_000;
    assert!(written < 5_000_000, "{written}");
}
