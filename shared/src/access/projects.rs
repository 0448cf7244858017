//! How projects and their first keys are made: by operators of a deployment,
//! never by a default. The embedded cloud and the operator's event of `poll`
//! both end up here.

use super::keys::{NewKey, Role};
use crate::access::project::Project;
use crate::crypto::{NoRandomness, random};
use crate::domain::{KeyId, ProjectId, Timestamp};
use crate::store::{Store, StoreError};

/// A project or key could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The tables could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing secret can be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// Makes a project; gives the one that exists when there is one.
pub async fn ensure_project(
    store: &Store,
    project: &ProjectId,
    now: Timestamp,
) -> Result<Project, ProjectError> {
    let fresh = Project {
        id: project.clone(),
        cursor_secret: hex::encode(random::<32>()?),
        inserted_at: now,
    };
    Ok(store.create_project(&fresh).await?)
}

/// Makes an API key of a project. Its text is in the answer and nowhere else.
pub async fn issue_key(
    store: &Store,
    project: &Project,
    name: String,
    role: Role,
    now: Timestamp,
) -> Result<NewKey, ProjectError> {
    let id = KeyId::mint(u64::try_from(now.millis()).unwrap_or(0), random()?);
    let secret = project.cursor_secret.clone();
    let key = NewKey::make(id, project.id.clone(), name, role, secret, now)?;
    store.create_key(&key.record, &key.verifier, None).await?;
    Ok(key)
}
