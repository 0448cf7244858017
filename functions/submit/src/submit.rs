//! Submitting one unit: the only place where money is spent.

use std::time::Duration;

use stt_eval_shared::access::random;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::{
    Ending, Event, Unit, UnitKey, UnitState, Unsent, WaitingReason,
};
use stt_eval_shared::domain::{ProjectId, ResultId, RunId, Timestamp};
use stt_eval_shared::providers::gemini::file_name;
use stt_eval_shared::providers::{
    BatchItem, BatchProvider, CallError, Credential, Rejection, StagedInput, catalogue,
};
use stt_eval_shared::queue::Message;
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::units::Claimed;
use stt_eval_shared::{App, Deadline};

use super::Failure;
use super::admission;
use super::stage::{Stage, Staged};

/// Least time that must be left to claim a unit and create its batch.
const NEEDED: Duration = Duration::from_secs(90);
/// Least of it that must be left once the unit is claimed: the call's own
/// time-out and the write after it.
const TO_CREATE: Duration = Duration::from_secs(75);
/// How often a claim is tried at most.
const CLAIMS: usize = 2;
/// Pause before a unit looks again at what somebody else is sending.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Submits a unit, if that is still to be done.
pub(crate) async fn submit(
    app: &App,
    project: &ProjectId,
    run: RunId,
    key: UnitKey,
    deadline: Deadline,
) -> Result<(), Failure> {
    let Some(unit) = app.store.unit(project, run, key).await? else {
        return Ok(());
    };
    let now = Timestamp::now();
    match &unit.state {
        UnitState::Ready { not_before } if *not_before <= now => {}
        _ => return Ok(()),
    }
    let run = app.store.run(project, run).await?;
    let Some(run) = run.filter(|run| run.wants(key, unit.generation)) else {
        return save(app, &unit, Event::Cancel).await.map(drop);
    };
    let work = Work {
        app,
        unit,
        deadline,
    };
    work.run(&run).await
}

