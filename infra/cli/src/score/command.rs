//! The command: reads, counts, compares, judges, tells.

use std::mem::ManuallyDrop;

use serde::Serialize;
use stt_eval_formats::Format;
use stt_eval_scoring::SCORER_VERSION;

use super::compare::{Compared, compare};
use super::count::count;
use super::digest::references;
use super::figures::SystemOf;
use super::page::page;
use super::show::text;
use super::sides::{read, wanted};
use super::told::Asked;
use crate::arguments::ScoreArguments;
use crate::failure::{Exit, Failure};
use crate::gate;
use crate::normalise::{UNDETERMINED, normaliser, tag};
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
    /// Version of the scorer.
    scorer: &'a str,
    /// A digest of what was scored against.
    references: &'a str,
    /// `false` where they were not asked for; else not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    intervals: Option<bool>,
    missing: &'a [String],
    /// What was joined, left out or taken for something.
    remarks: Vec<String>,
    systems: &'a [SystemOf],
    comparisons: &'a [Compared],
    gates: &'a [gate::Verdict],
    error: Option<ErrorOf>,
}

/// Runs the command.
pub fn run(arguments: &ScoreArguments, output: &Output) -> Result<Exit, Failure> {
    let conditions = gate::conditions(&arguments.gate)?;
    let normaliser = normaliser(&arguments.normalizer)?;
    tag(&arguments.language, output)?;
    gate::can_be_written(&arguments.gate)?;
    let idle = gate::remarks(&arguments.gate, &conditions).into_iter();
    for remark in idle.chain(gate::Baseline::is_itself(arguments)) {
        output.remark(&remark);
    }
    if let Some(path) = &arguments.html {
        saved::can_be_written("--html", path, output)?;
    }
    let pairs = read(
        &arguments.references,
        &arguments.hypotheses,
        &wanted(arguments, gate::fields(&conditions)),
    )?;
    for remark in &pairs.remarks {
        output.remark(remark);
    }
    let mut samples = pairs.samples.iter();
    if arguments.language != UNDETERMINED && samples.all(|pair| pair.language().is_some()) {
        let language = &arguments.language;
        output.remark(&format!(
            "--language {language} chooses nothing: every sample names its own"
        ));
    }
    let markup = arguments.markup.map(Into::into);
    let full = conditions.iter().any(gate::Condition::needs_all);
    // The process ends with the command: its lists are not taken apart text by text.
    let counted = count(pairs, &normaliser, &arguments.language, markup, full);
    let scored = counted.map_err(|unscored| unscored.within(&arguments.references))?;
    let scored = ManuallyDrop::new(scored);
    // There is one interval of a figure in all that is told.
    let replicates = match arguments.no_intervals {
        true => 0,
        false => gate::replicates(&conditions),
    };
    let asked = Asked {
        normaliser: &normaliser,
        language: &arguments.language,
        markup,
        replicates,
    };
    let (systems, comparisons) = compare(&scored, replicates);
    let baseline = match gate::Baseline::read(arguments, full)? {
        Some((baseline, told)) => {
            let known = output.remarks();
            for remark in told.iter().filter(|one| !known.contains(one)) {
                output.remark(&format!("--baseline: {remark}"));
            }
            Some(baseline)
        }
        None => None,
    };
    // What nobody looks at is not worked out.
    let is_asked = output.json || baseline.as_ref().is_some_and(gate::Baseline::is_saved);
    let references = match is_asked {
        true => references(&scored, asked),
        false => String::new(),
    };
    let verdicts = gate::judge(
        &arguments.gate,
        gate::Scoring {
            normaliser: normaliser.name(),
            scorer: SCORER_VERSION,
            references: &references,
        },
        &conditions,
        &scored,
        baseline.as_ref(),
    )?;
    let exit = gate::exit(&verdicts, arguments.gate.exit_zero);
    gate::annotate(&verdicts, arguments.gate.exit_zero);
    let unsaved = gate::write(&arguments.gate, &verdicts, &systems, &comparisons, &scored).err();
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
        scorer: SCORER_VERSION,
        references: &references,
        intervals: arguments.no_intervals.then_some(false),
        missing: &scored.pairs.missing,
        remarks: output.remarks(),
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
