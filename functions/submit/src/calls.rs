//! Units of a vendor that answers each item in its call: several calls at a
//! time, each with an intent of its own. With `create` the only place where
//! money is spent.
//!
//! Nothing can be looked up afterwards. So before a request leaves its intent is
//! written, and an intent without an answer that a dead worker left behind is
//! never made again: the item ends as "unknown" (see [`Call`]). What that costs
//! is one item, and at most as many as were under way.

use std::collections::VecDeque;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use stt_eval_shared::config::VendorLimits;
use stt_eval_shared::domain::allowance::{Cost, ToldLimits};
use stt_eval_shared::domain::call::{Call, CallOutcome};
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::failure::FailureCode;
use stt_eval_shared::domain::pace::{LONGEST_HOLD, Pace};
use stt_eval_shared::domain::transcribe::ModelConfig;
use stt_eval_shared::domain::unit::{Ending, Pause, Unit, WaitingReason};
use stt_eval_shared::domain::{ResultId, Timestamp};
use stt_eval_shared::providers::{
    AnyModel, CallAnswer, CallError, CallItem, Calls, Credential, Rejection,
};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::allowance::Account;
use stt_eval_shared::store::tries::Tries;
use stt_eval_shared::work::Failure;
use stt_eval_shared::{App, Deadline};

use super::allowed::Allowed;
use super::held::HeldUnit;
use super::outgoing::Leaving;
use super::taken::{Taken, taken};

/// What must be left of a worker's life besides a call: to write what came of it.
const TO_RECORD: Duration = Duration::from_secs(30);
/// How long is waited after a first "too many requests" that names no time.
const FIRST_HOLD: Duration = Duration::from_secs(1);
/// How often an answer that was paid for is tried to be written.
const WRITES: u32 = 5;
/// Lost answers in a row after which no more is risked for now.
const LOST_IN_A_ROW: u32 = 2;

/// What the items of a unit are called with.
pub(crate) struct Caller<'a> {
    pub(crate) app: &'a App,
    pub(crate) model: &'a AnyModel<'a>,
    pub(crate) client: &'a dyn Calls,
    pub(crate) credential: &'a Credential,
    pub(crate) config: &'a ModelConfig,
    pub(crate) limits: &'a VendorLimits,
    pub(crate) leaving: Leaving,
    pub(crate) deadline: Deadline,
}

/// An item that is still to be called for.
struct Open<'a> {
    sample: &'a Sample,
    taken: Taken,
    /// What earlier calls came to.
    known: Option<Call>,
}

/// What an item's call means for those after it.
#[derive(Debug, Clone, PartialEq)]
enum Next {
    /// It has an answer, beside which the vendor told this of its limits.
    Landed(ToldLimits),
    /// It has none, and that is its own affair.
    GoOn,
    /// It was not done, for a reason of its own, and is asked for again later.
    Again,
    /// Its answer is lost, or can't be read.
    Lost(WaitingReason),
    /// It was one too many, and is asked for again after a while.
    Slower(Option<Duration>),
    /// No further calls for now.
    Stop(Pause),
    /// The unit is another worker's, or of no use any more.
    Gone,
}

