//! What an operator of a deployment asks of its poll function, on one machine.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use stt_eval_shared::Deadline;
use stt_eval_shared::domain::ProjectId;
use tokio_util::sync::CancellationToken;

use crate::error::NodeError;
use crate::node::Node;
use crate::options::{NodeOptions, Providers};
use crate::recogniser;

/// Time for each part.
const PART: Duration = Duration::from_secs(300);

/// Replays a unit, or all units of a run part by part; `show` sees each answer.
/// A refusal is an error.
pub async fn run(
    data: PathBuf,
    project: ProjectId,
    run: &str,
    unit: Option<&str>,
    show: impl Fn(&Value),
) -> Result<(), NodeError> {
    if !data.join("cloud").is_dir() {
        let path = data.display();
        return Err(NodeError(format!("{path}: nothing was ever kept there")));
    }
    let mut options = NodeOptions::new(data, project.clone());
    // Nothing runs, no project is made, and no provider is asked.
    options.projects.clear();
    options.functions = false;
    options.providers = Providers::Real;
    options.simulate_others = false;
    let node = Node::start(options).await?;
    // What recognisers of this machine gave is read without them.
    let (vendor, adapter) = recogniser::connected(Vec::new(), PART, CancellationToken::new());
    let app = node.app.clone().and_vendor(vendor, adapter);
    let mut request = json!({ "action": "replay", "project": project, "run": run });
    if let Some(unit) = unit {
        request["unit"] = unit.into();
    }
    let done = loop {
        let event = json!({ "operator": &request });
        let answer = poll::handle(event, &app, Deadline::after(PART)).await;
        if let Some(error) = answer["error"].as_str() {
            break Err(NodeError(error.to_owned()));
        }
        show(&answer);
        match &answer["continue_after"] {
            Value::Null => break Ok(()),
            after => request["after"] = after.clone(),
        }
    };
    node.stop().await?;
    done
}
