//! References and hypotheses as they are named on the command line.

use stt_eval_formats::transcripts::ReadOptions;
use stt_eval_formats::{Pairs, Source, pairs};

use crate::arguments::ScoreArguments;
use crate::disk::{Named, alone};
use crate::failure::Failure;

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
    references: &std::path::Path,
    hypotheses: &[std::path::PathBuf],
    wanted: &ReadOptions,
) -> Result<Pairs, Failure> {
    let right = alone(references)?;
    let mut heard = Vec::with_capacity(hypotheses.len());
    for path in hypotheses {
        heard.push(alone(path)?);
    }
    let heard: Vec<Source<'_>> = heard.iter().map(source).collect();
    Ok(pairs(&source(&right), &heard, wanted)?)
}
