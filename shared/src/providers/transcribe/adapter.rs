//! Amazon Transcribe as a vendor of jobs: a job of ours is a job there for each item.

use async_trait::async_trait;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use time::OffsetDateTime;

use super::connected::Connected;
use super::formats::service_format;
use super::name::{of_item, places};
use super::output;
use super::service::{Asked, State};
use crate::providers::BatchState;
use crate::providers::audio::{ByteStream, ItemAudio};
use crate::providers::consult::Consult;
use crate::providers::credential::Credential;
use crate::providers::error::{CallError, Rejection};
use crate::providers::handles::{Handle, Handles};
use crate::providers::http::refused_here;
use crate::providers::jobs::{BatchStatus, Found, JobItem, Jobs, NewJob, Prepared, Sought};
use crate::providers::lines::{OutputLine, ReadsLines};

/// Recordings that are copied at once.
const AT_ONCE: usize = 4;
/// How long jobs are started before the rest of the items is left to the next round.
const TO_START: Duration = Duration::from_secs(30);
/// Jobs that were started so long ago have ended without their unit: twice its deadline.
const LATE: Duration = Duration::from_secs(48 * 3_600);

pub(super) struct Transcribe {
    /// None in a function that asks nothing, and where the vendor is not switched on.
    connected: Option<Connected>,
}

impl Transcribe {
    pub(super) fn new(connected: Option<Connected>) -> Self {
        Self { connected }
    }

    fn connected(&self) -> Result<&Connected, CallError> {
        let refused = || refused_here("this function does not ask the service");
        self.connected.as_ref().ok_or_else(refused)
    }
}

impl Connected {
    /// Gives each item its job's name, and copies the recordings that may change before
    /// the service has read them; or takes what an earlier attempt has prepared.
    async fn prepared(&self, job: &NewJob<'_>) -> Result<Prepared, CallError> {
        let name = |item: &JobItem| (item.key.clone(), of_item(&job.name, &item.key));
        let names: Vec<(String, String)> = job.items.iter().map(name).collect();
        let known = |(key, name): &(String, String)| (key.clone(), Handle::Known(name.clone()));
        let handles = Handles::now(names.iter().map(known).collect());
        if let Some(earlier) = job.earlier
            && Handles::read(earlier).is_ok_and(|earlier| earlier.each == handles.each)
        {
            let name = earlier.to_owned();
            return Ok(Prepared { name });
        }
        // Built one by one: a closure over borrowed items would tie this future to one
        // lifetime, and it could not be spawned.
        let mut copying = Vec::new();
        for (item, (_, name)) in job.items.iter().zip(&names) {
            let (key, version) = stored(item)?;
            if self.bucket.may_change(key) {
                let to = places(&*self.bucket, name)?.copy;
                copying.push(async move { self.bucket.copy(key, version, &to).await });
            }
        }
        let mut copied = futures::stream::iter(copying).buffered(AT_ONCE);
        while let Some(copy) = copied.next().await {
            copy?;
        }
        let name = handles.name()?;
        Ok(Prepared { name })
    }

    /// Starts a job for each item. One that is there already was started by an earlier
    /// attempt, and is it. When there is none, and there may be none, that is a refusal;
    /// else the items without one end without.
    async fn started(&self, job: &NewJob<'_>, prepared: &Prepared) -> Result<String, CallError> {
        let names = Handles::read(&prepared.name)?;
        let begun = Instant::now();
        // The last request must have ended before the grace has.
        let to_start = TO_START.min(self.grace.mul_f64(0.3));
        let mut each = Vec::with_capacity(job.items.len());
        let (mut refusal, mut unknown) = (None, None);
        let mut is_over = false;
        for item in job.items {
            let Some(Handle::Known(name)) = names.of(&item.key) else {
                return Err(refused_here("an item was not prepared"));
            };
            is_over |= begun.elapsed() > to_start;
            let handle = match is_over {
                true => Handle::None,
                false => match self.start(item, name).await {
                    Ok(()) => Handle::Known(name.clone()),
                    Err(CallError::Ambiguous { message }) => {
                        unknown = Some(message);
                        Handle::Asked(name.clone())
                    }
                    Err(error) => {
                        tracing::warn!(run_id = %job.name.run, unit_id = %job.name.unit, %error, "a job was not started");
                        // What is wrong with one item is not with the next.
                        is_over = !error.is_invalid();
                        refusal = Some(error);
                        Handle::None
                    }
                },
            };
            each.push((item.key.clone(), handle));
        }
        Handles::started(each, unknown, refusal)
    }

