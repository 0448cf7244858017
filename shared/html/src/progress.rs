//! How far a run is and what can be done with it, for the list of runs, its page, and
//! what changes of that.

use stt_eval_wire::runs::{Run, RunStatus};

use crate::figures::count;
use crate::texts::Text;

/// What can be done with a run by the one who looks at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Actions {
    /// It can be stopped.
    pub cancel: bool,
    /// Its results can be judged.
    pub review: bool,
    /// What failed can be asked for again, and what was left when it was cancelled.
    pub retry: bool,
    /// It was cancelled and is still being stopped: what is left can be asked for again
    /// in a moment.
    pub stopping: bool,
    /// It can be scored again by the references as they stand now.
    pub rescore: bool,
    /// Clips whose references were changed since it was scored, and whether there may be more.
    pub changed: Option<(u64, bool)>,
    /// Transcripts that were made elsewhere can be added.
    pub add: bool,
    /// It can be deleted.
    pub delete: bool,
    /// Keys of vendors can be replaced.
    pub keys: bool,
    /// Clips without a reference, for which its models propose some.
    pub propose: u64,
    /// A vendor that is simulated here, and knows the recordings of the demo alone.
    pub stand_in: Option<&'static str>,
}

/// Address of the page of a run.
#[must_use]
pub fn path(run: &Run) -> String {
    format!("/runs/{}", run.id)
}

/// How far a run is.
pub(crate) struct Progress {
    pub(crate) done: u64,
    pub(crate) all: u64,
    pub(crate) text: String,
}

pub(crate) fn progress(run: &Run) -> Progress {
    let done = run.counts.completed + run.counts.failed;
    let failed = match run.counts.failed {
        0 => String::new(),
        failed => format!(", of which {} failed", count(failed)),
    };
    Progress {
        done,
        all: run.total_items.max(1),
        text: format!("{} of {}{failed}", count(done), count(run.total_items)),
    }
}

pub(crate) fn status(status: RunStatus) -> Text {
    match status {
        RunStatus::Pending => Text::Pending,
        RunStatus::Processing => Text::Processing,
        RunStatus::Completed => Text::Completed,
        RunStatus::Failed => Text::Failed,
        RunStatus::Cancelled => Text::Cancelled,
    }
}
