//! What a vendor is: its models, what it needs, what it allows, and how to talk
//! to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::audio::AudioBy;
use super::calls::Calls;
use super::consult::Consult;
use super::credential::{Field, REGION};
use super::jobs::Jobs;
use super::lines::ReadsLines;
use super::model::Model;
use super::within::within;
use crate::deadline::Deadline;

/// A vendor of speech-to-text.
pub struct Vendor {
    /// What credentials are kept for, and what `provider` of a model says.
    pub name: &'static str,
    /// What it calls itself, for people.
    pub title: &'static str,
    /// Its models.
    pub models: &'static [Model],
    /// What a credential consists of; nothing where none is needed, or where the
    /// functions' role is it.
    pub credential: &'static [Field],
    /// How audio gets there.
    pub audio: AudioBy,
    /// How much one unit may hold. Of the vendor, never of a model: units of
    /// several models share their audio.
    pub unit: UnitLimits,
    /// What one credential may have there at a time.
    pub limits: Limits,
    /// How long things take there.
    pub timing: Timing,
    /// How it takes work.
    pub works: Works,
    /// Makes what it is asked with by a function that gives it no work. Makes no request.
    pub consult: fn(&Settings) -> Result<Arc<dyn Consult>, SetupError>,
}

/// A vendor and its client. Apart from the vendor, so that a function that gives no work
/// has none of the clients in it.
pub struct Client {
    /// The vendor.
    pub vendor: &'static Vendor,
    /// Makes the client. Makes no request.
    pub connect: fn(&Settings) -> Result<Adapter, SetupError>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.vendor.name).finish()
    }
}

/// How a vendor takes work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Works {
    /// Many items in one job, collected later.
    Jobs,
    /// One item in one call.
    Calls,
    /// One item by one call of a program of this machine.
    Commands,
}

impl Vendor {
    /// What vendors have in common that answer each item in its call, to be completed.
    pub const OF_CALLS: Self = Self {
        name: "",
        title: "",
        models: &[],
        credential: &[Field::API_KEY],
        audio: AudioBy::Bytes,
        unit: UnitLimits::OF_CALLS,
        limits: Limits::of_calls(4),
        timing: Timing::OF_CALLS,
        works: Works::Calls,
        consult: |_| Err(SetupError::Setting(String::new())),
    };

    /// Where it can be beside its usual place, if there is a choice.
    #[must_use]
    pub fn regions(&self) -> Option<&'static Field> {
        self.credential.iter().find(|field| field.name == REGION)
    }

    /// Whether it wants no credential: a server of one's own.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.credential.is_empty() && !self.is_by_role()
    }

    /// Whether it is asked with the role of the functions, where the operator of the
    /// deployment has switched that on: a service of the cloud that they run in. It
    /// reads our bucket by that role as well.
    #[must_use]
    pub fn is_by_role(&self) -> bool {
        self.credential.is_empty() && self.audio == AudioBy::Stored
    }
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vendor")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// How much one unit may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitLimits {
    /// Samples.
    pub samples: usize,
    /// Bytes of audio.
    pub bytes: u64,
}

impl UnitLimits {
    /// Of vendors that answer each item in its call: as many as one worker brings to
    /// an end, mostly.
    pub const OF_CALLS: Self = Self {
        samples: 50,
        bytes: 500_000_000,
    };
}

/// What one credential may have at its vendor at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Units that have not ended.
    pub open_units: usize,
    /// Bytes of audio in the vendor's store.
    pub stored_bytes: u64,
    /// Tokens waiting for one model: of audio and of prompts.
    pub queued_tokens: u64,
    /// Calls under way.
    pub calls_at_once: usize,
}

impl Limits {
    /// Of vendors of jobs that neither keep audio nor count what waits: only jobs count.
    #[must_use]
    pub const fn of_jobs(open_units: usize) -> Self {
        Self {
            open_units,
            stored_bytes: u64::MAX,
            queued_tokens: u64::MAX,
            calls_at_once: 0,
        }
    }

