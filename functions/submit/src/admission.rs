//! Admission at the provider: a unit is only submitted while its credential stays
//! under the provider's limits. The rest waits, the oldest first (see
//! `domain::admission`).

use std::collections::BTreeMap;

use stt_eval_shared::App;
use stt_eval_shared::config::VendorLimits;
use stt_eval_shared::crypto::random;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::admission::{Admission, Answer, Demand, Queued};
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::unit::{Unit, UnitKind, UnitState, WaitingReason};
use stt_eval_shared::providers::Credential;
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::tries::Tries;
use stt_eval_shared::work::Failure;

/// One refused unit in so many looks for dead ones among those admitted.
const LOOKS: u8 = 8;
/// Tries beside other units, after which a unit comes again later.
const TRIES: u32 = 5;
/// Pauses of a unit without a place in the queue, where others take one: they come first.
const OUTSIDE: u32 = 5;

/// What a unit takes up at its provider.
pub(crate) fn demand(
    unit: &Unit,
    model: &str,
    samples: &[Sample],
    tokens: impl Fn(&Sample) -> u64,
) -> Demand {
    Demand {
        run: unit.run,
        unit: unit.key,
        model: model.to_owned(),
        tokens: samples.iter().map(tokens).sum(),
        bytes: samples.iter().map(|sample| sample.size_bytes).sum(),
    }
}

/// Admits a unit. `Some` is why there is none now, and after how many
/// pauses to ask again.
pub(crate) async fn admit(
    app: &App,
    unit: &Unit,
    limits: &VendorLimits,
    credential: &Credential,
    demand: Demand,
) -> Result<Option<(WaitingReason, u32)>, Failure> {
    let me = Queued {
        since: unit.ready_at,
        demand,
    };
    let limits = limits.for_admission();
    let mut tries = Tries::of(TRIES);
    loop {
        let admission = app
            .store
            .admission(&unit.project, &unit.vendor, &credential.id)
            .await?;
        let (next, told) = match admission.ask(&limits, &me, Timestamp::now()) {
            Answer::Already => return Ok(None),
            Answer::Admitted(next) => (next, None),
            Answer::Wait {
                reason,
                queued,
                admission: placed,
            } => {
                if looks_closer()?
                    && let Some(rest) = without_dead(app, &admission).await?
                {
                    match app.store.save_admission(&rest).await {
                        Ok(()) | Err(StoreError::Conflict) if tries.again().await => continue,
                        Ok(()) | Err(StoreError::Conflict) => return Ok(busy()),
                        Err(error) => return Err(error.into()),
                    }
                }
                let told = Some((told_of(unit.kind, reason), if queued { 1 } else { OUTSIDE }));
                match placed {
                    Some(placed) => (placed, told),
                    None => return Ok(told),
                }
            }
        };
        match app.store.save_admission(&next).await {
            Ok(()) => return Ok(told),
            Err(StoreError::Conflict) if tries.again().await => {}
            Err(StoreError::Conflict) => return Ok(busy()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// What is told of the reason for which there is no room: a vendor that answers at once has
/// no batches.
fn told_of(kind: UnitKind, reason: WaitingReason) -> WaitingReason {
    match (kind, reason) {
        (UnitKind::Calls, WaitingReason::ProviderBatchesFull) => WaitingReason::ProviderCallsFull,
        (_, reason) => reason,
    }
}

/// Many units ask to be admitted at once.
fn busy() -> Option<(WaitingReason, u32)> {
    Some((WaitingReason::Other, 1))
}

/// Whether this one looks for units that are admitted and should not be: it
/// reads them all, so of those that are refused not each does.
fn looks_closer() -> Result<bool, Failure> {
    let [byte] = random::<1>()?;
    Ok(byte % LOOKS == 0)
}

/// The admission without units that are not on their way to the provider any more.
/// A unit leaves when it is done; this is for one that was left behind all the same.
/// `None` when there are none.
async fn without_dead(app: &App, admission: &Admission) -> Result<Option<Admission>, StoreError> {
    let queue = admission.queue.iter().map(|waiting| &waiting.demand);
    let demands: Vec<&Demand> = admission.open.iter().chain(queue).collect();
    let keys: Vec<_> = demands
        .iter()
        .map(|demand| (demand.run, demand.unit))
        .collect();
    let known: BTreeMap<_, _> = app
        .store
        .units(&admission.project, keys)
        .await?
        .into_iter()
        .map(|unit| ((unit.run, unit.key), unit))
        .collect();
    let gone = |demand: &&&Demand| match known.get(&(demand.run, demand.unit)) {
        None => true,
        Some(unit) => unit.is_done() || matches!(unit.state, UnitState::Collecting { .. }),
    };
    let from = Timestamp::now() + app.config.bounds.staging_lease;
    let mut rest: Option<Admission> = None;
    for demand in demands.iter().filter(gone) {
        let next = rest.as_ref().unwrap_or(admission);
        rest = next.without(demand.run, demand.unit, from).or(rest);
    }
    Ok(rest)
}
