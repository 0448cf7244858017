//! The SDK in a Lambda function, with as little of it as a cold start can do with.
//!
//! The SDK's own loader looks for profiles, roles, instance metadata and more. In
//! Lambda everything stands in the environment, and reading it from there leaves
//! half a megabyte out of each function. The SDK's own way also reads and parses
//! the TLS roots once for each client that is built, before anything is asked of
//! it: most of a cold start. Here they are read once, in a thread of their own
//! meanwhile, and the requests of all clients leave by one pool of connections.

mod connection;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use connection::Connections;

/// A client that is built when it is first used. Building one takes a good part
/// of what is left of a cold start, and most invocations need one or two of them.
pub struct Lazy<C>(Arc<LazyLock<C, Build<C>>>);

type Build<C> = Box<dyn FnOnce() -> C + Send>;

impl<C> Lazy<C> {
    /// One that is built by a function.
    pub fn new(build: impl FnOnce() -> C + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(build))))
    }
}

impl<C> std::ops::Deref for Lazy<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

impl<C> Clone for Lazy<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> std::fmt::Debug for Lazy<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<C>())
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

/// How long a function waits for AWS. Without a bound a call that is never
/// answered takes the whole invocation with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For one attempt of a call.
    attempt: Duration,
    /// For all attempts of a call, and the pauses between them.
    operation: Duration,
    /// For S3 to begin its answer, once it has what is sent to it.
    first_byte: Duration,
}

impl Patience {
    /// Of a function that is waited for: an HTTP API waits 30 s, and a request
    /// is several calls.
    pub const REQUEST: Self = Self {
        attempt: Duration::from_secs(4),
        operation: Duration::from_secs(10),
        first_byte: Duration::from_secs(8),
    };
    /// Of a function that works for minutes: a part of 8 MiB is sent within the
    /// time for the first byte, and putting parts together takes S3 a while.
    pub const WORK: Self = Self {
        attempt: Duration::from_secs(10),
        operation: Duration::from_secs(30),
        first_byte: Duration::from_secs(60),
    };

    fn timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .read_timeout(self.first_byte)
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.operation)
            .build()
    }
}

/// For a connection to AWS to stand.
const CONNECT: Duration = Duration::from_secs(3);

/// The same bounds for a service whose calls carry bodies of any length: only
/// those of their beginning.
pub(crate) fn streaming(timeouts: Option<&TimeoutConfig>) -> TimeoutConfig {
    let mut streaming = TimeoutConfig::builder();
    streaming.set_connect_timeout(timeouts.and_then(TimeoutConfig::connect_timeout));
    streaming.set_read_timeout(timeouts.and_then(TimeoutConfig::read_timeout));
    streaming.build()
}

/// The SDK's configuration, from the variables that Lambda sets.
///
/// # Errors
/// The name of the variable that is missing.
pub fn config(patience: Patience) -> Result<SdkConfig, &'static str> {
    let needed = |name| variable(name).ok_or(name);
    // A sandbox ends before the credentials that it began with.
    let credentials = Credentials::new(
        needed("AWS_ACCESS_KEY_ID")?,
        needed("AWS_SECRET_ACCESS_KEY")?,
        variable("AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(needed("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(Connections::new(CONNECT))
        .timeout_config(patience.timeouts())
        .service_config(Endpoints);
    config.set_endpoint_url(variable(ENDPOINT));
    Ok(config.build())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use aws_sdk_s3::error::SdkError;

    use super::*;

    /// Answers each request with these pieces, a pause before each; without any
    /// it never answers.
    fn server(pieces: Vec<&'static [u8]>, pause: Duration) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for mut stream in listener.incoming().map_while(Result::ok) {
                let _ = stream.read(&mut [0; 4096]);
                for piece in &pieces {
                    std::thread::sleep(pause);
                    let _ = stream.write_all(piece);
                }
                // A connection that closed would be an answer.
                open.push(stream);
            }
        });
        url
    }

    fn quick(endpoint: String) -> SdkConfig {
        let ms = Duration::from_millis;
        let patience = Patience {
            attempt: ms(200),
            operation: ms(500),
            first_byte: ms(400),
        };
        // The first request would read the roots in the time that it has.
        crate::tls::config().unwrap();
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "a", "s", None, None, "test",
            )))
            .http_client(Connections::new(CONNECT))
            .endpoint_url(endpoint)
            .timeout_config(patience.timeouts())
            .build()
    }

    #[tokio::test]
    async fn a_call_that_is_never_answered_is_given_up() {
        let config = quick(server(Vec::new(), Duration::ZERO));
        let dynamodb = aws_sdk_dynamodb::Client::new(&config);
        let asked = dynamodb.describe_table().table_name("t").send().await;
        assert!(matches!(asked, Err(SdkError::TimeoutError(_))), "{asked:?}");
        let s3 = aws_sdk_s3::Client::from_conf(crate::app::s3_config(&config, true));
        let asked = s3.head_object().bucket("b").key("k").send().await;
        let given_up = matches!(
            &asked,
            Err(SdkError::TimeoutError(_) | SdkError::DispatchFailure(_))
        );
        assert!(given_up, "{asked:?}");
    }

    #[tokio::test]
    async fn a_body_takes_as_long_as_it_is() {
        let mut pieces: Vec<&'static [u8]> =
            vec![b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\nconnection: close\r\n\r\n"];
        pieces.extend([b"x".as_slice(); 12]);
        // Longer altogether than any of the bounds.
        let config = quick(server(pieces, Duration::from_millis(80)));
        let s3 = aws_sdk_s3::Client::from_conf(crate::app::s3_config(&config, true));
        let object = s3.get_object().bucket("b").key("k").send().await.unwrap();
        let body = object.body.collect().await.unwrap();
        assert_eq!(body.into_bytes().len(), 12);
    }

    /// The same with bounds that nothing here comes to.
    fn patient(endpoint: String, attempts: u32) -> SdkConfig {
        let retries = aws_sdk_s3::config::retry::RetryConfig::standard();
        quick(endpoint)
            .into_builder()
            .timeout_config(Patience::WORK.timeouts())
            .retry_config(retries.with_max_attempts(attempts))
            .build()
    }

    /// Connections are numbered; each answers every request of its own alike.
    fn by_connection(answers: &'static [&'static str]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for (stream, answer) in listener.incoming().map_while(Result::ok).zip(answers) {
                std::thread::spawn(move || {
                    let mut stream = stream;
                    while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
                        let _ = stream.write_all(answer.as_bytes());
                    }
                });
            }
        });
        url
    }

    #[tokio::test]
    async fn a_server_that_is_ill_is_not_asked_again_by_the_same_connection() {
        let url = by_connection(&[
            "HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        ]);
        let config = patient(url, 2);
        let s3 = aws_sdk_s3::Client::from_conf(crate::app::s3_config(&config, true));
        s3.head_object().bucket("b").key("k").send().await.unwrap();
    }

    #[tokio::test]
    async fn no_error_of_the_connection_names_an_object() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", closed.local_addr().unwrap());
        drop(closed);
        let config = patient(url, 1);
        let client =
            Lazy::new(move || aws_sdk_s3::Client::from_conf(crate::app::s3_config(&config, true)));
        let objects = crate::objects::Objects::new(client, "b".into(), true);
        let told = objects
            .get("incoming/demo/Patient-Name.wav")
            .await
            .unwrap_err();
        let text = format!("{told} {told:?}");
        assert!(
            text.contains("refused") && !text.contains("Patient"),
            "{text}"
        );
    }
}
