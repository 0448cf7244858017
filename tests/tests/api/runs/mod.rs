//! Runs.

mod compare;
mod control;
mod estimate;
mod export;
mod failing;
mod imported;
mod joining;
mod list;
mod make;
mod progress;
mod transcripts;
mod waiting;
