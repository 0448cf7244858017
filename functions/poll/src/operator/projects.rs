//! Projects and their first keys.

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::access::projects::{ProjectError, ensure_project, issue_key};
use stt_eval_shared::domain::{ProjectId, Timestamp, validate};

/// A project's id, as an operator writes it.
pub(super) fn project_id(text: &str) -> Result<ProjectId, String> {
    text.parse().map_err(|_| {
        "project: must be 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit".to_owned()
    })
}

fn failed(error: &ProjectError) -> String {
    format!("it could not be written and may be tried again: {error}")
}

/// Makes a project, or finds it made.
pub(super) async fn create_project(project: &str, app: &App) -> Result<Value, String> {
    let id = project_id(project)?;
    let now = Timestamp::now();
    let made = ensure_project(&app.store, &id, now)
        .await
        .map_err(|e| failed(&e))?;
    let created = made.inserted_at == now;
    tracing::info!(project_id = %id, created, "an operator made a project");
    Ok(json!({ "project": id, "created": created, "inserted_at": made.inserted_at }))
}

/// Makes a key of a project; only this answer has its text.
pub(super) async fn create_key(
    project: &str,
    name: &str,
    role: Role,
    app: &App,
) -> Result<Value, String> {
    let id = project_id(project)?;
    let name = validate::name("name", name).map_err(|e| format!("{}: {}", e.field, e.message))?;
    let known = app.store.project(&id).await;
    let known = known
        .map_err(|e| failed(&e.into()))?
        .ok_or_else(|| format!("project: there is no {id}; make it with create_project"))?;
    let key = issue_key(&app.store, &known, name, role, Timestamp::now())
        .await
        .map_err(|e| failed(&e))?;
    let record = &key.record;
    tracing::info!(project_id = %id, key_id = %record.id, role = ?record.role, "an operator made a key");
    Ok(json!({
        "key": key.text.expose_secret(),
        "id": record.id,
        "project": record.project,
        "name": record.name,
        "role": record.role,
        "inserted_at": record.inserted_at,
    }))
}
