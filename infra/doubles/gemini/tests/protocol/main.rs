//! The protocol and the faults over real HTTP.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, too")]

mod batches;
mod edges;
mod faults;
mod fields;
mod item_faults;
mod process;
mod rig;
mod service;
mod uploads;
