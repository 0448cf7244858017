//! Datasets and samples.

mod delete;
mod make;
mod manifest;
mod races;
mod read;
mod samples;
