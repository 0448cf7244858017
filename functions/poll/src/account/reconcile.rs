//! Looking at all that a provider has under a credential for what is of no use:
//! unrecorded batches, which were paid for twice; batches that are over
//! and whose deletion failed; request documents that no batch was made of.
//!
//! The submission protocol leaves none of the first kind behind. A batch the
//! provider accepted long after its call was given up would be one, whatever
//! has become of it since, and this is how it is seen.

use std::collections::BTreeMap;

use stt_eval_shared::cloudwatch;
use stt_eval_shared::domain::unit::{Fate, Relation, Unit, UnitKey};
use stt_eval_shared::domain::{ProjectId, RunId};
use stt_eval_shared::providers::{BatchStatus, Credential, Jobs, Ledger, Listing};
use stt_eval_shared::{App, Deadline};
use time::OffsetDateTime;

use crate::discard::{self, Discarded};
use crate::failure::{Failure, NEEDED};
use crate::units::late;

/// What an audit came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reconciled {
    /// Unrecorded batches.
    pub(crate) duplicates: usize,
    /// Things that have to be looked at again: they are not over, could not be
    /// deleted, or may yet be needed.
    pub(crate) left: usize,
    /// The last batch that was looked at, if there are more behind it.
    pub(crate) after: Option<String>,
}

type Units = BTreeMap<(RunId, UnitKey), Unit>;

/// What a batch's or a document's name says: run, unit, attempt.
type Name = (RunId, UnitKey, u32);

/// Batches that one audit asks for at most. The next one goes on behind them, and
/// documents have their turn in each.
const MOST: usize = 100;

/// Deletes what a provider keeps under a credential in vain; batches
/// that run are told to stop. `listed` is a list of all batches, if there is one
/// at hand: units must not have been read before it was made. Batches behind
/// `after` come first.
pub(crate) async fn audit(
    app: &App,
    project: &ProjectId,
    (client, ledger): (&dyn Jobs, &dyn Ledger),
    credential: &Credential,
    listed: Option<Listing>,
    after: Option<&str>,
    deadline: Deadline,
) -> Result<Reconciled, Failure> {
    let Listing {
        batches, unread, ..
    } = match listed {
        Some(listed) => listed,
        // What is old is of no use either.
        None => ledger.list(credential, OffsetDateTime::UNIX_EPOCH).await?,
    };
    if unread > 0 {
        tracing::warn!(project_id = %project, unread, "batches of the list can't be read");
    }
    let mut found = Reconciled {
        left: unread,
        ..Reconciled::default()
    };
    let place = Place {
        app,
        project,
        client,
        ledger,
        credential,
        after,
        deadline,
    };
    place.batches(batches, &mut found).await?;
    place.documents(&mut found).await?;
    Ok(found)
}

/// Reads the name of a batch: run, unit, attempt, and whether it is certainly
/// this deployment's. A name of release 0.1.0 is so only if a unit knows the
/// batch: another deployment may have given the same.
fn named(app: &App, project: &ProjectId, name: &str) -> Option<((RunId, UnitKey, u32), bool)> {
    let config = &app.config;
    let ours = Unit::parse_display_name(&config.deployment, project, name);
    let ours = ours.map(|name| (name, true));
    ours.or_else(|| {
        let of_0_1 = Unit::parse_name_of_0_1(&config.stage, project, name);
        of_0_1.map(|name| (name, false))
    })
}

/// The units that names are of. The listing came first: a unit that is read now
/// knows all it will ever know of what is in it.
async fn units(
    app: &App,
    project: &ProjectId,
    mut keys: Vec<(RunId, UnitKey)>,
) -> Result<Units, Failure> {
    keys.sort_unstable();
    keys.dedup();
    let units = app.store.units(project, keys).await?;
    let by_key = units.into_iter().map(|unit| ((unit.run, unit.key), unit));
    Ok(by_key.collect())
}

/// Where an audit looks, and how long it may.
struct Place<'a> {
    app: &'a App,
    project: &'a ProjectId,
    client: &'a dyn Jobs,
    ledger: &'a dyn Ledger,
    credential: &'a Credential,
    after: Option<&'a str>,
    deadline: Deadline,
}

