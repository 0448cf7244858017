//! The client of all of them.

use std::sync::Arc;

use async_trait::async_trait;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::super::calls::{CallAnswer, CallItem, Calls};
use super::super::consult::Consult;
use super::super::credential::{API_KEY, Credential};
use super::super::dialect::Client;
use super::super::error::{CallError, Rejection};
use super::super::http::{BaseUrl, Guard, Http};
use super::super::lines::{Measured, OutputLine, ReadsLines};
use crate::domain::endpoint::Endpoint;
use crate::domain::transcribe::ModelConfig;

/// The field of a credential that says which address its key is for.
const BASE_URL: &str = "base_url";

/// Whether a credential is for the address at which a run asks. It is for another one
/// where the model was deleted and made anew under the same name, elsewhere.
#[must_use]
pub fn is_for(credential: &Credential, endpoint: &Endpoint) -> bool {
    let kept_for = credential.field(BASE_URL);
    kept_for.is_some_and(|url| url.expose_secret() == endpoint.base_url)
}

/// What is sealed for an endpoint: its key, if it has one, and the address that the key
/// is for.
#[must_use]
pub fn secret(base_url: &str, key: Option<&SecretString>) -> SecretString {
    let mut fields = json!({ BASE_URL: base_url });
    if let Some(key) = key {
        fields[API_KEY] = key.expose_secret().into();
    }
    fields.to_string().into()
}

/// The client. Makes no request.
pub(super) fn own(loopback: bool) -> Arc<Own> {
    let guard = Guard::new(loopback);
    Arc::new(Own {
        client: Client::new(Http::guarded(guard.clone())),
        guard,
    })
}

/// The client of models of projects' own.
pub(super) struct Own {
    client: Client,
    guard: Guard,
}

impl Own {
    /// Where a run asks, if the credential is for that address and it may be asked.
    fn asked<'a>(
        &self,
        credential: &Credential,
        config: &'a ModelConfig,
    ) -> Result<(&'a Endpoint, BaseUrl), CallError> {
        let gone = |message: &str| CallError::not_sent(Rejection::NotFound, message);
        let endpoint = config.endpoint.as_deref();
        let endpoint = endpoint.ok_or_else(|| gone("the run does not say where the model is"))?;
        if !is_for(credential, endpoint) {
            return Err(gone(
                "the project's model of this name is at another address",
            ));
        }
        let url = Url::parse(&endpoint.base_url).map_err(|_| gone("its address is no URL"))?;
        self.guard.check(&url).map_err(|refused| {
            CallError::not_sent(Rejection::AddressRefused, refused.to_string())
        })?;
        Ok((endpoint, BaseUrl::of(url)))
    }
}

impl ReadsLines for Own {
    fn read_line(&self, line: &[u8]) -> OutputLine {
        self.client.read_line(line)
    }

    fn measured(&self, line: &[u8]) -> Measured {
        self.client.measured(line)
    }
}

#[async_trait]
impl Consult for Own {
    /// Nothing is asked: not every server has something that is free and needs the key.
    async fn check_credential(&self, _credential: &Credential) -> Result<(), CallError> {
        Ok(())
    }

    fn is_free(&self, config: &ModelConfig) -> bool {
        config.endpoint.as_deref().is_some_and(Endpoint::is_free)
    }
}

#[async_trait]
impl Calls for Own {
    async fn call(
        &self,
        credential: &Credential,
        item: &CallItem<'_>,
        config: &ModelConfig,
    ) -> Result<CallAnswer, CallError> {
        let (endpoint, base) = self.asked(credential, config)?;
        let key = credential.field(API_KEY);
        self.client
            .transcribe(&endpoint.dialect, &base, key.as_ref(), item, config)
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dialect::Dialect;

    fn config(base_url: &str) -> ModelConfig {
        ModelConfig {
            model: "m".to_owned(),
            prompt: None,
            temperature: None,
            prompt_version: None,
            endpoint: Some(Box::new(Endpoint {
                name: "mine".to_owned(),
                base_url: base_url.to_owned(),
                model: "m".to_owned(),
                dialect: Dialect::OPENAI,
                dialect_name: None,
                languages: None,
                formats: None,
                max_bytes: 1,
                max_seconds: 1,
                price: None,
                at_once: 1,
            })),
        }
    }

    fn asked(kept_for: &str, config: &ModelConfig, loopback: bool) -> Result<(), Rejection> {
        let own = Own {
            client: Client::default(),
            guard: Guard::new(loopback),
        };
        let credential = Credential {
            id: "c".to_owned(),
            secret: secret(kept_for, Some(&"a-key".into())),
        };
        match own.asked(&credential, config) {
            Ok(_) => Ok(()),
            Err(CallError::Rejected {
                kind, status: 0, ..
            }) => Err(kind),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_key_is_shown_to_the_address_it_was_kept_for_and_to_no_other() {
        let run = config("https://models.example.com/v1");
        assert_eq!(asked("https://models.example.com/v1", &run, false), Ok(()));
        for other in [
            "https://evil.example.com/v1",
            "https://models.example.com/v2",
            "",
        ] {
            let refused = asked(other, &run, false);
            assert_eq!(refused, Err(Rejection::NotFound), "{other}");
        }
        let nowhere = ModelConfig {
            endpoint: None,
            ..run
        };
        assert_eq!(asked("", &nowhere, false), Err(Rejection::NotFound));
    }

    #[test]
    fn an_address_that_was_allowed_once_may_not_be_now() {
        let own = "http://127.0.0.1:9/v1";
        assert_eq!(asked(own, &config(own), true), Ok(()));
        let refused = asked(own, &config(own), false);
        assert_eq!(refused, Err(Rejection::AddressRefused));
    }

    #[test]
    fn what_costs_nothing_is_free() {
        let client = own(false);
        let mut config = config("https://h/v1");
        assert!(client.is_free(&config));
        config.endpoint = None;
        assert!(!client.is_free(&config));
    }

    #[test]
    fn an_endpoint_may_have_no_key() {
        let credential = |secret| Credential {
            id: "c".to_owned(),
            secret,
        };
        let without = credential(secret("https://h", None));
        assert!(without.field(API_KEY).is_none());
        let with = credential(secret("https://h", Some(&"k\"1".into())));
        assert_eq!(with.field(API_KEY).unwrap().expose_secret(), "k\"1");
    }
}
