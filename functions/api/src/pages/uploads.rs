//! A new dataset, and the recordings for it: announced by scripts, which then send them
//! straight to where they are kept, or taken one by one out of a form.

use axum::Json;
use axum::extract::{FromRequest, RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderValue};
use stt_eval_html::layout::Section;
use stt_eval_html::upload::{self as html, Field, Given, Language, New, Recording};
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::audio::AudioFormat;
use stt_eval_shared::domain::dataset::MAX_SAMPLES;
use stt_eval_shared::domain::file::FileKind;
use stt_eval_shared::domain::{FileId, Timestamp, language};
use stt_eval_shared::wire::files::{AnnouncedFiles, NewFiles};

use super::answer::{redirect, told_scripts, written};
use super::parts::{Parts, Sent};
use super::session::Visit;
use super::table::{Form, Wrong};
use crate::http::body;
use crate::http::error::{Answer, status};
use crate::http::json::{self, JsonBody};
use crate::http::query::Pairs;
use crate::refusal::{Kind, Refusal};
use crate::services::attempt::Attempt;
use crate::services::datasets::kept;
use crate::services::files::{inline, uploads};

/// What the id of a file begins with, which ids in a form leave out: there may be 10,000.
const PREFIX: &str = "file_";
/// Most recordings whose ids an address holds.
const MOST_IN_ADDRESS: usize = 100;

/// Recordings of a dataset to be, as forms and addresses name them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Chosen(pub Vec<FileId>);

impl Chosen {
    /// Reads them; each counts once.
    ///
    /// # Errors
    /// When one is no id, or there are more than a dataset has clips.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let mut ids = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for short in text.split('.').filter(|short| !short.is_empty()) {
            let id = format!("{PREFIX}{short}").parse::<FileId>();
            let id =
                id.map_err(|_| Refusal::invalid_field("files", "must be ids of recordings"))?;
            if seen.insert(id) {
                ids.push(id);
            }
        }
        if ids.len() > MAX_SAMPLES {
            let message = format!("are {}; a dataset has at most {MAX_SAMPLES}", ids.len());
            return Err(Refusal::invalid_field("files", message));
        }
        Ok(Self(ids))
    }

    /// Writes them.
    #[must_use]
    pub fn text(&self) -> String {
        let ids = self.0.iter().map(|id| {
            let id = id.to_string();
            id.strip_prefix(PREFIX).unwrap_or(&id).to_owned()
        });
        ids.collect::<Vec<_>>().join(".")
    }
}

/// The page of a new dataset, with what was given already.
pub async fn page(
    app: &App,
    visit: &Visit,
    chosen: &Chosen,
    given: Given<'_>,
    problem: Option<(Field, &str)>,
) -> Result<Response, Refusal> {
    let project = &visit.caller.actor.project;
    let known = app.store.files(project, chosen.0.iter().copied()).await?;
    // What is gone meanwhile is chosen no more.
    let there = chosen.0.iter().filter_map(|id| known.get(id));
    let there: Vec<(String, &str)> = there
        .filter(|file| file.kind == FileKind::Audio)
        .map(|file| (file.id.to_string(), &*file.filename))
        .collect();
    let recordings: Vec<Recording<'_>> = there
        .iter()
        .map(|(id, name)| Recording { id, name })
        .collect();
    let languages: Vec<Language<'_>> = language::all()
        .iter()
        .map(|language| Language {
            tag: language.code,
            name: language.name,
        })
        .collect();
    let of = New {
        project: project.as_str(),
        given,
        recordings: &recordings,
        languages: &languages,
        problem,
    };
    let mut response = written(html::new(visit.frame("New dataset", Section::Datasets), of))?;
    if problem.is_some() {
        *response.status_mut() = status(Kind::Invalid);
    }
    Ok(response)
}

/// Shows the page of a new dataset.
pub async fn show(State(app): State<App>, visit: Visit, RawQuery(query): RawQuery) -> Answer {
    visit.needs(Role::Editor)?;
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    let (form, wrong) = Form::read(&app, &visit, Parts::of(query)).await?;
    again(&app, &visit, &form, wrong).await
}

/// The page with a form as it stands.
async fn again(
    app: &App,
    visit: &Visit,
    form: &Form,
    wrong: Option<Wrong>,
) -> Result<Response, Refusal> {
    let kept = form.kept_id();
    let given = form.given(kept.as_deref());
    let problem = wrong.as_ref().map(|(field, told)| (*field, &**told));
    page(app, visit, &form.chosen, given, problem).await
}

/// Takes recordings: JSON announces some, a form holds one.
pub async fn take(State(app): State<App>, visit: Visit, request: Request) -> Answer {
    visit.needs(Role::Editor)?;
    if json::is_json(&body::media_type(request.headers())) {
        return announced(&app, &visit, request).await;
    }
    let parts = Parts::from_request(request, &()).await?;
    take_one(&app, &visit, parts).await
}

