//! Batch create, get, list, cancel and delete.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::ask;
use crate::batch_record::{BatchRecord, BatchView, End, InlineItem, Input};
use crate::clock::{later, unique_id};
use crate::fault::Fault;
use crate::faults::Subject;
use crate::fields::Mask;
use crate::file_record::FileState;
use crate::files::{Page, page_token, read_token};
use crate::models;
use crate::owner::Owner;
use crate::schema::{self, CREATE_BATCH, JSONL_LINE};
use crate::sim::Sim;
use crate::wire::{ApiError, RpcStatus};

/// The `batch` of a create body, names normalised.
pub(crate) fn create_body(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|e| ApiError::invalid(format!("Invalid JSON payload received. {e}")))?;
    match schema::normalise(value, CREATE_BATCH)
        .map_err(ApiError::invalid)?
        .remove("batch")
    {
        Some(Value::Object(batch)) => Ok(batch),
        _ => Err(ApiError::invalid("batch is required.")),
    }
}

/// One line of an input file.
pub(crate) struct InputLine {
    pub key: String,
    pub request: Map<String, Value>,
}

/// Reads one line; the error is without its number.
pub(crate) fn input_line(line: &[u8]) -> Result<InputLine, String> {
    let value: Value = serde_json::from_slice(line).map_err(|e| format!("not JSON: {e}"))?;
    let mut line = schema::normalise(value, JSONL_LINE)?;
    let key = match line.remove("key") {
        Some(Value::String(key)) if !key.is_empty() => key,
        _ => return Err("key must be a non-empty string".to_owned()),
    };
    let Some(Value::Object(request)) = line.remove("request") else {
        return Err("request is missing".to_owned());
    };
    check_request(&request)?;
    Ok(InputLine { key, request })
}

fn check_request(request: &Map<String, Value>) -> Result<(), String> {
    match request.get("contents") {
        Some(Value::Array(contents)) if !contents.is_empty() => {}
        _ => return Err("contents is not specified".to_owned()),
    }
    let texts = |content: &Value| -> bool {
        content["parts"].as_array().is_some_and(|parts| {
            parts
                .iter()
                .any(|p| p["text"].as_str().is_some_and(|t| !t.is_empty()))
        })
    };
    match request.get("systemInstruction") {
        Some(instruction) if !texts(instruction) => {
            Err("system_instruction has no text".to_owned())
        }
        _ => Ok(()),
    }
}

/// Checks a whole input file and counts its requests.
fn check_input(path: &Path) -> Result<u64, ApiError> {
    let mut reader = BufReader::new(File::open(path).map_err(ApiError::internal)?);
    let (mut keys, mut line, mut number) = (HashSet::new(), Vec::new(), 0_u64);
    loop {
        line.clear();
        if reader
            .read_until(b'\n', &mut line)
            .map_err(ApiError::internal)?
            == 0
        {
            break;
        }
        number += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let refuse =
            |message| ApiError::invalid(format!("Invalid JSONL on line {number}: {message}"));
        let parsed = input_line(&line).map_err(refuse)?;
        if keys.contains(&parsed.key) {
            return Err(refuse(format!("duplicate key \"{}\"", parsed.key)));
        }
        keys.insert(parsed.key);
    }
    match keys.len() {
        0 => Err(ApiError::invalid("The input file has no requests.")),
        count => Ok(count as u64),
    }
}

fn inline_items(model: &str, requests: &Value) -> Result<Vec<InlineItem>, ApiError> {
    let Some(Value::Array(requests)) = requests.get("requests") else {
        return Err(ApiError::invalid(
            "inputConfig.requests.requests is required.",
        ));
    };
    if requests.is_empty() {
        return Err(ApiError::invalid("The batch has no requests."));
    }
    let mut items = Vec::with_capacity(requests.len());
    for (index, item) in requests.iter().enumerate() {
        let Some(Value::Object(request)) = item.get("request") else {
            return Err(ApiError::invalid(format!("Request {index} is missing.")));
        };
        check_request(request)
            .map_err(|message| ApiError::invalid(format!("Request {index}: {message}")))?;
        items.push(InlineItem {
            metadata: item.get("metadata").cloned(),
            ask: ask::ask(model, request),
        });
    }
    Ok(items)
}

/// Whether a batch can't be read: malformed, and by its name neither.
fn poison(faults: &[Fault]) -> Option<(bool, bool)> {
    faults.iter().find_map(|fault| match fault {
        Fault::Poison { malformed, by_name } => Some((*malformed, *by_name)),
        _ => None,
    })
}

