//! How a machine is started.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use stt_eval_shared::domain::ProjectId;
use stt_eval_shared::providers::{CLIENTS, Client};

use crate::cloud::Ports;
use crate::error::NodeError;
use crate::recogniser::Recogniser;

/// How long a recogniser may take for one item, unless it is set.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(200);
/// The variable that sets another, of at most as long as a call may take.
pub(crate) const COMMAND_TIMEOUT_SECONDS: &str = "COMMAND_TIMEOUT_SECONDS";
/// What a call leaves a program of its own time.
const LONGEST_COMMAND: f64 = 210.0;

/// What answers in place of the vendors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Providers {
    /// Stand-ins, in this process.
    Simulated,
    /// Whatever answers at these URLs, by vendor; of all others, they themselves.
    At(BTreeMap<String, String>),
    /// They themselves.
    Real,
}

/// How to start.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// Where the api listens. Port 0 picks a free one.
    pub listen: SocketAddr,
    /// Directory that everything is kept in.
    pub data: PathBuf,
    /// The vendors there are.
    pub vendors: Vec<&'static Client>,
    /// What answers in place of Gemini.
    pub providers: Providers,
    /// Whether stand-ins answer in place of all other vendors.
    pub simulate_others: bool,
    /// Whether models of projects' own may be servers on this machine.
    pub own_models_on_loopback: bool,
    /// Programs of this machine that recognise speech.
    pub recognisers: Vec<Recogniser>,
    /// Keys that new projects begin with, by vendor.
    pub provider_keys: BTreeMap<String, SecretString>,
    /// Projects to make, each with an admin key, unless they are there.
    pub projects: Vec<ProjectId>,
    /// Pause between polls and sweeps.
    pub poll_interval: Duration,
    /// How long a simulated batch takes.
    pub batch_delay: Duration,
    /// Ports of the endpoints.
    pub ports: Ports,
    /// Variables that replace those this machine sets by itself, by name as in
    /// [`stt_eval_shared::config`].
    pub overrides: HashMap<String, String>,
    /// Where DynamoDB, S3 and SQS are, if not in this process: the one address
    /// of another implementation of them.
    pub aws: Option<String>,
    /// Whether the functions run. Without them it is a cloud for functions that run
    /// elsewhere, and nothing is done by itself.
    pub functions: bool,
    /// Whether DynamoDB's capacity units are counted.
    pub metered: bool,
}

impl NodeOptions {
    /// Defaults over a data directory: free ports, the simulator, one project.
    #[must_use]
    pub fn new(data: PathBuf, project: ProjectId) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data,
            vendors: CLIENTS.to_vec(),
            providers: Providers::Simulated,
            simulate_others: true,
            own_models_on_loopback: false,
            recognisers: Vec::new(),
            provider_keys: BTreeMap::new(),
            projects: vec![project],
            poll_interval: Duration::from_secs(1),
            batch_delay: Duration::from_millis(500),
            ports: Ports::default(),
            overrides: HashMap::new(),
            aws: None,
            functions: true,
            metered: false,
        }
    }

    /// How long a recogniser may take for one item.
    pub(crate) fn command_timeout(&self) -> Result<Duration, NodeError> {
        const NAME: &str = COMMAND_TIMEOUT_SECONDS;
        let Some(text) = self.overrides.get(NAME) else {
            return Ok(COMMAND_TIMEOUT);
        };
        let seconds = text.parse().ok();
        let seconds = seconds.filter(|seconds| *seconds > 0.0 && *seconds <= LONGEST_COMMAND);
        let limit = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        limit.ok_or_else(|| {
            NodeError(format!(
                "{NAME}: must be a number of seconds above 0, {LONGEST_COMMAND} at most"
            ))
        })
    }
}
