//! Who asks: an API key, checked against its record, gives the tenant that
//! every further step needs.

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::{PresentedKey, Role};
use stt_eval_shared::domain::{KeyId, ProjectId};

use crate::cursor::Cursors;
use crate::error::ApiError;

/// The project and key behind a request.
#[derive(Clone)]
pub struct Tenant {
    /// The project.
    pub project: ProjectId,
    /// The key.
    pub key: KeyId,
    /// Secret of the project's cursors.
    pub cursor_secret: String,
}

impl Tenant {
    /// Cursors of one of the project's lists.
    #[must_use]
    pub fn cursors(&self, list: &str, filters: &[&str]) -> Cursors {
        Cursors::new(&self.cursor_secret, &self.project, list, filters)
    }
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

async fn tenant(parts: &Parts, app: &App, needed: Role) -> Result<Tenant, ApiError> {
    let presented = presented(parts).ok_or_else(ApiError::unauthorized)?;
    let verifier = app
        .store
        .verifier(presented.id)
        .await?
        .filter(|verifier| presented.proves(verifier))
        .ok_or_else(ApiError::unauthorized)?;
    tracing::Span::current()
        .record("project_id", verifier.project.as_str())
        .record("key_id", tracing::field::display(verifier.id));
    if verifier.role < needed {
        return Err(ApiError::forbidden(needed));
    }
    Ok(Tenant {
        project: verifier.project,
        key: verifier.id,
        cursor_secret: verifier.cursor_secret,
    })
}

macro_rules! role_extractor {
    ($(#[$doc:meta])* $name:ident, $role:expr) => {
        $(#[$doc])*
        pub struct $name(pub Tenant);

        impl FromRequestParts<App> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
                tenant(parts, app, $role).await.map(Self)
            }
        }
    };
}

role_extractor!(
    /// A tenant who may read.
    AsViewer, Role::Viewer
);
role_extractor!(
    /// A tenant who may give feedback.
    AsReviewer, Role::Reviewer
);
role_extractor!(
    /// A tenant who may make files, datasets and runs.
    AsEditor, Role::Editor
);
role_extractor!(
    /// A tenant who may manage keys and credentials.
    AsAdmin, Role::Admin
);
