//! A unit that is being submitted, and how it ends before a job is made of it.

use std::time::Duration;

use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::failure::FailureCode;
use stt_eval_shared::domain::unit::{Ending, Event, Unit, UnitKind, Unsent, WaitingReason};
use stt_eval_shared::providers::CallError;
use stt_eval_shared::work::Failure;
use stt_eval_shared::work::after_start::AfterPrepare;
use stt_eval_shared::work::step::save;
use stt_eval_shared::{App, Deadline};

use super::held;
use super::turn::step_aside;

/// A unit that is being submitted.
pub(super) struct Work<'a> {
    pub(super) app: &'a App,
    /// As it was read or written last.
    pub(super) unit: Unit,
    pub(super) deadline: Deadline,
}

impl Work<'_> {
    pub(super) async fn refused_before_claim(&self, error: &CallError) -> Result<(), Failure> {
        let unit = &self.unit;
        tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a request document was not taken");
        match AfterPrepare::of(error) {
            AfterPrepare::Postpone {
                retry_after,
                reason,
            } => self.postpone(retry_after, reason).await,
            AfterPrepare::ForGood(code) => self.refused_for_good(code).await,
        }
    }

    async fn postpone(
        &self,
        retry_after: Option<Duration>,
        reason: WaitingReason,
    ) -> Result<(), Failure> {
        let event = Event::Postponed {
            retry_after,
            reason,
            failed: Vec::new(),
        };
        step_aside(self.app, &self.unit, event).await
    }

    /// The provider said something that ends the unit. Once is no proof: what
    /// stands between may have said it, and the run would have nothing.
    pub(super) async fn refused_for_good(&self, code: FailureCode) -> Result<(), Failure> {
        let policy = self.app.policy(&self.unit.vendor);
        if self.unit.is_refused_for_good(Timestamp::now(), &policy) {
            self.unsendable(code).await
        } else {
            step_aside(self.app, &self.unit, Event::Doubted).await
        }
    }

    pub(super) async fn unsendable(&self, code: FailureCode) -> Result<(), Failure> {
        self.end(Ending::nothing(code)).await
    }

    pub(super) async fn end(&self, ending: Ending) -> Result<(), Failure> {
        if self.unit.kind == UnitKind::Calls {
            return held::give_up(self.app, &self.unit, &ending).await;
        }
        let event = Event::Unsendable {
            ending,
            unsent: Vec::new(),
        };
        save(self.app, &self.unit, event).await.map(drop)
    }

    /// Not one item can be sent; each has its own reason.
    pub(super) async fn nothing_to_send(&self, unsent: Vec<Unsent>) -> Result<(), Failure> {
        let ending = Ending::nothing(FailureCode::NothingToSend);
        save(self.app, &self.unit, Event::Unsendable { ending, unsent })
            .await
            .map(drop)
    }
}
