//! Which base URLs can be those of a model of one's own.

use reqwest::Url;

use super::super::http::{AddressRefused, Guard};

/// Longest base URL, in bytes.
const MAX_URL: usize = 2_000;

/// The end of a path that base URLs come before.
const PATH: &str = "/audio/transcriptions";

/// Why a text is no base URL of a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressProblem {
    /// It is no URL, or one of another kind.
    #[error("must be a URL such as https://host/v1")]
    Form,
    /// It is longer than any that is in use.
    #[error("must have at most {MAX_URL} characters")]
    Length,
    /// A key belongs elsewhere.
    #[error("must not hold a user name or password; a key has a field of its own")]
    Credentials,
    /// It has a `#`.
    #[error("must not have a fragment (#…)")]
    Fragment,
    /// It has a query, and its dialect none.
    #[error(
        "must not have a query (?…); only that of the dialect azure may have one, of api-version"
    )]
    Query,
    /// It is the whole URL of a request.
    #[error("must end before {PATH}")]
    Path,
    /// It is not asked.
    #[error("{0}; expected is a public https address{also}", also = also(*.1))]
    Refused(AddressRefused, bool),
}

/// What else may be asked.
fn also(loopback: bool) -> &'static str {
    if loopback {
        ", or one of this machine (http://127.0.0.1:PORT)"
    } else {
        ""
    }
}

/// Reads a base URL and gives its normal form. `query`: whether it may have one, with the version of the API;
/// `loopback`: whether this machine itself may be asked.
///
/// # Errors
/// What is wrong with it. Names are not resolved: see [`check_resolved`].
pub fn base_url(text: &str, query: bool, loopback: bool) -> Result<String, AddressProblem> {
    if text.len() > MAX_URL {
        return Err(AddressProblem::Length);
    }
    let plain = text.bytes().all(|b| b > b' ' && b != b'\\' && b != 0x7f);
    let url = Url::parse(text).ok().filter(|_| plain);
    let url = url.ok_or(AddressProblem::Form)?;
    if !matches!(url.scheme(), "http" | "https") || !names_host(text, &url) {
        return Err(AddressProblem::Form);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressProblem::Credentials);
    }
    if url.fragment().is_some() {
        return Err(AddressProblem::Fragment);
    }
    // What else may stand in a query could be a key.
    let only_version = || url.query_pairs().all(|(name, _)| name == "api-version");
    if url.query().is_some() && !(query && only_version()) {
        return Err(AddressProblem::Query);
    }
    if url.path().trim_end_matches('/').ends_with(PATH) {
        return Err(AddressProblem::Path);
    }
    Guard::new(loopback)
        .check(&url)
        .map_err(|refused| AddressProblem::Refused(refused, loopback))?;
    Ok(url.into())
}

/// Whether a URL says where to connect to, as it is written: readers of URLs take the first part
/// of a path for the host where none is given, and names and ports that there can't be.
fn names_host(text: &str, url: &Url) -> bool {
    let is_given = text
        .split_once("://")
        .is_some_and(|(_, rest)| !rest.starts_with('/'));
    let can_be = |host: &str| host.len() <= 254 && host.split('.').all(|label| label.len() <= 63);
    is_given && url.host_str().is_some_and(can_be) && url.port() != Some(0)
}

/// Looks at what the name of a base URL resolves to now; one that is not known (yet) is
/// let through, for it is looked at with each connection.
///
/// # Errors
/// It resolves to an address that is not asked.
pub async fn check_resolved(base_url: &str, loopback: bool) -> Result<(), AddressProblem> {
    let url = Url::parse(base_url).map_err(|_| AddressProblem::Form)?;
    let checked = Guard::new(loopback).check_resolved(&url).await;
    checked.map_err(|refused| AddressProblem::Refused(refused, loopback))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_of_ones_own() {
        for (given, normal) in [
            (
                "https://models.example.com/v1",
                "https://models.example.com/v1",
            ),
            (
                "HTTPS://Models.Example.com:443/v1/",
                "https://models.example.com/v1/",
            ),
            (
                "https://[2606:4700::1]:8443/v1",
                "https://[2606:4700::1]:8443/v1",
            ),
            (
                "https://bücher.example/v1",
                "https://xn--bcher-kva.example/v1",
            ),
        ] {
            assert_eq!(base_url(given, false, false).as_deref(), Ok(normal));
        }
        let azure = "https://a.openai.azure.com/openai/deployments/d?api-version=2026-01-01";
        assert_eq!(base_url(azure, true, false).as_deref(), Ok(azure));
        let own = "http://127.0.0.1:8000/v1";
        assert_eq!(base_url(own, false, true).as_deref(), Ok(own));
    }

    #[test]
    fn what_is_wrong_is_told() {
        use AddressProblem::{Credentials, Form, Fragment, Length, Path, Query, Refused};
        let refused = |why| Refused(why, false);
        for (given, problem) in [
            ("", Form),
            ("models.example.com/v1", Form),
            ("/v1", Form),
            ("ftp://h/v1", Form),
            ("file:///etc/passwd", Form),
            ("https://", Form),
            ("https:///v1", Form),
            ("https:h/v1", Form),
            ("https://h:0/v1", Form),
            (&*format!("https://{}.com/v1", "a".repeat(64)), Form),
            ("https://h/v 1", Form),
            ("https://h\\@internal/v1", Form),
            ("https://h/v1\n", Form),
            ("https://user@h/v1", Credentials),
            ("https://:secret@h/v1", Credentials),
            ("https://h/v1#x", Fragment),
            ("https://h/v1#", Fragment),
            ("https://h/v1?x=y", Query),
            ("https://h/v1?", Query),
            ("https://h/v1/audio/transcriptions", Path),
            ("https://h/v1/audio/transcriptions/", Path),
            ("http://h/v1", refused(AddressRefused::Unprotected)),
            ("http://127.0.0.1/v1", refused(AddressRefused::NotPublic)),
            ("https://0x7f.1/v1", refused(AddressRefused::NotPublic)),
            (
                "https://[::ffff:10.0.0.1]/v1",
                refused(AddressRefused::NotPublic),
            ),
        ] {
            assert_eq!(base_url(given, false, false), Err(problem), "{given}");
        }
        for kept_out in [
            "https://h/v1?api-key=x",
            "https://h/v1?api-version=1&subscription-key=x",
        ] {
            assert_eq!(base_url(kept_out, true, false), Err(Query), "{kept_out}");
        }
        let long = format!("https://h/{}", "x".repeat(MAX_URL));
        assert_eq!(base_url(&long, false, false), Err(Length));
    }
}
