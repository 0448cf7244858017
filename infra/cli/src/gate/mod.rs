//! The gate: conditions on a score that let a job fail.
//!
//! There is none unless one is asked for. A condition that failed goes before one that
//! could not be judged.

mod annotations;
mod baseline;
mod condition;
mod decided;
mod figures;
mod judge;
mod junit;
mod measured;
mod summary;
mod verdict;

pub use annotations::{annotate, error as annotate_error};
pub use baseline::{Baseline, place_of};
pub use condition::Condition;
pub use judge::{Scoring, judge, replicates};
pub use verdict::{Status, Verdict};

use crate::arguments::GateArguments;
use crate::failure::{Exit, Failure};
use crate::output::{ErrorOf, Output};
use crate::saved::{placeable, whole};
use crate::score::{Compared, Scored, SystemOf};

/// Reads the conditions; `failed>0.01` is added where there is any.
pub fn conditions(arguments: &GateArguments) -> Result<Vec<Condition>, Failure> {
    let mut all = Vec::with_capacity(arguments.fail_if.len() + 1);
    for text in &arguments.fail_if {
        all.push(Condition::parse(text).map_err(Failure::usage)?);
    }
    let mut all = once(all);
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

/// Conditions that say the same count once, by the first: readers of `JUnit` take one case of a
/// name, and no other is adjusted for it.
pub fn once(all: Vec<Condition>) -> Vec<Condition> {
    let mut kept: Vec<Condition> = Vec::with_capacity(all.len());
    for one in all {
        let is_same = |other: &Condition| {
            let text = other.text.clone();
            *other
                == Condition {
                    text,
                    ..one.clone()
                }
        };
        if !kept.iter().any(is_same) {
            kept.push(one);
        }
    }
    kept
}

/// Fields of samples that groups are of, beside those that are known anyway.
pub fn fields(conditions: &[Condition]) -> Vec<String> {
    let groups = conditions.iter().filter_map(|one| one.group.as_ref());
    let others = groups.filter(|(key, _)| !matches!(key.as_str(), "language" | "speaker"));
    others.map(|(key, _)| key.clone()).collect()
}

/// What is asked of a gate that judges nothing of it: a job that is green for nothing.
pub fn remarks(arguments: &GateArguments, conditions: &[Condition]) -> Vec<String> {
    let mut remarks = Vec::new();
    if arguments.baseline.is_some() && !conditions.iter().any(Condition::is_regression) {
        remarks.push(
            "--baseline is not looked at: no --fail-if asks for a regression, such as \
             'regression.high>0.02'"
                .to_owned(),
        );
    }
    if arguments.baseline_model.is_some() && arguments.baseline.is_none() {
        remarks.push("--baseline-model chooses nothing: there is no --baseline".to_owned());
    }
    let of_verdicts = [
        ("--allow-weak", arguments.allow_weak),
        ("--exit-zero", arguments.exit_zero),
    ];
    for (option, _) in of_verdicts.iter().filter(|(_, is_asked)| *is_asked) {
        if conditions.is_empty() {
            remarks.push(format!("{option} changes nothing: there is no --fail-if"));
        }
    }
    let is_written = arguments.junit.is_some() && arguments.junit_samples.is_none();
    if is_written && conditions.is_empty() {
        remarks
            .push("nothing is judged: there is no --fail-if, and --junit has no case".to_owned());
    }
    remarks
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
        Status::NotJudged => format!("{} {}\n", output.open_mark(), one.message),
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
        if file.as_deref() == Some(std::path::Path::new("-")) {
            let message = format!("{option} -: standard output has the result");
            return Err(Failure::usage(message).hint("name a file"));
        }
        // A summary is added to what is there.
        let is_added_to = |file: &&std::path::Path| option == "--summary" && file.exists();
        let file = file.as_deref().filter(|file| !is_added_to(file));
        file.map_or(Ok(()), |file| placeable(option, file))?;
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

/// Writes what was asked for: XML of `JUnit`, a summary. One that can't be written does not
/// keep the other from being.
///
/// # Errors
/// What could not be written, all of it.
pub fn write(
    arguments: &GateArguments,
    verdicts: &[Verdict],
    systems: &[SystemOf],
    comparisons: &[Compared],
    scored: &Scored,
) -> Result<(), Failure> {
    let report = arguments.junit.as_ref().map_or(Ok(()), |path| {
        let xml = junit::xml(verdicts, scored, arguments.junit_samples);
        whole(path, |beside| std::fs::write(beside, xml))
    });
    let summary = arguments.summary.as_ref().map_or(Ok(()), |path| {
        let text = summary::markdown(verdicts, systems, comparisons);
        let mut options = std::fs::OpenOptions::new();
        let file = options.append(true).create(true).open(path);
        file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
            .map_err(|error| {
                let message = format!("{}: {error}", path.display());
                Failure::new(Exit::Failed, "output", message)
            })
    });
    match (report, summary) {
        (Err(report), Err(summary)) => {
            let message = format!("{}; {}", report.message, summary.message);
            Err(Failure { message, ..report })
        }
        (report, summary) => report.and(summary),
    }
}
