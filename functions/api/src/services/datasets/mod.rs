//! Making datasets: samples are drafted from a request or a manifest, checked, and
//! written at once.

pub mod check;
pub mod create;
pub mod draft;
pub mod kept;
pub mod manifest;
mod models;
mod row;
mod snapshot;
pub mod splits;
pub mod table;
