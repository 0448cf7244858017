//! The end of a batch: answering its requests and writing the output.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::answer;
use crate::ask::{self, Ask};
use crate::batch_record::{BatchRecord, End, Input, Output};
use crate::batches::input_line;
use crate::clock::later;
use crate::fault::{ErrorMember, Fault};
use crate::faults::Subject;
use crate::file_record::{FileRecord, FileState};
use crate::models;
use crate::output::{HashingWriter, malformed, shuffle};
use crate::owner::Owner;
use crate::recordings::Recording;
use crate::sim::Sim;
use crate::wire::{ApiError, RpcStatus, no_file_message};

/// One result: the lines to write and whether the item succeeded.
struct Item {
    lines: Vec<Vec<u8>>,
    succeeded: bool,
}

impl Sim {
    /// Ends every batch that is due, of one owner or of all.
    pub(crate) async fn settle(&self, owner: Option<(&Owner, &str)>) -> Result<(), ApiError> {
        let due = self.take_due(owner);
        if due.is_empty() {
            return Ok(());
        }
        let Some(sim) = self.me.upgrade() else {
            return Err(ApiError::internal("shut down"));
        };
        // Its own task: a client that goes away must not leave a batch half-ended.
        let work = tokio::task::spawn_blocking(move || {
            // One that cannot be ended must not hold up the rest.
            let ends = due
                .into_iter()
                .map(|(batch, faults)| sim.end_batch(&batch, &faults));
            ends.fold(Ok(()), Result::and)
        });
        work.await.map_err(ApiError::internal)?
    }

    /// Marks what is due, so that no other request ends it.
    fn take_due(&self, owner: Option<(&Owner, &str)>) -> Vec<(BatchRecord, Vec<Fault>)> {
        let now = self.clock.now();
        let mut state = self.state();
        let ids = match owner {
            Some((owner, _)) => state.open_batches(owner),
            None => state
                .all_batches()
                .filter(|b| b.end.is_none() && !b.deleted)
                .map(|b| b.id.clone())
                .collect(),
        };
        let mut due = Vec::new();
        for id in ids {
            let Some(batch) = state.batch_mut(&id) else {
                continue;
            };
            if batch.settling || batch.end.is_some() || !batch.visible(now) {
                continue;
            }
            if let (true, Some((_, key))) = (batch.key.is_empty(), owner) {
                key.clone_into(&mut batch.key);
            }
            let faults = self.bind_faults(batch);
            let expired = now >= later(batch.created, self.config.batch_ttl);
            let stuck = faults.iter().any(|f| matches!(f, Fault::Stuck { .. }));
            if expired || (!stuck && now >= batch.due(self.config.batch_delay, &faults)) {
                batch.settling = true;
                due.push((batch.clone(), faults));
            }
        }
        due
    }

    fn end_batch(&self, batch: &BatchRecord, faults: &[Fault]) -> Result<(), ApiError> {
        let ended = self.make_end(batch, faults);
        if let (Err(_), Some(current)) = (&ended, self.state().batch_mut(&batch.id)) {
            current.settling = false;
        }
        let (end, file) = ended?;
        self.put_end(&batch.id, end, file)
    }

    /// Ends a batch, unless something else has ended it meanwhile.
    pub(crate) fn put_end(
        &self,
        id: &str,
        end: End,
        file: Option<FileRecord>,
    ) -> Result<(), ApiError> {
        let mut state = self.state();
        let Some(current) = state.batch_mut(id).filter(|batch| batch.end.is_none()) else {
            return Ok(());
        };
        let mut current = current.clone();
        current.end = Some(end);
        if let Some(file) = file {
            state.put_file(file)?;
        }
        state.put_batch(current)
    }

    /// How a batch ends now, and the file that goes with it.
    pub(crate) fn make_end(
        &self,
        batch: &BatchRecord,
        faults: &[Fault],
    ) -> Result<(End, Option<FileRecord>), ApiError> {
        let now = self.clock.now();
        let mut end = End::at(now);
        let mut with_output = true;
        for fault in faults {
            if let Fault::End {
                state,
                code,
                message,
                with_output: output,
            } = fault
            {
                state
                    .trim_start_matches("BATCH_STATE_")
                    .clone_into(&mut end.state);
                end.error = Some(RpcStatus::new(*code, message));
                with_output = *output;
            }
        }
        let stuck = faults.iter().any(|f| matches!(f, Fault::Stuck { .. }));
        let lifetime = later(batch.created, self.config.batch_ttl);
        if stuck || batch.due(self.config.batch_delay, faults) >= lifetime {
            end.state = "EXPIRED".to_owned();
            end.at = lifetime;
            end.error = Some(RpcStatus::new(
                4,
                "The batch was not processed within its lifetime.",
            ));
            return Ok((end, None));
        }
        if !with_output {
            return Ok((end, None));
        }
        match &batch.input {
            Input::Inline(items) => {
                let mut output = Vec::with_capacity(items.len());
                for item in items {
                    let (value, ok) = self.inline_result(batch, item.metadata.as_ref(), &item.ask);
                    output.extend(value);
                    count(&mut end, ok);
                }
                end.output = Some(Output::Inline(output));
                Ok((end, None))
            }
            Input::File(input) => {
                let usable = self
                    .state()
                    .file(&batch.owner, input, now)
                    .is_some_and(|file| file.state(now) == FileState::Active);
                if !usable {
                    end.state = "FAILED".to_owned();
                    end.error = Some(RpcStatus::new(7, no_file_message(input)));
                    return Ok((end, None));
                }
                let file = self.write_output(batch, input, faults, &mut end)?;
                end.output = Some(Output::File(file.id.clone()));
                Ok((end, Some(file)))
            }
        }
    }

