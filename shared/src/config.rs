//! Everything read from the environment, in one place.
//!
//! Each value has one name, and its absence or misspelling one clear line at
//! start. The embedded cloud hands over the same names from a map, so nothing
//! ever sets a variable of the process.

use std::fmt;
use std::time::Duration;

use crate::domain::room::Limits;
use crate::domain::unit::{MAX_UNIT_SAMPLES, Policy};
use crate::store::Tables;

/// Where data keys for provider credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// AWS KMS, by ARN or id.
    Kms(String),
    /// A file of this machine.
    File(std::path::PathBuf),
}

/// What one credential may have at its provider at a time. Google's limits for
/// the first paid tier, with a margin for what others do with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Batches that have not ended.
    pub open_batches: usize,
    /// Bytes of audio.
    pub stored_bytes: u64,
    /// Seconds of audio waiting for one model (32 tokens a second).
    pub audio_seconds: u64,
    /// Pause before a unit that found no room asks again.
    pub pause: Duration,
    /// Samples in a batch.
    pub unit_samples: usize,
}

impl Admission {
    /// What the provider allows.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            open_batches: self.open_batches,
            stored_bytes: self.stored_bytes,
            audio_seconds: self.audio_seconds,
        }
    }
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            open_batches: 90,
            stored_bytes: 18_000_000_000,
            audio_seconds: 90_000,
            pause: Duration::from_secs(60),
            unit_samples: MAX_UNIT_SAMPLES,
        }
    }
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
    /// Pauses between polls of a credential, growing while nothing changes.
    pub poll_pauses: Vec<Duration>,
    /// Pause between two looks for batches that nobody recorded.
    pub audit: Duration,
    /// How long a credential is watched for them after its last submission.
    pub watch: Duration,
    /// How long a poll or deletion may hold its task.
    pub task_lease: Duration,
    /// How long one file may be on its way to a provider before another
    /// submission sends it too.
    pub staging_lease: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Self {
            outbox: Duration::from_secs(30),
            missed_upload: minutes(2),
            upload_margin: minutes(5),
            unsealed: minutes(30),
            index_lag: Duration::from_secs(10),
            poll_pauses: vec![minutes(1), minutes(2), minutes(5), minutes(10)],
            audit: minutes(60),
            watch: minutes(24 * 60),
            task_lease: minutes(5),
            staging_lease: minutes(5),
        }
    }
}

/// Configuration of a function.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name of the deployment (`dev`, `prod`): part of names at providers.
    pub stage: String,
    /// Name of the stack: what tells its metrics from those of other stacks of
    /// the same stage. The stage's, where there are no stacks.
    pub stack: String,
    /// Bucket of audio and raw outputs.
    pub bucket: String,
    /// Whether the bucket keeps versions.
    pub bucket_versioned: bool,
    /// Tables.
    pub tables: Tables,
    /// Submission queue.
    pub submit_queue: String,
    /// Key service.
    pub keys: Option<KeySource>,
    /// Base URL of Gemini.
    pub gemini_url: Option<String>,
    /// Time bounds of units.
    pub policy: Policy,
    /// Other time bounds.
    pub bounds: Bounds,
    /// What a credential may have at its provider.
    pub admission: Admission,
}

/// A variable is missing or can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Its name.
    pub variable: String,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "environment variable {}: {}",
            self.variable, self.problem
        )
    }
}

impl std::error::Error for ConfigError {}

