//! A run as a file: made once for a state of the run, page by page, and kept in the
//! bucket as reports are. One that takes longer than a request may is gone on with by the
//! next.

mod object;
mod pieces;
mod rows;

use std::collections::BTreeSet;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::review::Queue;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{RunId, Timestamp};
use stt_eval_shared::objects::PLAYBACK_TTL;
use stt_eval_shared::scoring::SCORER_VERSION;
use stt_eval_shared::store::samples::SampleFacts;
use stt_eval_shared::wire::export::{Export, ExportFormat, ExportUnderWay, Exported};
use stt_eval_shared::wire::report::SPEAKER;

use self::object::Stored;
use self::pieces::{Stopped, Writing};
use super::blocks::{self, Blocks};
use super::kept::Place;
use super::{REPORT_VERSION, ReportQuestion, in_turn, unfinished};
use crate::actor::Actor;
use crate::refusal::{Kind, Refusal};
use crate::services::results::queue::{self, Next};

/// Changes with what an export says.
const EXPORT_VERSION: u32 = 6;

/// An export that was made; the file lies beside this.
#[derive(Debug, Serialize, Deserialize)]
struct KeptExport {
    bytes: u64,
}

/// What is to be written.
struct Source {
    run: Run,
    facts: Vec<SampleFacts>,
    /// Free fields that a table has columns for; a speaker has one of its own.
    fields: BTreeSet<String>,
    format: ExportFormat,
}

/// Name of what an export depends on. Of a run that has ended that is all; of one under
/// way everything but how far it is.
fn name(source: &Source, ended: bool) -> String {
    let run = &source.run;
    let state = if ended { run.rev } else { run.round.into() };
    // They can change without the run.
    let samples: Vec<_> = source
        .facts
        .iter()
        .map(|fact| (&fact.metadata, &fact.language, fact.reference_version))
        .collect();
    let samples = serde_json::json!(samples).to_string();
    let text = serde_json::json!([
        "export",
        EXPORT_VERSION,
        REPORT_VERSION,
        SCORER_VERSION,
        // Pages may look otherwise in another release.
        env!("CARGO_PKG_VERSION"),
        source.format.name(),
        ended,
        state,
        // Transcripts may join a run without a new round.
        run.models.len(),
        run.scorings.current,
        sha256_hex(samples.as_bytes()),
        source.fields,
    ]);
    sha256_hex(text.to_string().as_bytes())
}

/// Refuses a file of all results to one who has still to judge some of them blind. Those who
/// start runs know what they have chosen.
async fn may_see(app: &App, actor: &Actor, run: &Run) -> Result<(), Refusal> {
    let who = (Queue::Clips, &actor.reviewer());
    if !run.blind_review
        || actor.role != Role::Reviewer
        || queue::next(app, &actor.project, run, who, None).await? == Next::End
    {
        return Ok(());
    }
    Err(Refusal::new(
        Kind::Forbidden,
        "in this run models are hidden until you have judged, and this file names them; it is \
         there for you once you have judged every clip",
    ))
}

