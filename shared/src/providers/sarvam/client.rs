//! Requests.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::wire::{DownloadUrls, Files, Init, JobMade, Parameters, Signed, Status, UploadUrls};
use crate::providers::audio::ItemAudio;
use crate::providers::credential::Credential;
use crate::providers::error::{CallError, Rejection};
use crate::providers::http::{
    BaseUrl, Http, RetryPolicy, Sending, Told, ask, ask_free, key_header, refused_here, repeated,
    unreadable,
};
use crate::providers::jobs::JobItem;

/// Longest time of a start: giving up early makes a slow success unknown.
const START: Duration = Duration::from_secs(60);
/// Longest time of one upload.
const UPLOAD: Duration = Duration::from_secs(180);
/// A job that nobody has: asking for it needs a key and nothing else.
const NO_JOB: &str = "00000000-0000-0000-0000-000000000000";

/// Asks the vendor. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Client {
    base: BaseUrl,
    http: Http,
    start_timeout: Duration,
    grace: Duration,
}

impl Client {
    /// The grace is the time after which no start is under way any more.
    pub(super) fn new(base: BaseUrl, grace: Duration) -> Self {
        Self {
            base,
            http: Http::default(),
            start_timeout: START.min(grace.mul_f64(0.6)),
            grace,
        }
    }

    pub(super) fn grace(&self) -> Duration {
        self.grace
    }

    fn url(&self, path: &str) -> Result<Url, CallError> {
        self.base
            .join(&format!("/speech-to-text/job/v1{path}"), &[])
    }

    fn key(credential: &Credential) -> Result<HeaderValue, CallError> {
        key_header("", &credential.secret)
    }

    /// A free request of the API; with a body, if there is one.
    async fn free<T: DeserializeOwned>(
        &self,
        credential: &Credential,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<T, CallError> {
        let (url, key) = (self.url(path)?, Self::key(credential)?);
        let make = || -> Result<RequestBuilder, CallError> {
            let request = self.http.pooled()?.request(method.clone(), url.clone());
            let request = request.header(KEY, key.clone());
            Ok(match body {
                Some(body) => request.json(body),
                None => request,
            })
        };
        ask_free(&make, &credential.secret, meaning).await?.json()
    }

    /// Makes a job, which is free.
    pub(super) async fn make(
        &self,
        credential: &Credential,
        (model, mode): (&str, &str),
        language_code: &str,
    ) -> Result<String, CallError> {
        let init = Init {
            job_parameters: Parameters {
                language_code,
                model,
                mode,
                with_timestamps: true,
                with_diarization: false,
            },
        };
        let made: JobMade = self.free(credential, Method::POST, "", Some(&init)).await?;
        super::parts::checked(made.job_id)
    }

    /// Where files of a job go, in their order.
    pub(super) async fn upload_urls(
        &self,
        credential: &Credential,
        job_id: &str,
        files: &[String],
    ) -> Result<Vec<Url>, CallError> {
        let (path, asked) = ("/upload-files", Files { job_id, files });
        let post = Method::POST;
        let told: UploadUrls = self.free(credential, post, path, Some(&asked)).await?;
        self.in_order(files, &told.upload_urls)
    }

    /// Where results of a job are, in their order.
    pub(super) async fn download_urls(
        &self,
        credential: &Credential,
        job_id: &str,
        files: &[String],
    ) -> Result<Vec<Url>, CallError> {
        let (path, asked) = ("/download-files", Files { job_id, files });
        let post = Method::POST;
        let told: DownloadUrls = self.free(credential, post, path, Some(&asked)).await?;
        self.in_order(files, &told.download_urls)
    }

    fn in_order(
        &self,
        files: &[String],
        urls: &BTreeMap<String, Signed>,
    ) -> Result<Vec<Url>, CallError> {
        let url = |file| self.signed(urls.get(file).map(|url| &*url.file_url));
        files.iter().map(url).collect()
    }

    /// A URL that the vendor gave, if it may be used.
    fn signed(&self, url: Option<&str>) -> Result<Url, CallError> {
        let url = url.and_then(|url| Url::parse(url).ok());
        url.filter(|url| self.base.allows(url))
            .ok_or_else(|| unreadable("no usable URL for a file"))
    }

    /// Sends the audio of an item. Its URL is a permission; the key stays here.
    pub(super) async fn upload(
        &self,
        credential: &Credential,
        url: &Url,
        item: &JobItem,
    ) -> Result<(), CallError> {
        let ItemAudio::Bytes(audio) = &item.audio else {
            return Err(refused_here("audio comes with its bytes"));
        };
        let once = || -> futures::future::BoxFuture<'_, Result<(), CallError>> {
            Box::pin(async move {
                let (body, sending) = Sending::begin(&**audio).await?;
                let request = self.http.pooled()?.put(url.clone()).timeout(UPLOAD);
                let request = request
                    .header("x-ms-blob-type", "BlockBlob")
                    .header(CONTENT_TYPE, &item.mime_type)
                    .header(CONTENT_LENGTH, audio.len())
                    .body(body);
                let sent = sending.finish(request, &credential.secret, |_, _| None);
                sent.await.map(drop)
            })
        };
        repeated(&RetryPolicy::default(), once).await
    }

