//! `Idempotency-Key`: the same request again gets the same answer again.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{Method, StatusCode, Uri};
use serde::Serialize;
use stt_eval_shared::App;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::store::idempotency::Begin;
use stt_eval_shared::wire::paths::{self, IDEMPOTENCY_HEADER as HEADER};

use crate::http::envelope::one;
use crate::http::error::Answer;
use crate::refusal::Refusal;
use crate::services::attempt::{Attempt, deleted_since};

/// Longest key.
const MAX_LEN: usize = 255;

/// The key of a request, and what the request is about.
#[derive(Debug, Clone)]
pub struct Idempotency {
    key: Option<String>,
    method: Method,
    uri: Uri,
}

/// The key as the OpenAPI document tells of it.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(
    dead_code,
    reason = "read by the extractor; here for the document only"
)]
pub struct IdempotencyHeader {
    /// The same key with the same body gets the same answer again (same ids,
    /// same status) for at least 24 hours; with another body 422. 1 to 255
    /// visible ASCII characters.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$"
    )]
    key: Option<String>,
}

fn is_key(text: &str) -> bool {
    (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

impl<S: Sync> FromRequestParts<S> for Idempotency {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let key = match (values.next(), values.next()) {
            (None, _) => None,
            (Some(value), None) => {
                let text = value.to_str().unwrap_or_default();
                if !is_key(text) {
                    return Err(Refusal::malformed_field(
                        "Idempotency-Key",
                        "must have 1 to 255 visible ASCII characters",
                    ));
                }
                Some(text.to_owned())
            }
            (Some(_), Some(_)) => {
                return Err(Refusal::malformed_field(
                    "Idempotency-Key",
                    "is there twice",
                ));
            }
        };
        Ok(Self {
            key,
            method: parts.method.clone(),
            uri: parts.uri.clone(),
        })
    }
}

/// A request that makes something.
pub struct Making<'a> {
    app: &'a App,
    project: &'a ProjectId,
    /// A repeated request is known by it.
    body: &'a [u8],
    /// Status of the answer when it was done, now or by an earlier request.
    status: StatusCode,
    given_back: GivenBack,
}

impl<'a> Making<'a> {
    /// A request whose effect is one transaction: its key is given back after any
    /// error.
    #[must_use]
    pub fn new(app: &'a App, project: &'a ProjectId, body: &'a [u8], status: StatusCode) -> Self {
        Self {
            app,
            project,
            body,
            status,
            given_back: GivenBack::OnError,
        }
    }

    /// A request whose effect has several steps: after a failure the key stays
    /// claimed, and the next attempt goes on from what is there already.
    #[must_use]
    pub fn in_steps(self) -> Self {
        Self {
            given_back: GivenBack::OnRefusal,
            ..self
        }
    }
}

/// When the key of a request that was not done is given back, so that the request
/// can be sent again at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GivenBack {
    /// Whatever went wrong.
    OnError,
    /// When it was refused. After a failure the next attempt needs the same ids.
    OnRefusal,
}

/// What a key stands for.
enum Begun {
    /// Nothing was done yet.
    Go(Attempt),
    /// It was done: answer again with this status, about these ids.
    Again {
        status: StatusCode,
        made: Vec<String>,
    },
}

/// What a JSON body says, whatever its blanks and the order of its fields.
fn canonical(bytes: &[u8]) -> String {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(value) => sha256_hex(value.to_string().as_bytes()),
        Err(_) => sha256_hex(bytes),
    }
}

impl Idempotency {
    /// Of a form, whose hidden token is the key: sent twice it is done once.
    ///
    /// # Errors
    /// When the token is missing or is no key.
    pub fn of_form(token: &str, uri: Uri) -> Result<Self, Refusal> {
        if !is_key(token) {
            return Err(Refusal::malformed_field(
                "token",
                "is missing or was changed; open the page anew and send it from there",
            ));
        }
        Ok(Self {
            key: Some(token.to_owned()),
            method: Method::POST,
            uri,
        })
    }

    /// Does a request once, however often it comes: `make` does it; `show` looks up
    /// what an earlier request with the same key made, by its ids. Both give what
    /// is answered; `show` gives `None` when it is gone.
    ///
    /// # Errors
    /// What `make` and `show` refuse; a key that was used with another request, or
    /// whose request is still being worked on; and what was made and is gone.
    pub async fn once<T, I, Made, Shown>(
        &self,
        making: Making<'_>,
        make: impl FnOnce(Attempt) -> Made,
        show: impl FnOnce(Vec<I>) -> Shown,
    ) -> Answer
    where
        T: Serialize,
        I: FromStr,
        Made: Future<Output = Result<T, Refusal>>,
        Shown: Future<Output = Result<Option<T>, Refusal>>,
    {
        let (status, made) = self.made_once(making, make, show).await?;
        one(status, made)
    }

