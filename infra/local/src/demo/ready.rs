//! The demo at the press of a button: its dataset and its run, for the pages of those who
//! have nothing yet.
//!
//! It goes through the same doors as the demo that is typed, with the project's own admin
//! key. It is there only where a stand-in answers: elsewhere its run would cost money.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::json;
use stt_eval_shared::App;
use stt_eval_shared::demo::{Demo, DemoFailed};
use stt_eval_shared::domain::{ProjectId, RunId};
use stt_eval_shared::providers::gemini;
use tokio::sync::Mutex;

use super::client::Client;
use super::{MODELS, clips, samples, text, upload};
use crate::error::NodeError;
use crate::options::Providers;

/// By these names what was made is known again.
const DATASET: &str = "Demo clips";
const RUN: &str = "Demo";

/// The demo, for the projects of this machine.
pub(crate) struct Ready {
    url: String,
    /// Admin keys by project.
    keys: BTreeMap<String, String>,
    /// One load at a time: the second finds what the first has made.
    turn: Mutex<()>,
}

impl Ready {
    /// The demo of a machine; `None` where its models are not there, or are real.
    pub(crate) fn of(
        app: &App,
        providers: &Providers,
        url: &str,
        keys: &BTreeMap<String, String>,
    ) -> Option<Self> {
        let has_all = MODELS.iter().all(|model| app.model(model).is_some());
        (has_all && *providers == Providers::Simulated).then(|| Self {
            url: url.to_owned(),
            keys: keys.clone(),
            turn: Mutex::default(),
        })
    }

    async fn make(&self, project: &ProjectId) -> Result<RunId, NodeError> {
        let key = self.keys.get(project.as_str());
        let key =
            key.ok_or_else(|| NodeError(format!("{project} is no project of this machine")))?;
        let client = Client::new(&self.url, key)?;
        let _turn = self.turn.lock().await;
        let known = client.find("/datasets?", |one| one["name"] == DATASET);
        let dataset = match known.await? {
            Some(dataset) => dataset,
            None => {
                let clips = clips()?;
                let ids = upload(&client, &clips).await?;
                let samples = samples(&clips, &ids);
                let wanted = json!({
                    "name": DATASET, "language": "en", "samples": samples,
                    "description": "Short synthesized recordings in 10 languages that come with this program: each clip has its own",
                });
                client.post("/datasets", &wanted).await?
            }
        };
        let runs = format!("/runs?dataset_id={}&", text(&dataset["id"]));
        let known = client.find(&runs, |one| one["run_name"] == RUN);
        let run = match known.await? {
            Some(run) => run,
            None => {
                let wanted = json!({
                    "run_name": RUN, "dataset_id": dataset["id"], "providers": MODELS,
                });
                client.post("/runs", &wanted).await?
            }
        };
        let id = text(&run["id"]);
        id.parse()
            .map_err(|_| NodeError(format!("the api told {id:?} as the id of a run")))
    }
}

#[async_trait]
impl Demo for Ready {
    fn is_for(&self, project: &ProjectId) -> bool {
        self.keys.contains_key(project.as_str())
    }

    fn stand_in(&self) -> &'static str {
        gemini::VENDOR.name
    }

    async fn load(&self, project: &ProjectId) -> Result<RunId, DemoFailed> {
        let made = self.make(project).await;
        made.map_err(|error| DemoFailed(error.to_string()))
    }
}
