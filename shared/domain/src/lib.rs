//! What the product is about: files, datasets, samples, runs, units, results.
//!
//! Pure types and state machines. Nothing in here knows of AWS, HTTP or tokio,
//! and every function that depends on time takes the time as an argument.
//!
//! ```
//! use stt_eval_domain::unit::{Event, Policy, Span, Stale, Unit, UnitKey, UnitState};
//! use stt_eval_domain::{RunId, Timestamp};
//!
//! let (now, policy) = (Timestamp::from_millis(1_800_000_000_000), Policy::default());
//! let key = UnitKey { model: 0, round: 1, chunk: 0 };
//! let span = Span { start: 0, end: 100 };
//! let run = RunId::mint(1_800_000_000_000, [7; 10]);
//! let unit = Unit::new("demo".parse()?, run, key, 1, "gemini".into(), vec![span], now, &policy);
//!
//! // The intent to make a batch is written before the batch is made, by one worker only.
//! let claim = |fence| Event::Claim {
//!     fence,
//!     batch_input: "files/input".into(),
//!     batch_name: unit.display_name("deployment", 0),
//!     credential: "credential".into(),
//!     unsent: Vec::new(),
//! };
//! let claimed = unit.step(claim(1), now, &policy)?.unit;
//! assert!(matches!(claimed.state, UnitState::Creating { fence: 1, .. }));
//! assert_eq!(claimed.step(claim(2), now, &policy), Err(Stale));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod accepted;
pub mod admission;
pub mod allowance;
pub mod call;
mod capped;
mod cost_cap;
pub mod dataset;
mod demand;
pub mod dialect;
pub mod endpoint;
pub mod failure;
pub mod file;
pub mod ids;
pub mod imported;
mod joining;
pub mod language;
pub mod manifest;
pub mod pace;
pub mod poll_task;
pub mod reference_origin;
pub mod rescoring;
pub mod result;
pub mod review;
pub mod role;
mod rows;
pub mod run;
mod run_model;
mod scorings;
mod stored_score;
pub mod timestamp;
pub mod transcribe;
pub mod unit;
pub mod upload;
pub mod usage;
pub mod validate;
pub mod word_times;
pub mod wordings;

pub use ids::{DatasetId, FileId, KeyId, ProjectId, ResultId, RunId, SampleId, SessionId};
pub use timestamp::Timestamp;

/// The example of the README, so that it is run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
