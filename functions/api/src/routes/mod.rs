//! The routes, one file for each kind of thing.

pub mod compare;
pub mod consensus;
pub mod credentials;
pub mod datasets;
pub mod export;
pub mod files;
pub mod gather;
pub mod keys;
pub mod meta;
pub mod models;
pub mod providers;
pub mod report;
pub mod results;
pub mod runs;
pub mod samples;
pub mod sessions;
pub mod whoami;

use gather::Gather;
use stt_eval_shared::wire::paths::{BASE, PROJECT_BASE};

/// Every route.
pub fn all<R: Gather>() -> R {
    let stt = R::default()
        .and(files::routes())
        .and(datasets::routes())
        .and(samples::routes())
        .and(runs::routes())
        .and(report::routes())
        .and(compare::routes())
        .and(consensus::routes())
        .and(export::routes())
        .and(results::routes())
        .and(providers::routes())
        .and(models::routes())
        .and(credentials::routes())
        .and(whoami::routes());
    R::default()
        .below(BASE, stt)
        .below(
            PROJECT_BASE,
            R::default().and(keys::routes()).and(sessions::routes()),
        )
        .and(meta::routes())
}

#[cfg(test)]
mod tests {
    use utoipa::IntoParams;
    use utoipa::openapi::path::ParameterIn;

    use super::*;
    use crate::http::query::{FromQuery, Paging};

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
        documented::<files::FilesQuery>();
        documented::<datasets::DatasetQuery>();
        documented::<runs::RunsQuery>();
        documented::<runs::RunQuery>();
        documented::<report::ReportQuery>();
        documented::<compare::CompareQuery>();
        documented::<export::ExportQuery>();
        documented::<results::ResultsQuery>();
        documented::<results::ResultQuery>();
        documented::<credentials::KeepQuery>();
    }
}
