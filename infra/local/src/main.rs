//! The command people type.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use secrecy::SecretString;
use stt_eval_local::cloud::{LOG_DIRECTIVES, Ports};
use stt_eval_local::demo;
use stt_eval_local::error::NodeError;
use stt_eval_local::node::{Node, schema};
use stt_eval_local::options::{NodeOptions, Providers};
use stt_eval_local::recogniser::{POCKETSPHINX, Recogniser, of_file, pocketsphinx};
use stt_eval_local::replay;
use stt_eval_shared::domain::ProjectId;
use stt_eval_shared::providers::CLIENTS;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// stt-eval on one machine, without an AWS account.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until it is told to stop (SIGTERM or Ctrl-C). Prints one JSON
    /// line on standard output when it is ready; logs go to standard error.
    Serve {
        #[command(flatten)]
        machine: Machine,
        /// Where the api listens; port 0 picks a free one. With an address that others reach,
        /// such as `0.0.0.0:8080`, recordings are sent and played there as well.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
        /// Where everything is kept; a restart goes on from there.
        #[arg(long, required_unless_present = "transient")]
        data: Option<PathBuf>,
        /// For a program that starts this one: keeps everything in a directory that goes at
        /// the end, and also stops when standard input ends, whatever became of that program.
        #[arg(long, conflicts_with = "data")]
        transient: bool,
        /// Serves the cloud and the simulator only: the functions run elsewhere.
        #[arg(long)]
        without_functions: bool,
        /// Opens the pages in the browser, signed in to the first project. Prints the
        /// link as well: it is good once, for a minute, on this machine.
        #[arg(long, conflicts_with = "without_functions")]
        open: bool,
        /// Writes what was asked of the cloud to this file at the end, as JSON,
        /// with DynamoDB's capacity units.
        #[arg(long, value_name = "FILE")]
        counts: Option<PathBuf>,
    },
    /// Shows the whole flow on the bundled clips.
    Demo {
        #[command(flatten)]
        machine: Machine,
        /// Where everything is kept; by default a directory that goes at the end.
        #[arg(long)]
        data: Option<PathBuf>,
        /// Leaves out the recogniser of this machine, which needs its time.
        #[arg(long)]
        recordings_only: bool,
    },
    /// Parses and scores units again from the raw output that was landed, and
    /// puts the run's counts right; prints one JSON line for each part. Nothing
    /// else may be running on the data.
    Replay {
        /// Where everything is kept.
        #[arg(long)]
        data: PathBuf,
        /// The project.
        #[arg(long)]
        project: ProjectId,
        /// The run, `run_…`.
        #[arg(long)]
        run: String,
        /// One unit, e.g. `p00-r01-c0000`; without it all of the run.
        #[arg(long)]
        unit: Option<String>,
    },
    /// Prints the tables as JSON.
    Schema,
    /// Prints the OpenAPI document of the api.
    Openapi,
}

#[derive(clap::Args)]
struct Machine {
    /// Which Gemini is asked: `sim`, or a URL, behind which may be the real one: so it is
    /// waited for as long as for that. By default the real one when `GEMINI_API_KEY` is set,
    /// else the simulator.
    #[arg(long, value_name = "sim|URL", value_parser = parse_gemini)]
    gemini: Option<String>,
    /// A project to make; may be given several times.
    #[arg(long = "project", value_name = "NAME", default_value = "demo")]
    projects: Vec<ProjectId>,
    /// Pause between polls and sweeps, e.g. `1s` or `250ms`.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_interval)]
    poll_interval: Duration,
    /// How long a simulated batch takes.
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = parse_interval)]
    batch_delay: Duration,
    /// Key of the real Gemini.
    #[arg(env = "GEMINI_API_KEY", hide = true, long, hide_env_values = true)]
    gemini_api_key: Option<SecretText>,
    /// Port of the S3 endpoint; 0 picks a free one.
    #[arg(long, default_value_t = 0)]
    s3_port: u16,
    /// Port of the DynamoDB endpoint; 0 picks a free one.
    #[arg(long, default_value_t = 0)]
    dynamodb_port: u16,
    /// Port of the SQS endpoint; 0 picks a free one.
    #[arg(long, default_value_t = 0)]
    sqs_port: u16,
    /// Address of another implementation of DynamoDB, S3 and SQS, to be used in
    /// place of the embedded one, e.g. of an emulator. The ports then mean nothing.
    #[arg(long, value_name = "URL")]
    aws: Option<String>,
    /// A program of this machine that recognises speech, as the model `local/NAME`:
    /// `NAME='PROGRAM … {input} … {language}'`, `NAME='@whisper-cli MODEL'`,
    /// `NAME='@faster-whisper MODEL'`, or `pocketsphinx`. May be given several times. The
    /// program gets a file of audio, PATH and a locale; it prints UTF-8 text, or JSON with
    /// `text`, of 1 MiB at most, and ends with 0 within `COMMAND_TIMEOUT_SECONDS` (200).
    #[arg(long = "recogniser", value_name = "NAME=COMMAND")]
    recognisers: Vec<Recogniser>,
    /// A file of further ones: one a line, as for `--recogniser`; `#` begins a comment.
    #[arg(long, value_name = "FILE")]
    recognisers_from: Option<PathBuf>,
    /// Lets models of projects' own (`POST /models`) be servers on this machine, such as
    /// `http://127.0.0.1:8000/v1`.
    #[arg(long)]
    own_models_on_loopback: bool,
    /// Has stand-ins answer in place of all vendors beside Gemini; in place of Amazon
    /// Transcribe, which is asked by role, with `--set ROLE_PROVIDERS=aws` as well.
    #[arg(long)]
    simulate_others: bool,
    /// Replaces a variable of the functions, e.g. `SUBMISSION_GRACE_SECONDS=1`.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parse_setting)]
    settings: Vec<(String, String)>,
}

