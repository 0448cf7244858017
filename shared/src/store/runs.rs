//! Table `runs`: runs by project, and the outbox of what was accepted.

use std::time::Duration;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::Select;
use serde::Serialize;

use super::idempotency::Claim;
use super::row::{self, Item, Row, n, s};
use super::txn::{TxnError, beside_transactions};
use super::{Page, Store, StoreError, read_page};
use crate::domain::run::{Run, RunStatus};
use crate::domain::{DatasetId, ProjectId, RunId, Timestamp};

const RUNS: (&str, &str) = ("run_", "run_~");
/// Marks of runs that were deleted, and of batches that were counted as paid for
/// twice, begin with these.
const GONE: &str = "gone#";
const DUPLICATE: &str = "dup#";
/// How long they are kept. No provider lists a batch for longer.
const REMEMBERED: Duration = Duration::from_secs(90 * 24 * 3_600);

/// A mark: that it is there is all it says.
#[derive(Serialize)]
struct Mark {}

/// Which runs a list is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only those of this dataset.
    pub dataset: Option<DatasetId>,
    /// Only those in this state.
    pub status: Option<RunStatus>,
}

/// The index that has the runs of a filter, and where in it they are.
struct Listing {
    index: &'static str,
    hash: &'static str,
    key: String,
    /// Which of them, where the index has those of every state.
    status: Option<RunStatus>,
}

impl RunFilter {
    /// `None`: those of a whole project are in the table itself.
    fn listing(self, project: &ProjectId) -> Option<Listing> {
        match (self.dataset, self.status) {
            (None, None) => None,
            (Some(dataset), status) => Some(Listing {
                index: "by_dataset",
                hash: "dataset_key",
                key: format!("{project}#{dataset}"),
                status,
            }),
            (None, Some(status)) => Some(Listing {
                index: "by_status",
                hash: "status_key",
                key: format!("{project}#{}", status.as_str()),
                status: None,
            }),
        }
    }
}

/// Why a run was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// It was, and its outbox item and count with it.
    Accepted,
    /// The dataset is gone.
    DatasetGone,
}

fn sort_key(run: &Run) -> String {
    if run.deleting {
        format!("del#{}", run.id)
    } else {
        run.id.to_string()
    }
}

pub(super) fn run_item(run: &Run) -> Result<Item, StoreError> {
    let row = Row::new(run.project.as_str(), sort_key(run), run)?
        .with("dataset_key", s(format!("{}#{}", run.project, run.dataset)))
        .due(run.due_at);
    let row = if run.deleting {
        row
    } else {
        row.with(
            "status_key",
            s(format!("{}#{}", run.project, run.status.as_str())),
        )
    };
    Ok(row.build())
}

fn outbox_key(run: RunId) -> String {
    format!("outbox#{run}")
}

fn outbox_item(run: &Run, due_at: Timestamp) -> Result<Item, StoreError> {
    let message = serde_json::json!({ "run_id": run.id, "generation": run.generation });
    Ok(
        Row::new(run.project.as_str(), outbox_key(run.id), &message)?
            .due(Some(due_at))
            .build(),
    )
}

