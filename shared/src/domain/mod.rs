//! What the product is about: files, datasets, samples, runs, units, results.
//!
//! Pure types and state machines. Nothing in here knows of AWS, HTTP or tokio,
//! and every function that depends on time takes the time as an argument.

pub mod dataset;
pub mod file;
pub mod ids;
pub mod language;
pub mod manifest;
pub mod rescoring;
pub mod result;
pub mod run;
mod stored_score;
pub mod timestamp;
pub mod unit;
pub mod validate;

pub use ids::{DatasetId, FileId, KeyId, ProjectId, ResultId, RunId, SampleId};
pub use timestamp::Timestamp;
