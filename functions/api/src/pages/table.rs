//! Recordings and a table: what was found in them before they are saved, and saving.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use stt_eval_formats::language::tag_of;
use stt_eval_html::layout::Section;
use stt_eval_html::upload::{self as html, Clip, Field, Findings, Found, Given, Preview, Quote};
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::{FileId, Timestamp, validate};
use stt_eval_shared::wire::datasets::NewDataset;
use stt_eval_shared::wire::findings::Topic;

use super::answer::{redirect, written};
use super::parts::Parts;
use super::session::Visit;
use super::uploads::{self, Chosen};
use crate::http::error::{Answer, status};
use crate::http::query::encoded;
use crate::refusal::{Kind, Refusal};
use crate::services::attempt::Attempt;
use crate::services::datasets::check::check_drafted;
use crate::services::datasets::create::create;
use crate::services::datasets::draft::language_tag;
use crate::services::datasets::kept;
use crate::services::datasets::splits::Wanted;
use crate::services::datasets::table::{self, Judged, Table};

/// Clips that are shown before they are saved.
const CLIPS: usize = 20;

/// What a form says of a dataset to be.
pub(super) struct Form {
    pub chosen: Chosen,
    pub files: String,
    name: String,
    language: String,
    /// The table, once it was kept.
    kept: Option<(FileId, String)>,
    table: Option<Table>,
    split: Wanted,
}

/// What is wrong with a field of it.
pub(super) type Wrong = (Field, String);

impl Form {
    pub fn given<'a>(&'a self, kept: Option<&'a str>) -> Given<'a> {
        let table = self.kept.as_ref();
        Given {
            files: &self.files,
            table: kept.zip(table).map(|(id, (_, name))| (id, &**name)),
            name: &self.name,
            language: &self.language,
            split: self.split.text(),
        }
    }

    pub fn kept_id(&self) -> Option<String> {
        self.kept.as_ref().map(|(id, _)| id.to_string())
    }

    /// Where the page is that holds all of it, for one more recording.
    pub fn address(&self) -> String {
        let (files, kept) = (&self.files, self.kept_id().unwrap_or_default());
        let (name, language) = (encoded(&self.name), encoded(&self.language));
        let mut address =
            format!("/datasets/new?files={files}&name={name}&language={language}&kept={kept}");
        if let Some(split) = self.split.text() {
            address.extend(["&split=", &encoded(split)]);
        }
        address
    }

