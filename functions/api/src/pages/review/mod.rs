//! Judging clips: one after the other, without knowing which model is which.

mod asked;
mod found;
mod slots;
pub mod variant;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use stt_eval_html::layout::Section;
use stt_eval_html::review::{self as html, Around, Clip, Left, Notice, Rest, Said, Slot};
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::review::{Opinion, Queue};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{RunId, SampleId, Timestamp};
use stt_eval_shared::wire::results::{Result as Heard, Review};

use self::asked::{Act, Asked, Go};
use self::found::{Found, find};
use super::answer::{fragment, redirect, told_scripts, written};
use super::form::{Form, LongForm};
use super::session::Visit;
use crate::http::error::Answer;
use crate::http::id::{PathId, PathTexts};
use crate::http::query::Pairs;
use crate::refusal::{Kind, Refusal};
use crate::services::results::clip::{self, own};
use crate::services::results::queue::{self, Next};
use crate::services::results::reviews::{self, Expected, Judgement, Step};
use crate::services::runs;
use crate::views;

async fn run(app: &App, visit: &Visit, id: PathId<RunId>) -> Result<Run, Refusal> {
    visit.needs(Role::Reviewer)?;
    runs::find(app, &visit.caller.actor.project, id.get()?).await
}

fn around<'a>(run: &'a Run, of_run: &'a str, asked: &Asked, did: &'a str) -> Around<'a> {
    Around {
        run_name: &run.name,
        run: of_run,
        queues: asked.queues(),
        blind: asked.blind,
        always_blind: asked.always_blind,
        did,
    }
}

/// Leads to the clip that comes next, or says that there is none.
pub async fn next(
    State(app): State<App>,
    visit: Visit,
    id: PathId<RunId>,
    RawQuery(query): RawQuery,
) -> Answer {
    let run = run(&app, &visit, id).await?;
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    let asked = Asked::of_run(&query, &run);
    let actor = &visit.caller.actor;
    let who = (asked.queue, &actor.reviewer());
    let of_run = format!("/runs/{}", run.id);
    match queue::next(&app, &actor.project, &run, who, asked.after).await? {
        Next::Clip(position) => {
            let sample = SampleId::new(run.dataset, position);
            let told = asked.notice().map(asked::told).unwrap_or_default();
            let query = asked.query();
            Ok(redirect(&format!("{of_run}/review/{sample}?{query}{told}")))
        }
        Next::Behind(position) => {
            let query = asked.query();
            Ok(redirect(&format!(
                "{of_run}/review?{query}&after={position}"
            )))
        }
        Next::End => {
            let did = asked.did();
            let around = around(&run, &of_run, &asked, &did);
            let frame = visit.frame(&run.name, Section::Runs).part("Review");
            let first = match asked.after {
                None => Next::End,
                Some(_) => queue::next(&app, &actor.project, &run, who, None).await?,
            };
            let is_all = match asked.queue {
                Queue::Clips | Queue::Random => true,
                // Others may have judged what is left; and by the error rate a clip is over once
                // its worst transcription is judged, and has no place without a score.
                Queue::Unreviewed | Queue::Worst => {
                    let all = (Queue::Clips, who.1);
                    queue::next(&app, &actor.project, &run, all, None).await? == Next::End
                }
                _ => false,
            };
            let rest = match (first, is_all) {
                (Next::Clip(_) | Next::Behind(_), _) => Rest::Skipped,
                (Next::End, _) if run.status.is_active() => Rest::NothingYet,
                (Next::End, _) if run.completed() == 0 => Rest::NothingThere,
                (Next::End, true) => Rest::NothingAtAll,
                (Next::End, false) => Rest::Nothing,
            };
            let undo = asked.last_done().map(|position| {
                format!(
                    "{of_run}/review/{}/undo",
                    SampleId::new(run.dataset, position)
                )
            });
            fragment(written(html::end(
                frame,
                around,
                asked.notice(),
                rest,
                undo,
            )))
        }
    }
}

