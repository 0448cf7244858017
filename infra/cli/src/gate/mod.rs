//! The gate: conditions on a score that let a job fail.
//!
//! There is none unless one is asked for. A condition that failed goes before one that
//! could not be judged.

mod baseline;
mod condition;
mod judge;
mod junit;
mod measured;
mod summary;
mod verdict;

pub use baseline::Baseline;
pub use condition::Condition;
pub use judge::judge;
pub use verdict::{Status, Verdict};

use crate::arguments::GateArguments;
use crate::failure::{Exit, Failure};
use crate::output::{ErrorOf, Output};
use crate::score::{Compared, SystemOf};

/// Reads the conditions; `failed>0.01` is added where there is any.
pub fn conditions(arguments: &GateArguments) -> Result<Vec<Condition>, Failure> {
    let mut all = Vec::with_capacity(arguments.fail_if.len() + 1);
    for text in &arguments.fail_if {
        all.push(Condition::parse(text).map_err(Failure::usage)?);
    }
    let regresses = all.iter().any(Condition::is_regression);
    if regresses && arguments.baseline.is_none() {
        return Err(Failure::usage(
            "a condition on a regression needs --baseline FILE",
        ));
    }
    if !all.is_empty() && !all.iter().any(Condition::is_of_failures) {
        all.push(Condition::parse("failed>0.01").map_err(Failure::usage)?);
    }
    Ok(all)
}

/// How a command with these verdicts ends.
pub fn exit(verdicts: &[Verdict], zero: bool) -> Exit {
    let any = |status| verdicts.iter().any(|one| one.status == status);
    match () {
        () if zero => Exit::Done,
        () if any(Status::Failed) => Exit::Gate,
        () if any(Status::NotJudged) => Exit::NotJudged,
        () => Exit::Done,
    }
}

/// What a document says about a gate that did not pass.
pub fn error(exit: Exit) -> Option<ErrorOf> {
    match exit {
        Exit::Gate => {
            let message = "a condition of the gate failed";
            Some(ErrorOf::new("gate_failed", message, None))
        }
        Exit::NotJudged => {
            let message = "a condition of the gate could not be judged";
            Some(ErrorOf::new("gate_not_judged", message, None))
        }
        _ => None,
    }
}

/// Verdicts in words.
pub fn text(verdicts: &[Verdict], output: &Output) -> String {
    let line = |one: &Verdict| match one.status {
        Status::Passed => format!("{} {}\n", output.mark(true), one.message),
        Status::Failed => format!("{} {}\n", output.mark(false), one.message),
        Status::NotJudged => format!("?  {}\n", one.message),
    };
    verdicts.iter().map(line).collect()
}

/// Whether what was asked for can be written, as far as that shows before.
///
/// # Errors
/// A folder that is not there.
pub fn can_be_written(arguments: &GateArguments) -> Result<(), Failure> {
    let asked = [
        ("--junit", &arguments.junit),
        ("--summary", &arguments.summary),
    ];
    for (option, file) in asked {
        let folder = file.as_deref().and_then(std::path::Path::parent);
        if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty())
            && !folder.is_dir()
        {
            let message = format!("{option}: there is no folder {}", folder.display());
            return Err(Failure::usage(message));
        }
    }
    Ok(())
}

/// How a command ends where a file could not be written: what it found is told all the
/// same, and a gate that did not pass goes before.
pub fn unsaved(
    (exit, error): (Exit, Option<ErrorOf>),
    failure: Option<Failure>,
    output: &Output,
) -> (Exit, Option<ErrorOf>) {
    match failure {
        None => (exit, error),
        Some(failure) if exit == Exit::Done => {
            let hint = failure.hint.or(Some("the same command again".to_owned()));
            let error = ErrorOf::new(failure.code, failure.message, hint);
            (Exit::Failed, Some(error))
        }
        Some(failure) => {
            output.note(&format!("note: {}", failure.message));
            (exit, error)
        }
    }
}

/// Writes what was asked for: XML of `JUnit`, a summary.
pub fn write(
    arguments: &GateArguments,
    verdicts: &[Verdict],
    systems: &[SystemOf],
    comparisons: &[Compared],
) -> Result<(), Failure> {
    let failed = |path: &std::path::Path, error: std::io::Error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(Exit::Failed, "output", message)
    };
    if let Some(path) = &arguments.junit {
        std::fs::write(path, junit::xml(verdicts)).map_err(|error| failed(path, error))?;
    }
    if let Some(path) = &arguments.summary {
        let text = summary::markdown(verdicts, systems, comparisons);
        let mut options = std::fs::OpenOptions::new();
        let file = options.append(true).create(true).open(path);
        file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
            .map_err(|error| failed(path, error))?;
    }
    Ok(())
}
