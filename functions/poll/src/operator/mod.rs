//! What only an operator of the deployment may do: make a project and its
//! first keys, and replay what providers answered.
//!
//! There is no route and no default key for this. An operator, who may invoke this
//! function by IAM, sends it `{"operator": {"action": …}}` and reads the answer
//! from the invocation's result; a key is in there once and nowhere else.

mod projects;
mod recount;
pub(crate) mod replay;
mod wanted;

use serde::Deserialize;
use serde_json::{Value, json};
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::{App, Deadline};

use projects::{create_key, create_project};
use wanted::wanted;

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
