//! Sarvam as a vendor of jobs.

use async_trait::async_trait;
use futures::StreamExt as _;
use time::OffsetDateTime;

use super::client::Client;
use super::models::MODES;
use super::output;
use super::parts::{self, Part, ids, joined};
use super::wire::State;
use crate::providers::BatchState;
use crate::providers::audio::ByteStream;
use crate::providers::consult::Consult;
use crate::providers::credential::Credential;
use crate::providers::error::{CallError, Rejection};
use crate::providers::http::refused_here;
use crate::providers::jobs::{BatchStatus, Found, Jobs, NewJob, Prepared, Sought};
use crate::providers::lines::{OutputLine, ReadsLines};

/// Files that are sent at once.
const AT_ONCE: usize = 4;

pub(super) struct Sarvam {
    client: Client,
}

impl Sarvam {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Whether the vendor knows all of these.
    async fn are_there(&self, credential: &Credential, ids: &[String]) -> Result<bool, CallError> {
        for id in ids {
            match self.client.status(credential, id).await {
                Ok(_) => {}
                Err(error) if error.is_unknown() => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    async fn send(
        &self,
        credential: &Credential,
        id: &str,
        part: &Part<'_>,
    ) -> Result<(), CallError> {
        let names = part.items.iter().map(|item| parts::file_name(item));
        let names: Vec<String> = names.collect();
        let urls = self.client.upload_urls(credential, id, &names).await?;
        // Built one by one: a closure over borrowed items would tie this future to one
        // lifetime, and it could not be spawned.
        let mut sending = Vec::with_capacity(names.len());
        for (item, url) in part.items.iter().zip(&urls) {
            sending.push(self.client.upload(credential, url, item));
        }
        let mut sent = futures::stream::iter(sending).buffer_unordered(AT_ONCE);
        while let Some(sent) = sent.next().await {
            sent?;
        }
        Ok(())
    }

    /// Whether a job was started, asked before it is: an error says that nothing was
    /// sent that could start it.
    async fn was_started(&self, credential: &Credential, id: &str) -> Result<bool, CallError> {
        match self.client.status(credential, id).await {
            Ok(status) => Ok(status.state() != State::Accepted),
            Err(CallError::Ambiguous { message }) => {
                Err(CallError::not_sent(Rejection::Unreachable, message))
            }
            Err(error) => Err(gone(error)),
        }
    }
}

/// A job that is to be started and that the vendor does not know has to be made anew.
fn gone(error: CallError) -> CallError {
    match error {
        CallError::Rejected {
            status,
            kind: Rejection::NotFound,
            message,
        } => CallError::Rejected {
            status,
            kind: Rejection::InputGone,
            message,
        },
        error => error,
    }
}

impl ReadsLines for Sarvam {
    fn read_line(&self, line: &[u8]) -> OutputLine {
        output::read(line)
    }
}

#[async_trait]
impl Consult for Sarvam {
    async fn check_credential(&self, credential: &Credential) -> Result<(), CallError> {
        self.client.check(credential).await
    }
}

#[async_trait]
impl Jobs for Sarvam {
    /// Makes the vendor's jobs and sends their audio; or takes those of an earlier
    /// attempt, if they are of the same items and still there.
    async fn prepare(
        &self,
        credential: &Credential,
        job: &NewJob<'_>,
    ) -> Result<Prepared, CallError> {
        let asked = MODES.iter().find(|(ours, ..)| *ours == job.config.model);
        let (_, model, mode) = *asked.ok_or_else(|| refused_here("the model is not known"))?;
        let parts = parts::parts(job.items);
        if let Some(earlier) = job.earlier {
            let ids: Vec<String> = ids(earlier).map(str::to_owned).collect();
            let name = parts::prepared(&job.config.model, &parts, &ids);
            if name == earlier && self.are_there(credential, &ids).await? {
                return Ok(Prepared { name });
            }
        }
        let mut ids = Vec::with_capacity(parts.len());
        for part in &parts {
            let id = self
                .client
                .make(credential, (model, mode), part.language_code);
            let id = id.await?;
            self.send(credential, &id, part).await?;
            ids.push(id);
        }
        let name = parts::prepared(&job.config.model, &parts, &ids);
        Ok(Prepared { name })
    }

    /// Starts the vendor's jobs, each once. When the first can't be started, nothing
    /// was. When another can't, its files end without a result: what is started is worth
    /// more than a whole.
    async fn start(
        &self,
        credential: &Credential,
        job: &NewJob<'_>,
        prepared: &Prepared,
    ) -> Result<String, CallError> {
        // Of an earlier attempt some may have been started after all. What a second start
        // does is told nowhere.
        let is_earlier = job.earlier == Some(&*prepared.name);
        let ids: Vec<&str> = ids(&prepared.name).collect();
        let mut waiting = Vec::with_capacity(ids.len());
        for id in &ids {
            if !is_earlier || !self.was_started(credential, id).await? {
                waiting.push(*id);
            }
        }
        let mut some = waiting.len() < ids.len();
        for id in waiting {
            match self.client.start(credential, id).await {
                Ok(()) => some = true,
                Err(error) if some => {
                    tracing::warn!(run_id = %job.name.run, unit_id = %job.name.unit, %error, "a part of a job was not started");
                }
                Err(error) => return Err(gone(error)),
            }
        }
        Ok(joined(&ids))
    }

    async fn find(&self, credential: &Credential, sought: &Sought<'_>) -> Result<Found, CallError> {
        let Some(prepared) = sought.prepared else {
            return Ok(Found::CantBeKnown);
        };
        let ids: Vec<&str> = ids(prepared).collect();
        let mut started = false;
        for id in &ids {
            match self.client.status(credential, id).await {
                Ok(status) => started |= status.state() != State::Accepted,
                Err(error) if error.is_unknown() => {}
                Err(error) => return Err(error),
            }
        }
        let names = if started {
            vec![joined(&ids)]
        } else {
            Vec::new()
        };
        Ok(Found::Jobs { names, unread: 0 })
    }

    /// What the vendor's jobs are together. As soon as one is not over they are not.
    async fn get(&self, credential: &Credential, job: &str) -> Result<BatchStatus, CallError> {
        let mut told = BatchStatus {
            name: job.to_owned(),
            display_name: String::new(),
            state: BatchState::Failed,
            output: None,
            input: None,
            created_at: None,
            error: None,
        };
        let ids: Vec<&str> = ids(job).collect();
        let now = OffsetDateTime::now_utc();
        let mut untouched = 0;
        let mut unknown = None;
        for id in &ids {
            let status = self.client.status(credential, id).await?;
            told.created_at = told.created_at.or(status.created_at());
            match status.state() {
                // A part that was not started, and is not on its way to be.
                State::Accepted
                    if ids.len() > 1
                        && status
                            .changed_at()
                            .is_some_and(|at| now - at >= self.client.grace()) =>
                {
                    untouched += 1;
                }
                State::Accepted | State::Pending => {
                    told.state = BatchState::Pending;
                    return Ok(told);
                }
                State::Running => {
                    told.state = BatchState::Running;
                    return Ok(told);
                }
                State::Other(state) => unknown = Some(state),
                State::Completed => told.state = BatchState::Succeeded,
                State::Failed => told.error = told.error.or(status.error_message.clone()),
            }
            // Also of a job that failed: it tells of each file why.
            if !status.tasks().is_empty() {
                told.output = Some(job.to_owned());
            }
        }
        if untouched == ids.len() {
            told.state = BatchState::Pending;
        }
        if let Some(state) = unknown {
            told.state = BatchState::Unknown(state);
        }
        Ok(told)
    }

    /// The vendor stops no job.
    async fn cancel(&self, _: &Credential, _: &str) -> Result<(), CallError> {
        Ok(())
    }

    async fn output(&self, credential: &Credential, output: &str) -> Result<ByteStream, CallError> {
        output::open(&self.client, credential, output).await
    }
}
