//! Around every page: refusals as pages, the headers, compression.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue,
    RETRY_AFTER,
};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use stt_eval_html::buttons::by_buttons;
use stt_eval_html::layout::{Frame, Medium, Section};
use stt_eval_html::problem::Problem;
use stt_eval_shared::App;

use super::answer::{HTML, redirect};
use super::back;
use super::headers::{self, Policy};
use super::packing::packed;
use super::place::Place;
use super::session::{Visit, was_signed_in};
use crate::http::error::PendingRefusal;
use crate::http::observe::{RequestId, tell};
use crate::http::query::encoded;
use crate::refusal::{Kind, Refusal};

/// What the paths of the API begin with.
const PROGRAMS: &str = "/api/";

/// What is known of a request once it is answered.
struct Asked {
    method: Method,
    target: String,
    request_id: String,
    takes_gzip: bool,
    headers: HeaderMap,
}

/// Marks an answer that is none of a page.
#[derive(Clone)]
struct ForPrograms;

/// Marks a request whose address is not asked for in this way.
#[derive(Clone, Copy)]
pub(super) struct ByNoMethod;

/// What is at an address where nothing is: a page for a browser, and for programs what
/// the API answers.
pub async fn nowhere(request: Request) -> Response {
    let accepted = request.headers().get(ACCEPT).and_then(|v| v.to_str().ok());
    let is_page = accepted.is_some_and(|types| types.contains("text/html"))
        && !request.uri().path().starts_with(PROGRAMS);
    let noun = if is_page { "page" } else { "route" };
    let refusal = match request.extensions().get() {
        Some(ByNoMethod) => Refusal::new(
            Kind::NoSuchMethod,
            format!("this {noun} does not take this method"),
        ),
        None => Refusal::no_such(noun),
    };
    let mut response = refusal.into_response();
    if !is_page {
        response.extensions_mut().insert(ForPrograms);
    }
    response
}

/// Whether a client takes what is compressed.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok());
    let mut codings = accepted.unwrap_or_default().split(',');
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

impl Asked {
    fn of(request: &Request) -> Self {
        let id = request.extensions().get::<RequestId>();
        Self {
            method: request.method().clone(),
            target: request
                .uri()
                .path_and_query()
                .map_or("/", |target| target.as_str())
                .to_owned(),
            request_id: id.map(|id| id.0.clone()).unwrap_or_default(),
            takes_gzip: takes_gzip(request.headers()),
            headers: request.headers().clone(),
        }
    }

    /// Leads to sign-in, and back to what was asked for, or to where something was sent from.
    fn to_sign_in(&self) -> Response {
        // Who had a session is told that it is no more, and who sent something that it is
        // not saved.
        let (next, ended) = if !self.method.is_safe() {
            let next = back::to_form(&self.headers, &self.target);
            (next, "&session=unsaved")
        } else if was_signed_in(&self.headers) {
            (self.target.clone(), "&session=ended")
        } else {
            (self.target.clone(), "")
        };
        redirect(&format!("/sign-in?next={}{ended}", encoded(&next)))
    }

    /// Who asks, for what is around the page of a refusal. Where something failed it is
    /// not asked for: that may have been the very reading of who it is.
    async fn visit(&self, app: &App, refusal: &Refusal) -> Option<Visit> {
        if refusal.kind.is_failure() {
            return None;
        }
        let visit = Visit::of(&self.headers, app).await;
        visit.ok().flatten()
    }

    /// The page of what was asked about, where there is one to go back to.
    fn about(&self, kind: Kind) -> Option<String> {
        let path = self.target.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let is_sent = !self.method.is_safe();
        match kind {
            Kind::NoSuchMethod | Kind::Internal => return None,
            // It may be gone by now, and others of its list are there.
            Kind::NoSuch => {
                let list = match *parts.as_slice() {
                    ["keys" | "sessions", ..] => "/keys",
                    ["runs", _, "delete"] => "/runs",
                    ["datasets", _, "delete"] => "/datasets",
                    ["settings", ..] => "/settings",
                    _ => return None,
                };
                return is_sent.then(|| list.to_owned());
            }
            // What was typed is in the form still, where a browser goes back to it.
            Kind::Malformed | Kind::Invalid | Kind::TooLarge | Kind::Unsupported if is_sent => {
                return Some(back::to_form(&self.headers, &self.target));
            }
            _ => {}
        }
        // Who may not judge a clip may look at its run.
        let may = kind != Kind::Forbidden;
        let of = match *parts.as_slice() {
            ["runs", run, "review", _, ..] if may && run.starts_with("run_") => 4,
            ["runs", run, ..] if run.starts_with("run_") => 2,
            ["datasets", dataset, ..] if dataset.starts_with("ds_") => 2,
            ["samples", _] if may => 2,
            _ => return None,
        };
        let back: String = parts.iter().take(of).flat_map(|part| ["/", part]).collect();
        (self.method != Method::GET || back != path).then_some(back)
    }

