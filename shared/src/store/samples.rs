//! Table `samples`: a dataset's samples by position, and behind them, so that who reads
//! samples does not read these, earlier wordings of their references (`w00000`).

use std::collections::HashMap;

use aws_sdk_dynamodb::types::Select;
use futures::future::try_join_all;

use super::row::{self, Item, Row};
use super::txn::TxnError;
use super::{Page, Store, StoreError, datasets, files, put_request, read_page};
use crate::domain::dataset::{Dataset, Metadata, Sample};
use crate::domain::reference_origin::FromModel;
use crate::domain::unit::Span;
use crate::domain::wordings::Wordings;
use crate::domain::{DatasetId, FileId, ProjectId, SampleId, Timestamp};

/// What reports need of a sample.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
pub struct SampleFacts {
    /// Its dataset and position.
    pub id: SampleId,
    /// Canonical BCP-47 tag.
    pub language: String,
    /// Free fields, by name: what reports group and block by.
    #[serde(default)]
    pub metadata: Metadata,
    /// Length of the recording in seconds.
    pub duration_seconds: f64,
    /// Which reference it has.
    pub reference_version: u32,
    /// What of the reference were words of models.
    #[serde(default)]
    pub from_models: Vec<FromModel>,
}

/// What of a sample decides whether a model takes it, and what it is known by.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
pub struct Clip {
    /// Its dataset and position.
    pub id: SampleId,
    /// The file of its recording.
    pub file_id: FileId,
    /// Name of the recording.
    pub filename: String,
    /// Bytes of its reference.
    #[serde(default, rename = "ground_truth", deserialize_with = "length")]
    pub reference_bytes: usize,
    /// Canonical BCP-47 tag.
    pub language: String,
    /// Length of the recording in seconds.
    pub duration_seconds: f64,
    /// Length of the recording in bytes.
    pub size_bytes: u64,
    /// Type the recording is sent with.
    pub content_type: String,
}

fn length<'de, D: serde::Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    let text: Option<String> = serde::Deserialize::deserialize(from)?;
    Ok(text.map_or(0, |text| text.len()))
}

/// Samples whose facts are read one answer after the other.
const FACTS_AT_ONCE: u16 = 2_500;
/// Files to a transaction.
const PER_TRANSACTION: usize = 100;

fn partition(project: &ProjectId, dataset: DatasetId) -> String {
    format!("{project}#{dataset}")
}

fn sort_key(position: u16) -> String {
    format!("{position:05}")
}

fn wordings_key(position: u16) -> String {
    format!("w{position:05}")
}

fn item(project: &ProjectId, sample: &Sample) -> Result<Item, StoreError> {
    let pk = partition(project, sample.id.dataset());
    Ok(Row::new(pk, sort_key(sample.id.position()), sample)?.build())
}

/// Every sample of a partition.
const ALL: (&str, &str) = ("0", "9~");
/// The wordings of all its samples.
const WORDINGS: (&str, &str) = ("w", "w~");

impl Store {
    /// Writes samples of an unsealed dataset and notes on each file that the
    /// dataset uses it. Gives the position of a sample whose file can't be
    /// used (any more), when there is one. May be repeated.
    ///
    /// Samples first, and not in the same transaction, in which a write costs
    /// twice as much: after a crash, files are found by their samples.
    pub async fn write_samples(
        &self,
        project: &ProjectId,
        samples: &[Sample],
    ) -> Result<Result<(), usize>, StoreError> {
        use futures::stream::{StreamExt, TryStreamExt};
        let writes = samples
            .iter()
            .map(|sample| put_request(item(project, sample)?))
            .collect::<Result<Vec<_>, _>>()?;
        self.write_many(&self.tables.samples, writes).await?;
        let parts = (0..samples.len()).step_by(PER_TRANSACTION);
        let parts = parts.map(|start| async move {
            let mut txn = self.txn();
            for sample in samples.iter().skip(start).take(PER_TRANSACTION) {
                let dataset = sample.id.dataset();
                txn = files::use_file(txn, &self.tables.files, project, sample.file_id, dataset)?;
            }
            match txn.commit().await {
                Ok(()) => Ok(None),
                Err(TxnError::Condition { index, .. }) => Ok(Some(start + index)),
                Err(error) => Err(StoreError::from(error)),
            }
        });
        let refused: Vec<Option<usize>> = futures::stream::iter(parts)
            .buffer_unordered(8)
            .try_collect()
            .await?;
        Ok(match refused.into_iter().flatten().min() {
            Some(position) => Err(position),
            None => Ok(()),
        })
    }

