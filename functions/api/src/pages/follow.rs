//! How a run is doing, for its page and for what keeps that page fresh.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use stt_eval_html::following;
use stt_eval_html::runs::Actions;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::run::{MAX_PROVIDERS, MAX_ROUNDS, RunModel};
use stt_eval_shared::domain::{RunId, Timestamp};
use stt_eval_shared::wire::runs::Run;

use super::answer::{fragment, written};
use super::demo;
use super::session::Visit;
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::refusal::Refusal;
use crate::services::runs::{self, References};
use crate::views;

/// Digits of a digest that tell one state from another.
const DIGITS: usize = 32;

/// A run, and what its visitor can do with it now.
pub(super) async fn found(
    app: &App,
    visit: &Visit,
    id: PathId<RunId>,
) -> Result<(Run, Actions), Refusal> {
    of(app, visit, id.get()?).await
}

/// The same by an id that was read already.
pub(super) async fn of(app: &App, visit: &Visit, id: RunId) -> Result<(Run, Actions), Refusal> {
    let run = runs::find(app, &visit.caller.actor.project, id).await?;
    let waiting = runs::waiting(app, &run).await?;
    let may = visit.may(Role::Editor);
    let has_ended = !run.status.is_active();
    let references = match may && has_ended {
        true => runs::references(app, &run).await?,
        false => References::default(),
    };
    let propose = match run.models.len() {
        0 | 1 => 0,
        _ => references.missing,
    };
    let rescore = may && run.completed() > 0 && run.can_be_rescored().is_ok();
    // Of transcripts made elsewhere nobody is asked again, and no model for what it can't take.
    let can_be_asked =
        |model: &RunModel| model.imported.is_none() && model.failed > model.unsupported;
    let can_be_asked = run.pending() > 0 || run.models.iter().any(can_be_asked);
    let actions = Actions {
        changed: references
            .changed
            .filter(|_| rescore)
            .map(|of| (of.clips, of.or_more)),
        cancel: may && !has_ended,
        review: visit.may(Role::Reviewer),
        retry: may && can_be_asked && run.round < MAX_ROUNDS && run.can_be_retried().is_ok(),
        stopping: run.is_being_stopped(),
        rescore,
        add: may && run.can_be_joined().is_ok() && run.models.len() < MAX_PROVIDERS,
        delete: may,
        keys: visit.may(Role::Admin),
        propose,
        stand_in: demo::stand_in(app, visit),
    };
    Ok((views::runs::whole(&run, waiting, None), actions))
}

/// Whether a browser has what a tag stands for. Tags are weak: the same text may come
/// compressed.
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get_all(IF_NONE_MATCH).iter();
    let mut tags = given
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    tags.any(|given| given.trim().trim_start_matches("W/") == tag)
}

/// What has changed of a run's page; 304 while nothing has.
pub async fn progress(
    State(app): State<App>,
    visit: Visit,
    id: PathId<RunId>,
    headers: HeaderMap,
) -> Answer {
    let (run, actions) = found(&app, &visit, id).await?;
    let text = following::fragment(&run, actions, Timestamp::now());
    let text = text.map_err(|error| Refusal::internal(error.to_string()))?;
    let mut digest = sha256_hex(text.as_bytes());
    digest.truncate(DIGITS);
    let tag = format!("\"{digest}\"");
    let mut response = if has(&headers, &tag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        fragment(written(Ok(text)))?
    };
    let tag = HeaderValue::from_str(&format!("W/{tag}"))
        .map_err(|_| Refusal::internal("a tag can't be written"))?;
    response.headers_mut().insert(ETAG, tag);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_known_by_its_tag() {
        for (given, known) in [
            ("W/\"a1\"", true),
            ("\"a1\"", true),
            ("\"b2\", W/\"a1\"", true),
            ("W/\"a\"", false),
            ("a1", false),
            ("*", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(given));
            assert_eq!(has(&headers, "\"a1\""), known, "{given}");
        }
        assert!(!has(&HeaderMap::new(), "\"a1\""));
    }
}
