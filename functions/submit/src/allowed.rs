//! What a worker may do of what its vendor allows: taken from the account's record at the
//! beginning of a unit of calls, kept to in memory, and told to the next worker at the end
//! (see `domain::allowance`).

use std::time::Duration;

use stt_eval_shared::App;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::allowance::{Allowance, Cost, Rates, ToldLimits, Turn};
use stt_eval_shared::domain::pace::{LONGEST_HOLD, Pace};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::allowance::Account;
use stt_eval_shared::store::tries::Tries;
use stt_eval_shared::work::Failure;

/// Tries of a change of an account's record, beside other workers.
const TRIES: u32 = 10;

/// What one worker may do.
pub(crate) struct Allowed<'a> {
    app: &'a App,
    of: Account<'a>,
    mine: Allowance,
    began: Timestamp,
    number: u64,
    taken: Cost,
    used: Cost,
}

impl<'a> Allowed<'a> {
    /// Takes what a unit costs. An error is how long its first call would have to wait,
    /// where that is longer than a worker waits with a unit in hand.
    pub(crate) async fn begin(
        app: &'a App,
        of: Account<'a>,
        rates: &Rates,
        first: Cost,
        whole: Cost,
    ) -> Result<Result<Self, Duration>, Failure> {
        let mut tries = Tries::of(TRIES);
        loop {
            let now = Timestamp::now();
            let kept = app.store.allowance(&of).await?;
            let mine = kept.unwrap_or_default().under(rates, now);
            let wait = mine.wait(first, now);
            if wait > LONGEST_HOLD {
                return Ok(Err(wait));
            }
            let mut begun = Self {
                app,
                of,
                mine,
                began: now,
                number: 0,
                taken: Cost::default(),
                used: Cost::default(),
            };
            if !begun.mine.is_shared() {
                return Ok(Ok(begun));
            }
            let mut rest = begun.mine.clone();
            begun.number = rest.begin(whole, now);
            begun.taken = whole;
            match app.store.save_allowance(&of, &rest).await {
                Ok(()) => return Ok(Ok(begun)),
                Err(error) => tries.after(error).await?,
            }
        }
    }

    /// How many calls may be under way, of so many at most.
    pub(crate) fn lanes(&self, most: usize) -> usize {
        self.mine.lanes(most, self.began)
    }

    /// How long a call of that cost may not begin.
    pub(crate) fn wait(&self, cost: Cost, now: Timestamp) -> Duration {
        self.mine.wait(cost, now)
    }

    /// A call begins.
    pub(crate) fn take(&mut self, cost: Cost, now: Timestamp) {
        self.mine.take(cost, now);
        self.used = self.used.and(cost);
    }

    /// An answer said this.
    pub(crate) fn hear(&mut self, told: &ToldLimits, now: Timestamp) {
        self.mine.hear(told, now);
    }

    /// Tells the next worker. Where that fails it learns the same for itself, and what was
    /// not used fills again: so nothing fails for it.
    pub(crate) async fn end(self, pace: &Pace, most: usize) {
        let (app, of) = (self.app, self.of);
        let turn = Turn {
            began: self.began,
            number: self.number,
            taken: self.taken,
            used: self.used,
            heard: self.mine,
            lanes: pace.lanes(),
            most,
            not_before: pace.not_before(),
        };
        let mut tries = Tries::of(TRIES);
        loop {
            let told = async {
                let kept = app.store.allowance(&of).await?;
                match Allowance::settled(kept.as_ref(), &turn, Timestamp::now()) {
                    Some(next) => app.store.save_allowance(&of, &next).await,
                    None => Ok(()),
                }
            };
            match told.await {
                Ok(()) => return,
                Err(StoreError::Conflict) if tries.again().await => {}
                Err(error) => {
                    tracing::warn!(%error, vendor = of.vendor, "what was learnt of a vendor's limits is not kept");
                    return;
                }
            }
        }
    }
}
