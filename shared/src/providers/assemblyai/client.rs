//! Requests.

use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder};
use time::OffsetDateTime;

use super::wire::{Create, Listed, Page, Transcript, Uploaded};
use crate::providers::audio::ItemAudio;
use crate::providers::credential::Credential;
use crate::providers::error::{CallError, Rejection};
use crate::providers::http::{
    Http, RetryPolicy, Sending, Told, ask, ask_free, key_header, refused_here, repeated, unreadable,
};
use crate::providers::jobs::JobItem;
use crate::providers::regions::{Asked, Regions};

/// Longest time of a request that is paid for: giving up early makes a slow success
/// unknown.
const CREATE: Duration = Duration::from_secs(25);
/// Longest time of one upload.
const UPLOAD: Duration = Duration::from_secs(180);
/// Entries of a page of the list, the most there can be.
const PAGE: usize = 200;
/// Pages that are read at most; more is an error, never a shorter list.
const MOST_PAGES: usize = 500;
/// Clocks differ.
const SKEW: time::Duration = time::Duration::minutes(10);

/// A part of the list: transcripts and what each was made of, oldest first.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Id and the URL of its audio.
    pub(super) transcripts: Vec<(String, String)>,
    /// How many can't be read.
    pub(super) unread: usize,
}

fn header(asked: &Asked) -> Result<HeaderValue, CallError> {
    // No "Bearer".
    key_header("", &asked.key)
}

/// Asks the vendor. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Client {
    regions: Regions,
    http: Http,
    create_timeout: Duration,
    grace: Duration,
}

impl Client {
    /// The grace is the time after which nothing that makes a transcript is under way any
    /// more.
    pub(super) fn new(regions: Regions, grace: Duration) -> Self {
        Self {
            regions,
            http: Http::default(),
            create_timeout: CREATE.min(grace.mul_f64(0.6)),
            grace,
        }
    }

    pub(super) fn grace(&self) -> Duration {
        self.grace
    }

