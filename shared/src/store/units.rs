//! Table `units`: units by run. Poll tasks and admissions lie there as well, each in
//! a module of its own.

use super::row::{self, Item, Row, n, s};
use super::runs::run_item;
use super::txn::{Txn, TxnError};
use super::{Store, StoreError};
use crate::domain::run::{Run, RunStatus};
use crate::domain::unit::{Unit, UnitKey, UnitState, WaitingUnit};
use crate::domain::{ProjectId, RunId};

/// Pages of 1 MB that are read to tell what a run waits for: some 5,000 units,
/// more than a run of 16 models and 10,000 samples of usual size has.
const WAITING_PAGES: usize = 4;

/// A batch at a provider, and the unit it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUnit {
    /// Run of the unit.
    pub run: RunId,
    /// Which unit of the run.
    pub key: UnitKey,
    /// The provider's name of the batch.
    pub batch: String,
}

/// What came of writing a unit's claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// It is written.
    Yes,
    /// The unit has changed meanwhile.
    Changed,
    /// The run does not want the unit any more: it was cancelled, deleted, or
    /// retried.
    Unwanted,
}

/// What a due item of table `units` stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitsKey {
    /// A unit.
    Unit(ProjectId, RunId, UnitKey),
    /// A poll task: project, provider, credential.
    Poll(ProjectId, String, String),
    /// What a credential has at its provider.
    Admission(ProjectId, String, String),
}

fn partition(project: &ProjectId, run: RunId) -> String {
    format!("{project}#{run}")
}

fn open_key(project: &ProjectId, provider: &str, credential: &str) -> String {
    format!("{project}#{provider}#{credential}")
}

/// Where units of all credentials of a provider are found that wait because of what it said
/// to a credential. No credential has an id that is empty and goes on like this.
fn refused_key(project: &ProjectId, provider: &str) -> String {
    format!("{project}#{provider}##blocked")
}

fn unit_item(unit: &Unit) -> Result<Item, StoreError> {
    let row = Row::new(
        partition(&unit.project, unit.run),
        unit.key.to_string(),
        unit,
    )?
    .due(unit.due_at);
    let row = match (&unit.state, &unit.credential) {
        (UnitState::Submitted { .. }, Some(credential)) => row.with(
            "open_key",
            s(open_key(&unit.project, &unit.vendor, credential)),
        ),
        _ if unit.waits_by_credential() => {
            row.with("open_key", s(refused_key(&unit.project, &unit.vendor)))
        }
        _ => row,
    };
    Ok(row.build())
}

fn parse_key(sk: &str) -> Option<UnitKey> {
    sk.parse().ok()
}

impl Store {
    /// Writes new units. Ones that exist already stay as they are.
    pub async fn create_units(&self, units: &[Unit]) -> Result<(), StoreError> {
        use futures::stream::{StreamExt, TryStreamExt};
        let writes = units.iter().map(|unit| async move {
            match self
                .put_rev(&self.tables.units, unit_item(unit)?, unit.rev)
                .await
            {
                Ok(()) | Err(StoreError::Conflict) => Ok(()),
                Err(error) => Err(error),
            }
        });
        let writes: Vec<_> = writes.collect();
        futures::stream::iter(writes)
            .buffer_unordered(16)
            .try_collect::<Vec<()>>()
            .await?;
        Ok(())
    }

    /// One unit.
    pub async fn unit(
        &self,
        project: &ProjectId,
        run: RunId,
        key: UnitKey,
    ) -> Result<Option<Unit>, StoreError> {
        let found = self
            .get(&self.tables.units, partition(project, run), key.to_string())
            .await?;
        found.map(row::read).transpose()
    }

    /// Units by key, in no order; unknown ones are left out.
    pub async fn units(
        &self,
        project: &ProjectId,
        keys: impl IntoIterator<Item = (RunId, UnitKey)>,
    ) -> Result<Vec<Unit>, StoreError> {
        let keys = keys
            .into_iter()
            .map(|(run, key)| (partition(project, run), key.to_string()));
        let items = self.get_many(&self.tables.units, keys).await?;
        items.into_iter().map(row::read).collect()
    }

    /// Every unit of a run, all rounds.
    pub async fn units_of(&self, project: &ProjectId, run: RunId) -> Result<Vec<Unit>, StoreError> {
        let items = self
            .all(&self.tables.units, &partition(project, run), ("p", "p~"))
            .await?;
        items.into_iter().map(row::read).collect()
    }