    /// One sample.
    pub async fn sample(
        &self,
        project: &ProjectId,
        id: SampleId,
    ) -> Result<Option<Sample>, StoreError> {
        let pk = partition(project, id.dataset());
        let found = self
            .get(&self.tables.samples, pk, sort_key(id.position()))
            .await?;
        found.map(row::read).transpose()
    }

    /// The place after a sample in [`Store::list_samples`].
    #[must_use]
    pub fn sample_place(sample: &Sample) -> String {
        sort_key(sample.id.position())
    }

    /// Samples in order of position.
    pub async fn list_samples(
        &self,
        project: &ProjectId,
        dataset: DatasetId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Sample>, StoreError> {
        let pk = partition(project, dataset);
        read_page(
            self.page(&self.tables.samples, &pk, ALL, after, limit, false)
                .await?,
        )
    }

    /// The samples of some spans.
    pub async fn samples_in(
        &self,
        project: &ProjectId,
        dataset: DatasetId,
        spans: &[Span],
    ) -> Result<Vec<Sample>, StoreError> {
        let pk = partition(project, dataset);
        // Scattered positions (a retry) are cheaper by key than by range.
        let items: Vec<Item> = if spans.len() > 4 {
            let keys = spans
                .iter()
                .flat_map(|span| span.start..span.end)
                .map(|position| (pk.clone(), sort_key(position)));
            self.get_many(&self.tables.samples, keys).await?
        } else {
            let spans = spans.iter().map(|span| self.span(&pk, *span));
            try_join_all(spans).await?.into_iter().flatten().collect()
        };
        let samples = items.into_iter().map(row::read::<Sample>);
        let mut samples = samples.collect::<Result<Vec<_>, _>>()?;
        samples.sort_unstable_by_key(|sample| sample.id);
        Ok(samples)
    }

    /// The items of samples that follow one another.
    async fn span(&self, pk: &str, span: Span) -> Result<Vec<Item>, StoreError> {
        let (first, last) = (sort_key(span.start), sort_key(span.end.saturating_sub(1)));
        self.all(&self.tables.samples, pk, (&*first, &*last)).await
    }

    /// What every sample is known by, and what decides which models take it, in
    /// order of position.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn clips(
        &self,
        project: &ProjectId,
        dataset: DatasetId,
    ) -> Result<Vec<Clip>, StoreError> {
        let attributes = [
            "id",
            "file_id",
            "filename",
            "ground_truth",
            "language",
            "duration_seconds",
            "size_bytes",
            "content_type",
        ];
        self.samples_between(project, dataset, (0, u16::MAX), &attributes, row::read)
            .await
    }

    /// What reports need of the first so many samples, in order of position: language,
    /// length, and of the free fields only those that are named.
    pub async fn sample_facts(
        &self,
        project: &ProjectId,
        dataset: DatasetId,
        count: u32,
        fields: &[&str],
    ) -> Result<Vec<SampleFacts>, StoreError> {
        let attributes = [
            "id",
            "language",
            "metadata",
            "duration_seconds",
            "reference_version",
            "from_models",
        ];
        let read = |item| {
            let mut read: SampleFacts = row::read(item)?;
            read.metadata.retain(|name, _| fields.contains(&&**name));
            Ok(read)
        };
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        // Side by side: each answer takes its time, and there are several to a range.
        let ranges = (0..count).step_by(usize::from(FACTS_AT_ONCE)).map(|start| {
            let last = start.saturating_add(FACTS_AT_ONCE).min(count) - 1;
            self.samples_between(project, dataset, (start, last), &attributes, &read)
        });
        let facts = try_join_all(ranges).await?;
        Ok(facts.into_iter().flatten().collect())
    }

