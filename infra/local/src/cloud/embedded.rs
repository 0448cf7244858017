//! The three endpoints as one thing that starts and stops.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use aws_types::SdkConfig;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::ACCOUNT_ID;
use super::bucket::Bucket;
use super::config::{CloudConfig, CloudError};
use super::counts::{Counts, Traffic};
use super::dynamodb::{self, Engine};
use super::elsewhere;
use super::pump::SqsSource;
use super::s3::{Notifier, Store};
use super::sdk::{self, Endpoints};
use super::serving::bind_loopback;
use super::sqs::{self, Queues};

/// How long open requests may take to end when the cloud stops.
const GRACE: Duration = Duration::from_secs(3);

/// DynamoDB, S3 and SQS, running.
///
/// Dropping it stops the endpoints without waiting; [`Cloud::shutdown`] waits.
pub struct Cloud {
    endpoints: Endpoints,
    region: String,
    config: SdkConfig,
    counts: Counts,
    /// `None` when the services run elsewhere.
    running: Option<Running>,
}

/// What runs in this process.
struct Running {
    bucket: Bucket,
    queues: Queues,
    engine: Engine,
    servers: Vec<JoinHandle<()>>,
    stop: DropGuard,
    /// Held as long as the data directory is used.
    lock: File,
}

impl Cloud {
    /// Opens the data directory, starts the endpoints, and makes what is missing.
    ///
    /// # Errors
    ///
    /// The directory is unusable or in use, a port is taken, or a table or a
    /// queue is refused.
    pub async fn start(config: CloudConfig) -> Result<Self, CloudError> {
        if !config
            .queues
            .iter()
            .any(|queue| queue.name == config.event_queue)
        {
            let name = &config.event_queue;
            return Err(CloudError::Config(format!("no queue is named {name}")));
        }
        let root = config.data_dir.join("s3");
        tokio::fs::create_dir_all(&root)
            .await
            .map_err(CloudError::io(format!("{}", root.display())))?;
        let lock = lock(&config.data_dir)?;
        let counts = Counts::default();
        let token = CancellationToken::new();
        let stop = token.clone().drop_guard();

        let failed = |name| CloudError::io(format!("a port for {name}"));
        let ports = config.ports;
        let (dynamodb, dynamodb_at) = bind_loopback(ports.dynamodb)
            .await
            .map_err(failed("DynamoDB"))?;
        let (s3, s3_at) = bind_loopback(ports.s3).await.map_err(failed("S3"))?;
        let (sqs, sqs_at) = bind_loopback(ports.sqs).await.map_err(failed("SQS"))?;
        let endpoints = Endpoints {
            dynamodb: format!("http://{dynamodb_at}"),
            s3: format!("http://{s3_at}"),
            sqs: format!("http://{sqs_at}"),
        };

        let queues = Queues::new(&config, sqs_at);
        for queue in &config.queues {
            queues.create(queue).await?;
        }
        let (notifier, deliver) = Notifier::new(
            &config.region,
            &config.event_prefixes,
            queues.clone(),
            queue_url(&endpoints, &config.event_queue),
        );
        let store = Store::open(&root, &config, notifier, counts.clone()).await?;
        let engine = Engine::start(&config.data_dir.join("dynamodb.sqlite")).await?;

        let keys = (config.access_key.clone(), config.secret_key.clone());
        let servers = vec![
            tokio::spawn(store.clone().serve(s3, token.clone(), GRACE)),
            tokio::spawn(
                queues
                    .clone()
                    .serve(sqs, keys, counts.clone(), token.clone(), GRACE),
            ),
            tokio::spawn(dynamodb::serve(
                dynamodb,
                engine.address(),
                config.metered,
                counts.clone(),
                token,
                GRACE,
            )),
            tokio::spawn(deliver),
        ];
        let running = Running {
            bucket: Bucket::new(&config.bucket, store),
            queues,
            engine,
            servers,
            stop,
            lock,
        };
        let cloud = Self::over(endpoints, &config, counts, Some(running));
        dynamodb::create_tables(&cloud.dynamodb_client(), config.tables).await?;
        Ok(cloud)
    }

    /// The same over services that run elsewhere, all at one address: another
    /// implementation of the protocols. Makes there what is missing. `data_dir`,
    /// `ports` and `metered` mean nothing, nothing is counted, and the keys are
    /// `test`, which every emulator of AWS knows.
    ///
    /// # Errors
    ///
    /// A table, a queue or the bucket is refused.
    pub async fn elsewhere(config: CloudConfig, url: &str) -> Result<Self, CloudError> {
        let config = CloudConfig {
            access_key: "test".to_owned(),
            secret_key: "test".to_owned(),
            ..config
        };
        let endpoints = Endpoints {
            dynamodb: url.to_owned(),
            s3: url.to_owned(),
            sqs: url.to_owned(),
        };
        let cloud = Self::over(endpoints, &config, Counts::default(), None);
        dynamodb::create_tables(&cloud.dynamodb_client(), config.tables.clone()).await?;
        let events = cloud.queue_arn(&config.event_queue);
        elsewhere::prepare(&cloud.sqs_client(), &cloud.s3_client(), &events, &config).await?;
        Ok(cloud)
    }

