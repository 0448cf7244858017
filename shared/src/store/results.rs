//! Table `results`: outcomes and reviews by run, model and position.
//!
//! `p00#00042#r01` is the outcome of the first round, `p00#00042#s002r01` its
//! score in the second scoring, `p00#00042#v` what reviewers say of it. They
//! lie side by side, so one Query reads all, and neither collecting nor scoring
//! again can touch a review. Each scoring has a partition of its own in the
//! index by WER.

use super::row::{self, Item, Row, s};
use super::runs::run_item;
use super::{Store, StoreError, put_request};
use crate::domain::rescoring::{FIRST, Rescored};
use crate::domain::result::Outcome;
use crate::domain::review::Review;
use crate::domain::run::Run;
use crate::domain::{ProjectId, ResultId, RunId};

/// Most outcomes that are written together with their run: a transaction has up
/// to 100 writes.
pub const MAX_REPLAYED: usize = 99;

/// The latest outcome of an item, its later scores and its review.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The outcome of the latest round that has one.
    pub outcome: Outcome,
    /// Its scores in later scorings.
    pub scores: Vec<Rescored>,
    /// What reviewers say of it; it outlives retries.
    pub review: Option<Review>,
    /// Code of the failure in place of which a retry brought the outcome.
    /// Only where all rounds were read.
    pub failed_before: Option<String>,
}

/// An outcome as it is stored, of any round.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredOutcome {
    /// Position of its item.
    pub position: u16,
    /// Round that brought it.
    pub round: u16,
    /// What is there; `None` when it can't be read.
    pub outcome: Option<Outcome>,
}

pub(super) fn partition(project: &ProjectId, run: RunId) -> String {
    format!("{project}#{run}")
}

fn prefix(model: u8, position: u16) -> String {
    format!("p{model:02}#{position:05}#")
}

pub(super) fn place(id: ResultId) -> String {
    prefix(id.model(), id.position())
}

/// Sorts by WER as text: millionths, padded. Capped far above what a useful
/// transcription can have.
fn wer_sort(wer: f64, id: ResultId) -> String {
    let millionths = (wer.clamp(0.0, 999_999.0) * 1e6).round();
    format!("{millionths:015.0}#{}", place(id))
}

/// A place in the list of [`Store::results_by_wer`]: behind a result with a WER.
#[must_use]
pub fn place_by_wer(id: ResultId, wer: f64, round: u16) -> String {
    format!("{}|{}r{round:02}", wer_sort(wer, id), place(id))
}

/// Partition of a scoring in the index by WER.
fn wer_key(project: &ProjectId, run: RunId, scoring: u16) -> String {
    let pk = partition(project, run);
    if scoring == FIRST {
        pk
    } else {
        format!("{pk}#s{scoring:03}")
    }
}

/// Enters a score into the index by WER.
pub(super) fn by_wer(
    row: Row,
    project: &ProjectId,
    id: ResultId,
    scoring: u16,
    wer: Option<f64>,
) -> Row {
    match wer {
        Some(wer) => row
            .with("wer_key", s(wer_key(project, id.run(), scoring)))
            .with("wer_sort", s(wer_sort(wer, id))),
        None => row,
    }
}

fn outcome_item(project: &ProjectId, outcome: &Outcome) -> Result<Item, StoreError> {
    let pk = partition(project, outcome.id.run());
    let sk = format!("{}r{:02}", place(outcome.id), outcome.round);
    let row = Row::new(&*pk, sk, outcome)?;
    let wer = outcome.score.as_ref().map(|score| score.wer);
    Ok(by_wer(row, project, outcome.id, outcome.scoring, wer).build())
}

fn entries(items: Vec<Item>) -> Result<Vec<Entry>, StoreError> {
    let mut entries: Vec<Entry> = Vec::new();
    for item in items {
        let kind = row::text(&item, "sk")
            .and_then(|sk| sk.rsplit('#').next())
            .and_then(|kind| kind.bytes().next());
        if kind == Some(b'v') {
            let review: Review = row::read(item)?;
            if let Some(entry) = entries.last_mut().filter(|e| e.outcome.id == review.id) {
                entry.review = Some(review);
            }
            continue;
        }
        if kind == Some(b's') {
            let score: Rescored = row::read(item)?;
            if let Some(entry) = entries.last_mut().filter(|e| e.outcome.id == score.id) {
                entry.scores.push(score);
            }
            continue;
        }
        let outcome: Outcome = row::read(item)?;
        match entries.last_mut() {
            Some(last) if last.outcome.id == outcome.id => {
                let earlier = std::mem::replace(&mut last.outcome, outcome);
                last.failed_before = earlier.error_code;
            }
            _ => entries.push(Entry {
                outcome,
                scores: Vec::new(),
                review: None,
                failed_before: None,
            }),
        }
    }
    Ok(entries)
}