struct Reader<F>(F);

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn optional(&self, variable: &str) -> Option<String> {
        (self.0)(variable).filter(|value| !value.is_empty())
    }

    fn required(&self, variable: &str) -> Result<String, ConfigError> {
        self.optional(variable).ok_or_else(|| ConfigError {
            variable: variable.to_owned(),
            problem: "is not set".to_owned(),
        })
    }

    fn parsed<T: std::str::FromStr>(
        &self,
        variable: &str,
        wanted: &str,
    ) -> Result<Option<T>, ConfigError> {
        self.optional(variable)
            .map(|value| {
                value.parse().map_err(|_| ConfigError {
                    variable: variable.to_owned(),
                    problem: format!("must be {wanted}"),
                })
            })
            .transpose()
    }

    fn seconds(&self, variable: &str, target: &mut Duration) -> Result<(), ConfigError> {
        let value: Option<f64> = self.parsed(variable, "a number of seconds")?;
        match value {
            None => Ok(()),
            Some(seconds) => {
                *target = Duration::try_from_secs_f64(seconds).map_err(|_| ConfigError {
                    variable: variable.to_owned(),
                    problem: "must be a number of seconds, 0 or more".to_owned(),
                })?;
                Ok(())
            }
        }
    }
}

impl Config {
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
        let mut policy = Policy::default();
        for (variable, target) in [
            ("SUBMISSION_GRACE_SECONDS", &mut policy.grace),
            ("COLLECT_LEASE_SECONDS", &mut policy.collect_lease),
            ("UNIT_RESEND_SECONDS", &mut policy.resend_after),
            ("UNIT_BACKSTOP_SECONDS", &mut policy.backstop),
            ("BATCH_DEADLINE_SECONDS", &mut policy.deadline),
            ("BATCH_SETTLE_SECONDS", &mut policy.settle),
            ("REFUSAL_PAUSE_SECONDS", &mut policy.refusal_pause),
        ] {
            env.seconds(variable, target)?;
        }
        if let Some(most) = env.parsed("MAX_REFUSALS", "a whole number")? {
            policy.max_refusals = most;
        }
        let mut bounds = Bounds::default();
        for (variable, target) in [
            ("OUTBOX_SECONDS", &mut bounds.outbox),
            ("MISSED_UPLOAD_SECONDS", &mut bounds.missed_upload),
            ("UPLOAD_MARGIN_SECONDS", &mut bounds.upload_margin),
            ("UNSEALED_SECONDS", &mut bounds.unsealed),
            ("INDEX_LAG_SECONDS", &mut bounds.index_lag),
            ("AUDIT_SECONDS", &mut bounds.audit),
            ("WATCH_SECONDS", &mut bounds.watch),
            ("TASK_LEASE_SECONDS", &mut bounds.task_lease),
            ("STAGING_LEASE_SECONDS", &mut bounds.staging_lease),
        ] {
            env.seconds(variable, target)?;
        }
        let mut admission = Admission::default();
        env.seconds("ADMISSION_PAUSE_SECONDS", &mut admission.pause)?;
        if let Some(most) = env.parsed("MAX_OPEN_BATCHES", "a whole number")? {
            admission.open_batches = most;
        }
        if let Some(most) = env.parsed("MAX_STORED_BYTES", "a whole number")? {
            admission.stored_bytes = most;
        }
        if let Some(most) = env.parsed("MAX_AUDIO_SECONDS", "a whole number")? {
            admission.audio_seconds = most;
        }
        if let Some(most) = env.parsed::<usize>("MAX_UNIT_SAMPLES", "a whole number")? {
            admission.unit_samples = most.clamp(1, MAX_UNIT_SAMPLES);
        }
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
            bounds.poll_pauses = pauses
                .filter(|p| !p.is_empty())
                .ok_or_else(|| ConfigError {
                    variable: "POLL_PAUSES_SECONDS".into(),
                    problem: "must be numbers of seconds, separated by commas".into(),
                })?;
        }
        let stage = env.required("STAGE")?;
        Ok(Self {
            stack: env.optional("STACK_NAME").unwrap_or_else(|| stage.clone()),
            stage,
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
            keys,
            gemini_url: env.optional("GEMINI_BASE_URL"),
            policy,
            bounds,
            admission,
        })
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
        for (name, value) in [("STAGE", "dev"), ("BUCKET", "b"), ("SUBMIT_QUEUE_URL", "q")] {
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
    fn who_needs_a_key_is_told_the_variable_that_names_it() {
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
            ("MAX_REFUSALS", "many"),
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
