//! What makes the blocks that intervals are drawn in, where people look: as the command
//! line does it, so that everybody is told one interval of one figure.

use std::collections::BTreeSet;

use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::Dataset;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{DatasetId, ProjectId, RunId};
use stt_eval_shared::wire::report::{Report, SPEAKER};
use stt_eval_shared::wire::run_comparison::RunComparison;

use super::{ComparisonQuestion, ReportQuestion, compare, of_run};
use crate::refusal::Refusal;

/// Clips of an older dataset whose fields are looked at: a table has the same in each row.
const LOOKED_AT: usize = 20;

/// Fields of the clips of a dataset.
///
/// # Errors
/// When they can't be read.
pub async fn fields(
    app: &App,
    project: &ProjectId,
    dataset: DatasetId,
) -> Result<BTreeSet<String>, Refusal> {
    let found = app.store.dataset(project, dataset).await?;
    if let Some(kept) = found.and_then(|dataset| dataset.fields) {
        return Ok(kept);
    }
    let first = app.store.list_samples(project, dataset, None, LOOKED_AT);
    Ok(Dataset::fields_of(&first.await?.items))
}

/// What makes blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Blocks {
    /// Speakers, where they are known and there are several; else each clip is one.
    #[default]
    Usual,
    /// Each clip is one.
    Clips,
    /// Values of a field.
    Of(String),
}

impl Blocks {
    /// As an address says it: nothing is said of what is usual, and no field is called "".
    #[must_use]
    pub fn asked(given: Option<&str>) -> Self {
        match given {
            None => Self::Usual,
            Some("") => Self::Clips,
            Some(field) => Self::Of(field.to_owned()),
        }
    }

    /// The same the other way.
    #[must_use]
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::Usual => None,
            Self::Clips => Some(""),
            Self::Of(field) => Some(field),
        }
    }

    /// The field that is asked for first, and whether clips are where it makes one block.
    fn tried(&self, has_speakers: bool) -> (Option<String>, bool) {
        match self {
            Self::Usual => (has_speakers.then(|| SPEAKER.to_owned()), has_speakers),
            Self::Clips => (None, false),
            Self::Of(field) => (Some(field.clone()), false),
        }
    }
}

/// The report of a run in these blocks.
///
/// # Errors
/// As without them.
pub async fn report(
    app: &App,
    run: &Run,
    question: ReportQuestion,
    (blocks, has_speakers): (&Blocks, bool),
) -> Result<Report, Refusal> {
    let (block_by, may_be_one) = blocks.tried(has_speakers);
    let question = ReportQuestion {
        block_by,
        ..question
    };
    let found = of_run(app, run.clone(), &question).await?;
    if !(may_be_one && found.is_one_block()) {
        return Ok(found);
    }
    let block_by = None;
    of_run(
        app,
        run.clone(),
        &ReportQuestion {
            block_by,
            ..question
        },
    )
    .await
}

/// A comparison in these blocks.
///
/// # Errors
/// As without them.
pub async fn comparison(
    app: &App,
    project: &ProjectId,
    runs: (RunId, RunId),
    question: ComparisonQuestion,
    (blocks, has_speakers): (&Blocks, bool),
) -> Result<RunComparison, Refusal> {
    let (block_by, may_be_one) = blocks.tried(has_speakers);
    let question = ComparisonQuestion {
        block_by,
        ..question
    };
    let found = compare::compare(app, project, runs, &question).await?;
    if !(may_be_one && found.is_one_block()) {
        return Ok(found);
    }
    let block_by = None;
    let question = ComparisonQuestion {
        block_by,
        ..question
    };
    compare::compare(app, project, runs, &question).await
}
