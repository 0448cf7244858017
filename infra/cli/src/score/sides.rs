//! References and hypotheses as they are named on the command line.

use std::path::{Path, PathBuf};

use stt_eval_formats::transcripts::ReadOptions;
use stt_eval_formats::{Pairs, Source, pairs};

use crate::arguments::ScoreArguments;
use crate::disk::{Named, alone};
use crate::failure::Failure;

/// Standard input.
const STDIN: &str = "-";

/// What a command asks of reading texts.
pub fn wanted(arguments: &ScoreArguments, fields: Vec<String>) -> ReadOptions {
    ReadOptions {
        fields,
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
