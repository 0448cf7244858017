//! Bringing a unit's audio to its provider: once per file and credential,
//! however many models, units and runs want it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use stt_eval_shared::crypto::random;
use stt_eval_shared::domain::admission::audio_user;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::failure::FailureCode;
use stt_eval_shared::domain::unit::{Unit, Unsent, WaitingReason};
use stt_eval_shared::domain::upload::Upload;
use stt_eval_shared::domain::{FileId, Timestamp};
use stt_eval_shared::providers::{
    AnyModel, AudioBy, AudioName, AudioStore, CallError, Credential, ItemAudio, Rejection,
    StagedInput, Vendor,
};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::work::Failure;
use stt_eval_shared::{App, Deadline};

use super::outgoing::Leaving;
use super::taken::taken;

/// Uploads under way at once.
const AT_ONCE: usize = 6;
/// Least time that must be left to begin another upload.
const NEEDED: Duration = Duration::from_secs(60);

/// How long a unit waits here for files that other units are sending.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pause between two looks at them.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// What must be left of a worker's life to make recordings smaller before they are sent;
/// without it they are sent as they are.
const TO_MAKE_SMALLER: Duration = Duration::from_secs(180);

/// A sample's audio, ready for its job.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    /// Where it is for the vendor.
    pub(crate) audio: ItemAudio,
    /// The MIME type that it is declared with: not always that of the recording.
    pub(crate) mime_type: String,
}

impl From<StagedInput> for Input {
    fn from(staged: StagedInput) -> Self {
        Self {
            mime_type: staged.mime_type.clone(),
            audio: ItemAudio::Staged(staged),
        }
    }
}

/// What staging came to.
pub(crate) enum Staged {
    /// Everything is at the provider, or will never be.
    Done {
        /// By file.
        inputs: BTreeMap<FileId, Input>,
        /// Items that can't be sent.
        unsent: Vec<Unsent>,
    },
    /// Something is under way elsewhere, or time ran out: go on later.
    Later(WaitingReason),
    /// The provider asks for a pause, or fails.
    Pause {
        /// Its advice.
        retry_after: Option<Duration>,
        /// What is waited for.
        reason: WaitingReason,
        /// Positions whose audio it fails to take in, though it has others of the
        /// unit: not the provider is in trouble then, but these.
        failed: Vec<u16>,
    },
}

/// One file's part of it.
enum One {
    Ready(StagedInput),
    Unsent(Unsent),
    Later(WaitingReason),
    Pause(Option<Duration>, WaitingReason),
    /// The provider failed to take it in, with time left for that.
    Failed(u16),
    /// The provider said that it does not take it.
    Refused(u16),
}

