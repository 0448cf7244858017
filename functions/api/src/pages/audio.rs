//! Recordings. A page names a file; what plays it is led to where it lies, by an address
//! that is signed anew each time: pages that lie open for hours still play.

use axum::extract::State;
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};
use stt_eval_shared::App;
use stt_eval_shared::domain::FileId;

use super::answer::redirect;
use super::session::Visit;
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::refusal::Refusal;
use crate::services::signing;

/// For how long a browser may use an address again: less than it is good for.
const KEPT: &str = "private, max-age=600";

/// Leads to a recording.
pub async fn play(State(app): State<App>, visit: Visit, id: PathId<FileId>) -> Answer {
    let file = app
        .store
        .file(&visit.caller.actor.project, id.get()?)
        .await?;
    let file = file.ok_or_else(|| Refusal::no_such("file"))?;
    let url = signing::file_url(&app, &file, true).await.flatten();
    let url = url.ok_or_else(|| Refusal::no_such("recording"))?;
    let mut response = redirect(&url);
    *response.status_mut() = StatusCode::FOUND;
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static(KEPT));
    Ok(response)
}