impl Store {
    /// Writes a run that is about to be accepted as one that is being deleted: should
    /// the request end before, what it put into the bucket for the run is cleared away
    /// when the run is due. May be repeated, and puts that off.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn announce_run(&self, run: &Run, due: Timestamp) -> Result<(), StoreError> {
        let announced = Run {
            deleting: true,
            due_at: Some(due),
            ..run.clone()
        };
        let put = self
            .db
            .put_item()
            .table_name(&self.tables.runs)
            .set_item(Some(run_item(&announced)?));
        beside_transactions(|| put.clone().send()).await?;
        Ok(())
    }

    /// Accepts a run: one small transaction, whatever its size. With it go the
    /// outbox item (so that a lost message strands nothing), the check that the
    /// dataset is still there, the count and the idempotency record. One of which
    /// there are transcripts in the bucket was announced before: see `announce_run`.
    pub async fn accept_run(
        &self,
        run: &Run,
        outbox_due: Timestamp,
        claim: Option<&Claim>,
    ) -> Result<Accept, StoreError> {
        let table = &self.tables.runs;
        let project = run.project.as_str();
        let txn = self
            .txn()
            .check(
                &self.tables.datasets,
                (project, &run.dataset.to_string()),
                "attribute_exists(pk)",
                &[],
                Item::new(),
            )?
            .put_rev(table, run_item(run)?, run.rev)?
            .put(table, outbox_item(run, outbox_due)?)?
            .count(table, project, 1)?
            .complete(&self.tables, &run.project, claim, vec![run.id.to_string()])?;
        let txn = if run.models.iter().any(|model| model.imported.is_some()) {
            let announced = format!("del#{}", run.id);
            let there = Some("attribute_exists(pk)");
            txn.delete(table, (project, &announced), there, None)?
        } else {
            txn
        };
        match txn.commit().await {
            Ok(()) => Ok(Accept::Accepted),
            Err(TxnError::Condition { index: 0, .. }) => Ok(Accept::DatasetGone),
            Err(error) => Err(error.into()),
        }
    }

    /// A visible run.
    pub async fn run(&self, project: &ProjectId, id: RunId) -> Result<Option<Run>, StoreError> {
        let found = self
            .get(&self.tables.runs, project.as_str(), id.to_string())
            .await?;
        found.map(row::read).transpose()
    }

    /// A run that is being deleted.
    pub async fn deleting_run(
        &self,
        project: &ProjectId,
        id: RunId,
    ) -> Result<Option<Run>, StoreError> {
        let found = self
            .get(&self.tables.runs, project.as_str(), format!("del#{id}"))
            .await?;
        found.map(row::read).transpose()
    }

    /// Writes a run's next revision.
    pub async fn save_run(&self, run: &Run) -> Result<(), StoreError> {
        self.put_rev(&self.tables.runs, run_item(run)?, run.rev)
            .await
    }

    /// Writes a run's next revision together with a new outbox item.
    pub async fn save_run_with_outbox(
        &self,
        run: &Run,
        outbox_due: Timestamp,
        claim: Option<&Claim>,
    ) -> Result<(), StoreError> {
        let table = &self.tables.runs;
        let txn = self
            .txn()
            .put_rev(table, run_item(run)?, run.rev)?
            .put(table, outbox_item(run, outbox_due)?)?
            .complete(&self.tables, &run.project, claim, vec![run.id.to_string()])?;
        Ok(txn.commit().await?)
    }

    /// Writes the run whose units now exist and empties its outbox.
    pub async fn save_planned_run(&self, run: &Run) -> Result<(), StoreError> {
        let table = &self.tables.runs;
        let txn = self.txn().put_rev(table, run_item(run)?, run.rev)?.delete(
            table,
            (run.project.as_str(), &outbox_key(run.id)),
            None,
            None,
        )?;
        Ok(txn.commit().await?)
    }

    /// Empties a run's outbox: there is nothing to send any more.
    pub async fn delete_outbox(&self, project: &ProjectId, run: RunId) -> Result<(), StoreError> {
        self.delete(&self.tables.runs, project.as_str(), outbox_key(run))
            .await
    }

    /// Notes that an outbox item was sent just now, so that it is sent again
    /// only if nothing comes of it.
    pub async fn postpone_outbox(
        &self,
        project: &ProjectId,
        run: RunId,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let update = self
            .db
            .update_item()
            .table_name(&self.tables.runs)
            .key("pk", s(project.as_str()))
            .key("sk", s(outbox_key(run)))
            .update_expression("SET due_at = :until")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":until", row::n(until.millis()));
        let updated = beside_transactions(|| update.clone().send()).await;
        match updated.map_err(StoreError::from) {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes a visible run unreachable; `gone` is its next revision.
    pub async fn begin_delete_run(&self, gone: &Run) -> Result<(), StoreError> {
        let table = &self.tables.runs;
        let project = gone.project.as_str();
        let txn = self
            .txn()
            .delete(
                table,
                (project, &gone.id.to_string()),
                Some("rev = :rev"),
                Some(Item::from([(":rev".into(), row::n(gone.rev - 1))])),
            )?
            .put(table, run_item(gone)?)?
            .delete(table, (project, &outbox_key(gone.id)), None, None)?
            .count(table, project, -1)?;
        Ok(txn.commit().await?)
    }

    /// Removes what is left of a deleted run.
    ///
    /// A mark that it was there is kept for a while: should the provider still show
    /// a batch of it, that is no unrecorded one.
    pub async fn finish_delete_run(
        &self,
        project: &ProjectId,
        id: RunId,
    ) -> Result<(), StoreError> {
        self.remember(project, format!("{GONE}{id}")).await?;
        self.delete(&self.tables.runs, project.as_str(), format!("del#{id}"))
            .await
    }

    /// Whether a run was deleted not long ago.
    pub async fn is_deleted_run(&self, project: &ProjectId, id: RunId) -> Result<bool, StoreError> {
        let table = &self.tables.runs;
        for sk in [format!("del#{id}"), format!("{GONE}{id}")] {
            if self.get(table, project.as_str(), sk).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Notes an unrecorded batch; gives whether it was not noted yet.
    pub async fn note_duplicate(
        &self,
        project: &ProjectId,
        batch: &str,
    ) -> Result<bool, StoreError> {
        self.remember(project, format!("{DUPLICATE}{batch}")).await
    }

    /// Writes a mark that goes by itself; gives whether it was not there.
    async fn remember(&self, project: &ProjectId, sk: String) -> Result<bool, StoreError> {
        let until = Timestamp::now() + REMEMBERED;
        let item = Row::new(project.as_str(), sk, &Mark {})?
            .with("ttl", n(until.seconds()))
            .build();
        match self.put_rev(&self.tables.runs, item, 1).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Asks an index for runs, newest first.
    fn listed(&self, listing: &Listing) -> QueryFluentBuilder {
        let query = self
            .db
            .query()
            .table_name(&self.tables.runs)
            .index_name(listing.index)
            .key_condition_expression(format!(
                "{} = :key AND sk BETWEEN :from AND :to",
                listing.hash
            ))
            .expression_attribute_values(":key", s(&*listing.key))
            .expression_attribute_values(":from", s(RUNS.0))
            .expression_attribute_values(":to", s(RUNS.1))
            .scan_index_forward(false);
        match listing.status {
            None => query,
            Some(status) => query
                .filter_expression("#status = :status")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":status", s(status.as_str())),
        }
    }

    /// How many runs there are. None of them is read: an index has keys only, about 100 bytes
    /// for each.
    pub async fn count_runs(
        &self,
        project: &ProjectId,
        filter: RunFilter,
    ) -> Result<u64, StoreError> {
        let Some(listing) = filter.listing(project) else {
            return self.count(&self.tables.runs, project.as_str()).await;
        };
        let query = self.listed(&listing).select(Select::Count);
        let mut total = 0u64;
        let mut start = None;
        loop {
            let answer = query.clone().set_exclusive_start_key(start).send().await?;
            total += u64::try_from(answer.count).unwrap_or(0);
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(total);
            }
        }
    }

    /// Runs newest first, and how many there are.
    pub async fn list_runs(
        &self,
        project: &ProjectId,
        filter: RunFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Page<Run>, u64), StoreError> {
        let table = &self.tables.runs;
        let total = self.count_runs(project, filter);
        let Some(listing) = filter.listing(project) else {
            let page = self.page(table, project.as_str(), RUNS, after, limit, true);
            let (page, total) = futures::future::try_join(page, total).await?;
            return Ok((read_page(page)?, total));
        };
        let total = total.await?;
        let query = self.listed(&listing);
        let mut ids: Vec<RunId> = Vec::new();
        let mut start = after.map(|sk| {
            Item::from([
                ("pk".into(), s(project.as_str())),
                ("sk".into(), s(sk)),
                (listing.hash.to_owned(), s(&*listing.key)),
            ])
        });
        loop {
            let wanted = i32::try_from(limit - ids.len()).unwrap_or(i32::MAX);
            let query = query.clone().limit(wanted);
            let answer = query.set_exclusive_start_key(start).send().await?;
            ids.extend(
                answer.items.unwrap_or_default().iter().filter_map(|item| {
                    row::text(item, "sk").and_then(|sk| sk.parse::<RunId>().ok())
                }),
            );
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() || ids.len() >= limit {
                break;
            }
        }
        let next = start.and_then(|key| row::text(&key, "sk").map(str::to_owned));
        let keys = ids
            .into_iter()
            .map(|id| (project.to_string(), id.to_string()));
        let mut items = self
            .get_many(table, keys)
            .await?
            .into_iter()
            .map(row::read::<Run>)
            .collect::<Result<Vec<_>, _>>()?;
        items.sort_unstable_by_key(|run| std::cmp::Reverse(run.id));
        Ok((Page { items, next }, total))
    }

    /// Runs of a dataset, in no order: for deleting them.
    pub async fn runs_of(
        &self,
        project: &ProjectId,
        dataset: DatasetId,
    ) -> Result<Vec<(RunId, bool)>, StoreError> {
        let answer = self
            .db
            .query()
            .table_name(&self.tables.runs)
            .index_name("by_dataset")
            .key_condition_expression("dataset_key = :key")
            .expression_attribute_values(":key", s(format!("{project}#{dataset}")))
            .send()
            .await?;
        let ids = answer.items.unwrap_or_default();
        Ok(ids
            .iter()
            .filter_map(|item| row::text(item, "sk"))
            .filter_map(|sk| match Self::parse_run_key(sk)? {
                RunKey::Run(id) => Some((id, false)),
                RunKey::Deleting(id) => Some((id, true)),
                RunKey::Outbox(_) | RunKey::Rescore(_) => None,
            })
            .collect())
    }

    /// What a due item of this table stands for.
    #[must_use]
    pub fn parse_run_key(sk: &str) -> Option<RunKey> {
        if let Some(id) = sk.strip_prefix("outbox#") {
            return id.parse().ok().map(RunKey::Outbox);
        }
        if let Some(id) = sk.strip_prefix("del#") {
            return id.parse().ok().map(RunKey::Deleting);
        }
        if let Some(id) = sk.strip_prefix("rescore#") {
            return id.parse().ok().map(RunKey::Rescore);
        }
        sk.parse().ok().map(RunKey::Run)
    }
}

/// What a due item of table `runs` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunKey {
    /// A run that should have ended, or is to be stopped at the provider.
    Run(RunId),
    /// A run being deleted.
    Deleting(RunId),
    /// A message that may not have been sent.
    Outbox(RunId),
    /// A run that is being scored again.
    Rescore(RunId),
}
