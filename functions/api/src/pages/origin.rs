//! Requests that change something are taken from our own pages only.
//!
//! By what browsers themselves say of where a request comes from; no token is kept.
//! `same-site` is refused: another port of this host is of the same site.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::ORIGIN;
use http::{HeaderMap, Method};

use super::place;
use crate::refusal::{Kind, Refusal};

/// What a request says of where it comes from. A header that can't be read is one
/// that is there and says nothing good.
struct Told<'a> {
    site: Option<&'a str>,
    origin: Option<&'a str>,
    host: Option<&'a str>,
}

impl<'a> Told<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        Self {
            site: text("sec-fetch-site"),
            origin: text(ORIGIN.as_str()),
            host: place::host(headers),
        }
    }

    /// Whether a request of a method is taken.
    fn is_taken(&self, method: &Method) -> bool {
        if method == Method::GET || method == Method::HEAD {
            return true;
        }
        match (self.site, self.origin) {
            // A page of this origin, or an address that a person typed.
            (Some(site), _) => site == "same-origin" || site == "none",
            (None, Some(origin)) => {
                let place = origin
                    .strip_prefix("https://")
                    .or_else(|| origin.strip_prefix("http://"));
                let pair = place.zip(self.host);
                pair.is_some_and(|(place, host)| place.eq_ignore_ascii_case(host))
            }
            // Every browser since 2023 says one of the two.
            (None, None) => false,
        }
    }
}

/// Refuses what other sites send.
pub async fn check(request: Request, next: Next) -> Response {
    if Told::of(request.headers()).is_taken(request.method()) {
        return next.run(request).await;
    }
    Refusal::new(
        Kind::Forbidden,
        "this was sent from another site, or by something that is no browser; open the page on \
         this site and send it from there",
    )
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_may_change_something() {
        let own = Some("127.0.0.1:8080");
        for (method, site, origin, host, taken) in [
            (
                "GET",
                Some("cross-site"),
                Some("https://evil.example"),
                own,
                true,
            ),
            ("HEAD", None, None, own, true),
            ("POST", Some("same-origin"), None, own, true),
            ("POST", Some("none"), None, own, true),
            (
                "POST",
                Some("same-site"),
                Some("http://127.0.0.1:8080"),
                own,
                false,
            ),
            (
                "POST",
                Some("cross-site"),
                Some("http://127.0.0.1:8080"),
                own,
                false,
            ),
            ("POST", Some(""), None, own, false),
            ("POST", None, Some("http://127.0.0.1:8080"), own, true),
            ("POST", None, Some("http://127.0.0.1:8081"), own, false),
            ("POST", None, Some("http://127.0.0.1"), own, false),
            (
                "POST",
                None,
                Some("https://Example.com"),
                Some("example.com"),
                true,
            ),
            (
                "POST",
                None,
                Some("https://example.com.evil"),
                Some("example.com"),
                false,
            ),
            ("POST", None, Some("null"), own, false),
            ("POST", None, Some("?"), own, false),
            ("POST", None, Some("ftp://127.0.0.1:8080"), own, false),
            ("POST", None, Some("http://127.0.0.1:8080"), None, false),
            ("POST", None, None, own, false),
            ("DELETE", None, None, own, false),
            ("PUT", Some("same-site"), None, own, false),
        ] {
            let told = Told { site, origin, host };
            let method: Method = method.parse().unwrap();
            assert_eq!(
                told.is_taken(&method),
                taken,
                "{method} {site:?} {origin:?}"
            );
        }
    }
}
