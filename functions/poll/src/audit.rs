//! Looking at all that a provider has under a credential for what nobody needs:
//! batches that nobody recorded, paid for and of no use; batches that are over
//! and whose deletion failed; request documents that no batch was made of.
//!
//! The submission protocol leaves none of the first kind behind. A batch the
//! provider accepted long after its call was given up would be one, whatever
//! has become of it since, and this is how it is seen.

use std::collections::BTreeMap;

use stt_eval_shared::domain::unit::{Relation, Unit, UnitKey};
use stt_eval_shared::domain::{ProjectId, RunId};
use stt_eval_shared::metrics;
use stt_eval_shared::providers::{BatchProvider, BatchStatus, Credential};
use stt_eval_shared::{App, Deadline};
use time::OffsetDateTime;

use super::Failure;
use super::discard::{self, Discarded};

/// What an audit came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Batches that nobody recorded.
    pub(crate) duplicates: usize,
    /// Things that have to be looked at again: they are not over, could not be
    /// deleted, or may yet be needed.
    pub(crate) left: usize,
}

type Units = BTreeMap<(RunId, UnitKey), Unit>;

/// Deletes what a provider keeps under a credential and nobody needs; batches
/// that run are told to stop. `listed` is a list of all batches, if there is one
/// at hand: units must not have been read before it was made.
pub(crate) async fn audit(
    app: &App,
    project: &ProjectId,
    client: &dyn BatchProvider,
    credential: &Credential,
    listed: Option<Vec<BatchStatus>>,
    deadline: Deadline,
) -> Result<Found, Failure> {
    let batches = match listed {
        Some(batches) => batches,
        // What is old is of no use either.
        None => client.list(credential, OffsetDateTime::UNIX_EPOCH).await?,
    };
    let mut found = Found::default();
    let place = Place {
        app,
        project,
        client,
        credential,
        deadline,
    };
    place.batches(batches, &mut found).await?;
    place.documents(&mut found).await?;
    Ok(found)
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
    client: &'a dyn BatchProvider,
    credential: &'a Credential,
    deadline: Deadline,
}

impl Place<'_> {
    async fn batches(&self, batches: Vec<BatchStatus>, found: &mut Found) -> Result<(), Failure> {
        let Self {
            app,
            project,
            client,
            credential,
            deadline,
        } = *self;
        let named = batches.into_iter().filter_map(|batch| {
            let name = Unit::parse_display_name(&app.config.stage, project, &batch.display_name)?;
            Some((batch.name, name))
        });
        let ours: Vec<_> = named.collect();
        let keys = ours.iter().map(|(_, (run, key, _))| (*run, *key)).collect();
        let units = units(app, project, keys).await?;
        for (batch, (run, key, attempt)) in ours {
            let unit = units.get(&(run, key));
            // Of a unit that was deleted with its run every batch was forgotten.
            let relation = unit.map_or(Relation::Unrecorded, |u| u.relation(&batch, attempt));
            if relation == Relation::InUse {
                continue;
            }
            let shared = unit.filter(|unit| !unit.is_done());
            let input = shared.and_then(|unit| unit.batch_input.as_deref());
            if !deadline.allows(super::NEEDED) {
                found.left += 1;
                return Ok(());
            }
            match discard::batch(app, client, credential, &batch, input).await {
                // A list that is behind.
                Ok(Discarded::Unknown) => continue,
                Ok(Discarded::Gone) => {}
                Ok(Discarded::Open) => found.left += 1,
                Err(error) => {
                    tracing::warn!(run_id = %run, unit_id = %key, %error, "a batch stays at the provider for now");
                    found.left += 1;
                }
            }
            if relation == Relation::Unrecorded {
                tracing::error!(run_id = %run, unit_id = %key, attempt, "a batch that nobody recorded");
                metrics::odd(metrics::DUPLICATE_BATCHES, project, run, key, 1);
                found.duplicates += 1;
            }
        }
        Ok(())
    }

    async fn documents(&self, found: &mut Found) -> Result<(), Failure> {
        let Self {
            app,
            project,
            client,
            credential,
            deadline,
        } = *self;
        if !deadline.allows(super::NEEDED) {
            found.left += 1;
            return Ok(());
        }
        let stage = &app.config.stage;
        let prefix = Unit::display_prefix(stage, project);
        let files = client.list_files(credential, &prefix).await?;
        let named = files.into_iter().filter_map(|file| {
            let name = Unit::parse_display_name(stage, project, &file.display_name)?;
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
            if !deadline.allows(super::NEEDED) {
                found.left += 1;
                return Ok(());
            }
            tracing::info!(run_id = %run, unit_id = %key, attempt, "a request document that was left behind");
            if let Err(error) = client.delete_file(credential, &file).await {
                tracing::warn!(run_id = %run, unit_id = %key, %error, "a file stays at the provider for now");
                found.left += 1;
            }
        }
        Ok(())
    }
}
