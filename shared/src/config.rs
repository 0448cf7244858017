//! Everything read from the environment, in one place.
//!
//! Each value has one name, and its absence or misspelling one clear line at
//! start. The embedded cloud hands over the same names from a map, so nothing
//! ever sets a variable of the process.

mod env;
mod error;
mod vendors;

use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::unit::{Policy, is_deployment_id};
use crate::providers::Vendor;
use crate::providers::price::ExchangeRates;
use crate::store::Tables;
use env::Reader;
pub use error::ConfigError;
pub use vendors::{ProviderUrl, ROLE_PROVIDERS, VendorBounds, VendorLimits, Vendors, named_urls};

/// Where data keys for provider credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// AWS KMS, by ARN or id.
    Kms(String),
    /// A file of this machine.
    File(std::path::PathBuf),
}

/// Time bounds outside of the units' policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    /// An accepted run whose message brought nothing for this long gets it
    /// again.
    pub outbox: Duration,
    /// An upload is looked for in the bucket this long after it was announced,
    /// should its event never come.
    pub missed_upload: Duration,
    /// How long after its URL expired an upload is given up.
    pub upload_margin: Duration,
    /// An unsealed dataset older than this is swept away.
    pub unsealed: Duration,
    /// How far an index may be behind its table: a dataset that was deleted is
    /// not cleared before all of its runs are seen.
    pub index_lag: Duration,
    /// How long after one of a burst of changes the count of files is folded, where
    /// nobody lists them meanwhile.
    pub count_fold: Duration,
    /// Pause between two looks for unrecorded batches.
    pub audit: Duration,
    /// How long a credential is watched for such batches after its last submission.
    pub watch: Duration,
    /// How long a poll or deletion may hold its task.
    pub task_lease: Duration,
    /// How long one file may be on its way to a provider before another
    /// submission sends it too.
    pub staging_lease: Duration,
    /// How long results are read for within one request, for a report and what is made
    /// like one: what is left is for the next request.
    pub report: Duration,
    /// How long a vendor that answers each item in its call may take for one, at most; a
    /// short clip gets less. It leaves a worker, which lives for 300 s, time for the rest.
    pub call_timeout: Duration,
}

/// Longest time-out of a call.
const LONGEST_CALL: Duration = Duration::from_secs(225);

impl Default for Bounds {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Self {
            outbox: Duration::from_secs(30),
            missed_upload: minutes(2),
            upload_margin: minutes(5),
            unsealed: minutes(30),
            index_lag: Duration::from_secs(10),
            count_fold: Duration::from_secs(30),
            audit: minutes(60),
            watch: minutes(24 * 60),
            task_lease: minutes(5),
            staging_lease: minutes(5),
            report: Duration::from_secs(15),
            call_timeout: LONGEST_CALL,
        }
    }
}

/// Configuration of a function.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name of the deployment for people (`dev`, `prod`). Batches of release
    /// 0.1.0 are called by it.
    pub stage: String,
    /// Id of the deployment: names at providers begin with it, and what bears
    /// another is never touched there.
    pub deployment: String,
    /// Name of the stack: what tells its metrics from those of other stacks of
    /// the same stage. The stage's, where there are no stacks.
    pub stack: String,
    /// Bucket of audio and raw outputs.
    pub bucket: String,
    /// Whether the bucket keeps versions.
    pub bucket_versioned: bool,
    /// Names of the tables.
    pub tables: Tables,
    /// URL of the queue of submissions.
    pub submit_queue: String,
    /// URL of the queue of upload events, for the function that they are delivered to.
    pub events_queue: Option<String>,
    /// What seals provider credentials; `None` in a function that meets none.
    pub keys: Option<KeySource>,
    /// Vendors' addresses, and what replaces their own limits and times.
    pub vendors: Vendors,
    /// Whether models of a project's own may be on this machine: on the embedded cloud
    /// only.
    pub own_models_on_loopback: bool,
    /// What prices in other currencies are told in US dollars at.
    pub rates: ExchangeRates,
    /// Whether WAV is sent as FLAC to vendors that take it, the same samples in about half
    /// the bytes, by runs that do not say.
    pub lossless_flac: bool,
    /// Time bounds of units, as far as they are no vendor's.
    pub policy: Policy,
    /// Other time bounds.
    pub bounds: Bounds,
}

