//! Transcripts made elsewhere, added to a run by a form with their table.

use axum::extract::State;
use stt_eval_html::layout::Section;
use stt_eval_html::runs::{self as html, NotTaken};
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::{FileId, ProjectId, RunId, Timestamp};
use stt_eval_shared::wire::transcripts::AddedTranscripts;

use super::answer::{redirect, written};
use super::follow;
use super::parts::{Parts, Sent};
use super::session::Visit;
use crate::http::error::{Answer, status};
use crate::http::id::PathId;
use crate::refusal::{Kind, Refusal};
use crate::services::attempt::Attempt;
use crate::services::datasets::table::{self, Table};
use crate::services::transcripts::add::add;
use crate::services::{deletion, runs};

/// Most mistakes of a table that are shown.
const MOST: usize = 10;
/// What the JSON route calls the table.
const FIELD: &str = "manifest_file_id";

/// Adds what a form has, and leads back to the run; or shows the run with what is wrong.
pub async fn submit(
    State(app): State<App>,
    visit: Visit,
    id: PathId<RunId>,
    mut parts: Parts,
) -> Answer {
    visit.needs(Role::Editor)?;
    let id = id.get()?;
    // Before anything is kept.
    runs::find(&app, &visit.caller.actor.project, id).await?;
    let sent = parts.take("table");
    let name = parts.fields.text("name").unwrap_or_default().trim();
    match take(&app, &visit, id, name, sent).await {
        Ok(()) => Ok(redirect(&format!("/runs/{id}"))),
        Err(refusal) if matches!(refusal.kind, Kind::Invalid | Kind::Conflict) => {
            let (run, actions) = follow::of(&app, &visit, id).await?;
            let problems = problems(&refusal);
            let list = NotTaken {
                name,
                problems: &problems,
            };
            let frame = visit.frame(&run.run_name, Section::Runs);
            let page = html::page_with(frame, &run, actions, Timestamp::now(), list);
            let mut response = written(page)?;
            *response.status_mut() = status(refusal.kind);
            Ok(response)
        }
        Err(refusal) => Err(refusal),
    }
}

/// Keeps the table of a form until its transcripts are those of a run.
pub(super) async fn keep(app: &App, project: &ProjectId, sent: Sent) -> Result<FileId, Refusal> {
    let attempt = Attempt::new(project.clone(), None, Timestamp::now());
    let table = Table {
        name: sent.filename,
        bytes: sent.bytes,
    };
    Ok(table::keep(app, project, table, &attempt).await?.id)
}

/// Deletes a table that was kept.
pub(super) async fn forget(app: &App, project: &ProjectId, table: FileId) {
    if let Err(error) = deletion::file(app, project, table).await {
        tracing::warn!(file_id = %table, error = ?error.cause, "a table of transcripts stays as a file");
    }
}

async fn take(
    app: &App,
    visit: &Visit,
    id: RunId,
    name: &str,
    sent: Option<Sent>,
) -> Result<(), Refusal> {
    let actor = &visit.caller.actor;
    let project = &actor.project;
    let sent = sent.ok_or_else(|| Refusal::invalid_field("table", "must be chosen"))?;
    let table = keep(app, project, sent).await?;
    let attempt = Attempt::new(project.clone(), None, Timestamp::now());
    let given = AddedTranscripts {
        name: Some(name.to_owned()),
        manifest_file_id: Some(table.to_string()),
        ..AddedTranscripts::default()
    };
    // Sent twice, the second finds the same transcripts there, or a run that is under way.
    let added = add(app, actor, id, &attempt, given).await;
    // What it said is the run's now, or is to be sent anew.
    forget(app, project, table).await;
    added.map(|_| ())
}

/// What is wrong with a field of a list of transcripts, in the words of a form.
pub(super) fn told(field: &str, message: &str) -> String {
    let field = match field.strip_prefix(FIELD) {
        Some("") => "table",
        Some(inside) => inside.trim_start_matches(": "),
        None => field,
    };
    format!("{field}: {message}")
}

/// What is wrong, in the words of the form.
fn problems(refusal: &Refusal) -> Vec<String> {
    if refusal.fields.is_empty() {
        return vec![refusal.message.clone()];
    }
    let more = refusal.fields.len().saturating_sub(MOST);
    let fields = refusal.fields.iter().take(MOST);
    let fields = fields.map(|error| told(&error.field, &error.message));
    let rest = (more > 0).then(|| format!("{more} more of this kind"));
    fields.chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use stt_eval_shared::domain::validate::FieldError;

    use super::*;

    #[test]
    fn mistakes_of_a_table_are_told_without_the_words_of_the_api() {
        let field = |field: &str| FieldError::new(field, "is missing");
        let mut refusal = Refusal::conflict("the run is under way");
        assert_eq!(problems(&refusal), ["the run is under way"]);
        refusal.fields = vec![
            field("name"),
            field("manifest_file_id"),
            field("manifest_file_id: rows[3].hypothesis"),
        ];
        assert_eq!(
            problems(&refusal),
            [
                "name: is missing",
                "table: is missing",
                "rows[3].hypothesis: is missing"
            ]
        );
        refusal.fields = vec![field("name"); 12];
        let told = problems(&refusal);
        assert_eq!((told.len(), &*told[10]), (11, "2 more of this kind"));
    }
}