fn poisoned(mut operation: Value, malformed: bool) -> Result<Value, ApiError> {
    if !malformed {
        return Err(ApiError::new(500, "An internal error has occurred."));
    }
    operation["metadata"] = json!(["unreadable"]);
    Ok(operation)
}

impl Sim {
    /// `POST /{v}/models/{model}:batchGenerateContent`; `late` puts the
    /// acceptance off.
    pub(crate) async fn batch_create(
        &self,
        key: &str,
        version: &str,
        model: &str,
        body: &[u8],
        late: Option<Duration>,
    ) -> Result<Value, ApiError> {
        if models::version_of(model).is_none() {
            return Err(models::unsupported(model, version, "batchGenerateContent"));
        }
        let batch = create_body(body)?;
        if batch.contains_key("webhookConfig") {
            return Err(ApiError::invalid("gemini-sim delivers no webhooks."));
        }
        let stated = batch.get("model").and_then(Value::as_str);
        if stated.is_some_and(|stated| stated.trim_start_matches("models/") != model) {
            return Err(ApiError::invalid(
                "batch.model differs from the model of the path.",
            ));
        }
        let owner = Owner::of(key);
        let config = batch.get("inputConfig").cloned().unwrap_or_default();
        let (input, requests) = match (config.get("fileName"), config.get("requests")) {
            (Some(name), None) => {
                let id = self.input_file(&owner, name)?;
                let path = self.state().blob(&id);
                let checked = tokio::task::spawn_blocking(move || check_input(&path));
                let count = checked.await.map_err(ApiError::internal)??;
                (Input::File(id), count)
            }
            (None, Some(requests)) => {
                let items = inline_items(model, requests)?;
                let count = items.len() as u64;
                (Input::Inline(items), count)
            }
            _ => {
                return Err(ApiError::invalid(
                    "inputConfig needs either fileName or requests.",
                ));
            }
        };
        self.settle(Some((&owner, key))).await?;
        let now = self.clock.now();
        let mut record = BatchRecord {
            id: unique_id(36),
            owner,
            model: model.to_owned(),
            display_name: batch
                .get("displayName")
                .and_then(Value::as_str)
                .map(str::to_owned),
            priority: batch.get("priority").map(|p| match p {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }),
            input,
            requests,
            created: late.map_or(now, |by| later(now, by)),
            end: None,
            deleted: false,
            key: key.to_owned(),
            settling: false,
            asked: Vec::new(),
            bound: Vec::new(),
            polls: Default::default(),
        };
        let mut state = self.state();
        let held = state.cancelled(&record.owner).filter(|batch| {
            let faults = self.faults.bound(&batch.bound);
            let freed = faults.iter().find_map(|fault| match fault {
                Fault::QuotaFreedLate { millis } => Some(Duration::from_millis(*millis)),
                _ => None,
            });
            let end = batch.end.as_ref();
            freed.is_some_and(|late| end.is_some_and(|end| later(end.at, late) > now))
        });
        let counted = state.open_count(&record.owner) + held.count();
        if counted >= self.config.max_open_batches {
            return Err(ApiError::new(
                429,
                "You exceeded your current quota: too many concurrent batches.",
            ));
        }
        let faults = self.bind_faults(&mut record);
        let operation = record.operation(now, self.config.batch_delay, &faults);
        state.put_batch(record)?;
        Ok(operation)
    }

    /// The id of an input file that may be used now.
    fn input_file(&self, owner: &Owner, name: &Value) -> Result<String, ApiError> {
        let Some(id) = name.as_str().and_then(|name| name.strip_prefix("files/")) else {
            return Err(ApiError::invalid(format!(
                "Invalid file name {name}: it must be files/…."
            )));
        };
        let now = self.clock.now();
        let state = self.state();
        let file = state
            .file(owner, id, now)
            .ok_or_else(|| ApiError::no_file(id))?;
        if file.state(now) != FileState::Active {
            return Err(ApiError::invalid(format!(
                "The File {id} is not in an ACTIVE state and usage is not allowed."
            )));
        }
        let allowed = [
            "application/jsonl",
            "jsonl",
            "application/json",
            "text/plain",
        ];
        if !file.stored || !allowed.contains(&file.mime_type.as_str()) {
            return Err(ApiError::invalid(format!(
                "Unsupported MIME type of the input file: {}",
                file.mime_type
            )));
        }
        Ok(id.to_owned())
    }

