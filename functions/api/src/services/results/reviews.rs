//! Reviews: what each reviewer says of results, changed together with the counts of the
//! run.

use futures::future::try_join_all;
use stt_eval_shared::App;
use stt_eval_shared::domain::result::ResultStatus;
use stt_eval_shared::domain::review::{
    Full, MAX_COMMENT_CHARS, Opinion, Queue, Reason, Review, Verdict,
};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::validate;
use stt_eval_shared::domain::{ResultId, RunId, Timestamp};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::results::Entry;
use stt_eval_shared::store::tries::Tries;
use stt_eval_shared::wire::results::ResultPatch;

use super::hidden::may_see;
use super::selection::{current, exists};
use crate::actor::Actor;
use crate::refusal::{Kind, Refusal};
use crate::services::datasets::draft::reference;
use crate::views::results::etag;

/// Changes of one result that can be taken back, beside the last.
const STEPS: usize = 4;

/// A change of what a reviewer says, checked. What is `None` stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// Verdict.
    pub verdict: Option<Option<Verdict>>,
    /// Remark.
    pub comment: Option<Option<String>>,
    /// Why.
    pub reasons: Option<Vec<Reason>>,
    /// A reference that would take it as well.
    pub proposed: Option<Option<String>>,
    /// How much was played before, in percent.
    pub listened: Option<Option<u8>>,
    /// Whether it is not known which model it was.
    pub blind: Option<bool>,
    /// The order in which it was met.
    pub queue: Option<Option<Queue>>,
}

/// Each once, in the order of [`Reason::ALL`].
#[must_use]
pub fn in_order(reasons: &[Reason]) -> Vec<Reason> {
    let given = Reason::ALL.into_iter();
    given.filter(|reason| reasons.contains(reason)).collect()
}

/// Checks a remark.
///
/// # Errors
/// When it is too long, or no text.
pub fn remark(field: &str, text: &str) -> Result<String, Refusal> {
    Ok(validate::text(field, text, MAX_COMMENT_CHARS)?)
}

/// Checks a reference that is proposed.
///
/// # Errors
/// When it could be none.
pub fn proposal(field: &str, text: &str) -> Result<String, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::invalid_field(field, "must not be empty"));
    }
    Ok(reference(field, text)?)
}

/// Checks a change.
///
/// # Errors
/// When it says nothing, or what can't be.
pub fn check(patch: ResultPatch) -> Result<Change, Refusal> {
    if patch == ResultPatch::default() {
        return Err(Refusal::invalid_field(
            "body",
            "give verdict or is_correct, comment, reasons, proposed_reference, or several of them",
        ));
    }
    let verdict = match (patch.verdict, patch.is_correct) {
        (Some(_), Some(_)) => {
            return Err(Refusal::invalid_field(
                "verdict",
                "says the same as is_correct; give one of the two",
            ));
        }
        (Some(verdict), None) => Some(verdict),
        (None, Some(Some(true))) => Some(Some(Verdict::Right)),
        (None, Some(Some(false))) => Some(Some(Verdict::Wrong)),
        (None, Some(None)) => Some(None),
        (None, None) => None,
    };
    if let Some(Some(101..)) = patch.listened {
        let message = "must be a percentage, at most 100";
        return Err(Refusal::invalid_field("listened", message));
    }
    let comment = match patch.comment {
        Some(Some(text)) => Some(Some(remark("comment", &text)?)),
        other => other,
    };
    let proposed = match patch.proposed_reference {
        Some(Some(text)) => Some(Some(proposal("proposed_reference", &text)?)),
        other => other,
    };
    Ok(Change {
        verdict,
        comment,
        reasons: patch
            .reasons
            .map(|reasons| in_order(&reasons.unwrap_or_default())),
        proposed,
        listened: patch.listened,
        blind: patch.blind,
        queue: patch.queue,
    })
}

/// The state that a change expects a result in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Whichever it is.
    Any,
    /// The one with one of these tags.
    OneOf(Vec<String>),
    /// The reviewer's own review was last changed then; `None`: there is none. What
    /// others say may have changed. A change that has been made already is none.
    Own(Option<Timestamp>),
}

impl Expected {
    /// Whether the state with this tag is expected. The tag is of what all say, which
    /// [`Expected::Own`] does not ask for.
    #[must_use]
    pub fn holds(&self, etag: &str) -> bool {
        match self {
            Self::Any | Self::Own(_) => true,
            Self::OneOf(tags) => tags.iter().any(|tag| tag == etag),
        }
    }
}

