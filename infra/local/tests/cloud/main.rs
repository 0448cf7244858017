//! The embedded cloud through its doors, with the official clients.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper that fails has to fail its test"
)]

mod common;
mod front;
mod objects;
mod presigned;
mod pumps;
mod services;
