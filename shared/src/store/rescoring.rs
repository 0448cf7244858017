//! Scoring again, in tables `runs` and `results`.
//!
//! `rescore#run_…` in `runs` is the work. In `results` lie the scores, beside
//! their outcomes, and the sums of scorings that count no more (`#s001`, before
//! any result, and deleted with them).

use super::idempotency::Claim;
use super::results::{by_wer, partition, place};
use super::row::{self, Item, Row, n};
use super::runs::run_item;
use super::txn::Txn;
use super::{Store, StoreError, put_request};
use crate::domain::rescoring::{ArchivedScoring, RescoreJob, Rescored};
use crate::domain::run::Run;
use crate::domain::{ProjectId, RunId};

fn job_key(run: RunId) -> String {
    format!("rescore#{run}")
}

fn job_item(job: &RescoreJob) -> Result<Item, StoreError> {
    Ok(Row::new(job.project.as_str(), job_key(job.run), job)?
        .due(job.due_at)
        .build())
}

fn archive_key(scoring: u16) -> String {
    format!("#s{scoring:03}")
}

fn score_item(project: &ProjectId, score: &Rescored) -> Result<Item, StoreError> {
    let pk = partition(project, score.id.run());
    let sk = format!(
        "{}s{:03}r{:02}",
        place(score.id),
        score.scoring,
        score.round
    );
    let row = Row::new(pk, sk, score)?;
    let wer = score.score.as_ref().map(|score| score.wer);
    Ok(by_wer(row, project, score.id, score.scoring, wer).build())
}

impl Store {
    /// Writes a run that is to be scored again together with the work, and
    /// completes the claim.
    pub async fn save_run_with_rescoring(
        &self,
        run: &Run,
        job: &RescoreJob,
        claim: Option<&Claim>,
    ) -> Result<(), StoreError> {
        let table = &self.tables.runs;
        let txn = self
            .txn()
            .put_rev(table, run_item(run)?, run.rev)?
            .put_rev(table, job_item(job)?, job.rev)?
            .complete(&self.tables, &run.project, claim, vec![run.id.to_string()])?;
        Ok(txn.commit().await?)
    }

    /// The work of scoring a run again.
    pub async fn rescore_job(
        &self,
        project: &ProjectId,
        run: RunId,
    ) -> Result<Option<RescoreJob>, StoreError> {
        let found = self
            .get(&self.tables.runs, project.as_str(), job_key(run))
            .await?;
        found.map(row::read).transpose()
    }

    /// Writes the work's next revision: a claim, or how far it is.
    pub async fn save_rescore_job(&self, job: &RescoreJob) -> Result<(), StoreError> {
        self.put_rev(&self.tables.runs, job_item(job)?, job.rev)
            .await
    }

    /// Removes the work, unless it was taken up meanwhile.
    pub async fn delete_rescore_job(&self, job: &RescoreJob) -> Result<(), StoreError> {
        Ok(self.without_job(self.txn(), job)?.commit().await?)
    }

    /// Writes scores beside their outcomes. Writing the same ones again changes
    /// nothing.
    pub async fn write_rescored(
        &self,
        project: &ProjectId,
        scores: &[Rescored],
    ) -> Result<(), StoreError> {
        let writes = scores
            .iter()
            .map(|score| put_request(score_item(project, score)?))
            .collect::<Result<Vec<_>, _>>()?;
        self.write_many(&self.tables.results, writes).await
    }

    /// Lets a complete scoring count: the run with its sums, what counted
    /// before, and the end of the work, together.
    pub async fn save_switched_run(
        &self,
        run: &Run,
        archived: &ArchivedScoring,
        job: &RescoreJob,
    ) -> Result<(), StoreError> {
        let archive = Row::new(
            partition(&run.project, run.id),
            archive_key(archived.scoring),
            archived,
        )?
        .build();
        let txn = self
            .txn()
            .put_rev(&self.tables.runs, run_item(run)?, run.rev)?
            .put(&self.tables.results, archive)?;
        Ok(self.without_job(txn, job)?.commit().await?)
    }

    /// A transaction that removes the work as well, as it was read.
    fn without_job<'a>(&self, txn: Txn<'a>, job: &RescoreJob) -> Result<Txn<'a>, StoreError> {
        let key = (job.project.as_str(), &*job_key(job.run));
        let as_read = Item::from([(":rev".into(), n(job.rev))]);
        txn.delete(&self.tables.runs, key, Some("rev = :rev"), Some(as_read))
    }

    /// Sums of a scoring that counts no more.
    pub async fn archived_scoring(
        &self,
        project: &ProjectId,
        run: RunId,
        scoring: u16,
    ) -> Result<Option<ArchivedScoring>, StoreError> {
        let pk = partition(project, run);
        let found = self
            .get(&self.tables.results, pk, archive_key(scoring))
            .await?;
        found.map(row::read).transpose()
    }
}

#[cfg(test)]
#[path = "rescoring_tests.rs"]
mod tests;