/// What a reviewer does.
#[derive(Debug, Clone)]
pub enum Step {
    /// Says something.
    Say(Change),
    /// Takes back what was said at that time; nothing, if it is not what stands there.
    TakeBack(Timestamp),
}

/// What a reviewer does with one result.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The result.
    pub id: ResultId,
    /// The state that is expected.
    pub expected: Expected,
    /// What is done.
    pub step: Step,
}

fn changed() -> Refusal {
    Refusal::new(
        Kind::Changed,
        "the result has changed since it was read; read it again and decide anew",
    )
}

/// What stands once what was said at a time is taken back; `None` when it is already, or was
/// not said of this.
///
/// # Errors
/// When something else was said since.
fn taken_back(own: Opinion, at: Timestamp, nothing: Opinion) -> Result<Option<Opinion>, Refusal> {
    let Some(Some(said)) = own.before_proposals(Some(at)) else {
        return match own.times().contains(&at) {
            true => Err(changed()),
            false => Ok(None),
        };
    };
    // It says when it was said at first: so that can be taken back next.
    let before = said.before.as_deref().cloned().unwrap_or(nothing);
    if own.at == at {
        return Ok(Some(before));
    }
    // What was proposed since is no part of it.
    Ok(Some(Opinion {
        reasons: in_order(&[&*before.reasons, &[Reason::SpellingVariant]].concat()),
        proposed: own.proposed,
        ..before
    }))
}

/// What a reviewer says after a step; `None` when nothing changes.
///
/// # Errors
/// See [`taken_back`].
fn after(
    own: Option<Opinion>,
    actor: &Actor,
    judgement: &Judgement,
    now: Timestamp,
) -> Result<Option<Opinion>, Refusal> {
    let nothing = || Opinion::nothing(actor.reviewer(), now);
    let change = match &judgement.step {
        Step::Say(change) => change,
        Step::TakeBack(at) => {
            return own.map_or(Ok(None), |own| taken_back(own, *at, nothing()));
        }
    };
    let known = own.as_ref().map(|own| own.at);
    let before = own.clone().unwrap_or_else(nothing);
    let verdict = change.verdict.unwrap_or(before.verdict);
    let mut reasons = change.reasons.clone().unwrap_or(before.reasons);
    // A form from before a proposal does not know the reason that came with it. Alone it would
    // make of “wrong” what counts as right.
    let is_alone = verdict == Some(Verdict::Wrong) && reasons.is_empty();
    let is_older = matches!(judgement.expected, Expected::Own(at) if at != known);
    if is_older && before.proposed.is_some() && !is_alone {
        reasons.push(Reason::SpellingVariant);
        reasons = in_order(&reasons);
    }
    let said = Opinion {
        reviewer: actor.reviewer(),
        verdict,
        reasons,
        comment: change.comment.clone().unwrap_or(before.comment),
        proposed: change.proposed.clone().unwrap_or(before.proposed),
        listened: change.listened.unwrap_or(before.listened),
        blind: change.blind.unwrap_or(before.blind),
        queue: change.queue.unwrap_or(before.queue),
        at: now,
        before: own.clone().map(|own| Box::new(own.with_recent(STEPS))),
    };
    let repeats = matches!(judgement.expected, Expected::Own(_))
        && own.map_or(!said.says_something(), |own| own.says_as(&said));
    Ok((!repeats).then_some(said))
}

