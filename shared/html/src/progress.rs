//! How far a run is and what can be done with it, for the list of runs, its page, and
//! what changes of that.

use stt_eval_wire::runs::{Run, RunStatus, RunWarningCode};

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

/// What of a run or a model has no transcription, and is not pending.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Untranscribed {
    /// What failed, or may have: while some is pending, it is not known of all of it
    /// whether the model was asked for it.
    pub(crate) failed: u64,
    /// Whether what the model can't take may be in that.
    is_open: bool,
    /// What the model can't take, so that nobody asked it for that.
    refused: u64,
}

impl Untranscribed {
    /// Beside what failed; empty for nothing.
    pub(crate) fn not_asked(&self) -> String {
        match (self.is_open, self.refused) {
            (true, _) => "or not asked for".to_owned(),
            (false, 0) => String::new(),
            (false, refused) => format!("{} not asked for", count(refused)),
        }
    }

    /// Behind how much is done; empty for nothing.
    fn told(&self) -> String {
        match (self.failed, &*self.not_asked()) {
            (0, "") => String::new(),
            (0, not_asked) => format!(", of which {not_asked}"),
            (failed, "") => format!(", of which {} failed", count(failed)),
            (failed, not_asked) if self.is_open => {
                format!(", of which {} failed {not_asked}", count(failed))
            }
            (failed, not_asked) => {
                format!(", of which {} failed and {not_asked}", count(failed))
            }
        }
    }
}

/// What of a model has no transcription, and is not pending.
pub(crate) fn untranscribed(run: &Run, model: &str) -> Untranscribed {
    let counts = run.model_counts.get(model).copied().unwrap_or_default();
    let mut warnings = run.warnings.iter();
    let never = RunWarningCode::UnsupportedByModel;
    let of_model = warnings.find(|warning| warning.code == never && warning.model == model);
    let refused = of_model.map_or(0, |warning| warning.count);
    let most = counts.failed.min(refused);
    // As much of it as is certain.
    let least = counts.failed.min(refused.saturating_sub(counts.pending));
    if least < most {
        return Untranscribed {
            failed: counts.failed,
            is_open: true,
            refused: 0,
        };
    }
    Untranscribed {
        failed: counts.failed - most,
        is_open: false,
        refused: most,
    }
}

pub(crate) fn progress(run: &Run) -> Progress {
    let done = run.counts.completed + run.counts.failed;
    let models = run.providers.iter().map(|model| untranscribed(run, model));
    let models: Vec<Untranscribed> = models.collect();
    let is_open = models.iter().any(|model| model.is_open);
    let refused: u64 = match is_open {
        true => 0,
        false => models.iter().map(|model| model.refused).sum(),
    };
    let all = Untranscribed {
        failed: run.counts.failed.saturating_sub(refused),
        is_open,
        refused,
    };
    Progress {
        done,
        all: run.total_items.max(1),
        text: format!(
            "{} of {}{}",
            count(done),
            count(run.total_items),
            all.told()
        ),
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
