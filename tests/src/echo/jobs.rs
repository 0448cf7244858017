//! Its jobs, in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use stt_eval_shared::providers::{
    BatchState, BatchStatus, ByteStream, CallError, Consult, Credential, Found, ItemAudio, JobItem,
    JobName, Jobs, NewJob, OutputLine, Prepared, ReadsLines, Rejection, Sought,
};

use super::lines;

/// A client, and all that it was asked.
#[derive(Debug, Default)]
pub struct Echo {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Outputs of jobs that were prepared, by what they are called.
    prepared: BTreeMap<String, String>,
    /// Outputs of jobs that were started, by their ids, and what they are called.
    jobs: BTreeMap<String, (String, String)>,
}

impl Echo {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn output_of(&self, job: &str) -> Result<String, CallError> {
        let state = self.state();
        let found = state.jobs.get(job).map(|(_, output)| output.clone());
        found.ok_or_else(|| refused(404, Rejection::NotFound))
    }
}

fn refused(status: u16, kind: Rejection) -> CallError {
    CallError::Rejected {
        status,
        kind,
        message: "the echo knows nothing of it".to_owned(),
    }
}

/// The audio of an item, to its end: whatever is named comes with its bytes.
async fn heard(item: &JobItem) -> Result<u64, CallError> {
    let ItemAudio::Bytes(source) = &item.audio else {
        return Err(CallError::not_sent(Rejection::Invalid, "no bytes"));
    };
    let failed = |error: std::io::Error| CallError::Input {
        message: error.to_string(),
    };
    let bytes = source.open(0, source.len()).await.map_err(failed)?;
    let heard = bytes.try_fold(
        0,
        |heard, piece| async move { Ok(heard + piece.len() as u64) },
    );
    let heard = heard.await.map_err(failed)?;
    assert_eq!(heard, source.len(), "audio that is cut short");
    Ok(heard)
}

impl ReadsLines for Echo {
    fn read_line(&self, line: &[u8]) -> OutputLine {
        lines::read(line)
    }
}

#[async_trait]
impl Consult for Echo {
    async fn check_credential(&self, credential: &Credential) -> Result<(), CallError> {
        use secrecy::ExposeSecret as _;
        let known = credential.secret.expose_secret().starts_with("echo-");
        known
            .then_some(())
            .ok_or_else(|| refused(401, Rejection::Unauthorized))
    }
}

#[async_trait]
impl Jobs for Echo {
    /// In an alphabet of its own.
    fn spell(&self, job: &JobName<'_>) -> String {
        job.label().replace('/', "_")
    }

    async fn prepare(&self, _: &Credential, job: &NewJob<'_>) -> Result<Prepared, CallError> {
        assert!(job.config.prompt.is_none() && job.config.temperature.is_none());
        let mut output = String::new();
        for item in job.items {
            assert!(heard(item).await? > 0 && item.mime_type == "audio/wav");
            output.push_str(&lines::written(&item.key, &item.file_name));
            output.push('\n');
        }
        let name = self.spell(&job.name);
        self.state().prepared.insert(name.clone(), output);
        Ok(Prepared { name })
    }

    async fn start(
        &self,
        _: &Credential,
        job: &NewJob<'_>,
        prepared: &Prepared,
    ) -> Result<String, CallError> {
        let mut state = self.state();
        let output = state.prepared.get(&prepared.name).cloned();
        let output = output.ok_or_else(|| refused(404, Rejection::InputGone))?;
        let id = format!("job-{}", state.jobs.len());
        state
            .jobs
            .insert(id.clone(), (self.spell(&job.name), output));
        Ok(id)
    }

    async fn find(&self, _: &Credential, sought: &Sought<'_>) -> Result<Found, CallError> {
        let state = self.state();
        let jobs = state.jobs.iter();
        let names = jobs.filter(|(_, (name, _))| name == sought.name);
        let found = Found::Jobs {
            names: names.map(|(id, _)| id.clone()).collect(),
            unread: 0,
        };
        Ok(found)
    }

    async fn get(&self, _: &Credential, job: &str) -> Result<BatchStatus, CallError> {
        self.output_of(job).map(|_| BatchStatus {
            name: job.to_owned(),
            display_name: String::new(),
            state: BatchState::Succeeded,
            output: Some(job.to_owned()),
            input: None,
            created_at: None,
            error: None,
        })
    }

    async fn cancel(&self, _: &Credential, _: &str) -> Result<(), CallError> {
        Ok(())
    }

    async fn output(&self, _: &Credential, output: &str) -> Result<ByteStream, CallError> {
        let bytes = self.output_of(output);
        bytes.map(|bytes| stream::iter([Ok(bytes.into())]).boxed())
    }

    async fn discard_prepared(&self, _: &Credential, prepared: &str) -> Result<(), CallError> {
        self.state().prepared.remove(prepared);
        Ok(())
    }
}
