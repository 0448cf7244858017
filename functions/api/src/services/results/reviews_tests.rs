//! What is counted, and what is no change.

use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::KeyId;

use super::*;

fn actor() -> Actor {
    Actor {
        project: "demo".parse().unwrap(),
        key: KeyId::mint(1, [1; 10]),
        role: Role::Reviewer,
        name: Some("Asha".into()),
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn verdict(verdict: Verdict) -> Change {
    Change {
        verdict: Some(Some(verdict)),
        ..Change::default()
    }
}

fn judgement(expected: Expected, step: Step) -> Judgement {
    let run = crate::services::results::selection::tests::run();
    Judgement {
        id: ResultId::new(run.id, 0, 4),
        expected,
        step,
    }
}

#[test]
fn judgements_are_counted_once() {
    let run = crate::services::results::selection::tests::run();
    let id = ResultId::new(run.id, 0, 4);
    let counts = |from, to| {
        let next = run.judged(&[(id.model(), from, to)], at(7));
        assert_eq!(next.rev, run.rev + 1);
        (next.models[0].correct, next.models[0].incorrect)
    };
    assert_eq!(counts(None, Some(true)), (4, 1));
    assert_eq!(counts(Some(true), Some(false)), (2, 2));
    assert_eq!(counts(Some(false), None), (3, 0));
    assert_eq!(counts(Some(true), Some(true)), (3, 1));
}

#[test]
fn an_empty_change_is_no_change() {
    assert!(check(ResultPatch::default()).is_err());
    let clears = ResultPatch {
        is_correct: Some(None),
        ..ResultPatch::default()
    };
    assert_eq!(check(clears.clone()).unwrap().verdict, Some(None));
    let field = |patch| check(patch).unwrap_err().fields[0].field.clone();
    let long = "x".repeat(MAX_COMMENT_CHARS + 1);
    let comment = ResultPatch {
        comment: Some(Some(long)),
        ..ResultPatch::default()
    };
    assert_eq!(field(comment), "comment");
    let twice = ResultPatch {
        verdict: Some(None),
        ..clears
    };
    assert_eq!(field(twice), "verdict");
    let listened = ResultPatch {
        listened: Some(Some(101)),
        ..ResultPatch::default()
    };
    assert_eq!(field(listened), "listened");
}

#[test]
fn what_is_sent_again_changes_nothing_and_what_is_taken_back_is_as_it_was() {
    let actor = actor();
    let say = |v| Step::Say(verdict(v));
    let first = judgement(Expected::Own(None), say(Verdict::Right));
    let right = after(None, &actor, &first, at(5)).unwrap().unwrap();
    assert_eq!((right.verdict, right.at), (Some(Verdict::Right), at(5)));
    assert_eq!(
        after(Some(right.clone()), &actor, &first, at(6)).unwrap(),
        None
    );
    // A client that does not say what it expects means it.
    let again = judgement(Expected::Any, say(Verdict::Right));
    assert!(
        after(Some(right.clone()), &actor, &again, at(6))
            .unwrap()
            .is_some()
    );
    let other = judgement(Expected::Own(Some(at(5))), say(Verdict::Wrong));
    let wrong = after(Some(right.clone()), &actor, &other, at(7))
        .unwrap()
        .unwrap();
    let back = |step_at, own: &Opinion| {
        let back = judgement(Expected::Any, Step::TakeBack(at(step_at)));
        after(Some(own.clone()), &actor, &back, at(9))
    };
    let taken = |step_at, own: &Opinion| back(step_at, own).unwrap();
    assert_eq!(taken(7, &wrong).unwrap().verdict, Some(Verdict::Right));
    assert!(!taken(5, &right).unwrap().says_something());
    // Sent twice: it is not that any more which stands there.
    assert_eq!(taken(7, &taken(7, &wrong).unwrap()), None);
    assert_eq!(taken(4, &right), None);
    // What was said anew since stands, and it is not said that it was taken back.
    assert_eq!(back(5, &wrong).unwrap_err().kind, Kind::Changed);
}

#[test]
fn who_proposes_a_reference_judges_as_before() {
    let actor = actor();
    let propose = Change {
        proposed: Some(Some("{a|b}".to_owned())),
        reasons: Some(vec![Reason::SpellingVariant]),
        ..Change::default()
    };
    let propose = judgement(Expected::Any, Step::Say(propose));
    let proposes = after(None, &actor, &propose, at(5)).unwrap().unwrap();
    assert_eq!(proposes.before_proposals(None), Some(None));
    // The form of the clip is older, and knows of no reason.
    let form = |own, verdict, reasons: &[Reason]| {
        let change = Change {
            verdict: Some(Some(verdict)),
            reasons: Some(reasons.to_vec()),
            ..Change::default()
        };
        let step = judgement(Expected::Own(None), Step::Say(change));
        let own: Option<Opinion> = own;
        after(own, &actor, &step, at(6)).unwrap().unwrap()
    };
    let right = form(Some(proposes.clone()), Verdict::Right, &[]);
    assert_eq!(right.reasons, [Reason::SpellingVariant]);
    assert_eq!(right.proposed.as_deref(), Some("{a|b}"));
    let wrong = form(Some(proposes), Verdict::Wrong, &[]);
    assert_eq!((wrong.vote(), &*wrong.reasons), (Some(false), &[][..]));
    // A verdict is one: a form from before it is out of date.
    assert_eq!(right.before_proposals(None), None);
    // A proposal after a verdict stays when that is taken back.
    let first = form(None, Verdict::Right, &[]);
    let later = after(Some(first), &actor, &propose, at(8))
        .unwrap()
        .unwrap();
    let back = judgement(Expected::Any, Step::TakeBack(at(6)));
    let left = after(Some(later), &actor, &back, at(9)).unwrap().unwrap();
    assert_eq!(
        (left.verdict, left.proposed.as_deref()),
        (None, Some("{a|b}"))
    );
}
