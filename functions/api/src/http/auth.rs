//! Who asks: an API key, checked against its record, gives the actor that every
//! further step needs.

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::{PresentedKey, Role};

use crate::actor::Actor;
use crate::refusal::Refusal;

/// Who asks, and what the cursors of its project are signed with.
#[derive(Clone)]
pub struct Caller {
    /// Who asks.
    pub actor: Actor,
    /// Secret of the project's cursors.
    pub cursor_secret: String,
}

/// The key that a request presents.
fn presented(parts: &Parts) -> Option<PresentedKey> {
    if let Some(value) = parts.headers.get("x-api-key") {
        return PresentedKey::parse(value.to_str().ok()?);
    }
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| PresentedKey::parse(token))?
}

async fn caller(parts: &Parts, app: &App, needed: Role) -> Result<Caller, Refusal> {
    let presented = presented(parts).ok_or_else(Refusal::unauthorized)?;
    let verifier = app
        .store
        .verifier(presented.id)
        .await?
        .filter(|verifier| presented.proves(verifier))
        .ok_or_else(Refusal::unauthorized)?;
    tracing::Span::current()
        .record("project_id", verifier.project.as_str())
        .record("key_id", tracing::field::display(verifier.id));
    let actor = Actor {
        project: verifier.project,
        key: verifier.id,
        role: verifier.role,
        name: None,
    };
    if actor.role < needed {
        return Err(Refusal::forbidden(needed));
    }
    Ok(Caller {
        actor,
        cursor_secret: verifier.cursor_secret,
    })
}

macro_rules! role_extractor {
    ($(#[$doc:meta])* $name:ident, $role:expr) => {
        $(#[$doc])*
        pub struct $name(pub Caller);

        impl FromRequestParts<App> for $name {
            type Rejection = Refusal;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
                caller(parts, app, $role).await.map(Self)
            }
        }
    };
}

role_extractor!(
    /// A caller that may read.
    AsViewer, Role::Viewer
);
role_extractor!(
    /// A caller that may give feedback.
    AsReviewer, Role::Reviewer
);
role_extractor!(
    /// A caller that may make files, datasets and runs.
    AsEditor, Role::Editor
);
role_extractor!(
    /// A caller that may manage keys and credentials.
    AsAdmin, Role::Admin
);
