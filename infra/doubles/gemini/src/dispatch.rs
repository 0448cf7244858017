//! One request from beginning to end: ledger, key, faults, handler.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::response::Response;
use bytes::BytesMut;
use doubles_serving::{dropped, is_dropped};
use futures::{StreamExt, stream};
use http::header::RETRY_AFTER;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::ask;
use crate::batches::create_body;
use crate::clock::stamp;
use crate::fault::Fault;
use crate::faults::{Plan, Subject};
use crate::fields::{self, Mask};
use crate::files::Page;
use crate::ledger::LedgerEntry;
use crate::models;
use crate::owner::{Owner, last4};
use crate::route::{self, Route, Target};
use crate::schema::{self, GENERATE_CONTENT};
use crate::session::{Session, drain};
use crate::sim::Sim;
use crate::upload::{command, file_metadata};
use crate::wire::{ApiError, RpcStatus, json_response, redirect, typed_response};

const MIB: usize = 1 << 20;

/// What is known of a request before it is carried out.
struct Call {
    seq: u64,
    target: Target,
    query: HashMap<String, String>,
    headers: HeaderMap,
    key: String,
    session: Option<Arc<Session>>,
}

/// Handles every path that is not the control plane's.
pub(crate) async fn dispatch(State(sim): State<Arc<Sim>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let call = sim.enter(parts);
    let response = match sim.handle(&call, body).await {
        Ok(response) => response,
        Err(error) => error.response(),
    };
    let sent = !is_dropped(&response);
    sim.ledger.note(call.seq, |entry| {
        entry.status = sent.then_some(response.status().as_u16());
    });
    response
}

impl Sim {
    fn enter(&self, parts: Parts) -> Call {
        let query = Query::<HashMap<String, String>>::try_from_uri(&parts.uri)
            .map(|Query(query)| query)
            .unwrap_or_default();
        let target = route::parse(
            &parts.method,
            parts.uri.path(),
            &query,
            command(&parts.headers),
        );
        let session = match target.route {
            Route::UploadChunk | Route::UploadQuery => self.sessions.get(&target.id),
            _ => None,
        };
        let header = parts
            .headers
            .get("x-goog-api-key")
            .and_then(|v| v.to_str().ok());
        let key = match (&session, header, query.get("key")) {
            (Some(session), _, _) => session.key.clone(),
            (None, Some(key), _) => key.to_owned(),
            (None, None, key) => key.cloned().unwrap_or_default(),
        };
        let seq = self.ledger.begin(LedgerEntry {
            seq: 0,
            at: stamp(self.clock.now()),
            route: target.route,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            key_last4: (!key.is_empty()).then(|| last4(&key)),
            key_in_query: query.contains_key("key"),
            display_name: None,
            bytes: 0,
            status: None,
            faults: Vec::new(),
        });
        Call {
            seq,
            target,
            query,
            headers: parts.headers,
            key,
            session,
        }
    }

    async fn handle(&self, call: &Call, body: Body) -> Result<Response, ApiError> {
        let uploading = call.target.route == Route::UploadChunk;
        let (body, chunk) = if uploading {
            (Bytes::new(), body)
        } else {
            let bytes = self.read_body(call, body).await?;
            (bytes, Body::empty())
        };
        self.check_key(call)?;
        let subject = self.subject(call, &body);
        let plan = self.faults.plan(call.target.route, &subject);
        self.ledger.note(call.seq, |entry| {
            entry.display_name.clone_from(&subject.display_name);
            entry.faults.clone_from(&plan.names);
        });
        tokio::time::sleep(plan.before).await;
        match &plan.fault {
            Some(Fault::DropRequest) => return Ok(dropped()),
            Some(
                fault @ Fault::Status {
                    after_commit: false,
                    ..
                },
            ) => {
                drain(chunk).await;
                return Ok(faulty(fault));
            }
            Some(
                fault @ Fault::Html {
                    after_commit: false,
                },
            ) => {
                drain(chunk).await;
                return Ok(faulty(fault));
            }
            _ => {}
        }
        let result = self.carry_out(call, &plan, &body, chunk).await;
        tokio::time::sleep(plan.after).await;
        match &plan.fault {
            Some(Fault::LoseReply | Fault::LateAcceptance { .. }) => Ok(dropped()),
            Some(fault @ (Fault::Status { .. } | Fault::Html { .. })) => Ok(faulty(fault)),
            Some(Fault::CutReply { bytes }) => {
                Ok(cut(result.unwrap_or_else(|error| error.response()), *bytes))
            }
            _ => result,
        }
    }