    /// Starts a job: the request that costs money.
    pub(super) async fn start(
        &self,
        credential: &Credential,
        job_id: &str,
    ) -> Result<(), CallError> {
        let url = self.url(&format!("/{job_id}/start"))?;
        let request = self.http.fresh()?.post(url).timeout(self.start_timeout);
        let request = request.header(KEY, Self::key(credential)?);
        let reply = ask(request, &credential.secret, meaning).await?;
        let status: Status = reply.json()?;
        match status.job_id == job_id {
            true => Ok(()),
            false => Err(unreadable("the state of another job")),
        }
    }

    pub(super) async fn status(
        &self,
        credential: &Credential,
        job_id: &str,
    ) -> Result<Status, CallError> {
        let path = format!("/{job_id}/status");
        let status: Status = self
            .free(credential, Method::GET, &path, None::<&()>)
            .await?;
        match status.job_id == job_id {
            true => Ok(status),
            false => Err(unreadable("the state of another job")),
        }
    }

    /// A result.
    pub(super) async fn result(
        &self,
        credential: &Credential,
        url: &Url,
    ) -> Result<bytes::Bytes, CallError> {
        let make = || Ok(self.http.pooled()?.get(url.clone()));
        let reply = ask_free(&make, &credential.secret, |_, _| None).await?;
        Ok(reply.body)
    }

    /// Whether the key is known: a job that there is not is told only to those that may
    /// ask.
    pub(super) async fn check(&self, credential: &Credential) -> Result<(), CallError> {
        let path = format!("/{NO_JOB}/status");
        let asked = self.free::<serde_json::Value>(credential, Method::GET, &path, None::<&()>);
        match asked.await {
            Ok(_) => Ok(()),
            Err(CallError::Rejected {
                kind: Rejection::NotFound | Rejection::OutOfCredit,
                ..
            }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

const KEY: &str = "api-subscription-key";

/// What the vendor's own words say more than the status.
pub(super) fn meaning(_: u16, told: &Told) -> Option<Rejection> {
    if told.has(&["insufficient_quota_error"]) {
        Some(Rejection::OutOfCredit)
    } else if told.has(&["invalid_api_key_error", "authentication_error"]) {
        Some(Rejection::Unauthorized)
    } else if told.has(&["rate_limit_exceeded_error"]) {
        Some(Rejection::Quota { retry_after: None })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read() {
        let of = |status, code: &str| {
            let body = format!(r#"{{"error":{{"message":"m","code":"{code}","request_id":"r"}}}}"#);
            meaning(status, &Told::read(body.as_bytes()))
        };
        let wait = Rejection::Quota { retry_after: None };
        for (status, code, kind) in [
            (403, "invalid_api_key_error", Some(Rejection::Unauthorized)),
            (
                429,
                "insufficient_quota_error",
                Some(Rejection::OutOfCredit),
            ),
            (429, "rate_limit_exceeded_error", Some(wait)),
            (503, "rate_limit_exceeded_error", Some(wait)),
            (500, "internal_server_error", None),
            (404, "not_found_error", None),
        ] {
            assert_eq!(of(status, code), kind, "{code}");
        }
    }
}
