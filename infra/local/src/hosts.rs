//! The api under each name that this machine is called by.
//!
//! What the api signs leads to one place, and a phone has no other way to this machine than
//! the address that it asked. So where the machine listens to others, the bucket stands
//! behind the same door, and URLs lead to the host of the request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use api::Handler;
use aws_types::SdkConfig;
use serde_json::Value;
use stt_eval_shared::App;

/// Names that are kept. A client can make up any number of them.
const MOST: usize = 16;

/// Configurations for signing, by host.
type Signing = Box<dyn Fn(&str) -> SdkConfig + Send + Sync>;

/// The api for all names.
pub(crate) struct Hosts {
    app: App,
    /// `None` while this machine listens to itself only: then one place is enough.
    signing: Option<Signing>,
    here: Arc<Handler>,
    by_host: Mutex<BTreeMap<String, Arc<Handler>>>,
}

/// A host, perhaps with a port, of which a URL can be made.
fn is_host(host: &str) -> bool {
    let read = host.parse::<http::uri::Authority>();
    read.is_ok_and(|read| read.as_str() == host && !host.contains('@'))
}

impl Hosts {
    pub(crate) fn new(
        app: &App,
        signing: Option<impl Fn(&str) -> SdkConfig + Send + Sync + 'static>,
    ) -> Self {
        Self {
            app: app.clone(),
            signing: signing.map(|signing| Box::new(signing) as Signing),
            here: Arc::new(Handler::new(app.clone())),
            by_host: Mutex::default(),
        }
    }

    /// The api for the event of a request.
    pub(crate) fn of(&self, event: &Value) -> Arc<Handler> {
        let host = event["headers"]["host"].as_str();
        let host = host.filter(|host| is_host(host));
        let (Some(signing), Some(host)) = (&self.signing, host) else {
            return self.here.clone();
        };
        let mut by_host = self.by_host.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = by_host.get(host) {
            return known.clone();
        }
        if by_host.len() >= MOST {
            by_host.clear();
        }
        let app = self.app.clone().signing_for(signing(host));
        let made = Arc::new(Handler::new(app));
        by_host.insert(host.to_owned(), made.clone());
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_are_signed_for() {
        for host in ["box", "192.168.1.7:8080", "[fe80::1]:8080", "a.example:1"] {
            assert!(is_host(host), "{host}");
        }
        for host in ["", "a b", "a/b", "user@box", "box?x", "box#x", "box:a b"] {
            assert!(!is_host(host), "{host}");
        }
    }
}
