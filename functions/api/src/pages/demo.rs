//! The demo, where this machine has one: something to look at for those who have nothing
//! of their own yet.

use axum::extract::State;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;

use super::answer::redirect;
use super::session::Visit;
use crate::http::error::Answer;
use crate::refusal::{Kind, Refusal};

/// Whether a visitor is to be offered it.
pub(super) fn is_offered(app: &App, visit: &Visit) -> bool {
    visit.may(Role::Editor) && app.demo_for(&visit.caller.actor.project).is_some()
}

/// A vendor that is simulated here, of which people are told what that means.
pub(super) fn stand_in(app: &App, visit: &Visit) -> Option<&'static str> {
    let demo = app.demo_for(&visit.caller.actor.project);
    demo.map(|demo| demo.stand_in())
}

/// Makes its dataset and its run, once, and leads to the run.
pub async fn load(State(app): State<App>, visit: Visit) -> Answer {
    visit.needs(Role::Editor)?;
    let project = &visit.caller.actor.project;
    // Deployments have none, and do not tell it from any other path.
    let demo = app.demo_for(project);
    let demo = demo.ok_or_else(|| Refusal::no_such("route"))?;
    let run = demo.load(project).await.map_err(|error| Refusal {
        cause: Some(error.to_string()),
        ..Refusal::new(
            Kind::Unavailable,
            "the demo could not be loaded; the log of this machine says why",
        )
    })?;
    Ok(redirect(&format!("/runs/{run}")))
}
