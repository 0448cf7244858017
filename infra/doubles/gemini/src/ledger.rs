//! What was asked of the simulator.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::route::Route;

/// Entries kept; the counts go on.
const KEPT: usize = 200_000;

/// One request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Running number, from 1.
    pub seq: u64,
    /// When it arrived, RFC 3339.
    pub at: String,
    /// The operation.
    pub route: Route,
    /// The HTTP method.
    pub method: String,
    /// The path without the query, which might hold a key.
    pub path: String,
    /// The last four characters of the API key.
    pub key_last4: Option<String>,
    /// Whether the key came in the query, where logs keep it.
    pub key_in_query: bool,
    /// The display name of the file or batch meant, where it is known.
    pub display_name: Option<String>,
    /// Bytes of the request body that were read.
    pub bytes: u64,
    /// The status answered; `None` while under way or when nothing was sent.
    pub status: Option<u16>,
    /// The faults that were applied, by type.
    pub faults: Vec<String>,
}

/// All requests so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Requests per operation, faulty and refused ones included.
    pub counts: BTreeMap<Route, u64>,
    /// The newest 200,000 requests, oldest first.
    pub entries: Vec<LedgerEntry>,
}

impl Ledger {
    /// Requests of one operation.
    pub fn count(&self, route: Route) -> u64 {
        self.counts.get(&route).copied().unwrap_or(0)
    }

    /// Requests of all operations.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    counts: BTreeMap<Route, u64>,
    entries: VecDeque<LedgerEntry>,
}

/// The ledger while it is being written.
#[derive(Debug, Default)]
pub(crate) struct LedgerBook(Mutex<Inner>);

impl LedgerBook {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a request and returns its number.
    pub(crate) fn begin(&self, mut entry: LedgerEntry) -> u64 {
        let mut inner = self.inner();
        inner.next += 1;
        entry.seq = inner.next;
        *inner.counts.entry(entry.route).or_default() += 1;
        if inner.entries.len() >= KEPT {
            inner.entries.pop_front();
        }
        inner.entries.push_back(entry);
        inner.next
    }

    /// Completes an entry, if it is still kept.
    pub(crate) fn note(&self, seq: u64, change: impl FnOnce(&mut LedgerEntry)) {
        let mut inner = self.inner();
        let behind = inner.next.saturating_sub(seq);
        let index = usize::try_from(behind)
            .ok()
            .and_then(|behind| inner.entries.len().checked_sub(behind + 1));
        if let Some(entry) = index.and_then(|index| inner.entries.get_mut(index))
            && entry.seq == seq
        {
            change(entry);
        }
    }

    /// A copy, of the entries after `since` only.
    pub(crate) fn snapshot(&self, since: u64) -> Ledger {
        let inner = self.inner();
        Ledger {
            counts: inner.counts.clone(),
            entries: inner
                .entries
                .iter()
                .filter(|entry| entry.seq > since)
                .cloned()
                .collect(),
        }
    }

    /// Forgets all counts and entries; numbers go on.
    pub(crate) fn reset(&self) {
        let mut inner = self.inner();
        inner.counts.clear();
        inner.entries.clear();
    }
}