/// The page of a clip. `sent` is what was sent and not saved, since something else
/// stands there by now.
async fn page(
    app: &App,
    visit: &Visit,
    found: Found,
    asked: &Asked,
    sent: Option<&Pairs>,
) -> Answer {
    let Found {
        run,
        clip,
        slots,
        path,
    } = found;
    let actor = &visit.caller.actor;
    let who = actor.reviewer();
    let sample = SampleId::new(run.dataset, clip.position);
    let (left, sample) = futures::future::try_join(
        queue::left(app, &actor.project, &run, (asked.queue, &who), &clip),
        async { Ok(app.store.sample(&actor.project, sample).await?) },
    )
    .await?;
    let scored = clip.completed.iter().map(|entry| &entry.outcome);
    let scored = scored.max_by_key(|outcome| outcome.reference_version);
    let changed = sample.filter(|sample| {
        // One that was put back says what it said.
        scored.is_some_and(|scored| {
            scored.reference_version < sample.reference_version
                && scored.ground_truth != sample.ground_truth
        })
    });
    let says_now = changed.map(|sample| sample.ground_truth.unwrap_or_else(|| "–".to_owned()));
    let is_judged = clip.is_judged(&who) && !clip.completed.is_empty();
    let revealed = is_judged || !asked.blind;
    let count = clip.completed.len();
    let mut shown: Vec<(char, Heard, Vec<Review>)> = Vec::with_capacity(count);
    let (mut seen, mut said) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for (letter, entry) in slots.letters(clip.completed) {
        let stands = own(&entry, &who);
        seen.push(stands.as_ref().map(|own| own.at.millis().to_string()));
        said.push(match sent {
            Some(form) => asked::said(form, letter)?,
            None => stands.map(slots::said).unwrap_or_default(),
        });
        let opinions = entry.review.as_ref().map(|review| review.opinions());
        let opinions = opinions.unwrap_or_default().into_iter();
        let reviews = opinions.map(|opinion| views::results::review(opinion, &who));
        let reviews: Vec<Review> = reviews.collect();
        let heard = views::results::done(&run, entry.outcome, None, true, None);
        shown.push((letter, heard, reviews));
    }
    let parted: Vec<(Option<Review>, Vec<Review>)> = shown
        .iter()
        .map(|(_, _, reviews)| {
            let (mine, others): (Vec<_>, Vec<_>) =
                reviews.iter().cloned().partition(|review| review.mine);
            (mine.into_iter().next(), others)
        })
        .collect();
    let rows = shown.iter().zip(&parted).zip(seen).zip(said);
    let rows = rows.map(|(((shown, parted), seen), said)| {
        let ((letter, heard, _), (mine, others)) = (shown, parted);
        let differs = |mine: &&Review| {
            let comment = mine.comment.as_deref().unwrap_or_default();
            mine.verdict != said.verdict
                || mine.reasons != said.reasons
                || comment != said.comment.trim()
        };
        Slot {
            letter: *letter,
            heard,
            seen: seen.unwrap_or_default(),
            stands: mine.as_ref().filter(|mine| sent.is_some() && differs(mine)),
            // What others say is told to one who has judged, so that none follows them.
            others: if is_judged { others } else { &[] },
            said,
        }
    });
    let (of_run, did) = (format!("/runs/{}", run.id), asked.did());
    let next = format!(
        "{of_run}/review?{}&after={}",
        asked.query_without_did(),
        clip.position
    );
    let notice = if sent.is_some() {
        Some(Notice::Elsewhere)
    } else {
        asked.notice()
    };
    let of = Clip {
        slots: rows.collect(),
        without: (run.models.len().saturating_sub(count)) as u64,
        around: around(&run, &of_run, asked, &did),
        path: &path,
        number: u64::from(clip.position) + 1,
        total: u64::from(run.sample_count),
        left: left.map(|left| Left {
            clips: left.clips,
            or_more: left.or_more,
            untold: left.untold,
        }),
        revealed,
        slots_tag: slots.tag(),
        by: (&visit.name, visit.caller.actor.project.as_str()),
        says_now: says_now.as_deref(),
        may_edit: visit.may(Role::Editor),
        next: &next,
        notice,
    };
    fragment(written(html::clip(
        visit.frame(&run.name, Section::Runs).part("Review"),
        of,
    )))
}

/// Shows a clip.
pub async fn show(
    State(app): State<App>,
    visit: Visit,
    PathTexts(id, sample): PathTexts,
    RawQuery(query): RawQuery,
) -> Answer {
    let found = find(&app, &visit, (&id, &sample)).await?;
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    let asked = Asked::of_run(&query, &found.run);
    page(&app, &visit, found, &asked, None).await
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .is_some_and(|value| value == "application/json")
}

