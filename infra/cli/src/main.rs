//! `stt-eval`: the command line.
//!
//! Standard output holds the result and nothing else; everything else goes to standard
//! error. What scripts may rely on is in the README of this crate.

mod access;
mod arguments;
mod check;
mod columns;
mod deployment;
mod disk;
mod embedded;
mod events;
mod failure;
mod fields;
mod gate;
mod hidden;
mod journal;
mod manual;
mod money;
mod nearby;
mod normalise;
mod output;
mod pieces;
mod probe;
mod profiles;
mod project;
mod read;
mod run;
mod saved;
mod score;
mod settings;
mod terminal;
mod times;
mod unpack;
mod unshown;
mod utf8;

use std::borrow::Cow;
use std::process::ExitCode;

use arguments::Command;
use failure::{Exit, Failure};
use output::Output;

fn main() -> ExitCode {
    panics_are_told();
    let (mut cli, from_project) = match project::arguments() {
        Ok(arguments) => arguments,
        Err(project::Wrong::Usage(error)) => return wrong_usage(&error),
        Err(project::Wrong::Project(failure)) => return wrong_project(&failure),
    };
    let output = Output::new(&cli.shared);
    if let Command::Run(run) = &mut cli.command
        && run.demo
    {
        output::mark_simulated();
        if run.models.is_empty() {
            run.models = run::DEMO_MODELS.map(str::to_owned).to_vec();
        }
    }
    if let Some(told) = from_project {
        output.note(&told);
    }
    let done = match &cli.command {
        Command::Check(arguments) => check::run(arguments, &output),
        Command::Score(arguments) => score::run(arguments, &output),
        Command::Normalise(arguments) => normalise::run(arguments, &output),
        Command::Login(arguments) => access::login(arguments, &cli.shared, &output),
        Command::Logout(arguments) => access::logout(arguments, &cli.shared, &output),
        Command::Whoami => access::whoami(&cli.shared, &output),
        Command::Profiles => settings::list(&cli.shared, &output),
        Command::Run(arguments) => run::run(arguments, &cli.shared, &output),
        Command::Completions { shell } => manual::completions(*shell, &output),
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
    let is_asked = |option: &str| std::env::args_os().any(|word| word == option);
    let (json, events) = (is_asked("--json"), is_asked("--events"));
    if error.exit_code() == 0 {
        return match error.kind() {
            clap::error::ErrorKind::DisplayVersion if json => output::version().into(),
            _ if output::help(error).is_err() => Exit::ReaderGone.into(),
            _ => ExitCode::SUCCESS,
        };
    }
    let text = error.render().to_string();
    let has_key = matches!(unshown::without_keys(&text), Cow::Owned(_));
    if json || events {
        // What is wrong may be a list; behind the first empty line is how it should be.
        let lines = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.is_empty());
        let message = lines.collect::<Vec<_>>().join(" ");
        let mut failure = Failure::usage(message.strip_prefix("error: ").unwrap_or(&message));
        if has_key {
            failure = failure.hint(NO_ARGUMENT);
        }
        let failed = output::Failed::of(&failure);
        if json {
            output::document(&failed);
        }
        if events {
            failed.as_event();
        }
    } else if has_key {
        output::to_stderr(&format!("{}\nhint: {NO_ARGUMENT}", text.trim_end()));
    } else if output::help(error).is_err() {
        return Exit::ReaderGone.into();
    }
    Exit::Usage.into()
}

/// Why a key is refused where it would be seen.
const NO_ARGUMENT: &str = "a key is no argument, others would see it: --key-file FILE reads one, \
                           and without it one is typed unseen";

/// The file of the project is wrong: told as every failure is, but what the command line
/// asks of output is not known yet.
fn wrong_project(failure: &Failure) -> ExitCode {
    let is_asked = |option: &str| std::env::args_os().any(|word| word == option);
    let failed = output::Failed::of(failure);
    if is_asked("--json") {
        output::document(&failed);
    }
    if is_asked("--events") {
        failed.as_event();
    } else if !is_asked("--json") {
        output::to_stderr(&format!("error: {}", failure.message));
    }
    failure.exit.into()
}

/// A panic is a bug of ours: one sentence and a file with the trace, exit 70.
fn panics_are_told() {
    std::panic::set_hook(Box::new(|panic| {
        if stt_eval_formats::is_reading_parquet() {
            return;
        }
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
