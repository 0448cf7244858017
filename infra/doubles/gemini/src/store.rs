//! Files and batches of all API keys, and the journal that outlives a restart.

use std::collections::{BTreeSet, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::batch_record::BatchRecord;
use crate::file_record::FileRecord;
use crate::owner::Owner;
use crate::wire::ApiError;

/// One line of the journal; the last line about a thing counts.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry<F, B> {
    File(F),
    FileGone(String),
    Batch(B),
}

type OwnedEntry = Entry<FileRecord, BatchRecord>;
type RefEntry<'a> = Entry<&'a FileRecord, &'a BatchRecord>;

/// Creation time in nanoseconds, then id: the order of lists.
type Position = (i128, String);

#[derive(Debug, Default)]
struct Index {
    files: BTreeSet<Position>,
    batches: BTreeSet<Position>,
    open: BTreeSet<String>,
    stored_bytes: u64,
}

/// The simulator's memory.
#[derive(Debug)]
pub(crate) struct State {
    files: HashMap<String, FileRecord>,
    batches: HashMap<String, BatchRecord>,
    owners: HashMap<String, Index>,
    journal: Option<File>,
    blobs: PathBuf,
}

impl State {
    /// Opens a data directory; `durable` keeps a journal in it.
    pub(crate) fn open(dir: &Path, durable: bool) -> io::Result<Self> {
        let blobs = dir.join("blobs");
        std::fs::create_dir_all(&blobs)?;
        // Uploads that were not finished do not survive.
        for entry in std::fs::read_dir(&blobs)? {
            let path = entry?.path();
            if path
                .file_name()
                .is_some_and(|n| n.len() > 40 && n.to_string_lossy().starts_with("upload-"))
            {
                std::fs::remove_file(path)?;
            }
        }
        let mut state = Self {
            files: HashMap::new(),
            batches: HashMap::new(),
            owners: HashMap::new(),
            journal: None,
            blobs,
        };
        if durable {
            let path = dir.join("journal.jsonl");
            state.replay(&path)?;
            state.compact(&path)?;
            state.journal = Some(OpenOptions::new().append(true).open(&path)?);
        }
        Ok(state)
    }

