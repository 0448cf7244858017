//! Commands that ask a deployment for something and show it, and those that change one
//! thing.

mod admin;
mod diff;
mod download;
mod export;
mod groups;
mod lists;
mod made_here;
mod report;
mod results;
mod runs;

pub use export::{Saved, can_be_saved, saved};
pub use lists::name;
pub use report::{Modelled, figures, models, pairs_text, references, remarks};
pub use runs::{find, goes_on, progress, waits};

use serde::Serialize;
use stt_eval_wire::runs::Run;

use crate::arguments::{Command, Shared};
use crate::deployment::{Deployment, wait_for};
use crate::failure::{Exit, Failure};
use crate::output::{ErrorOf, Output, SCHEMA};
use crate::profiles;

/// A document with one thing, or several of a kind.
#[derive(Debug, Serialize)]
pub struct Document<T: Serialize> {
    schema: u32,
    ok: bool,
    #[serde(flatten)]
    content: T,
    error: Option<ErrorOf>,
}

impl<T: Serialize> Document<T> {
    /// All went well.
    pub fn of(content: T) -> Self {
        Self {
            schema: SCHEMA,
            ok: true,
            content,
            error: None,
        }
    }
}

/// A run in documents that are of it.
#[derive(Debug, Serialize)]
struct RunOf {
    id: String,
    name: String,
}

impl RunOf {
    fn of(run: &Run) -> Self {
        Self {
            id: run.id.to_string(),
            name: run.run_name.clone(),
        }
    }
}

/// The deployment that is asked for.
///
/// # Errors
/// None is configured, or there is no key for it.
pub fn deployment(shared: &Shared) -> Result<Deployment, Failure> {
    let target = profiles::target(shared.profile.as_deref())?;
    Deployment::new(target, shared.patience())
}

/// Runs one of these commands.
pub fn run(command: &Command, shared: &Shared, output: &Output) -> Result<Exit, Failure> {
    let to = &deployment(shared)?;
    wait_for(async {
        match command {
            Command::Models => lists::models(to, output).await,
            Command::Languages => lists::languages(to, output).await,
            Command::Datasets(list) => lists::datasets(to, list, output).await,
            Command::Files(list) => lists::files(to, list, output).await,
            Command::Runs(arguments) => runs::list(to, arguments, output).await,
            Command::Status(of) => runs::status(to, of, output).await,
            Command::Cancel(of) => runs::cancel(to, of, output).await,
            Command::Retry(arguments) => runs::retry(to, arguments, output).await,
            Command::Rescore(arguments) => runs::rescore(to, arguments, output).await,
            Command::Results(arguments) => results::show(to, arguments, output).await,
            Command::Report(arguments) => report::show(to, arguments, output).await,
            Command::Export(arguments) => export::save(to, arguments, output).await,
            Command::Diff(arguments) => diff::show(to, arguments, output).await,
            Command::Keys(command) => admin::keys(to, command, output).await,
            Command::Credentials(command) => admin::credentials(to, command, output).await,
            // The others need no deployment, or make their own.
            _ => Err(Failure::usage("there is no such command")),
        }
    })
}
