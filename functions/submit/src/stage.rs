//! Bringing a unit's audio to its provider: once per file and credential,
//! however many models, units and runs want it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use stt_eval_shared::access::random;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::room::audio_user;
use stt_eval_shared::domain::unit::{Unit, Unsent, WaitingReason};
use stt_eval_shared::domain::{FileId, Timestamp};
use stt_eval_shared::providers::catalogue::Model;
use stt_eval_shared::providers::gemini::file_name;
use stt_eval_shared::providers::{BatchProvider, CallError, Credential, Rejection, StagedInput};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::uploads::Upload;
use stt_eval_shared::{App, Deadline};

use super::Failure;

/// Uploads under way at once.
const AT_ONCE: usize = 6;
/// Least time that must be left to begin another upload.
const NEEDED: Duration = Duration::from_secs(60);

/// How long a unit waits here for files that other units are sending.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pause between two looks at them.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// What staging came to.
pub(crate) enum Staged {
    /// Everything is at the provider, or will never be.
    Done {
        /// By file.
        inputs: BTreeMap<FileId, StagedInput>,
        /// Items that can't be sent.
        unsent: Vec<Unsent>,
    },
    /// Something is under way elsewhere, or time ran out: go on later.
    Later(WaitingReason),
    /// The provider asks for a pause.
    Pause(Option<Duration>, WaitingReason),
    /// The provider does not accept the credential.
    Unauthorized,
}

/// One file's part of it.
enum One {
    Ready(StagedInput),
    Unsent(Unsent),
    Later(WaitingReason),
    Pause(Option<Duration>, WaitingReason),
    Unauthorized,
}

pub(crate) struct Stage<'a> {
    pub(crate) app: &'a App,
    pub(crate) unit: &'a Unit,
    pub(crate) model: &'a Model,
    pub(crate) provider: &'a dyn BatchProvider,
    pub(crate) credential: &'a Credential,
    pub(crate) deadline: Deadline,
}

