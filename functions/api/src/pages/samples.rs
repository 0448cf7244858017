//! One clip of a dataset, and the reference of it that people edit.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use stt_eval_html::dataset::{self as html, Draft};
use stt_eval_html::earlier::KeyNames;
use stt_eval_html::layout::Section;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::{KeyId, SampleId};
use stt_eval_shared::wire::datasets::SamplePatch;

use super::answer::{redirect, written};
use super::form::{Form, LongForm};
use super::session::Visit;
use crate::http::error::{Answer, status};
use crate::http::id::PathId;
use crate::http::query::{Pairs, encoded};
use crate::refusal::{Kind, Refusal};
use crate::services::samples;
use crate::views;

async fn page(
    app: &App,
    visit: &Visit,
    id: SampleId,
    cursor: &str,
    draft: Option<&Draft<'_>>,
) -> Result<Response, Refusal> {
    let project = &visit.caller.actor.project;
    let (dataset, sample) = samples::find(app, project, id).await?;
    let wordings = samples::wordings(app, project, &sample).await?;
    let nameless = wordings.earlier.iter().filter(|of| of.name.is_none());
    let mut keys: BTreeSet<KeyId> = BTreeSet::new();
    keys.extend(nameless.filter_map(|of| of.by));
    let mut names = KeyNames::new();
    if !keys.is_empty() {
        let known = app.store.keys_of(project, keys).await?.into_iter();
        names.extend(known.map(|key| (key.id, key.name)));
    }
    let sample = views::datasets::sample_with(sample, wordings);
    written(html::sample(
        visit.frame(&dataset.name, Section::Datasets),
        &dataset.name,
        &sample,
        cursor,
        visit.may(Role::Editor),
        draft,
        &names,
    ))
}

/// Shows a clip with the whole of its reference.
pub async fn show(State(app): State<App>, visit: Visit, id: PathId<SampleId>) -> Answer {
    page(&app, &visit, id.get()?, "", None).await
}

/// What a form says of a reference, as the JSON route is told of it. Browsers send the
/// ends of lines as CR LF, whatever stood there.
fn patch(form: &Pairs) -> Result<SamplePatch, Refusal> {
    let text = form.text("ground_truth").unwrap_or_default();
    let text = text.replace("\r\n", "\n");
    // Blanks, also those that nobody sees, are no text.
    let is_blank = |c: char| {
        c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
    };
    let reference = match (text.chars().all(is_blank), is_silent(form)) {
        (true, true) => Some(String::new()),
        (true, false) => None,
        (false, false) => Some(text),
        (false, true) => {
            return Err(Refusal::invalid_field(
                "silent",
                "“Nothing is said in it” can’t be said of a clip that has a text; clear one of the two",
            ));
        }
    };
    Ok(SamplePatch {
        ground_truth: Some(reference),
        ..SamplePatch::default()
    })
}

fn is_silent(form: &Pairs) -> bool {
    form.text("silent") == Some("true")
}

/// Saves a reference, if it is still of the version that was read. What was written is
/// shown again beside what stands where it is not.
pub async fn save(
    State(app): State<App>,
    visit: Visit,
    id: PathId<SampleId>,
    Form(form): LongForm,
) -> Answer {
    visit.needs(Role::Editor)?;
    let id = id.get()?;
    let seen = form.parsed::<u32>("etag", "the version of the reference that was read")?;
    let seen = seen.ok_or_else(|| Refusal::invalid_field("etag", "must be given"))?;
    let cursor = form.text("cursor").unwrap_or_default();
    let saved = async {
        let change = samples::check(patch(&form)?)?;
        samples::update_seen(&app, &visit.caller.actor, id, &change, Some(seen)).await
    };
    match saved.await {
        Ok(sample) => {
            let of_page = match cursor {
                "" => String::new(),
                cursor => format!("cursor={}&", encoded(cursor)),
            };
            let (dataset, version) = (sample.id.dataset(), sample.reference_version);
            // Who writes many references goes on with the text of the next clip, which a
            // browser goes to as an address says.
            let next = form
                .text("next")
                .and_then(|next| next.parse::<SampleId>().ok());
            let place = match next.filter(|next| next.dataset() == dataset) {
                Some(next) => format!("&edit={next}#text-{next}"),
                None => format!("#{id}"),
            };
            // By the version a browser knows what it need not keep any more.
            Ok(redirect(&format!(
                "/datasets/{dataset}?{of_page}version={version}&written={id}{place}"
            )))
        }
        Err(refusal) if matches!(refusal.kind, Kind::Changed | Kind::Invalid) => {
            // It stands at the text, of which there is one on the page.
            let first = refusal.fields.first();
            let problem = first.map_or(&*refusal.message, |of| &of.message);
            let draft = Draft {
                text: form.text("ground_truth").unwrap_or_default(),
                silent: is_silent(&form),
                problem: (refusal.kind == Kind::Invalid).then_some(problem),
            };
            let mut response = page(&app, &visit, id, cursor, Some(&draft)).await?;
            *response.status_mut() = status(refusal.kind);
            Ok(response)
        }
        Err(refusal) => Err(refusal),
    }
}
