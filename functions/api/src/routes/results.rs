//! `/runs/{id}/results` and `/results`.

use axum::extract::State;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::result::ResultStatus;
use stt_eval_shared::domain::review::{Reason, Reviewer};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ResultId, RunId};
use stt_eval_shared::scoring::Flag;
use stt_eval_shared::wire;
use stt_eval_shared::wire::envelope::{Envelope, ListEnvelope, Refused};
use stt_eval_shared::wire::results::{ResultPatch, ScoredAnew, ScoredBy};
use utoipa::IntoParams;

use crate::actor::Actor;
use crate::http::auth::{AsReviewer, AsViewer};
use crate::http::envelope::{list, ok, whole_list};
use crate::http::error::Answer;
use crate::http::etag::{IfMatch, tagged};
use crate::http::id::PathId;
use crate::http::json::{JsonBody, MaybeBody};
use crate::http::paging::Pager;
use crate::http::query::{FromQuery, NoQuery, Paging, Pairs, Params};
use crate::refusal::Refusal;
use crate::routes::gather::{Gather, handlers};
use crate::services::results::{self, Order, Reviewed, Selection, Shown, anew, hidden, reviews};
use crate::services::runs;
use crate::views;

/// The routes of results.
pub fn routes<R: Gather>() -> R {
    R::default()
        .with(handlers!(index))
        .with(handlers!(show, update))
        .with(handlers!(said))
        .with(handlers!(score))
}

/// Parameters that name a free field.
const FIELDS: &str = "metadata.<field>";

const STATUSES: [(&str, ResultStatus); 3] = [
    ("pending", ResultStatus::Pending),
    ("completed", ResultStatus::Completed),
    ("failed", ResultStatus::Failed),
];
const JUDGEMENTS: [(&str, Option<bool>); 3] =
    [("true", Some(true)), ("false", Some(false)), ("null", None)];

/// Who has reviewed a result, as the caller asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    None,
    Me,
    NotMe,
    Others,
}

const BY: [(&str, By); 4] = [
    ("none", By::None),
    ("me", By::Me),
    ("not_me", By::NotMe),
    ("others", By::Others),
];

impl By {
    fn of(self, caller: Reviewer) -> Reviewed {
        match self {
            Self::None => Reviewed::ByNone,
            Self::Me => Reviewed::By(caller),
            Self::NotMe => Reviewed::NotBy(caller),
            Self::Others => Reviewed::ByOthersThan(caller),
        }
    }
}

/// Which results, and what to show of them.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ResultsQuery {
    /// Of one model of the run.
    #[param(example = "gemini-2.5-pro")]
    provider: Option<String>,
    /// In one state.
    #[param(inline)]
    status: Option<ResultStatus>,
    /// Found so by most reviewers: `true`, `false`, or `null` for not judged and for ties.
    #[param(value_type = Option<String>, pattern = "^(true|false|null)$")]
    is_correct: Option<Option<bool>>,
    /// With this flag: `empty`, `output_on_silence`, `long_insertion`, `loop`,
    /// `too_fast`, `wrong_script`, `stock_phrase`, `wrapped` (not only the
    /// transcript: JSON, a preface, speaker labels, time stamps …), or `cut_short`
    /// (the vendor heard nothing of the end of the audio, and words are missing).
    #[param(value_type = Option<String>, pattern = "^(empty|output_on_silence|long_insertion|loop|too_fast|wrong_script|stock_phrase|wrapped|cut_short)$")]
    flag: Option<Flag>,
    /// Reviewed by nobody (`none`), by the caller (`me`), not by the caller (`not_me`), or
    /// by others and not by the caller (`others`).
    #[param(value_type = Option<String>, pattern = "^(none|me|not_me|others)$")]
    reviewed: Option<By>,
    /// Of which a reviewer has given this reason.
    #[param(inline)]
    reason: Option<Reason>,
    /// `true`: only those for which a reviewer proposes another reference.
    #[param(value_type = Option<bool>)]
    proposed: bool,
    /// Of clips in this language: its tag, or one that the tag begins with.
    #[param(example = "hi")]
    language: Option<String>,
    /// Of clips whose free field of this name says so, several times for several fields:
    /// `metadata.district=Pune`.
    #[param(rename = "metadata.<field>", value_type = Option<String>)]
    metadata: Vec<(String, String)>,
    /// Order: `sample` (every item); `wer` and `-wer` (scored results only, best or worst
    /// first); `disagreement` and `-disagreement` (samples on which the models share most
    /// or fewest words first); `unreviewed` (what nobody has reviewed first).
    #[param(value_type = Option<String>, pattern = "^(sample|wer|-wer|disagreement|-disagreement|unreviewed)$", default = "sample")]
    sort: Order,
    /// With words of reference and transcription side by side.
    #[param(value_type = Option<bool>)]
    include_alignment: bool,
    /// With playback URLs.
    #[param(value_type = Option<bool>)]
    include_signed_url: bool,
    /// Most items of the page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 100, default = 50)]
    limit: usize,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl FromQuery for ResultsQuery {
    const NAMES: &'static [&'static str] = &[
        "provider",
        "status",
        "is_correct",
        "flag",
        "reviewed",
        "reason",
        "proposed",
        "language",
        FIELDS,
        "sort",
        "include_alignment",
        "include_signed_url",
        "limit",
        "cursor",
    ];

    fn read(pairs: &Pairs) -> Result<Self, Refusal> {
        let Paging { limit, cursor } = pairs.paging()?;
        Ok(Self {
            provider: pairs.text("provider").map(str::to_owned),
            status: pairs.choice("status", &STATUSES)?,
            is_correct: pairs.choice("is_correct", &JUDGEMENTS)?,
            flag: pairs.choice("flag", &Flag::ALL.map(|flag| (flag.name(), flag)))?,
            reviewed: pairs.choice("reviewed", &BY)?,
            reason: pairs.choice("reason", &Reason::ALL.map(|reason| (reason.name(), reason)))?,
            proposed: pairs.flag("proposed", false)?,
            language: pairs.text("language").map(str::to_owned),
            metadata: pairs.named(FIELDS),
            sort: pairs.choice("sort", &Order::ALL)?.unwrap_or(Order::Sample),
            include_alignment: pairs.flag("include_alignment", false)?,
            include_signed_url: pairs.flag("include_signed_url", false)?,
            limit,
            cursor,
        })
    }
}

