//! `export`: a run as a file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;
use stt_eval_domain::RunId;
use stt_eval_formats::counted;
use stt_eval_formats::write::FAILED;
use stt_eval_wire::export::ExportFormat;
use stt_eval_wire::runs::Run;

use super::runs::{find, goes_on};
use super::{Document, RunOf, download, made_here};
use crate::arguments::{ExportArguments, FormatName, Here, MadeBy, ToExport};
use crate::deployment::Deployment;
use crate::failure::{Exit, Failure};
use crate::output::{Output, raw_to_stdout};
use crate::saved::{placeable, replaceable, whole};

/// Bytes that are copied at once.
const PIECE: usize = 64 * 1024;

#[derive(Serialize)]
struct Told {
    run: RunOf,
    #[serde(flatten)]
    saved: Saved,
    /// What is in the file otherwise than in the run, or not at all.
    remarks: Vec<String>,
}

/// A run that was saved as a file.
#[derive(Debug, Serialize)]
pub struct Saved {
    format: &'static str,
    output: String,
    bytes: u64,
}

impl Saved {
    /// In words.
    pub fn text(&self) -> String {
        format!(
            "written: {} ({})\n",
            self.output,
            counted(
                usize::try_from(self.bytes).unwrap_or(usize::MAX),
                "byte",
                "bytes"
            )
        )
    }
}

/// The file that a run is saved as, unless another one is named.
fn usual(run: RunId, format: FormatName) -> PathBuf {
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
        let Some(file) = &one.file else {
            // The name of the run is not known yet, the folder is.
            placeable("--export", Path::new("run"))?;
            continue;
        };
        placeable("--export", file)?;
        replaceable(file)?;
    }
    Ok(())
}

/// Whether models have a field each where they heard something, and else none.
fn has_fields(format: FormatName) -> bool {
    matches!(
        format.made(),
        MadeBy::Deployment(ExportFormat::Nemo) | MadeBy::Here(Here::LabelStudio)
    )
}

/// Tells what failed where a format has no word for it: other programs take it for an answer.
fn tell_failed(run: &Run, format: FormatName, output: &Output) {
    let told = match format.made() {
        MadeBy::Here(Here::Trn | Here::Stm | Here::SegLst) => format!(
            "the lines of these are empty; {FAILED} in the archive tells what a service failed \
             at, which score leaves out, and other programs count as nothing heard"
        ),
        MadeBy::Deployment(ExportFormat::Nemo) | MadeBy::Here(Here::LabelStudio) => {
            "nothing of these is in the file, and score counts them as nothing heard; csv and \
             jsonl tell what failed"
                .to_owned()
        }
        _ => return,
    };
    let of = |model: &String| {
        let counts = run.model_counts.get(model)?;
        let all = counts.pending + counts.completed + counts.failed;
        (counts.failed > 0).then(|| format!("{} of {all} of {model}", counts.failed))
    };
    // A model that heard nothing at all has no field, and no one who reads the file knows of it.
    let is_absent = |model: &&String| {
        let counts = run.model_counts.get(*model);
        counts.is_some_and(|counts| counts.completed == 0)
    };
    let absent: Vec<&str> = match has_fields(format) {
        true => run
            .providers
            .iter()
            .filter(is_absent)
            .map(String::as_str)
            .collect(),
        false => Vec::new(),
    };
    if !absent.is_empty() {
        output.remark(&format!(
            "without a transcription, so not in the file and not told of by score: {}",
            absent.join(", ")
        ));
    }
    let is_there = |model: &&String| !absent.contains(&model.as_str());
    let mut failed: Vec<String> = run
        .providers
        .iter()
        .filter(is_there)
        .filter_map(of)
        .collect();
    if failed.is_empty() && absent.is_empty() && run.counts.failed > 0 {
        failed.push(format!("{} of {}", run.counts.failed, run.total_items));
    }
    if !failed.is_empty() {
        output.remark(&format!("failed: {}: {told}", failed.join(", ")));
    }
}

