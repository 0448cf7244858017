//! How far the models of a run disagree on each sample: the samples in that order, kept in
//! the bucket as reports are, so that a page of it reads its own results only.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use stt_eval_shared::App;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::scoring::consensus::consensus;
use stt_eval_shared::scoring::normalise::Normaliser;

use super::clip::{self, Clip};
use super::consensus::too_long;
use crate::refusal::Refusal;
use crate::services::report::{Place, in_turn, unfinished};

/// Changes with how the order is worked out.
const VERSION: u32 = 1;
/// Samples that are read at once.
const WINDOW: u16 = 50;

/// How far it is: disagreement, in millionths, and position of each sample.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Scan {
    found: Vec<(u32, u16)>,
}

/// Name of what the order depends on. Reviews change nothing of it.
fn key(run: &Run) -> String {
    let ended = !run.status.is_active();
    let models = run.models.iter();
    let counts = models.map(|model| (model.completed, model.failed));
    let counts: Vec<_> = counts.filter(|_| ended).collect();
    let text = serde_json::json!([
        "disagreement",
        VERSION,
        run.generation,
        run.round,
        run.models.len(),
        run.current_normalizer(),
        counts,
    ]);
    sha256_hex(text.to_string().as_bytes())
}

/// How much of their words two models don't share, in the mean of all pairs; nothing where
/// there are no two, all where their transcriptions are too long to be compared.
fn disagreement(clip: &Clip, normaliser: &Normaliser) -> f64 {
    if too_long(clip) {
        return 1.0;
    }
    let outcomes = clip.completed.iter().map(|entry| &entry.outcome);
    let language = outcomes.clone().next().map_or("", |of| &*of.language);
    let heard: Vec<&str> = outcomes
        .filter_map(|outcome| outcome.transcription.as_deref())
        .collect();
    let found = consensus(&heard, language, normaliser, 0);
    found.map_or(0.0, |found| 1.0 - found.agreement)
}

impl Scan {
    async fn read_on(
        &mut self,
        app: &App,
        project: &ProjectId,
        run: &Run,
        begun: Instant,
    ) -> Result<bool, Refusal> {
        let normaliser = Normaliser::by_name(run.current_normalizer()).unwrap_or_default();
        let count = u16::try_from(run.sample_count).unwrap_or(u16::MAX);
        loop {
            let start = u16::try_from(self.found.len()).unwrap_or(u16::MAX);
            let end = start.saturating_add(WINDOW).min(count);
            if start >= end {
                return Ok(true);
            }
            for clip in clip::between(app, project, run, (start, end)).await? {
                let millionths = (disagreement(&clip, &normaliser) * 1e6).round();
                self.found.push((millionths as u32, clip.position));
                // Others on this thread have a turn too.
                tokio::task::yield_now().await;
            }
            if begun.elapsed() >= app.config.bounds.report {
                return Ok(end == count);
            }
        }
    }
}

/// The positions of a run, those on which its models disagree most first.
///
/// # Errors
/// When it takes longer than one request: the next goes on with it.
pub async fn positions(app: &App, project: &ProjectId, run: &Run) -> Result<Vec<u16>, Refusal> {
    let begun = Instant::now();
    let place = Place::new(project, run.id, &key(run), !run.status.is_active());
    if let Some(made) = place.report(app, Timestamp::now()).await? {
        return Ok(made);
    }
    in_turn(app, project, make(app, project, run, (place, begun))).await
}

async fn make(
    app: &App,
    project: &ProjectId,
    run: &Run,
    (place, begun): (Place, Instant),
) -> Result<Vec<u16>, Refusal> {
    let now = Timestamp::now();
    let (mut scan, begun_at) = match place.half(app, now).await? {
        Some(half) => half,
        None => (Scan::default(), now),
    };
    if !scan.read_on(app, project, run, begun).await? {
        let read = u32::try_from(scan.found.len()).unwrap_or(u32::MAX);
        place.keep_half(app, scan, begun_at).await?;
        return Err(unfinished("order", read, run.sample_count));
    }
    scan.found
        .sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let positions: Vec<u16> = scan.found.into_iter().map(|(_, at)| at).collect();
    let now = Timestamp::now();
    place
        .keep_report(app, &positions, now, now.since(begun_at))
        .await?;
    Ok(positions)
}
