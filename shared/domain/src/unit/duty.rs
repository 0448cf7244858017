//! What a unit that is due needs, by its state and by what its run wants of it.

use super::{Unit, UnitState};

/// What is to be done about a unit that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Find out what became of an intent.
    Search,
    /// Go on with a collection that broke off.
    TakeOver,
    /// End it: its run does not want it any more.
    Cancel,
    /// Send its message again, for it to be submitted.
    Submit,
    /// Free it from a worker that died at its calls, and send its message again.
    Resume,
    /// Ask the vendor for its batch.
    Observe,
    /// Nothing: it is done, or is being stopped.
    Nothing,
}

impl Unit {
    /// What it needs when it is due; its run `wants` it, or `counts` what it
    /// brings, or neither.
    ///
    /// An intent is looked for even when the unit is not wanted, for a batch may
    /// exist that was paid for; and what is being collected is counted to the end,
    /// for its outcomes may be written already.
    #[must_use]
    pub fn duty(&self, wanted: bool, counts: bool) -> Duty {
        match &self.state {
            UnitState::Creating { .. } => Duty::Search,
            UnitState::Collecting { .. } if counts => Duty::TakeOver,
            UnitState::Collecting { .. } => Duty::Cancel,
            _ if !wanted => Duty::Cancel,
            UnitState::Ready { .. } => Duty::Submit,
            UnitState::Calling { .. } => Duty::Resume,
            UnitState::Submitted { .. } => Duty::Observe,
            UnitState::Cancelling { .. }
            | UnitState::Collected
            | UnitState::Quarantined
            | UnitState::Cancelled => Duty::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, claimed, new};
    use super::*;

    #[test]
    fn an_intent_is_looked_for_whatever_its_run_wants() {
        let ready = new(at(0));
        assert_eq!(ready.duty(true, true), Duty::Submit);
        assert_eq!(ready.duty(false, true), Duty::Cancel);
        let intent = claimed(&ready, 1, at(0));
        for (wanted, counts) in [(true, true), (false, true), (false, false)] {
            assert_eq!(intent.duty(wanted, counts), Duty::Search);
        }
        let mut done = ready;
        done.state = UnitState::Collected;
        assert_eq!(done.duty(true, true), Duty::Nothing);
    }
}