/// What to show of a result.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ResultQuery {
    /// With words of reference and transcription side by side.
    #[param(value_type = Option<bool>)]
    include_alignment: bool,
    /// With a playback URL.
    #[param(value_type = Option<bool>)]
    include_signed_url: bool,
}

impl FromQuery for ResultQuery {
    const NAMES: &'static [&'static str] = &["include_alignment", "include_signed_url"];

    fn read(pairs: &Pairs) -> Result<Self, Refusal> {
        Ok(Self {
            include_alignment: pairs.flag("include_alignment", false)?,
            include_signed_url: pairs.flag("include_signed_url", false)?,
        })
    }
}

fn word<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words
        .iter()
        .find(|(_, known)| known == value)
        .map_or("", |(word, _)| *word)
}

async fn selection(
    app: &App,
    query: &ResultsQuery,
    run: &Run,
    caller: &Actor,
) -> Result<Selection, Refusal> {
    let mut selection = Selection {
        status: query.status,
        is_correct: query.is_correct,
        flag: query.flag,
        reviewed: query.reviewed.map(|by| by.of(caller.reviewer())),
        reason: query.reason,
        proposed: query.proposed,
        shown: Shown {
            alignment: query.include_alignment,
            signed_url: query.include_signed_url,
        },
        ..Selection::all_of(run)
    };
    if let Some(model) = &query.provider {
        selection.models = vec![results::model(run, model)?];
    }
    let wanted = (query.language.as_deref(), &*query.metadata);
    selection.clips = results::clips(app, run, wanted).await?;
    Ok(selection)
}

/// Lists the results of a run.
///
/// Items without an outcome are listed as `pending` (not with `sort=wer`). A
/// page may be shorter than `limit` and still have a `next_cursor`.
/// `total` comes from the run's counters; with `sort=wer` and `is_correct`, `flag` with
/// another filter, `reviewed`, `reason`, `proposed`, or a language or field with another filter, it is an upper bound. The order by disagreement
/// is worked out once for a state of the run; of a large one that may take several
/// requests, as with reports: 503 with `Retry-After` says how far it is. While a run is
/// under way, or is reviewed meanwhile, an item may be met twice or not at all. Of a run with
/// `blind_review` a reviewer gets the clips of which they have judged every transcription.
#[utoipa::path(get, path = "/runs/{id}/results", tag = "results", operation_id = "list_results",
    params(("id" = RunId, Path, description = "Id of the run"), ResultsQuery),
    responses((status = 200, description = "A page of results", body = ListEnvelope<wire::results::Result>)))]
