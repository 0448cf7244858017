//! Datasets and samples.

mod delete;
mod make;
mod manifest;
mod read;
mod samples;
