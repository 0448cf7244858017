//! Pages for people. A page asks the same services as the JSON routes and shows the same
//! values, by templates of `stt_eval_html`; it works without scripts.
//!
//! Pages know who asks by a session, the JSON routes by a key, and neither takes the
//! other's. Unknown query parameters are dropped: links of people carry what others
//! have put there.

mod answer;
mod around;
mod assets;
mod audio;
mod back;
mod compare;
mod consensus;
mod dataset;
mod datasets;
mod demo;
mod follow;
mod form;
mod headers;
mod help;
mod keys;
mod origin;
mod own_models;
mod packing;
mod paging;
mod parts;
mod place;
mod report;
mod results;
mod review;
mod runs;
mod samples;
mod session;
mod settings;
mod sign_in;
mod start;
mod table;
mod transcripts;
mod uploads;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodRouter, any, get, post};
use lambda_http::tower::Service as _;
use stt_eval_shared::App;

use self::headers::Policy;
use self::session::Visit;
use crate::http::error::Answer;
use crate::routes::gather::Served;

/// The first page: what has come of it.
async fn home(_: Visit) -> Answer {
    Ok(answer::redirect("/runs"))
}

/// All pages over an app, and what they load.
pub fn routes(app: &App) -> Served {
    let policy = Arc::new(Policy::default());
    Served::default()
        .route("/", get(home))
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/sign-out", post(sign_in::end))
        .route("/datasets", get(datasets::list).post(table::save))
        .route("/datasets/new", get(uploads::show))
        .route("/datasets/preview", post(table::preview))
        .route("/datasets/{id}", get(dataset::show))
        .route(
            "/datasets/{id}/delete",
            get(dataset::ask).post(dataset::delete),
        )
        .route("/samples/{id}", get(samples::show).post(samples::save))
        .route("/uploads", post(uploads::take))
        .route("/runs", get(runs::list).post(start::submit))
        .route("/runs/new", get(start::show))
        .route(
            "/runs/estimate",
            get(start::show_estimate).post(start::estimate),
        )
        .route("/runs/{id}", get(runs::show))
        .route("/runs/{id}/progress", get(follow::progress))
        .route("/runs/{id}/cancel", post(runs::cancel))
        .route("/runs/{id}/retry", post(runs::retry))
        .route("/runs/{id}/delete", get(runs::ask).post(runs::delete))
        .route("/runs/{id}/transcripts", post(transcripts::submit))
        .route("/runs/{id}/results", get(results::list))
        .route("/runs/{id}/results.csv", get(results::csv))
        .route("/runs/{id}/results.jsonl", get(results::jsonl))
        .route("/runs/{id}/review", get(review::next))
        .route(
            "/runs/{id}/review/{sample}",
            get(review::show).post(review::save),
        )
        .route("/runs/{id}/review/{sample}/undo", post(review::undo))
        .route(
            "/runs/{id}/review/{sample}/variant",
            get(review::variant::show).post(review::variant::save),
        )
        .route(
            "/runs/{id}/review/{sample}/propose",
            get(review::variant::show_proposal).post(review::variant::propose),
        )
        .route("/runs/{id}/rescore", post(runs::rescore))
        .route("/runs/{id}/compare", get(compare::show))
        .route(
            "/runs/{id}/consensus",
            get(consensus::show).post(consensus::accept),
        )
        .route("/runs/{id}/report", get(report::show))
        .route("/runs/{id}/report.html", get(report::file))
        .route("/audio/{id}", get(audio::play))
        .route("/keys", get(keys::list).post(keys::make))
        .route("/keys/{id}/revoke", post(keys::revoke))
        .route("/sessions/{id}/end", post(keys::end_session))
        .route("/settings", get(settings::show).post(settings::submit))
        .route("/settings/models", post(own_models::submit))
        .route("/demo", post(demo::load))
        .route("/help", get(help::show))
        .each(|handlers| {
            let around = from_fn_with_state((app.clone(), Arc::clone(&policy)), around::around);
            handlers.layer(from_fn(origin::check)).layer(around)
        })
        .route("/assets/{digest}/{name}", get(assets::serve))
}

/// What an address says to a method that it does not take.
pub async fn not_by_this_method(State(app): State<App>, mut request: Request) -> Response {
    request.extensions_mut().insert(around::ByNoMethod);
    match nowhere(&app).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// What is at an address where there is nothing.
pub fn nowhere(app: &App) -> MethodRouter {
    let policy = Arc::new(Policy::default());
    let around = from_fn_with_state((app.clone(), policy), around::around);
    any(around::nowhere).layer(around)
}