impl Store {
    /// Writes outcomes. Writing the same ones again changes nothing.
    pub async fn write_outcomes(
        &self,
        project: &ProjectId,
        outcomes: &[Outcome],
    ) -> Result<(), StoreError> {
        let writes = outcomes
            .iter()
            .map(|outcome| put_request(outcome_item(project, outcome)?))
            .collect::<Result<Vec<_>, _>>()?;
        self.write_many(&self.tables.results, writes).await
    }

    /// The entry of a result, if it has an outcome.
    pub async fn result(
        &self,
        project: &ProjectId,
        id: ResultId,
    ) -> Result<Option<Entry>, StoreError> {
        let from = place(id);
        let to = format!("{from}~");
        let pk = partition(project, id.run());
        let items = self.all(&self.tables.results, &pk, (&*from, &*to)).await?;
        Ok(entries(items)?.pop())
    }

    /// All items of a model at these positions, in order.
    async fn items_between(
        &self,
        project: &ProjectId,
        run: RunId,
        model: u8,
        positions: std::ops::Range<u16>,
    ) -> Result<Vec<Item>, StoreError> {
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        let from = prefix(model, positions.start);
        let to = format!("{}~", prefix(model, positions.end - 1));
        let pk = partition(project, run);
        self.all(&self.tables.results, &pk, (&*from, &*to)).await
    }

    /// Entries of a model at positions `start..end`, in order.
    pub async fn results_between(
        &self,
        project: &ProjectId,
        run: RunId,
        model: u8,
        start: u16,
        end: u16,
    ) -> Result<Vec<Entry>, StoreError> {
        entries(self.items_between(project, run, model, start..end).await?)
    }

    /// Every outcome of a model at positions `start..end`, of all rounds, in
    /// order of positions and rounds. One that can't be read hides no other.
    pub async fn stored_outcomes(
        &self,
        project: &ProjectId,
        run: RunId,
        model: u8,
        start: u16,
        end: u16,
    ) -> Result<Vec<StoredOutcome>, StoreError> {
        let items = self.items_between(project, run, model, start..end).await?;
        let stored = items.into_iter().filter_map(|item| {
            let mut parts = row::text(&item, "sk")?.split('#').skip(1);
            let position = parts.next()?.parse().ok()?;
            let round = parts.next()?.strip_prefix('r')?.parse().ok()?;
            let outcome = match row::read::<Outcome>(item) {
                Ok(outcome) => Some(outcome),
                Err(error) => {
                    tracing::error!(run_id = %run, model, position, round, %error, "an outcome can't be read");
                    None
                }
            };
            Some(StoredOutcome {
                position,
                round,
                outcome,
            })
        });
        Ok(stored.collect())
    }

    /// Writes outcomes anew together with the run that counts them, if nothing
    /// else changed the run. No more than [`MAX_REPLAYED`] at once.
    pub async fn save_replayed(&self, outcomes: &[Outcome], run: &Run) -> Result<(), StoreError> {
        let mut txn = self
            .txn()
            .put_rev(&self.tables.runs, run_item(run)?, run.rev)?;
        for outcome in outcomes {
            let item = outcome_item(&run.project, outcome)?;
            txn = txn.put(&self.tables.results, item)?;
        }
        Ok(txn.commit().await?)
    }

