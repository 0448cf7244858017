//! Vendors that take many items as one job and answer later.
//!
//! An adapter turns whatever its vendor has into a job with a name, a status
//! and one output of lines keyed by item. What some vendors have and others
//! have not is a capability: a [`Ledger`] that lists all of our jobs, an
//! [`AudioStore`] that keeps audio for us. Nothing here decides about
//! repetition of the irreversible step, [`Jobs::start`]: that is the unit's
//! state machine ([`crate::domain::unit`]).
//!
//! Every call fails with a [`CallError`]: `Rejected` when it certainly had no
//! effect, `Ambiguous` when it may have had one.

use async_trait::async_trait;
use time::OffsetDateTime;

use super::audio::{AudioSource, ByteStream, ItemAudio, StagedInput};
use super::consult::Consult;
use super::credential::Credential;
use super::error::CallError;
use super::lines::ReadsLines;
use crate::domain::transcribe::ModelConfig;
use crate::domain::unit::{BatchState, Unit, UnitKey};
use crate::domain::{FileId, ProjectId, RunId};

/// What a job is: the facts that its name is made of.
///
/// Each adapter spells them in its vendor's alphabet, always the same for the
/// same facts.
#[derive(Debug, Clone, Copy)]
pub struct JobName<'a> {
    /// Id of the deployment.
    pub deployment: &'a str,
    /// Owner of the run.
    pub project: &'a ProjectId,
    /// The run.
    pub run: RunId,
    /// Which unit of the run.
    pub unit: UnitKey,
    /// Which creation of the unit's job, from 1.
    pub attempt: u32,
    /// Id of the credential that it is made with.
    pub credential: &'a str,
}

impl JobName<'_> {
    /// The facts in one text that [`Unit::parse_display_name`] reads: what a
    /// vendor with a [`Ledger`] must show for each job and each document.
    #[must_use]
    pub fn label(&self) -> String {
        Unit::label(
            self.deployment,
            self.project,
            self.run,
            self.unit,
            self.attempt,
        )
    }
}

/// What one sending of an audio file is: the facts that its name is made of.
#[derive(Debug, Clone, Copy)]
pub struct AudioName<'a> {
    /// Id of the deployment.
    pub deployment: &'a str,
    /// Owner of the file.
    pub project: &'a ProjectId,
    /// The file.
    pub file: FileId,
    /// Id of the credential that it is sent with.
    pub credential: &'a str,
    /// Drawn anew for each sending, so that no name is used twice.
    pub nonce: &'a str,
}

/// One item of a job.
#[derive(Debug, Clone)]
pub struct JobItem {
    /// Unique within the job; what the result is joined by.
    pub key: String,
    /// Its audio.
    pub audio: ItemAudio,
    /// Name of the audio with the extension of its format, for vendors that
    /// tell the format by it.
    pub file_name: String,
    /// MIME type of the audio, as the model's catalogue entry has it.
    pub mime_type: String,
    /// BCP-47 tag of the sample.
    pub language: String,
    /// What the vendor calls that language, by the model's table.
    pub language_code: &'static str,
    /// Length of the audio in seconds.
    pub duration_seconds: f64,
}

/// A job that is to be made of items.
#[derive(Debug, Clone, Copy)]
pub struct NewJob<'a> {
    /// What it is.
    pub name: JobName<'a>,
    /// What it is made of.
    pub items: &'a [JobItem],
    /// How its model is asked.
    pub config: &'a ModelConfig,
    /// What was prepared for an earlier attempt of the same unit, which is not known to
    /// have been started: a vendor where preparing takes long may use it again, as far
    /// as it is for these items.
    pub earlier: Option<&'a str>,
}

/// What is at the vendor before a job is started, and costs nothing: a request
/// document, or a job that was opened and not started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The vendor's name of it. Recorded before the job is started.
    pub name: String,
}

/// What the vendor says of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchStatus {
    /// The vendor's name of the job.
    pub name: String,
    /// Our name of it, as given at creation; empty where the vendor keeps none.
    pub display_name: String,
    /// State.
    pub state: BatchState,
    /// Reference of the output, when there is one.
    pub output: Option<String>,
    /// What it was made of, as far as the vendor tells.
    pub input: Option<String>,
    /// When it was created, by the vendor's clock.
    pub created_at: Option<OffsetDateTime>,
    /// Reason of a failed job. For logs only.
    pub error: Option<String>,
}

/// A job that may have been started, and that was not recorded.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// Its name as it was recorded with the intent: what [`Jobs::spell`] gave.
    pub name: &'a str,
    /// What it was to be made of.
    pub prepared: Option<&'a str>,
    /// It was not started before.
    pub since: OffsetDateTime,
}

/// What looking for a job came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// These, oldest first, by the vendor's names. None proves that there is
    /// none only when nothing was unreadable.
    Jobs {
        /// The vendor's names.
        names: Vec<String>,
        /// How many jobs could not be read, each of which may be it.
        unread: usize,
    },
    /// The vendor has no way to tell.
    CantBeKnown,
}

