//! The SDK in a Lambda function, with as little of it as a cold start can do with.
//!
//! The SDK's own loader looks for profiles, roles, instance metadata and more. In
//! Lambda everything stands in the environment, and reading it from there leaves
//! half a megabyte out of each function. The SDK's own way also reads and parses
//! the TLS roots once for each client that is built, before anything is asked of
//! it: most of a cold start. Here nothing is parsed before the first request, and
//! the file is read meanwhile.

use std::sync::{Arc, LazyLock};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::{
    BehaviorVersion, HttpClient, Region, RuntimeComponents, SharedHttpClient,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector};
use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// Makes its connector when the first request wants it.
#[derive(Debug)]
struct Lazy(SharedHttpClient);

impl HttpClient for Lazy {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    // `validate_base_client_config` is not passed on: it makes a connector for
    // each client, and throws it away.

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

/// A client that is built when it is first used. Building one takes a good part
/// of what is left of a cold start, and most invocations need one or two of them.
pub struct Later<C>(Arc<LazyLock<C, Build<C>>>);

type Build<C> = Box<dyn FnOnce() -> C + Send>;

impl<C> Later<C> {
    /// One that is built by a function.
    pub fn new(build: impl FnOnce() -> C + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(build))))
    }
}

impl<C> std::ops::Deref for Later<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

impl<C> Clone for Later<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> std::fmt::Debug for Later<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<C>())
    }
}

/// TLS over ring. It has to be named: the SDK has no TLS provider of its own in
/// this build.
fn tls() -> Provider {
    Provider::Rustls(CryptoMode::Ring)
}

/// Reads the TLS roots in a thread of its own, beside what else a start does.
/// They are kept for the process; whoever needs them sooner waits for them.
pub fn preload_roots() {
    let reading = std::thread::Builder::new().name("tls-roots".into());
    let spawned = reading.spawn(|| {
        drop(Connector::builder().tls_provider(tls()).build());
    });
    if let Err(error) = spawned {
        tracing::debug!(%error, "the TLS roots are read at the first request");
    }
}

/// Endpoints of single services, for deployments on emulators: the generic
/// variable's name with the service's behind it.
#[derive(Debug)]
struct Endpoints;

const ENDPOINT: &str = "AWS_ENDPOINT_URL";

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() != ENDPOINT {
            return None;
        }
        let service = key.service_id().to_uppercase().replace([' ', '-'], "_");
        variable(&format!("{ENDPOINT}_{service}"))
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The SDK's configuration, from the variables that Lambda sets.
///
/// # Errors
/// The name of the variable that is missing.
pub fn config() -> Result<SdkConfig, &'static str> {
    let needed = |name| variable(name).ok_or(name);
    // A sandbox ends before the credentials that it began with.
    let credentials = Credentials::new(
        needed("AWS_ACCESS_KEY_ID")?,
        needed("AWS_SECRET_ACCESS_KEY")?,
        variable("AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    let http = Builder::new().tls_provider(tls()).build_https();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(needed("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(Lazy(http))
        .service_config(Endpoints);
    config.set_endpoint_url(variable(ENDPOINT));
    Ok(config.build())
}