    /// A free request.
    async fn free(
        &self,
        credential: &Credential,
        method: Method,
        path: &str,
        query: &[(&'static str, String)],
    ) -> Result<Bytes, CallError> {
        let asked = self.regions.asked(credential)?;
        let (url, key) = (asked.base.join(path, query)?, header(&asked)?);
        let make = || -> Result<RequestBuilder, CallError> {
            let request = self.http.pooled()?.request(method.clone(), url.clone());
            Ok(request.header(AUTHORIZATION, key.clone()))
        };
        let reply = ask_free(&make, &asked.key, meaning).await?;
        Ok(reply.body)
    }

    /// Sends the audio of an item; gives the URL that stands for it.
    pub(super) async fn upload(
        &self,
        credential: &Credential,
        item: &JobItem,
    ) -> Result<String, CallError> {
        let ItemAudio::Bytes(audio) = &item.audio else {
            return Err(refused_here("audio comes with its bytes"));
        };
        let asked = self.regions.asked(credential)?;
        let (url, key) = (asked.base.join("/v2/upload", &[])?, header(&asked)?);
        let once = || -> BoxFuture<'_, Result<Uploaded, CallError>> {
            async {
                let (body, sending) = Sending::begin(&**audio).await?;
                let request = self.http.pooled()?.post(url.clone()).timeout(UPLOAD);
                let request = request
                    .header(AUTHORIZATION, key.clone())
                    .header(CONTENT_TYPE, "application/octet-stream")
                    .header(CONTENT_LENGTH, audio.len())
                    .body(body);
                let sent = sending.finish(request, &asked.key, meaning);
                sent.await?.json()
            }
            .boxed()
        };
        Ok(repeated(&RetryPolicy::default(), once).await?.upload_url)
    }

    /// Makes a transcript: the request that costs money. Gives its id.
    pub(super) async fn create(
        &self,
        credential: &Credential,
        asked: &Create<'_>,
    ) -> Result<String, CallError> {
        let place = self.regions.asked(credential)?;
        let url = place.base.join("/v2/transcript", &[])?;
        let request = self.http.fresh()?.post(url).timeout(self.create_timeout);
        let request = request.header(AUTHORIZATION, header(&place)?).json(asked);
        let reply = ask(request, &place.key, meaning).await?;
        checked(reply.json::<Transcript>()?.id)
    }

    /// What a transcript is and says, as it comes.
    pub(super) async fn get(&self, credential: &Credential, id: &str) -> Result<Bytes, CallError> {
        let path = format!("/v2/transcript/{id}");
        self.free(credential, Method::GET, &path, &[]).await
    }

    /// Has a transcript blanked. What is gone is no error.
    pub(super) async fn delete(&self, credential: &Credential, id: &str) -> Result<(), CallError> {
        let path = format!("/v2/transcript/{id}");
        match self.free(credential, Method::DELETE, &path, &[]).await {
            Err(error) if error.is_unknown() => Ok(()),
            deleted => deleted.map(drop),
        }
    }

    /// The transcripts of the account since a time.
    pub(super) async fn list(
        &self,
        credential: &Credential,
        since: OffsetDateTime,
    ) -> Result<Seen, CallError> {
        let mut seen = Seen::default();
        let mut before: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut query = vec![("limit", PAGE.to_string())];
            query.extend(before.map(|id| ("before_id", id)));
            let page = self.free(credential, Method::GET, "/v2/transcript", &query);
            let page: Page = serde_json::from_slice(&page.await?)
                .map_err(|_| unreadable("a page of the list that is none"))?;
            let (length, mut last) = (page.transcripts.len(), None);
            let mut is_older = false;
            for entry in page.transcripts {
                let Ok(listed) = serde_json::from_value::<Listed>(entry) else {
                    seen.unread += 1;
                    continue;
                };
                // One without a time may be of any.
                is_older |= listed.created().is_some_and(|at| at < since - SKEW);
                last = Some(listed.id.clone());
                seen.transcripts.push((listed.id, listed.audio_url));
            }
            if length < PAGE || is_older || last.is_none() {
                seen.transcripts.reverse();
                return Ok(seen);
            }
            before = last;
        }
        Err(unreadable("a list that does not end"))
    }

    /// Whether the key is accepted.
    pub(super) async fn check(&self, credential: &Credential) -> Result<(), CallError> {
        let query = [("limit", "1".to_owned())];
        let asked = self.free(credential, Method::GET, "/v2/transcript", &query);
        asked.await.map(drop)
    }
}

/// An id that can stand in a path.
fn checked(id: String) -> Result<String, CallError> {
    let of_id = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if (1..=64).contains(&id.len()) && id.bytes().all(of_id) {
        Ok(id)
    } else {
        Err(unreadable("an id that is none"))
    }
}

/// What the vendor's own words say more than the status: it has no codes, and an account
/// without money is told in a sentence.
fn meaning(status: u16, told: &Told) -> Option<Rejection> {
    let text = told.message.to_ascii_lowercase();
    let is_broke = ["insufficient funds", "account balance", "negative balance"];
    let is_broke = is_broke.iter().any(|words| text.contains(words));
    (is_broke && (400..500).contains(&status)).then_some(Rejection::OutOfCredit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read() {
        let of = |status, text: &str| {
            let body = format!(r#"{{"error":"{text}"}}"#);
            meaning(status, &Told::read(body.as_bytes()))
        };
        let broke = "Your current account balance is negative. Please top up";
        for status in [400, 402, 403] {
            assert_eq!(of(status, broke), Some(Rejection::OutOfCredit));
        }
        assert_eq!(of(500, broke), None);
        assert_eq!(
            of(401, "Authentication error, API token missing/invalid"),
            None
        );
        assert_eq!(of(429, "Too many requests"), None);
    }

    #[test]
    fn ids_are_looked_at() {
        assert!(checked("6zlhkh0v-0123".to_owned()).is_ok());
        for bad in ["", "a/../b", "a?b"] {
            assert!(checked(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