    async fn read_body(&self, call: &Call, body: Body) -> Result<Bytes, ApiError> {
        let limit = match call.target.route {
            Route::BatchCreate => 20 * MIB,
            Route::GenerateContent => 100 * MIB,
            _ => MIB,
        };
        // Read to the end in any case, so that a refusal reaches the sender.
        let (mut bytes, mut size) = (BytesMut::new(), 0);
        let mut frames = body.into_data_stream();
        while let Some(frame) = frames.next().await {
            let frame = frame.map_err(|e| ApiError::invalid(format!("The body broke off: {e}")))?;
            size += frame.len();
            if size <= limit {
                bytes.extend_from_slice(&frame);
            }
        }
        self.ledger
            .note(call.seq, |entry| entry.bytes = size as u64);
        if size > limit {
            return Err(ApiError::invalid(format!(
                "Request payload size exceeds the limit: {limit} bytes."
            )));
        }
        Ok(bytes.freeze())
    }

    /// Everything but the upload URL needs a valid key.
    fn check_key(&self, call: &Call) -> Result<(), ApiError> {
        if matches!(call.target.route, Route::UploadChunk | Route::UploadQuery) {
            return Ok(());
        }
        if call.key.is_empty() {
            return Err(ApiError::no_key());
        }
        match &self.config.accepted_keys {
            Some(keys) if !keys.contains(&call.key) => Err(ApiError::bad_key()),
            _ => Ok(()),
        }
    }

