//! References and hypotheses as they are named on the command line.

use std::path::{Path, PathBuf};

use stt_eval_formats::markup::{Markup, reference};
use stt_eval_formats::transcripts::{self, ReadOptions, Side};
use stt_eval_formats::{Pairs, Source, pairs};

use crate::arguments::ScoreArguments;
use crate::disk::{Named, alone};
use crate::failure::Failure;

/// Standard input.
const STDIN: &str = "-";

/// What a command asks of reading texts.
pub fn wanted(arguments: &ScoreArguments) -> ReadOptions {
    ReadOptions {
        format: arguments.format,
        text_column: arguments.text_column.clone(),
        hypotheses: arguments.hyp.clone(),
        markup: arguments.markup.map(Into::into),
        channel: arguments.channel,
    }
}

fn source(named: &Named) -> Source<'_> {
    Source {
        files: named.files.as_ref(),
        file: named.file.as_deref(),
        name: &named.name,
    }
}

/// Reads sides and brings them together.
pub fn read(
    references: &Path,
    hypotheses: &[PathBuf],
    wanted: &ReadOptions,
) -> Result<Pairs, Failure> {
    let all = hypotheses.iter().map(PathBuf::as_path);
    let all = std::iter::once(references).chain(all);
    if all.filter(|path| *path == Path::new(STDIN)).count() > 1 {
        return Err(Failure::usage(
            "- is named twice: standard input can be one source",
        ));
    }
    let right = alone(references)?;
    let mut heard: Vec<Named> = Vec::with_capacity(hypotheses.len());
    for path in hypotheses {
        let mut named = alone(path)?;
        // Of two that are called the same the second has its path behind its name.
        if heard.iter().any(|other| other.name == named.name) {
            named.name = format!("{} ({})", named.name, path.display());
        }
        heard.push(named);
    }
    let heard: Vec<Source<'_>> = heard.iter().map(source).collect();
    Ok(pairs(&source(&right), &heard, wanted)?)
}

/// Where the first reference with braces stands that mean nothing, and what is wrong with it.
/// That is looked for only when there is one: nothing else needs the lines of texts with ids.
pub fn bad_markup(
    references: &Path,
    wanted: &ReadOptions,
    markup: Option<Markup>,
) -> Option<String> {
    if references == Path::new(STDIN) {
        return None;
    }
    let named = alone(references).ok()?;
    let file = named.file.as_deref();
    let read = transcripts::read(named.files.as_ref(), file, Side::References, wanted).ok()?;
    let wrong = |text: &str, own: Option<Markup>| {
        let markup = markup.or(own).unwrap_or(Markup::None);
        reference(text, markup).err()
    };
    let mut of_entries = read.entries.iter().filter_map(|entry| {
        let reason = wrong(entry.text.as_deref()?, entry.markup)?;
        // A folder has a file for each.
        Some(match file {
            Some(file) => format!("{file} line {}: {reason}", entry.line),
            None => format!("{}: {reason}", entry.id.as_deref()?),
        })
    });
    let mut of_lines = (1_u64..)
        .zip(read.lines.texts())
        .filter_map(|(line, text)| {
            let reason = wrong(&text, None)?;
            Some(format!("{} line {line}: {reason}", file?))
        });
    of_entries.next().or_else(|| of_lines.next())
}