    /// The page of a refusal.
    async fn refused(&self, app: &App, refusal: &Refusal, mut response: Response) -> Response {
        tell(refusal, response.status());
        let heading = heading(refusal.kind);
        let again = refusal.retry_after.is_some() && self.method == Method::GET;
        let back = self.about(refusal.kind);
        let visit = self.visit(app, refusal).await;
        let frame = match &visit {
            Some(visit) => Frame {
                section: None,
                ..visit.frame(heading, Section::Runs)
            },
            None => Frame {
                title: heading,
                part: None,
                medium: Medium::Site,
                section: None,
                visitor: None,
                unencrypted: !Place::of(&self.headers).is_trustworthy(),
            },
        };
        let page = Problem {
            frame,
            heading,
            message: &told(refusal),
            again: again.then_some(&*self.target),
            back: back.as_deref(),
            request_id: &self.request_id,
        };
        let text = page.page().unwrap_or_else(|error| {
            tracing::error!(%error, "the page of a refusal can't be written");
            heading.to_owned()
        });
        *response.body_mut() = Body::from(text);
        let headers = response.headers_mut();
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(HTML));
        if let Some(seconds) = refusal.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::NoSuch | Kind::NoSuchMethod => "There is no such page",
        Kind::Forbidden => "You may not do that",
        Kind::Conflict | Kind::Changed => "That can't be done now",
        Kind::Unfinished => "Still being worked out",
        Kind::TooMany | Kind::Unavailable | Kind::ProviderUnreachable => "Please try again",
        Kind::Unauthorized => "Please sign in",
        Kind::Malformed | Kind::Invalid | Kind::TooLarge | Kind::Unsupported => {
            "That could not be read"
        }
        Kind::Internal => "Something went wrong",
    }
}

/// A refusal in words of the pages, where those of the API name what a page does not.
fn told(refusal: &Refusal) -> Cow<'_, str> {
    let field = refusal.fields.first().map(|wrong| &*wrong.field);
    match field {
        Some("block_by" | "group_by") => {
            "no clip of the dataset has the field that was asked for; go back, and choose another"
                .into()
        }
        Some("cursor") => {
            "this part of a list is not there; go back, and turn its pages from the first".into()
        }
        _ => by_buttons(&refusal.message).into(),
    }
}

/// Compresses a body. What can't be read or compressed is a fault of ours: bodies of
/// pages are in memory.
async fn compressed(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = async {
        let bytes = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
        packed(&bytes).map_err(|e| e.to_string())
    };
    match whole.await {
        Ok(packed) => {
            parts.headers.remove(CONTENT_LENGTH);
            parts
                .headers
                .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Response::from_parts(parts, Body::from(packed))
        }
        Err(error) => {
            tracing::error!(error, "a page can't be compressed");
            parts.status = StatusCode::INTERNAL_SERVER_ERROR;
            Response::from_parts(parts, Body::empty())
        }
    }
}

/// The middleware around pages.
pub async fn around(
    State((app, policy)): State<(App, Arc<Policy>)>,
    request: Request,
    next: Next,
) -> Response {
    let asked = Asked::of(&request);
    let mut response = next.run(request).await;
    if response.extensions_mut().remove::<ForPrograms>().is_some() {
        return response;
    }
    if let Some(PendingRefusal(refusal)) = response.extensions_mut().remove::<PendingRefusal>() {
        response = if refusal.kind == Kind::Unauthorized {
            asked.to_sign_in()
        } else {
            asked.refused(&app, &refusal, response).await
        };
    }
    headers::set(&mut response, policy.value(&app).await);
    let is_html = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|v| v == HTML);
    if asked.takes_gzip && is_html {
        response = compressed(response).await;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_leads_back_to_what_was_asked_about() {
        let run = "/runs/run_1";
        let clip = "/runs/run_1/review/s_1";
        let asked = |method: Method, target: &str, kind: Kind| {
            let asked = Asked {
                method,
                target: target.to_owned(),
                request_id: String::new(),
                takes_gzip: false,
                headers: HeaderMap::new(),
            };
            asked.about(kind).unwrap_or_default()
        };
        let get = |target: &str, kind| asked(Method::GET, target, kind);
        let post = |target: &str, kind| asked(Method::POST, target, kind);
        let cancel = "/runs/run_1/cancel";
        assert_eq!(post(cancel, Kind::Conflict), run);
        assert_eq!(post(cancel, Kind::Forbidden), run);
        // It may not be there, or be what failed.
        assert_eq!(post(cancel, Kind::NoSuch), "");
        for (path, list) in [
            ("/keys/key_1/revoke", "/keys"),
            ("/sessions/ses_1/end", "/keys"),
            ("/runs/run_1/delete", "/runs"),
            ("/datasets/ds_1/delete", "/datasets"),
        ] {
            assert_eq!(post(path, Kind::NoSuch), list);
            assert_eq!(get(path, Kind::NoSuch), "");
        }
        assert_eq!(post(cancel, Kind::Internal), "");
        assert_eq!(get("/runs/run_1/report?sort=wer", Kind::Unfinished), run);
        assert_eq!(get("/runs/run_1?a=b", Kind::TooMany), "");
        assert_eq!(post(clip, Kind::Changed), clip);
        assert_eq!(post(&format!("{clip}/undo"), Kind::Conflict), clip);
        assert_eq!(post(clip, Kind::Forbidden), run);
        assert_eq!(
            post("/datasets/ds_1/delete", Kind::Conflict),
            "/datasets/ds_1"
        );
        assert_eq!(post("/samples/s_1", Kind::Changed), "/samples/s_1");
        assert_eq!(post("/samples/s_1", Kind::Forbidden), "");
        for (path, form) in [
            ("/runs", "/runs/new"),
            ("/uploads", "/datasets/new"),
            ("/datasets/preview", "/datasets/new"),
            ("/runs/estimate", "/runs/new"),
        ] {
            assert_eq!(post(path, Kind::Invalid), form);
            assert_eq!(post(path, Kind::TooLarge), form);
            assert_eq!(post(path, Kind::Conflict), "", "{path}");
        }
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for (accepted, takes) in [
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("identity", false),
            ("x-gzip", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            assert_eq!(takes_gzip(&headers), takes, "{accepted}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
