//! `ETag` and `If-Match`.

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::HeaderMap;
use http::header::{ETAG, HeaderValue, IF_MATCH};
use http::request::Parts;

use crate::services::results::reviews::Expected;

/// The state that a request expects by `If-Match`.
#[derive(Debug)]
pub struct IfMatch(pub Expected);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(expected(&parts.headers)))
    }
}

fn expected(headers: &HeaderMap) -> Expected {
    let mut given = headers.get_all(IF_MATCH).iter().peekable();
    if given.peek().is_none() {
        return Expected::Any;
    }
    let mut tags = Vec::new();
    for tag in given
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
    {
        let tag = tag.trim();
        if tag == "*" {
            return Expected::Any;
        }
        // A weak tag stays as it is and never matches: it says "about the same".
        let bare = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
        tags.push(bare.unwrap_or(tag).to_owned());
    }
    Expected::OneOf(tags)
}

/// Puts the tag of what an answer shows into its header.
#[must_use]
pub fn tagged(mut response: Response, etag: &str) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{etag}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_names_the_state() {
        let given = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(IF_MATCH, value.parse().unwrap());
            }
            expected(&headers).holds("ab12")
        };
        for good in [
            &[] as &[&str],
            &["ab12"],
            &["\"ab12\""],
            &["*"],
            &["\"x\", \"ab12\""],
            &["x", "ab12"],
        ] {
            assert!(given(good), "{good:?}");
        }
        for bad in [
            &[""] as &[&str],
            &["ab1"],
            &["W/\"ab12\""],
            &["\"ab12"],
            &["\"x\",\"y\""],
        ] {
            assert!(!given(bad), "{bad:?}");
        }
    }
}
