//! Reports and comparisons that were made, and halves of them, kept in the bucket: for good
//! where nothing changes any more, for seconds where a run is under way. A rule
//! of the bucket lets them expire; whatever is missing is made again.

use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use stt_eval_shared::App;
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
use stt_eval_shared::objects::{ObjectError, report_prefix};

use crate::refusal::Refusal;

/// How long the report of a run under way is shown again, at least: too short to be
/// noticed.
const FRESH: Duration = Duration::from_secs(5);
/// Longer for what took long: at most one part in so many of the time is spent
/// on making the same report again.
const SHARE: u32 = 4;
/// And at most.
const STALE: Duration = Duration::from_secs(60);
/// A scan of a run under way that was begun longer ago is begun anew: its first
/// samples were looked at before most of the run was done.
const HALF: Duration = Duration::from_secs(600);

/// A report of a run under way.
#[derive(Debug, Serialize, Deserialize)]
struct Live<R> {
    made_at: Timestamp,
    /// How long it is shown again, in milliseconds.
    fresh_ms: u64,
    view: R,
}

/// A scan that goes on in the next request.
#[derive(Debug, Serialize, Deserialize)]
struct Half<S> {
    begun_at: Timestamp,
    scan: S,
}

/// Where a report is kept.
#[derive(Debug)]
pub struct Place {
    whole: String,
    half: String,
    ended: bool,
}

impl Place {
    /// Of what a report depends on: the name of it. Of a run that has ended
    /// that is all; of one under way everything but how far it is.
    pub fn new(project: &ProjectId, run: RunId, name: &str, ended: bool) -> Self {
        let prefix = format!("{}{name}", report_prefix(project, run));
        let kind = if ended { "" } else { ".live" };
        Self {
            whole: format!("{prefix}{kind}.json"),
            half: format!("{prefix}{kind}.part.json"),
            ended,
        }
    }

    /// The report, if it was made and holds.
    pub async fn report<R: DeserializeOwned>(
        &self,
        app: &App,
        now: Timestamp,
    ) -> Result<Option<R>, Refusal> {
        let Some(bytes) = kept(app, &self.whole).await? else {
            return Ok(None);
        };
        let read = if self.ended {
            serde_json::from_slice(&bytes).map(Some)
        } else {
            serde_json::from_slice(&bytes).map(|live: Live<R>| {
                let fresh = now.since(live.made_at) < Duration::from_millis(live.fresh_ms);
                fresh.then_some(live.view)
            })
        };
        Ok(read.unwrap_or_else(|error| {
            // Another release may have written it, with other fields.
            tracing::warn!(key = self.whole, %error, "a kept report can't be read, and is made again");
            None
        }))
    }

    /// The half of it that earlier requests made, and when that was begun.
    pub async fn half<S: DeserializeOwned>(
        &self,
        app: &App,
        now: Timestamp,
    ) -> Result<Option<(S, Timestamp)>, Refusal> {
        let bytes = kept(app, &self.half).await?;
        // One that another release wrote is made again.
        let half = bytes.and_then(|bytes| serde_json::from_slice::<Half<S>>(&bytes).ok());
        Ok(half
            .filter(|half| self.ended || now.since(half.begun_at) < HALF)
            .map(|half| (half.scan, half.begun_at)))
    }

    /// Keeps a half.
    pub async fn keep_half<S: Serialize>(
        &self,
        app: &App,
        scan: S,
        begun_at: Timestamp,
    ) -> Result<(), Refusal> {
        keep(app, &self.half, &Half { begun_at, scan }).await
    }

    /// Keeps a report; `took` is how long all of it took.
    pub async fn keep_report<R: Serialize>(
        &self,
        app: &App,
        report: &R,
        now: Timestamp,
        took: Duration,
    ) -> Result<(), Refusal> {
        if self.ended {
            return keep(app, &self.whole, report).await;
        }
        let live = Live {
            made_at: now,
            fresh_ms: u64::try_from(fresh(took).as_millis()).unwrap_or(0),
            view: report,
        };
        keep(app, &self.whole, &live).await
    }
}

/// How long a report of a run under way is shown again.
fn fresh(took: Duration) -> Duration {
    (took * (SHARE - 1)).clamp(FRESH, STALE)
}

async fn kept(app: &App, key: &str) -> Result<Option<Bytes>, Refusal> {
    match app.objects.get(key).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(ObjectError::Missing) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn keep<T: Serialize>(app: &App, key: &str, value: &T) -> Result<(), Refusal> {
    let text = serde_json::to_vec(value)
        .map_err(|e| Refusal::internal(format!("a report can't be written: {e}")))?;
    Ok(app
        .objects
        .put(key, "application/json", text.into())
        .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_is_kept_longer() {
        for (took, wanted) in [(0, 5), (1, 5), (10, 30), (600, 60)] {
            let took = Duration::from_secs(took);
            assert_eq!(fresh(took), Duration::from_secs(wanted));
        }
    }
}