/// What scripts are told: what was done, to be undone by it, and where to go.
fn told(headers: &HeaderMap, act: Option<Act>, to: &str) -> Response {
    if !wants_json(headers) {
        return redirect(to);
    }
    let did = act.map(|act| act.to_string());
    let mut response = Json(json!({ "did": did, "to": to })).into_response();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// What a form says of the transcriptions of a clip.
fn judgements(
    found: &Found,
    asked: &Asked,
    form: &Pairs,
    visit: &Visit,
) -> Result<Vec<Judgement>, Refusal> {
    let who = visit.caller.actor.reviewer();
    let is_blind = asked.blind && !found.clip.was_told(&who);
    let entries = found.slots.ids(&found.clip);
    let step = |(letter, id)| {
        let said: Said = asked::said(form, letter)?;
        Ok(Judgement {
            id,
            expected: Expected::Own(asked::seen(form, letter)?),
            step: Step::Say(asked::change(said, asked, form, is_blind, letter)?),
        })
    };
    entries.map(step).collect()
}

/// Refuses what was said by somebody else, or in another project: it is saved when they are
/// signed in there.
fn is_of(visit: &Visit, form: &Pairs) -> Result<(), Refusal> {
    let project = visit.caller.actor.project.as_str();
    let differs = |field, own: &str| form.text(field).is_some_and(|given| given != own);
    if !differs("by", &visit.name) && !differs("project", project) {
        return Ok(());
    }
    let by = form.text("by").unwrap_or_default();
    let text = format!("this was said by {by}, who is not signed in here any more");
    Err(Refusal::new(Kind::Conflict, text))
}

/// Saves what a form says of a clip, and goes on.
pub async fn save(
    State(app): State<App>,
    visit: Visit,
    sample: PathTexts,
    headers: HeaderMap,
    Form(form): LongForm,
) -> Answer {
    let saved = saved(&app, &visit, sample, &headers, &form).await;
    match saved {
        Err(refusal) if wants_json(&headers) => told_scripts(refusal),
        told => told,
    }
}

async fn saved(
    app: &App,
    visit: &Visit,
    PathTexts(id, sample): PathTexts,
    headers: &HeaderMap,
    form: &Pairs,
) -> Answer {
    let go = Go::of(form);
    if go != Go::Skip
        && let Err(refusal) = is_of(visit, form)
    {
        // Scripts keep it.
        return match wants_json(headers) {
            true => Ok((StatusCode::CONFLICT, Json(json!({ "waits": true }))).into_response()),
            false => Err(refusal),
        };
    }
    let found = find(app, visit, (&id, &sample)).await?;
    let mut asked = Asked::of_run(form, &found.run);
    let (position, path) = (found.clip.position, found.path.clone());
    let of_run = format!("/runs/{}", found.run.id);
    let to_next = |asked: &Asked, told: &str| {
        format!("{of_run}/review?{}&after={position}{told}", asked.query())
    };
    if go == Go::Skip {
        return Ok(told(headers, None, &to_next(&asked, "")));
    }
    let actor = &visit.caller.actor;
    let run = found.run.id;
    let saved = match found.of_form(visit, form) {
        Ok(found) => {
            let judgements = judgements(&found, &asked, form, visit)?;
            reviews::save(app, actor, run, &judgements)
                .await
                .map_err(|refusal| (refusal, true))
        }
        Err(refusal) => Err((refusal, false)),
    };
    let entries = match saved {
        Ok((_, entries)) => entries,
        Err((refusal, is_same)) if refusal.kind == Kind::Changed && !wants_json(headers) => {
            let found = find(app, visit, (&id, &sample)).await?;
            // What was said stands under the letters that it was said of.
            let mut response = if is_same {
                let found = found.of_form(visit, form)?;
                page(app, visit, found, &asked, Some(form)).await?
            } else {
                page(app, visit, found, &asked, None).await?
            };
            *response.status_mut() = StatusCode::PRECONDITION_FAILED;
            return Ok(response);
        }
        Err((refusal, _)) => return Err(refusal),
    };
    let who = actor.reviewer();
    let stands = entries.iter().map(|entry| own(entry, &who));
    let stands: Vec<Option<Opinion>> = stands.collect();
    let at: Vec<Timestamp> = stands.iter().flatten().flat_map(Opinion::times).collect();
    let act = asked.has_done(position, &at);
    let is_open = |own: &&Option<Opinion>| own.as_ref().is_none_or(|own| own.verdict.is_none());
    let notice = if ('A'..='Z').any(|letter| asked::is_odd(form, letter)) {
        Notice::Settled
    } else {
        match stands.iter().filter(is_open).count() as u64 {
            passed_over @ 1.. if go == Go::Next => Notice::PassedOver(passed_over),
            _ => Notice::Saved,
        }
    };
    let tells = asked::told(notice);
    let to = if go == Go::Next {
        to_next(&asked, &tells)
    } else {
        format!("{path}?{}{tells}", asked.query())
    };
    Ok(told(headers, act, &to))
}

/// Takes back the last thing that was done with a clip. The address is of the clip that
/// is looked at; which clip it was is said by what was done.
pub async fn undo(
    State(app): State<App>,
    visit: Visit,
    PathTexts(id, sample): PathTexts,
    headers: HeaderMap,
    Form(form): LongForm,
) -> Answer {
    let here = find(&app, &visit, (&id, &sample)).await?;
    let mut asked = Asked::of_run(&form, &here.run);
    let Some(act) = asked.takes_back() else {
        let to = format!("{}?{}", here.path, asked.query());
        return Ok(told(&headers, None, &to));
    };
    let actor = &visit.caller.actor;
    let clip = clip::clip(&app, &actor.project, &here.run, act.position).await?;
    let steps = clip.completed.iter().map(|entry| Judgement {
        id: entry.outcome.id,
        expected: Expected::Any,
        step: Step::TakeBack(act.at),
    });
    let steps: Vec<Judgement> = steps.collect();
    let notice = match reviews::save(&app, actor, here.run.id, &steps).await {
        Ok(_) => Notice::Undone,
        Err(refusal) if refusal.kind == Kind::Changed => Notice::NotUndone,
        Err(refusal) => return Err(refusal),
    };
    let sample = SampleId::new(here.run.dataset, act.position);
    let to = format!(
        "/runs/{}/review/{sample}?{}{}",
        here.run.id,
        asked.query(),
        asked::told(notice)
    );
    Ok(told(&headers, None, &to))
}
