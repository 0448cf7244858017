//! A link that signs a browser in, for the person who started this machine.
//!
//! It is good once, for a minute, and from this machine alone. Behind it stands the form
//! of sign-in, filled in: the functions know nothing of it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use stt_eval_shared::crypto::{random, sha256_hex};

use crate::error::NodeError;

/// Where links begin.
const PATH: &str = "/open/";
/// How long a link is good.
const LIFETIME: Duration = Duration::from_secs(60);

/// A link that was given out.
struct Link {
    /// SHA-256 of what comes after [`PATH`].
    digest: String,
    key: SecretString,
    name: String,
    until: Instant,
}

/// Where a link is taken, if there is one.
#[derive(Default)]
pub(crate) struct Door(Mutex<Option<Link>>);

impl Door {
    /// Gives out a link that signs in with a key under a name, in place of an earlier
    /// one: its path.
    ///
    /// # Errors
    /// When the machine has no randomness to give.
    pub(crate) fn link(&self, key: &str, name: &str) -> Result<String, NodeError> {
        let token = random::<32>().map_err(|e| NodeError(e.to_string()))?;
        let token = BASE64_URL_SAFE_NO_PAD.encode(token);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Link {
            digest: sha256_hex(token.as_bytes()),
            key: key.to_owned().into(),
            name: name.to_owned(),
            until: Instant::now() + LIFETIME,
        });
        Ok(format!("{PATH}{token}"))
    }

    /// The link, if it is this one and may be used now. It is gone then.
    fn take(&self, token: &str, from: &str) -> Option<Link> {
        let is_here = from
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback());
        let digest = sha256_hex(token.as_bytes());
        let mut link = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_this = is_here && link.as_ref().is_some_and(|link| link.digest == digest);
        let taken = if is_this { link.take() } else { None };
        taken.filter(|link| Instant::now() < link.until)
    }

    /// The event of a request as the functions are to see it: a link that is good is
    /// the form of sign-in sent off, and one that is not, the form that tells so.
    pub(crate) fn turned(&self, mut event: Value) -> Value {
        let http = &event["requestContext"]["http"];
        let token = event["rawPath"]
            .as_str()
            .and_then(|path| path.strip_prefix(PATH));
        let Some(token) = token.filter(|_| http["method"] == "GET") else {
            return event;
        };
        let from = http["sourceIp"].as_str().unwrap_or_default();
        let link = self.take(token, from);
        event["rawPath"] = json!("/sign-in");
        event["requestContext"]["http"]["path"] = json!("/sign-in");
        event["rawQueryString"] = json!("link=ended");
        if let Some(link) = link {
            let form = form_urlencoded::Serializer::new(String::new())
                .append_pair("key", link.key.expose_secret())
                .append_pair("name", &link.name)
                .finish();
            event["rawQueryString"] = json!("");
            event["requestContext"]["http"]["method"] = json!("POST");
            event["headers"]["content-type"] = json!("application/x-www-form-urlencoded");
            event["headers"]["sec-fetch-site"] = json!("same-origin");
            event["body"] = json!(form);
            event["isBase64Encoded"] = json!(false);
        }
        event
    }
}

/// What the person who started this machine is called here.
pub(crate) fn person() -> String {
    let named = ["USER", "USERNAME"].into_iter().find_map(|variable| {
        let name = std::env::var(variable).ok()?;
        let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    });
    named.unwrap_or_else(|| "owner".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(method: &str, path: &str, from: &str) -> Value {
        json!({
            "rawPath": path,
            "rawQueryString": "a=b",
            "headers": { "host": "127.0.0.1" },
            "requestContext": { "http": { "method": method, "path": path, "sourceIp": from } },
        })
    }

    fn method(event: &Value) -> &str {
        event["requestContext"]["http"]["method"].as_str().unwrap()
    }

    #[test]
    fn a_link_is_good_once_and_from_here() {
        let door = Door::default();
        let path = door.link("stt_key", "Asha & co").unwrap();
        for (method_, path, from) in [
            ("GET", "/open/x", "127.0.0.1"),
            ("GET", &path, "192.168.1.7"),
            ("GET", &path, "::ffff:192.168.1.7"),
        ] {
            let turned = door.turned(event(method_, path, from));
            assert_eq!(turned["rawPath"], "/sign-in", "{from}");
            assert_eq!(method(&turned), "GET", "{from}");
            assert_eq!(turned["body"], Value::Null);
            assert_eq!(turned["rawQueryString"], "link=ended");
        }
        let other = event("HEAD", &path, "127.0.0.1");
        assert_eq!(door.turned(other.clone()), other);
        let first = door.turned(event("GET", &path, "::ffff:127.0.0.1"));
        assert_eq!(
            (method(&first), &first["rawPath"]),
            ("POST", &json!("/sign-in"))
        );
        assert_eq!(first["rawQueryString"], "");
        assert_eq!(first["body"], "key=stt_key&name=Asha+%26+co");
        let second = door.turned(event("GET", &path, "127.0.0.1"));
        assert_eq!((method(&second), &second["body"]), ("GET", &Value::Null));
    }

    #[test]
    fn a_later_link_takes_its_place_and_none_is_good_for_long() {
        let door = Door::default();
        let (older, newer) = (door.link("k", "n").unwrap(), door.link("k", "n").unwrap());
        let token = |path: &str| path.strip_prefix(PATH).unwrap().to_owned();
        assert!(door.take(&token(&older), "127.0.0.1").is_none());
        door.0.lock().unwrap().as_mut().unwrap().until = Instant::now();
        assert!(door.take(&token(&newer), "127.0.0.1").is_none());
    }
}