    /// Reads a form; a table that is in it is kept, so that it need not be sent again.
    pub async fn read(
        app: &App,
        visit: &Visit,
        mut parts: Parts,
    ) -> Result<(Self, Option<Wrong>), Refusal> {
        let sent = parts.take("table");
        let text = |name: &str| parts.fields.text(name).unwrap_or_default().to_owned();
        let chosen = Chosen::read(&text("files"))?;
        let mut form = Self {
            files: chosen.text(),
            chosen,
            name: text("name"),
            language: text("language"),
            kept: None,
            table: None,
            // One was chosen of the table before.
            split: match &sent {
                Some(_) => Wanted::Usual,
                None => Wanted::asked(parts.fields.text("split")),
            },
        };
        let project = &visit.caller.actor.project;
        let read = async {
            let id = match sent {
                Some(sent) => {
                    let attempt = Attempt::new(project.clone(), None, Timestamp::now());
                    let table = Table {
                        name: sent.filename,
                        bytes: sent.bytes,
                    };
                    Some(kept::keep(app, project, table, &attempt).await?.id)
                }
                None if text("kept").is_empty() => None,
                None => Some(text("kept").parse::<FileId>().map_err(|_| {
                    Refusal::invalid_field("table", "is not the id of a table; choose it again")
                })?),
            };
            match id {
                None => Ok::<_, Refusal>(None),
                Some(id) => Ok(Some((id, kept::read(app, project, id).await?))),
            }
        };
        match read.await {
            Ok(None) => Ok((form, None)),
            Ok(Some((id, table))) => {
                form.kept = Some((id, table.name.clone()));
                form.table = Some(table);
                Ok((form, None))
            }
            Err(refusal) if refusal.kind == Kind::Invalid => {
                // The field is that of the page.
                let first = refusal.fields.into_iter().next();
                let message = first.map_or(refusal.message, |error| error.message);
                Ok((form, Some((Field::Table, message))))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// The tag of the language, by its name or its tag.
    fn tag(&self) -> Result<String, Wrong> {
        let typed = self.language.trim();
        let tag = tag_of(typed).unwrap_or_else(|| typed.to_owned());
        let wrong = |why: &str| {
            let message =
                format!("{why}: write its English name or its tag, such as Hindi or hi-IN");
            (Field::Language, message)
        };
        match typed {
            "" => Err(wrong("must be given")),
            _ => language_tag("language", &tag).map_err(|_| wrong("is not known here")),
        }
    }

    /// What is wrong with it before its recordings are looked at.
    async fn wrong(&self, app: &App, visit: &Visit) -> Result<Option<Wrong>, Refusal> {
        if self.chosen.0.is_empty() {
            let message = "upload at least one".to_owned();
            return Ok(Some((Field::Recording, message)));
        }
        if let Err(wrong) = self.tag() {
            return Ok(Some(wrong));
        }
        match validate::name("name", &self.name) {
            Err(error) => Ok(Some((Field::Name, error.message))),
            Ok(name) => {
                let project = &visit.caller.actor.project;
                let is_taken = app.store.dataset_name_taken(project, &name).await?;
                let message = "a dataset of this name exists already";
                Ok(is_taken.then(|| (Field::Name, message.to_owned())))
            }
        }
    }
}

/// Findings of one kind: what is saved all the same, and then what they are about.
type Kept = (bool, Topic);

/// How many findings of a kind are not told.
fn untold(judged: &Judged, kind: Kept) -> usize {
    let untold = judged.untold.iter();
    let of_kind = untold.filter(|(topic, is_left_out, _)| (!is_left_out, *topic) == kind);
    of_kind.map(|(.., count)| count).sum()
}

/// The page of what was found.
fn found(visit: &Visit, form: &Form, judged: &Judged, problem: Option<&str>) -> Answer {
    let mut groups: BTreeMap<Kept, Vec<Found<'_>>> = BTreeMap::new();
    for finding in &judged.findings {
        let group = groups.entry((!finding.is_left_out, finding.topic));
        group.or_default().push(Found {
            said: &finding.message,
            quote: finding.quote.as_ref().map(|quote| Quote {
                text: &quote.text,
                language: &quote.language,
            }),
        });
    }
    let groups: Vec<Findings<'_>> = groups
        .into_iter()
        .map(|(kind, first)| Findings {
            topic: kind.1,
            is_left_out: !kind.0,
            count: first.len() + untold(judged, kind),
            first,
        })
        .collect();
    let clips = judged.drafts.iter().take(CLIPS).map(|draft| Clip {
        file: judged.names.get(&draft.file).map_or("", String::as_str),
        text: draft.ground_truth.as_deref(),
        language: &draft.language,
    });
    let clips: Vec<Clip<'_>> = clips.collect();
    let kept = form.kept_id();
    let of = Preview {
        given: form.given(kept.as_deref()),
        usable: judged.drafts.len(),
        refused: judged.refused,
        without_row: judged.without_row,
        waiting: judged.waiting,
        splits: &judged.parts.splits,
        without_split: judged.parts.without,
        split: judged.split.as_deref(),
        findings: &groups,
        clips: &clips,
        problem,
    };
    let frame = visit.frame("Check before saving", Section::Datasets);
    written(html::preview(frame, of))
}

/// Judges the recordings and the table of a form, or leads back to it with what is wrong.
async fn judged(
    app: &App,
    visit: &Visit,
    form: &Form,
) -> Result<Result<Judged, Response>, Refusal> {
    let kept = form.kept_id();
    let back = async |(field, message): Wrong| {
        let given = form.given(kept.as_deref());
        uploads::page(app, visit, &form.chosen, given, Some((field, &message))).await
    };
    if let Some(wrong) = form.wrong(app, visit).await? {
        return Ok(Err(back(wrong).await?));
    }
    let tag = match form.tag() {
        Ok(tag) => tag,
        Err(wrong) => return Ok(Err(back(wrong).await?)),
    };
    let actor = &visit.caller.actor;
    let table = form.table.as_ref();
    let judged = table::judge(app, actor, &form.chosen.0, table, &tag, &form.split).await?;
    match judged.problem {
        Some(problem) => Ok(Err(back((Field::Table, problem)).await?)),
        None => Ok(Ok(judged)),
    }
}

/// Shows what was found in recordings and a table. Nothing is saved but the table.
pub async fn preview(State(app): State<App>, visit: Visit, parts: Parts) -> Answer {
    visit.needs(Role::Editor)?;
    let wants_change = parts.fields.text("change") == Some("true");
    let (form, wrong) = Form::read(&app, &visit, parts).await?;
    let kept = form.kept_id();
    let given = form.given(kept.as_deref());
    if let Some((field, message)) = wrong {
        let problem = Some((field, &*message));
        return uploads::page(&app, &visit, &form.chosen, given, problem).await;
    }
    if wants_change {
        return uploads::page(&app, &visit, &form.chosen, given, None).await;
    }
    match judged(&app, &visit, &form).await? {
        Ok(judged) => found(&visit, &form, &judged, None),
        Err(page) => Ok(page),
    }
}

/// Saves a dataset: all of it that can be used, or nothing.
pub async fn save(State(app): State<App>, visit: Visit, parts: Parts) -> Answer {
    visit.needs(Role::Editor)?;
    let leaves_out = parts.fields.text("leave_out") == Some("true");
    let (form, wrong) = Form::read(&app, &visit, parts).await?;
    // The name first: of what is sent twice, the second finds that its table is gone.
    if let Some((field, message)) = form.wrong(&app, &visit).await?.or(wrong) {
        let kept = form.kept_id();
        let given = form.given(kept.as_deref());
        let problem = Some((field, &*message));
        return uploads::page(&app, &visit, &form.chosen, given, problem).await;
    }
    let judged = match judged(&app, &visit, &form).await? {
        Ok(judged) => judged,
        Err(page) => return Ok(page),
    };
    if judged.drafts.is_empty() || (judged.refused > 0 && !leaves_out) {
        let problem = "some of it can’t be used; say that it is to be left out, or change it";
        let mut page = found(&visit, &form, &judged, Some(problem))?;
        *page.status_mut() = status(Kind::Invalid);
        return Ok(page);
    }
    let new = NewDataset {
        name: form.name.clone(),
        language: form.tag().map_err(|(_, message)| {
            // The same form was judged with it.
            Refusal::invalid_field("language", message)
        })?,
        ..NewDataset::default()
    };
    let actor = &visit.caller.actor;
    let drafts = judged.drafts.clone();
    let made = async {
        let attempt = Attempt::new(actor.project.clone(), None, Timestamp::now());
        let checked = check_drafted(&app, actor, &new, drafts).await?;
        create(&app, actor, &attempt, &checked, true).await
    };
    match made.await {
        Ok(dataset) => {
            // Its rows are samples now.
            if let Some((id, _)) = &form.kept {
                kept::forget(&app, &actor.project, *id).await;
            }
            Ok(redirect(&format!("/datasets/{}?saved", dataset.id)))
        }
        Err(refusal) if matches!(refusal.kind, Kind::Invalid | Kind::Conflict) => {
            let mut page = found(&visit, &form, &judged, Some(&refusal.message))?;
            *page.status_mut() = status(refusal.kind);
            Ok(page)
        }
        Err(refusal) => Err(refusal),
    }
}
