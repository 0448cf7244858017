//! `export`: a run as a file.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use serde::Serialize;
use stt_eval_domain::RunId;
use stt_eval_wire::export::{Export, ExportFormat, Exported};
use stt_eval_wire::paths;

use super::Document;
use super::runs::find;
use crate::arguments::{ExportArguments, ToExport};
use crate::deployment::{Deployment, Pause, Request};
use crate::failure::{Exit, Failure};
use crate::output::{Output, raw_to_stdout};

/// An export of a large run takes several requests.
const PATIENCE: Duration = Duration::from_secs(900);
/// Longest silence of the bucket.
const SILENCE: Duration = Duration::from_secs(60);
/// Between two requests for one that is being made.
const WAIT: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Told {
    run_id: RunId,
    #[serde(flatten)]
    saved: Saved,
}

/// A run that was saved as a file.
#[derive(Debug, Serialize)]
pub struct Saved {
    format: ExportFormat,
    output: String,
    bytes: u64,
}

impl Saved {
    /// In words.
    pub fn text(&self) -> String {
        format!("written: {} ({} bytes)\n", self.output, self.bytes)
    }
}

/// The file that a run is saved as, unless another one is named.
fn usual(run: RunId, format: ExportFormat) -> PathBuf {
    PathBuf::from(format!("{run}.{}", format.extension()))
}

/// Whether these files can be written, before a run is paid for.
///
/// # Errors
/// Two are the same, one has no folder, or something else than a file is there.
pub fn can_be_saved(files: &[ToExport]) -> Result<(), Failure> {
    for (at, one) in files.iter().enumerate() {
        if files.iter().take(at).any(|before| match &one.file {
            Some(file) => before.file.as_ref() == Some(file),
            None => before == one,
        }) {
            return Err(Failure::usage("two of --export are the same file"));
        }
        let Some(file) = &one.file else { continue };
        let folder = match file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            let message = format!("--export: there is no folder {}", folder.display());
            return Err(Failure::usage(message));
        }
        replaceable(file)?;
    }
    Ok(())
}

/// What is there may be replaced if it is a file: a device or a pipe would be gone.
fn replaceable(file: &Path) -> Result<(), Failure> {
    match std::fs::metadata(file) {
        Ok(there) if !there.is_file() => {
            let message = format!("{} is there, and is no file", file.display());
            Err(Failure::usage(message).hint("name a file"))
        }
        _ => Ok(()),
    }
}

/// Saves a run that is over.
///
/// # Errors
/// It can't be made, fetched or written.
pub async fn saved(to: &Deployment, run: RunId, file: &ToExport) -> Result<Saved, Failure> {
    let format = ExportFormat::from(file.format);
    let path = file.file.clone().unwrap_or_else(|| usual(run, format));
    let bytes = keep(to, run, format, &path).await?;
    let output = path.display().to_string();
    Ok(Saved {
        format,
        output,
        bytes,
    })
}

/// `export`.
pub async fn save(
    to: &Deployment,
    arguments: &ExportArguments,
    output: &Output,
) -> Result<Exit, Failure> {
    let run = find(to, &arguments.of.run).await?;
    let format = arguments.format;
    let file = arguments.output.clone();
    if file.as_deref() == Some(Path::new("-")) {
        let file = made(to, run.id, format.into()).await?;
        fetch(to, &file, raw_to_stdout).await.map_err(Broken::why)?;
        return Ok(Exit::Done);
    }
    if let Some(file) = &file {
        replaceable(file)?;
    }
    let saved = saved(to, run.id, &ToExport { format, file }).await?;
    let document = Document::of(Told {
        run_id: run.id,
        saved,
    });
    output.result(&document, || document.content.saved.text())?;
    Ok(Exit::Done)
}

/// Waits until an export is there.
async fn made(to: &Deployment, run: RunId, format: ExportFormat) -> Result<Export, Failure> {
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
enum Broken {
    /// It may come if it is asked for again.
    Off(Failure),
    /// What came can't be written.
    Output(Failure),
}

impl Broken {
    fn why(self) -> Failure {
        match self {
            Self::Off(failure) | Self::Output(failure) => failure,
        }
    }
}

/// Fetches a file, a piece at a time.
async fn fetch(
    to: &Deployment,
    file: &Export,
    mut write: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Broken> {
    let off = |reason: String| {
        let message = format!("the file {reason}");
        Broken::Off(Failure::new(Exit::Failed, "download", message).hint("the same command again"))
    };
    let asked = to.http().get(&file.url).send();
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
    if came == file.bytes {
        Ok(())
    } else {
        let message = format!("has {came} bytes of {}", file.bytes);
        Err(off(message))
    }
}

/// Keeps an export as a file, whole or not at all; gives its length.
async fn keep(
    to: &Deployment,
    run: RunId,
    format: ExportFormat,
    path: &Path,
) -> Result<u64, Failure> {
    let failed = |error: std::io::Error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(Exit::Failed, "output", message)
    };
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = PathBuf::from(beside);
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
        match fetch(to, &file, |piece| part.write_all(piece).map_err(failed)).await {
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
