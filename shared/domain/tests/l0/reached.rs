//! What schedules came by. A simulation that never gets into trouble proves
//! nothing, so the test asserts that each of these was seen.

use stt_eval_domain::run::RunStatus;
use stt_eval_domain::unit::{Ending, Unit, UnitState, WaitingReason};

macro_rules! reached {
    ($($name:ident),* $(,)?) => {
        /// How many times each was seen.
        #[derive(Debug, Clone, Copy, Default)]
        pub struct Reached { $(pub $name: u64),* }

        impl Reached {
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }

            pub fn all(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name)),*]
            }
        }
    };
}

reached!(
    steps,
    crashes,
    timeouts,
    claims,
    second_claims,
    claims_denied,
    tardy,
    audited,
    second_attempts,
    third_attempts,
    adopted,
    quarantined,
    unsendable,
    expired,
    vanished,
    denied,
    odd_answers,
    doubted,
    refusals_doubted,
    overdue,
    stopping,
    late_results,
    resubmitted,
    without_output,
    cancelling,
    retries,
    asked_again,
    deletions,
    calls_begun,
    calls_made,
    calls_lost,
    calls_resumed,
    calls_abandoned,
    calls_unknown,
    access_lost,
    completed,
    failed,
    cancelled,
    deleted,
);

impl Reached {
    /// Notes the state that a unit is written in.
    pub fn note(&mut self, unit: &Unit) {
        match &unit.state {
            UnitState::Creating { .. } => {
                self.claims += 1;
                self.second_attempts += u64::from(unit.attempt == 2);
                self.third_attempts += u64::from(unit.attempt == 3);
            }
            UnitState::Collecting {
                ending: Ending::Nothing { code, .. },
                ..
            } => match code.as_str() {
                "provider_expired" => self.expired += 1,
                "provider_lost" => self.vanished += 1,
                "provider_timeout" => self.overdue += 1,
                "provider_no_output" => self.without_output += 1,
                _ if unit.attempt == 0 => self.unsendable += 1,
                _ => {}
            },
            UnitState::Ready { .. } => {
                let again = unit.waiting_reason == Some(WaitingReason::Resubmitting);
                self.resubmitted += u64::from(again);
            }
            UnitState::Submitted {
                stopping_since: Some(_),
                ..
            } => self.stopping += 1,
            UnitState::Quarantined => self.quarantined += 1,
            UnitState::Cancelling { .. } => self.cancelling += 1,
            _ => {}
        }
    }

    /// Notes how a run ended; `None` when nothing is left of it.
    pub fn note_end(&mut self, status: Option<RunStatus>) {
        match status {
            Some(RunStatus::Completed) => self.completed += 1,
            Some(RunStatus::Failed) => self.failed += 1,
            Some(RunStatus::Cancelled) => self.cancelled += 1,
            None => self.deleted += 1,
            Some(RunStatus::Pending | RunStatus::Processing) => {}
        }
    }
}
