//! What models heard, clip by clip.

use axum::extract::{RawQuery, State};
use stt_eval_html::layout::Section;
use stt_eval_html::results::{self as html, Choice, Recording, Results};
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::result::ResultStatus;
use stt_eval_shared::domain::review::{Opinion, Reason};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ResultId, RunId};
use stt_eval_shared::wire;
use stt_eval_shared::wire::export::{ExportFormat, Exported};

use super::answer::{redirect, written};
use super::session::Visit;
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::paging::Pager;
use crate::http::query::{Paging, Pairs, encoded};
use crate::refusal::{Kind, Refusal};
use crate::services::report::export;
use crate::services::results::hidden;
use crate::services::results::selection::RunItem;
use crate::services::results::{self, Order, Selection, Shown};
use crate::services::runs;
use crate::views;

/// Results of a page: each is some lines with marks.
const LIMIT: usize = 40;

/// Orders of the page. Their names in the URL are those of the JSON route.
const ORDERS: [(Order, &str); 5] = [
    (Order::Sample, "By clip"),
    (Order::Worst, "Worst first"),
    (Order::Best, "Best first"),
    (Order::Disagreeing, "Models disagree most first"),
    (Order::Unreviewed, "Not reviewed first"),
];

/// States of results, with their names in the URL, which are those of the JSON route.
const STATES: [(ResultStatus, &str, &str); 3] = [
    (ResultStatus::Completed, "completed", "Transcribed"),
    (ResultStatus::Failed, "failed", "Failed"),
    (ResultStatus::Pending, "pending", "Not there yet"),
];

/// Among what reviewers may have said: that they propose another reference.
const PROPOSED: &str = "proposed";

/// What a page is asked for.
struct Asked {
    model: String,
    /// Place in [`STATES`].
    state: Option<usize>,
    reason: Option<Reason>,
    /// Only what another reference is proposed for.
    proposed: bool,
    order: Order,
    cursor: Option<String>,
}

impl Asked {
    fn of(query: Option<String>) -> Self {
        let query = Pairs::any(query.as_deref().unwrap_or_default());
        let wanted = query.text("sort").unwrap_or_default();
        let status = query.text("status").unwrap_or_default();
        let reason = query.text("reason").unwrap_or_default();
        let known = ORDERS.into_iter().find(|(order, _)| order.name() == wanted);
        Self {
            model: query.text("provider").unwrap_or_default().to_owned(),
            state: STATES.iter().position(|(_, name, _)| *name == status),
            reason: Reason::ALL.into_iter().find(|known| known.name() == reason),
            proposed: reason == PROPOSED,
            order: known.map_or(Order::Sample, |(order, _)| order),
            cursor: query.text("cursor").map(str::to_owned),
        }
    }

    fn selection(&self, run: &Run) -> Result<Selection, Refusal> {
        let mut selection = Selection {
            shown: Shown {
                alignment: true,
                signed_url: false,
            },
            reason: self.reason,
            proposed: self.proposed,
            status: self.status(),
            ..Selection::all_of(run)
        };
        if !self.model.is_empty() {
            selection.models = vec![results::model(run, &self.model)?];
        }
        Ok(selection)
    }

    fn models(&self, run: &Run) -> Vec<Choice> {
        let all = Choice {
            value: String::new(),
            name: "All".to_owned(),
            chosen: self.model.is_empty(),
        };
        let one = |name: &str| Choice {
            value: name.to_owned(),
            name: name.to_owned(),
            chosen: self.model == name,
        };
        let models = run.models.iter().map(|model| one(&model.model));
        std::iter::once(all).chain(models).collect()
    }

    fn status(&self) -> Option<ResultStatus> {
        let state = self.state.and_then(|state| STATES.get(state));
        state.map(|(status, ..)| *status)
    }

    /// Its name in the URL; empty for any.
    fn state(&self) -> &'static str {
        let state = self.state.and_then(|state| STATES.get(state));
        state.map_or("", |(_, value, _)| value)
    }

    fn states(&self) -> Vec<Choice> {
        let all = ("", "Any");
        let states = STATES.map(|(_, value, name)| (value, name));
        let one = |(value, name): (&str, &str)| Choice {
            value: value.to_owned(),
            name: name.to_owned(),
            chosen: self.state() == value,
        };
        std::iter::once(all).chain(states).map(one).collect()
    }

    fn reasons(&self) -> Vec<Choice> {
        let all = Choice {
            value: String::new(),
            name: "Anything".to_owned(),
            chosen: self.reason().is_empty(),
        };
        let proposed = Choice {
            value: PROPOSED.to_owned(),
            name: "Another reference is proposed".to_owned(),
            chosen: self.proposed,
        };
        let one = |reason: Reason| Choice {
            value: reason.name().to_owned(),
            name: html::reason_name(reason).to_owned(),
            chosen: self.reason == Some(reason),
        };
        let reasons = Reason::ALL.map(one).into_iter();
        std::iter::once(all)
            .chain(reasons)
            .chain([proposed])
            .collect()
    }

    fn reason(&self) -> &'static str {
        let of_all = if self.proposed { PROPOSED } else { "" };
        self.reason.map_or(of_all, Reason::name)
    }

    fn orders(&self) -> Vec<Choice> {
        let orders = ORDERS.into_iter().map(|(order, name)| Choice {
            value: order.name().to_owned(),
            name: name.to_owned(),
            chosen: self.order == order,
        });
        orders.collect()
    }
}

