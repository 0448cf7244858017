//! The routes, one file for each kind of thing.

pub mod credentials;
pub mod datasets;
pub mod files;
pub mod gather;
pub mod keys;
pub mod meta;
pub mod providers;
pub mod report;
pub mod results;
pub mod runs;
pub mod samples;

use gather::Gather;
use stt_eval_shared::store::Page;

use crate::cursor::Cursors;
use crate::envelope::PageMeta;
use crate::error::ApiError;
use crate::query::Paging;

/// Where the evaluation routes live.
pub const BASE: &str = "/api/v1/evaluations/stt";

/// Every route.
pub fn all<R: Gather>() -> R {
    let stt = R::default()
        .and(files::routes())
        .and(datasets::routes())
        .and(samples::routes())
        .and(runs::routes())
        .and(report::routes())
        .and(results::routes())
        .and(providers::routes())
        .and(credentials::routes());
    R::default()
        .below(BASE, stt)
        .below("/api/v1", keys::routes())
        .and(meta::routes())
}

/// Where a page begins.
fn start(cursors: &Cursors, paging: &Paging) -> Result<Option<String>, ApiError> {
    paging
        .cursor
        .as_deref()
        .map(|cursor| cursors.open(cursor))
        .transpose()
}

/// About a page.
fn page_meta(cursors: &Cursors, paging: &Paging, total: u64, next: Option<&str>) -> PageMeta {
    PageMeta {
        total,
        limit: paging.limit as u64,
        next_cursor: next.map(|position| cursors.seal(position)),
    }
}

/// A page of the store, and about it.
fn split<T>(
    cursors: &Cursors,
    paging: &Paging,
    (page, total): (Page<T>, u64),
) -> (Vec<T>, PageMeta) {
    let meta = page_meta(cursors, paging, total, page.next.as_deref());
    (page.items, meta)
}

#[cfg(test)]
mod tests {
    use utoipa::IntoParams;
    use utoipa::openapi::path::ParameterIn;

    use super::*;
    use crate::query::FromQuery;

    fn documented<T: IntoParams + FromQuery>() {
        let described: Vec<String> = T::into_params(|| Some(ParameterIn::Query))
            .into_iter()
            .map(|p| p.name)
            .collect();
        assert_eq!(described, T::NAMES, "{}", std::any::type_name::<T>());
    }

    #[test]
    fn the_document_tells_of_every_query_parameter() {
        documented::<Paging>();
        documented::<files::FileQuery>();
        documented::<datasets::DatasetQuery>();
        documented::<runs::RunsQuery>();
        documented::<runs::RunQuery>();
        documented::<report::ReportQuery>();
        documented::<results::ResultsQuery>();
        documented::<results::ResultQuery>();
        documented::<credentials::KeepQuery>();
    }
}