/// Answers scripts with a signed PUT for each file, or with what is wrong.
async fn announced(app: &App, visit: &Visit, request: Request) -> Answer {
    let project = &visit.caller.actor.project;
    let made = async {
        let JsonBody { value, .. } = JsonBody::<NewFiles>::from_request(request, &()).await?;
        let attempt = Attempt::new(project.clone(), None, Timestamp::now());
        let announced = uploads::check(value)?.with_manifests_for(kept::KEPT);
        uploads::announce(app, project, announced, &attempt).await
    };
    let mut response = match made.await {
        Ok(files) => Json(AnnouncedFiles { files }).into_response(),
        Err(refusal) => return told_scripts(refusal),
    };
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}

/// The type of a recording: a browser's word for it, or by its name where that is none.
fn content_type(sent: &Sent) -> String {
    if AudioFormat::from_content_type(&sent.content_type).is_some() {
        return sent.content_type.clone();
    }
    let extension = sent.filename.rsplit_once('.').map(|(_, end)| end);
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    let format = match &*extension {
        "opus" | "oga" => Some(AudioFormat::Ogg),
        "mp4" => Some(AudioFormat::M4a),
        other => AudioFormat::from_name(other),
    };
    format.map_or_else(
        || sent.content_type.clone(),
        |format| format.content_type().to_owned(),
    )
}

/// What is wrong with a recording, as it is told beside its field.
fn in_form(message: &str) -> String {
    match message.strip_prefix("file: ") {
        // Of a file only its name is text.
        Some(why) if why.starts_with("must not contain") => format!("Its name {why}"),
        Some(why) => format!("It {why}"),
        None => message.to_owned(),
    }
}

/// Keeps a recording that came in a form, and leads back to the page with it and with what
/// else is in the form.
async fn take_one(app: &App, visit: &Visit, mut parts: Parts) -> Answer {
    let sent = parts.take("file");
    let (mut form, wrong) = Form::read(app, visit, parts).await?;
    let project = &visit.caller.actor.project;
    let kept = async {
        let missing = || Refusal::invalid_field("file", "must be chosen");
        let sent = sent.ok_or_else(missing)?;
        if form.chosen.0.len() >= MOST_IN_ADDRESS {
            let message = format!(
                "is one too many: without scripts a dataset gets at most {MOST_IN_ADDRESS} recordings"
            );
            return Err(Refusal::invalid_field("file", message));
        }
        let inline = inline::check(inline::Form {
            content_type: content_type(&sent),
            filename: sent.filename,
            checksum_sha256: None,
            bytes: sent.bytes,
        })?;
        if inline.declared.kind != FileKind::Audio {
            let message = "is a table, not a recording; choose it below";
            return Err(Refusal::invalid_field("file", message));
        }
        let attempt = Attempt::new(project.clone(), None, Timestamp::now());
        inline::keep(app, project, inline, &attempt).await
    };
    match kept.await {
        Ok(file) => {
            form.chosen.0.push(file.id);
            form.files = form.chosen.text();
            if wrong.is_some() {
                return again(app, visit, &form, wrong).await;
            }
            Ok(redirect(&form.address()))
        }
        Err(refusal) if refusal.kind == Kind::Invalid => {
            let wrong = (Field::Recording, in_form(&refusal.message));
            again(app, visit, &form, Some(wrong)).await
        }
        Err(refusal) => Err(refusal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_recording_is_told_in_words() {
        for (message, told) in [
            ("file: must be chosen", "It must be chosen"),
            (
                "file: must not contain U+0000",
                "Its name must not contain U+0000",
            ),
            ("there is no room", "there is no room"),
        ] {
            assert_eq!(in_form(message), told);
        }
    }

    #[test]
    fn recordings_come_back_as_they_were_written() {
        let ids: Vec<FileId> = (1..4).map(|n| FileId::mint(n, [7; 10])).collect();
        let chosen = Chosen(ids.clone());
        assert_eq!(Chosen::read(&chosen.text()).unwrap(), chosen);
        let twice = format!("{}.{}", chosen.text(), chosen.text());
        assert_eq!(Chosen::read(&twice).unwrap().0, ids);
        assert_eq!(Chosen::read("").unwrap().0, []);
        assert_eq!(Chosen::read("x").unwrap_err().kind, Kind::Invalid);
    }

    #[test]
    fn a_recording_is_known_by_its_name_where_a_browser_does_not_know_it() {
        for (filename, said, taken) in [
            ("a.wav", "audio/x-wav", "audio/x-wav"),
            ("a.OPUS", "application/octet-stream", "audio/ogg"),
            ("a.m4a", "", "audio/mp4"),
            ("a.flac", "video/mp4", "audio/flac"),
            ("a", "text/plain", "text/plain"),
        ] {
            let sent = Sent {
                filename: filename.to_owned(),
                content_type: said.to_owned(),
                bytes: bytes::Bytes::new(),
            };
            assert_eq!(content_type(&sent), taken, "{filename}");
        }
    }
}