    fn over(
        endpoints: Endpoints,
        config: &CloudConfig,
        counts: Counts,
        running: Option<Running>,
    ) -> Self {
        let sdk = sdk::config(
            &endpoints,
            &config.region,
            &config.access_key,
            &config.secret_key,
        );
        Self {
            endpoints,
            region: config.region.clone(),
            config: sdk,
            counts,
            running,
        }
    }

    /// The DynamoDB endpoint.
    #[must_use]
    pub fn dynamodb_url(&self) -> &str {
        &self.endpoints.dynamodb
    }

    /// The S3 endpoint; presigned URLs begin with it.
    #[must_use]
    pub fn s3_url(&self) -> &str {
        &self.endpoints.s3
    }

    /// The SQS endpoint.
    #[must_use]
    pub fn sqs_url(&self) -> &str {
        &self.endpoints.sqs
    }

    /// The URL of a queue, whether or not it exists.
    #[must_use]
    pub fn queue_url(&self, name: &str) -> String {
        queue_url(&self.endpoints, name)
    }

    /// The ARN of a queue, whether or not it exists.
    #[must_use]
    pub fn queue_arn(&self, name: &str) -> String {
        sqs::arn(&self.region, name)
    }

    /// Credentials, region, endpoints and one HTTP client for every service.
    ///
    /// Clients made from it use the three endpoints and never the default
    /// credential chain. For S3, path style follows from the endpoint being an
    /// IP address; [`Cloud::s3_client`] asks for it as well.
    #[must_use]
    pub fn sdk_config(&self) -> SdkConfig {
        self.config.clone()
    }

    /// The same for signing URLs that lead to a host, which may have a port: where the
    /// bucket is served with other things ([`Cloud::bucket`]).
    pub fn signing(&self) -> impl Fn(&str) -> SdkConfig + Send + Sync + 'static {
        let (endpoints, config) = (self.endpoints.clone(), self.config.clone());
        move |host| {
            let s3 = format!("http://{host}");
            let endpoints = Endpoints {
                s3,
                ..endpoints.clone()
            };
            config.to_builder().service_config(endpoints).build()
        }
    }

    /// The bucket for being served with other things; `None` when it is elsewhere.
    #[must_use]
    pub fn bucket(&self) -> Option<Bucket> {
        let running = self.running.as_ref();
        running.map(|running| running.bucket.clone())
    }

    /// A DynamoDB client.
    #[must_use]
    pub fn dynamodb_client(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// An S3 client with path style addressing.
    #[must_use]
    pub fn s3_client(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .force_path_style(true)
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// An SQS client.
    #[must_use]
    pub fn sqs_client(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// A queue to pump from; what it does by default can be changed in it.
    #[must_use]
    pub fn source(&self, queue: &str) -> SqsSource {
        SqsSource::new(
            self.sqs_client(),
            self.queue_url(queue),
            self.queue_arn(queue),
        )
    }

    /// What was asked of each service so far: `("dynamodb", "PutItem")` and so on.
    ///
    /// Counted at the endpoints, so every client and every retry is in it. S3's
    /// own messages to the event queue are not.
    #[must_use]
    pub fn request_counts(&self) -> BTreeMap<(&'static str, String), Traffic> {
        self.counts.totals()
    }

    /// Lets open requests end, closes the database file and frees the directory.
    ///
    /// # Errors
    ///
    /// A part of it had crashed.
    pub async fn shutdown(self) -> Result<(), CloudError> {
        let Some(running) = self.running else {
            return Ok(());
        };
        drop(running.stop);
        // What tells of new objects ends with the last that could write one.
        drop(running.bucket);
        let mut servers = running.servers;
        let deliver = servers.pop();
        // Long polls end at once, the rest may take its time.
        let polls = running.queues.clone();
        let ended = async {
            for server in servers {
                if let Err(crash) = server.await {
                    tracing::error!(%crash, "a part of the cloud had crashed");
                }
            }
            if let Some(deliver) = deliver {
                let _ = tokio::time::timeout(GRACE, deliver).await;
            }
        };
        tokio::join!(polls.shutdown(), ended);
        let stopped = running.engine.stop().await;
        drop(running.lock);
        stopped
    }
}

fn queue_url(endpoints: &Endpoints, name: &str) -> String {
    format!("{}/{ACCOUNT_ID}/{name}", endpoints.sqs)
}

/// Two processes in one directory would undo each other's work.
fn lock(data_dir: &Path) -> Result<File, CloudError> {
    let path = data_dir.join(".lock");
    let file = File::create(&path).map_err(CloudError::io(format!("{}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CloudError::InUse(data_dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(CloudError::Io {
            what: format!("{}", path.display()),
            source,
        }),
    }
}