    /// What fault rules are matched against.
    fn subject<'a>(&self, call: &'a Call, body: &[u8]) -> Subject<'a> {
        let id = &call.target.id;
        let now = self.clock.now();
        let mut subject = Subject {
            api_key: &call.key,
            ..Subject::default()
        };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        match call.target.route {
            Route::UploadStart => {
                let file = file_metadata(body).unwrap_or_default();
                subject.display_name = text(file.get("displayName"));
                subject.resource = text(file.get("name")).unwrap_or_default();
            }
            Route::UploadChunk | Route::UploadQuery => {
                if let Some(session) = &call.session {
                    subject.display_name.clone_from(&session.display_name);
                    subject.resource = format!("files/{}", session.id);
                }
            }
            Route::FileGet | Route::FileDelete | Route::FileDownload => {
                subject.resource = format!("files/{id}");
                let state = self.state();
                let file = state.file(&Owner::of(&call.key), id, now);
                subject.display_name = file.and_then(|file| file.display_name.clone());
            }
            Route::BatchCreate => {
                let batch = create_body(body).unwrap_or_default();
                subject.display_name = text(batch.get("displayName"));
                subject.model.clone_from(id);
            }
            Route::BatchGet | Route::BatchCancel | Route::BatchDelete => {
                subject.resource = format!("batches/{id}");
                let state = self.state();
                if let Some(batch) = state.batch(&Owner::of(&call.key), id, now) {
                    subject.display_name.clone_from(&batch.display_name);
                    subject.model.clone_from(&batch.model);
                }
            }
            Route::ModelGet | Route::GenerateContent => subject.model.clone_from(id),
            Route::FileList | Route::BatchList | Route::ModelList | Route::Unknown => {}
        }
        subject
    }

    async fn carry_out(
        &self,
        call: &Call,
        plan: &Plan,
        body: &[u8],
        chunk: Body,
    ) -> Result<Response, ApiError> {
        let Target {
            route, version, id, ..
        } = &call.target;
        let owner = Owner::of(&call.key);
        let key = &call.key;
        let mask = mask(call, plan)?;
        let value = match route {
            Route::UploadStart => {
                let strict = self.config.strict_mime || plan.fault == Some(Fault::StrictMime);
                return self
                    .upload_start(key, version, &call.headers, body, strict)
                    .await;
            }
            Route::UploadChunk => return self.chunk(call, plan, chunk).await,
            Route::UploadQuery => {
                let session = call.session.as_ref().ok_or_else(ApiError::not_found)?;
                return self.upload_query(session).await;
            }
            Route::FileDownload => {
                // Whether there is such a file or not.
                if let Some(path) = &call.target.elsewhere {
                    return Ok(redirect(&format!("{}{path}", self.base_url)));
                }
                let alt = call.query.get("alt").map(String::as_str);
                return self.file_download(&owner, id, alt).await;
            }
            Route::FileGet => self.file_get(&owner, id),
            Route::FileList => self.file_list(&owner, &page(&call.query, 10, 100)?),
            Route::FileDelete => self.file_delete(&owner, id),
            Route::BatchCreate => {
                let late = match &plan.fault {
                    Some(Fault::LateAcceptance { millis }) => Some(Duration::from_millis(*millis)),
                    _ => None,
                };
                self.batch_create(key, version, id, body, late).await
            }
            Route::BatchGet => self.batch_get(key, id).await,
            Route::BatchList => {
                let page = page(&call.query, 10, 100)?;
                self.batch_list(key, &page, &mask).await
            }
            Route::BatchCancel => self.batch_cancel(key, id).await,
            Route::BatchDelete => self.batch_delete(key, id).await,
            Route::ModelList => {
                let page = page(&call.query, 50, 1000)?;
                models::list(page.size, page.token.as_deref())
            }
            Route::ModelGet => models::get(id, version),
            Route::GenerateContent => self.generate(&owner, key, version, id, body),
            Route::Unknown => Err(ApiError::new(
                404,
                format!(
                    "gemini-sim does not serve this method and path: {}",
                    call.target_path()
                ),
            )),
        }?;
        Ok(json_response(200, &mask.of(value)))
    }

    async fn chunk(&self, call: &Call, plan: &Plan, body: Body) -> Result<Response, ApiError> {
        let Some(session) = &call.session else {
            drain(body).await;
            return Err(ApiError::not_found());
        };
        let drop_after = match &plan.fault {
            Some(Fault::DropChunk { keep_bytes }) => Some(*keep_bytes),
            _ => None,
        };
        let mut read = 0;
        let answered = self
            .upload_chunk(session, &call.headers, body, drop_after, &mut read)
            .await;
        self.ledger.note(call.seq, |entry| entry.bytes = read);
        answered
    }

    /// `POST /{v}/models/{model}:generateContent`.
    fn generate(
        &self,
        owner: &Owner,
        key: &str,
        version: &str,
        model: &str,
        body: &[u8],
    ) -> Result<Value, ApiError> {
        if models::version_of(model).is_none() {
            return Err(models::unsupported(model, version, "generateContent"));
        }
        let request: Value = serde_json::from_slice(body)
            .map_err(|e| ApiError::invalid(format!("Invalid JSON payload received. {e}")))?;
        let request = schema::normalise(request, GENERATE_CONTENT).map_err(ApiError::invalid)?;
        let fault = self.faults.for_item(&Subject {
            api_key: key,
            model: model.to_owned(),
            ..Subject::default()
        });
        if let Some(Fault::ItemError { code, message, .. }) = &fault {
            return Err(http_error(&RpcStatus::new(*code, message)));
        }
        ask::ask(model, &request)
            .and_then(|ask| self.answer(owner, model, &ask, fault.as_ref()))
            .map_err(|error| http_error(&error))
    }
}

