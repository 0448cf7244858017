//! What the functions of stt-eval have in common, one module per concept.
//!
//! `domain` and `scoring` are pure: they know nothing of AWS, HTTP or tokio.
//! `store`, `objects`, `queue` and `providers` are the edges, and depend on
//! `domain`, never the other way round.

pub mod access;
pub mod app;
pub mod audio;
pub mod aws;
pub mod config;
pub mod domain;
pub mod logs;
pub mod metrics;
pub mod objects;
pub mod providers;
pub mod queue;
pub mod registration;
pub mod scoring;
pub mod store;

pub use app::{App, Deadline};
