//! Waiting for a run.

use std::time::{Duration, Instant};

use serde_json::json;
use stt_eval_domain::Timestamp;
use stt_eval_wire::paths;
use stt_eval_wire::runs::Run;

use crate::deployment::{Deployment, Request};
use crate::failure::Failure;
use crate::output::Output;
use crate::read::{goes_on, progress, waits};
use crate::terminal::Progress;

/// The first pause between looks.
const FIRST: Duration = Duration::from_millis(500);
/// The longest one.
const LONGEST: Duration = Duration::from_secs(10);

/// Waits until a run has ended, or until the time is up.
///
/// # Errors
/// What is refused, or can't be reached.
pub async fn watch(
    to: &Deployment,
    run: Run,
    timeout: Option<Duration>,
    output: &Output,
) -> Result<Run, Failure> {
    let until = timeout.map(|timeout| Instant::now() + timeout);
    let mut shown = Progress::new(output);
    let mut pause = FIRST;
    let mut run = run;
    while goes_on(&run) {
        let done = run.total_items - run.counts.pending;
        let share = done as f64 / run.total_items.max(1) as f64;
        let line = format!(
            "{} of {} done, {} failed",
            done, run.total_items, run.counts.failed
        );
        let facts = || {
            json!({
                "run": run.id.to_string(), "done": done, "of": run.total_items,
                "failed": run.counts.failed,
            })
        };
        let drawn = [progress(&run, Timestamp::now()), waits(&run, false)].concat();
        shown.show(&drawn, &line, ("progress", facts), share);
        if until.is_some_and(|until| Instant::now() + pause > until) {
            break;
        }
        tokio::time::sleep(pause).await;
        pause = pause.mul_f64(1.3).min(LONGEST);
        run = to.ask(&Request::get(paths::run(run.id))).await?;
    }
    shown.clear();
    Ok(run)
}
