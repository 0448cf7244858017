//! The irreversible step: intent, one call, record. It is the only place where
//! money is spent.

use std::time::Duration;

use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::unit::{Event, Unit, Unsent, WaitingReason};
use stt_eval_shared::providers::{CallError, Credential, Jobs, NewJob, Prepared};
use stt_eval_shared::work::Failure;
use stt_eval_shared::work::after_start::AfterStart;
use stt_eval_shared::work::step::{fence, save};

use super::turn::{intend, step_aside, wait};
use super::work::Work;

/// Least time that must be left once the unit is claimed: the call's own
/// time-out and the write after it.
const TO_CREATE: Duration = Duration::from_secs(75);

impl Work<'_> {
    /// Writes the intent, makes the call, and records what came of it.
    pub(super) async fn create(
        &self,
        client: &dyn Jobs,
        credential: &Credential,
        job: &NewJob<'_>,
        prepared: Prepared,
        unsent: Vec<Unsent>,
    ) -> Result<(), Failure> {
        let app = self.app;
        let fence = fence()?;
        let claim = Event::Claim {
            fence,
            batch_input: prepared.name.clone(),
            batch_name: client.spell(&job.name),
            credential: credential.id.clone(),
            unsent,
        };
        let Some(unit) = intend(app, &self.unit, claim).await? else {
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
        let created = client.start(credential, job, &prepared).await;
        let now = Timestamp::now();
        match created {
            Ok(batch) => {
                tracing::info!(run_id = %unit.run, unit_id = %unit.key, attempt = unit.attempt, "a batch was created");
                let created = Event::Created { fence, batch };
                let Ok(step) = unit.step(created, now, &app.policy(&unit.vendor)) else {
                    return Ok(());
                };
                let vendor = app.vendor(&unit.vendor);
                let pauses = vendor.map(|vendor| app.config.vendors.poll_pauses(vendor));
                let first = pauses.and_then(|pauses| pauses.first().copied());
                let first = first.unwrap_or_default();
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
        match AfterStart::of(error) {
            AfterStart::Unknown => Ok(()),
            AfterStart::QueueFull { retry_after } => {
                let event = Event::QueueFull { fence, retry_after };
                step_aside(app, unit, event).await
            }
            AfterStart::Aside(reason) => step_aside(app, unit, refused(None, reason)).await,
            AfterStart::Anew => wait(app, unit, refused(None, WaitingReason::SendingAudio)).await,
            AfterStart::Unreadable => {
                let event = refused(None, WaitingReason::AudioUnreadable);
                save(app, unit, event).await.map(drop)
            }
            AfterStart::ForGood(code) => {
                // Two steps: back to ready, for no batch exists; then its end, or once
                // more if it was said only now.
                let Some(unit) = save(app, unit, refused(None, WaitingReason::Other)).await? else {
                    return Ok(());
                };
                let back = Work {
                    app,
                    unit,
                    deadline: self.deadline,
                };
                back.refused_for_good(code).await
            }
        }
    }
}
