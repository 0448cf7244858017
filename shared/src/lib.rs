//! What the functions of stt-eval have in common, one module per concept.
//!
//! [`domain`], [`scoring`], [`audio`] and [`wire`] are pure, and crates of their
//! own: they can't reach AWS, HTTP or tokio. `store`, `objects`, `queue` and
//! `providers` are the edges, and depend on `domain`, never the other way round.
//! [`work`] is what `submit` and `poll` do alike on all of them.

pub mod access;
pub mod app;
pub mod aws;
pub mod cloudwatch;
pub mod config;
pub mod crypto;
mod deadline;
pub mod demo;
pub mod emf;
pub mod logs;
pub mod objects;
pub mod providers;
pub mod queue;
pub mod registration;
mod sdk_error;
pub mod store;
mod tls;
pub mod work;

pub use app::App;
pub use deadline::Deadline;
pub use stt_eval_audio as audio;
pub use stt_eval_domain as domain;
pub use stt_eval_scoring as scoring;
pub use stt_eval_wire as wire;
