//! A unit's turn: taking it, and giving it back until later.

use stt_eval_shared::App;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::unit::{Event, Unit, UnitState};
use stt_eval_shared::queue::Message;
use stt_eval_shared::store::units::Claimed;
use stt_eval_shared::work::Failure;
use stt_eval_shared::work::admission::release;
use stt_eval_shared::work::step::save;

use super::by_credential;

/// How often a claim is tried at most.
const CLAIMS: usize = 2;

/// Saves a step that makes the unit wait, and sends its message again for when
/// the wait is over. Should that message be lost, the sweeper sends another.
pub(super) async fn wait(app: &App, unit: &Unit, event: Event) -> Result<(), Failure> {
    let Some(next) = save(app, unit, event).await? else {
        return Ok(());
    };
    if next.waits_by_credential() {
        by_credential::told(app, &next).await?;
    }
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
    release(app, unit).await?;
    wait(app, unit, event).await
}

/// Writes a claim on a unit together with a look at its run. Bringing the audio may
/// have taken long, and the sweeper or a twin of the message may have touched the
/// unit meanwhile: that alone is no reason to come again with everything at hand.
/// `None` when there is nothing to be done any more, or by another worker.
pub(super) async fn intend(app: &App, mine: &Unit, claim: Event) -> Result<Option<Unit>, Failure> {
    let policy = app.policy(&mine.vendor);
    let mut unit = mine.clone();
    for _ in 0..CLAIMS {
        let Ok(step) = unit.step(claim.clone(), Timestamp::now(), &policy) else {
            return Ok(None);
        };
        match app.store.save_claimed(&step.unit).await? {
            Claimed::Yes => return Ok(Some(step.unit)),
            Claimed::Unwanted => return save(app, &unit, Event::Cancel).await.map(|_| None),
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
