//! Where a request was sent to, as the browser sees it: by that, cookies and checks
//! of origin are chosen.

use http::HeaderMap;
use http::header::HOST;

use crate::http::host::ORIGINAL_HOST;

/// How a page was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    is_https: bool,
    is_loopback: bool,
}

/// The host that a client named, before an odd one was replaced.
#[must_use]
pub fn host(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(ORIGINAL_HOST).or_else(|| headers.get(HOST))?;
    value.to_str().ok()
}

/// Whether a host, perhaps with a port, is this very machine.
fn is_loopback(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.split(']').next() == Some("::1");
    }
    let name = host.split(':').next().unwrap_or_default();
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

impl Place {
    /// Of the headers of a request. The gateway says how it was reached; in front of
    /// API Gateway there is nothing but https.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let proto = headers.get("x-forwarded-proto");
        Self {
            is_https: proto.is_none_or(|proto| proto == "https"),
            is_loopback: host(headers).is_some_and(is_loopback),
        }
    }

    /// Whether browsers take cookies marked `Secure` from here: over https, and on
    /// loopback.
    #[must_use]
    pub fn is_trustworthy(self) -> bool {
        self.is_https || self.is_loopback
    }

    /// Name of the cookie of a session. The prefix ties it to this host, this path and
    /// to secure connections, where a browser allows it.
    #[must_use]
    pub fn cookie_name(self) -> &'static str {
        if self.is_trustworthy() {
            "__Host-stt"
        } else {
            "stt"
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn place(proto: &'static str, host: &'static str) -> Place {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-proto", HeaderValue::from_static(proto));
        headers.insert(HOST, HeaderValue::from_static(host));
        Place::of(&headers)
    }

    #[test]
    fn secure_cookies_are_for_https_and_loopback() {
        for (proto, host, name) in [
            (
                "https",
                "abc.execute-api.ap-south-1.amazonaws.com",
                "__Host-stt",
            ),
            ("http", "127.0.0.1:8080", "__Host-stt"),
            ("http", "127.9.0.1", "__Host-stt"),
            ("http", "localhost:8080", "__Host-stt"),
            ("http", "[::1]:8080", "__Host-stt"),
            ("http", "192.168.1.7:8080", "stt"),
            ("http", "localhost.example.com", "stt"),
            ("http", "127.0.0.1.example.com", "stt"),
            ("http", "[::2]:8080", "stt"),
        ] {
            assert_eq!(place(proto, host).cookie_name(), name, "{proto} {host}");
        }
    }

    #[test]
    fn the_host_is_the_one_that_was_named() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        headers.insert(ORIGINAL_HOST, HeaderValue::from_static("[::2]:80"));
        assert_eq!(host(&headers), Some("[::2]:80"));
    }
}
