//! What every function works with, built once when its process starts.

use std::sync::Arc;

use aws_types::SdkConfig;
use secrecy::SecretBox;

use crate::access::credentials::{DataKeys, Vault};
use crate::aws::{self, Lazy, Patience};
use crate::config::{Config, ConfigError, KeySource, ROLE_PROVIDERS, VendorLimits};
use crate::deadline::Deadline;
use crate::demo::Demo;
use crate::domain::ProjectId;
use crate::domain::run::RunModel;
use crate::domain::unit::Policy;
use crate::objects::Objects;
use crate::providers::{
    Adapter, CLIENTS, Calls, Client, Consult, Credential, Jobs, Model, Offered, OwnModel,
    ReadsLines, Registry, RegistryError, Settings, SetupError, VENDORS, Vendor, imported,
    transcribe,
};
use crate::queue::Queue;
use crate::store::Store;
use crate::{emf, logs, tls};

/// The process can't start. One line for its log.
#[derive(thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

/// The same line: it is what a `main` that returns an error prints of it.
impl std::fmt::Debug for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A variable whose value turns out to be wrong only when it is used.
fn unusable(variable: &str, problem: impl Into<String>) -> StartError {
    let error = ConfigError {
        variable: variable.to_owned(),
        problem: problem.into(),
    };
    StartError(error.to_string())
}

/// Clients and configuration. Cheap to clone: each route has one.
#[derive(Clone)]
pub struct App {
    /// What the environment of the process said.
    pub config: Arc<Config>,
    /// The deployment's tables.
    pub store: Store,
    /// The deployment's bucket.
    pub objects: Objects,
    /// Where submissions are asked for.
    pub queue: Queue,
    /// Queue of upload events, where they are delivered.
    pub events: Option<Queue>,
    /// Seals and opens credentials; `None` where there is no key to do it with.
    pub vault: Option<Vault>,
    vendors: Registry,
    demo: Option<Arc<dyn Demo>>,
}

