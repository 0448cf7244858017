//! A vendor with one address that speaks the dialect.

use std::sync::Arc;

use async_trait::async_trait;

use super::super::calls::{CallAnswer, CallItem, Calls};
use super::super::consult::Consult;
use super::super::credential::Credential;
use super::super::error::CallError;
use super::super::http::BaseUrl;
use super::super::lines::{Measured, OutputLine, ReadsLines};
use super::super::vendor::{Settings, SetupError};
use super::client::Client;
use crate::domain::dialect::Dialect;
use crate::domain::transcribe::ModelConfig;

/// A vendor that speaks the dialect.
pub(in super::super) struct Hosted {
    client: Client,
    base: BaseUrl,
    dialect: Dialect,
}

/// The client of a vendor at an address, if the settings do not name another one.
pub(in super::super) fn hosted(
    settings: &Settings,
    address: &str,
    dialect: Dialect,
) -> Result<Arc<Hosted>, SetupError> {
    let address = settings.base_url.as_deref().unwrap_or(address);
    let base = BaseUrl::parse(address).map_err(SetupError::BaseUrl)?;
    Ok(Arc::new(Hosted {
        client: Client::default(),
        base,
        dialect,
    }))
}

impl ReadsLines for Hosted {
    fn read_line(&self, line: &[u8]) -> OutputLine {
        self.client.read_line(line)
    }

    fn measured(&self, line: &[u8]) -> Measured {
        self.client.measured(line)
    }
}

#[async_trait]
impl Consult for Hosted {
    async fn check_credential(&self, credential: &Credential) -> Result<(), CallError> {
        self.client
            .check(&self.dialect, &self.base, &credential.secret)
            .await
    }
}

#[async_trait]
impl Calls for Hosted {
    async fn call(
        &self,
        credential: &Credential,
        item: &CallItem<'_>,
        config: &ModelConfig,
    ) -> Result<CallAnswer, CallError> {
        self.client
            .transcribe(
                &self.dialect,
                &self.base,
                Some(&credential.secret),
                item,
                config,
            )
            .await
    }
}