impl Caller<'_> {
    /// Calls for what is open of a unit, as far as time allows.
    pub(crate) async fn call(&self, unit: &Unit, samples: &[Sample]) -> Result<(), Failure> {
        let app = self.app;
        let Some(held) = HeldUnit::begin(
            app,
            unit,
            &self.credential.id,
            self.client.is_free(self.config),
        )
        .await?
        else {
            return Ok(());
        };
        // In this turn: an earlier answer says nothing of refusals since.
        let mut landed = false;
        let (mut open, mut unsent) = (VecDeque::new(), Vec::new());
        for sample in samples {
            let known = held.known(sample.id.position());
            if known.is_none_or(Call::is_open) {
                let known = known.cloned();
                match taken(self.model, sample) {
                    Ok(taken) => open.push_back(Open {
                        sample,
                        taken,
                        known,
                    }),
                    Err(item) => unsent.push(item),
                }
            }
        }
        let (mut stop, mut failed, mut lost, mut again) = (None, None, 0, None);
        let mut under_way = FuturesUnordered::new();
        let Some(first) = open.front() else {
            return held
                .finish(app, unsent, &Ending::nothing(FailureCode::SampleMissing))
                .await;
        };
        let whole = open.iter().map(cost).fold(Cost::default(), Cost::and);
        let account = self.account(unit);
        let begun = Allowed::begin(app, account, &self.limits.rates, cost(first), whole).await?;
        let mut allowed = match begun {
            Ok(allowed) => allowed,
            // Others have used it up, or were told to wait.
            Err(wait) => return held.pause(app, false, limited(Some(wait))).await,
        };
        let most = self.limits.lanes();
        let hold = app.config.policy.refusal_pause.min(FIRST_HOLD);
        let mut pace = Pace::new(allowed.lanes(most), most, hold);
        let to_record = TO_RECORD + self.leaving.longest();
        loop {
            let mut hold = Duration::ZERO;
            while stop.is_none() && failed.is_none() && under_way.len() < pace.lanes() {
                let Some(next) = open.front() else {
                    break;
                };
                let (now, cost) = (Timestamp::now(), cost(next));
                hold = pace.held(now).max(allowed.wait(cost, now));
                if hold > LONGEST_HOLD {
                    stop = Some(Next::Stop(limited(Some(hold))));
                }
                if !hold.is_zero() {
                    break;
                }
                if !self.deadline.allows(self.longest(next.sample) + to_record) {
                    stop = Some(Next::Stop(Pause::Interrupted));
                    break;
                }
                let Some(item) = open.pop_front() else {
                    break;
                };
                allowed.take(cost, now);
                let call = self.one(&held, item);
                under_way.push(async move { (now, call.await) });
            }
            let holds = !hold.is_zero() && !open.is_empty() && stop.is_none() && failed.is_none();
            // Each one to its end, whatever becomes of the others: it is paid for.
            let (began, next) = tokio::select! {
                biased;
                Some(ended) = under_way.next() => ended,
                () = tokio::time::sleep(hold), if holds => continue,
                else => break,
            };
            match next {
                Ok((_, Next::Landed(told))) => {
                    (landed, lost) = (true, 0);
                    pace.landed();
                    allowed.hear(&told, Timestamp::now());
                }
                Ok((_, Next::GoOn)) => {}
                Ok((_, Next::Again)) => again = Some(WaitingReason::Other),
                Ok((_, Next::Lost(reason))) => {
                    lost += 1;
                    if self.client.is_free(self.config) {
                        again = Some(reason);
                    }
                    if lost >= LOST_IN_A_ROW && stop.is_none() {
                        stop = Some(Next::Stop(refused(reason)));
                    }
                }
                Ok((item, Next::Slower(retry_after))) => {
                    if !pace.limited(began, retry_after, Timestamp::now()) && stop.is_none() {
                        stop = Some(Next::Stop(limited(retry_after)));
                    }
                    open.push_front(item);
                }
                Ok((_, next)) => stop = Some(next),
                Err(error) => failed = Some(error),
            }
        }
        drop(under_way);
        allowed.end(&pace, most).await;
        if let Some(error) = failed {
            return Err(error);
        }
        match (stop, again) {
            (Some(Next::Gone), _) => Ok(()),
            (Some(Next::Stop(why)), _) => held.pause(app, landed, why).await,
            // Audio that could not be read, or what a free provider lost.
            (_, Some(reason)) => held.pause(app, landed, refused(reason)).await,
            _ => {
                let gone = Ending::nothing(FailureCode::SampleMissing);
                held.finish(app, unsent, &gone).await
            }
        }
    }

    /// How long a call for an item may take: twice its audio, within bounds.
    fn longest(&self, sample: &Sample) -> Duration {
        let most = self.app.config.bounds.call_timeout;
        let least = self.client.shortest_time_out().min(most);
        let twice = Duration::try_from_secs_f64(sample.duration_seconds * 2.0);
        twice.unwrap_or(most).clamp(least, most)
    }

    /// Whose allowance the unit's calls are taken from.
    fn account<'u>(&'u self, unit: &'u Unit) -> Account<'u> {
        Account {
            project: (!self.limits.pooled).then_some(&unit.project),
            vendor: &unit.vendor,
            credential: &self.credential.id,
            model: self.model.id,
        }
    }

    /// One item: intent, request, answer, outcome; in this order. Gives it back with what
    /// is known of it now.
    async fn one<'s>(&self, held: &HeldUnit, item: Open<'s>) -> Result<(Open<'s>, Next), Failure> {
        let (app, unit) = (self.app, &held.unit);
        let sample = item.sample;
        // Before the intent: an intent is of a request that leaves at once.
        let leaving = self.leaving.outgoing(app, self.model, sample, &item.taken);
        let sent = leaving.await;
        // People may have stopped the run meanwhile.
        let stored = app.store.unit(&unit.project, unit.run, unit.key).await?;
        if stored.is_none_or(|stored| stored.rev != unit.rev) {
            return Ok((item, Next::Gone));
        }
        let position = sample.id.position();
        let now = Timestamp::now();
        let intent = match &item.known {
            Some(call) => call.again(held.fence, now),
            None => Some(Call::first(
                unit.project.clone(),
                unit.run,
                unit.key,
                position,
                held.fence,
                now,
            )),
        };
        let Some(intent) = intent else {
            return Ok((item, Next::GoOn));
        };
        match app.store.save_call(&intent).await {
            Ok(()) => {}
            Err(StoreError::Conflict) => return Ok((item, Next::Gone)),
            Err(error) => return Err(error.into()),
        }
        let request = CallItem {
            key: &ResultId::new(unit.run, unit.key.model, position).to_string(),
            audio: &*sent.audio,
            file_name: &sent.taken.file_name(sample),
            mime_type: sent.taken.mime_type,
            language: &sample.language,
            language_code: item.taken.language_code,
            duration_seconds: sample.duration_seconds,
        };
        let calling = self.client.call(self.credential, &request, self.config);
        let answer = match tokio::time::timeout(self.longest(sample), calling).await {
            Ok(answer) => answer,
            Err(_) => Err(CallError::Ambiguous {
                message: "no answer in time".into(),
            }),
        };
        let (outcome, next) = match answer {
            Ok(CallAnswer { line, limits }) => {
                self.keep(&intent, &line.0).await?;
                (CallOutcome::Landed, Next::Landed(limits))
            }
            Err(error) => {
                tracing::warn!(run_id = %unit.run, unit_id = %unit.key, position, %error, "a call brought no answer");
                meaning(&error)
            }
        };
        let settled = intent.settled(outcome, self.client.is_free(self.config));
        match app.store.save_call(&settled).await {
            Ok(()) => {
                let known = Some(settled);
                Ok((Open { known, ..item }, next))
            }
            // Taken for dead, by a worker that found the answer or none.
            Err(StoreError::Conflict) => Ok((item, Next::Gone)),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes an answer that was paid for, more stubbornly than anything else.
    async fn keep(&self, intent: &Call, line: &[u8]) -> Result<(), Failure> {
        let mut tries = Tries::of(WRITES);
        loop {
            match self.app.store.save_answer(intent, line).await {
                Err(StoreError::Unavailable(_)) if tries.again().await => {}
                kept => return Ok(kept?),
            }
        }
    }
}

/// What a call for an item costs of what the vendor allows.
fn cost(open: &Open<'_>) -> Cost {
    Cost::of_call(open.sample.duration_seconds)
}

fn limited(retry_after: Option<Duration>) -> Pause {
    Pause::Limited {
        retry_after,
        reason: WaitingReason::ProviderRateLimited,
    }
}

fn refused(reason: WaitingReason) -> Pause {
    Pause::Refused {
        retry_after: None,
        reason,
    }
}

/// What an error says of its item, and of the calls after it.
fn meaning(error: &CallError) -> (CallOutcome, Next) {
    let refused_now = CallOutcome::NotDone;
    let person = |reason| {
        Next::Stop(Pause::Limited {
            retry_after: None,
            reason,
        })
    };
    match error {
        CallError::Ambiguous { .. } => (
            CallOutcome::Unknown,
            Next::Lost(WaitingReason::ProviderUnreachable),
        ),
        CallError::Unreadable { .. } => (
            CallOutcome::Unusable,
            Next::Lost(WaitingReason::AnswerUnusable),
        ),
        CallError::Input { .. } => (
            CallOutcome::NotSent(FailureCode::AudioUnreadable),
            Next::Again,
        ),
        CallError::Rejected { kind, .. } => match kind {
            Rejection::Unauthorized => (refused_now, person(WaitingReason::ProviderKeyRefused)),
            Rejection::Quota { retry_after } => (refused_now, Next::Slower(*retry_after)),
            Rejection::OutOfCredit => (refused_now, person(WaitingReason::ProviderOutOfCredit)),
            Rejection::Unreachable => (
                refused_now,
                Next::Stop(refused(WaitingReason::ProviderUnreachable)),
            ),
            Rejection::AddressRefused => (
                CallOutcome::Refused(FailureCode::AddressRefused),
                Next::GoOn,
            ),
            Rejection::Redirected => (
                CallOutcome::Refused(FailureCode::ProviderRedirected),
                Next::GoOn,
            ),
            Rejection::NotFound => (
                CallOutcome::Refused(FailureCode::ProviderModelUnavailable),
                Next::GoOn,
            ),
            Rejection::InputGone | Rejection::Exists | Rejection::Invalid => (
                CallOutcome::Refused(FailureCode::ProviderRefusedAudio),
                Next::GoOn,
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(kind: Rejection) -> CallError {
        CallError::not_sent(kind, "no")
    }

    #[test]
    fn only_what_was_certainly_not_done_is_called_again() {
        let again = [
            rejected(Rejection::Unauthorized),
            rejected(Rejection::OutOfCredit),
            rejected(Rejection::Unreachable),
        ];
        for error in again {
            let (outcome, next) = meaning(&error);
            assert!(matches!(outcome, CallOutcome::NotDone), "{error}");
            assert!(matches!(next, Next::Stop(_)), "{error}");
        }
        let retry_after = Some(Duration::from_secs(7));
        let one_too_many = meaning(&rejected(Rejection::Quota { retry_after }));
        assert_eq!(
            one_too_many,
            (CallOutcome::NotDone, Next::Slower(retry_after))
        );
        let lost = CallError::Ambiguous {
            message: "reset".into(),
        };
        let away = Next::Lost(WaitingReason::ProviderUnreachable);
        assert_eq!(meaning(&lost), (CallOutcome::Unknown, away));
        let odd = CallError::Unreadable {
            message: "HTML".into(),
        };
        let odd = meaning(&odd);
        assert_eq!(
            odd,
            (
                CallOutcome::Unusable,
                Next::Lost(WaitingReason::AnswerUnusable)
            )
        );
        for kind in [Rejection::Invalid, Rejection::NotFound] {
            let (outcome, next) = meaning(&rejected(kind));
            assert!(matches!(outcome, CallOutcome::Refused(_)));
            assert_eq!(next, Next::GoOn);
        }
    }
}
