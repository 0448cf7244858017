//! `Idempotency-Key`: the same request again gets the same answer again.
//!
//! The ids of what a request makes are derived from its claim, so a request
//! that died half-way and comes again makes the same things, not more.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{Method, StatusCode, Uri};
use ring::digest::{SHA256, digest};
use stt_eval_shared::App;
use stt_eval_shared::access::{random, sha256_hex};
use stt_eval_shared::domain::{DatasetId, FileId, KeyId, ProjectId, RunId, Timestamp};
use stt_eval_shared::store::idempotency::{Begin, Claim};

use crate::error::ApiError;

/// Longest key.
const MAX_LEN: usize = 255;
const HEADER: &str = "idempotency-key";

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

impl<S: Sync> FromRequestParts<S> for Idempotency {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let key = match (values.next(), values.next()) {
            (None, _) => None,
            (Some(value), None) => {
                let text = value.to_str().unwrap_or_default();
                let visible = text.bytes().all(|b| b.is_ascii_graphic());
                if !visible || !(1..=MAX_LEN).contains(&text.len()) {
                    return Err(ApiError::malformed_field(
                        "Idempotency-Key",
                        "must have 1 to 255 visible ASCII characters",
                    ));
                }
                Some(text.to_owned())
            }
            (Some(_), Some(_)) => {
                return Err(ApiError::malformed_field(
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

/// What a key stands for.
pub enum Begun {
    /// Nothing was done yet.
    Go(Attempt),
    /// It was done: answer again with this status, about these ids.
    Again {
        /// Status that was answered.
        status: StatusCode,
        /// What was made.
        made: Vec<String>,
    },
}

/// One attempt at a request that makes something.
#[derive(Debug)]
pub struct Attempt {
    project: ProjectId,
    claim: Option<Claim>,
    /// When it began.
    pub now: Timestamp,
}

/// What a JSON body says, whatever its blanks and the order of its fields.
fn canonical(bytes: &[u8]) -> String {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(value) => sha256_hex(value.to_string().as_bytes()),
        Err(_) => sha256_hex(bytes),
    }
}

impl Idempotency {
    /// Claims the key for this request, or tells what became of it before.
    pub async fn begin(
        &self,
        app: &App,
        project: &ProjectId,
        body: &[u8],
    ) -> Result<Begun, ApiError> {
        let now = Timestamp::now();
        let Some(key) = &self.key else {
            return Ok(Begun::Go(Attempt {
                project: project.clone(),
                claim: None,
                now,
            }));
        };
        let payload = format!("{} {}\n{}", self.method, self.uri.path(), canonical(body));
        let payload = sha256_hex(payload.as_bytes());
        let key = sha256_hex(format!("idempotency/1\n{key}").as_bytes());
        match app.store.begin_idempotent(project, &key, &payload, now).await? {
            Begin::Claimed(claim) => Ok(Begun::Go(Attempt {
                project: project.clone(),
                claim: Some(claim),
                now,
            })),
            Begin::Done { status, made } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                Ok(Begun::Again { status, made })
            }
            Begin::Running => Err(ApiError::conflict(
                "the same request is still being worked on; ask again with the same Idempotency-Key",
            )
            .retry_after(2)),
            Begin::Mismatch => Err(ApiError::invalid_field(
                "Idempotency-Key",
                "was used with another request; take a new key for a new request",
            )),
        }
    }
}

impl Attempt {
    /// The claim, to be completed together with the effect.
    #[must_use]
    pub fn claim(&self) -> Option<&Claim> {
        self.claim.as_ref()
    }

    /// When the first attempt began, if this is not it.
    #[must_use]
    pub fn repeats(&self) -> Option<Timestamp> {
        self.claim
            .as_ref()
            .filter(|claim| claim.rev > 1)
            .map(|claim| claim.first_at)
    }

    fn seed(&self, kind: &str, index: usize) -> Result<(u64, [u8; 10]), ApiError> {
        let Some(claim) = &self.claim else {
            return Ok((self.now.millis().try_into().unwrap_or(0), random()?));
        };
        let text = format!("id/1\n{}\n{}\n{kind}\n{index}", self.project, claim.key);
        let hash = digest(&SHA256, text.as_bytes());
        let mut entropy = [0u8; 10];
        for (byte, from) in entropy.iter_mut().zip(hash.as_ref()) {
            *byte = *from;
        }
        Ok((claim.first_at.millis().try_into().unwrap_or(0), entropy))
    }

    /// Id of a file this request makes.
    pub fn file_id(&self, index: usize) -> Result<FileId, ApiError> {
        self.seed("file", index)
            .map(|(millis, entropy)| FileId::mint(millis, entropy))
    }

    /// Id of the dataset this request makes.
    pub fn dataset_id(&self) -> Result<DatasetId, ApiError> {
        self.seed("dataset", 0)
            .map(|(millis, entropy)| DatasetId::mint(millis, entropy))
    }

    /// Id of the run this request makes.
    pub fn run_id(&self) -> Result<RunId, ApiError> {
        self.seed("run", 0)
            .map(|(millis, entropy)| RunId::mint(millis, entropy))
    }

    /// Id of the API key this request makes.
    pub fn key_id(&self) -> Result<KeyId, ApiError> {
        self.seed("key", 0)
            .map(|(millis, entropy)| KeyId::mint(millis, entropy))
    }

    /// Completes the claim by itself, for effects that are not one
    /// transaction.
    pub async fn complete(
        &self,
        app: &App,
        status: u16,
        made: Vec<String>,
    ) -> Result<(), ApiError> {
        match &self.claim {
            None => Ok(()),
            Some(claim) => Ok(app
                .store
                .complete_idempotent(&self.project, claim, status, made)
                .await?),
        }
    }

    /// Gives the claim back when the request was not done, so that it can be
    /// sent again at once, corrected or not.
    ///
    /// Safe even when the outcome of a write is unknown: what completes the
    /// claim is part of the write, so either the claim is completed and stays,
    /// or the write can't be done any more once the claim is gone.
    pub async fn settle<T>(&self, app: &App, outcome: Result<T, ApiError>) -> Result<T, ApiError> {
        if let (Err(_), Some(claim)) = (&outcome, &self.claim)
            && let Err(error) = app.store.release_idempotent(&self.project, claim).await
        {
            tracing::warn!(%error, "a claim of an Idempotency-Key was not given back; it lapses by itself");
        }
        outcome
    }

    /// As [`Attempt::settle`] for refusals (4xx) only. After other errors the
    /// claim stays, so that the next attempt goes on with the same ids.
    pub async fn settle_refused<T>(
        &self,
        app: &App,
        outcome: Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        match outcome {
            Err(error) if error.status.is_server_error() => Err(error),
            outcome => self.settle(app, outcome).await,
        }
    }
}

/// What an earlier request made is gone.
#[must_use]
pub fn deleted_since() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "what the first request with this Idempotency-Key made has been deleted since",
    )
}

/// The ids of what an earlier request made.
pub fn made_ids<T: std::str::FromStr>(made: &[String]) -> Result<Vec<T>, ApiError> {
    made.iter()
        .map(|id| {
            id.parse()
                .map_err(|_| ApiError::internal("a claim holds an id of another kind"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(project: &str, key: Option<&str>, first_at: i64, now: i64) -> Attempt {
        Attempt {
            project: project.parse().unwrap(),
            claim: key.map(|key| Claim {
                key: key.into(),
                payload: String::new(),
                first_at: Timestamp::from_millis(first_at),
                claimed_at: Timestamp::from_millis(now),
                status: None,
                made: Vec::new(),
                rev: 2,
            }),
            now: Timestamp::from_millis(now),
        }
    }

    #[test]
    fn a_claim_always_makes_the_same_ids() {
        let first = attempt("demo", Some("k"), 1_000, 1_000);
        let again = attempt("demo", Some("k"), 1_000, 90_000);
        assert_eq!(first.file_id(0).unwrap(), again.file_id(0).unwrap());
        assert_eq!(first.dataset_id().unwrap(), again.dataset_id().unwrap());
        assert_eq!(first.run_id().unwrap(), again.run_id().unwrap());
        assert_ne!(first.file_id(0).unwrap(), first.file_id(1).unwrap());
        for other in [
            attempt("demo2", Some("k"), 1_000, 1_000),
            attempt("demo", Some("l"), 1_000, 1_000),
            attempt("demo", Some("k"), 2_000, 2_000),
            attempt("demo", None, 1_000, 1_000),
        ] {
            assert_ne!(first.file_id(0).unwrap(), other.file_id(0).unwrap());
        }
        assert_eq!(again.repeats(), Some(Timestamp::from_millis(1_000)));
    }

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
            assert_eq!(read(bad).await.unwrap_err().status.as_u16(), 400);
        }
    }
}
