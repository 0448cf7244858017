//! Completions and manual pages, from the same command as everything else.

use std::path::Path;

use clap::CommandFactory;

use crate::arguments::Cli;
use crate::failure::{Exit, Failure};
use crate::output::{Output, raw_to_stdout};

/// Prints completions.
pub fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "stt-eval", &mut bytes);
    raw_to_stdout(&bytes)?;
    Ok(Exit::Done)
}

/// Prints the page of the command, or writes all pages.
pub fn pages(folder: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Failed, "output", error.to_string());
    match folder {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(failed)?;
            clap_mangen::generate_to(Cli::command(), folder).map_err(failed)?;
            output.note(&format!("manual pages are in {}", folder.display()));
        }
        None => {
            let mut bytes = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut bytes)
                .map_err(failed)?;
            raw_to_stdout(&bytes)?;
        }
    }
    Ok(Exit::Done)
}
