//! Which scoring a report is of, what it depends on, and into which parts it
//! falls.

use stt_eval_shared::domain::{SampleId, Timestamp};
use stt_eval_shared::store::samples::SampleFacts;
use stt_eval_shared::wire::report::GroupKind;

use super::fields::{MAX_GROUPS, Parts};
use super::*;
use crate::services::results::selection::tests::run;

fn ended() -> Run {
    Run {
        status: stt_eval_shared::domain::run::RunStatus::Completed,
        ..run()
    }
}

fn with(run: &Run, normalizer: &str) -> Run {
    let (next, job) = run
        .rescored(normalizer.into(), Timestamp::default())
        .unwrap();
    next.switched(&job, Timestamp::default()).unwrap().0
}

#[test]
fn scorings_are_chosen_by_name_or_number() {
    let run = with(
        &with(&with(&ended(), "nfc-v1"), "indic-v1+fillers+nukta"),
        "nfc-v1",
    );
    let (pending, _) = run.rescored("raw-v1".into(), Timestamp::default()).unwrap();
    let id = |normalizer: Option<&str>, scoring| {
        let wanted = ReportQuestion {
            normalizer: normalizer.map(str::to_owned),
            scoring,
            ..ReportQuestion::default()
        };
        choose(&pending, &wanted).map(|scoring| scoring.id)
    };
    assert_eq!(id(None, None).unwrap(), 4);
    assert_eq!(id(Some("indic-v1"), None).unwrap(), 1);
    assert_eq!(id(Some("indic-v1+nukta+fillers"), None).unwrap(), 3);
    assert_eq!(id(Some("nfc-v1"), None).unwrap(), 4);
    assert_eq!(id(None, Some(2)).unwrap(), 2);
    // Under way, unknown, not there.
    for (normalizer, scoring, field) in [
        (Some("raw-v1"), None, "normalizer"),
        (Some("x"), None, "normalizer"),
        (None, Some(5), "scoring"),
        (None, Some(0), "scoring"),
    ] {
        let error = id(normalizer, scoring).unwrap_err();
        assert_eq!(
            (error.kind, &*error.fields[0].field),
            (Kind::Invalid, field)
        );
        assert!(
            error.fields[0].message.contains("4 (nfc-v1)"),
            "{}",
            error.fields[0].message
        );
    }
}

fn facts(values: &[Option<&str>]) -> Vec<SampleFacts> {
    let dataset = run().dataset;
    let fact = |(position, value): (u16, &Option<&str>)| SampleFacts {
        id: SampleId::new(dataset, position),
        language: "hi".into(),
        metadata: value
            .iter()
            .map(|v| ("speaker".to_owned(), (*v).to_owned()))
            .collect(),
        duration_seconds: 1.5,
        reference_version: 1,
        from_models: Vec::new(),
    };
    (0..).zip(values).map(fact).collect()
}

#[test]
fn a_client_that_has_to_ask_again_is_told_why() {
    let error = unfinished("report", 4_200, 10_000);
    assert_eq!((error.kind, error.retry_after), (Kind::Unfinished, Some(1)));
    assert!(error.message.contains("4200 of 10000 samples"), "{error:?}");
    let error = too_many();
    assert_eq!((error.kind, error.retry_after), (Kind::TooMany, Some(2)));
}

#[test]
fn a_run_under_way_has_one_report_however_far_it_is() {
    let run = run();
    let scoring = run.all_scorings().remove(0);
    let wanted = ReportQuestion::default();
    let now = live_key(&run, &scoring, &wanted);
    let further = Run {
        rev: run.rev + 1,
        ..run.clone()
    };
    assert_eq!(live_key(&further, &scoring, &wanted), now);
    let retried = Run {
        round: run.round + 1,
        ..run.clone()
    };
    assert_ne!(live_key(&retried, &scoring, &wanted), now);
    let grouped = ReportQuestion {
        group_by: Some("place".into()),
        ..ReportQuestion::default()
    };
    assert_ne!(live_key(&run, &scoring, &grouped), now);
}

#[test]
fn keys_change_with_everything_a_report_depends_on() {
    let run = ended();
    let scoring = run.all_scorings().remove(0);
    let wanted = |block_by: Option<&str>| ReportQuestion {
        block_by: block_by.map(str::to_owned),
        ..ReportQuestion::default()
    };
    let by_speaker = wanted(Some("speaker"));
    let fields =
        |values: &[Option<&str>]| Known::Read(Fields::new(&facts(values), &by_speaker).unwrap());
    let (one, two) = (fields(&[Some("a"), None]), fields(&[Some("b"), None]));
    let plain = key(&run, &scoring, &wanted(None), None);
    let others = [
        key(
            &Run {
                rev: run.rev + 1,
                ..run.clone()
            },
            &scoring,
            &wanted(None),
            None,
        ),
        key(
            &run,
            &Scoring {
                id: 2,
                ..scoring.clone()
            },
            &wanted(None),
            None,
        ),
        key(&run, &scoring, &by_speaker, Some(&one)),
        key(&run, &scoring, &by_speaker, Some(&two)),
        key(&run, &scoring, &by_speaker, Some(&Known::Counted(0))),
        key(&run, &scoring, &by_speaker, Some(&Known::Counted(1))),
    ];
    let all: std::collections::BTreeSet<&String> = others.iter().chain([&plain]).collect();
    assert_eq!(all.len(), 7);
    assert_eq!(plain, key(&run, &scoring, &wanted(None), None));
}

#[test]
fn blocks_hold_samples_together_and_leave_the_others_apart() {
    let wanted = ReportQuestion {
        block_by: Some("speaker".into()),
        ..ReportQuestion::default()
    };
    let fields = Fields::new(&facts(&[Some("a"), None, Some("a"), None]), &wanted).unwrap();
    assert_eq!(
        fields.blocks(&[0, 1, 2, 3]).unwrap(),
        ["=a", " 1", "=a", " 3"]
    );
    assert_eq!(fields.seconds(3), 1.5);
    let error = Fields::new(&facts(&[None, None]), &wanted).unwrap_err();
    assert_eq!(
        (error.kind, &*error.fields[0].field),
        (Kind::Invalid, "block_by")
    );
    assert!(
        Fields::new(&[], &ReportQuestion::default())
            .unwrap()
            .blocks(&[])
            .is_none()
    );
}

#[test]
fn rare_values_are_one_part() {
    let names: Vec<String> = (0..MAX_GROUPS + 3).map(|n| format!("v{n:02}")).collect();
    let mut given: Vec<Option<&str>> = names.iter().map(|name| Some(&**name)).collect();
    given.push(Some("v22"));
    given.push(None);
    let parts = Parts::new(&given, MAX_GROUPS);
    assert_eq!(parts.len(), MAX_GROUPS + 2);
    assert_eq!(
        parts.shared(parts.of(22)),
        (Some("v22".into()), GroupKind::Value)
    );
    assert_eq!(parts.of(22), 0);
    assert_eq!(
        parts.shared(parts.of(0)),
        (Some("v00".into()), GroupKind::Value)
    );
    assert_eq!(parts.shared(parts.of(21)), (None, GroupKind::Other));
    assert_eq!(parts.shared(parts.of(24)), (None, GroupKind::Missing));
    assert_eq!(parts.part("v22"), 0);
    assert_eq!(parts.shared(parts.part("never seen")).1, GroupKind::Other);
}