/// Of S3's calls only the beginning of an answer is timed: a body takes as long
/// as it is. One that stands still is given up by the SDK.
pub(crate) fn s3_config(aws: &SdkConfig, path_style: bool) -> aws_sdk_s3::Config {
    aws_sdk_s3::config::Builder::from(aws)
        .force_path_style(path_style)
        // A checksum of our own choice is signed into upload URLs; one
        // that the SDK adds would be of the empty body it signs.
        .request_checksum_calculation(aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(aws_sdk_s3::config::ResponseChecksumValidation::WhenRequired)
        .timeout_config(aws::streaming(aws.timeout_config()))
        .build()
}

impl App {
    /// Builds the clients. `path_style` is for endpoints without a host name
    /// for each bucket; `clients` are [`CLIENTS`], and in tests others.
    pub fn build(
        config: Config,
        aws: &SdkConfig,
        path_style: bool,
        clients: &[&'static Client],
    ) -> Result<Self, StartError> {
        let vendors = Registry::connect(clients, |vendor| settings(&config, vendor));
        Self::with(config, aws, path_style, vendors)
    }

    /// The same for a function that gives vendors no work.
    fn consulting(config: Config, aws: &SdkConfig, path_style: bool) -> Result<Self, StartError> {
        let vendors = Registry::consult(VENDORS, |vendor| settings(&config, vendor));
        Self::with(config, aws, path_style, vendors)
    }

    fn with(
        config: Config,
        aws: &SdkConfig,
        path_style: bool,
        vendors: Result<Registry, RegistryError>,
    ) -> Result<Self, StartError> {
        tls::install();
        let conf = aws.clone();
        let s3 = Lazy::new(move || aws_sdk_s3::Client::from_conf(s3_config(&conf, path_style)));
        let conf = aws.clone();
        let sqs = Lazy::new(move || aws_sdk_sqs::Client::new(&conf));
        let vault = match &config.keys {
            None => None,
            Some(KeySource::Kms(key_id)) => Some(Vault::new(DataKeys::Kms {
                client: {
                    let conf = aws.clone();
                    Lazy::new(move || aws_sdk_kms::Client::new(&conf))
                },
                key_id: key_id.as_str().into(),
            })),
            Some(KeySource::File(path)) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|e| unusable("KEY_FILE", format!("can't be read: {e}")))?;
                let bytes: [u8; 32] = hex::decode(text.trim())
                    .ok()
                    .and_then(|bytes| bytes.try_into().ok())
                    .ok_or_else(|| unusable("KEY_FILE", "must be a file of 64 hex digits"))?;
                Some(Vault::new(DataKeys::File(Arc::new(SecretBox::new(
                    Box::new(bytes),
                )))))
            }
        };
        let vendors = priced(&config, vendors)?;
        let of_role = |name: &&String| !vendors.vendor(name).is_some_and(Vendor::is_by_role);
        if let Some(odd) = config.vendors.by_role.iter().find(of_role) {
            let problem = format!("no provider {odd} is asked with the role of the functions");
            return Err(unusable(ROLE_PROVIDERS, problem));
        }
        Ok(Self {
            store: Store::new(
                aws_sdk_dynamodb::Client::new(aws),
                config.tables.clone(),
                config.bounds.count_fold,
            ),
            objects: Objects::new(s3, config.bucket.clone(), config.bucket_versioned),
            events: config
                .events_queue
                .clone()
                .map(|url| Queue::new(sqs.clone(), url)),
            queue: Queue::new(sqs, config.submit_queue.clone()),
            vault,
            vendors,
            demo: None,
            config: Arc::new(config),
        })
    }

    /// The same with one vendor more, whose client is made already.
    #[must_use]
    pub fn and_vendor(self, vendor: &'static Vendor, adapter: Adapter) -> Self {
        Self {
            vendors: self.vendors.and(vendor, adapter),
            ..self
        }
    }

    /// The same with a demonstration at hand.
    #[must_use]
    pub fn and_demo(self, demo: Arc<dyn Demo>) -> Self {
        Self {
            demo: Some(demo),
            ..self
        }
    }

    /// The same with URLs that lead to the bucket where another configuration finds it, by
    /// path. For a machine that goes by several names.
    #[must_use]
    pub fn signing_for(self, aws: SdkConfig) -> Self {
        let signer = Lazy::new(move || aws_sdk_s3::Client::from_conf(s3_config(&aws, true)));
        Self {
            objects: self.objects.signed_by(signer),
            ..self
        }
    }

    /// The same with clients of the vendors that are asked with the role of the functions,
    /// as far as the operator has switched them on. Only a function that asks vendors has
    /// a use for this: others would carry the SDKs of these services for nothing.
    #[must_use]
    pub fn asking_by_role(self, aws: &SdkConfig) -> Self {
        let vendor = &transcribe::VENDOR;
        if self.keyless(vendor).is_none() || self.vendor(vendor.name).is_none() {
            return self;
        }
        let bucket = Arc::new(Objects::clone(&self.objects));
        let adapter = transcribe::asking(&settings(&self.config, vendor), aws, bucket);
        Self {
            vendors: self.vendors.by(vendor, &adapter),
            ..self
        }
    }

    /// The demonstration that a project can have; `None` on deployments.
    #[must_use]
    pub fn demo_for(&self, project: &ProjectId) -> Option<&dyn Demo> {
        self.demo.as_deref().filter(|demo| demo.is_for(project))
    }

    /// Builds everything from the environment of a Lambda function that gives vendors no
    /// work: it has no more of them than [`Consult`].
    pub fn from_env(patience: Patience) -> Result<Self, StartError> {
        let config = Config::from_env().and_then(Config::with_keys);
        let (config, aws) = start(config, patience)?;
        Self::consulting(config, &aws, false)
    }

    /// The same for a function that gives vendors work.
    pub fn from_env_asking(patience: Patience) -> Result<Self, StartError> {
        let config = Config::from_env().and_then(Config::with_keys);
        let (config, aws) = start(config, patience)?;
        Ok(Self::build(config, &aws, false, CLIENTS)?.asking_by_role(&aws))
    }

    /// The same for a process that is a function which works on runs, with its log and its metrics.
    pub fn at_work() -> Result<Self, StartError> {
        logs::init();
        let app = Self::from_env_asking(Patience::WORK)?;
        emf::enable_stdout(&app.config.stack);
        Ok(app)
    }

    /// The same for a function that has nothing to do with credentials.
    pub fn from_env_without_keys(patience: Patience) -> Result<Self, StartError> {
        let (config, aws) = start(Config::from_env(), patience)?;
        Self::consulting(config, &aws, false)
    }

    /// The same for one invocation: no call of a vendor lasts beyond it.
    #[must_use]
    pub fn within(&self, deadline: Deadline) -> Self {
        Self {
            vendors: self.vendors.within(deadline),
            ..self.clone()
        }
    }

    /// The vendors.
    #[must_use]
    pub fn vendors(&self) -> &Registry {
        &self.vendors
    }

    /// Every model that the runs of all projects can use.
    pub fn models(&self) -> impl Iterator<Item = &'static Model> + '_ {
        self.vendors.models()
    }

    /// The model with this catalogue id.
    #[must_use]
    pub fn model(&self, id: &str) -> Option<&'static Model> {
        self.vendors.find(id)
    }

    /// A model of a run: that of the catalogue, or one of the project's own as the run
    /// froze it. `None` when this release does not offer it any more.
    #[must_use]
    pub fn model_of(&self, run_model: &RunModel) -> Option<Offered> {
        match &run_model.config.endpoint {
            Some(endpoint) => {
                let own = OwnModel::of(endpoint.as_ref().clone(), self.vendors.rates());
                Some(Offered::Own(Arc::new(own)))
            }
            None => self.model(&run_model.model).map(Offered::Catalogue),
        }
    }

    /// A vendor by the name that credentials are kept for.
    #[must_use]
    pub fn vendor(&self, name: &str) -> Option<&'static Vendor> {
        self.vendors.vendor(name)
    }

    /// What a vendor is asked with for which no project keeps a key: nothing, or the role
    /// of the functions where the operator has switched that on. `None` where a key is
    /// wanted, and where the role is not to be used.
    #[must_use]
    pub fn keyless(&self, vendor: &Vendor) -> Option<Credential> {
        if vendor.is_by_role() {
            let is_on = self.config.vendors.by_role.contains(vendor.name);
            return is_on.then(Credential::role);
        }
        vendor.is_open().then(Credential::none)
    }

    /// The policy for a vendor's units; that for all, when this release does not
    /// have the vendor.
    #[must_use]
    pub fn policy(&self, vendor: &str) -> Policy {
        let of = |vendor| self.config.policy_of(vendor);
        self.vendor(vendor).map_or(self.config.policy, of)
    }

    /// What one credential may have at a vendor; `None` when this release does
    /// not have it.
    #[must_use]
    pub fn limits(&self, vendor: &str) -> Option<VendorLimits> {
        let vendor = self.vendor(vendor)?;
        Some(self.config.vendors.limits(vendor))
    }

    /// What a vendor is asked with without being given work.
    #[must_use]
    pub fn consulted(&self, vendor: &str) -> Option<&dyn Consult> {
        self.vendors.consulted(vendor)
    }

    /// A vendor's client, in a function that gives it work.
    #[must_use]
    pub fn adapter(&self, vendor: &str) -> Option<&Adapter> {
        self.vendors.adapter(vendor)
    }

    /// What reads the raw output of a vendor's units, or of transcripts that were made
    /// elsewhere; `None` when this release does not have the vendor.
    #[must_use]
    pub fn lines(&self, vendor: &str) -> Option<&dyn ReadsLines> {
        if vendor == crate::domain::imported::VENDOR {
            return Some(&imported::Lines);
        }
        self.adapter(vendor).map(Adapter::lines)
    }

    /// The client of a vendor that takes jobs.
    #[must_use]
    pub fn jobs(&self, vendor: &str) -> Option<&dyn Jobs> {
        self.adapter(vendor)?.jobs()
    }

    /// The client of a vendor that takes calls.
    #[must_use]
    pub fn calls(&self, vendor: &str) -> Option<&dyn Calls> {
        self.adapter(vendor)?.calls()
    }
}

