//! `AssemblyAI` as a vendor of jobs: a job of ours is a transcript for each item.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt as _;
use time::OffsetDateTime;

use super::client::{Client, Seen};
use super::output;
use super::wire::{Create, Transcript};
use crate::providers::BatchState;
use crate::providers::audio::ByteStream;
use crate::providers::consult::Consult;
use crate::providers::credential::Credential;
use crate::providers::error::{CallError, Rejection};
use crate::providers::handles::{Handle, Handles};
use crate::providers::http::refused_here;
use crate::providers::jobs::{BatchStatus, Found, Jobs, NewJob, Prepared, Sought};
use crate::providers::lines::{OutputLine, ReadsLines};

/// Files that are sent at once.
const AT_ONCE: usize = 4;
/// Uploads are kept for two days, and a transcript may wait before it reads its own.
const UPLOADS_LAST: Duration = Duration::from_secs(24 * 3_600);
/// How long transcripts are made before the rest of the items is left to the next round.
const TO_CREATE: Duration = Duration::from_secs(30);

pub(super) struct AssemblyAi {
    client: Client,
}

impl AssemblyAi {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The same handles, with what the list shows in place of what was not answered.
    /// What it does not show is not there, once no request is under way any more.
    async fn resolved(
        &self,
        credential: &Credential,
        handles: Handles,
    ) -> Result<Handles, CallError> {
        let is_asked = |(_, handle): &(String, Handle)| matches!(handle, Handle::Asked(_));
        if !handles.each.iter().any(is_asked) {
            return Ok(handles);
        }
        let seen = self.client.list(credential, since(&handles)).await?;
        let may_be_unread = seen.unread > 0;
        let made = by_upload(seen);
        let is_past = handles.age() >= self.client.grace() && !may_be_unread;
        let resolve = |(key, handle): (String, Handle)| {
            let handle = match handle {
                Handle::Asked(upload) => match made.get(&upload).and_then(|ids| ids.first()) {
                    Some(id) => Handle::Known(id.clone()),
                    None if is_past => Handle::None,
                    None => Handle::Asked(upload),
                },
                other => other,
            };
            (key, handle)
        };
        Ok(Handles {
            each: handles.each.into_iter().map(resolve).collect(),
            ..handles
        })
    }
}

/// Ends the id of the credential that uploads were made with.
const WITH: char = '~';

/// Whether uploads were made with a credential.
fn is_with(credential: &Credential, prepared: &str) -> bool {
    let with = prepared.split_once(WITH).map(|(with, _)| with);
    with == Some(&*credential.id)
}

/// The uploads of what was prepared.
fn uploads_of(prepared: &str) -> Result<Handles, CallError> {
    let uploads = prepared.split_once(WITH).map(|(_, uploads)| uploads);
    Handles::read(uploads.unwrap_or_default())
}

/// Since when there are handles.
fn since(handles: &Handles) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(handles.since).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Transcripts by the upload that they are of, oldest first.
fn by_upload(seen: Seen) -> HashMap<String, Vec<String>> {
    let mut made: HashMap<String, Vec<String>> = HashMap::new();
    for (id, upload) in seen.transcripts {
        made.entry(upload).or_default().push(id);
    }
    made
}

/// An error before anything was asked for that costs money.
fn before(error: CallError) -> CallError {
    match error {
        CallError::Ambiguous { message } => CallError::not_sent(Rejection::Unreachable, message),
        error => error,
    }
}

impl ReadsLines for AssemblyAi {
    fn read_line(&self, line: &[u8]) -> OutputLine {
        output::read(line)
    }
}

#[async_trait]
impl Consult for AssemblyAi {
    async fn check_credential(&self, credential: &Credential) -> Result<(), CallError> {
        self.client.check(credential).await
    }
}

#[async_trait]
impl Jobs for AssemblyAi {
    /// Uploads the audio; or takes what an earlier attempt has uploaded.
    async fn prepare(
        &self,
        credential: &Credential,
        job: &NewJob<'_>,
    ) -> Result<Prepared, CallError> {
        // What another key has uploaded may be of another account.
        let own = job.earlier.filter(|name| is_with(credential, name));
        if let Some(earlier) = own {
            let uploads = uploads_of(earlier)?;
            let keys = uploads.each.iter().map(|(key, _)| key);
            if keys.eq(job.items.iter().map(|item| &item.key)) && uploads.age() < UPLOADS_LAST {
                let name = earlier.to_owned();
                return Ok(Prepared { name });
            }
        }
        // Built one by one: a closure over borrowed items would tie this future to one
        // lifetime, and it could not be spawned.
        let mut sending = Vec::with_capacity(job.items.len());
        for item in job.items {
            let upload = self.client.upload(credential, item);
            sending.push(async move {
                let url = upload.await?;
                Ok((item.key.clone(), Handle::Known(url)))
            });
        }
        let mut sent = futures::stream::iter(sending).buffered(AT_ONCE);
        let mut each = Vec::with_capacity(job.items.len());
        while let Some(upload) = sent.next().await {
            each.push(upload?);
        }
        let name = Handles::now(each).name()?;
        let name = format!("{}{WITH}{name}", credential.id);
        Ok(Prepared { name })
    }

