//! The command: reads, counts, compares, judges, tells.

use std::mem::ManuallyDrop;

use serde::Serialize;
use stt_eval_formats::Format;

use super::compare::{Compared, compare};
use super::count::count;
use super::figures::SystemOf;
use super::page::page;
use super::show::text;
use super::sides::{bad_markup, read, wanted};
use super::told::{Asked, BAD_MARKUP};
use crate::arguments::ScoreArguments;
use crate::failure::{Exit, Failure};
use crate::gate;
use crate::normalise::normaliser;
use crate::output::{ErrorOf, Output, SCHEMA};
use crate::saved;

/// Both formats.
#[derive(Debug, Serialize)]
struct Formats {
    references: Format,
    hypotheses: Format,
}

/// The document; its shape is settled.
#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: u32,
    ok: bool,
    format: Formats,
    normalizer: &'a str,
    /// `false` where they were not asked for; else not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    intervals: Option<bool>,
    missing: &'a [String],
    systems: &'a [SystemOf],
    comparisons: &'a [Compared],
    gates: &'a [gate::Verdict],
    error: Option<ErrorOf>,
}

/// Runs the command.
pub fn run(arguments: &ScoreArguments, output: &Output) -> Result<Exit, Failure> {
    let conditions = gate::conditions(&arguments.gate)?;
    let normaliser = normaliser(&arguments.normalizer)?;
    gate::can_be_written(&arguments.gate)?;
    if let Some(path) = &arguments.html {
        saved::can_be_written("--html", path, output)?;
    }
    let reading = wanted(arguments);
    let pairs = read(&arguments.references, &arguments.hypotheses, &reading)?;
    for remark in &pairs.remarks {
        output.note(&format!("note: {remark}"));
    }
    let markup = arguments.markup.map(Into::into);
    let full = conditions.iter().any(gate::Condition::needs_all);
    // The process ends with the command: its lists are not taken apart text by text.
    let scored = count(pairs, &normaliser, &arguments.language, markup, full);
    let scored = ManuallyDrop::new(scored.map_err(|mut failure| {
        if failure.code == BAD_MARKUP
            && let Some(told) = bad_markup(&arguments.references, &reading, markup)
        {
            failure.message = told;
        }
        failure
    })?);
    let (systems, comparisons) = compare(&scored, !arguments.no_intervals);
    let baseline = gate::Baseline::read(arguments, full)?;
    let verdicts = gate::judge(
        &arguments.gate,
        &arguments.normalizer,
        &conditions,
        &scored,
        baseline.as_ref(),
    )?;
    let exit = gate::exit(&verdicts, arguments.gate.exit_zero);
    let unsaved = gate::write(&arguments.gate, &verdicts, &systems, &comparisons).err();
    let asked = Asked {
        normaliser: &normaliser,
        language: &arguments.language,
        markup,
        intervals: !arguments.no_intervals,
    };
    let page = || -> Result<bool, Failure> {
        let Some(path) = &arguments.html else {
            return Ok(false);
        };
        let page = page(&scored, &verdicts, arguments, asked)?;
        saved::page(path, &page, output)
    };
    // The first that went wrong is told.
    let (is_shown, unsaved) = match (page(), unsaved) {
        (Ok(is_shown), unsaved) => (is_shown, unsaved),
        (Err(failure), _) if failure.exit == Exit::ReaderGone => return Err(failure),
        (Err(failure), unsaved) => (false, unsaved.or(Some(failure))),
    };
    let (exit, error) = gate::unsaved((exit, gate::error(exit)), unsaved, output);
    let document = Document {
        schema: SCHEMA,
        ok: exit == Exit::Done,
        format: Formats {
            references: scored.pairs.references,
            hypotheses: scored.pairs.hypotheses,
        },
        normalizer: normaliser.name(),
        intervals: arguments.no_intervals.then_some(false),
        missing: &scored.pairs.missing,
        systems: &systems,
        comparisons: &comparisons,
        gates: &verdicts,
        error,
    };
    if !is_shown {
        output.result(&document, || {
            let shown = text(&scored, &systems, &comparisons, normaliser.name());
            shown + &gate::text(&verdicts, output)
        })?;
    }
    if !output.json && exit == Exit::Failed {
        document.error.iter().for_each(ErrorOf::tell);
    }
    Ok(exit)
}