/// The configuration of a function, and of its clients of AWS.
fn start(
    config: Result<Config, ConfigError>,
    patience: Patience,
) -> Result<(Config, SdkConfig), StartError> {
    let config = config.map_err(|e| StartError(e.to_string()))?;
    tls::preload();
    let aws = aws::config(patience)
        .map_err(|name| StartError(format!("environment variable {name}: is not set")))?;
    Ok((config, aws))
}

/// What of the configuration a vendor's client is made with.
fn settings(config: &Config, vendor: &Vendor) -> Settings {
    Settings {
        base_url: config.provider_url(vendor.name).map(|url| url.url.clone()),
        loopback: config.own_models_on_loopback,
        grace: config.policy_of(vendor).grace,
    }
}

/// Vendors that were made, at the operator's rates.
fn priced(config: &Config, made: Result<Registry, RegistryError>) -> Result<Registry, StartError> {
    let made = made.map(|registry| registry.at(config.rates));
    made.map_err(|error| match &error {
        RegistryError {
            vendor,
            error: SetupError::BaseUrl(problem),
        } => {
            let variable = config.provider_url(vendor).map(|url| &*url.variable);
            unusable(variable.unwrap_or(*vendor), problem.clone())
        }
        RegistryError { .. } => StartError(format!("a vendor's client can't be built: {error}")),
    })
}