/// A vendor that takes many items at once and answers later.
///
/// No method repeats a request whose repetition could cost money; `start`
/// makes exactly one.
#[async_trait]
pub trait Jobs: ReadsLines + Consult {
    /// What the job is called at the vendor. Recorded with the intent before
    /// the job is started; [`find`](Self::find) gets it back.
    fn spell(&self, job: &JobName<'_>) -> String {
        job.label()
    }

    /// Does all that goes before the start. Free, and may be repeated for the
    /// same job.
    async fn prepare(
        &self,
        credential: &Credential,
        job: &NewJob<'_>,
    ) -> Result<Prepared, CallError>;

    /// Starts the job: one request, which costs money and is never repeated
    /// here; or one for each part, where a job is several at the vendor. Gives the
    /// vendor's name of the job.
    ///
    /// A refusal says that no part was started. When some were, what became of the
    /// others is told by [`get`](Self::get) and the output.
    async fn start(
        &self,
        credential: &Credential,
        job: &NewJob<'_>,
        prepared: &Prepared,
    ) -> Result<String, CallError>;

    /// Looks for a job of which it is not known whether it was started.
    async fn find(&self, credential: &Credential, sought: &Sought<'_>) -> Result<Found, CallError>;

    /// One job by the vendor's name.
    async fn get(&self, credential: &Credential, job: &str) -> Result<BatchStatus, CallError>;

    /// Asks the vendor to stop a job. Cancelling a finished or unknown job is
    /// no error.
    async fn cancel(&self, credential: &Credential, job: &str) -> Result<(), CallError>;

    /// Streams the raw output, by its reference: one line for each item.
    async fn output(&self, credential: &Credential, output: &str) -> Result<ByteStream, CallError>;

    /// Has an output deleted. What is gone is no error; vendors that delete it
    /// with its job have nothing to do.
    async fn discard_output(
        &self,
        _credential: &Credential,
        _output: &str,
    ) -> Result<(), CallError> {
        Ok(())
    }

    /// Has what was prepared for a job deleted. What is gone is no error;
    /// vendors that keep nothing beside the job have nothing to do.
    async fn discard_prepared(
        &self,
        _credential: &Credential,
        _prepared: &str,
    ) -> Result<(), CallError> {
        Ok(())
    }

    /// Has a job deleted, without stopping it. What is gone is no error.
    async fn discard(&self, _credential: &Credential, _job: &str) -> Result<(), CallError> {
        Ok(())
    }

    /// The list of all our jobs, where the vendor has one.
    fn ledger(&self) -> Option<&dyn Ledger> {
        None
    }

    /// The vendor's store for audio, where it has one.
    fn audio_store(&self) -> Option<&dyn AudioStore> {
        None
    }
}

/// What a list of jobs says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Those that could be read.
    pub batches: Vec<BatchStatus>,
    /// How many could not, neither in the list nor by name. Each may be any
    /// job: while there are some, a job that is not among the others is not
    /// proven absent.
    pub unread: usize,
    /// Whether the list was read to its end.
    pub whole: bool,
}

/// A document that the vendor keeps for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// The vendor's name of it.
    pub name: String,
    /// Our name of it, as given when it was sent.
    pub display_name: String,
}

/// A vendor that lists our jobs: many are seen in one request, and what was
/// left behind is found.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Every job of the credential created at or after `since`, all pages.
    /// What can't be read is gone around; how much that was is told.
    async fn list(
        &self,
        credential: &Credential,
        since: OffsetDateTime,
    ) -> Result<Listing, CallError>;

    /// The list of the credential's jobs, as far as it must be read to see
    /// these, by the vendor's names. Of one that is not in it nothing is said.
    async fn look_for(&self, credential: &Credential, names: &[&str])
    -> Result<Listing, CallError>;

    /// What was prepared for jobs and is still there, of which our name begins
    /// like this; all pages.
    async fn prepared(
        &self,
        credential: &Credential,
        prefix: &str,
    ) -> Result<Vec<KeptFile>, CallError>;
}

/// A vendor that keeps audio, which its jobs then refer to.
#[async_trait]
pub trait AudioStore: Send + Sync {
    /// What a sending of a file is called there.
    fn spell(&self, audio: &AudioName<'_>) -> String;

    /// Puts audio there under a name that [`spell`](Self::spell) gave. An input
    /// that is there already under that name is checked and adopted.
    async fn stage(
        &self,
        credential: &Credential,
        name: &str,
        mime_type: &str,
        source: &dyn AudioSource,
    ) -> Result<StagedInput, CallError>;

    /// Every name under which [`stage`](Self::stage) may have put what it was
    /// to put under a name.
    fn names_of(&self, name: &str) -> Vec<String> {
        vec![name.to_owned()]
    }

    /// Deletes audio. What is gone is no error.
    async fn delete(&self, credential: &Credential, name: &str) -> Result<(), CallError>;
}