pub(crate) struct Stage<'a> {
    pub(crate) app: &'a App,
    pub(crate) unit: &'a Unit,
    pub(crate) vendor: &'a Vendor,
    pub(crate) model: &'a AnyModel<'a>,
    /// The vendor's store.
    pub(crate) shelf: &'a dyn AudioStore,
    pub(crate) credential: &'a Credential,
    pub(crate) leaving: Leaving,
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
            .uploads(&unit.project, &files, &unit.vendor, &self.credential.id)
            .await?;
        let known: BTreeMap<FileId, Upload> = known
            .into_iter()
            .map(|upload| (upload.file, upload))
            .collect();
        let until = Timestamp::now() + self.lasts();
        let by_file: BTreeMap<FileId, &Sample> = samples
            .iter()
            .map(|sample| (sample.file_id, sample))
            .collect();
        let usable: Vec<Upload> = known
            .values()
            .filter(|upload| lasts(upload, until) && !self.distrusts(upload) && !upload.retired)
            .filter(|upload| {
                let sample = by_file.get(&upload.file);
                sample.is_some_and(|sample| self.can_use(sample, upload.staged.as_ref()))
            })
            .cloned()
            .collect();
        if !app
            .store
            .use_uploads(&unit.project, &usable, &self.user())
            .await?
        {
            return Ok(Staged::Later(WaitingReason::SendingAudio));
        }
        let staged = |upload: Upload| Some((upload.file, upload.staged?.into()));
        let mut inputs: BTreeMap<FileId, Input> = usable.into_iter().filter_map(staged).collect();
        // Built one by one: a closure over borrowed samples would tie this
        // future to one lifetime, and it could not be spawned.
        let mut sending = Vec::new();
        let mut unsent = Vec::new();
        for sample in samples {
            if inputs.contains_key(&sample.file_id) {
                continue;
            }
            if unit.audio_failures(sample.id.position()) >= app.config.policy.max_audio_failures {
                unsent.push(unsent_item(sample, FailureCode::ProviderRefusedAudio));
            } else {
                let one = self.one(sample, known.get(&sample.file_id));
                sending.push(async move { (sample.file_id, one.await) });
            }
        }
        let sent: Vec<(FileId, Result<One, Failure>)> = futures::stream::iter(sending)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut held = None;
        let mut failed = Vec::new();
        let mut refused = Vec::new();
        for (file, one) in sent {
            match one? {
                One::Ready(input) => {
                    inputs.insert(file, input.into());
                }
                One::Unsent(item) => unsent.push(item),
                One::Later(reason) => {
                    held.get_or_insert(Staged::Later(reason));
                }
                One::Failed(position) => failed.push(position),
                // As much as two failures, for it was said in so many words; but
                // once is no proof.
                One::Refused(position) => refused.extend([position; 2]),
                One::Pause(retry_after, reason) => {
                    held = Some(Staged::Pause {
                        retry_after,
                        reason,
                        failed: Vec::new(),
                    });
                }
            }
        }
        if failed.is_empty() && refused.is_empty() {
            return Ok(held.unwrap_or(Staged::Done { inputs, unsent }));
        }
        if held.is_some() || failed.len() >= inputs.len() {
            // All that can be told is that something is wrong there.
            failed.clear();
        }
        let retry_after = match held {
            Some(Staged::Pause { retry_after, .. }) => retry_after,
            _ => None,
        };
        let reason = if refused.is_empty() {
            WaitingReason::ProviderUnreachable
        } else {
            WaitingReason::SendingAudio
        };
        failed.extend(refused);
        Ok(Staged::Pause {
            retry_after,
            reason,
            failed,
        })
    }

    /// How long audio must stay at the vendor to be used again.
    fn lasts(&self) -> Duration {
        let deadline = self.app.config.policy_of(self.vendor).deadline;
        deadline.min(self.vendor.timing.reuses_inputs)
    }

    /// Whether an upload was there when a batch of the unit did not come to an
    /// end: the upload may be why.
    fn distrusts(&self, upload: &Upload) -> bool {
        let again = self.unit.resubmitted.as_ref();
        again.is_some_and(|again| upload.claimed_at < again.at)
    }

    /// Whether what is at the vendor is in a format that the run may send.
    fn can_use(&self, sample: &Sample, staged: Option<&StagedInput>) -> bool {
        staged.is_some_and(|staged| self.leaving.takes(sample, &staged.mime_type))
    }

    /// What uses the audio: the unit's chunk, in which it shares a place at the
    /// provider with the other models' units.
    fn user(&self) -> String {
        audio_user(self.unit.run, self.unit.key)
    }

    /// A name that was never used before: what was sent under another may be
    /// deleted at any moment.
    fn new_name(&self, file: FileId) -> Result<String, Failure> {
        let nonce = random::<16>()?;
        let nonce: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(self.shelf.spell(&AudioName {
            deployment: &self.app.config.deployment,
            project: &self.unit.project,
            file,
            credential: &self.credential.id,
            nonce: &nonce,
        }))
    }

    async fn one(&self, sample: &Sample, known: Option<&Upload>) -> Result<One, Failure> {
        if !self.deadline.allows(NEEDED) {
            return Ok(One::Later(WaitingReason::SendingAudio));
        }
        let taken = match taken(self.model, sample) {
            Ok(taken) => taken,
            Err(unsent) => return Ok(One::Unsent(unsent)),
        };
        let Some(mut upload) = self.claim(sample, known).await? else {
            return Ok(One::Later(WaitingReason::SendingAudio));
        };
        let (app, unit) = (self.app, self.unit);
        let leaving = self.leaving.outgoing(app, self.model, sample, &taken);
        let sent = leaving.await;
        let mime_type = sent.taken.mime_type;
        let sending = self
            .shelf
            .stage(self.credential, &upload.name, mime_type, &*sent.audio);
        let staged = self.deadline.cut_short(sending).await;
        let one = match staged {
            Ok(staged) => {
                upload.staged = Some(staged.clone());
                if self.can_use(sample, upload.staged.as_ref()) {
                    One::Ready(staged)
                } else {
                    // The vendor found what another run had sent under this name.
                    One::Later(WaitingReason::SendingAudio)
                }
            }
            Err(error) => {
                tracing::warn!(file_id = %sample.file_id, run_id = %unit.run, %error, "audio was not taken");
                // The next attempt need not wait for this claim to age.
                upload.claimed_at = Timestamp::default();
                self.refusal(sample, &error)
            }
        };
        upload.rev += 1;
        match app.store.save_same_upload(&unit.project, &upload).await {
            Ok(()) => Ok(one),
            Err(StoreError::Conflict) => {
                if let Some(staged) = &upload.staged {
                    self.discard_unrecorded(&upload, &staged.name).await?;
                }
                Ok(One::Later(WaitingReason::SendingAudio))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes what was sent if no record can know of it any more: the sending took
    /// longer than its claim, and meanwhile its record went.
    async fn discard_unrecorded(&self, upload: &Upload, name: &str) -> Result<(), Failure> {
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
        if let Err(error) = self.shelf.delete(self.credential, name).await {
            tracing::warn!(file_id = %upload.file, %error, "audio stays at the provider until it expires");
        }
        Ok(())
    }

    /// Takes the right to send a file, unless another worker has it.
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
                &unit.vendor,
                &self.credential.id,
                self.new_name(sample.file_id)?,
                self.user(),
                now,
            ),
            Some(upload) => {
                if upload.is_under_way(now, app.config.bounds.staging_lease) {
                    return Ok(None);
                }
                // The old one may still serve a batch; it goes when no unit
                // uses the file.
                let keeps = self.vendor.timing.keeps_inputs;
                upload.renewed(self.new_name(sample.file_id)?, self.user(), now, keeps)
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
            } => One::Pause(None, WaitingReason::ProviderKeyRefused),
            CallError::Rejected {
                kind: Rejection::Quota { retry_after },
                ..
            } => One::Pause(*retry_after, WaitingReason::ProviderRateLimited),
            CallError::Rejected {
                kind: Rejection::OutOfCredit,
                ..
            } => One::Pause(None, WaitingReason::ProviderOutOfCredit),
            CallError::Rejected {
                kind: Rejection::Unreachable,
                ..
            } => One::Pause(None, WaitingReason::ProviderUnreachable),
            CallError::Rejected { .. } => One::Refused(sample.id.position()),
            // Sending it again under the same name costs nothing.
            CallError::Ambiguous { .. } | CallError::Unreadable { .. }
                if self.deadline.allows(NEEDED) =>
            {
                One::Failed(sample.id.position())
            }
            // Perhaps only for want of time.
            CallError::Ambiguous { .. } | CallError::Unreadable { .. } => {
                One::Pause(None, WaitingReason::ProviderUnreachable)
            }
            CallError::Input { .. } => {
                One::Unsent(unsent_item(sample, FailureCode::AudioUnreadable))
            }
        }
    }
}