async fn index(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(query): Params<ResultsQuery>,
    id: PathId<RunId>,
) -> Answer {
    let id = id.get()?;
    let project = &caller.actor.project;
    let run = runs::find(&app, project, id).await?;
    let selection = selection(&app, &query, &run, &caller.actor).await?;
    let fields = serde_json::json!(query.metadata).to_string();
    let filters = [
        &*id.to_string(),
        query.provider.as_deref().unwrap_or_default(),
        query.status.map_or("", |status| word(&STATUSES, &status)),
        query
            .is_correct
            .map_or("", |judged| word(&JUDGEMENTS, &judged)),
        query.flag.map_or("", Flag::name),
        query.reviewed.map_or("", |by| word(&BY, &by)),
        query.reason.map_or("", Reason::name),
        if query.proposed { "true" } else { "" },
        query.language.as_deref().unwrap_or_default(),
        &fields,
        query.sort.name(),
    ];
    let paging = Paging {
        limit: query.limit,
        cursor: query.cursor,
    };
    let pager = Pager::new(&caller, "results", &filters, paging)?;
    let of = (&selection, query.sort);
    let found = results::page(&app, project, &run, of, pager.from(), pager.limit);
    let (mut found, total) = found.await?;
    hidden::hide(&app, &caller.actor, &run, &mut found).await?;
    let (shown, next) = results::show(&app, project, &run, &selection, found).await?;
    list(shown, pager.meta(total, next.as_deref()))
}

/// Shows a result.
#[utoipa::path(get, path = "/results/{id}", tag = "results", operation_id = "get_result",
    params(("id" = ResultId, Path, description = "Id of the result"), ResultQuery),
    responses((status = 200, description = "The result", body = Envelope<wire::results::Result>,
        headers(("ETag" = String, description = "The field `etag`, quoted")))))]
async fn show(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(query): Params<ResultQuery>,
    id: PathId<ResultId>,
) -> Answer {
    let shown = Shown {
        alignment: query.include_alignment,
        signed_url: query.include_signed_url,
    };
    let result = results::one(&app, &caller.actor, id.get()?, shown).await?;
    answer(result)
}

/// An answer about one result, with its tag in the header.
fn answer(result: wire::results::Result) -> Answer {
    let etag = result.etag.clone();
    Ok(tagged(ok(result)?, &etag))
}

/// Lists what reviewers say of a result, all of it, the first of them first.
#[utoipa::path(get, path = "/results/{id}/reviews", tag = "results", operation_id = "list_reviews",
    params(("id" = ResultId, Path, description = "Id of the result")),
    responses((status = 200, description = "The reviews", body = ListEnvelope<wire::results::Review>)))]
async fn said(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<ResultId>,
) -> Answer {
    let said = reviews::list(&app, &caller.actor, id.get()?).await?;
    let own = caller.actor.reviewer();
    let view = |opinion| views::results::review(opinion, &own);
    whole_list(said.into_iter().map(view).collect())
}

/// Scores a result by the reference that its sample has now, or by one that is given, and changes
/// nothing.
///
/// So it is known what a changed reference means for a transcription before the run is scored
/// again. Of a run with `blind_review` a reviewer is told it once they have judged the clip.
#[utoipa::path(post, path = "/results/{id}/score", tag = "results", operation_id = "score_result",
    params(("id" = ResultId, Path, description = "Id of the result")),
    request_body = Option<ScoredBy>,
    responses((status = 200, description = "The error rate by that reference, and the one that counts",
        body = Envelope<ScoredAnew>)))]
async fn score(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<ResultId>,
    MaybeBody { value, .. }: MaybeBody<ScoredBy>,
) -> Answer {
    ok(anew::score(&app, &caller.actor, id.get()?, value).await?)
}

/// Gives, changes or clears the caller's own review of a completed result.
#[utoipa::path(patch, path = "/results/{id}", tag = "results", operation_id = "update_result",
    params(
        ("id" = ResultId, Path, description = "Id of the result"),
        ("If-Match" = Option<String>, Header, description = "The `etag` that was read: 412 when the result has changed since"),
    ),
    request_body = ResultPatch,
    responses((status = 200, description = "The result", body = Envelope<wire::results::Result>,
            headers(("ETag" = String, description = "The field `etag`, quoted"))),
        (status = 412, description = "The result has changed since it was read", body = Refused)))]
async fn update(
    State(app): State<App>,
    AsReviewer(caller): AsReviewer,
    Params(NoQuery): Params<NoQuery>,
    IfMatch(expected): IfMatch,
    id: PathId<ResultId>,
    JsonBody { value, .. }: JsonBody<ResultPatch>,
) -> Answer {
    let change = reviews::check(value)?;
    let (id, actor) = (id.get()?, &caller.actor);
    // The answer names the model.
    if actor.role == Role::Reviewer
        && let Some(run) = app.store.run(&actor.project, id.run()).await?
    {
        hidden::may_see(&app, actor, &run, id).await?;
    }
    let (run, entry) = reviews::save_one(&app, actor, id, expected, change).await?;
    let (outcome, review) = (entry.outcome, entry.review);
    answer(views::results::done(&run, outcome, review, false, None))
}
