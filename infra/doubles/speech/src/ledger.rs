//! What was charged, and what was asked.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// Something that was done and billed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Charge {
    /// The vendor.
    pub vendor: String,
    /// The key that it was asked with; empty without one.
    pub account: String,
    /// Name of the model.
    pub model: String,
    /// SHA-256 of the audio, in hexadecimal.
    pub audio: String,
}

/// Everything since the start.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Ledger {
    /// What was charged, in order.
    pub charges: Vec<Charge>,
    /// Method and path of every request, in order.
    pub requests: Vec<String>,
}

impl Ledger {
    /// How often audio was charged by a vendor, the most of any one.
    #[must_use]
    pub fn most_for_one(&self) -> usize {
        let mut sorted = self.charges.clone();
        sorted.sort();
        sorted
            .chunk_by(|a, b| a == b)
            .map(<[_]>::len)
            .max()
            .unwrap_or(0)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<Ledger>);

impl Book {
    pub fn charge(&self, charge: Charge) {
        self.with(|ledger| ledger.charges.push(charge));
    }

    pub fn request(&self, request: String) {
        self.with(|ledger| ledger.requests.push(request));
    }

    pub fn snapshot(&self) -> Ledger {
        self.with(|ledger| ledger.clone())
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Ledger) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