impl Call {
    fn target_path(&self) -> String {
        format!("{} {}", self.target.route, self.target.id)
    }
}

/// The HTTP status of a `google.rpc.Code`.
fn http_error(error: &RpcStatus) -> ApiError {
    let status = match error.code {
        1 => 499,
        3 | 9 | 11 => 400,
        4 => 504,
        5 => 404,
        6 | 10 => 409,
        7 => 403,
        8 => 429,
        12 => 501,
        14 => 503,
        16 => 401,
        _ => 500,
    };
    ApiError::new(status, &error.message)
}

/// What of the answer is asked for.
fn mask(call: &Call, plan: &Plan) -> Result<Mask, ApiError> {
    let asked = call
        .query
        .get("fields")
        .or_else(|| call.query.get("$fields"));
    let Some(text) = asked.filter(|text| !text.is_empty()) else {
        return Ok(Mask::default());
    };
    let mask = Mask::parse(text)?;
    match plan.fault {
        Some(Fault::RefuseFields { inside: false }) => Err(fields::refused(text)),
        Some(Fault::RefuseFields { inside: true })
            if ["metadata", "response"]
                .iter()
                .any(|member| mask.reaches_into(&["operations", member])) =>
        {
            Err(fields::refused(text))
        }
        Some(Fault::IgnoreFields) => Ok(Mask::default()),
        _ => Ok(mask),
    }
}

fn page(query: &HashMap<String, String>, usual: usize, most: usize) -> Result<Page, ApiError> {
    let size = match query.get("pageSize").or_else(|| query.get("page_size")) {
        None => usual,
        Some(text) => match text.parse::<usize>() {
            Ok(0) => usual,
            Ok(size) => size.min(most),
            Err(_) => {
                return Err(ApiError::invalid(format!(
                    "Invalid value at 'page_size': {text}"
                )));
            }
        },
    };
    let token = query.get("pageToken").or_else(|| query.get("page_token"));
    Ok(Page {
        size,
        token: token.filter(|token| !token.is_empty()).cloned(),
    })
}

/// The answer of a fault that answers.
fn faulty(fault: &Fault) -> Response {
    match fault {
        Fault::Status {
            code,
            message,
            retry_after,
            ..
        } => {
            let message = message.clone().unwrap_or_else(|| match code {
                429 => "Resource has been exhausted (e.g. check quota).".to_owned(),
                503 => "The service is currently unavailable.".to_owned(),
                500 => "An internal error has occurred.".to_owned(),
                code => format!("gemini-sim was told to answer {code}."),
            });
            let mut response = ApiError::new(*code, message).response();
            if let Some(seconds) = retry_after {
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from(*seconds));
            }
            response
        }
        _ => typed_response(
            200,
            "text/html; charset=UTF-8",
            "<!DOCTYPE html><html><head><title>Error</title></head><body>Try again.</body></html>",
        ),
    }
}

/// Breaks a reply off after so many bytes of its body.
fn cut(response: Response, bytes: u64) -> Response {
    let (parts, body) = response.into_parts();
    let left = usize::try_from(bytes).unwrap_or(usize::MAX);
    let frames = body.into_data_stream();
    let stream = stream::unfold(Some((frames, left)), |state| async move {
        let (mut frames, left) = state?;
        let broken = || Err(std::io::Error::other("cut on purpose"));
        if left == 0 {
            // What came before is flushed first.
            tokio::time::sleep(Duration::from_millis(20)).await;
            return Some((broken(), None));
        }
        match frames.next().await {
            Some(Ok(mut frame)) => {
                frame.truncate(left);
                let left = left - frame.len();
                Some((Ok(frame), Some((frames, left))))
            }
            _ => Some((broken(), None)),
        }
    });
    Response::from_parts(parts, Body::from_stream(stream))
}