    /// As [`Idempotency::once`]; gives what was made instead of an answer, with the
    /// status that it is answered with.
    ///
    /// # Errors
    /// As [`Idempotency::once`].
    pub async fn made_once<T, I, Made, Shown>(
        &self,
        making: Making<'_>,
        make: impl FnOnce(Attempt) -> Made,
        show: impl FnOnce(Vec<I>) -> Shown,
    ) -> Result<(StatusCode, T), Refusal>
    where
        I: FromStr,
        Made: Future<Output = Result<T, Refusal>>,
        Shown: Future<Output = Result<Option<T>, Refusal>>,
    {
        let attempt = match self.begin(&making).await? {
            Begun::Go(attempt) => attempt,
            Begun::Again { status, made } => {
                let shown = show(made_ids(&made)?).await?;
                return Ok((status, shown.ok_or_else(deleted_since)?));
            }
        };
        let made = make(attempt.clone()).await;
        let made = match making.given_back {
            GivenBack::OnError => attempt.settle(making.app, made).await?,
            GivenBack::OnRefusal => attempt.settle_refused(making.app, made).await?,
        };
        Ok((making.status, made))
    }

    /// Claims the key for this request, or tells what became of it before.
    async fn begin(&self, making: &Making<'_>) -> Result<Begun, Refusal> {
        let now = Timestamp::now();
        let project = making.project;
        let Some(key) = &self.key else {
            return Ok(Begun::Go(Attempt::new(project.clone(), None, now)));
        };
        let body = canonical(making.body);
        // Without what all paths begin with: so it is kept since the first release.
        let path = self.uri.path();
        let end = [paths::BASE, paths::PROJECT_BASE]
            .iter()
            .find_map(|base| path.strip_prefix(base))
            .unwrap_or(path);
        let payload = format!("{} {end}\n{body}", self.method);
        let payload = sha256_hex(payload.as_bytes());
        let key = sha256_hex(format!("idempotency/1\n{key}").as_bytes());
        let status = making.status.as_u16();
        let store = &making.app.store;
        match store
            .begin_idempotent(project, &key, &payload, status, now)
            .await?
        {
            Begin::Claimed(claim) => Ok(Begun::Go(Attempt::new(project.clone(), Some(claim), now))),
            Begin::Done { status, made } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                Ok(Begun::Again { status, made })
            }
            Begin::Running => Err(Refusal::conflict(
                "the same request is still being worked on; ask again with the same Idempotency-Key",
            )
            .retry_after(2)),
            Begin::Mismatch => Err(Refusal::invalid_field(
                "Idempotency-Key",
                "was used with another request; take a new key for a new request",
            )),
        }
    }
}

/// The one thing that an earlier request made.
///
/// # Errors
/// When it made none.
pub fn first<I: Copy>(made: &[I]) -> Result<I, Refusal> {
    made.first().copied().ok_or_else(deleted_since)
}

/// The ids of what an earlier request made.
fn made_ids<T: FromStr>(made: &[String]) -> Result<Vec<T>, Refusal> {
    made.iter()
        .map(|id| {
            id.parse()
                .map_err(|_| Refusal::internal("a claim holds an id of another kind"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Kind;

    #[test]
    fn blanks_and_order_of_fields_make_no_other_request() {
        assert_eq!(
            canonical(b"{\"a\":1,\"b\":[2]}"),
            canonical(b" { \"b\" : [2], \"a\":1 }")
        );
        assert_ne!(canonical(b"{\"a\":1}"), canonical(b"{\"a\":2}"));
        assert_ne!(canonical(b"--boundary"), canonical(b"--boundary2"));
    }

    #[tokio::test]
    async fn odd_keys_are_refused() {
        let read = async |values: &[&[u8]]| {
            let mut request = http::Request::builder().uri("/x");
            for value in values {
                request = request.header(HEADER, *value);
            }
            let (mut parts, ()) = request.body(()).unwrap().into_parts();
            Idempotency::from_request_parts(&mut parts, &()).await
        };
        assert!(read(&[]).await.unwrap().key.is_none());
        assert_eq!(read(&[b"abc"]).await.unwrap().key.as_deref(), Some("abc"));
        let long = "x".repeat(256);
        for bad in [
            &[b"" as &[u8]] as &[&[u8]],
            &[b"a b"],
            &[b"\xff"],
            &[long.as_bytes()],
            &[b"a", b"b"],
        ] {
            assert_eq!(read(bad).await.unwrap_err().kind, Kind::Malformed);
        }
    }
}
