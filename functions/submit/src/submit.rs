//! Submitting one unit: admission at the provider, audio, request document, and then
//! the batch (see `create`).

use std::collections::BTreeMap;
use std::time::Duration;

use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::failure::FailureCode;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::{
    Event, Unit, UnitKey, UnitKind, UnitState, Unsent, WaitingReason,
};
use stt_eval_shared::domain::{FileId, ProjectId, ResultId, RunId, Timestamp};
use stt_eval_shared::providers::{
    Adapter, AnyModel, Credential, JobItem, JobName, Jobs, NewJob, Prepared, custom,
};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::work::admission::release;
use stt_eval_shared::work::step::save;
use stt_eval_shared::work::{Failure, account};
use stt_eval_shared::{App, Deadline};

use super::admission;
use super::calls::Caller;
use super::outgoing::Leaving;
use super::stage::{Input, Stage, Staged, unstaged};
use super::taken::taken;
use super::turn::{step_aside, wait};
use super::work::Work;

/// Least time that must be left to claim a unit and create its batch.
const NEEDED: Duration = Duration::from_secs(90);
/// Collisions over a unit after which its message comes again.
const TRIES: u32 = 5;
/// Pause before a unit looks again at what another worker is sending.
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
    if !is_due(&unit) {
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
fn is_due(unit: &Unit) -> bool {
    matches!(unit.state, UnitState::Ready { not_before } if not_before <= Timestamp::now())
}

impl Work<'_> {
    /// Writes with which credential the unit asks to be admitted, before it does: so
    /// whatever becomes of the unit, its place is found again. False when
    /// another worker has the unit.
    async fn remember_credential(&mut self, credential: &str) -> Result<bool, Failure> {
        let app = self.app;
        for _ in 0..TRIES {
            if self.unit.credential.as_deref() == Some(credential) {
                return Ok(true);
            }
            // The credential was replaced while the unit waited.
            release(app, &self.unit).await?;
            let next = Unit {
                credential: Some(credential.to_owned()),
                // Whatever was said of the other one.
                doubt: None,
                blocked: None,
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
                Some(stored) if is_due(&stored) => self.unit = stored,
                _ => return Ok(false),
            }
        }
        Err(StoreError::Conflict.into())
    }

    async fn run(mut self, run: &Run) -> Result<(), Failure> {
        let app = self.app;
        let unit = &self.unit;
        if let Some(ending) = unit.given_up(Timestamp::now(), &app.policy(&unit.vendor)) {
            return self.end(ending).await;
        }
        if run.is_spent() {
            return self.unsendable(FailureCode::CostCapReached).await;
        }
        let run_model = run.models.get(usize::from(unit.key.model));
        let model = run_model.and_then(|of_run| app.model_of(of_run));
        let vendor = app.vendor(&unit.vendor);
        let (Some(run_model), Some(offered), Some(vendor), Some(adapter)) =
            (run_model, model, vendor, app.adapter(&unit.vendor))
        else {
            return self.unsendable(FailureCode::ModelUnavailable).await;
        };
        let model = &offered.model();
        let opened = account::current(app, &unit.project, &unit.vendor).await?;
        let credential = match (opened, offered.endpoint()) {
            (Some(credential), None) => credential,
            (Some(credential), Some(endpoint)) if custom::is_for(&credential, endpoint) => {
                credential
            }
            (_, Some(_)) => return self.unsendable(FailureCode::OwnModelGone).await,
            (None, None) => return self.unsendable(FailureCode::NoCredentials).await,
        };
        if !self.remember_credential(&credential.id).await? {
            return Ok(());
        }
        let unit = &self.unit;
        if let Some(started) = run.started(Timestamp::now()) {
            match app.store.save_run(&started).await {
                // Another worker changed it; its next unit starts it if need be.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let leaving = Leaving::of(app, run);
        let samples = app
            .store
            .samples_in(&unit.project, run.dataset, &unit.spans)
            .await?;
        let tokens = |sample: &Sample| match adapter.jobs() {
            Some(jobs) => {
                jobs.queued_tokens(&run_model.config, &sample.language, sample.duration_seconds)
            }
            // Nothing waits at a vendor that answers at once.
            None => 0,
        };
        let demand = admission::demand(unit, &run_model.model, &samples, tokens);
        let limits = app.config.vendors.limits(vendor);
        let limits = match offered.endpoint() {
            Some(endpoint) => limits.with_calls_at_once(usize::from(endpoint.at_once)),
            None => limits,
        };
        let admitted = admission::admit(app, unit, &limits, &credential, demand).await?;
        if let Some((reason, pauses)) = admitted {
            let waiting = Event::Waiting {
                pause: limits.pause * pauses,
                reason,
            };
            return wait(app, unit, waiting).await;
        }
        let client = match (unit.kind, adapter) {
            (UnitKind::Job, Adapter::Jobs(jobs)) => &**jobs,
            (UnitKind::Calls, Adapter::Calls(client)) => {
                let caller = Caller {
                    app,
                    model,
                    client: &**client,
                    credential: &credential,
                    config: &run_model.config,
                    limits: &limits,
                    leaving,
                    deadline: self.deadline,
                };
                return Box::pin(caller.call(unit, &samples)).await;
            }
            // The vendor takes work in another way than when the unit was planned.
            _ => return self.unsendable(FailureCode::ModelUnavailable).await,
        };
        let staged = match client.audio_store() {
            None => {
                let (inputs, unsent) =
                    unstaged(app, vendor, model, &samples, leaving, self.deadline).await?;
                Staged::Done { inputs, unsent }
            }
            Some(shelf) => {
                let stage = Stage {
                    app,
                    unit,
                    vendor,
                    model,
                    shelf,
                    credential: &credential,
                    leaving,
                    deadline: self.deadline,
                };
                stage.all(&samples).await?
            }
        };
        let (inputs, mut unsent) = match staged {
            Staged::Done { inputs, unsent } => (inputs, unsent),
            Staged::Later(reason) => {
                let pause = LOOK_AGAIN.min(app.config.policy.resend_after);
                let waiting = Event::Waiting { pause, reason };
                return wait(app, unit, waiting).await;
            }
            Staged::Pause {
                retry_after,
                reason,
                failed,
            } => {
                let event = Event::Postponed {
                    retry_after,
                    reason,
                    failed,
                };
                return step_aside(app, unit, event).await;
            }
        };
        let lost = unit.positions().filter(|position| {
            !samples
                .iter()
                .any(|sample| sample.id.position() == *position)
        });
        unsent.extend(lost.map(|position| Unsent::new(position, FailureCode::SampleMissing)));
        let items = items(unit, model, &samples, &inputs);
        if items.is_empty() {
            return self.nothing_to_send(unsent).await;
        }
        let job = NewJob {
            name: JobName {
                deployment: &app.config.deployment,
                project: &unit.project,
                run: unit.run,
                unit: unit.key,
                attempt: unit.attempt + 1,
                credential: &credential.id,
            },
            items: &items,
            config: &run_model.config,
            earlier: unit.batch_input.as_deref(),
        };
        // From here on something may be left at the provider, which must be
        // looked for: a document that no batch is made of, a batch that is not recorded.
        app.store
            .watch(
                &unit.project,
                &unit.vendor,
                &credential.id,
                Timestamp::now(),
                app.config.bounds.watch,
            )
            .await?;
        let preparing = client.prepare(&credential, &job);
        let prepared = match self.deadline.cut_short(preparing).await {
            Ok(prepared) => prepared,
            Err(error) => return self.refused_before_claim(&error).await,
        };
        self.discard_earlier(client, &credential, &prepared).await;
        if !self.deadline.allows(NEEDED) {
            let waiting = Event::Waiting {
                pause: Duration::ZERO,
                reason: WaitingReason::Other,
            };
            return wait(app, unit, waiting).await;
        }
        self.create(client, &credential, &job, prepared, unsent)
            .await
    }

    /// Deletes the request document of an earlier attempt: no batch was made of
    /// it, and with the claim its name is overwritten. A failure is only told:
    /// the provider deletes it by itself in a while.
    async fn discard_earlier(
        &self,
        client: &dyn Jobs,
        credential: &Credential,
        prepared: &Prepared,
    ) {
        let unit = &self.unit;
        if let Some(earlier) = unit
            .batch_input
            .as_ref()
            .filter(|name| **name != prepared.name)
            && let Err(error) = client.discard_prepared(credential, earlier).await
        {
            tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a file stays at the provider");
        }
    }
}

fn items(
    unit: &Unit,
    model: &AnyModel<'_>,
    samples: &[Sample],
    inputs: &BTreeMap<FileId, Input>,
) -> Vec<JobItem> {
    let item = |sample: &Sample| {
        let Input { audio, mime_type } = inputs.get(&sample.file_id)?.clone();
        let taken = taken(model, sample).ok()?.sent_as(model, &mime_type);
        Some(JobItem {
            // The result's own id: no line can be taken for another run's.
            key: ResultId::new(unit.run, unit.key.model, sample.id.position()).to_string(),
            audio,
            file_name: taken.file_name(sample),
            mime_type: taken.mime_type.to_owned(),
            language: sample.language.clone(),
            language_code: taken.language_code,
            duration_seconds: sample.duration_seconds,
        })
    };
    samples.iter().filter_map(item).collect()
}