    /// Makes a transcript of each upload, once. When none was made, and none may have
    /// been, that is a refusal; else the items of which there is none end without one.
    async fn start(
        &self,
        credential: &Credential,
        job: &NewJob<'_>,
        prepared: &Prepared,
    ) -> Result<String, CallError> {
        let uploads = uploads_of(&prepared.name)?;
        // One that an earlier attempt asked for may have come late.
        let made = match job.earlier == Some(&*prepared.name) {
            true => {
                let seen = self.client.list(credential, since(&uploads)).await;
                by_upload(seen.map_err(before)?)
            }
            false => HashMap::new(),
        };
        let begun = Instant::now();
        let mut each = Vec::with_capacity(job.items.len());
        let mut refusal = None;
        let mut unknown = None;
        for item in job.items {
            let Some(Handle::Known(upload)) = uploads.of(&item.key) else {
                return Err(refused_here("an item was not uploaded"));
            };
            let handle = if let Some(id) = made.get(upload).and_then(|ids| ids.first()) {
                Handle::Known(id.clone())
            } else if refusal.is_some() || begun.elapsed() > TO_CREATE {
                Handle::None
            } else {
                let asked = Create::new(upload, &job.config.model, item.language_code);
                match self.client.create(credential, &asked).await {
                    Ok(id) => Handle::Known(id),
                    Err(CallError::Ambiguous { message }) => {
                        unknown = Some(message);
                        Handle::Asked(upload.clone())
                    }
                    Err(error) => {
                        tracing::warn!(run_id = %job.name.run, unit_id = %job.name.unit, %error, "a transcript was not made");
                        refusal = Some(error);
                        Handle::None
                    }
                }
            };
            each.push((item.key.clone(), handle));
        }
        Handles::started(each, unknown, refusal)
    }

    /// The job as far as the list shows it: by the uploads, each of which is of one
    /// transcript alone.
    async fn find(&self, credential: &Credential, sought: &Sought<'_>) -> Result<Found, CallError> {
        let Some(prepared) = sought.prepared else {
            return Ok(Found::CantBeKnown);
        };
        let uploads = uploads_of(prepared)?;
        let seen = self.client.list(credential, sought.since).await?;
        let unread = seen.unread;
        let mut made = by_upload(seen);
        let mut names = Vec::new();
        // A second one of an upload is a job of its own, to be told and deleted.
        loop {
            let mut each = Vec::with_capacity(uploads.each.len());
            for (key, handle) in &uploads.each {
                let ids = match handle {
                    Handle::Known(upload) => made.get_mut(upload),
                    Handle::Asked(_) | Handle::None => None,
                };
                let first = ids.filter(|ids| !ids.is_empty()).map(|ids| ids.remove(0));
                each.push((key.clone(), first.map_or(Handle::None, Handle::Known)));
            }
            if !each
                .iter()
                .any(|(_, handle)| matches!(handle, Handle::Known(_)))
            {
                return Ok(Found::Jobs { names, unread });
            }
            names.push(Handles::now(each).name()?);
        }
    }

    /// What the transcripts are together. As soon as one is not over they are not.
    async fn get(&self, credential: &Credential, job: &str) -> Result<BatchStatus, CallError> {
        let handles = Handles::read(job)?;
        let mut told = BatchStatus {
            name: job.to_owned(),
            display_name: String::new(),
            state: BatchState::Running,
            output: None,
            input: None,
            created_at: OffsetDateTime::from_unix_timestamp(handles.since).ok(),
            error: None,
        };
        let handles = self.resolved(credential, handles).await?;
        let mut unknown = None;
        for (_, handle) in &handles.each {
            match handle {
                Handle::None => {}
                Handle::Asked(_) => return Ok(told),
                Handle::Known(id) => match self.client.get(credential, id).await {
                    Ok(body) => {
                        let transcript = Transcript::read(&body, id)?;
                        match &*transcript.status {
                            _ if transcript.is_over() => told.output = Some(String::new()),
                            "queued" => {
                                told.state = BatchState::Pending;
                                return Ok(told);
                            }
                            "processing" => return Ok(told),
                            other => {
                                told.state = BatchState::Unknown(other.to_owned());
                                return Ok(told);
                            }
                        }
                    }
                    // One of several: its item ends without it, if that is said again.
                    Err(error) if error.is_unknown() => unknown = Some(error),
                    Err(error) => return Err(error),
                },
            }
        }
        match (told.output, unknown) {
            (None, Some(error)) => Err(error),
            _ => {
                told.state = BatchState::Succeeded;
                told.output = Some(handles.name()?);
                Ok(told)
            }
        }
    }

    /// The vendor stops no transcript.
    async fn cancel(&self, _: &Credential, _: &str) -> Result<(), CallError> {
        Ok(())
    }

    async fn output(&self, credential: &Credential, output: &str) -> Result<ByteStream, CallError> {
        let opened = Handles::read(output);
        opened.map(|handles| output::open(&self.client, credential, handles))
    }

    async fn discard(&self, credential: &Credential, job: &str) -> Result<(), CallError> {
        let handles = self.resolved(credential, Handles::read(job)?).await?;
        for (_, handle) in &handles.each {
            if let Handle::Known(id) = handle {
                self.client.delete(credential, id).await?;
            }
        }
        Ok(())
    }
}