/// A run as a file.
///
/// # Errors
/// There is no such run, it may not be seen yet, or as many are being worked out as may be at
/// once.
pub async fn export(
    app: &App,
    actor: &Actor,
    id: RunId,
    format: ExportFormat,
) -> Result<Exported, Refusal> {
    let begun = Instant::now();
    let project = &actor.project;
    let no_such = || Refusal::no_such("run");
    let run = app.store.run(project, id).await?.ok_or_else(no_such)?;
    may_see(app, actor, &run).await?;
    let ended = !run.status.is_active();
    let mut fields = match format {
        ExportFormat::Csv | ExportFormat::Jsonl => {
            let dataset = app.store.dataset(project, run.dataset).await?;
            dataset.and_then(|of| of.fields).unwrap_or_default()
        }
        _ => BTreeSet::new(),
    };
    fields.remove(SPEAKER);
    let facts = {
        let names = fields.iter().map(String::as_str);
        let names: Vec<&str> = names.chain([SPEAKER]).collect();
        let (dataset, count) = (run.dataset, run.sample_count);
        app.store
            .sample_facts(project, dataset, count, &names)
            .await?
    };
    let source = Source {
        run,
        facts,
        fields,
        format,
    };
    let name = name(&source, ended);
    let place = Place::new(project, id, &name, ended);
    let stored = Stored::new(project, id, &name, format);
    let made: Option<KeptExport> = place.report(app, Timestamp::now()).await?;
    if made.is_some()
        // It may have expired a day before what tells of it.
        && let Some(bytes) = stored.length(app).await?
    {
        return found(app, &stored, bytes).await;
    }
    let asked = Asked {
        source,
        place,
        stored,
        begun,
    };
    let done = match format {
        ExportFormat::Html => asked.page(app).await,
        _ => in_turn(app, project, asked.table(app)).await,
    };
    match done {
        Err(refusal) if refusal.kind == Kind::Unfinished => {
            Ok(Exported::UnderWay(ExportUnderWay {
                message: refusal.message,
            }))
        }
        done => done,
    }
}

async fn found(app: &App, stored: &Stored, bytes: u64) -> Result<Exported, Refusal> {
    Ok(Exported::Made(Export {
        expires_at: Timestamp::now() + PLAYBACK_TTL,
        url: stored.url(app).await?,
        bytes,
    }))
}

/// An export that is to be made.
struct Asked {
    source: Source,
    place: Place,
    stored: Stored,
    begun: Instant,
}

impl Asked {
    /// Of the report, which is made in a turn of its own.
    async fn page(self, app: &App) -> Result<Exported, Refusal> {
        let begun_at = Timestamp::now();
        let mut facts = self.source.facts.iter();
        let has_speakers = facts.any(|fact| fact.metadata.contains_key(SPEAKER));
        let usual = (&Blocks::Usual, has_speakers);
        let report = blocks::report(app, &self.source.run, ReportQuestion::default(), usual);
        let report = report.await?;
        let page = stt_eval_html::report::file(&report)
            .map_err(|error| Refusal::internal(error.to_string()))?;
        let bytes = self.stored.write(app, page.into()).await?;
        self.keep(app, bytes, begun_at).await
    }

    /// Of samples and results.
    async fn table(self, app: &App) -> Result<Exported, Refusal> {
        let now = Timestamp::now();
        let (mut writing, mut begun_at) = match self.place.half(app, now).await? {
            Some(half) => half,
            None => (Writing::default(), now),
        };
        let has_time = || self.begun.elapsed() < app.config.bounds.report;
        let mut done = writing
            .write_on(app, &self.source, &self.stored, has_time)
            .await;
        if matches!(done, Err(Stopped::Gone)) {
            // What was sent is cleared away after a day.
            (writing, begun_at) = (Writing::default(), now);
            done = writing
                .write_on(app, &self.source, &self.stored, has_time)
                .await;
        }
        if !done? {
            let run = &self.source.run;
            let read = writing.samples_read(run, self.source.format);
            self.place.keep_half(app, writing, begun_at).await?;
            return Err(unfinished("export", read, run.sample_count));
        }
        let bytes = match writing.finish(app, &self.source, &self.stored).await {
            // What was sent is gone, and with it what the half stands for.
            Err(Stopped::Gone) => {
                self.place
                    .keep_half(app, Writing::default(), Timestamp::now())
                    .await?;
                return Err(unfinished("export", 0, self.source.run.sample_count));
            }
            done => done?,
        };
        self.keep(app, bytes, begun_at).await
    }

    async fn keep(self, app: &App, bytes: u64, begun_at: Timestamp) -> Result<Exported, Refusal> {
        let now = Timestamp::now();
        let took = now.since(begun_at);
        self.place
            .keep_report(app, &KeptExport { bytes }, now, took)
            .await?;
        found(app, &self.stored, bytes).await
    }
}
