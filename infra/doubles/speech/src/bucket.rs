//! A bucket that a double reads audio from and leaves transcripts in, for the service that
//! does so.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use serde_json::Value;

/// S3, or what stands for it.
#[derive(Debug, Clone)]
pub(crate) struct Bucket(pub Client);

impl Bucket {
    /// The bytes of an object, if they can be read.
    pub async fn read(&self, bucket: &str, key: &str) -> Option<Bytes> {
        let asked = self.0.get_object().bucket(bucket).key(key).send().await;
        let read = match asked {
            Ok(object) => object.body.collect().await.map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok(bytes) => Some(bytes.into_bytes()),
            Err(error) => {
                tracing::warn!(%error, "audio was not read from the bucket");
                None
            }
        }
    }

    /// Writes an object; whether it is there.
    pub async fn write(&self, bucket: &str, key: &str, value: Value) -> bool {
        let body = ByteStream::from(value.to_string().into_bytes());
        let put = self.0.put_object().bucket(bucket).key(key).body(body);
        match put.send().await {
            Ok(_) => true,
            Err(error) => {
                let code = error.code().unwrap_or_default();
                tracing::warn!(%error, code, "a transcript was not written to the bucket");
                false
            }
        }
    }
}

/// A client of S3 at an address, with credentials that no one checks.
#[must_use]
pub fn s3_at(url: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("double", "double", None, None, "double"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(url)
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}