impl Config {
    /// Where a vendor is, if not where its own documents say.
    #[must_use]
    pub fn provider_url(&self, vendor: &str) -> Option<&ProviderUrl> {
        self.vendors.urls.get(vendor)
    }

    /// The policy for a vendor's units.
    #[must_use]
    pub fn policy_of(&self, vendor: &Vendor) -> Policy {
        self.vendors.policy(vendor, &self.policy)
    }

    /// Reads the variables of this process.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// The same, of a function that seals or opens provider credentials: without
    /// a key it would fail at the first of them, hours after its start.
    pub fn with_keys(self) -> Result<Self, ConfigError> {
        if self.keys.is_none() {
            return Err(ConfigError {
                variable: "KMS_KEY_ID".to_owned(),
                problem: "is not set, and neither is KEY_FILE".to_owned(),
            });
        }
        Ok(self)
    }

    /// Reads variables from anywhere.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let env = Reader(get);
        let keys = match (env.optional("KMS_KEY_ID"), env.optional("KEY_FILE")) {
            (Some(key), _) => Some(KeySource::Kms(key)),
            (None, Some(path)) => Some(KeySource::File(path.into())),
            (None, None) => None,
        };
        let loopback = env.parsed("OWN_MODELS_ON_LOOPBACK", "true or false")?;
        let own_models_on_loopback = loopback.unwrap_or(false);
        if own_models_on_loopback && matches!(keys, Some(KeySource::Kms(_))) {
            return Err(ConfigError {
                variable: "OWN_MODELS_ON_LOOPBACK".to_owned(),
                problem: "is for the embedded cloud, and not for AWS".to_owned(),
            });
        }
        let mut policy = Policy::default();
        for (variable, target) in [
            ("CALL_LEASE_SECONDS", &mut policy.call_lease),
            ("COLLECT_LEASE_SECONDS", &mut policy.collect_lease),
            ("UNIT_RESEND_SECONDS", &mut policy.resend_after),
            ("UNIT_BACKSTOP_SECONDS", &mut policy.backstop),
            ("BATCH_DOUBT_SECONDS", &mut policy.doubt),
            ("REFUSAL_PAUSE_SECONDS", &mut policy.refusal_pause),
            ("REFUSAL_WINDOW_SECONDS", &mut policy.refusal_window),
            ("QUEUE_WINDOW_SECONDS", &mut policy.queue_window),
            ("PERSON_WINDOW_SECONDS", &mut policy.person_window),
        ] {
            env.seconds(variable, target)?;
        }
        if let Some(resubmit) = env.parsed("RESUBMIT_BATCHES", "true or false")? {
            policy.resubmit = resubmit;
        }
        if let Some(most) = env.parsed("MAX_AUDIO_FAILURES", "a whole number")? {
            policy.max_audio_failures = most;
        }
        let mut bounds = Bounds::default();
        for (variable, target) in [
            ("OUTBOX_SECONDS", &mut bounds.outbox),
            ("MISSED_UPLOAD_SECONDS", &mut bounds.missed_upload),
            ("UPLOAD_MARGIN_SECONDS", &mut bounds.upload_margin),
            ("UNSEALED_SECONDS", &mut bounds.unsealed),
            ("INDEX_LAG_SECONDS", &mut bounds.index_lag),
            ("COUNT_FOLD_SECONDS", &mut bounds.count_fold),
            ("AUDIT_SECONDS", &mut bounds.audit),
            ("WATCH_SECONDS", &mut bounds.watch),
            ("TASK_LEASE_SECONDS", &mut bounds.task_lease),
            ("STAGING_LEASE_SECONDS", &mut bounds.staging_lease),
            ("REPORT_SECONDS", &mut bounds.report),
            ("CALL_TIMEOUT_SECONDS", &mut bounds.call_timeout),
        ] {
            env.seconds(variable, target)?;
        }
        // With none each call is given up as it leaves; with more no worker has the time for one.
        if bounds.call_timeout.is_zero() || bounds.call_timeout > LONGEST_CALL {
            return Err(ConfigError {
                variable: "CALL_TIMEOUT_SECONDS".to_owned(),
                problem: format!(
                    "must be a number of seconds above 0, {} at most",
                    LONGEST_CALL.as_secs()
                ),
            });
        }
        let mut vendors = Vendors {
            urls: vendors::urls(&env, env.optional("GEMINI_BASE_URL"))?,
            each: vendors::limits(env.optional("PROVIDER_LIMITS"))?,
            by_role: vendors::names(env.optional("ROLE_PROVIDERS")),
            ..Vendors::default()
        };
        let every = &mut vendors.every;
        for (variable, target) in [
            ("SUBMISSION_GRACE_SECONDS", &mut every.grace),
            ("BATCH_DEADLINE_SECONDS", &mut every.deadline),
            ("BATCH_SETTLE_SECONDS", &mut every.settle),
            ("QUOTA_HOLD_SECONDS", &mut every.quota_hold),
            ("ADMISSION_PAUSE_SECONDS", &mut vendors.admission_pause),
        ] {
            env.seconds_if_set(variable, target)?;
        }
        every.open_units = env.parsed("MAX_OPEN_BATCHES", "a whole number")?;
        every.stored_bytes = env.parsed("MAX_STORED_BYTES", "a whole number")?;
        every.queued_tokens = env.parsed("MAX_QUEUED_TOKENS", "a whole number")?;
        every.unit_samples = env.parsed("MAX_UNIT_SAMPLES", "a whole number")?;
        // What is of a run, whose vendors may differ, goes by what holds for all.
        policy.grace = every.grace.unwrap_or(policy.grace);
        policy.deadline = every.deadline.unwrap_or(policy.deadline);
        policy.settle = every.settle.unwrap_or(policy.settle);
        if let Some(list) = env.optional("POLL_PAUSES_SECONDS") {
            let pauses: Option<Vec<Duration>> = list
                .split(',')
                .map(|part| {
                    part.trim()
                        .parse()
                        .ok()
                        .and_then(|s| Duration::try_from_secs_f64(s).ok())
                })
                .collect();
            let pauses = pauses.filter(|p| !p.is_empty());
            every.poll_pauses = Some(pauses.ok_or_else(|| ConfigError {
                variable: "POLL_PAUSES_SECONDS".into(),
                problem: "must be numbers of seconds, separated by commas".into(),
            })?);
        }
        let since: Option<i64> = env.parsed("WORKERS_SINCE_MS", "milliseconds since 1970")?;
        policy.workers_since = since.map(Timestamp::from_millis);
        let stage = env.required("STAGE")?;
        let deployment = env.required("DEPLOYMENT_ID")?;
        if !is_deployment_id(&deployment) {
            return Err(ConfigError {
                variable: "DEPLOYMENT_ID".into(),
                problem: "must be 1 to 64 letters, digits and hyphens".into(),
            });
        }
        Ok(Self {
            stack: env.optional("STACK_NAME").unwrap_or_else(|| stage.clone()),
            stage,
            deployment,
            bucket: env.required("BUCKET")?,
            bucket_versioned: env
                .parsed("BUCKET_VERSIONED", "true or false")?
                .unwrap_or(false),
            tables: Tables {
                files: env.required("TABLE_FILES")?,
                datasets: env.required("TABLE_DATASETS")?,
                samples: env.required("TABLE_SAMPLES")?,
                runs: env.required("TABLE_RUNS")?,
                units: env.required("TABLE_UNITS")?,
                results: env.required("TABLE_RESULTS")?,
                access: env.required("TABLE_ACCESS")?,
            },
            submit_queue: env.required("SUBMIT_QUEUE_URL")?,
            events_queue: env.optional("EVENTS_QUEUE_URL"),
            keys,
            vendors,
            own_models_on_loopback,
            rates: rates(env.parsed("RUPEE_IN_USD", RATE)?)?,
            lossless_flac: env
                .parsed("LOSSLESS_FLAC", "true or false")?
                .unwrap_or(false),
            policy,
            bounds,
        })
    }
}

