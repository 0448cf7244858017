//! What only an operator of the deployment may do: make a project and its
//! first keys, and replay what providers answered.
//!
//! There is no route and no default key for this. Whoever may invoke this
//! function by IAM sends it `{"operator": {"action": …}}` and reads the answer
//! from the invocation's result; a key is in there once and nowhere else.

use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::access::projects::{ProjectError, ensure_project, issue_key};
use stt_eval_shared::domain::unit::UnitKey;
use stt_eval_shared::domain::{ProjectId, Timestamp, validate};
use stt_eval_shared::{App, Deadline};

use super::replay::{self, Wanted, Which};

/// Units that one request replays, unless it says otherwise, and at most.
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

/// What an operator asks for.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    CreateProject {
        project: String,
    },
    CreateKey {
        project: String,
        name: String,
        role: Role,
    },
    Replay {
        project: String,
        run: String,
        #[serde(default)]
        unit: Option<String>,
        #[serde(default)]
        after: Option<String>,
        #[serde(default)]
        limit: Option<usize>,
    },
}

/// The operator's request in an event; schedule events have none.
pub(crate) fn request(event: &Value) -> Option<&Value> {
    event.get("operator")
}

/// Does what an operator asks for. A refusal is an answer too: one that names
/// what was wrong under `error`.
pub(crate) async fn handle(request: &Value, app: &App, deadline: Deadline) -> Value {
    let answer = match Request::deserialize(request) {
        Ok(Request::CreateProject { project }) => create_project(&project, app).await,
        Ok(Request::CreateKey {
            project,
            name,
            role,
        }) => create_key(&project, &name, role, app).await,
        Ok(Request::Replay {
            project,
            run,
            unit,
            after,
            limit,
        }) => match wanted(&project, &run, unit.as_deref(), after.as_deref(), limit) {
            Ok(wanted) => replay::replay(app, &wanted, deadline).await,
            Err(error) => Err(error),
        },
        // The message names fields and variants, and no value of the event.
        Err(error) => Err(format!(
            "not an operator's request: {error}; there are create_project (project), \
             create_key (project, name, role) and replay (project, run; unit, or after and limit)"
        )),
    };
    answer.unwrap_or_else(|error| {
        tracing::warn!(error, "an operator's request was refused");
        json!({ "error": error })
    })
}

fn project_id(text: &str) -> Result<ProjectId, String> {
    text.parse().map_err(|_| {
        "project: must be 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit".to_owned()
    })
}

/// Reads what is to be replayed.
fn wanted(
    project: &str,
    run: &str,
    unit: Option<&str>,
    after: Option<&str>,
    limit: Option<usize>,
) -> Result<Wanted, String> {
    let key = |name: &str, text: &str| {
        let key = text.parse::<UnitKey>();
        key.map_err(|_| format!("{name}: must be the key of a unit, such as p00-r01-c0000"))
    };
    let which = match unit {
        Some(_) if after.is_some() || limit.is_some() => {
            return Err("unit: goes without after and limit".to_owned());
        }
        Some(unit) => Which::One(key("unit", unit)?),
        None => Which::From {
            after: after.map(|after| key("after", after)).transpose()?,
            limit: match limit.unwrap_or(DEFAULT_LIMIT) {
                limit @ 1..=MAX_LIMIT => limit,
                _ => return Err(format!("limit: must be 1 to {MAX_LIMIT}")),
            },
        },
    };
    Ok(Wanted {
        project: project_id(project)?,
        run: run
            .parse()
            .map_err(|_| "run: must be the id of a run, run_…".to_owned())?,
        which,
    })
}

fn failed(error: &ProjectError) -> String {
    format!("it could not be written and may be tried again: {error}")
}

async fn create_project(project: &str, app: &App) -> Result<Value, String> {
    let id = project_id(project)?;
    let now = Timestamp::now();
    let made = ensure_project(&app.store, &id, now)
        .await
        .map_err(|e| failed(&e))?;
    let created = made.inserted_at == now;
    tracing::info!(project_id = %id, created, "an operator made a project");
    Ok(json!({ "project": id, "created": created, "inserted_at": made.inserted_at }))
}

async fn create_key(project: &str, name: &str, role: Role, app: &App) -> Result<Value, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(request: Value) -> String {
        match Request::deserialize(&request) {
            Ok(_) => panic!("{request} was understood"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn schedule_events_are_no_requests() {
        for event in [
            json!({ "source": "aws.scheduler", "detail": "{}" }),
            json!("{}"),
            json!(null),
        ] {
            assert_eq!(request(&event), None);
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert!(refusal(json!({ "action": "drop" })).contains("create_key"));
        assert!(refusal(json!({})).contains("action"));
        assert!(
            refusal(json!("create_key")).contains("create_key") || !refusal(json!(7)).is_empty()
        );
        let odd = json!({ "action": "create_key", "project": "p", "name": "n", "role": "root" });
        assert!(refusal(odd).contains("admin"));
        let more = json!({ "action": "create_project", "project": "p", "key": "x" });
        assert!(refusal(more).contains("key"));
    }
}
