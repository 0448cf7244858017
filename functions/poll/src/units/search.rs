//! Finding out what became of a batch whose creation was not recorded.

use std::time::Duration;

use stt_eval_shared::App;
use stt_eval_shared::cloudwatch;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::unit::{Event, Fate, Unit, UnitState};
use stt_eval_shared::providers::{CallError, Credential, Found, Sought};
use stt_eval_shared::work::account::{access, client};
use stt_eval_shared::work::step::{fence, save};

use super::collect::{Collection, collect};
use crate::cycle::Cycle;
use crate::discard;
use crate::failure::{Failure, unless_changed};

/// Clocks differ; a batch may seem older than the intent it was made for.
const CLOCK_SKEW: Duration = Duration::from_secs(600);

/// Finds out what became of an intent that was not concluded.
pub(crate) async fn search(app: &App, cycle: &Cycle, unit: &Unit) -> Result<(), Failure> {
    let UnitState::Creating { claimed_at, .. } = unit.state else {
        return Ok(());
    };
    if !unit.wants_search(Timestamp::now(), &app.policy(&unit.vendor)) {
        return Ok(());
    }
    let id = unit.credential.as_deref().unwrap_or_default();
    let name = unit.sought_name(&app.config.stage);
    let looked = match access(app, &unit.project, &unit.vendor, id).await? {
        None => None,
        Some(access) => {
            let sought = Sought {
                name: &name,
                prepared: unit.batch_input.as_deref(),
                since: (claimed_at - CLOCK_SKEW).into(),
            };
            let client = client(app, &unit.vendor)?;
            match client.find(&access.credential, &sought).await {
                Ok(Found::Jobs { names, unread }) => Some((names, unread, access)),
                Ok(Found::CantBeKnown) => None,
                // It was tried for as long as anything is; it is given up only now.
                Err(error) if !unit.is_sought(Timestamp::now(), &app.policy(&unit.vendor)) => {
                    tracing::error!(run_id = %unit.run, unit_id = %unit.key, %error, "a batch can't be looked for");
                    None
                }
                Err(error) => return Err(error.into()),
            }
        }
    };
    let Some((found, unread, access)) = looked else {
        return unsearchable(app, cycle, unit).await;
    };
    if found.is_empty() {
        if access.replaced {
            return unsearchable(app, cycle, unit).await;
        }
        // Any of them may be the one.
        if unread > 0 {
            let error = CallError::Ambiguous {
                message: format!("{unread} batches of the list can't be read"),
            };
            if unit.is_sought(Timestamp::now(), &app.policy(&unit.vendor)) {
                return Err(error.into());
            }
            tracing::error!(run_id = %unit.run, unit_id = %unit.key, %error, "a batch can't be looked for");
            return unsearchable(app, cycle, unit).await;
        }
        // Should the provider take it after all, the audit must see it.
        watch(app, unit).await?;
    }
    let others: Vec<String> = found.iter().skip(1).cloned().collect();
    let Some(next) = save(
        app,
        unit,
        Event::Searched {
            found,
            fence: fence()?,
        },
    )
    .await?
    else {
        return Ok(());
    };
    if !others.is_empty() {
        tracing::error!(run_id = %unit.run, unit_id = %unit.key, others = others.len(), "a unit has several batches");
        let (project, run, key) = (&unit.project, unit.run, unit.key);
        cloudwatch::anomaly(
            cloudwatch::DUPLICATE_BATCHES,
            project,
            run,
            key,
            others.len(),
        );
        discard_others(app, &next, &access.credential, &others).await?;
    }
    match &next.state {
        // Makes sure that the provider is asked for it.
        UnitState::Submitted { .. } => adopt(app, &next).await,
        UnitState::Ready { .. } => app.queue.submit_unit(unit).await.map_err(Failure::from),
        UnitState::Collecting { .. } => collect(app, cycle, next, Collection::First).await,
        _ => Ok(()),
    }
}

/// Not seeing a batch for want of the credentials it was made with is no proof
/// that there is none: it must not be created again.
async fn unsearchable(app: &App, cycle: &Cycle, unit: &Unit) -> Result<(), Failure> {
    watch(app, unit).await?;
    let event = Event::Unsearchable { fence: fence()? };
    match save(app, unit, event).await? {
        Some(next) => collect(app, cycle, next, Collection::First).await,
        None => Ok(()),
    }
}

/// Makes sure that unrecorded batches of a unit's credential are
/// looked for.
pub(crate) async fn watch(app: &App, unit: &Unit) -> Result<(), Failure> {
    let id = unit.credential.as_deref().unwrap_or_default();
    let (now, watch) = (Timestamp::now(), app.config.bounds.watch);
    let watched = app.store.watch(&unit.project, &unit.vendor, id, now, watch);
    Ok(watched.await?)
}

/// Forgets batches beside the one that counts, which reads the same request
/// document. A failure is only told: the audit of the credential finds them.
async fn discard_others(
    app: &App,
    unit: &Unit,
    credential: &Credential,
    others: &[String],
) -> Result<(), Failure> {
    let client = client(app, &unit.vendor)?;
    let input = unit.batch_input.as_deref();
    for name in others {
        if let Err(error) =
            discard::batch(app, client, credential, name, Fate::Duplicate, input).await
        {
            tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a second batch stays at the provider for now");
        }
    }
    Ok(())
}

pub(crate) async fn adopt(app: &App, unit: &Unit) -> Result<(), Failure> {
    let next = Unit {
        rev: unit.rev + 1,
        ..unit.clone()
    };
    unless_changed(app.store.save_submitted(&next, Timestamp::now()).await)
}
