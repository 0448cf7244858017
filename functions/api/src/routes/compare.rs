//! `/runs/{id}/compare/{other}`.

use axum::extract::State;
use stt_eval_shared::App;
use stt_eval_shared::domain::RunId;
use stt_eval_shared::wire;
use stt_eval_shared::wire::envelope::Envelope;
use utoipa::IntoParams;

use super::report::field;
use crate::http::auth::AsViewer;
use crate::http::envelope::ok;
use crate::http::error::Answer;
use crate::http::id::PathTexts;
use crate::http::query::{FromQuery, Pairs, Params};
use crate::refusal::Refusal;
use crate::routes::gather::{Gather, handlers};
use crate::services::report::{ComparisonQuestion, compare};

/// The route of comparisons.
pub fn routes<R: Gather>() -> R {
    R::default().with(handlers!(show))
}

/// How two runs are compared.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CompareQuery {
    /// Metadata field whose samples belong together (such as `speaker`): they
    /// are resampled as one.
    block_by: Option<String>,
    /// Of the scorings with this normaliser; otherwise with that of the run's scoring
    /// that counts.
    #[param(example = "indic-v1")]
    normalizer: Option<String>,
}

impl FromQuery for CompareQuery {
    const NAMES: &'static [&'static str] = &["block_by", "normalizer"];

    fn read(pairs: &Pairs) -> Result<Self, Refusal> {
        Ok(Self {
            block_by: field(pairs, "block_by")?,
            normalizer: pairs.text("normalizer").map(str::to_owned),
        })
    }
}

/// Compares two runs over one dataset, model by model: pooled WER of each, the
/// difference with its interval, and the paired test that reports use.
///
/// Only samples count that both runs have against the same version of the reference.
/// What can't be compared is told with the reason, and is no failure. As with
/// reports, large runs may take several requests: 503 with `Retry-After` says how far
/// it is.
#[utoipa::path(get, path = "/runs/{id}/compare/{other}", tag = "runs",
    operation_id = "compare_runs",
    params(("id" = RunId, Path, description = "Id of the run"),
        ("other" = RunId, Path, description = "Id of the run to compare with"), CompareQuery),
    responses((status = 200, description = "The comparison",
        body = Envelope<wire::run_comparison::RunComparison>)))]
async fn show(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(query): Params<CompareQuery>,
    PathTexts(id, other): PathTexts,
) -> Answer {
    let run = |text: String| text.parse().map_err(|_| Refusal::no_such("run"));
    let runs: (RunId, RunId) = (run(id)?, run(other)?);
    let question = ComparisonQuestion {
        block_by: query.block_by,
        normalizer: query.normalizer,
    };
    ok(compare::compare(&app, &caller.actor.project, runs, &question).await?)
}
