//! Files of a deployment: exports as it makes them, and recordings.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use stt_eval_domain::RunId;
use stt_eval_wire::export::{Export, ExportFormat, Exported};
use stt_eval_wire::paths;

use crate::deployment::{Deployment, Pause, Request};
use crate::failure::{Exit, Failure};
use crate::saved::beside;

/// An export of a large run takes several requests.
const PATIENCE: Duration = Duration::from_secs(900);
/// Longest silence of the bucket.
const SILENCE: Duration = Duration::from_secs(60);
/// Between two requests for one that is being made.
const WAIT: Duration = Duration::from_secs(1);

/// Waits until an export is there.
///
/// # Errors
/// It can't be made, or not in time.
pub async fn made(to: &Deployment, run: RunId, format: ExportFormat) -> Result<Export, Failure> {
    let patience = PATIENCE.max(to.patience);
    let until = Instant::now() + patience;
    let request = Request::get(paths::export(run))
        .with("format", format.name())
        .patiently(patience);
    loop {
        match to.ask(&request).await? {
            Exported::Made(file) => return Ok(file),
            Exported::UnderWay(told) if Instant::now() >= until => {
                return Err(Failure::new(Exit::Failed, "unavailable", told.message)
                    .hint("the same command again goes on"));
            }
            Exported::UnderWay(_) => tokio::time::sleep(WAIT).await,
        }
    }
}

/// Why a file did not come.
pub enum Broken {
    /// It may come if it is asked for again.
    Off(Failure),
    /// What came can't be written.
    Output(Failure),
}

impl Broken {
    /// Either.
    pub fn why(self) -> Failure {
        match self {
            Self::Off(failure) | Self::Output(failure) => failure,
        }
    }
}

/// Fetches a file, a piece at a time; `length` is what it must have, where that is known.
///
/// # Errors
/// It does not come whole, or can't be written.
pub async fn fetch(
    to: &Deployment,
    url: &str,
    length: Option<u64>,
    mut write: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Broken> {
    let off = |reason: String| {
        let message = format!("the file {reason}");
        Broken::Off(Failure::new(Exit::Failed, "download", message).hint("the same command again"))
    };
    let asked = to.http().get(url).send();
    let answer = tokio::time::timeout(SILENCE, asked)
        .await
        .map_err(|_| off("does not come in time".to_owned()))?
        .map_err(|_| off("can't be fetched".to_owned()))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(off(format!("is refused ({})", status.as_u16())));
    }
    let mut pieces = answer.bytes_stream();
    let mut came = 0;
    loop {
        let piece = tokio::time::timeout(SILENCE, pieces.try_next())
            .await
            .map_err(|_| off("stopped coming".to_owned()))?
            .map_err(|_| off("broke off".to_owned()))?;
        let Some(piece) = piece else { break };
        came += piece.len() as u64;
        write(&piece).map_err(Broken::Output)?;
    }
    match length {
        Some(length) if came != length => Err(off(format!("has {came} bytes of {length}"))),
        _ => Ok(()),
    }
}

/// Keeps an export as a file, whole or not at all; gives its length.
///
/// # Errors
/// It can't be made, fetched or written.
pub async fn keep(
    to: &Deployment,
    run: RunId,
    format: ExportFormat,
    path: &Path,
) -> Result<u64, Failure> {
    let failed = |error: std::io::Error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(Exit::Failed, "output", message)
    };
    let beside = beside(path);
    let mut pause = Pause::within(to.patience);
    let done = loop {
        let file = match made(to, run, format).await {
            Ok(file) => file,
            Err(failure) => break Err(failure),
        };
        let mut part = match File::create(&beside) {
            Ok(part) => part,
            Err(error) => break Err(failed(error)),
        };
        let write = |piece: &[u8]| part.write_all(piece).map_err(failed);
        match fetch(to, &file.url, Some(file.bytes), write).await {
            Ok(()) => {
                break std::fs::rename(&beside, path)
                    .map_err(failed)
                    .map(|()| file.bytes);
            }
            Err(Broken::Output(failure)) => break Err(failure),
            Err(Broken::Off(failure)) => match pause.next(None) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => break Err(failure),
            },
        }
    };
    if done.is_err() {
        // What went wrong is told; what is left of it is of no use.
        let _ = std::fs::remove_file(&beside);
    }
    done
}

/// Keeps a recording as a file.
///
/// # Errors
/// It can't be fetched or written.
pub async fn recording(to: &Deployment, url: &str, path: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(Exit::Failed, "output", message)
    };
    let mut pause = Pause::within(to.patience);
    loop {
        let mut part = File::create(path).map_err(failed)?;
        let write = |piece: &[u8]| part.write_all(piece).map_err(failed);
        match fetch(to, url, None, write).await {
            Ok(()) => return Ok(()),
            Err(Broken::Output(failure)) => return Err(failure),
            Err(Broken::Off(failure)) => match pause.next(None) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(failure),
            },
        }
    }
}