    /// Writes the result file of a batch, line by line unless it is shuffled.
    fn write_output(
        &self,
        batch: &BatchRecord,
        input: &str,
        faults: &[Fault],
        end: &mut End,
    ) -> Result<FileRecord, ApiError> {
        let id = format!("batch-{}", batch.id);
        let (from, to) = {
            let state = self.state();
            (state.blob(input), state.blob(&id))
        };
        let mut out = HashingWriter::create(&to).map_err(ApiError::internal)?;
        let mut shuffled = None;
        let mut replaced = None;
        for fault in faults {
            match fault {
                Fault::Shuffle { seed } => shuffled = Some((*seed, Vec::new())),
                Fault::ReplaceOutput { base64 } => {
                    replaced = Some(STANDARD.decode(base64).map_err(ApiError::internal)?);
                }
                _ => {}
            }
        }
        let mut reader = BufReader::new(File::open(from).map_err(ApiError::internal)?);
        let mut line = Vec::new();
        loop {
            line.clear();
            if reader
                .read_until(b'\n', &mut line)
                .map_err(ApiError::internal)?
                == 0
            {
                break;
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let parsed = input_line(&line).map_err(ApiError::internal)?;
            let ask = ask::ask(&batch.model, &parsed.request);
            let item = self.file_result(batch, &parsed.key, &ask);
            count(end, item.succeeded);
            match &mut shuffled {
                _ if replaced.is_some() => {}
                Some((_, lines)) => lines.extend(item.lines),
                None => out.lines(&item.lines).map_err(ApiError::internal)?,
            }
        }
        if let Some((seed, mut lines)) = shuffled {
            shuffle(&mut lines, seed);
            out.lines(&lines).map_err(ApiError::internal)?;
        }
        if let Some(bytes) = replaced {
            out.write(&bytes).map_err(ApiError::internal)?;
        }
        for fault in faults {
            if let Fault::ExtraLines { lines } = fault {
                let lines: Vec<Vec<u8>> = lines.iter().map(|l| l.clone().into_bytes()).collect();
                out.lines(&lines).map_err(ApiError::internal)?;
            }
        }
        let (size, sha256) = out.finish().map_err(ApiError::internal)?;
        let now = self.clock.now();
        let late = faults.iter().map(|fault| match fault {
            Fault::FileLate { millis } => Duration::from_millis(*millis),
            _ => Duration::ZERO,
        });
        Ok(FileRecord {
            id,
            owner: batch.owner.clone(),
            display_name: None,
            mime_type: "application/jsonl".to_owned(),
            size,
            sha256,
            created: now,
            ready: later(now, late.sum()),
            expires: later(now, self.config.file_ttl),
            failure: None,
            generated: true,
            stored: true,
        })
    }

    /// The response to one request, or the error of the item.
    fn respond(
        &self,
        batch: &BatchRecord,
        ask: &Result<Ask, RpcStatus>,
        fault: Option<&Fault>,
    ) -> Result<Value, RpcStatus> {
        if let Some(Fault::ItemError { code, message, .. }) = fault {
            return Err(RpcStatus::new(*code, message));
        }
        let ask = ask.as_ref().map_err(Clone::clone)?;
        self.answer(&batch.owner, &batch.model, ask, fault)
    }

    /// The response of a model to one request, changed by a fault.
    pub(crate) fn answer(
        &self,
        owner: &Owner,
        model: &str,
        ask: &Ask,
        fault: Option<&Fault>,
    ) -> Result<Value, RpcStatus> {
        let audio = answer::find_audio(&self.state(), owner, ask, self.clock.now())?;
        let recording = answer::lookup(&self.config.recordings, model, &audio)?;
        let recording = changed(recording, fault);
        let usage = answer::usage(ask, &audio, &recording);
        let version = models::version_of(model).unwrap_or(model);
        let mut response = answer::response(&recording, version, usage);
        match fault {
            Some(Fault::ItemNoCandidates) => remove(&mut response, &["candidates"]),
            Some(Fault::ItemNoUsage) => {
                remove(
                    &mut response,
                    &["usageMetadata", "modelVersion", "responseId"],
                );
            }
            Some(Fault::ItemThoughtOnly) => {
                response["candidates"][0]["content"]["parts"] =
                    json!([{"text": recording.text, "thought": true}]);
            }
            Some(Fault::ItemParts) => {
                let middle = recording.text.chars().count() / 2;
                let first: String = recording.text.chars().take(middle).collect();
                let second: String = recording.text.chars().skip(middle).collect();
                response["candidates"][0]["content"]["parts"] = json!([
                    {"text": "The speaker says something.", "thought": true},
                    {"text": first},
                    {"text": second},
                    {"thoughtSignature": "c2lnbmF0dXJl"},
                ]);
            }
            _ => {}
        }
        Ok(response)
    }

    fn item_fault(&self, batch: &BatchRecord, key: Option<&str>) -> Option<Fault> {
        self.faults.for_item(&Subject {
            api_key: &batch.key,
            display_name: batch.display_name.clone(),
            model: batch.model.clone(),
            resource: format!("batches/{}", batch.id),
            item_key: key,
        })
    }

    fn file_result(&self, batch: &BatchRecord, key: &str, ask: &Result<Ask, RpcStatus>) -> Item {
        let fault = self.item_fault(batch, Some(key));
        let result = self.respond(batch, ask, fault.as_ref());
        let succeeded = result.is_ok();
        let shown_key = match &fault {
            Some(Fault::ItemUnknownKey { key }) => key,
            _ => key,
        };
        let line = match &result {
            Ok(response) => format!(r#"{{"response":{response},"key":{}}}"#, json!(shown_key)),
            Err(error) => {
                let member = match &fault {
                    Some(Fault::ItemError {
                        member: ErrorMember::Status,
                        ..
                    }) => "status",
                    _ => "error",
                };
                format!(
                    r#"{{"key":{},"{member}":{}}}"#,
                    json!(shown_key),
                    json!(error)
                )
            }
        };
        let lines = match fault {
            Some(Fault::ItemMissing) => Vec::new(),
            Some(Fault::ItemMalformed { form }) => vec![malformed(form, &line)],
            Some(Fault::ItemDuplicate { text }) => {
                let mut second = line.clone();
                if let (Some(text), Ok(mut response)) = (text, result) {
                    response["candidates"][0]["content"]["parts"] = json!([{ "text": text }]);
                    second = format!(r#"{{"response":{response},"key":{}}}"#, json!(key));
                }
                vec![line.into_bytes(), second.into_bytes()]
            }
            _ => vec![line.into_bytes()],
        };
        Item { lines, succeeded }
    }

    /// An inlined result; those that cannot be shown inline are missing.
    fn inline_result(
        &self,
        batch: &BatchRecord,
        metadata: Option<&Value>,
        ask: &Result<Ask, RpcStatus>,
    ) -> (Vec<Value>, bool) {
        let key = metadata.and_then(|m| m["key"].as_str());
        let fault = self.item_fault(batch, key);
        let result = self.respond(batch, ask, fault.as_ref());
        let succeeded = result.is_ok();
        let mut item = match result {
            Ok(response) => json!({ "response": response }),
            Err(error) => json!({ "error": error }),
        };
        if let Some(metadata) = metadata {
            item["metadata"] = metadata.clone();
        }
        if let Some(Fault::ItemUnknownKey { key }) = &fault {
            item["metadata"] = json!({ "key": key });
        }
        let items = match fault {
            Some(Fault::ItemMissing | Fault::ItemMalformed { .. }) => Vec::new(),
            Some(Fault::ItemDuplicate { .. }) => vec![item.clone(), item],
            _ => vec![item],
        };
        (items, succeeded)
    }
}

fn count(end: &mut End, succeeded: bool) {
    if succeeded {
        end.succeeded += 1;
    } else {
        end.failed += 1;
    }
}

/// The recording as a fault wants it.
fn changed(mut recording: Recording, fault: Option<&Fault>) -> Recording {
    match fault {
        Some(Fault::ItemBlocked { reason }) => recording.block_reason = Some(reason.clone()),
        Some(Fault::ItemFinish { reason, text }) => {
            recording.finish_reason = Some(reason.clone());
            recording.text = text.clone().unwrap_or_default();
        }
        Some(Fault::ItemText { text }) => recording.text.clone_from(text),
        _ => {}
    }
    recording
}

fn remove(response: &mut Value, names: &[&str]) {
    if let Some(map) = response.as_object_mut() {
        map.retain(|name, _| !names.contains(&name.as_str()));
    }
}