    /// Results of a run by their WER in a scoring: one page of ids, and where to
    /// go on.
    pub async fn results_by_wer(
        &self,
        project: &ProjectId,
        run: RunId,
        scoring: u16,
        worst_first: bool,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<(ResultId, String)>, bool), StoreError> {
        let pk = partition(project, run);
        let key = wer_key(project, run, scoring);
        // A cursor of this list is "wer_sort|sk": both are needed to go on.
        let start = after
            .and_then(|after| after.split_once('|'))
            .map(|(sort, sk)| {
                Item::from([
                    ("pk".into(), s(&*pk)),
                    ("sk".into(), s(sk)),
                    ("wer_key".into(), s(&*key)),
                    ("wer_sort".into(), s(sort)),
                ])
            });
        let answer = self
            .db
            .query()
            .table_name(&self.tables.results)
            .index_name("by_wer")
            .key_condition_expression("wer_key = :key")
            .expression_attribute_values(":key", s(&*key))
            .scan_index_forward(!worst_first)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await?;
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        let ids = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .filter_map(|item| {
                let sk = row::text(&item, "sk")?;
                let sort = row::text(&item, "wer_sort")?;
                let mut parts = sk.split('#');
                let model: u8 = parts.next()?.strip_prefix('p')?.parse().ok()?;
                let position: u16 = parts.next()?.parse().ok()?;
                Some((ResultId::new(run, model, position), format!("{sort}|{sk}")))
            });
        Ok((ids.collect(), more))
    }

    /// Entries of given results, in no order.
    pub async fn results(
        &self,
        project: &ProjectId,
        ids: &[(ResultId, String)],
    ) -> Result<Vec<Entry>, StoreError> {
        let keys = ids.iter().flat_map(|(id, at)| {
            let pk = partition(project, id.run());
            let scored = at.split_once('|').map(|(_, sk)| sk.to_owned());
            // A score names the round of its outcome.
            let outcome = scored
                .as_deref()
                .and_then(|sk| sk.rsplit('#').next()?.strip_prefix('s')?.split_once('r'))
                .map(|(_, round)| format!("{}r{round}", place(*id)));
            [scored, outcome, Some(format!("{}v", place(*id)))]
                .into_iter()
                .flatten()
                .map(move |sk| (pk.clone(), sk))
        });
        let mut items = self.get_many(&self.tables.results, keys).await?;
        items.sort_unstable_by(|a, b| row::text(a, "sk").cmp(&row::text(b, "sk")));
        entries(items)
    }

    /// Entries of results that lie anywhere in a run, in order, out of its rounds up to a
    /// last one and with their scores in one scoring. Read by key, 100 keys to a request.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn results_at(
        &self,
        project: &ProjectId,
        ids: &[ResultId],
        (last_round, scoring): (u16, u16),
    ) -> Result<Vec<Entry>, StoreError> {
        let keys = ids.iter().flat_map(|id| {
            let (pk, place) = (partition(project, id.run()), place(*id));
            let mut keys = vec![(pk.clone(), format!("{place}v"))];
            for round in 1..=last_round {
                keys.push((pk.clone(), format!("{place}r{round:02}")));
                if scoring != FIRST {
                    keys.push((pk.clone(), format!("{place}s{scoring:03}r{round:02}")));
                }
            }
            keys
        });
        let mut items = self.get_many(&self.tables.results, keys).await?;
        items.sort_unstable_by(|a, b| row::text(a, "sk").cmp(&row::text(b, "sk")));
        entries(items)
    }

    /// Writes the next revisions of reviews and what they change in the run's counts: all
    /// or nothing. No more than one for each model of a run.
    pub async fn save_reviews(&self, reviews: &[Review], run: &Run) -> Result<(), StoreError> {
        let pk = partition(&run.project, run.id);
        let mut txn = self
            .txn()
            .put_rev(&self.tables.runs, run_item(run)?, run.rev)?;
        for review in reviews {
            let item = Row::new(&*pk, format!("{}v", place(review.id)), review)?.build();
            txn = txn.put_rev(&self.tables.results, item, review.rev)?;
        }
        Ok(txn.commit().await?)
    }

    /// Removes up to 1,000 items of a run; true when there was anything.
    pub async fn delete_some_results(
        &self,
        project: &ProjectId,
        run: RunId,
    ) -> Result<bool, StoreError> {
        let pk = partition(project, run);
        let answer = self
            .db
            .query()
            .table_name(&self.tables.results)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", s(&*pk))
            .projection_expression("sk")
            .consistent_read(true)
            .limit(1_000)
            .send()
            .await?;
        let keys: Vec<_> = answer
            .items
            .unwrap_or_default()
            .iter()
            .filter_map(|item| row::text(item, "sk").map(|sk| (pk.clone(), sk.to_owned())))
            .collect();
        let any = !keys.is_empty();
        self.delete_many(&self.tables.results, keys).await?;
        Ok(any)
    }
}
