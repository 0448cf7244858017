//! The irreversible step: intent, one call, record. It is the only place where
//! money is spent.

use std::time::Duration;

use stt_eval_shared::access::random;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::unit::{Event, Unit, Unsent, WaitingReason};
use stt_eval_shared::providers::{BatchProvider, CallError, Credential, Rejection, StagedInput};
use stt_eval_shared::store::units::Claimed;

use super::Failure;
use super::submit::{Work, save, step_aside, wait};

/// Least time that must be left once the unit is claimed: the call's own
/// time-out and the write after it.
const TO_CREATE: Duration = Duration::from_secs(75);
/// How often a claim is tried at most.
const CLAIMS: usize = 2;

fn fence() -> Result<u64, Failure> {
    // 53 bits: what every number format on the way holds exactly.
    Ok(u64::from_be_bytes(random::<8>()?) >> 11)
}

impl Work<'_> {
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

    /// Writes the intent, makes the call, and records what came of it.
    pub(super) async fn create(
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
                step_aside(app, unit, event).await
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
}
