//! How a machine is started.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use stt_eval_shared::config::named_urls;
use stt_eval_shared::domain::ProjectId;
use stt_eval_shared::providers::{CLIENTS, Client};

use crate::cloud::Ports;
use crate::credentials::SIMULATED;
use crate::error::NodeError;
use crate::recogniser::Recogniser;

/// How long a recogniser may take for one item, unless it is set.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(200);
/// The variable that sets another, of at most as long as a call may take.
pub(crate) const COMMAND_TIMEOUT_SECONDS: &str = "COMMAND_TIMEOUT_SECONDS";
/// What a call leaves a program of its own time.
const LONGEST_COMMAND: f64 = 210.0;

/// The variables that say where vendors are: one for all, and an older one for Gemini.
const PROVIDER_URLS: &str = "PROVIDER_URLS";
const GEMINI_BASE_URL: &str = "GEMINI_BASE_URL";

/// What answers in place of Gemini.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Providers {
    /// A stand-in, in this process.
    Simulated,
    /// Whatever answers at this URL.
    At(String),
    /// Gemini itself.
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
    /// Where other vendors are asked, by name, whatever would stand in for them.
    pub elsewhere: BTreeMap<String, String>,
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
            elsewhere: BTreeMap::new(),
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

    /// The same with the addresses of vendors that variables say: one that is set replaces
    /// that vendor's stand-in and no other, and what answers there may be the real one.
    ///
    /// # Errors
    /// What is wrong with a variable.
    pub fn with_addresses_read(mut self) -> Result<Self, NodeError> {
        let list = self.overrides.remove(PROVIDER_URLS).unwrap_or_default();
        let set = named_urls(&list).map_err(|error| NodeError(error.to_string()))?;
        let of_google = self.overrides.remove(GEMINI_BASE_URL);
        let of_google = of_google.map(|url| (SIMULATED.to_owned(), url));
        for (name, url) in set.into_iter().chain(of_google) {
            if name == SIMULATED {
                self.providers = Providers::At(url);
            } else if self.vendors.iter().any(|client| client.vendor.name == name) {
                self.elsewhere.insert(name, url);
            } else {
                return Err(NodeError(format!(
                    "{PROVIDER_URLS}: there is no provider {name}"
                )));
            }
        }
        Ok(self)
    }

    /// Whether money may be at stake: of what is not a stand-in in this process nothing is
    /// known, whatever its address.
    pub(crate) fn may_cost(&self) -> bool {
        self.providers != Providers::Simulated
            || !self.simulate_others
            || !self.elsewhere.is_empty()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn with(set: &[(&str, &str)]) -> Result<NodeOptions, NodeError> {
        let mut options = NodeOptions::new("data".into(), "demo".parse().unwrap());
        let set = set
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        options.overrides.extend(set);
        options.with_addresses_read()
    }

    #[test]
    fn what_may_be_real_is_taken_for_it() {
        assert!(!with(&[]).unwrap().may_cost());
        let mut real = with(&[]).unwrap();
        real.simulate_others = false;
        assert!(real.may_cost());
        for providers in [Providers::Real, Providers::At("http://127.0.0.1:1".into())] {
            let options = NodeOptions {
                providers,
                ..with(&[]).unwrap()
            };
            assert!(options.may_cost());
        }
    }

    /// Also beside stand-ins: a variable once took the place of all of them at once, and
    /// left the short bounds that only they may have.
    #[test]
    fn an_address_that_is_set_is_that_of_one_vendor_and_may_be_real() {
        let google = with(&[(PROVIDER_URLS, "google=https://h")]).unwrap();
        assert_eq!(google.providers, Providers::At("https://h".into()));
        assert!(google.may_cost() && google.elsewhere.is_empty());
        let old = with(&[
            (GEMINI_BASE_URL, "https://old"),
            (PROVIDER_URLS, "google=https://h"),
        ]);
        assert_eq!(old.unwrap().providers, Providers::At("https://old".into()));
        let other = with(&[(PROVIDER_URLS, "openai=http://127.0.0.1:7/v1")]).unwrap();
        assert_eq!(other.providers, Providers::Simulated);
        assert_eq!(other.elsewhere["openai"], "http://127.0.0.1:7/v1");
        assert!(other.may_cost() && other.overrides.is_empty());
        for odd in ["https://h", "opneai=https://h"] {
            let error = with(&[(PROVIDER_URLS, odd)]).unwrap_err().to_string();
            assert!(error.contains(PROVIDER_URLS), "{odd}: {error}");
        }
    }
}