/// A result after a judgement, and whether it has changed.
fn judge(
    run: &Run,
    actor: &Actor,
    judgement: &Judgement,
    entry: Option<Entry>,
    now: Timestamp,
) -> Result<(Entry, bool), Refusal> {
    let entry = entry.and_then(|entry| current(run, entry));
    let review = entry.as_ref().and_then(|entry| entry.review.as_ref());
    let outcome = entry.as_ref().map(|entry| &entry.outcome);
    if !judgement
        .expected
        .holds(&etag(judgement.id, outcome, review))
    {
        return Err(changed());
    }
    let Some(entry) = entry.filter(|e| e.outcome.status() == ResultStatus::Completed) else {
        return Err(Refusal::conflict(
            "feedback can be given on completed results only; this one is pending or failed",
        ));
    };
    let own = entry
        .review
        .as_ref()
        .and_then(|review| review.of(&actor.reviewer()));
    let known = own.as_ref().map(|own| own.at);
    let is_known = match judgement.expected {
        Expected::Own(at) => {
            let only_proposed = |own: &Opinion| own.before_proposals(at).is_some();
            at == known || own.as_ref().is_some_and(only_proposed)
        }
        Expected::Any | Expected::OneOf(_) => true,
    };
    let Some(said) = after(own, actor, judgement, now)? else {
        return Ok((entry, false));
    };
    if !is_known {
        return Err(changed());
    }
    let review = Review::with(entry.review.as_ref(), judgement.id, said).map_err(|Full| {
        Refusal::conflict("so much has been said of this result that it has no place for more")
    })?;
    Ok((
        Entry {
            review: Some(review),
            ..entry
        },
        true,
    ))
}

/// Changes what a reviewer says of results of one run, all or nothing, together with the
/// run's counts. Gives the run and the results, in the order of the judgements.
///
/// # Errors
/// When there is no such result, it is not what was expected, or it can't be judged.
pub async fn save(
    app: &App,
    actor: &Actor,
    run: RunId,
    judgements: &[Judgement],
) -> Result<(Run, Vec<Entry>), Refusal> {
    let no_such = || Refusal::no_such("result");
    let mut tries = Tries::default();
    loop {
        let run = app.store.run(&actor.project, run).await?;
        let run = run.ok_or_else(no_such)?;
        if !judgements
            .iter()
            .all(|judgement| exists(&run, judgement.id))
        {
            return Err(no_such());
        }
        let reads = judgements
            .iter()
            .map(|judgement| app.store.result(&actor.project, judgement.id));
        let read = try_join_all(reads).await?;
        let now = Timestamp::now();
        let (mut entries, mut reviews, mut moved) = (Vec::new(), Vec::new(), Vec::new());
        for (judgement, entry) in judgements.iter().zip(read) {
            let before = entry.as_ref().and_then(|entry| entry.review.as_ref());
            let before = before.and_then(|review| review.is_correct);
            let (entry, is_new) = judge(&run, actor, judgement, entry, now)?;
            if let Some(review) = entry.review.as_ref().filter(|_| is_new) {
                moved.push((judgement.id.model(), before, review.is_correct));
                reviews.push(review.clone());
            }
            entries.push(entry);
        }
        if reviews.is_empty() {
            return Ok((run, entries));
        }
        let next = run.judged(&moved, now);
        match app.store.save_reviews(&reviews, &next).await {
            Ok(()) => return Ok((next, entries)),
            // Another reviewer, or a unit that came in: look again.
            Err(error) => tries.after(error).await.map_err(refused)?,
        }
    }
}

fn refused(error: StoreError) -> Refusal {
    let soon = matches!(error, StoreError::Conflict);
    let refusal = Refusal::from(error);
    if soon {
        refusal.retry_after(1)
    } else {
        refusal
    }
}

/// Changes what a reviewer says of one result.
///
/// # Errors
/// See [`save`].
pub async fn save_one(
    app: &App,
    actor: &Actor,
    id: ResultId,
    expected: Expected,
    change: Change,
) -> Result<(Run, Entry), Refusal> {
    let judgement = Judgement {
        id,
        expected,
        step: Step::Say(change),
    };
    let (run, mut entries) = save(app, actor, id.run(), &[judgement]).await?;
    let entry = entries.pop().ok_or_else(|| Refusal::no_such("result"))?;
    Ok((run, entry))
}

/// What reviewers say of a result.
///
/// # Errors
/// When there is no such result, or its model is hidden.
pub async fn list(app: &App, actor: &Actor, id: ResultId) -> Result<Vec<Opinion>, Refusal> {
    let no_such = || Refusal::no_such("result");
    let run = app.store.run(&actor.project, id.run()).await?;
    let run = run.ok_or_else(no_such)?;
    if !exists(&run, id) {
        return Err(no_such());
    }
    may_see(app, actor, &run, id).await?;
    let entry = app.store.result(&actor.project, id).await?;
    let review = entry.and_then(|entry| entry.review);
    Ok(review.map(|review| review.opinions()).unwrap_or_default())
}

#[cfg(test)]
#[path = "reviews_tests.rs"]
mod tests;
