//! Support for the end-to-end tests: a machine of its own for each test, and a
//! client that knows the api only by its documents.
//!
//! Everything in here may panic: a test that can't go on has failed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "support of tests: a test that can't go on has failed"
)]

pub mod asked;
pub mod audio;
pub mod client;
pub mod collide;
pub mod contract;
pub mod echo;
pub mod emulator;
pub mod fault;
mod fault_name;
pub mod machine;
pub mod versioned;

pub use client::{Answer, Client};
pub use machine::{Machine, MachineOptions};

/// Path prefix of the api.
pub const API: &str = "/api/v1/evaluations/stt";
