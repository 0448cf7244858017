//! `stt-eval`: the command line.
//!
//! Standard output holds the result and nothing else; everything else goes to standard
//! error. What scripts may rely on is in the README of this crate.

mod access;
mod arguments;
mod check;
mod deployment;
mod disk;
mod failure;
mod gate;
mod journal;
mod manual;
mod normalise;
mod output;
mod probe;
mod profiles;
mod read;
mod run;
mod score;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Cli, Command};
use failure::{Exit, Failure};
use output::Output;

fn main() -> ExitCode {
    panics_are_told();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return wrong_usage(&error),
    };
    let output = Output::new(&cli.shared);
    let done = match &cli.command {
        Command::Check(arguments) => check::run(arguments, &output),
        Command::Score(arguments) => score::run(arguments, &output),
        Command::Normalise(arguments) => normalise::run(arguments, &output),
        Command::Login(arguments) => access::login(arguments, &cli.shared, &output),
        Command::Logout(arguments) => access::logout(arguments, &cli.shared, &output),
        Command::Whoami => access::whoami(&cli.shared, &output),
        Command::Profiles => access::list(&output),
        Command::Run(arguments) => run::run(arguments, &cli.shared, &output),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { folder } => manual::pages(folder.as_deref(), &output),
        talks => read::run(talks, &cli.shared, &output),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output.failed(&failure);
            failure.exit.into()
        }
    }
}

/// Help and version are asked for; anything else is a mistake, told as a document if
/// that was asked for.
fn wrong_usage(error: &clap::Error) -> ExitCode {
    let is_help = error.exit_code() == 0;
    let json = std::env::args_os().any(|word| word == "--json");
    if json && !is_help {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or(message);
        output::document(&output::Failed::of(&Failure::usage(message)));
    } else if error.print().is_err() {
        return Exit::ReaderGone.into();
    }
    if is_help {
        ExitCode::SUCCESS
    } else {
        Exit::Usage.into()
    }
}

/// A panic is a bug of ours: one sentence and a file with the trace, exit 70.
fn panics_are_told() {
    std::panic::set_hook(Box::new(|panic| {
        let name = format!("stt-eval-panic-{}.txt", std::process::id());
        let path = std::env::temp_dir().join(name);
        let trace = std::backtrace::Backtrace::force_capture();
        let kept = std::fs::write(&path, format!("{panic}\n{trace}\n"));
        let place = match kept {
            Ok(()) => format!("; the trace is in {}", path.display()),
            Err(_) => String::new(),
        };
        output::to_stderr(&format!("error: a bug in stt-eval has stopped it{place}"));
        std::process::exit(70);
    }));
}