#[derive(Clone)]
struct SecretText(SecretString);

impl std::str::FromStr for SecretText {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned().into()))
    }
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    let (number, scale) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    let seconds: f64 = number
        .parse()
        .map_err(|_| "expected a time such as 1s or 250ms")?;
    Duration::try_from_secs_f64(seconds * scale)
        .ok()
        .filter(|time| *time >= Duration::from_millis(10))
        .ok_or_else(|| "expected a time of at least 10ms".to_owned())
}

fn parse_gemini(text: &str) -> Result<String, String> {
    let is_url = ["http://", "https://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    match text == "sim" || is_url {
        true => Ok(text.to_owned()),
        false => Err("expected sim, or a URL such as https://host".to_owned()),
    }
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Machine {
    fn options(self, listen: SocketAddr, data: PathBuf) -> Result<NodeOptions, NodeError> {
        let recognisers = self.recognisers()?;
        let key = self.gemini_api_key.map(|key| key.0);
        let providers = match self.gemini.as_deref() {
            Some("sim") => Providers::Simulated,
            Some(url) => Providers::At(url.to_owned()),
            None if key.is_some() => Providers::Real,
            None => Providers::Simulated,
        };
        let options = NodeOptions {
            listen,
            data,
            vendors: CLIENTS.to_vec(),
            providers,
            simulate_others: self.simulate_others,
            elsewhere: BTreeMap::new(),
            own_models_on_loopback: self.own_models_on_loopback,
            recognisers,
            provider_keys: BTreeMap::new(),
            projects: self.projects,
            poll_interval: self.poll_interval,
            batch_delay: self.batch_delay,
            ports: Ports {
                dynamodb: self.dynamodb_port,
                s3: self.s3_port,
                sqs: self.sqs_port,
            },
            overrides: self.settings.into_iter().collect(),
            aws: self.aws,
            functions: true,
            metered: false,
        };
        let mut options = options.with_addresses_read()?;
        // The simulator has no use for a real key.
        let key = key.filter(|_| options.providers != Providers::Simulated);
        let of_google = key.map(|key| ("google".to_owned(), key));
        options.provider_keys.extend(of_google);
        Ok(options)
    }

    /// All recognisers that are named, no two of one name.
    fn recognisers(&self) -> Result<Vec<Recogniser>, NodeError> {
        let mut named = self.recognisers.clone();
        if let Some(file) = &self.recognisers_from {
            named.extend(of_file(file).map_err(NodeError)?);
        }
        let mut names: Vec<&str> = named.iter().map(|one| &*one.name).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(NodeError(format!("two recognisers are called {}", pair[0]))),
            None => Ok(named),
        }
    }
}

fn log(default: &str) -> Result<(), NodeError> {
    let directives = std::env::var("RUST_LOG").unwrap_or_else(|_| default.to_owned());
    let filter: Targets = format!("{directives},{LOG_DIRECTIVES}")
        .parse()
        .map_err(|e| NodeError(format!("RUST_LOG: {e}; expected e.g. info,poll=debug")))?;
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .with(filter)
        .init();
    Ok(())
}