impl Stage<'_> {
    /// Brings the samples' audio to the provider. Units of several models want
    /// the same files at the same time and share the work; waiting a moment for
    /// each other is cheaper than coming again.
    pub(crate) async fn all(&self, samples: &[Sample]) -> Result<Staged, Failure> {
        let patience = Timestamp::now() + PATIENCE;
        loop {
            let staged = self.pass(samples).await?;
            let waits = matches!(staged, Staged::Later(_));
            if !waits || Timestamp::now() >= patience || !self.deadline.allows(NEEDED) {
                return Ok(staged);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn pass(&self, samples: &[Sample]) -> Result<Staged, Failure> {
        let (app, unit) = (self.app, self.unit);
        let files: Vec<FileId> = samples.iter().map(|sample| sample.file_id).collect();
        let known = app
            .store
            .uploads(&unit.project, &files, &unit.provider, &self.credential.id)
            .await?;
        let known: BTreeMap<FileId, Upload> = known
            .into_iter()
            .map(|upload| (upload.file, upload))
            .collect();
        // A batch may wait for as long as its deadline; audio must outlive it.
        let until = Timestamp::now() + app.config.policy.deadline;
        let usable: Vec<Upload> = known
            .values()
            .filter(|upload| lasts(upload, until) && !self.distrusts(upload) && !upload.retired)
            .cloned()
            .collect();
        if !app
            .store
            .use_uploads(&unit.project, &usable, &self.user())
            .await?
        {
            return Ok(Staged::Later(WaitingReason::SendingAudio));
        }
        let mut inputs: BTreeMap<FileId, StagedInput> = usable
            .into_iter()
            .filter_map(|upload| upload.staged.map(|staged| (upload.file, staged)))
            .collect();
        // Built one by one: a closure over borrowed samples would tie this
        // future to one lifetime, and it could not be spawned.
        let mut sending = Vec::new();
        for sample in samples {
            if !inputs.contains_key(&sample.file_id) {
                let one = self.one(sample, known.get(&sample.file_id));
                sending.push(async move { (sample.file_id, one.await) });
            }
        }
        let sent: Vec<(FileId, Result<One, Failure>)> = futures::stream::iter(sending)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut unsent = Vec::new();
        let mut held = None;
        for (file, one) in sent {
            match one? {
                One::Ready(input) => {
                    inputs.insert(file, input);
                }
                One::Unsent(item) => unsent.push(item),
                One::Unauthorized => return Ok(Staged::Unauthorized),
                One::Later(reason) => {
                    held.get_or_insert(Staged::Later(reason));
                }
                One::Pause(advice, reason) => held = Some(Staged::Pause(advice, reason)),
            }
        }
        Ok(held.unwrap_or(Staged::Done { inputs, unsent }))
    }

    /// Whether an upload was there when a batch of the unit did not come to an
    /// end: the upload may be why.
    fn distrusts(&self, upload: &Upload) -> bool {
        let again = self.unit.resubmitted.as_ref();
        again.is_some_and(|again| upload.claimed_at < again.at)
    }

    /// Who uses the audio: the unit's chunk, in which it shares a place at the
    /// provider with the other models' units.
    fn user(&self) -> String {
        audio_user(self.unit.run, self.unit.key)
    }

    /// A name that was never used before: what was sent under another may be
    /// deleted at any moment.
    fn new_name(&self, file: FileId) -> Result<String, Failure> {
        let nonce = random::<16>()?;
        let nonce: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(file_name(&[
            &self.app.config.stage,
            self.unit.project.as_str(),
            &file.to_string(),
            &self.credential.id,
            &nonce,
        ]))
    }

    async fn one(&self, sample: &Sample, known: Option<&Upload>) -> Result<One, Failure> {
        if !self.deadline.allows(NEEDED) {
            return Ok(One::Later(WaitingReason::SendingAudio));
        }
        let format = stt_eval_shared::audio::AudioFormat::from_content_type(&sample.content_type)
            .map(|format| format.to_string());
        let Some(mime_type) = format.and_then(|format| self.model.mime_type(&format)) else {
            return Ok(self.unsent(
                sample,
                "unsupported_audio",
                "the model does not take this audio format",
                false,
            ));
        };
        let Some(mut upload) = self.claim(sample, known).await? else {
            return Ok(One::Later(WaitingReason::SendingAudio));
        };
        let (app, unit) = (self.app, self.unit);
        let audio = app.objects.audio(
            sample.object_key.clone(),
            sample.object_version.clone(),
            sample.size_bytes,
        );
        let sending = self
            .provider
            .stage_audio(self.credential, &upload.name, mime_type, &audio);
        let staged = self.deadline.cut_short(sending).await;
        let one = match staged {
            Ok(staged) => {
                upload.staged = Some(staged.clone());
                One::Ready(staged)
            }
            Err(error) => {
                tracing::warn!(file_id = %sample.file_id, run_id = %unit.run, %error, "audio was not taken");
                // Whoever tries next need not wait for this claim to age.
                upload.claimed_at = Timestamp::default();
                self.refusal(sample, &error)
            }
        };
        upload.rev += 1;
        match app.store.save_same_upload(&unit.project, &upload).await {
            Ok(()) => Ok(one),
            Err(StoreError::Conflict) => {
                if let Some(staged) = &upload.staged {
                    self.disown(&upload, &staged.name).await?;
                }
                Ok(One::Later(WaitingReason::SendingAudio))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes what was sent if nobody can know of it any more: the sending took
    /// longer than its claim, and meanwhile its record went.
    async fn disown(&self, upload: &Upload, name: &str) -> Result<(), Failure> {
        let known = self
            .app
            .store
            .uploads(
                &self.unit.project,
                &[upload.file],
                &upload.provider,
                &upload.credential,
            )
            .await?;
        let mut known = known.iter();
        if known.any(|stored| stored.name == upload.name || stored.knows(name)) {
            return Ok(());
        }
        if let Err(error) = self.provider.delete_file(self.credential, name).await {
            tracing::warn!(file_id = %upload.file, %error, "audio stays at the provider until it expires");
        }
        Ok(())
    }

    /// Takes the right to send a file, unless somebody has it.
    async fn claim(
        &self,
        sample: &Sample,
        known: Option<&Upload>,
    ) -> Result<Option<Upload>, Failure> {
        let now = Timestamp::now();
        let (app, unit) = (self.app, self.unit);
        let claimed = match known {
            None => Upload::begun(
                sample.file_id,
                &unit.provider,
                &self.credential.id,
                self.new_name(sample.file_id)?,
                self.user(),
                now,
            ),
            Some(upload) => {
                if upload.is_under_way(now, app.config.bounds.staging_lease) {
                    return Ok(None);
                }
                // The old one may still serve a batch; it goes when nobody
                // uses the file.
                upload.renewed(self.new_name(sample.file_id)?, self.user(), now)
            }
        };
        match app.store.save_upload(&unit.project, &claimed).await {
            Ok(()) => Ok(Some(claimed)),
            Err(StoreError::Conflict) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn refusal(&self, sample: &Sample, error: &CallError) -> One {
        match error {
            CallError::Rejected {
                kind: Rejection::Unauthorized,
                ..
            } => One::Unauthorized,
            CallError::Rejected {
                kind: Rejection::Quota { retry_after },
                ..
            } => One::Pause(*retry_after, WaitingReason::ProviderRateLimited),
            CallError::Rejected { .. } => self.unsent(
                sample,
                "provider_refused_audio",
                "the provider did not take the audio",
                true,
            ),
            // Sending it again under the same name costs nothing.
            CallError::Ambiguous { .. } => One::Pause(None, WaitingReason::ProviderUnreachable),
            CallError::Input { .. } => self.unsent(
                sample,
                "audio_unreadable",
                "the audio could not be read",
                true,
            ),
        }
    }

    fn unsent(&self, sample: &Sample, code: &str, message: &str, retryable: bool) -> One {
        One::Unsent(Unsent {
            position: sample.id.position(),
            code: code.to_owned(),
            message: message.to_owned(),
            retryable,
        })
    }
}

fn lasts(upload: &Upload, until: Timestamp) -> bool {
    upload
        .staged
        .as_ref()
        .is_some_and(|staged| Timestamp::from(staged.expires_at) >= until)
}
