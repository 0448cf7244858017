//! The report of a run, as a page and as a file.

use axum::extract::{RawQuery, State};
use http::header::{CONTENT_DISPOSITION, HeaderValue};
use stt_eval_html::layout::Section;
use stt_eval_html::report::{self as html, Links, Order};
use stt_eval_shared::App;
use stt_eval_shared::domain::RunId;
use stt_eval_shared::wire::report::{Report, SPEAKER};

use super::answer::written;
use super::session::Visit;
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::query::{Pairs, encoded};
use crate::refusal::Refusal;
use crate::services::report::ReportQuestion;
use crate::services::report::blocks::{self, Blocks};
use crate::services::runs;

/// What a page is asked for. Fields that are left empty in a form are not given.
fn wanted(query: &Pairs) -> (ReportQuestion, Blocks) {
    let text = |name| query.text(name).filter(|text| !text.is_empty());
    let question = ReportQuestion {
        block_by: None,
        group_by: text("group_by").map(str::to_owned),
        normalizer: text("normalizer").map(str::to_owned),
        scoring: text("scoring").and_then(|number| number.parse().ok()),
    };
    (question, Blocks::asked(query.text("block_by")))
}

/// The same as names and values.
fn parts((wanted, blocks): &(ReportQuestion, Blocks)) -> Vec<(&'static str, String)> {
    let scoring = wanted.scoring.map(|number| number.to_string());
    let parts = [
        ("block_by", blocks.said().map(str::to_owned)),
        ("group_by", wanted.group_by.clone()),
        ("normalizer", wanted.normalizer.clone()),
        ("scoring", scoring),
    ];
    let given = parts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    given.collect()
}

/// The same as a query, each part with an `&` behind it.
fn query_of(wanted: &(ReportQuestion, Blocks)) -> String {
    let parts = parts(wanted);
    let parts = parts.iter();
    parts
        .map(|(name, value)| format!("{name}={}&", encoded(value)))
        .collect()
}

/// The report that is asked for, and the fields of its clips.
async fn found(
    app: &App,
    visit: &Visit,
    id: RunId,
    (question, blocks): &(ReportQuestion, Blocks),
) -> Result<(Report, Vec<String>), Refusal> {
    let project = &visit.caller.actor.project;
    let run = runs::find(app, project, id).await?;
    let fields = blocks::fields(app, project, run.dataset).await?;
    let blocks = (blocks, fields.contains(SPEAKER));
    let report = blocks::report(app, &run, question.clone(), blocks).await?;
    Ok((report, fields.into_iter().collect()))
}

/// Shows the report.
pub async fn show(
    State(app): State<App>,
    visit: Visit,
    id: PathId<RunId>,
    RawQuery(query): RawQuery,
) -> Answer {
    let id = id.get()?;
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    let wanted = wanted(&query);
    let order = query.text("sort").and_then(|name| name.parse().ok());
    let (report, fields) = found(&app, &visit, id, &wanted).await?;
    let query = query_of(&wanted);
    let mut kept = parts(&wanted);
    kept.retain(|(name, _)| !matches!(*name, "group_by" | "block_by"));
    let run = format!("/runs/{id}");
    let links = Links {
        run: &run,
        page: &format!("{run}/report"),
        query: &query,
        file: &format!("{run}/report.html?{query}"),
        fields: &fields,
        group_by: wanted.0.group_by.as_deref(),
        block_by: report.block_by.as_deref(),
        kept: &kept,
    };
    let frame = visit.frame(&report.run_name, Section::Runs).part("Report");
    let order: Order = order.unwrap_or_default();
    written(html::page(&report, frame, links, order))
}

/// Hands out the report as one file.
pub async fn file(
    State(app): State<App>,
    visit: Visit,
    id: PathId<RunId>,
    RawQuery(query): RawQuery,
) -> Answer {
    let id = id.get()?;
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    let (report, _) = found(&app, &visit, id, &wanted(&query)).await?;
    let mut response = written(html::file(&report))?;
    let name = format!("attachment; filename=\"report-{id}.html\"");
    if let Ok(value) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_kept_in_links() {
        let query = Pairs::any("group_by=a%26b&scoring=2&utm_source=mail&normalizer=&sort=wer");
        let wanted = wanted(&query);
        assert_eq!(wanted.0.normalizer, None);
        assert_eq!(query_of(&wanted), "group_by=a%26b&scoring=2&");
        // Clip by clip is chosen by naming no field, and stays chosen.
        for query in ["block_by=&", "block_by=device&", ""] {
            assert_eq!(query_of(&super::wanted(&Pairs::any(query))), query);
        }
    }
}
