//! Nothing lost, nothing twice: the real handlers with the official clients,
//! while whatever can go wrong does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

mod admission;
mod again;
mod asked_again;
mod asking;
mod calls;
mod crowd;
mod cycle;
mod draw;
mod dropped;
mod earlier;
mod failing;
mod flow;
mod jobs;
mod killed;
mod leftovers;
mod limits;
mod names;
mod odd;
mod output;
mod patience;
mod race;
mod repeat;
mod replay;
mod rig;
mod short;
mod sites;
mod stands;
mod state;
mod twins;
mod unreadable;
mod uploads;
mod workflow;