    /// Some attributes of the samples of a dataset from one position to another, both
    /// included, in their order.
    async fn samples_between<T>(
        &self,
        project: &ProjectId,
        dataset: DatasetId,
        (first, last): (u16, u16),
        attributes: &[&str],
        read: impl Fn(Item) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let pk = partition(project, dataset);
        // Some of the names are words of DynamoDB's own.
        let names: HashMap<String, String> = attributes
            .iter()
            .map(|name| (format!("#{name}"), (*name).to_owned()))
            .collect();
        let projection: Vec<&str> = names.keys().map(String::as_str).collect();
        let projection = projection.join(", ");
        let mut all = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .db
                .query()
                .table_name(&self.tables.samples)
                .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
                .expression_attribute_values(":pk", row::s(&*pk))
                .expression_attribute_values(":first", row::s(sort_key(first)))
                .expression_attribute_values(":last", row::s(sort_key(last)))
                .projection_expression(&projection)
                .set_expression_attribute_names(Some(names.clone()))
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await?;
            for item in answer.items.unwrap_or_default() {
                all.push(read(item)?);
            }
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(all);
            }
        }
    }

    /// Writes a sample's next revision.
    pub async fn save_sample(
        &self,
        project: &ProjectId,
        sample: &Sample,
    ) -> Result<(), StoreError> {
        self.put_rev(&self.tables.samples, item(project, sample)?, sample.rev)
            .await
    }

    /// What is kept of the earlier wordings of a sample's reference; `None` before it was
    /// changed.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn wordings(
        &self,
        project: &ProjectId,
        id: SampleId,
    ) -> Result<Option<Wordings>, StoreError> {
        let pk = partition(project, id.dataset());
        let found = self
            .get(&self.tables.samples, pk, wordings_key(id.position()))
            .await?;
        found.map(row::read).transpose()
    }

    /// Writes the next revision of a sample that has another reference, the wordings
    /// before it, and its dataset's next revision where that counts the change: all of it
    /// or nothing.
    pub async fn save_reference(
        &self,
        project: &ProjectId,
        sample: &Sample,
        wordings: &Wordings,
        dataset: Option<&Dataset>,
    ) -> Result<(), StoreError> {
        let pk = partition(project, sample.id.dataset());
        let kept = Row::new(pk, wordings_key(sample.id.position()), wordings)?.build();
        let txn = self
            .txn()
            .put_rev(&self.tables.samples, item(project, sample)?, sample.rev)?
            .put(&self.tables.samples, kept)?;
        let txn = match dataset {
            None => txn,
            Some(dataset) => {
                txn.put_rev(&self.tables.datasets, datasets::item(dataset)?, dataset.rev)?
            }
        };
        Ok(txn.commit().await?)
    }

    /// Removes up to 500 samples of a dataset; gives their files, none when
    /// there is nothing left. `files` are released by the caller first, so a
    /// crash between the two is repaired by doing it again.
    pub async fn some_samples(
        &self,
        project: &ProjectId,
        dataset: DatasetId,
    ) -> Result<Vec<(SampleId, FileId)>, StoreError> {
        let page = self.list_samples(project, dataset, None, 500).await?;
        Ok(page
            .items
            .into_iter()
            .map(|sample| (sample.id, sample.file_id))
            .collect())
    }

    /// How many samples have got another reference since a moment, and whether there may be
    /// more: no more is looked through than what one answer holds.
    pub async fn changed_since(
        &self,
        project: &ProjectId,
        dataset: DatasetId,
        at: Timestamp,
    ) -> Result<(u64, bool), StoreError> {
        let answer = self
            .db
            .query()
            .table_name(&self.tables.samples)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            // As text they are in the order of time.
            .filter_expression("stands.#at > :at")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":pk", row::s(partition(project, dataset)))
            .expression_attribute_values(":first", row::s(WORDINGS.0))
            .expression_attribute_values(":last", row::s(WORDINGS.1))
            .expression_attribute_values(":at", row::s(at.to_string()))
            .select(Select::Count)
            .consistent_read(true)
            .send()
            .await?;
        let is_part = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        Ok((u64::try_from(answer.count).unwrap_or(0), is_part))
    }

    /// Removes samples.
    pub async fn delete_samples(
        &self,
        project: &ProjectId,
        samples: &[SampleId],
    ) -> Result<(), StoreError> {
        let keys = samples
            .iter()
            .map(|id| (partition(project, id.dataset()), sort_key(id.position())));
        self.delete_many(&self.tables.samples, keys).await
    }

    /// Removes the wordings of all samples of a dataset, which are gone by then: so
    /// nothing more is written there.
    pub async fn delete_wordings(
        &self,
        project: &ProjectId,
        dataset: DatasetId,
    ) -> Result<(), StoreError> {
        let pk = partition(project, dataset);
        loop {
            let kept = self.page(&self.tables.samples, &pk, WORDINGS, None, 500, false);
            let kept = kept.await?.items;
            if kept.is_empty() {
                return Ok(());
            }
            let keys = kept.iter().filter_map(|item| row::text(item, "sk"));
            let keys = keys.map(|sk| (pk.clone(), sk.to_owned()));
            self.delete_many(&self.tables.samples, keys).await?;
        }
    }
}
