//! The HTTP contract, checked from outside: everything goes through HTTP, signed
//! URLs, objects dropped into the bucket, the queues and the schedule.
//!
//! One machine serves all tests. Each test has projects of its own, so none
//! depends on another, in any order and at once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

mod access;
mod catalogue;
mod datasets;
mod files;
mod idempotency;
mod input;
mod openapi;
mod pages;
mod results;
mod runs;
mod support;
mod tenancy;