const RATE: &str = "US dollars for one rupee, above 0 and below 1";

/// The rates that the operator sets, as far as they can be.
fn rates(rupee_in_usd: Option<f64>) -> Result<ExchangeRates, ConfigError> {
    match rupee_in_usd {
        None => Ok(ExchangeRates::ASSUMED),
        Some(rupee_in_usd) if rupee_in_usd > 0.0 && rupee_in_usd < 1.0 => {
            Ok(ExchangeRates { rupee_in_usd })
        }
        Some(_) => Err(ConfigError {
            variable: "RUPEE_IN_USD".to_owned(),
            problem: format!("must be {RATE}"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn complete() -> HashMap<String, String> {
        let names = [
            "FILES", "DATASETS", "SAMPLES", "RUNS", "UNITS", "RESULTS", "ACCESS",
        ];
        let mut env: HashMap<String, String> = names
            .iter()
            .map(|n| (format!("TABLE_{n}"), n.to_lowercase()))
            .collect();
        for (name, value) in [
            ("STAGE", "dev"),
            ("DEPLOYMENT_ID", "d-1"),
            ("BUCKET", "b"),
            ("SUBMIT_QUEUE_URL", "q"),
        ] {
            env.insert(name.into(), value.into());
        }
        env
    }

    #[test]
    fn a_stack_without_a_name_is_called_like_its_stage() {
        let mut env = complete();
        let stack = |env: &HashMap<String, String>| {
            Config::read(|name| env.get(name).cloned()).unwrap().stack
        };
        assert_eq!(stack(&env), "dev");
        env.insert("STACK_NAME".into(), "stt-eval-dev-2".into());
        assert_eq!(stack(&env), "stt-eval-dev-2");
    }

    #[test]
    fn vendors_are_where_the_variables_say() {
        let mut env = complete();
        let read = |env: &HashMap<String, String>, vendor: &str| {
            let config = Config::read(|name| env.get(name).cloned()).unwrap();
            let url = config.provider_url(vendor)?;
            Some((url.url.clone(), url.variable.clone()))
        };
        let said = |url: &str, variable: &str| Some((url.to_owned(), variable.to_owned()));
        assert_eq!(read(&env, "google"), None);
        env.insert("GEMINI_BASE_URL".into(), "http://old".into());
        assert_eq!(read(&env, "google"), said("http://old", "GEMINI_BASE_URL"));
        let several = "google=http://new, another=http://h/x=y";
        env.insert("PROVIDER_URLS".into(), several.into());
        assert_eq!(read(&env, "google"), said("http://old", "GEMINI_BASE_URL"));
        env.remove("GEMINI_BASE_URL");
        assert_eq!(read(&env, "google"), said("http://new", "PROVIDER_URLS"));
        assert_eq!(read(&env, "another"), said("http://h/x=y", "PROVIDER_URLS"));
    }

    #[test]
    fn what_needs_a_key_is_told_the_variable_that_names_it() {
        let mut env = complete();
        let read = |env: &HashMap<String, String>| {
            Config::read(|name| env.get(name).cloned()).and_then(Config::with_keys)
        };
        assert_eq!(
            read(&env).unwrap_err().to_string(),
            "environment variable KMS_KEY_ID: is not set, and neither is KEY_FILE"
        );
        env.insert("KEY_FILE".into(), "vault.key".into());
        assert!(read(&env).is_ok());
    }

    #[test]
    fn this_machine_is_never_asked_for_models_in_aws() {
        let mut env = complete();
        let read = |env: &HashMap<String, String>| Config::read(|name| env.get(name).cloned());
        assert!(!read(&env).unwrap().own_models_on_loopback);
        env.insert("OWN_MODELS_ON_LOOPBACK".into(), "true".into());
        assert!(read(&env).unwrap().own_models_on_loopback);
        env.insert("KMS_KEY_ID".into(), "k".into());
        let refused = read(&env).unwrap_err();
        assert_eq!(refused.variable, "OWN_MODELS_ON_LOOPBACK");
    }

    #[test]
    fn a_missing_or_odd_variable_is_named() {
        let env = complete();
        assert!(Config::read(|name| env.get(name).cloned()).is_ok());
        for name in env.keys() {
            let error = Config::read(|n| env.get(n).filter(|_| n != name).cloned()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("environment variable {name}: is not set")
            );
        }
        for (name, value) in [
            ("SUBMISSION_GRACE_SECONDS", "-1"),
            ("POLL_PAUSES_SECONDS", "1,x"),
            ("MAX_AUDIO_FAILURES", "many"),
            ("DEPLOYMENT_ID", "dev/eu"),
            ("PROVIDER_URLS", "http://h"),
            ("PROVIDER_LIMITS", "many"),
            ("LOSSLESS_FLAC", "yes"),
            ("RUPEE_IN_USD", "0"),
            ("RUPEE_IN_USD", "87.5"),
            ("RUPEE_IN_USD", "NaN"),
            ("CALL_TIMEOUT_SECONDS", "0"),
            ("CALL_TIMEOUT_SECONDS", "226"),
        ] {
            let mut odd = env.clone();
            odd.insert(name.into(), value.into());
            assert_eq!(
                Config::read(|n| odd.get(n).cloned()).unwrap_err().variable,
                name
            );
        }
    }
}