    /// Asks the fault rules of a batch that it has not asked, and returns all
    /// that apply.
    pub(crate) fn bind_faults(&self, batch: &mut BatchRecord) -> Vec<Fault> {
        let subject = Subject {
            api_key: &batch.key,
            display_name: batch.display_name.clone(),
            model: batch.model.clone(),
            resource: format!("batches/{}", batch.id),
            item_key: None,
        };
        self.faults
            .bind(&subject, &mut batch.asked, &mut batch.bound);
        self.faults.bound(&batch.bound)
    }

    /// `GET /{v}/batches/{id}`.
    pub(crate) async fn batch_get(&self, key: &str, id: &str) -> Result<Value, ApiError> {
        let owner = Owner::of(key);
        self.settle(Some((&owner, key))).await?;
        let now = self.clock.now();
        let mut state = self.state();
        if state.batch(&owner, id, now).is_none() {
            return Err(ApiError::not_found());
        }
        let batch = state.batch_mut(id).ok_or_else(ApiError::not_found)?;
        let faults = self.bind_faults(batch);
        let operation = batch.operation(now, self.config.batch_delay, &faults);
        match poison(&faults) {
            Some((malformed, true)) => poisoned(operation, malformed),
            _ => Ok(operation),
        }
    }

    /// `GET /{v}/batches`, newest first.
    pub(crate) async fn batch_list(
        &self,
        key: &str,
        page: &Page,
        mask: &Mask,
    ) -> Result<Value, ApiError> {
        let owner = Owner::of(key);
        let before = page.token.as_deref().map(read_token).transpose()?;
        self.settle(Some((&owner, key))).await?;
        let now = self.clock.now();
        let mut state = self.state();
        let mut operations = Vec::new();
        let mut next = None;
        let mut last = None;
        for (created, id) in state.batch_ids(&owner, before.as_ref()) {
            let Some(batch) = state.batch_mut(&id).filter(|batch| batch.visible(now)) else {
                continue;
            };
            let faults = self.bind_faults(batch);
            if operations.len() == page.size {
                next = last.take();
                break;
            }
            if batch.hidden_from_list(now, &faults) {
                continue;
            }
            let operation = batch.listed(now, self.config.batch_delay, &faults);
            let read = mask.wants(&["operations", "metadata"]);
            operations.push(match poison(&faults) {
                Some((malformed, _)) if read => poisoned(operation, malformed)?,
                _ => operation,
            });
            last = Some((created, id));
        }
        let mut body = json!({});
        if !operations.is_empty() {
            body["operations"] = Value::Array(operations);
        }
        if let Some((created, id)) = next {
            body["nextPageToken"] = json!(page_token(created, &id));
        }
        Ok(body)
    }

    /// `POST /{v}/batches/{id}:cancel`: ends it at once; a batch that has
    /// ended stays as it is.
    pub(crate) async fn batch_cancel(&self, key: &str, id: &str) -> Result<Value, ApiError> {
        let owner = Owner::of(key);
        self.settle(Some((&owner, key))).await?;
        let now = self.clock.now();
        let (batch, faults) = {
            let mut state = self.state();
            if state.batch(&owner, id, now).is_none() {
                return Err(ApiError::not_found());
            }
            let batch = state.batch_mut(id).ok_or_else(ApiError::not_found)?;
            let faults = self.bind_faults(batch);
            if batch.end.is_some() || faults.contains(&Fault::CancelIgnored) {
                return Ok(json!({}));
            }
            (batch.clone(), faults)
        };
        let (mut end, mut file) = (End::at(now), None);
        if faults.contains(&Fault::CancelWithOutput) {
            (end, file) = self.make_end(&batch, &faults)?;
        }
        "CANCELLED".clone_into(&mut end.state);
        end.error = Some(RpcStatus::new(1, "The operation was cancelled."));
        self.put_end(id, end, file)?;
        Ok(json!({}))
    }

    /// `DELETE /{v}/batches/{id}`: forgets it, whatever its state.
    pub(crate) async fn batch_delete(&self, key: &str, id: &str) -> Result<Value, ApiError> {
        let owner = Owner::of(key);
        self.settle(Some((&owner, key))).await?;
        let mut state = self.state();
        let Some(mut batch) = state.batch(&owner, id, self.clock.now()).cloned() else {
            return Err(ApiError::not_found());
        };
        batch.deleted = true;
        state.put_batch(batch)?;
        Ok(json!({}))
    }

    /// All batches of all keys, oldest first.
    pub(crate) fn batch_views(&self) -> Vec<BatchView> {
        let now = self.clock.now();
        let state = self.state();
        let mut all: Vec<_> = state.all_batches().collect();
        all.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        all.into_iter()
            .map(|batch| {
                let faults = self.faults.bound(&batch.bound);
                batch.view(now, self.config.batch_delay, &faults)
            })
            .collect()
    }
}
