//! Runs that are due: messages that were lost, runs that have ended.

use std::time::Duration;

use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::queue::Message;
use stt_eval_shared::store::Store;
use stt_eval_shared::store::runs::RunKey;
use stt_eval_shared::{App, Deadline};

use super::{delete, rescore};
use crate::cycle::Cycle;
use crate::failure::{Failure, project, unless_changed};
use crate::units::stop::stop_units;

/// How long until an active run is looked at again for no other reason.
const CHECK_AGAIN: Duration = Duration::from_secs(600);

/// Looks at a due item of table `runs`.
pub(crate) async fn run(
    app: &App,
    pk: &str,
    sk: &str,
    deadline: Deadline,
    cycle: &Cycle,
) -> Result<(), Failure> {
    let project = project(pk)?;
    let now = Timestamp::now();
    match Store::parse_run_key(sk) {
        Some(RunKey::Outbox(run)) => {
            app.queue
                .send(&[Message::RunAccepted {
                    project: project.clone(),
                    run,
                }])
                .await?;
            Ok(app
                .store
                .postpone_outbox(&project, run, now + app.config.bounds.outbox)
                .await?)
        }
        Some(RunKey::Rescore(run)) => rescore::work(app, &project, run, deadline).await,
        Some(RunKey::Deleting(run)) => delete::run(app, &project, run, deadline).await,
        Some(RunKey::Run(id)) => {
            let Some(run) = app.store.run(&project, id).await? else {
                return Ok(());
            };
            if run.due_at.is_none_or(|due| due > now) {
                return Ok(());
            }
            if run.closing {
                return close(app, &run, deadline).await;
            }
            cycle.note(|figures| figures.saw(&run, now));
            // It ends with its last unit, and each unit is due by itself.
            // This only makes one that lost its outbox visible again.
            if run.status.is_active() && run.units_total.is_none() {
                let message = Message::RunAccepted {
                    project: project.clone(),
                    run: id,
                };
                app.queue.send(&[message]).await?;
            }
            unless_changed(app.store.save_run(&run.postponed(now + CHECK_AGAIN)).await)
        }
        None => Err(Failure::Setup("a due run has an unknown key")),
    }
}

/// Stops what an ended run has under way at providers. Its audio goes with its
/// units (see `account::audio`).
async fn close(app: &App, run: &Run, deadline: Deadline) -> Result<(), Failure> {
    if stop_units(app, run, deadline).await? {
        unless_changed(app.store.save_run(&run.closed()).await)
    } else {
        unless_changed(
            app.store
                .save_run(&run.postponed(Timestamp::now() + Duration::from_secs(5)))
                .await,
        )
    }
}