/// Whether a visitor is one from whom a run may hide its models until they have judged a
/// clip. Those who start runs know what they have chosen.
fn judges(visit: &Visit) -> bool {
    visit.caller.actor.role == Role::Reviewer
}

/// Leads to all results as a file, or says how far that is.
async fn exported(app: &App, visit: &Visit, id: PathId<RunId>, format: ExportFormat) -> Answer {
    match export::export(app, &visit.caller.actor, id.get()?, format).await? {
        Exported::Made(file) => Ok(redirect(&file.url)),
        Exported::UnderWay(told) => {
            Err(Refusal::new(Kind::Unfinished, told.message).retry_after(1))
        }
    }
}

/// All results for a spreadsheet.
pub async fn csv(State(app): State<App>, visit: Visit, id: PathId<RunId>) -> Answer {
    exported(&app, &visit, id, ExportFormat::Csv).await
}

/// All results for programs.
pub async fn jsonl(State(app): State<App>, visit: Visit, id: PathId<RunId>) -> Answer {
    exported(&app, &visit, id, ExportFormat::Jsonl).await
}

/// Shows a page of results.
pub async fn list(
    State(app): State<App>,
    visit: Visit,
    id: PathId<RunId>,
    RawQuery(query): RawQuery,
) -> Answer {
    let id = id.get()?;
    let asked = Asked::of(query);
    let project = &visit.caller.actor.project;
    let run = runs::find(&app, project, id).await?;
    let selection = asked.selection(&run)?;
    let filters = [
        &*id.to_string(),
        &*asked.model,
        asked.state(),
        "",
        "",
        "",
        asked.reason.map_or("", Reason::name),
        if asked.proposed { "true" } else { "" },
        "",
        "[]",
        asked.order.name(),
    ];
    let paging = Paging {
        limit: LIMIT,
        cursor: asked.cursor.clone(),
    };
    // The list of the JSON route, whose cursors are good here as well.
    let pager = Pager::new(&visit.caller, "results", &filters, paging)?;
    let of = (&selection, asked.order);
    let found = results::page(&app, project, &run, of, pager.from(), LIMIT);
    let (mut found, total) = found.await?;
    let hides = run.blind_review && judges(&visit);
    hidden::hide(&app, &visit.caller.actor, &run, &mut found).await?;
    let own = visit.caller.actor.reviewer();
    let said = found.items.iter().filter_map(|(item, _)| match item {
        RunItem::Pending(_) => None,
        RunItem::Done(entry) => Some((entry.outcome.id, entry.review.as_ref()?.opinions())),
    });
    let said: Vec<(ResultId, Vec<wire::results::Review>)> = said
        .map(|(id, mut all)| {
            // What others say is told to one who has judged, so that none follows them.
            let has_judged = |one: &Opinion| one.reviewer == own && one.verdict.is_some();
            if judges(&visit) && !all.iter().any(has_judged) {
                all.retain(|one| one.reviewer == own);
            }
            let all = all.into_iter();
            (
                id,
                all.map(|one| views::results::review(one, &own)).collect(),
            )
        })
        .collect();
    let shown = results::show_with_samples(&app, project, &run, &selection, found);
    let ((mut shown, next), samples) = shown.await?;
    if judges(&visit) {
        let has_judged = |id: ResultId| {
            let own = said.iter().filter(|(of, _)| *of == id);
            own.flat_map(|(_, all)| all)
                .any(|one| one.mine && one.verdict.is_some())
        };
        for one in shown.iter_mut().filter(|one| !has_judged(one.id)) {
            one.is_correct = None;
        }
    }
    let recordings = samples.into_values().map(|sample| Recording {
        sample: sample.id,
        name: sample.filename,
        seconds: sample.duration_seconds,
    });
    let recordings: Vec<Recording> = recordings.collect();
    let meta = pager.meta(total, next.as_deref());
    let of_run = format!("/runs/{id}");
    let more = meta.next_cursor.map(|cursor| {
        format!(
            "{of_run}/results?provider={}&status={}&reason={}&sort={}&cursor={}",
            encoded(&asked.model),
            asked.state(),
            asked.reason(),
            encoded(asked.order.name()),
            encoded(&cursor.to_string())
        )
    });
    let page = Results {
        run_name: &run.name,
        run: &of_run,
        models: asked.models(&run),
        states: asked.states(),
        reasons: asked.reasons(),
        orders: asked.orders(),
        results: &shown,
        said: &said,
        recordings: &recordings,
        may_review: visit.may(Role::Reviewer),
        may_edit: visit.may(Role::Editor),
        // How many a reason was given for is not counted, nor what is left out.
        total: (asked.reason().is_empty() && !hides).then_some(total),
        hides,
        scored_alone: matches!(asked.order, Order::Worst | Order::Best),
        more: more.as_deref(),
    };
    written(html::page(
        visit.frame(&run.name, Section::Runs).part("Results"),
        page,
    ))
}
