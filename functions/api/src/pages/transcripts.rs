//! Transcripts made elsewhere, added to a run by a form with their table.

use axum::extract::State;
use stt_eval_html::layout::Section;
use stt_eval_html::runs::{self as html, ListField, NotTaken};
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::validate::MAX_ERRORS;
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
use crate::services::datasets::kept;
use crate::services::datasets::table::Table;
use crate::services::runs;
use crate::services::transcripts::add::add;

/// Most mistakes of a table that are shown.
const MOST: usize = 10;
/// How many are, where the lines of all can be left out.
const SOME: usize = 3;
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
    let text = |name| parts.fields.text(name).unwrap_or_default().trim();
    let (name, ticked) = (text("name"), text("leave_out"));
    let given = match sent {
        Some(sent) => Ok(Given::Sent(sent)),
        None if text("kept").is_empty() => Err("must be chosen"),
        None => text("kept")
            .parse()
            .map(Given::Kept)
            .map_err(|_| "must be chosen again"),
    };
    let given = given.map_err(|message| Refusal::invalid_field("table", message));
    let (taken, kept) = match given {
        Ok(given) => take(&app, &visit, id, (name, ticked), given).await,
        Err(refusal) => (Err(refusal), None),
    };
    match taken {
        Ok(()) => Ok(redirect(&format!("/runs/{id}"))),
        Err(refusal) if matches!(refusal.kind, Kind::Invalid | Kind::Conflict) => {
            let (run, actions) = follow::of(&app, &visit, id).await?;
            let problems = problems(&refusal);
            let kept = kept.map(|table| table.to_string());
            let list = NotTaken {
                name,
                problems: &problems,
                could_leave_out: kept.as_deref().map(|id| (id, refusal.could_leave_out)),
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
    Ok(kept::keep(app, project, table, &attempt).await?.id)
}

/// A table of a form.
enum Given {
    /// It came with it.
    Sent(Sent),
    /// It came before.
    Kept(FileId),
}

/// Adds a table; gives it back where it is still there, as it could be taken in part.
async fn take(
    app: &App,
    visit: &Visit,
    id: RunId,
    (name, ticked): (&str, &str),
    given: Given,
) -> (Result<(), Refusal>, Option<FileId>) {
    let actor = &visit.caller.actor;
    let project = &actor.project;
    let there = match given {
        Given::Sent(sent) => keep(app, project, sent).await.map(|table| (table, 0)),
        Given::Kept(table) => kept::arrived(app, project, table)
            .await
            .map(|()| (table, told_of(table, ticked))),
    };
    let (table, told) = match there {
        Ok(there) => there,
        Err(refusal) => return (Err(refusal), None),
    };
    let added = async |leaves_out: bool| {
        let attempt = Attempt::new(project.clone(), None, Timestamp::now());
        let given = AddedTranscripts {
            name: Some(name.to_owned()),
            manifest_file_id: Some(table.to_string()),
            leave_out_unknown: leaves_out.then_some(true),
            ..AddedTranscripts::default()
        };
        add(app, actor, id, &attempt, given).await.map(|_| ())
    };
    // Sent twice, the second finds the same transcripts there, or a run that is under way.
    let mut taken = added(false).await;
    let is_told =
        |refusal: &Refusal| refusal.could_leave_out > 0 && refusal.could_leave_out == told;
    if taken.as_ref().is_err_and(is_told) {
        taken = added(true).await;
    }
    if taken
        .as_ref()
        .is_err_and(|refusal| refusal.could_leave_out > 0)
    {
        // It goes by itself where nobody goes on with it.
        return match kept::read(app, project, table).await {
            Ok(_) => (taken, Some(table)),
            Err(refusal) => (Err(refusal), None),
        };
    }
    // What it said is the run's now, or is to be sent anew.
    kept::forget(app, project, table).await;
    (taken, None)
}

/// How many lines of a table were told to be left out where that was ticked; what is ticked
/// names the table, for another one may have been chosen since.
fn told_of(table: FileId, ticked: &str) -> usize {
    let of = ticked.split_once(':');
    let of = of.filter(|(id, _)| *id == table.to_string());
    of.and_then(|(_, lines)| lines.parse().ok()).unwrap_or(0)
}

/// That a table is of another dataset, and what to do.
pub(super) fn of_another(lines: usize) -> String {
    let none = match lines {
        1 => "its only line is of no clip of this dataset".to_owned(),
        _ => format!("none of its {lines} lines is of a clip of this dataset"),
    };
    format!(
        "{none}: send the table of this dataset, or go to a run over the dataset that it is of; a \
         clip is known by the name of its recording"
    )
}

/// What is wrong with a field of a list of transcripts, in the words of a form.
pub(super) fn told(field: &str, message: &str) -> String {
    let field = match field.strip_prefix(FIELD) {
        Some("") => "table",
        Some(inside) => inside.trim_start_matches(": "),
        None => field,
    };
    // Another line of the same table may be named.
    let message = message.replace(&format!("{FIELD}: "), "");
    format!("{field}: {}", message.replace("the manifest", "the table"))
}

/// How many mistakes of a table are shown, and what stands for the others, if there are others.
pub(super) fn shown(refusal: &Refusal) -> (usize, Option<String>) {
    let (most, all, at_least) = match (refusal.of_another, refusal.could_leave_out) {
        (0, 0) => match refusal.fields.len() {
            // More than these are not counted.
            MAX_ERRORS => (MOST, MAX_ERRORS, "at least "),
            all => (MOST, all, ""),
        },
        // They are all of one kind, of which some are enough.
        (0, lines) | (lines, _) => (SOME, lines, ""),
    };
    let more = match refusal.fields.len() > most {
        true => all.saturating_sub(most),
        false => 0,
    };
    let rest = (more > 0).then(|| format!("{at_least}{more} more of this kind"));
    (most, rest)
}

/// What is wrong, in the words of the form, and with which field: what stands at one does not
/// begin with its name.
fn problems(refusal: &Refusal) -> Vec<(ListField, String)> {
    if refusal.fields.is_empty() {
        return vec![(ListField::Form, refusal.message.clone())];
    }
    let (most, rest) = shown(refusal);
    let first = (refusal.of_another > 0).then(|| of_another(refusal.of_another));
    let of_table = |message: String| (ListField::Table, message);
    let fields = refusal.fields.iter().take(most);
    let fields = fields.map(|error| match &*error.field {
        "name" => (ListField::Name, error.message.clone()),
        field => {
            let told = told(field, &error.message);
            of_table(told.strip_prefix("table: ").unwrap_or(&told).to_owned())
        }
    });
    let first = first.into_iter().map(of_table);
    first
        .chain(fields)
        .chain(rest.into_iter().map(of_table))
        .collect()
}

#[cfg(test)]
mod tests {
    use stt_eval_shared::domain::validate::FieldError;

    use super::*;

    #[test]
    fn mistakes_of_a_table_are_told_without_the_words_of_the_api() {
        let field = |field: &str| FieldError::new(field, "is missing");
        let mut refusal = Refusal::conflict("the run is under way");
        let told = |refusal: &Refusal| -> Vec<_> {
            let told = problems(refusal).into_iter();
            told.map(|(field, message)| format!("{field:?}: {message}"))
                .collect()
        };
        assert_eq!(told(&refusal), ["Form: the run is under way"]);
        refusal.fields = vec![
            field("name"),
            field("manifest_file_id"),
            field("manifest_file_id: rows[3].hypothesis"),
            FieldError::new(
                "manifest_file_id: line 3: filename",
                "is the same clip as in manifest_file_id: line 2",
            ),
            FieldError::new(FIELD, "the manifest has no rows"),
        ];
        assert_eq!(
            told(&refusal),
            [
                "Name: is missing",
                "Table: is missing",
                "Table: rows[3].hypothesis: is missing",
                "Table: line 3: filename: is the same clip as in line 2",
                "Table: the table has no rows"
            ]
        );
        refusal.fields = vec![field("name"); 12];
        let all = told(&refusal);
        assert_eq!((all.len(), &*all[10]), (11, "Table: 2 more of this kind"));
        refusal.fields = vec![field("name"); MAX_ERRORS];
        let all = told(&refusal);
        assert_eq!(all[10], "Table: at least 10 more of this kind");
        refusal.of_another = 30;
        let all = told(&refusal);
        assert!(all[0].starts_with("Table: none of its 30 lines is of a clip of this dataset"));
        assert_eq!((all.len(), &*all[4]), (5, "Table: 27 more of this kind"));
    }

    #[test]
    fn what_is_left_out_was_told_of_this_table() {
        let [table, other] = [1, 2].map(|n| FileId::mint(n, [1; 10]));
        for (ticked, lines) in [
            (format!("{table}:12"), 12),
            (format!("{other}:12"), 0),
            (format!("{table}:"), 0),
            ("true".to_owned(), 0),
            (String::new(), 0),
        ] {
            assert_eq!(told_of(table, &ticked), lines, "{ticked}");
        }
    }
}