    /// Units of a run that wait to be submitted, or whose submission is open.
    /// For people, so it may be a moment behind; of a run with very many units
    /// it looks at the first `WAITING_PAGES` pages.
    pub async fn waiting_units(
        &self,
        project: &ProjectId,
        run: RunId,
    ) -> Result<Vec<WaitingUnit>, StoreError> {
        let mut waiting = Vec::new();
        let mut start = None;
        for _ in 0..WAITING_PAGES {
            let answer = self
                .db
                .query()
                .table_name(&self.tables.units)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .filter_expression("attribute_exists(#reason) OR #state = :creating")
                .projection_expression("sk, #generation, #spans, #reason, #next, #claimed")
                .expression_attribute_names("#state", "state")
                .expression_attribute_names("#generation", "generation")
                .expression_attribute_names("#spans", "spans")
                .expression_attribute_names("#reason", "waiting_reason")
                .expression_attribute_names("#next", "not_before")
                .expression_attribute_names("#claimed", "claimed_at")
                .expression_attribute_values(":pk", s(partition(project, run)))
                .expression_attribute_values(":from", s("p"))
                .expression_attribute_values(":to", s("p~"))
                .expression_attribute_values(":creating", s("creating"))
                .set_exclusive_start_key(start)
                .send()
                .await?;
            for item in answer.items.unwrap_or_default() {
                waiting.push(row::read(item)?);
            }
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                break;
            }
        }
        Ok(waiting)
    }

    /// Writes a unit's next revision.
    pub async fn save_unit(&self, unit: &Unit) -> Result<(), StoreError> {
        self.put_rev(&self.tables.units, unit_item(unit)?, unit.rev)
            .await
    }

    /// Writes several units' next revisions: all of them, or none.
    pub async fn save_units(&self, units: &[Unit]) -> Result<(), StoreError> {
        Ok(self.put_units(units)?.commit().await?)
    }

    pub(super) fn put_units(&self, units: &[Unit]) -> Result<Txn<'_>, StoreError> {
        units.iter().try_fold(self.txn(), |txn, unit| {
            txn.put_rev(&self.tables.units, unit_item(unit)?, unit.rev)
        })
    }

    /// Writes a unit's claim, if its run is still where the unit belongs: once
    /// people were told that a run is cancelled, no batch may be made for it.
    pub async fn save_claimed(&self, unit: &Unit) -> Result<Claimed, StoreError> {
        let values = Item::from([
            (":generation".into(), n(unit.generation)),
            (":round".into(), n(unit.key.round)),
            (":pending".into(), s(RunStatus::Pending.as_str())),
            (":processing".into(), s(RunStatus::Processing.as_str())),
        ]);
        let txn = self.put_units(std::slice::from_ref(unit))?.check(
            &self.tables.runs,
            (unit.project.as_str(), &unit.run.to_string()),
            "#generation = :generation AND #round = :round \
                 AND #status IN (:pending, :processing)",
            &[
                ("#generation", "generation"),
                ("#round", "round"),
                ("#status", "status"),
            ],
            values,
        )?;
        match txn.commit().await {
            Ok(()) => Ok(Claimed::Yes),
            Err(TxnError::Condition { index: 0, .. }) => Ok(Claimed::Changed),
            Err(TxnError::Condition { .. }) => Ok(Claimed::Unwanted),
            Err(TxnError::Store(error)) => Err(error),
        }
    }

    /// Writes collected units and what they add to their run, together.
    pub async fn save_collected(&self, units: &[Unit], run: &Run) -> Result<(), StoreError> {
        let txn = self
            .put_units(units)?
            .put_rev(&self.tables.runs, run_item(run)?, run.rev)?;
        Ok(txn.commit().await?)
    }

    /// Removes a run's units.
    pub async fn delete_units(
        &self,
        project: &ProjectId,
        run: RunId,
        units: impl IntoIterator<Item = UnitKey>,
    ) -> Result<(), StoreError> {
        let pk = partition(project, run);
        let keys = units.into_iter().map(|key| (pk.clone(), key.to_string()));
        self.delete_many(&self.tables.units, keys).await
    }

    /// Units that are at a provider under a credential.
    pub async fn open_units(
        &self,
        project: &ProjectId,
        provider: &str,
        credential: &str,
    ) -> Result<Vec<OpenUnit>, StoreError> {
        let mut open = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .db
                .query()
                .table_name(&self.tables.units)
                .index_name("open")
                .key_condition_expression("open_key = :key")
                .expression_attribute_values(":key", s(open_key(project, provider, credential)))
                .set_exclusive_start_key(start)
                .send()
                .await?;
            for item in answer.items.unwrap_or_default() {
                let run = row::text(&item, "pk").and_then(|pk| pk.split_once('#'));
                let key = row::text(&item, "sk").and_then(parse_key);
                let batch = row::text(&item, "batch");
                if let (Some((_, run)), Some(key), Some(batch)) = (run, key, batch)
                    && let Ok(run) = run.parse()
                {
                    open.push(OpenUnit {
                        run,
                        key,
                        batch: batch.to_owned(),
                    });
                }
            }
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(open);
            }
        }
    }

    /// Units that wait because of what a provider said to a credential, whichever: a page of
    /// them, and where the next one begins. It may be a moment behind.
    pub async fn refused_units(
        &self,
        project: &ProjectId,
        provider: &str,
        after: Option<Item>,
    ) -> Result<(Vec<(RunId, UnitKey)>, Option<Item>), StoreError> {
        let answer = self
            .db
            .query()
            .table_name(&self.tables.units)
            .index_name("open")
            .key_condition_expression("open_key = :key")
            .expression_attribute_values(":key", s(refused_key(project, provider)))
            .set_exclusive_start_key(after)
            .send()
            .await?;
        let of = |item: &Item| {
            let (_, run) = row::text(item, "pk")?.split_once('#')?;
            Some((
                run.parse().ok()?,
                row::text(item, "sk").and_then(parse_key)?,
            ))
        };
        let items = answer.items.unwrap_or_default();
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        Ok((items.iter().filter_map(of).collect(), next))
    }

    /// What a due item of this table stands for.
    #[must_use]
    pub fn parse_units_key(pk: &str, sk: &str) -> Option<UnitsKey> {
        if let Some(rest) = sk.strip_prefix(super::poll_task::PREFIX) {
            let (provider, credential) = rest.split_once('#')?;
            return Some(UnitsKey::Poll(
                pk.parse().ok()?,
                provider.into(),
                credential.into(),
            ));
        }
        if let Some(rest) = sk.strip_prefix(super::admission::PREFIX) {
            let (provider, credential) = rest.split_once('#')?;
            return Some(UnitsKey::Admission(
                pk.parse().ok()?,
                provider.into(),
                credential.into(),
            ));
        }
        let (project, run) = pk.split_once('#')?;
        Some(UnitsKey::Unit(
            project.parse().ok()?,
            run.parse().ok()?,
            parse_key(sk)?,
        ))
    }
}