/// Saves a step. `None` when somebody else was faster: the work is theirs.
async fn save(app: &App, unit: &Unit, event: Event) -> Result<Option<Unit>, Failure> {
    let Ok(step) = unit.step(event, Timestamp::now(), &app.config.policy) else {
        return Ok(None);
    };
    match app.store.save_unit(&step.unit).await {
        Ok(()) => Ok(Some(step.unit)),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Saves a step that makes the unit wait, and sends its message again for when
/// the wait is over. Should that message be lost, the sweeper sends another.
async fn wait(app: &App, unit: &Unit, event: Event) -> Result<(), Failure> {
    let Some(next) = save(app, unit, event).await? else {
        return Ok(());
    };
    if let UnitState::Ready { not_before } = next.state {
        let message = Message::SubmitUnit {
            project: next.project,
            run: next.run,
            unit: next.key,
        };
        let pause = not_before.since(Timestamp::now());
        app.queue.send_after(&[message], pause).await?;
    }
    Ok(())
}

fn fence() -> Result<u64, Failure> {
    // 53 bits: what every number format on the way holds exactly.
    Ok(u64::from_be_bytes(random::<8>()?) >> 11)
}

struct Work<'a> {
    app: &'a App,
    unit: Unit,
    deadline: Deadline,
}

impl Work<'_> {
    async fn run(self, run: &Run) -> Result<(), Failure> {
        let (app, unit) = (self.app, &self.unit);
        if unit.refusals >= app.config.policy.max_refusals {
            return self
                .unsendable(
                    "provider_refused",
                    "the provider refused for too long",
                    true,
                )
                .await;
        }
        let provider = run.providers.get(usize::from(unit.key.provider));
        let model = provider.and_then(|provider| catalogue::find(&provider.model));
        let (Some(provider), Some(model), Some(client)) =
            (provider, model, app.batch_provider(&unit.provider))
        else {
            return self
                .unsendable(
                    "model_unavailable",
                    "the model is no longer offered here",
                    false,
                )
                .await;
        };
        let Some(sealed) = app.store.credential(&unit.project, &unit.provider).await? else {
            return self
                .unsendable(
                    "no_credentials",
                    "the project has no credentials for the provider",
                    true,
                )
                .await;
        };
        let vault = app
            .vault
            .as_ref()
            .ok_or(Failure::Setup("KMS_KEY_ID or KEY_FILE is not set"))?;
        let credential = vault.open(&unit.project, &sealed).await?;
        if let Some(started) = run.started(Timestamp::now()) {
            match app.store.save_run(&started).await {
                // Somebody else changed it; its next unit starts it if need be.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let samples = app
            .store
            .samples_in(&unit.project, run.dataset, &unit.spans)
            .await?;
        let slot = admission::slot(unit, &provider.model, &samples);
        if let Some(reason) = admission::admit(app, unit, &credential, &slot).await? {
            let waiting = Event::Waiting {
                pause: app.config.admission.pause,
                reason,
            };
            return wait(app, unit, waiting).await;
        }
        let stage = Stage {
            app,
            unit,
            model,
            provider: client,
            credential: &credential,
            deadline: self.deadline,
        };
        let (inputs, mut unsent) = match stage.all(&samples).await? {
            Staged::Done { inputs, unsent } => (inputs, unsent),
            Staged::Later(reason) => {
                let pause = LOOK_AGAIN.min(app.config.policy.resend_after);
                let waiting = Event::Waiting { pause, reason };
                return wait(app, unit, waiting).await;
            }
            Staged::Pause(retry_after, reason) => return self.postpone(retry_after, reason).await,
            Staged::Unauthorized => return self.unauthorized().await,
        };
        let lost = unit.positions().filter(|position| {
            !samples
                .iter()
                .any(|sample| sample.id.position() == *position)
        });
        unsent.extend(lost.map(|position| Unsent {
            position,
            code: "sample_missing".into(),
            message: "the sample no longer exists".into(),
            retryable: false,
        }));
        let items = items(run.id, unit, &samples, &inputs);
        if items.is_empty() {
            return self.nothing_to_send(unsent).await;
        }
        let attempt = (unit.attempt + 1).to_string();
        let name = file_name(&[
            &app.config.stage,
            &unit.run.to_string(),
            &unit.key.to_string(),
            &attempt,
            &credential.id,
        ]);
        let input = match client
            .stage_batch(&credential, &name, &items, &provider.config)
            .await
        {
            Ok(input) => input,
            Err(error) => return self.refused_before_claim(&error).await,
        };
        self.forget_earlier(client, &credential, &input).await;
        if !self.deadline.allows(NEEDED) {
            let waiting = Event::Waiting {
                pause: Duration::ZERO,
                reason: WaitingReason::Other,
            };
            return wait(app, unit, waiting).await;
        }
        self.create(client, &credential, &provider.config.model, input, unsent)
            .await
    }

    /// Deletes the request document of an earlier attempt: no batch was made of
    /// it, and with the claim its name is overwritten. A failure is only told:
    /// the provider forgets by itself after two days.
    async fn forget_earlier(
        &self,
        client: &dyn BatchProvider,
        credential: &Credential,
        input: &StagedInput,
    ) {
        let unit = &self.unit;
        if let Some(earlier) = unit
            .batch_input
            .as_ref()
            .filter(|name| **name != input.name)
            && let Err(error) = client.delete_file(credential, earlier).await
        {
            tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a file stays at the provider");
        }
    }

    /// Writes the intent. Bringing the audio may have taken long, and the sweeper
    /// or a twin of the message may have touched the unit meanwhile: that alone
    /// is no reason to come again with everything at hand. `None` when there is
    /// nothing to be done any more, or by somebody else.
    async fn claim(&self, claim: Event) -> Result<Option<Unit>, Failure> {
        let (app, mine) = (self.app, &self.unit);
        let mut unit = mine.clone();
        for _ in 0..CLAIMS {
            let Ok(step) = unit.step(claim.clone(), Timestamp::now(), &app.config.policy) else {
                return Ok(None);
            };
            match app.store.save_claimed(&step.unit).await? {
                Claimed::Yes => return Ok(Some(step.unit)),
                Claimed::Unwanted => {
                    return save(app, &unit, Event::Cancel).await.map(|_| None);
                }
                Claimed::Changed => {}
            }
            let stored = app.store.unit(&mine.project, mine.run, mine.key).await?;
            // Another attempt would have another request document.
            match stored.filter(|stored| stored.attempt == mine.attempt) {
                Some(stored) => unit = stored,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The irreversible step: intent, one call, record.
    async fn create(
        &self,
        client: &dyn BatchProvider,
        credential: &Credential,
        model: &str,
        input: StagedInput,
        unsent: Vec<Unsent>,
    ) -> Result<(), Failure> {
        let app = self.app;
        let fence = fence()?;
        let claim = Event::Claim {
            fence,
            batch_input: input.name.clone(),
            credential: credential.id.clone(),
            unsent,
        };
        let Some(unit) = self.claim(claim).await? else {
            return Ok(());
        };
        // The claim itself may have taken long. No batch exists yet, so the unit
        // simply comes again.
        if !self.deadline.allows(TO_CREATE) {
            let event = Event::Refused {
                fence,
                retry_after: None,
                reason: WaitingReason::Other,
            };
            return wait(app, &unit, event).await;
        }
        let display_name = unit.display_name(&app.config.stage, unit.attempt);
        let created = client
            .create(credential, model, &input, &display_name)
            .await;
        let now = Timestamp::now();
        match created {
            Ok(batch) => {
                tracing::info!(run_id = %unit.run, unit_id = %unit.key, attempt = unit.attempt, "a batch was created");
                let created = Event::Created { fence, batch };
                let Ok(step) = unit.step(created, now, &app.config.policy) else {
                    return Ok(());
                };
                let first = app
                    .config
                    .bounds
                    .poll_pauses
                    .first()
                    .copied()
                    .unwrap_or_default();
                match app.store.save_submitted(&step.unit, now + first).await {
                    Ok(()) => Ok(()),
                    // It stays an open intent; the search will find the batch
                    // by its name.
                    Err(error) => {
                        tracing::error!(run_id = %unit.run, unit_id = %unit.key, %error, "a created batch was not recorded");
                        Ok(())
                    }
                }
            }
            Err(error) => {
                tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a batch was not created");
                self.not_created(&unit, fence, &error).await
            }
        }
    }

    async fn not_created(&self, unit: &Unit, fence: u64, error: &CallError) -> Result<(), Failure> {
        let app = self.app;
        let refused = |retry_after, reason| Event::Refused {
            fence,
            retry_after,
            reason,
        };
        match error {
            CallError::Ambiguous { .. } => Ok(()),
            CallError::Rejected {
                kind: Rejection::Quota { retry_after },
                ..
            } => {
                let event = refused(*retry_after, WaitingReason::ProviderRateLimited);
                wait(app, unit, event).await
            }
            CallError::Rejected { kind, .. } => {
                // Two steps: back to ready, for no batch exists; then its end.
                let Some(unit) = save(app, unit, refused(None, WaitingReason::Other)).await? else {
                    return Ok(());
                };
                let back = Work {
                    app,
                    unit,
                    deadline: self.deadline,
                };
                match kind {
                    Rejection::Unauthorized => back.unauthorized().await,
                    _ => {
                        back.unsendable("provider_refused", "the provider refused the batch", true)
                            .await
                    }
                }
            }
            CallError::Input { .. } => {
                save(app, unit, refused(None, WaitingReason::AudioUnreadable))
                    .await
                    .map(drop)
            }
        }
    }

    async fn refused_before_claim(&self, error: &CallError) -> Result<(), Failure> {
        let unit = &self.unit;
        tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a request document was not taken");
        match error {
            CallError::Rejected {
                kind: Rejection::Unauthorized,
                ..
            } => self.unauthorized().await,
            CallError::Rejected {
                kind: Rejection::Quota { retry_after },
                ..
            } => {
                self.postpone(*retry_after, WaitingReason::ProviderRateLimited)
                    .await
            }
            CallError::Rejected { .. } => {
                self.unsendable("provider_refused", "the provider refused the batch", true)
                    .await
            }
            CallError::Ambiguous { .. } | CallError::Input { .. } => {
                self.postpone(None, WaitingReason::ProviderUnreachable)
                    .await
            }
        }
    }

    async fn postpone(
        &self,
        retry_after: Option<Duration>,
        reason: WaitingReason,
    ) -> Result<(), Failure> {
        let event = Event::Postponed {
            retry_after,
            reason,
        };
        wait(self.app, &self.unit, event).await
    }

    async fn unauthorized(&self) -> Result<(), Failure> {
        let message = "the provider does not accept the project's credentials";
        self.unsendable("credentials_refused", message, true).await
    }

    async fn unsendable(&self, code: &str, message: &str, retryable: bool) -> Result<(), Failure> {
        let ending = Ending::Nothing {
            code: code.into(),
            message: message.into(),
            retryable,
        };
        let event = Event::Unsendable {
            ending,
            unsent: Vec::new(),
        };
        save(self.app, &self.unit, event).await.map(drop)
    }

    /// Not one item can be sent; each has its own reason.
    async fn nothing_to_send(&self, unsent: Vec<Unsent>) -> Result<(), Failure> {
        let ending = Ending::Nothing {
            code: "nothing_to_send".into(),
            message: "nothing of the unit could be sent".into(),
            retryable: true,
        };
        save(self.app, &self.unit, Event::Unsendable { ending, unsent })
            .await
            .map(drop)
    }
}

fn items(
    run: RunId,
    unit: &Unit,
    samples: &[Sample],
    inputs: &std::collections::BTreeMap<stt_eval_shared::domain::FileId, StagedInput>,
) -> Vec<BatchItem> {
    let item = |sample: &Sample| {
        let audio = inputs.get(&sample.file_id)?.clone();
        Some(BatchItem {
            // The result's own id: no line can be taken for another run's.
            key: ResultId::new(run, unit.key.provider, sample.id.position()).to_string(),
            audio,
            language: sample.language.clone(),
            duration_seconds: sample.duration_seconds,
        })
    };
    samples.iter().filter_map(item).collect()
}
