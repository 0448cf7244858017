//! Nothing lost, nothing twice: the real handlers with the official clients,
//! while whatever can go wrong does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

mod again;
mod asking;
mod cycle;
mod draw;
mod earlier;
mod failing;
mod flow;
mod killed;
mod leftovers;
mod output;
mod race;
mod repeat;
mod replay;
mod rig;
mod room;
mod short;
mod sites;
mod stands;
mod state;
mod twins;
mod uploads;
mod workflow;
