//! The Batch resource: what is kept, and the operation it is shown as.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::ask::Ask;
use crate::clock::{later, stamp};
use crate::fault::Fault;
use crate::owner::Owner;
use crate::wire::RpcStatus;

const BATCH_TYPE: &str =
    "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch";
const OUTPUT_TYPE: &str =
    "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatchOutput";

/// One inlined request, reduced to what its answer depends on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InlineItem {
    pub metadata: Option<Value>,
    pub ask: Result<Ask, RpcStatus>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Input {
    /// The id of the JSONL file.
    File(String),
    Inline(Vec<InlineItem>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Output {
    /// The id of the generated file.
    File(String),
    Inline(Vec<Value>),
}

/// How a batch ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct End {
    /// Without `BATCH_STATE_`.
    pub state: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub succeeded: u64,
    pub failed: u64,
    pub error: Option<RpcStatus>,
    pub output: Option<Output>,
}

impl End {
    /// A success with nothing in it yet.
    pub(crate) fn at(at: OffsetDateTime) -> Self {
        Self {
            state: "SUCCEEDED".to_owned(),
            at,
            succeeded: 0,
            failed: 0,
            error: None,
            output: None,
        }
    }
}

/// Answers inside a batch, of so many bytes together.
fn inlined(bytes: usize) -> Value {
    const ONE: usize = 64 * 1024;
    let text = "spoken \"words\" ".repeat(ONE / 16);
    let answer = json!({"response": {"candidates": [{"content": {"parts": [{"text": text}]}}]}});
    let answers = vec![answer; bytes / ONE + 1];
    json!({ "inlinedResponses": answers })
}

/// A batch, deleted or not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BatchRecord {
    pub id: String,
    pub owner: Owner,
    pub model: String,
    pub display_name: Option<String>,
    pub priority: Option<String>,
    pub input: Input,
    pub requests: u64,
    /// In the future for a batch that is accepted late.
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    pub end: Option<End>,
    pub deleted: bool,
    /// The API key, for fault matching; in memory only.
    #[serde(skip)]
    pub key: String,
    /// Whether the results are being made.
    #[serde(skip)]
    pub settling: bool,
    /// Fault rules that were asked.
    #[serde(skip)]
    pub asked: Vec<u64>,
    /// Fault rules that strike.
    #[serde(skip)]
    pub bound: Vec<u64>,
    #[serde(skip)]
    pub polls: Polls,
}

/// How often something was shown, for faults that count polls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Polls {
    lists: u32,
    bare: u32,
    unknown: u32,
    outputs: u32,
}

/// A batch as tests see it from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchView {
    /// `batches/…`.
    pub name: String,
    /// The last four characters of the API key.
    pub key_last4: String,
    /// The model, without `models/`.
    pub model: String,
    /// The display name given at creation.
    pub display_name: Option<String>,
    /// The state without `BATCH_STATE_`, whatever faults show to clients.
    pub state: String,
    /// Requests in the batch.
    pub requests: u64,
    /// Requests answered.
    pub succeeded: u64,
    /// Requests failed.
    pub failed: u64,
    /// When it was created, RFC 3339; in the future if accepted late.
    pub created: String,
    /// Whether it was deleted.
    pub deleted: bool,
}

/// What of a batch is shown this time.
#[derive(Debug)]
struct Shown {
    state: String,
    output: bool,
    update_time: bool,
}

impl BatchRecord {
    /// Whether the batch exists for its owner.
    pub(crate) fn visible(&self, now: OffsetDateTime) -> bool {
        !self.deleted && self.created <= now
    }

    /// When the results are due.
    pub(crate) fn due(&self, delay: Duration, faults: &[Fault]) -> OffsetDateTime {
        let slow = faults.iter().map(|fault| match fault {
            Fault::Slow { millis } => Duration::from_millis(*millis),
            _ => Duration::ZERO,
        });
        later(self.created, delay + slow.sum::<Duration>())
    }

    /// Whether a list leaves the batch out; counts the list.
    pub(crate) fn hidden_from_list(&mut self, now: OffsetDateTime, faults: &[Fault]) -> bool {
        let hidden = faults.iter().any(|fault| match fault {
            Fault::StaleList { lists, millis } => {
                self.polls.lists < *lists
                    || now < later(self.created, Duration::from_millis(*millis))
            }
            _ => false,
        });
        self.polls.lists = self.polls.lists.saturating_add(1);
        hidden
    }

    /// The true state, without `BATCH_STATE_`.
    pub(crate) fn state(&self, now: OffsetDateTime, delay: Duration, faults: &[Fault]) -> String {
        if let Some(end) = &self.end {
            return end.state.clone();
        }
        for fault in faults {
            if let Fault::Stuck { state } = fault {
                return state.trim_start_matches("BATCH_STATE_").to_owned();
            }
        }
        if now < later(self.created, delay / 3) {
            "PENDING".to_owned()
        } else {
            "RUNNING".to_owned()
        }
    }