/// Tells what of a run was never asked, or is not there yet, and where the file says so.
fn tell_absent(run: &Run, format: FormatName, output: &Output) {
    let (absent, all) = (run.counts.pending, run.total_items);
    let (state, what, code) = match goes_on(run) {
        true => ("goes on", "is not there yet", "pending"),
        false => ("was cancelled", "was never asked", "cancelled"),
    };
    let told = match format.made() {
        MadeBy::Deployment(ExportFormat::Csv | ExportFormat::Jsonl) => {
            format!("has the error \"{code}\" in the file")
        }
        MadeBy::Here(Here::Trn | Here::Stm | Here::SegLst) => {
            format!("is listed in {FAILED}, and its lines are empty")
        }
        MadeBy::Deployment(ExportFormat::Nemo) | MadeBy::Here(Here::LabelStudio) => {
            "is not in the file, and score counts it as nothing heard; csv and jsonl tell it apart"
                .to_owned()
        }
        MadeBy::Here(Here::Audiofolder) => return,
        _ => "is empty in the file".to_owned(),
    };
    if absent > 0 || goes_on(run) {
        let done = all.saturating_sub(absent);
        output.remark(&format!(
            "the run {state}, {done} of {all} done: what {what} {told}"
        ));
    }
}

/// Makes a file, and tells what is in it otherwise than in the run.
async fn made(
    to: &Deployment,
    run: &Run,
    format: Here,
    output: &Output,
) -> Result<made_here::Made, Failure> {
    let made = made_here::make(to, run.id, format).await?;
    for remark in &made.remarks {
        output.remark(remark);
    }
    Ok(made)
}

/// Saves a run that is over.
///
/// # Errors
/// It can't be made, fetched or written.
pub async fn saved(
    to: &Deployment,
    run: &Run,
    file: &ToExport,
    output: &Output,
) -> Result<Saved, Failure> {
    let format = file.format;
    let path = file.file.clone().unwrap_or_else(|| usual(run.id, format));
    tell_absent(run, format, output);
    tell_failed(run, format, output);
    let bytes = match format.made() {
        MadeBy::Deployment(format) => download::keep(to, run.id, format, &path).await?,
        MadeBy::Here(format) => {
            let made = made(to, run, format, output).await?;
            placed(&made.path, &path)?
        }
    };
    let output = path.display().to_string();
    Ok(Saved {
        format: format.name(),
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
    if arguments.output.as_deref() == Some(Path::new("-")) && output.json {
        let message = "--output - and --json both want standard output";
        return Err(Failure::usage(message).hint("name a file"));
    }
    let file = arguments.output.clone();
    if file.as_deref() == Some(Path::new("-")) {
        tell_absent(&run, format, output);
        tell_failed(&run, format, output);
        match format.made() {
            MadeBy::Deployment(format) => {
                let file = download::made(to, run.id, format).await?;
                let length = Some(file.bytes);
                let done = download::fetch(to, &file.url, length, raw_to_stdout).await;
                done.map_err(download::Broken::why)?;
            }
            MadeBy::Here(format) => shown(&made(to, &run, format, output).await?.path)?,
        }
        return Ok(Exit::Done);
    }
    if let Some(file) = &file {
        placeable("--output", file)?;
        replaceable(file)?;
    }
    let saved = saved(to, &run, &ToExport { format, file }, output).await?;
    let document = Document::of(Told {
        run: RunOf::of(&run),
        saved,
        remarks: output.remarks(),
    });
    output.result(&document, || document.content.saved.text())?;
    Ok(Exit::Done)
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("{}: {error}", path.display());
    Failure::new(Exit::Failed, "output", message)
}

/// Puts a file that was made in its place, whole or not at all; gives its length.
fn placed(made: &Path, path: &Path) -> Result<u64, Failure> {
    whole(path, |beside| std::fs::copy(made, beside))
}

/// A file on standard output.
fn shown(made: &Path) -> Result<(), Failure> {
    let mut file = File::open(made).map_err(|error| failed(made, &error))?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = file
            .read(&mut piece)
            .map_err(|error| failed(made, &error))?;
        if read == 0 {
            return Ok(());
        }
        raw_to_stdout(&piece[..read])?;
    }
}