/// Opens a link in the browser of whoever is here, and tells it in case there is none.
fn show(link: &str) {
    eprintln!(
        "Open this in a browser on this machine, within a minute; it signs in once:\n\n  {link}\n"
    );
    if let Err(error) = open::that_detached(link) {
        tracing::info!(%error, "no browser was opened");
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stt-eval-local: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), NodeError> {
    match command {
        Command::Serve {
            machine,
            listen,
            data,
            transient,
            without_functions,
            open,
            counts,
        } => {
            log("info")?;
            let (data, _temporary) = kept_in(data)?;
            let mut options = machine.options(listen, data)?;
            options.functions = !without_functions;
            options.metered = counts.is_some();
            if open && !listen.ip().is_loopback() {
                return Err(NodeError(format!(
                    "--open is for a machine that listens on itself alone, and {listen} is not that"
                )));
            }
            let project = options.projects.first().cloned();
            let simulated = options.providers == Providers::Simulated;
            let node = Node::start(options).await?;
            if simulated {
                tracing::info!(
                    "Gemini is simulated: it knows the recordings of `demo` and what is told to its \
                     /_sim/recordings; of others it says input_unavailable. `stt-eval run --demo \
                     FOLDER` makes models that know yours"
                );
            }
            println!("{}", node.ready_line());
            if let Some(project) = project.filter(|_| open) {
                show(&node.link(&project)?);
            }
            if transient {
                tokio::select! {
                    signal = stopped() => signal?,
                    () = input_ends() => {}
                }
            } else {
                stopped().await?;
            }
            if let Some(file) = counts {
                std::fs::write(&file, node.counts().to_string())
                    .map_err(|e| NodeError(format!("{}: {e}", file.display())))?;
            }
            tokio::select! {
                ended = node.stop() => ended,
                // Asked once more: what is under way is left, and found again.
                signal = stopped() => signal,
            }
        }
        Command::Demo {
            machine,
            data,
            recordings_only,
        } => {
            log("error")?;
            let (data, _temporary) = kept_in(data)?;
            let mut options = machine.options(SocketAddr::from(([127, 0, 0, 1], 0)), data)?;
            let providers = options.providers.clone();
            let known = options
                .recognisers
                .iter()
                .any(|one| one.name == POCKETSPHINX);
            let listens = match pocketsphinx() {
                _ if recordings_only => Err("it was left out".to_owned()),
                Ok(recogniser) if !known => {
                    options.recognisers.push(recogniser);
                    Ok(())
                }
                other => other.map(drop),
            };
            let node = Node::start(options).await?;
            let shown = {
                let stage = demo::Stage {
                    url: &node.url,
                    api_keys: &node.api_keys,
                    cloud: &node.cloud,
                };
                demo::run(stage, &providers, listens).await
            };
            node.stop().await?;
            shown
        }
        Command::Replay {
            data,
            project,
            run,
            unit,
        } => {
            log("error")?;
            let show = |answer: &serde_json::Value| println!("{answer}");
            replay::run(data, project, &run, unit.as_deref(), show).await
        }
        Command::Schema => {
            println!("{}", schema());
            Ok(())
        }
        Command::Openapi => {
            let text = api::openapi()
                .to_pretty_json()
                .map_err(|e| NodeError(e.to_string()))?;
            println!("{text}");
            Ok(())
        }
    }
}

/// The directory that was named, or one that is there for as long as the second value.
fn kept_in(data: Option<PathBuf>) -> Result<(PathBuf, Option<tempfile::TempDir>), NodeError> {
    if let Some(data) = data {
        return Ok((data, None));
    }
    let temporary = tempfile::tempdir().map_err(|e| NodeError(e.to_string()))?;
    Ok((temporary.path().to_owned(), Some(temporary)))
}

/// Waits until standard input ends. A thread reads it, for a read of the runtime's would
/// keep the process from ending by a signal.
async fn input_ends() {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // An error is an end as well.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = tell.send(());
    });
    // It is told, or the thread is gone: both are the end.
    let _ = told.await;
}

/// Waits for SIGTERM or Ctrl-C.
async fn stopped() -> Result<(), NodeError> {
    let failed = |e: std::io::Error| NodeError(format!("signals: {e}"));
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(failed)?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(failed),
    }
}
