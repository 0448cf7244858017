//! Every template with sample contexts: a page says what its value says, and no more.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

mod compare;
mod consensus;
mod datasets;
mod following;
mod legible;
mod others;
mod report;
mod review;
mod samples;
mod settings;
mod start;
mod texts;
mod verdict;
