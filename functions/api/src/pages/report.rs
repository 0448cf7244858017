//! The report of a run, as a page and as a file.

use axum::extract::{RawQuery, State};
use http::header::{CONTENT_DISPOSITION, HeaderValue};
use stt_eval_html::layout::Section;
use stt_eval_html::report::{self as html, Links, Order};
use stt_eval_shared::App;
use stt_eval_shared::domain::RunId;

use super::answer::written;
use super::session::Visit;
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::query::{Pairs, encoded};
use crate::services::report::{self, ReportQuestion};

/// What a page is asked for. Fields that are left empty in a form are not given.
fn wanted(query: &Pairs) -> ReportQuestion {
    let text = |name| query.text(name).filter(|text| !text.is_empty());
    ReportQuestion {
        block_by: text("block_by").map(str::to_owned),
        group_by: text("group_by").map(str::to_owned),
        normalizer: text("normalizer").map(str::to_owned),
        scoring: text("scoring").and_then(|number| number.parse().ok()),
    }
}

/// The same as a query, each part with an `&` behind it.
fn query_of(wanted: &ReportQuestion) -> String {
    let scoring = wanted.scoring.map(|number| number.to_string());
    let parts = [
        ("block_by", &wanted.block_by),
        ("group_by", &wanted.group_by),
        ("normalizer", &wanted.normalizer),
        ("scoring", &scoring),
    ];
    let parts = parts.into_iter().filter_map(|(name, value)| {
        let value = value.as_deref()?;
        Some(format!("{name}={}&", encoded(value)))
    });
    parts.collect()
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
    let report = report::report(&app, &visit.caller.actor.project, id, &wanted).await?;
    let query = query_of(&wanted);
    let run = format!("/runs/{id}");
    let links = Links {
        run: &run,
        page: &format!("{run}/report"),
        query: &query,
        file: &format!("{run}/report.html?{query}"),
    };
    let frame = visit.frame(&report.run_name, Section::Runs);
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
    let report = report::report(&app, &visit.caller.actor.project, id, &wanted(&query)).await?;
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
        assert_eq!(wanted.normalizer, None);
        assert_eq!(query_of(&wanted), "group_by=a%26b&scoring=2&");
    }
}
