//! S3: the protocol from `s3s`, files from `s3s-fs`, and what both leave out.
//!
//! - [`bucket`] makes uploads all or nothing, and tells of new objects;
//! - [`operations`] corrects the other operations where they differ from AWS;
//! - [`verify`] holds an upload against its checksums before it takes effect;
//! - [`event`] writes the notification and puts it in the queue;
//! - [`access`] refuses what is not signed well;
//! - [`cors`] answers browsers.

mod access;
mod bucket;
mod cors;
mod event;
pub(super) mod files;
mod listing;
mod operation;
mod operations;
mod verify;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use s3s::auth::SimpleAuth;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::S3ServiceBuilder;
use s3s::{Body, HttpResponse};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::config::{CloudConfig, CloudError};
use super::counts::{Counts, Seen};
use super::draining::{Lent, is_left, wants_answer_first};
use super::serving;

pub(super) use self::event::Notifier;

const SERVICE: &str = "s3";
/// `s3s` holds the file of a form upload in memory; AWS takes 5 GB.
const MAX_FORM_BYTES: u64 = 256 * 1024 * 1024;

/// The S3 endpoint, ready to serve.
#[derive(Clone)]
pub(super) struct Store {
    service: s3s::service::S3Service,
    cors: Arc<cors::Cors>,
    counts: Counts,
}

impl Store {
    /// Opens the directory and makes the bucket in it.
    pub async fn open(
        root: &Path,
        config: &CloudConfig,
        notifier: Notifier,
        counts: Counts,
    ) -> Result<Self, CloudError> {
        if !s3s::path::check_bucket_name(&config.bucket) {
            let name = &config.bucket;
            return Err(CloudError::Config(format!("{name} is no bucket name")));
        }
        tokio::fs::create_dir_all(root.join(&config.bucket))
            .await
            .map_err(CloudError::io(format!("{}", root.display())))?;
        let bucket = bucket::Bucket::open(root, notifier)
            .map_err(|error| CloudError::service(SERVICE, format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(bucket);
        builder.set_auth(SimpleAuth::from_single(
            config.access_key.clone(),
            config.secret_key.clone(),
        ));
        builder.set_access(access::SignedOnly);
        let mut limits = S3Config::default();
        limits.post_object_max_file_size = MAX_FORM_BYTES;
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(limits))));
        Ok(Self {
            service: builder.build(),
            cors: Arc::new(cors::Cors::new(config.cors_origins.clone())),
            counts,
        })
    }

    /// Answers one request.
    pub async fn answer(
        &self,
        request: http::Request<Incoming>,
    ) -> Result<HttpResponse, s3s::HttpError> {
        let seen = Seen::new(SERVICE, operation::name(&request), &request);
        let response = answer(&self.service, &self.cors, request).await?;
        if response.status().is_server_error() {
            tracing::error!(status = %response.status(), "S3 failed");
        }
        self.counts.record(seen, &response);
        Ok(response)
    }

    /// Serves a port of its own.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken, grace: Duration) {
        let service = move |_peer| {
            let store = self.clone();
            service_fn(move |request| {
                let store = store.clone();
                async move { store.answer(request).await }
            })
        };
        serving::serve(listener, service, stop, grace).await;
    }
}

async fn answer(
    s3: &s3s::service::S3Service,
    cors: &cors::Cors,
    request: http::Request<Incoming>,
) -> Result<HttpResponse, s3s::HttpError> {
    if request.method() == http::Method::OPTIONS {
        return Ok(cors.preflight(request.headers()));
    }
    let origin = request.headers().get(http::header::ORIGIN).cloned();
    let method = request.method().clone();
    let drains = !wants_answer_first(request.headers());
    let (head, body) = request.into_parts();
    let (body, home) = Lent::new(body);
    let request = http::Request::from_parts(head, Body::http_body_unsync(body));
    let mut response = s3.call(request).await?;
    if !response.status().is_success() && is_left(&home, drains).await {
        let close = http::HeaderValue::from_static("close");
        response
            .headers_mut()
            .insert(http::header::CONNECTION, close);
    }
    if let Some(origin) = origin {
        cors.decorate(&origin, &method, response.headers_mut());
    }
    Ok(response)
}
