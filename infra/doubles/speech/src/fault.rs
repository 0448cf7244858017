//! What goes wrong on demand.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// What goes wrong with the next paid request to a vendor; or with the next one of a step
/// that is free, where it is given for `<vendor>/<step>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// It is refused before anything is done, and costs nothing.
    Refuse {
        /// Status.
        status: u16,
        /// Headers of the answer.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Its body.
        #[serde(default)]
        body: String,
    },
    /// The connection is closed before anything is done.
    LostRequest,
    /// It is done and charged, and the connection is closed without an answer.
    LostReply,
    /// It is done and charged, and no answer comes.
    Silence,
    /// It is done and charged, and answered with status 200 and this body.
    Lie {
        /// The body.
        body: String,
    },
    /// It is done and charged, and answered with status 200 and this body, a byte a second.
    Drip {
        /// The body.
        body: String,
    },
}

impl Fault {
    /// The body of a refusal.
    pub(crate) fn body(self) -> Option<String> {
        match self {
            Self::Refuse { body, .. } => Some(body),
            _ => None,
        }
    }
}

/// Faults to come, by vendor, in order.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<HashMap<String, VecDeque<Fault>>>);

impl Faults {
    pub fn add(&self, vendor: &str, fault: Fault) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(vendor.to_owned()).or_default().push_back(fault);
    }

    pub fn next(&self, vendor: &str) -> Option<Fault> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_mut(vendor)?.pop_front()
    }
}