    /// Starts one job, or finds it started.
    async fn start(&self, item: &JobItem, name: &str) -> Result<(), CallError> {
        let (key, _) = stored(item)?;
        let places = places(&*self.bucket, name)?;
        let audio = match self.bucket.may_change(key) {
            true => &places.copy,
            false => key,
        };
        let format = service_format(&item.mime_type);
        let asked = Asked {
            name,
            bucket: self.bucket.name(),
            audio,
            format: format.ok_or_else(|| refused_here("a format that is not the service's"))?,
            language: item.language_code,
            output: &places.output,
        };
        match self.service.start(&asked).await {
            Err(CallError::Rejected {
                kind: Rejection::Exists,
                ..
            }) => Ok(()),
            // Of what it is asked for, and not of a job.
            Err(CallError::Rejected {
                kind: Rejection::NotFound,
                status,
                message,
            }) => Err(CallError::Rejected {
                kind: Rejection::Invalid,
                status,
                message,
            }),
            started => started,
        }
    }

    /// Whether there is a job of a name. One answer that there is none is no proof.
    async fn is_there(&self, name: &str) -> Result<bool, CallError> {
        for _ in 0..2 {
            match self.service.state(name).await {
                Ok(_) => return Ok(true),
                Err(error) if error.is_unknown() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// The jobs that there are, each by its name, of those that were to be.
    async fn found(&self, prepared: &str) -> Result<Found, CallError> {
        let names = Handles::read(prepared)?;
        let mut each = Vec::with_capacity(names.each.len());
        let mut is_any = false;
        for (key, handle) in names.each {
            let there = match handle {
                Handle::Known(name) => self.is_there(&name).await?.then_some(name),
                Handle::Asked(_) | Handle::None => None,
            };
            is_any |= there.is_some();
            each.push((key, there.map_or(Handle::None, Handle::Known)));
        }
        let names = match is_any {
            true => vec![Handles::now(each).name()?],
            false => Vec::new(),
        };
        Ok(Found::Jobs { names, unread: 0 })
    }

    /// The same handles, with what there is in place of what was not answered. What is
    /// not there is not, once no request is under way any more.
    async fn resolved(&self, handles: Handles) -> Result<Handles, CallError> {
        let is_past = handles.age() >= self.grace;
        let mut each = Vec::with_capacity(handles.each.len());
        for (key, handle) in handles.each {
            let handle = match handle {
                Handle::Asked(name) => match self.is_there(&name).await? {
                    true => Handle::Known(name),
                    false if is_past => Handle::None,
                    false => Handle::Asked(name),
                },
                other => other,
            };
            each.push((key, handle));
        }
        Ok(Handles { each, ..handles })
    }

    /// What the jobs are together. As soon as one is not over they are not.
    async fn asked(&self, name: &str) -> Result<BatchStatus, CallError> {
        let handles = Handles::read(name)?;
        let mut told = BatchStatus {
            name: name.to_owned(),
            display_name: String::new(),
            state: BatchState::Running,
            output: None,
            input: None,
            created_at: OffsetDateTime::from_unix_timestamp(handles.since).ok(),
            error: None,
        };
        let handles = self.resolved(handles).await?;
        let mut unknown = None;
        for (_, handle) in &handles.each {
            let name = match handle {
                Handle::None => continue,
                Handle::Asked(_) => return Ok(told),
                Handle::Known(name) => name,
            };
            match self.service.state(name).await {
                Ok(State::Completed | State::Failed(_)) => told.output = Some(String::new()),
                Ok(State::Running) => return Ok(told),
                Ok(State::Queued) => {
                    told.state = BatchState::Pending;
                    return Ok(told);
                }
                Ok(State::Other(state)) => {
                    told.state = BatchState::Unknown(state);
                    return Ok(told);
                }
                // One of several: its item ends without it, if that is said again.
                Err(error) if error.is_unknown() => unknown = Some(error),
                Err(error) => return Err(error),
            }
        }
        match (&told.output, unknown) {
            (None, Some(error)) => Err(error),
            _ => {
                told.state = BatchState::Succeeded;
                told.output = Some(seen_over(handles).name()?);
                Ok(told)
            }
        }
    }

    /// Deletes the jobs, and before them what they left: while a job is there, that is
    /// found again.
    async fn discarded(&self, name: &str) -> Result<(), CallError> {
        let handles = self.resolved(Handles::read(name)?).await?;
        for (_, handle) in &handles.each {
            let Handle::Known(name) = handle else {
                continue;
            };
            let places = places(&*self.bucket, name)?;
            // What no line could hold is nowhere else.
            let size = self.bucket.size(&places.output).await?;
            if size.is_none_or(|size| size <= output::MOST) {
                self.bucket.delete(&places.output).await?;
            }
            self.bucket.delete(&places.copy).await?;
            self.service.delete(name).await?;
        }
        Ok(())
    }
}

/// The handles of jobs that are seen to be over, as of now: a unit keeps those that it is told
/// first, so what is odd is waited for from then on, however long the jobs took. Of a unit that
/// has ended nothing is kept, so after [`LATE`] the time of their start goes on counting.
fn seen_over(handles: Handles) -> Handles {
    match handles.age() < LATE {
        true => Handles::now(handles.each),
        false => handles,
    }
}

/// Where the audio of an item lies.
fn stored(item: &JobItem) -> Result<(&str, Option<&str>), CallError> {
    match &item.audio {
        ItemAudio::Stored { key, version, .. } => Ok((key, version.as_deref())),
        _ => Err(refused_here("audio lies in the bucket")),
    }
}

impl ReadsLines for Transcribe {
    fn read_line(&self, line: &[u8]) -> OutputLine {
        output::read(line)
    }
}

#[async_trait]
impl Consult for Transcribe {
    /// There is no key to check: whether the role may is told by the first start.
    async fn check_credential(&self, _: &Credential) -> Result<(), CallError> {
        Ok(())
    }
}

#[async_trait]
impl Jobs for Transcribe {
    async fn prepare(&self, _: &Credential, job: &NewJob<'_>) -> Result<Prepared, CallError> {
        self.connected()?.prepared(job).await
    }

    async fn start(
        &self,
        _: &Credential,
        job: &NewJob<'_>,
        prepared: &Prepared,
    ) -> Result<String, CallError> {
        self.connected()?.started(job, prepared).await
    }

    async fn find(&self, _: &Credential, sought: &Sought<'_>) -> Result<Found, CallError> {
        match sought.prepared {
            Some(prepared) => self.connected()?.found(prepared).await,
            None => Ok(Found::CantBeKnown),
        }
    }

    async fn get(&self, _: &Credential, job: &str) -> Result<BatchStatus, CallError> {
        self.connected()?.asked(job).await
    }

    /// The service stops no job.
    async fn cancel(&self, _: &Credential, _: &str) -> Result<(), CallError> {
        Ok(())
    }

    async fn output(&self, _: &Credential, output: &str) -> Result<ByteStream, CallError> {
        Ok(output::open(self.connected()?, Handles::read(output)?))
    }

    async fn discard(&self, _: &Credential, job: &str) -> Result<(), CallError> {
        self.connected()?.discarded(job).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_begins_when_jobs_are_seen_to_be_over() {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let started = |hours: i64| Handles {
            since: now - hours * 3_600,
            each: vec![("k".to_owned(), Handle::Known("d.p.res_1.r01".to_owned()))],
        };
        // However long they took.
        for hours in [0, 2, 47] {
            let over = seen_over(started(hours));
            assert!(over.age() < Duration::from_secs(60), "{hours}");
            assert_eq!(over.each, started(hours).each);
        }
        // And not anew at every look at what was left behind.
        assert_eq!(seen_over(started(49)), started(49));
    }
}
