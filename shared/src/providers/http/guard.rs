//! Where requests may go whose address people gave: to public addresses only.
//!
//! A name is resolved once for each connection, here, and the connection is made to just
//! what was found: so an answer of DNS that was public when the address was given and is
//! private now does not help. An address in the URL itself is never resolved, so it is
//! looked at before a request is made. Proxies of the environment are not used, for
//! these would resolve the name themselves.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{is_loopback, is_public};

/// What resolves names.
type Lookup = dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync;

/// Why an address is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefused {
    /// It is not public.
    #[error("the address is private, or local to a machine or a network")]
    NotPublic,
    /// Speech and keys would go unprotected over the network.
    #[error("the address is not https")]
    Unprotected,
    /// The URL has none.
    #[error("the URL has no host")]
    NoHost,
}

/// Lets requests go to public addresses, and to this machine itself where that is
/// allowed.
#[derive(Clone)]
pub struct Guard {
    loopback: bool,
    lookup: Arc<Lookup>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard")
            .field("loopback", &self.loopback)
            .finish_non_exhaustive()
    }
}

impl Guard {
    /// `loopback`: whether this machine itself may be asked, without TLS as well.
    #[must_use]
    pub fn new(loopback: bool) -> Self {
        let lookup = |name: String| {
            async move {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.collect())
            }
            .boxed()
        };
        Self {
            loopback,
            lookup: Arc::new(lookup),
        }
    }

    fn allows(&self, address: IpAddr) -> bool {
        is_public(address) || (self.loopback && is_loopback(address))
    }

    /// Looks at what a URL says itself, without resolving its name.
    ///
    /// # Errors
    /// It is not to be asked. Numbers in any notation are addresses, as URLs have it.
    pub fn check(&self, url: &Url) -> Result<(), AddressRefused> {
        let host = url.host_str().ok_or(AddressRefused::NoHost)?;
        let literal = literal(host);
        if literal.is_some_and(|address| !self.allows(address)) {
            return Err(AddressRefused::NotPublic);
        }
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.loopback && literal.map_or(host == "localhost", is_loopback) => Ok(()),
            _ => Err(AddressRefused::Unprotected),
        }
    }

    /// The same, and at what its name resolves to now. A name that is not known (yet)
    /// is let through: it is looked at again with each connection.
    ///
    /// # Errors
    /// It is not to be asked.
    pub async fn check_resolved(&self, url: &Url) -> Result<(), AddressRefused> {
        self.check(url)?;
        match url.host_str() {
            Some(host) if literal(host).is_none() => match self.resolved(host.to_owned()).await {
                Err(Unresolved::Refused(refused)) => Err(refused),
                Ok(_) | Err(Unresolved::Unknown(_)) => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// The addresses of a name, all of which may be asked: one that may not, among
    /// others, is no accident.
    async fn resolved(&self, name: String) -> Result<Vec<SocketAddr>, Unresolved> {
        let found = (self.lookup)(name).await?;
        if found.iter().all(|address| self.allows(address.ip())) {
            Ok(found)
        } else {
            Err(AddressRefused::NotPublic.into())
        }
    }
}

/// Why a name gave no address to connect to.
#[derive(Debug, thiserror::Error)]
enum Unresolved {
    #[error(transparent)]
    Refused(#[from] AddressRefused),
    #[error(transparent)]
    Unknown(#[from] io::Error),
}

/// The address that a host of a URL is, unless it is a name.
fn literal(host: &str) -> Option<IpAddr> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        async move {
            match guard.resolved(name.as_str().to_owned()).await {
                Ok(found) => Ok(Box::new(found.into_iter()) as Addrs),
                Err(Unresolved::Refused(refused)) => Err(refused.into()),
                Err(Unresolved::Unknown(error)) => Err(error.into()),
            }
        }
        .boxed()
    }
}

/// Whether an error of a request, or one behind it, is that of a guard.
#[must_use]
pub fn was_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<AddressRefused>() {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn check(guard: &Guard, url: &str) -> Result<(), AddressRefused> {
        guard.check(&Url::parse(url).unwrap())
    }

    /// A guard whose names resolve to these addresses, one list after the other.
    fn resolving(loopback: bool, answers: &'static [&'static [&'static str]]) -> Guard {
        let asked = Arc::new(AtomicUsize::new(0));
        let lookup = move |_| {
            let turn = asked.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
            let found = answers[turn]
                .iter()
                .map(|address| SocketAddr::new(address.parse().unwrap(), 0));
            let found: Vec<_> = found.collect();
            async move { Ok(found) }.boxed()
        };
        Guard {
            loopback,
            lookup: Arc::new(lookup),
        }
    }

    #[test]
    fn addresses_in_urls_are_seen_in_every_notation() {
        let guard = Guard::new(false);
        for url in [
            "https://127.0.0.1/v1",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://127.0.0.1./",
            "https://0/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://169.254.169.254/latest/meta-data",
            "https://2852039166/",
            "https://0xA9FEA9FE/",
            "https://10.0.0.1:8000/v1",
            "https://[fd00:ec2::254]/",
            "https://[64:ff9b::a00:1]/",
            "http://127.0.0.1/",
            // Fullwidth digits are digits in a host.
            "https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
        ] {
            assert_eq!(check(&guard, url), Err(AddressRefused::NotPublic), "{url}");
        }
        for url in [
            "http://8.8.8.8/",
            "http://example.com/",
            "http://localhost/",
            "ftp://8.8.8.8/",
        ] {
            assert_eq!(
                check(&guard, url),
                Err(AddressRefused::Unprotected),
                "{url}"
            );
        }
        for url in [
            "https://8.8.8.8/v1",
            "https://example.com:8443/v1",
            "https://localhost/",
        ] {
            assert_eq!(check(&guard, url), Ok(()), "{url}");
        }
    }

    #[test]
    fn this_machine_is_asked_only_where_that_is_allowed() {
        let guard = Guard::new(true);
        for url in [
            "http://127.0.0.1:8000/v1",
            "http://localhost:8000/v1",
            "http://[::1]:8000/v1",
            "https://127.0.0.1/",
            "https://example.com/",
        ] {
            assert_eq!(check(&guard, url), Ok(()), "{url}");
        }
        for url in [
            "http://10.0.0.1/",
            "http://192.168.1.2/",
            "https://169.254.169.254/",
        ] {
            assert_eq!(check(&guard, url), Err(AddressRefused::NotPublic), "{url}");
        }
        for url in [
            "http://example.com/",
            "http://8.8.8.8/",
            "http://localhost.example.com/",
        ] {
            assert_eq!(
                check(&guard, url),
                Err(AddressRefused::Unprotected),
                "{url}"
            );
        }
    }

    #[tokio::test]
    async fn a_name_must_resolve_to_public_addresses_alone() {
        let url = Url::parse("https://models.example.com/v1").unwrap();
        for answers in [
            &[&["10.0.0.1"] as &[_]] as &'static [&'static [&'static str]],
            &[&["8.8.8.8", "127.0.0.1"]],
            &[&["::1"]],
            &[&["::ffff:10.0.0.1"]],
        ] {
            let refused = resolving(false, answers).check_resolved(&url).await;
            assert_eq!(refused, Err(AddressRefused::NotPublic), "{answers:?}");
        }
        let public = resolving(false, &[&["8.8.8.8", "2606:4700::1"]]);
        assert_eq!(public.check_resolved(&url).await, Ok(()));
        let own = resolving(true, &[&["127.0.0.1", "::1"]]);
        assert_eq!(own.check_resolved(&url).await, Ok(()));
        let private = resolving(true, &[&["192.168.0.7"]]);
        assert!(private.check_resolved(&url).await.is_err());
    }

    #[tokio::test]
    async fn a_name_that_changes_its_address_is_refused_when_it_is_connected_to() {
        let guard = resolving(false, &[&["8.8.8.8"], &["127.0.0.1"]]);
        let url = Url::parse("https://rebinding.example.com/v1").unwrap();
        assert_eq!(guard.check_resolved(&url).await, Ok(()));
        let http = super::super::Http::guarded(guard);
        let error = http.fresh().unwrap().get(url).send().await.unwrap_err();
        assert!(error.is_connect(), "{error:?}");
        assert!(was_refused(&error), "{error:?}");
    }
}
