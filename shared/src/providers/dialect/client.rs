//! The requests.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::multipart::Form;
use secrecy::SecretString;

use super::super::answer;
use super::super::calls::{CallAnswer, CallItem};
use super::super::error::{CallError, Rejection};
use super::super::http::{BaseUrl, Http, Sending, Told, check_key, key_header};
use crate::domain::dialect::{Auth, Dialect};
use crate::domain::transcribe::ModelConfig;

const API_KEY: HeaderName = HeaderName::from_static("api-key");

/// A client of one server, or of many: what differs between servers comes with
/// each request.
#[derive(Debug, Clone, Default)]
pub struct Client {
    http: Http,
}

impl Client {
    /// The same by connections of one's own choice.
    #[must_use]
    pub fn new(http: Http) -> Self {
        Self { http }
    }

    /// One paid request, and its answer as a line. Without a key none is shown.
    pub async fn transcribe(
        &self,
        dialect: &Dialect,
        base: &BaseUrl,
        key: Option<&SecretString>,
        item: &CallItem<'_>,
        config: &ModelConfig,
    ) -> Result<CallAnswer, CallError> {
        let url = base.join(&dialect.path, &[])?;
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            headers.extend(authorization(dialect.auth, key)?);
        }
        let (file, sending) = Sending::part(item.audio, item.file_name, item.mime_type).await?;
        let form = form(dialect, item, config).part("file", file);
        let request = self
            .http
            .fresh()?
            .post(url)
            .headers(headers)
            .multipart(form);
        let none = SecretString::default();
        let key = key.unwrap_or(&none);
        answer::paid(item.key, request, &sending, key, meaning).await
    }

    /// Asks for something that is free and needs the key. Where there is nothing of
    /// the kind, the key is taken as it is.
    pub async fn check(
        &self,
        dialect: &Dialect,
        base: &BaseUrl,
        key: &SecretString,
    ) -> Result<(), CallError> {
        let Some(path) = &dialect.check_path else {
            return Ok(());
        };
        let url = base.join(path, &[])?;
        let headers: Vec<_> = authorization(dialect.auth, key)?.into_iter().collect();
        match check_key(&self.http, &url, &headers, key, meaning).await {
            // There is a server, which has no such list.
            Err(error) if error.is_unknown() => Ok(()),
            other => other,
        }
    }
}

fn authorization(
    auth: Auth,
    key: &SecretString,
) -> Result<Option<(HeaderName, HeaderValue)>, CallError> {
    Ok(match auth {
        Auth::Bearer => Some((AUTHORIZATION, key_header("Bearer ", key)?)),
        Auth::ApiKey => Some((API_KEY, key_header("", key)?)),
        Auth::None => None,
    })
}

/// All but the file. That comes last, so that a server that reads the parts in order
/// knows what to do with it.
fn form(dialect: &Dialect, item: &CallItem<'_>, config: &ModelConfig) -> Form {
    let mut form = Form::new().text("language", item.language_code.to_owned());
    if dialect.model {
        form = form.text("model", config.model.clone());
    }
    if let Some(format) = dialect.response_format.part() {
        form = form.text("response_format", format);
    }
    if dialect.temperature {
        let temperature = config.temperature.unwrap_or_default();
        form = form.text("temperature", temperature.to_string());
    }
    form
}

/// What the vendor's own words say more than the status.
fn meaning(status: u16, told: &Told) -> Option<Rejection> {
    // Both are 429 at OpenAI; only one passes by waiting.
    if told.has(&[
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
    ]) {
        return Some(Rejection::OutOfCredit);
    }
    // As seen at Azure: a name that is not deployed. The path is ours, so another 404 is
    // no other thing.
    (status == 404).then_some(Rejection::NotFound)
}
