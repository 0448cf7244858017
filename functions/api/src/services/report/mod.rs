//! Reports of runs. The headline comes from the run's sums, unless these are of
//! a release that did not tell failures apart; the rest is made from its results,
//! read page by page. The report of an ended run is kept in the bucket, under
//! what it depends on, that of a run under way for seconds; one that takes longer
//! than a request may is gone on with by the next.

mod assemble;
pub mod blocks;
pub mod compare;
pub mod export;
mod fields;
mod kept;
mod origins;
mod question;
mod scan;
mod warnings;

use std::time::{Duration, Instant};

use stt_eval_shared::App;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::rescoring::{Scoring, ScoringStatus};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::wire::report::Report;

pub use self::question::{ComparisonQuestion, ReportQuestion};

use self::fields::{Fields, Known};
pub(in crate::services) use self::kept::Place;
use self::scan::Scan;
use crate::refusal::{Kind, Refusal};
use crate::services::runs::changed_since;

/// Reports of one project that are worked out at a time; those that were made
/// are shown without a turn. Each takes a whole invocation for 15 s (`Bounds::report`) and
/// more, and all projects share the account's.
const AT_ONCE: u8 = 2;
/// How long one may take: longer than the function's timeout.
const LEASE: Duration = Duration::from_secs(40);
/// Changes with what a report says or how it is worked out.
const REPORT_VERSION: u32 = 11;

/// The scoring that a report is asked of.
fn choose(run: &Run, wanted: &ReportQuestion) -> Result<Scoring, Refusal> {
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
    Err(Refusal::invalid_field(field, message))
}

/// Name of what a report depends on.
fn key(run: &Run, scoring: &Scoring, wanted: &ReportQuestion, fields: Option<&Known>) -> String {
    let text = serde_json::json!([
        REPORT_VERSION,
        run.rev,
        scoring.id,
        scoring.scorer_version,
        stt_eval_shared::scoring::SCORER_VERSION,
        wanted.block_by,
        wanted.group_by,
        fields.map(Known::name),
    ]);
    sha256_hex(text.to_string().as_bytes())
}

/// The name of the report of a run under way: of everything but how far it is.
fn live_key(run: &Run, scoring: &Scoring, wanted: &ReportQuestion) -> String {
    let text = serde_json::json!([
        REPORT_VERSION,
        run.round,
        // Transcripts may join a run without a new round.
        run.models.len(),
        scoring.id,
        scoring.scorer_version,
        stt_eval_shared::scoring::SCORER_VERSION,
        wanted.block_by,
        wanted.group_by,
    ]);
    sha256_hex(text.to_string().as_bytes())
}

/// Says how far it is.
pub(in crate::services) fn unfinished(what: &str, read: u32, all: u32) -> Refusal {
    let message = format!(
        "the {what} is being worked out, {read} of {all} samples so far; ask again to go on"
    );
    Refusal::new(Kind::Unfinished, message).retry_after(1)
}

/// The project has as many under way as it may.
fn too_many() -> Refusal {
    let message = format!(
        "{AT_ONCE} reports of this project are being worked out, which is as many as may be at \
         once; ask again in a moment"
    );
    Refusal::new(Kind::TooMany, message).retry_after(2)
}

/// The report of a run.
pub async fn report(
    app: &App,
    project: &ProjectId,
    id: RunId,
    wanted: &ReportQuestion,
) -> Result<Report, Refusal> {
    let run = app.store.run(project, id).await?;
    let run = run.ok_or_else(|| Refusal::no_such("run"))?;
    of_run(app, run, wanted).await
}

/// The same of a run that was read.
async fn of_run(app: &App, run: Run, wanted: &ReportQuestion) -> Result<Report, Refusal> {
    let begun = Instant::now();
    let project = &run.project.clone();
    let scoring = choose(&run, wanted)?;
    let (dataset, scored_at) = (run.dataset, scoring.inserted_at);
    let changed = async { Ok(app.store.references_changed(project, dataset).await?) };
    let made = made(app, project, run, scoring, wanted, begun);
    let (mut report, changed) = futures::future::try_join(made, changed).await?;
    // No part of what is kept: it changes without the run.
    let since = changed.filter(|changed| *changed > scored_at && report.complete);
    if let Some(last) = since {
        let clips = changed_since(app, project, dataset, scored_at).await?;
        report.warnings.push(warnings::changed(last, clips));
    }
    Ok(report)
}

/// The same without what has come of its references since.
async fn made(
    app: &App,
    project: &ProjectId,
    run: Run,
    scoring: Scoring,
    wanted: &ReportQuestion,
    begun: Instant,
) -> Result<Report, Refusal> {
    let id = run.id;
    let ended = !run.status.is_active();
    // Free fields can change without the run; nothing else that is used can.
    let by_fields = wanted.block_by.is_some() || wanted.group_by.is_some();
    let mut fields = None;
    if ended && by_fields {
        fields = Some(Known::of(app, &run, wanted).await?);
    }
    let name = if ended {
        key(&run, &scoring, wanted, fields.as_ref())
    } else {
        live_key(&run, &scoring, wanted)
    };
    let place = Place::new(project, id, &name, ended);
    if let Some(report) = place.report(app, Timestamp::now()).await? {
        return Ok(report);
    }
    let asked = Asked {
        run,
        scoring,
        wanted,
        fields,
        place,
        begun,
    };
    in_turn(app, project, asked.make(app)).await
}

/// Does what takes a processor for seconds: in one of the project's turns, or not now.
pub(in crate::services) async fn in_turn<T>(
    app: &App,
    project: &ProjectId,
    work: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    let turn = app
        .store
        .take_turn(project, "report", AT_ONCE, Timestamp::now(), LEASE)
        .await?
        .ok_or_else(too_many)?;
    let made = work.await;
    if let Err(error) = app.store.end_turn(project, &turn).await {
        tracing::warn!(%error, "a turn is given back when its time is up");
    }
    made
}

/// A report that is to be made.
struct Asked<'a> {
    run: Run,
    scoring: Scoring,
    wanted: &'a ReportQuestion,
    fields: Option<Known>,
    place: Place,
    begun: Instant,
}

impl Asked<'_> {
    async fn make(self, app: &App) -> Result<Report, Refusal> {
        let Self {
            run,
            scoring,
            wanted,
            fields,
            place,
            begun,
        } = self;
        let fields = match fields {
            Some(known) => known.read(app, &run, wanted).await?,
            None => Fields::read(app, &run, wanted).await?,
        };
        let dataset = app
            .store
            .dataset(&run.project, run.dataset)
            .await?
            .ok_or_else(|| Refusal::no_such("run"))?;
        let now = Timestamp::now();
        let (mut scan, begun_at) = match place.half(app, now).await? {
            Some(half) => half,
            None => (Scan::new(&run, &scoring, &dataset.keywords)?, now),
        };
        let all = scan
            .read_on(app, &run, &scoring, &fields, || {
                begun.elapsed() < app.config.bounds.report
            })
            .await?;
        if !all {
            let read = scan.samples_read();
            place.keep_half(app, scan, begun_at).await?;
            return Err(unfinished("report", read, run.sample_count));
        }
        let report = assemble::view(app, &run, scoring, wanted, &fields, scan).await?;
        let now = Timestamp::now();
        place
            .keep_report(app, &report, now, now.since(begun_at))
            .await?;
        Ok(report)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
