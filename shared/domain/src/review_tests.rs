//! What reviewers say, one after the other.

use serde_json::json;

use super::*;

fn key(entropy: u8) -> KeyId {
    KeyId::mint(1, [entropy; 10])
}

fn id() -> ResultId {
    ResultId::new(crate::RunId::mint(1, [1; 10]), 0, 4)
}

fn says(who: u8, verdict: Option<Verdict>, at: i64) -> Opinion {
    let reviewer = Reviewer {
        key: key(1),
        name: Some(format!("reviewer {who}")),
    };
    Opinion {
        verdict,
        ..Opinion::nothing(reviewer, Timestamp::from_millis(at))
    }
}

fn all(said: &[Opinion]) -> Option<Review> {
    said.iter().fold(None, |review: Option<Review>, opinion| {
        Some(Review::with(review.as_ref(), id(), opinion.clone()).unwrap())
    })
}

#[test]
fn who_took_a_verdict_back_may_know_whose_it_was() {
    let (asha, ravi) = (says(1, Some(Verdict::Wrong), 1), says(2, None, 2));
    let remarked = Opinion {
        comment: Some("noise".to_owned()),
        ..ravi.clone()
    };
    let both = all(&[asha.clone(), remarked]).unwrap();
    assert!(both.had_verdict_of(&asha.reviewer) && !both.had_verdict_of(&ravi.reviewer));
    // Taken back, and what others say after it.
    let back = Review::with(Some(&both), id(), says(1, None, 3)).unwrap();
    let back = Review::with(Some(&back), id(), ravi.clone()).unwrap();
    assert!(back.opinions().is_empty() && back.is_correct.is_none());
    assert!(back.had_verdict_of(&asha.reviewer) && !back.had_verdict_of(&ravi.reviewer));
    let kept: Review = serde_json::from_str(&serde_json::to_string(&back).unwrap()).unwrap();
    assert_eq!(kept, back);
}

#[test]
fn the_majority_decides_and_a_tie_leaves_it_open() {
    use Verdict::{CannotTell, Right, Wrong};
    for (verdicts, found) in [
        (vec![Right], Some(true)),
        (vec![Right, Wrong], None),
        (vec![Right, Wrong, Wrong], Some(false)),
        (vec![CannotTell], None),
        (vec![CannotTell, CannotTell, Right], Some(true)),
    ] {
        let said = verdicts.iter().zip(1u8..);
        let said: Vec<_> = said
            .map(|(verdict, who)| says(who, Some(*verdict), i64::from(who)))
            .collect();
        let review = all(&said).unwrap();
        assert_eq!(review.is_correct, found, "{verdicts:?}");
        assert_eq!(review.opinions().len(), verdicts.len());
    }
}

#[test]
fn a_name_is_of_one_person_however_it_is_typed() {
    let named = |name: &str| Opinion {
        verdict: Some(Verdict::Right),
        ..Opinion::nothing(
            Reviewer {
                key: key(1),
                name: Some(name.to_owned()),
            },
            Timestamp::from_millis(1),
        )
    };
    let said = ["qa", "QA", " Qa ", "Q A", "श्री"].map(named);
    let review = all(&said).unwrap();
    let names: Vec<_> = review.opinions();
    let names: Vec<_> = names.into_iter().filter_map(|o| o.reviewer.name).collect();
    assert_eq!(names, [" Qa ", "Q A", "श्री"]);
    let other = Reviewer {
        key: key(2),
        name: Some("qa".to_owned()),
    };
    assert!(review.of(&other).is_none());
}

#[test]
fn a_spelling_alone_makes_nothing_wrong() {
    let mut said = says(1, Some(Verdict::Wrong), 1);
    said.reasons = vec![Reason::SpellingVariant];
    assert_eq!(said.vote(), Some(true));
    said.reasons.push(Reason::Name);
    assert_eq!(said.vote(), Some(false));
}

#[test]
fn each_changes_what_they_said_and_nothing_of_others() {
    let mut first = says(1, Some(Verdict::Right), 1);
    first.comment = Some("clear".into());
    let second = says(2, Some(Verdict::Wrong), 2);
    let review = all(&[first.clone(), second.clone()]).unwrap();
    assert_eq!((review.rev, review.comment.as_deref()), (2, Some("clear")));
    assert_eq!(review.reviewed_at, Timestamp::from_millis(2));
    let gone = Review::with(Some(&review), id(), says(1, None, 3)).unwrap();
    assert_eq!(gone.opinions(), [second]);
    assert_eq!((gone.is_correct, gone.comment), (Some(false), None));
    let empty = Review::with(None, id(), says(1, None, 3)).unwrap();
    assert_eq!(empty.opinions(), []);
}

#[test]
fn what_the_first_release_left_is_what_one_reviewer_said() {
    let left = json!({
        "id": id(), "is_correct": false, "comment": "kept", "reviewed_by": key(1),
        "reviewed_at": Timestamp::from_millis(7), "rev": 3,
    });
    let left: Review = serde_json::from_value(left).unwrap();
    let reviewer = Reviewer {
        key: key(1),
        name: None,
    };
    let own = left.of(&reviewer).unwrap();
    assert_eq!(
        (own.verdict, own.comment.as_deref()),
        (Some(Verdict::Wrong), Some("kept"))
    );
    let both = Review::with(Some(&left), id(), says(2, Some(Verdict::Right), 8)).unwrap();
    assert_eq!((both.is_correct, both.rev), (None, 4));
    assert_eq!(both.opinions().len(), 2);
    let cleared = Review {
        is_correct: None,
        comment: None,
        ..left
    };
    assert_eq!(cleared.opinions(), []);
}

#[test]
fn a_result_has_place_for_some() {
    let all = (0..100u8).fold(None, |review: Option<Review>, who| {
        let said = says(who, Some(Verdict::Right), 1);
        Some(Review::with(review.as_ref(), id(), said).unwrap())
    });
    let more = says(200, Some(Verdict::Right), 1);
    assert_eq!(Review::with(all.as_ref(), id(), more), Err(Full));
    let mut proposes = says(1, None, 1);
    proposes.proposed = Some("{a|b}".into());
    let kept = Review::with(None, id(), proposes.clone()).unwrap();
    assert_eq!((kept.is_correct, kept.opinions()), (None, vec![proposes]));
    let mut long = says(1, None, 1);
    long.comment = Some("x".repeat(MAX_COMMENT_BYTES + 1));
    assert_eq!(Review::with(None, id(), long), Err(Full));
}

#[test]
fn names_are_those_that_are_stored() {
    for reason in Reason::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
    }
    for queue in Queue::ALL {
        assert_eq!(serde_json::to_value(queue).unwrap(), queue.name());
    }
    for verdict in [Verdict::Right, Verdict::Wrong, Verdict::CannotTell] {
        assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.name());
    }
}