    fn shown(&mut self, now: OffsetDateTime, delay: Duration, faults: &[Fault]) -> Shown {
        let mut shown = Shown {
            state: format!("BATCH_STATE_{}", self.state(now, delay, faults)),
            output: true,
            update_time: true,
        };
        for fault in faults {
            match fault {
                Fault::UnknownState { state, polls }
                    if polls.is_none_or(|polls| self.polls.unknown < polls) =>
                {
                    self.polls.unknown = self.polls.unknown.saturating_add(1);
                    shown.state.clone_from(state);
                    shown.output = false;
                }
                Fault::OutputLate { polls }
                    if self.end.is_some() && self.polls.outputs < *polls =>
                {
                    self.polls.outputs += 1;
                    shown.output = false;
                }
                Fault::NoUpdateTime => shown.update_time = false,
                _ => {}
            }
        }
        shown
    }

    /// The operation, as this poll shows it.
    pub(crate) fn operation(
        &mut self,
        now: OffsetDateTime,
        delay: Duration,
        faults: &[Fault],
    ) -> Value {
        let shown = self.shown(now, delay, faults);
        let name = format!("batches/{}", self.id);
        let mut metadata = json!({
            "@type": BATCH_TYPE,
            "model": format!("models/{}", self.model),
            "createTime": stamp(self.created),
            "state": shown.state,
            "name": name,
        });
        if let Some(display_name) = &self.display_name {
            metadata["displayName"] = json!(display_name);
        }
        if let Some(priority) = &self.priority {
            metadata["priority"] = json!(priority);
        }
        if let Input::File(id) = &self.input {
            metadata["inputConfig"] = json!({"fileName": format!("files/{id}")});
        }
        metadata["batchStats"] = self.stats();
        if shown.update_time {
            let updated = self.end.as_ref().map_or(now, |end| end.at);
            metadata["updateTime"] = json!(stamp(updated.max(self.created)));
        }
        let mut operation = json!({ "name": name });
        let ended = self
            .end
            .as_ref()
            .filter(|end| shown.state.strip_prefix("BATCH_STATE_") == Some(&end.state));
        if let Some(end) = ended {
            metadata["endTime"] = json!(stamp(end.at));
            operation["done"] = json!(true);
            if let Some(error) = &end.error {
                operation["error"] = json!(error);
            }
            if let (true, Some(output)) = (shown.output, &end.output) {
                let output = match output {
                    Output::File(id) => json!({"responsesFile": format!("files/{id}")}),
                    Output::Inline(items) => {
                        json!({"inlinedResponses": {"inlinedResponses": items}})
                    }
                };
                metadata["output"] = output.clone();
                if end.error.is_none() {
                    operation["response"] = output;
                    operation["response"]["@type"] = json!(OUTPUT_TYPE);
                }
            }
        }
        for fault in faults {
            if let Fault::Inlined { bytes } = fault {
                let inlined = inlined(*bytes / 2);
                metadata["output"]["inlinedResponses"] = inlined.clone();
                operation["response"]["inlinedResponses"] = inlined;
            }
        }
        operation["metadata"] = metadata;
        operation
    }

    /// The same as a list shows it.
    pub(crate) fn listed(
        &mut self,
        now: OffsetDateTime,
        delay: Duration,
        faults: &[Fault],
    ) -> Value {
        let mut operation = self.operation(now, delay, faults);
        let bare = faults.iter().any(|fault| {
            matches!(fault, Fault::BareList { lists } if lists.is_none_or(|lists| self.polls.bare < lists))
        });
        if bare && self.end.is_some() {
            self.polls.bare = self.polls.bare.saturating_add(1);
            if let Some(operation) = operation.as_object_mut() {
                operation.remove("response");
            }
            if let Some(metadata) = operation["metadata"].as_object_mut() {
                metadata.remove("output");
            }
        }
        operation
    }

    /// Counters as strings, those that are zero left out.
    fn stats(&self) -> Value {
        let (succeeded, failed) = match &self.end {
            Some(end) => (end.succeeded, end.failed),
            None => (0, 0),
        };
        let pending = match &self.end {
            Some(_) => 0,
            None => self.requests,
        };
        let mut stats = json!({});
        for (name, count) in [
            ("requestCount", self.requests),
            ("pendingRequestCount", pending),
            ("successfulRequestCount", succeeded),
            ("failedRequestCount", failed),
        ] {
            if count > 0 {
                stats[name] = json!(count.to_string());
            }
        }
        stats
    }

    pub(crate) fn view(&self, now: OffsetDateTime, delay: Duration, faults: &[Fault]) -> BatchView {
        BatchView {
            name: format!("batches/{}", self.id),
            key_last4: self.owner.last4.clone(),
            model: self.model.clone(),
            display_name: self.display_name.clone(),
            state: self.state(now, delay, faults),
            requests: self.requests,
            succeeded: self.end.as_ref().map_or(0, |end| end.succeeded),
            failed: self.end.as_ref().map_or(0, |end| end.failed),
            created: stamp(self.created),
            deleted: self.deleted,
        }
    }
}
