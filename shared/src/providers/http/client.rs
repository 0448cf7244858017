//! Connections, base URLs, key headers, and answers of bounded length.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use super::errors::{self, Unanswered, of_reqwest};
use super::guard::Guard;
use super::scrub::scrubbed;
use crate::providers::error::{CallError, Rejection};
use crate::tls;

/// Longest answer that is read into memory whole, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Most that is read of a refusal, in bytes.
const MAX_REFUSAL: usize = 256 * 1024;

/// Longest time for a connection to stand, TLS included, where nothing else is said.
const CONNECT: Duration = Duration::from_secs(10);

/// Scheme, host and port of a vendor, with a path that is kept as a prefix.
#[derive(Debug, Clone)]
pub struct BaseUrl {
    /// Without its query, and without a slash at its end.
    text: String,
    url: Url,
}

impl BaseUrl {
    /// Reads one. The error says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|e| e.to_string())?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !plain {
            return Err("expected http(s)://host, without credentials or query".to_owned());
        }
        Ok(Self::of(url))
    }

    /// One that was checked, and may have a query: every URL below it has the same.
    #[must_use]
    pub fn of(url: Url) -> Self {
        let mut bare = url.clone();
        bare.set_query(None);
        Self {
            text: bare.as_str().trim_end_matches('/').to_owned(),
            url,
        }
    }

    /// The URL itself.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The URL of a path below it, which begins with a slash and is made of
    /// parts that were checked.
    pub fn join(&self, path: &str, query: &[(&'static str, String)]) -> Result<Url, CallError> {
        let mut url = Url::parse(&format!("{}{path}", self.text))
            .map_err(|_| errors::refused_here("the path is not usable in a URL"))?;
        url.set_query(self.url.query());
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// The path below it of a URL on the same server.
    #[must_use]
    pub fn below(&self, url: &Url) -> Option<String> {
        if url.origin() != self.url.origin() {
            return None;
        }
        let prefix = self.url.path().trim_end_matches('/');
        let below = url.path().strip_prefix(prefix)?;
        below.starts_with('/').then(|| below.to_owned())
    }

    /// Whether a URL that the vendor gave may be used: not less protected than
    /// this one.
    #[must_use]
    pub fn allows(&self, url: &Url) -> bool {
        url.has_host()
            && (url.scheme() == "https" || (url.scheme() == "http" && self.url.scheme() == "http"))
    }
}

/// What sends requests. Built for the first one: it reads the TLS roots, which
/// takes long, and many a process never asks a vendor anything.
#[derive(Debug, Clone)]
pub struct Http {
    connect_timeout: Duration,
    guard: Option<Guard>,
    pools: Arc<OnceLock<Pools>>,
}

#[derive(Debug)]
struct Pools {
    pooled: reqwest::Client,
    /// Opens a connection for each call.
    fresh: reqwest::Client,
}

impl Pools {
    fn build(connect_timeout: Duration, guard: Option<&Guard>) -> Result<Self, String> {
        let tls = tls::config().map_err(|e| e.to_string())?;
        let build = |idle: usize| {
            let builder = reqwest::Client::builder();
            let builder = match guard {
                Some(guard) => builder.dns_resolver(guard.clone()).no_proxy(),
                None => builder,
            };
            let client = builder
                .tls_backend_preconfigured(tls.clone())
                .user_agent(concat!("stt-eval/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(connect_timeout)
                .pool_idle_timeout(Duration::from_secs(60))
                .pool_max_idle_per_host(idle)
                .build();
            client.map_err(|e| of_reqwest(e).1)
        };
        Ok(Self {
            pooled: build(8)?,
            fresh: build(0)?,
        })
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::new(CONNECT)
    }
}

impl Http {
    /// Makes no request and reads no roots yet. The time-out is for a connection
    /// to stand, TLS included.
    #[must_use]
    pub fn new(connect_timeout: Duration) -> Self {
        Self {
            connect_timeout,
            guard: None,
            pools: Arc::default(),
        }
    }

    /// The same for addresses that people gave. One that stands in a URL itself is to be
    /// shown to the guard before a request is made.
    #[must_use]
    pub fn guarded(guard: Guard) -> Self {
        Self {
            guard: Some(guard),
            ..Self::new(CONNECT)
        }
    }

    /// For calls that may be made again: on a connection that is kept.
    pub fn pooled(&self) -> Result<&reqwest::Client, CallError> {
        Ok(&self.pools()?.pooled)
    }

    /// For calls that cost money: each on a connection of its own.
    pub fn fresh(&self) -> Result<&reqwest::Client, CallError> {
        Ok(&self.pools()?.fresh)
    }

    /// Nothing can be sent from a machine without TLS roots: as from one
    /// without a network.
    fn pools(&self) -> Result<&Pools, CallError> {
        if let Some(pools) = self.pools.get() {
            return Ok(pools);
        }
        let built = Pools::build(self.connect_timeout, self.guard.as_ref())
            .map_err(|message| errors::transport(Unanswered::Connect, message))?;
        Ok(self.pools.get_or_init(|| built))
    }
}

/// The value of a header that holds a key, after a prefix such as `Bearer `. A
/// key that can't be one is refused before anything is sent.
pub fn key_header(prefix: &str, key: &SecretString) -> Result<HeaderValue, CallError> {
    let key = key.expose_secret();
    let value = HeaderValue::from_str(&format!("{prefix}{key}")).ok();
    let mut value = value.filter(|_| !key.is_empty()).ok_or_else(|| {
        let message = "the key has characters that no key has; nothing was sent";
        CallError::not_sent(Rejection::Unauthorized, message)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// A successful answer.
#[derive(Debug)]
pub struct Reply {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, or what was kept of it.
    pub body: Bytes,
}

impl Reply {
    /// The body as a JSON object; [`CallError::Ambiguous`] when it is not.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        let length = self.body.len();
        // serde would take an array for a structure, by position.
        if self.body.trim_ascii_start().first() != Some(&b'{') {
            return Err(errors::unreadable(&format!(
                "{length} bytes that are no object"
            )));
        }
        serde_json::from_slice(&self.body).map_err(|e| {
            // The position only: the text of a serde error can quote the body.
            let (kind, line, column) = (e.classify(), e.line(), e.column());
            errors::unreadable(&format!(
                "{length} bytes that are not what was expected ({kind:?} at {line}:{column})"
            ))
        })
    }
}

/// Reads an answer: a success by `keep`, a refusal by what `classify` makes of
/// its status, headers and the beginning of its body.
pub async fn read_answer<K>(
    key: &SecretString,
    response: reqwest::Response,
    keep: impl FnOnce(reqwest::Response) -> K,
    classify: impl FnOnce(u16, &HeaderMap, &[u8]) -> CallError,
) -> Result<Reply, CallError>
where
    K: Future<Output = Result<Bytes, String>>,
{
    let status = response.status();
    let headers = response.headers().clone();
    let error = if status.is_success() {
        match keep(response).await {
            Ok(body) => return Ok(Reply { headers, body }),
            Err(why) => errors::unreadable(&why),
        }
    } else {
        // The status of a refusal counts even when its text got lost.
        let body = beginning(response.bytes_stream()).await;
        classify(status.as_u16(), &headers, &body)
    };
    Err(scrubbed(error, key))
}

/// A body as it is, up to a length. A longer one is as good as none.
pub async fn read_body(response: reqwest::Response) -> Result<Bytes, String> {
    let (body, is_cut) = up_to_most(response.bytes_stream()).await?;
    match is_cut {
        true => Err(format!("its body is longer than {MAX_BODY} bytes")),
        false => Ok(body),
    }
}

/// The same, with the beginning of a longer one: there is an answer, and it can't be read.
pub async fn read_cut(response: reqwest::Response) -> Result<Bytes, String> {
    Ok(up_to_most(response.bytes_stream()).await?.0)
}

/// A body up to a length, and whether there is more of it.
async fn up_to_most(
    mut body: impl Stream<Item = reqwest::Result<Bytes>> + Unpin,
) -> Result<(Bytes, bool), String> {
    let mut read = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|e| of_reqwest(e).1)?;
        if read.len() + piece.len() > MAX_BODY {
            return Ok((read.freeze(), true));
        }
        read.extend_from_slice(&piece);
    }
    Ok((read.freeze(), false))
}

/// The beginning of a body, as far as it comes.
async fn beginning(mut body: impl Stream<Item = reqwest::Result<Bytes>> + Unpin) -> Bytes {
    let mut read = BytesMut::new();
    while let Some(Ok(piece)) = body.next().await {
        read.extend_from_slice(&piece);
        if read.len() >= MAX_REFUSAL {
            break;
        }
    }
    read.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls() {
        for good in ["http://127.0.0.1:80", "https://h/", "https://h/prefix/"] {
            let base = BaseUrl::parse(good).unwrap();
            let url = base.join("/v1/x", &[("q", "a b".to_owned())]).unwrap();
            assert!(url.as_str().ends_with("/v1/x?q=a+b"), "{url}");
            assert_eq!(base.below(&url).as_deref(), Some("/v1/x"));
        }
        for bad in [
            "",
            "h",
            "ftp://h",
            "https://",
            "https://u:p@h",
            "https://h?key=x",
            "file:///x",
        ] {
            assert!(BaseUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn urls_that_a_vendor_gave() {
        let base = |text| BaseUrl::parse(text).unwrap();
        let (https, http) = (base("https://h/p"), base("http://h"));
        let url = |u: &str| Url::parse(u).unwrap();
        assert!(https.allows(&url("https://other/x?y=z")));
        assert!(!https.allows(&url("http://h/x")));
        assert!(http.allows(&url("http://h/x")) && http.allows(&url("https://h/x")));
        assert!(!http.allows(&url("file:///x")));
        assert_eq!(
            https.below(&url("https://h/p/x?key=1")).as_deref(),
            Some("/x")
        );
        for elsewhere in [
            "https://h/px",
            "https://h/x",
            "https://h:8443/p/x",
            "http://h/p/x",
        ] {
            assert_eq!(https.below(&url(elsewhere)), None, "{elsewhere}");
        }
    }

    #[test]
    fn keys_that_cannot_be_sent() {
        for key in ["", "a\nb", "a\0"] {
            let error = key_header("Bearer ", &key.into()).unwrap_err();
            assert!(error.is_unauthorized(), "{error:?}");
        }
        let header = key_header("Bearer ", &"k-1".into()).unwrap();
        assert_eq!(header.to_str().unwrap(), "Bearer k-1");
        assert!(header.is_sensitive());
    }
}
