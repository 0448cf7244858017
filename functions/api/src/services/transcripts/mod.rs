//! Transcripts that were made elsewhere and become a model of a run: checked against
//! the dataset, then put into the bucket, then named by the run.

pub mod add;
mod clips;
mod doubt;
pub mod keep;
mod manifest;
pub mod read;
pub mod request;