impl Place<'_> {
    async fn batches(
        &self,
        batches: Vec<BatchStatus>,
        found: &mut Reconciled,
    ) -> Result<(), Failure> {
        let Self { app, project, .. } = *self;
        let named = batches.into_iter().filter_map(|batch| {
            let (name, certain) = named(app, project, &batch.display_name)?;
            Some((batch.name, name, certain))
        });
        let mut ours: Vec<(String, Name, bool)> = named.collect();
        let keys = ours.iter().map(|(_, (run, key, _), _)| (*run, *key));
        let units = units(app, project, keys.collect()).await?;
        ours.retain(|(batch, (run, key, attempt), certain)| {
            let unit = units.get(&(*run, *key));
            match unit.map_or(Relation::Unrecorded, |u| u.relation(batch, *attempt)) {
                Relation::InUse => false,
                Relation::LeftOver => true,
                Relation::Unrecorded => *certain,
            }
        });
        // Where the last audit came to its end this one goes on.
        ours.sort_unstable_by(|one, two| one.0.cmp(&two.0));
        if let Some(after) = self.after {
            let begin = ours.partition_point(|(batch, ..)| batch.as_str() <= after);
            ours.rotate_left(begin);
        }
        let mut last = None;
        for (number, (batch, name, _)) in ours.into_iter().enumerate() {
            if number == MOST || !self.deadline.allows(NEEDED) {
                found.left += 1;
                found.after = last;
                return Ok(());
            }
            let (run, key, _) = name;
            if let Err(error) = self
                .batch(&batch, name, units.get(&(run, key)), found)
                .await
            {
                tracing::warn!(run_id = %run, unit_id = %key, %error, "a batch stays at the provider for now");
                found.left += 1;
            }
            last = Some(batch);
        }
        Ok(())
    }

    /// Does what is to be done about a batch that is not in use.
    async fn batch(
        &self,
        batch: &str,
        (run, key, attempt): Name,
        unit: Option<&Unit>,
        found: &mut Reconciled,
    ) -> Result<(), Failure> {
        let Self {
            app,
            project,
            client,
            credential,
            ..
        } = *self;
        let recorded = unit.is_some_and(|unit| unit.relation(batch, attempt) == Relation::LeftOver);
        let fate = match unit {
            Some(unit) if recorded || unit.misses_its_batch(attempt) => unit.fate(batch),
            Some(_) => Fate::Duplicate,
            None if app.store.is_deleted_run(project, run).await? => Fate::Unwanted,
            None => Fate::Duplicate,
        };
        let shared = unit.filter(|unit| !unit.is_done());
        let input = shared.and_then(|unit| unit.batch_input.as_deref());
        let discarded = discard::batch(app, client, credential, batch, fate, input).await;
        // A list that is behind.
        if discarded == Ok(Discarded::Unknown) {
            return Ok(());
        }
        if fate == Fate::Duplicate && !recorded && app.store.note_duplicate(project, batch).await? {
            tracing::error!(run_id = %run, unit_id = %key, attempt, "an unrecorded batch");
            cloudwatch::anomaly(cloudwatch::DUPLICATE_BATCHES, project, run, key, 1);
            found.duplicates += 1;
        }
        match discarded? {
            Discarded::Gone | Discarded::Unknown => {}
            Discarded::Open => found.left += 1,
            Discarded::Unlanded(output) => {
                let landed = match unit {
                    Some(unit) => {
                        late::collect(app, client, credential, unit, batch, &output).await?
                    }
                    None => None,
                };
                match landed {
                    Some(unit) => {
                        let fate = unit.fate(batch);
                        discard::batch(app, client, credential, batch, fate, None).await?;
                    }
                    None => found.left += 1,
                }
            }
        }
        Ok(())
    }

    async fn documents(&self, found: &mut Reconciled) -> Result<(), Failure> {
        let Self {
            app,
            project,
            client,
            ledger,
            credential,
            deadline,
            ..
        } = *self;
        if !deadline.allows(NEEDED) {
            found.left += 1;
            return Ok(());
        }
        // Those of release 0.1.0 go by themselves in a while.
        let deployment = &app.config.deployment;
        let prefix = Unit::display_prefix(deployment, project);
        let files = ledger.prepared(credential, &prefix).await?;
        let named = files.into_iter().filter_map(|file| {
            let name = Unit::parse_display_name(deployment, project, &file.display_name)?;
            Some((file.name, name))
        });
        let ours: Vec<_> = named.collect();
        let keys = ours.iter().map(|(_, (run, key, _))| (*run, *key)).collect();
        let units = units(app, project, keys).await?;
        for (file, (run, key, attempt)) in ours {
            let unit = units.get(&(run, key));
            if unit.is_some_and(|unit| unit.wants_input(&file, attempt)) {
                found.left += 1;
                continue;
            }
            if !deadline.allows(NEEDED) {
                found.left += 1;
                return Ok(());
            }
            tracing::info!(run_id = %run, unit_id = %key, attempt, "a request document that was left behind");
            if let Err(error) = client.discard_prepared(credential, &file).await {
                tracing::warn!(run_id = %run, unit_id = %key, %error, "a file stays at the provider for now");
                found.left += 1;
            }
        }
        Ok(())
    }
}