    /// Of vendors that answer each item in its call: only calls under way count.
    #[must_use]
    pub const fn of_calls(at_once: usize) -> Self {
        Self {
            open_units: at_once,
            stored_bytes: u64::MAX,
            queued_tokens: u64::MAX,
            calls_at_once: at_once,
        }
    }
}

/// How long things take at a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// After this a job is stopped, and its items fail.
    pub deadline: Duration,
    /// An intent older than this has no request under way any more.
    pub grace: Duration,
    /// How long "finished" without an output still counts as running.
    pub settle: Duration,
    /// How long the vendor keeps what was sent to it, at most.
    pub keeps_inputs: Duration,
    /// Audio in its store is used again only while it stays there at least so
    /// long.
    pub reuses_inputs: Duration,
    /// How long a job that was stopped still counts at the vendor.
    pub quota_hold: Duration,
    /// Pauses between polls of a credential, growing while nothing changes.
    pub poll_pauses: &'static [Duration],
}

impl Timing {
    /// Of vendors of jobs that are done within minutes and keep no audio of ours.
    pub const OF_JOBS: Self = Self {
        deadline: Duration::from_secs(24 * 3_600),
        grace: Duration::from_secs(600),
        settle: Duration::from_secs(600),
        keeps_inputs: Duration::ZERO,
        reuses_inputs: Duration::ZERO,
        quota_hold: Duration::ZERO,
        poll_pauses: &[
            Duration::from_secs(20),
            Duration::from_secs(40),
            Duration::from_secs(120),
        ],
    };

    /// Of vendors that answer each item in its call: nothing waits there and nothing is
    /// kept. The grace is longer than a worker lives.
    pub const OF_CALLS: Self = Self {
        deadline: Duration::from_secs(48 * 3_600),
        grace: Duration::from_secs(600),
        settle: Duration::from_secs(60),
        keeps_inputs: Duration::ZERO,
        reuses_inputs: Duration::ZERO,
        quota_hold: Duration::ZERO,
        poll_pauses: &[Duration::from_secs(60)],
    };
}

/// What of the configuration a client is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the vendor is, if not where its own documents say.
    pub base_url: Option<String>,
    /// Whether models of a project's own may be on this machine. Never in AWS.
    pub loopback: bool,
    /// Past this no start may be under way any more: the call that starts a job
    /// must have ended before, and been recorded.
    pub grace: Duration,
}

/// A client could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The base URL is not usable.
    #[error("the base URL is not usable: {0}")]
    BaseUrl(String),
    /// A setting that can't work.
    #[error("{0}")]
    Setting(String),
}

/// A vendor's client, by the way in which the vendor takes work.
#[derive(Clone)]
pub enum Adapter {
    /// Many items in one job, collected later.
    Jobs(Arc<dyn Jobs>),
    /// One item in one call.
    Calls(Arc<dyn Calls>),
}

impl Adapter {
    /// The client, of a vendor that takes jobs.
    #[must_use]
    pub fn jobs(&self) -> Option<&dyn Jobs> {
        match self {
            Self::Jobs(jobs) => Some(&**jobs),
            Self::Calls(_) => None,
        }
    }

    /// The client, of a vendor that takes calls.
    #[must_use]
    pub fn calls(&self) -> Option<&dyn Calls> {
        match self {
            Self::Calls(calls) => Some(&**calls),
            Self::Jobs(_) => None,
        }
    }

    /// What reads the vendor's output.
    #[must_use]
    pub fn lines(&self) -> &dyn ReadsLines {
        match self {
            Self::Jobs(jobs) => &**jobs,
            Self::Calls(calls) => &**calls,
        }
    }

    /// The client, as far as it is asked without being given work.
    #[must_use]
    pub fn consult(&self) -> Arc<dyn Consult> {
        match self {
            Self::Jobs(jobs) => Arc::<dyn Jobs>::clone(jobs),
            Self::Calls(calls) => Arc::<dyn Calls>::clone(calls),
        }
    }

    /// The same, with calls that end before the deadline.
    #[must_use]
    pub fn within(&self, deadline: Deadline) -> Self {
        match self {
            Self::Jobs(jobs) => Self::Jobs(within(jobs, deadline)),
            Self::Calls(calls) => Self::Calls(within(calls, deadline)),
        }
    }
}
