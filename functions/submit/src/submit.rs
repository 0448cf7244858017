//! Submitting one unit: room at the provider, audio, request document, and then
//! the batch (see `create`).

use std::time::Duration;

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
use stt_eval_shared::{App, Deadline};

use super::Failure;
use super::admission;
use super::stage::{Stage, Staged};

/// Least time that must be left to claim a unit and create its batch.
const NEEDED: Duration = Duration::from_secs(90);
/// Collisions over a unit after which its message comes again.
const TRIES: u32 = 5;
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
    if !is_up(&unit) {
        return Ok(());
    }
    let run = app.store.run(project, run).await?;
    let Some(run) = run.filter(|run| run.wants(key, unit.generation)) else {
        // One with a request document at the provider is left to the poller,
        // which deletes that as well.
        if unit.batch_input.is_some() {
            return Ok(());
        }
        return save(app, &unit, Event::Cancel).await.map(drop);
    };
    let work = Work {
        app,
        unit,
        deadline,
    };
    work.run(&run).await
}

/// Whether it is a unit's time to be submitted.
fn is_up(unit: &Unit) -> bool {
    matches!(unit.state, UnitState::Ready { not_before } if not_before <= Timestamp::now())
}

/// Saves a step. `None` when somebody else was faster: the work is theirs.
pub(super) async fn save(app: &App, unit: &Unit, event: Event) -> Result<Option<Unit>, Failure> {
    let now = Timestamp::now();
    let Ok(step) = unit.step(event, now, &app.config.policy) else {
        return Ok(None);
    };
    if step.unit.is_done() {
        leave(app, unit).await?;
    }
    match app.store.save_unit(&step.unit).await {
        Ok(()) => Ok(Some(step.unit)),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Gives up a unit's room at its provider. Before it is done, for afterwards
/// nobody would come back for it.
async fn leave(app: &App, unit: &Unit) -> Result<(), Failure> {
    let Some(credential) = &unit.credential else {
        return Ok(());
    };
    // A twin of this message may still be sending.
    let from = Timestamp::now() + app.config.bounds.staging_lease;
    app.store
        .change_room(&unit.project, &unit.provider, credential, |room| {
            room.without(unit.run, unit.key, from)
        })
        .await?;
    Ok(())
}

/// Saves a step that makes the unit wait, and sends its message again for when
/// the wait is over. Should that message be lost, the sweeper sends another.
pub(super) async fn wait(app: &App, unit: &Unit, event: Event) -> Result<(), Failure> {
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

/// The same for a unit that the provider does not take now. It leaves its place
/// meanwhile: others, for another model, may be taken.
pub(super) async fn step_aside(app: &App, unit: &Unit, event: Event) -> Result<(), Failure> {
    leave(app, unit).await?;
    wait(app, unit, event).await
}

/// A unit that is being submitted.
pub(super) struct Work<'a> {
    pub(super) app: &'a App,
    /// As it was read or written last.
    pub(super) unit: Unit,
    pub(super) deadline: Deadline,
}

impl Work<'_> {
    /// Writes with which credential the unit asks for room, before it does: so
    /// whatever becomes of the unit, its room is found again. False when
    /// somebody else has the unit.
    async fn under(&mut self, credential: &str) -> Result<bool, Failure> {
        let app = self.app;
        for _ in 0..TRIES {
            if self.unit.credential.as_deref() == Some(credential) {
                return Ok(true);
            }
            // The credential was replaced while the unit waited.
            leave(app, &self.unit).await?;
            let next = Unit {
                credential: Some(credential.to_owned()),
                rev: self.unit.rev + 1,
                ..self.unit.clone()
            };
            match app.store.save_unit(&next).await {
                Ok(()) => {
                    self.unit = next;
                    return Ok(true);
                }
                // Perhaps only the sweeper, which put off its next look.
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
            let (project, run, key) = (&self.unit.project, self.unit.run, self.unit.key);
            match app.store.unit(project, run, key).await? {
                Some(stored) if is_up(&stored) => self.unit = stored,
                _ => return Ok(false),
            }
        }
        Err(StoreError::Conflict.into())
    }

    async fn run(mut self, run: &Run) -> Result<(), Failure> {
        let app = self.app;
        let unit = &self.unit;
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
        if !self.under(&credential.id).await? {
            return Ok(());
        }
        let unit = &self.unit;
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
        if let Some((reason, pauses)) = admission::admit(app, unit, &credential, slot).await? {
            let waiting = Event::Waiting {
                pause: app.config.admission.pause * pauses,
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
        // From here on something may be left at the provider, and somebody must
        // look: a document that no batch is made of, a batch that nobody records.
        app.store
            .watch(
                &unit.project,
                &unit.provider,
                &credential.id,
                Timestamp::now(),
                app.config.bounds.watch,
            )
            .await?;
        let display_name = unit.display_name(&app.config.stage, unit.attempt + 1);
        let sending =
            client.stage_batch(&credential, &name, &display_name, &items, &provider.config);
        let input = match self.deadline.cut_short(sending).await {
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
        step_aside(self.app, &self.unit, event).await
    }

    pub(super) async fn unauthorized(&self) -> Result<(), Failure> {
        let message = "the provider does not accept the project's credentials";
        self.unsendable("credentials_refused", message, true).await
    }

    pub(super) async fn unsendable(
        &self,
        code: &str,
        message: &str,
        retryable: bool,
    ) -> Result<(), Failure> {
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
