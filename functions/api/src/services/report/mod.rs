//! Reports of runs. The headline comes from the run's sums; the rest is made
//! from its results, read page by page. The report of an ended run is kept in
//! the bucket, under what it depends on; one that takes longer than a request
//! may is gone on with by the next.

mod assemble;
mod fields;
mod scan;

use std::time::{Duration, Instant};

use bytes::Bytes;
use stt_eval_shared::App;
use stt_eval_shared::access::sha256_hex;
use stt_eval_shared::domain::rescoring::{Scoring, ScoringStatus};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ProjectId, RunId};
use stt_eval_shared::objects::{ObjectError, run_prefix};
use stt_eval_shared::scoring::normalise::Normaliser;

use self::fields::Fields;
use self::scan::Scan;
use crate::error::ApiError;

/// How long results are read for within one request.
const BUDGET: Duration = Duration::from_secs(15);
/// Changes with what a report says or how it is worked out.
const REPORT_VERSION: u32 = 1;

/// What a report is asked to show.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Metadata field that makes blocks.
    pub block_by: Option<String>,
    /// Metadata field to break down by.
    pub group_by: Option<String>,
    /// Normaliser of the scoring.
    pub normalizer: Option<String>,
    /// Number of the scoring.
    pub scoring: Option<u16>,
}

/// The scoring that a report is asked of.
fn choose(run: &Run, wanted: &Wanted) -> Result<Scoring, ApiError> {
    let mut complete = run.all_scorings();
    complete.retain(|scoring| scoring.status == ScoringStatus::Completed);
    let name = wanted.normalizer.as_deref().map(|name| {
        // Lossy steps may be named in any order.
        Normaliser::by_name(name).map_or_else(|| name.to_owned(), |known| known.name().to_owned())
    });
    let current = run.scorings.current;
    let fits = |scoring: &&Scoring| match (wanted.scoring, &name) {
        (Some(id), _) => scoring.id == id,
        (None, Some(name)) => scoring.normalizer == *name,
        (None, None) => scoring.id == current,
    };
    // Of several with one normaliser the one that counts, else the latest.
    let chosen = complete
        .iter()
        .filter(fits)
        .max_by_key(|scoring| (scoring.id == current, scoring.id));
    if let Some(chosen) = chosen {
        return Ok(chosen.clone());
    }
    let known: Vec<String> = complete
        .iter()
        .map(|scoring| format!("{} ({})", scoring.id, scoring.normalizer))
        .collect();
    let field = if wanted.scoring.is_some() {
        "scoring"
    } else {
        "normalizer"
    };
    let message = format!(
        "the run has no such scoring; it has {}; POST /runs/{}/rescore makes another",
        known.join(", "),
        run.id
    );
    Err(ApiError::invalid_field(field, message))
}

/// Name of what a report depends on.
fn key(run: &Run, scoring: &Scoring, wanted: &Wanted, fields: Option<&Fields>) -> String {
    let text = serde_json::json!([
        REPORT_VERSION,
        run.rev,
        scoring.id,
        scoring.scorer_version,
        stt_eval_shared::scoring::SCORER_VERSION,
        wanted.block_by,
        wanted.group_by,
        fields.map(Fields::digest),
    ]);
    sha256_hex(text.to_string().as_bytes())
}

async fn kept(app: &App, key: &str) -> Result<Option<Bytes>, ApiError> {
    match app.objects.get(key).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(ObjectError::Missing) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn keep<T: serde::Serialize>(app: &App, key: &str, value: &T) -> Result<(), ApiError> {
    let text = serde_json::to_vec(value)
        .map_err(|e| ApiError::internal(format!("a report can't be written: {e}")))?;
    Ok(app
        .objects
        .put(key, "application/json", text.into())
        .await?)
}

/// The report of a run, as JSON.
pub async fn report(
    app: &App,
    project: &ProjectId,
    id: RunId,
    wanted: &Wanted,
) -> Result<serde_json::Value, ApiError> {
    let begun = Instant::now();
    let run = app
        .store
        .run(project, id)
        .await?
        .ok_or_else(|| ApiError::no_such("run"))?;
    let scoring = choose(&run, wanted)?;
    let ended = !run.status.is_active();
    // Free fields can change without the run; nothing else that is used can.
    let by_fields = wanted.block_by.is_some() || wanted.group_by.is_some();
    let mut fields = None;
    if by_fields {
        fields = Some(Fields::read(app, &run, wanted).await?);
    }
    let key = key(&run, &scoring, wanted, fields.as_ref());
    let prefix = format!("{}reports/{key}", run_prefix(project, id));
    let (whole, part) = (format!("{prefix}.json"), format!("{prefix}.part.json"));
    if ended && let Some(bytes) = kept(app, &whole).await? {
        return serde_json::from_slice(&bytes)
            .map_err(|e| ApiError::internal(format!("a kept report can't be read: {e}")));
    }
    let fields = match fields {
        Some(fields) => fields,
        None => Fields::read(app, &run, wanted).await?,
    };
    let dataset = app
        .store
        .dataset(project, run.dataset)
        .await?
        .ok_or_else(|| ApiError::no_such("run"))?;
    let mut scan = None;
    if ended {
        let bytes = kept(app, &part).await?;
        scan = bytes.and_then(|bytes| serde_json::from_slice::<Scan>(&bytes).ok());
    }
    let mut scan = match scan {
        Some(scan) => scan,
        None => Scan::new(&run, &scoring, &dataset.keywords)?,
    };
    let all = scan
        .read_on(app, &run, &scoring, &fields, || begun.elapsed() < BUDGET)
        .await?;
    if ended && !all {
        keep(app, &part, &scan).await?;
        return Err(ApiError::unavailable(format!(
            "the report is being worked out, {} of {} samples so far; ask again to go on",
            scan.samples_read(),
            run.sample_count
        ))
        .retry_after(1));
    }
    let view = assemble::view(app, &run, scoring, wanted, &fields, scan).await?;
    let view = serde_json::to_value(&view)
        .map_err(|e| ApiError::internal(format!("a report can't be written: {e}")))?;
    if ended {
        keep(app, &whole, &view).await?;
    }
    Ok(view)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
