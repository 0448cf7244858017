//! Runs.

mod control;
mod failing;
mod list;
mod make;
mod progress;
mod waiting;