/// The audio of samples for a vendor that has no store for it: where the vendor
/// or its adapter reads it when the job is prepared.
pub(crate) async fn unstaged(
    app: &App,
    vendor: &Vendor,
    model: &AnyModel<'_>,
    samples: &[Sample],
    leaving: Leaving,
    deadline: Deadline,
) -> Result<(BTreeMap<FileId, Input>, Vec<Unsent>), Failure> {
    let mut inputs = BTreeMap::new();
    let mut unsent = Vec::new();
    for sample in samples {
        let taken = match taken(model, sample) {
            Ok(taken) => taken,
            Err(item) => {
                unsent.push(item);
                continue;
            }
        };
        let (key, version) = (sample.object_key.clone(), sample.object_version.clone());
        let mut mime_type = taken.mime_type;
        let audio = match vendor.audio {
            AudioBy::Stored => ItemAudio::Stored {
                bucket: app.config.bucket.clone(),
                key,
                version,
            },
            AudioBy::Url => {
                let url = app.objects.presign_get(&key, version.as_deref(), mime_type);
                ItemAudio::Url(url.await?)
            }
            AudioBy::Bytes | AudioBy::Staged if deadline.allows(TO_MAKE_SMALLER) => {
                let sent = leaving.outgoing(app, model, sample, &taken).await;
                mime_type = sent.taken.mime_type;
                ItemAudio::Bytes(sent.audio)
            }
            AudioBy::Bytes | AudioBy::Staged => {
                ItemAudio::Bytes(Arc::new(app.objects.audio(key, version, sample.size_bytes)))
            }
        };
        let mime_type = mime_type.to_owned();
        inputs.insert(sample.file_id, Input { audio, mime_type });
    }
    Ok((inputs, unsent))
}

fn unsent_item(sample: &Sample, code: FailureCode) -> Unsent {
    Unsent::new(sample.id.position(), code)
}

fn lasts(upload: &Upload, until: Timestamp) -> bool {
    upload
        .staged
        .as_ref()
        .is_some_and(|staged| Timestamp::from(staged.expires_at) >= until)
}
