//! Vendors that are at several places: people choose, with their key, in which the speech
//! that they send is worked on and kept.

use secrecy::SecretString;

use super::credential::{Credential, REGION};
use super::error::{CallError, Rejection};
use super::http::BaseUrl;
use super::vendor::{Settings, SetupError};

/// Where a vendor is.
#[derive(Debug, Clone)]
pub struct Regions {
    usual: BaseUrl,
    /// Further ones, by name. None where the configuration says where the vendor is.
    others: Vec<(&'static str, BaseUrl)>,
    is_set: bool,
}

/// Where and with what a credential asks.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Where.
    pub base: BaseUrl,
    /// With what.
    pub key: SecretString,
}

impl Regions {
    /// The usual place, and others by the names that a credential has for them. Where the
    /// configuration names an address, that is the only one.
    ///
    /// # Errors
    /// When an address is none.
    pub fn of(
        settings: &Settings,
        usual: &str,
        others: &[(&'static str, &str)],
    ) -> Result<Self, SetupError> {
        let parse = |address: &str| BaseUrl::parse(address).map_err(SetupError::BaseUrl);
        let others = others.iter().map(|(name, at)| Ok((*name, parse(at)?)));
        Ok(Self {
            usual: parse(settings.base_url.as_deref().unwrap_or(usual))?,
            others: others.collect::<Result<_, SetupError>>()?,
            is_set: settings.base_url.is_some(),
        })
    }

    #[cfg(test)]
    pub(super) fn at(address: &str) -> Self {
        Self {
            usual: BaseUrl::parse(address).unwrap(),
            others: Vec::new(),
            is_set: true,
        }
    }

    /// Where a credential asks: never elsewhere than it says.
    ///
    /// # Errors
    /// A region that this release does not know; nothing is sent.
    pub fn asked(&self, credential: &Credential) -> Result<Asked, CallError> {
        let base = match credential.named(REGION) {
            Some(name) if !self.is_set => {
                let known = self.others.iter().find(|(known, _)| *known == name);
                let unknown = || {
                    CallError::not_sent(Rejection::Unauthorized, "a region that is not known here")
                };
                &known.ok_or_else(unknown)?.1
            }
            _ => &self.usual,
        };
        Ok(Asked {
            base: base.clone(),
            key: credential.key(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn asked(base_url: Option<&str>, secret: &str) -> Result<String, CallError> {
        let settings = Settings {
            base_url: base_url.map(str::to_owned),
            loopback: false,
            grace: Duration::from_secs(1),
        };
        let others = [("in", "https://api.in.example")];
        let regions = Regions::of(&settings, "https://api.example", &others).unwrap();
        let credential = Credential {
            id: "c".to_owned(),
            secret: secret.into(),
        };
        let asked = regions.asked(&credential)?;
        assert_eq!(
            secrecy::ExposeSecret::expose_secret(&asked.key),
            "key-12345"
        );
        Ok(asked.base.join("/v1", &[]).unwrap().to_string())
    }

    #[test]
    fn a_key_is_asked_with_where_it_says() {
        let india = r#"{"api_key":"key-12345","region":"in"}"#;
        assert_eq!(asked(None, "key-12345").unwrap(), "https://api.example/v1");
        assert_eq!(asked(None, india).unwrap(), "https://api.in.example/v1");
        // A stand-in of the whole vendor.
        let here = asked(Some("http://127.0.0.1:1"), india);
        assert_eq!(here.unwrap(), "http://127.0.0.1:1/v1");
        // Of a later release: nothing is sent to the usual place instead.
        let unknown = asked(None, r#"{"api_key":"key-12345","region":"mars"}"#);
        assert!(unknown.unwrap_err().is_unauthorized());
    }
}
