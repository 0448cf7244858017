//! Clients that know nothing but this machine.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// The endpoint of each service.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    pub dynamodb: String,
    pub s3: String,
    pub sqs: String,
}

/// Answers the SDK's question for the endpoint of a service.
impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.profile() != "endpoint_url" {
            return None;
        }
        match key.service_id() {
            "DynamoDB" => Some(self.dynamodb.clone()),
            "S3" => Some(self.s3.clone()),
            "SQS" => Some(self.sqs.clone()),
            // A closed port: a client of another service fails at once instead
            // of leaving the machine.
            _ => Some("http://127.0.0.1:9".to_owned()),
        }
    }
}

/// One configuration for all services: fixed credentials, no default chain.
pub(super) fn config(
    endpoints: &Endpoints,
    region: &str,
    access_key: &str,
    secret_key: &str,
) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .build_https();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys(
            access_key, secret_key, None,
        )))
        .http_client(http)
        .timeout_config(TimeoutConfig::builder().build())
        .service_config(endpoints.clone())
        .build()
}
