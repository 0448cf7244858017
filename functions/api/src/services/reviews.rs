//! Feedback of reviewers on results.

use http::HeaderMap;
use http::header::IF_MATCH;
use stt_eval_shared::App;
use stt_eval_shared::domain::result::{MAX_COMMENT_CHARS, ResultStatus, Review};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::validate;
use stt_eval_shared::domain::{ResultId, Timestamp};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::results::Entry;

use super::results::{current, exists};
use super::{ATTEMPTS, pause};
use crate::auth::Tenant;
use crate::dto::results::{ResultPatch, etag};
use crate::error::ApiError;

/// A change of feedback, checked.
#[derive(Debug)]
pub struct Change {
    is_correct: Option<Option<bool>>,
    comment: Option<Option<String>>,
}

/// Checks a change of feedback.
pub fn check(patch: ResultPatch) -> Result<Change, ApiError> {
    if patch.is_correct.is_none() && patch.comment.is_none() {
        return Err(ApiError::invalid_field(
            "body",
            "give is_correct, comment, or both",
        ));
    }
    let comment = match patch.comment {
        Some(Some(text)) => Some(Some(
            validate::text("comment", &text, MAX_COMMENT_CHARS).map_err(|e| vec![e])?,
        )),
        other => other,
    };
    Ok(Change {
        is_correct: patch.is_correct,
        comment,
    })
}

/// Whether a result is in a state that `If-Match` names.
fn matches(headers: &HeaderMap, etag: &str) -> bool {
    let mut given = headers.get_all(IF_MATCH).iter().peekable();
    if given.peek().is_none() {
        return true;
    }
    given
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| {
            let tag = tag.trim();
            // A weak tag never matches: it says "about the same".
            tag == "*"
                || tag == etag
                || tag.strip_prefix('"').and_then(|t| t.strip_suffix('"')) == Some(etag)
        })
}

/// Moves one judgement between a run's counts.
fn recount(run: &Run, id: ResultId, from: Option<bool>, to: Option<bool>, now: Timestamp) -> Run {
    let mut run = Run {
        updated_at: now,
        rev: run.rev + 1,
        ..run.clone()
    };
    if let Some(provider) = run.providers.get_mut(usize::from(id.provider())) {
        match from {
            Some(true) => provider.correct = provider.correct.saturating_sub(1),
            Some(false) => provider.incorrect = provider.incorrect.saturating_sub(1),
            None => {}
        }
        match to {
            Some(true) => provider.correct += 1,
            Some(false) => provider.incorrect += 1,
            None => {}
        }
    }
    run
}

/// Changes the feedback of a result together with the run's counts.
pub async fn save(
    app: &App,
    tenant: &Tenant,
    id: ResultId,
    headers: &HeaderMap,
    change: &Change,
) -> Result<(Run, Entry), ApiError> {
    let no_such = || ApiError::no_such("result");
    for attempt in 0..ATTEMPTS {
        let run = app
            .store
            .run(&tenant.project, id.run())
            .await?
            .ok_or_else(no_such)?;
        if !exists(&run, id) {
            return Err(no_such());
        }
        let entry = app.store.result(&tenant.project, id).await?;
        let entry = entry.and_then(|entry| current(&run, entry));
        let review = entry.as_ref().and_then(|entry| entry.review.as_ref());
        let tag = etag(id, entry.as_ref().map(|entry| &entry.outcome), review);
        if !matches(headers, &tag) {
            return Err(ApiError::new(
                http::StatusCode::PRECONDITION_FAILED,
                "the result has changed since it was read; read it again and decide anew",
            ));
        }
        let Some(entry) = entry.filter(|e| e.outcome.status() == ResultStatus::Completed) else {
            return Err(ApiError::conflict(
                "feedback can be given on completed results only; this one is pending or failed",
            ));
        };
        let now = Timestamp::now();
        let before = entry.review.as_ref().and_then(|review| review.is_correct);
        let remark = entry
            .review
            .as_ref()
            .and_then(|review| review.comment.clone());
        let review = Review {
            id,
            is_correct: change.is_correct.unwrap_or(before),
            comment: change.comment.clone().unwrap_or(remark),
            reviewed_by: tenant.key,
            reviewed_at: now,
            rev: entry.review.as_ref().map_or(1, |review| review.rev + 1),
        };
        let next = recount(&run, id, before, review.is_correct, now);
        match app.store.save_review(&tenant.project, &review, &next).await {
            Ok(()) => {
                return Ok((
                    next,
                    Entry {
                        review: Some(review),
                        ..entry
                    },
                ));
            }
            // Another reviewer, or a unit that came in: look again.
            Err(StoreError::Conflict) => pause(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::from(StoreError::Conflict).retry_after(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_names_the_state() {
        let given = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(IF_MATCH, value.parse().unwrap());
            }
            matches(&headers, "ab12")
        };
        for good in [
            &[] as &[&str],
            &["ab12"],
            &["\"ab12\""],
            &["*"],
            &["\"x\", \"ab12\""],
            &["x", "ab12"],
        ] {
            assert!(given(good), "{good:?}");
        }
        for bad in [
            &[""] as &[&str],
            &["ab1"],
            &["W/\"ab12\""],
            &["\"ab12"],
            &["\"x\",\"y\""],
        ] {
            assert!(!given(bad), "{bad:?}");
        }
    }

    #[test]
    fn judgements_are_counted_once() {
        let run = super::super::results::tests::run();
        let id = ResultId::new(run.id, 0, 4);
        let now = Timestamp::from_millis(7);
        let counts = |from, to| {
            let next = recount(&run, id, from, to, now);
            assert_eq!(next.rev, run.rev + 1);
            (next.providers[0].correct, next.providers[0].incorrect)
        };
        assert_eq!(counts(None, Some(true)), (4, 1));
        assert_eq!(counts(Some(true), Some(false)), (2, 2));
        assert_eq!(counts(Some(false), None), (3, 0));
        assert_eq!(counts(Some(true), Some(true)), (3, 1));
    }

    #[test]
    fn an_empty_change_is_no_change() {
        assert!(
            check(ResultPatch {
                is_correct: None,
                comment: None
            })
            .is_err()
        );
        assert!(
            check(ResultPatch {
                is_correct: Some(None),
                comment: None
            })
            .is_ok()
        );
        let long = "x".repeat(MAX_COMMENT_CHARS + 1);
        let error = check(ResultPatch {
            is_correct: None,
            comment: Some(Some(long)),
        })
        .unwrap_err();
        assert_eq!(error.fields[0].field, "comment");
    }
}