    fn replay(&mut self, path: &Path) -> io::Result<()> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for line in BufReader::new(file).split(b'\n') {
            // The last line may be half-written: the process was killed.
            match serde_json::from_slice::<OwnedEntry>(&line?) {
                Ok(Entry::File(file)) => self.index_file(file),
                Ok(Entry::FileGone(id)) => self.unindex_file(&id),
                Ok(Entry::Batch(batch)) => self.index_batch(batch),
                Err(error) => tracing::warn!(%error, "a journal line was skipped"),
            }
        }
        Ok(())
    }

    /// Rewrites the journal with what is still there.
    fn compact(&self, path: &Path) -> io::Result<()> {
        let fresh = path.with_extension("new");
        let mut out = io::BufWriter::new(File::create(&fresh)?);
        for file in self.files.values() {
            write_line(&mut out, &RefEntry::File(file))?;
        }
        for batch in self.batches.values() {
            write_line(&mut out, &RefEntry::Batch(batch))?;
        }
        out.flush()?;
        std::fs::rename(fresh, path)
    }

    fn record(journal: &mut Option<File>, entry: &RefEntry<'_>) -> Result<(), ApiError> {
        match journal {
            Some(file) => write_line(file, entry).map_err(ApiError::internal),
            None => Ok(()),
        }
    }

    /// Where the bytes of a file are, if they are kept.
    pub(crate) fn blob(&self, id: &str) -> PathBuf {
        self.blobs.join(id)
    }

    // Files

    /// Whether a file name is taken, by any key: names hold no project.
    pub(crate) fn file_name_taken(&self, id: &str, now: OffsetDateTime) -> bool {
        self.files.get(id).is_some_and(|file| now < file.expires)
    }

    /// A file as its owner sees it.
    pub(crate) fn file(&self, owner: &Owner, id: &str, now: OffsetDateTime) -> Option<&FileRecord> {
        self.files
            .get(id)
            .filter(|file| file.owner == *owner && now < file.expires)
    }

    /// Any file, for looking from outside.
    pub(crate) fn all_files(&self) -> impl Iterator<Item = &FileRecord> {
        self.files.values()
    }

    /// The files of an owner, newest first.
    pub(crate) fn files_of(
        &self,
        owner: &Owner,
        now: OffsetDateTime,
    ) -> impl Iterator<Item = &FileRecord> {
        self.owners
            .get(&owner.hash)
            .into_iter()
            .flat_map(|index| index.files.iter().rev())
            .filter_map(|(_, id)| self.files.get(id))
            .filter(move |file| now < file.expires)
    }

    /// Bytes held by the files of an owner.
    pub(crate) fn stored_bytes(&self, owner: &Owner) -> u64 {
        self.owners.get(&owner.hash).map_or(0, |i| i.stored_bytes)
    }

    /// Adds a file; one that expired under the same name makes room.
    pub(crate) fn put_file(&mut self, file: FileRecord) -> Result<(), ApiError> {
        Self::record(&mut self.journal, &RefEntry::File(&file))?;
        self.index_file(file);
        Ok(())
    }

    /// Forgets a file and its bytes.
    pub(crate) fn remove_file(&mut self, id: &str) -> Result<(), ApiError> {
        Self::record(&mut self.journal, &RefEntry::FileGone(id.to_owned()))?;
        self.unindex_file(id);
        let _ = std::fs::remove_file(self.blob(id));
        Ok(())
    }

    /// Forgets what has expired of an owner.
    pub(crate) fn purge_expired(
        &mut self,
        owner: &Owner,
        now: OffsetDateTime,
    ) -> Result<(), ApiError> {
        let Some(index) = self.owners.get(&owner.hash) else {
            return Ok(());
        };
        let gone: Vec<String> = index
            .files
            .iter()
            .filter(|(_, id)| self.files.get(id).is_some_and(|f| f.expires <= now))
            .map(|(_, id)| id.clone())
            .collect();
        gone.iter().try_for_each(|id| self.remove_file(id))
    }

    fn index_file(&mut self, file: FileRecord) {
        self.unindex_file(&file.id);
        let index = self.owners.entry(file.owner.hash.clone()).or_default();
        index.files.insert(position(file.created, &file.id));
        index.stored_bytes += file.size;
        self.files.insert(file.id.clone(), file);
    }

    fn unindex_file(&mut self, id: &str) {
        if let Some(old) = self.files.remove(id)
            && let Some(index) = self.owners.get_mut(&old.owner.hash)
        {
            index.files.remove(&position(old.created, id));
            index.stored_bytes = index.stored_bytes.saturating_sub(old.size);
        }
    }

    // Batches

    /// A batch as its owner sees it.
    pub(crate) fn batch(
        &self,
        owner: &Owner,
        id: &str,
        now: OffsetDateTime,
    ) -> Option<&BatchRecord> {
        self.batches
            .get(id)
            .filter(|batch| batch.owner == *owner && batch.visible(now))
    }

    /// Any batch, deleted ones too.
    pub(crate) fn batch_mut(&mut self, id: &str) -> Option<&mut BatchRecord> {
        self.batches.get_mut(id)
    }

    /// All batches, deleted ones too.
    pub(crate) fn all_batches(&self) -> impl Iterator<Item = &BatchRecord> {
        self.batches.values()
    }

    /// Ids of the batches of an owner before a position, newest first.
    pub(crate) fn batch_ids(&self, owner: &Owner, before: Option<&Position>) -> Vec<Position> {
        let Some(index) = self.owners.get(&owner.hash) else {
            return Vec::new();
        };
        match before {
            None => index.batches.iter().rev().cloned().collect(),
            Some(before) => index
                .batches
                .range(..before.clone())
                .rev()
                .cloned()
                .collect(),
        }
    }

    /// Ids of the batches of an owner that have not ended.
    pub(crate) fn open_batches(&self, owner: &Owner) -> Vec<String> {
        self.owners
            .get(&owner.hash)
            .map(|index| index.open.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// How many batches of an owner have not ended.
    pub(crate) fn open_count(&self, owner: &Owner) -> usize {
        self.owners.get(&owner.hash).map_or(0, |i| i.open.len())
    }

    /// Batches that were cancelled, for those whose quota may not be free yet.
    pub(crate) fn cancelled(&self, owner: &Owner) -> impl Iterator<Item = &BatchRecord> {
        let of_owner = move |batch: &&BatchRecord| batch.owner.hash == owner.hash;
        let cancelled = |batch: &&BatchRecord| {
            let end = batch.end.as_ref();
            end.is_some_and(|end| end.state == "CANCELLED")
        };
        self.batches.values().filter(of_owner).filter(cancelled)
    }

    /// Adds or replaces a batch.
    pub(crate) fn put_batch(&mut self, batch: BatchRecord) -> Result<(), ApiError> {
        Self::record(&mut self.journal, &RefEntry::Batch(&batch))?;
        self.index_batch(batch);
        Ok(())
    }

    fn index_batch(&mut self, batch: BatchRecord) {
        let index = self.owners.entry(batch.owner.hash.clone()).or_default();
        if batch.deleted {
            index.batches.remove(&position(batch.created, &batch.id));
        } else {
            index.batches.insert(position(batch.created, &batch.id));
        }
        if batch.end.is_none() && !batch.deleted {
            index.open.insert(batch.id.clone());
        } else {
            index.open.remove(&batch.id);
        }
        self.batches.insert(batch.id.clone(), batch);
    }
}

fn position(created: OffsetDateTime, id: &str) -> Position {
    (created.unix_timestamp_nanos(), id.to_owned())
}

fn write_line<W: Write>(out: &mut W, entry: &RefEntry<'_>) -> io::Result<()> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    out.write_all(&line)
}
