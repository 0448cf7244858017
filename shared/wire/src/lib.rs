//! The HTTP contract of stt-eval as types: requests, answers, the envelope around
//! every answer, and the paths of the routes.
//!
//! Every type is plain owned data that serialises and deserialises, so that the
//! server, clients and page renderers share one definition. The OpenAPI document
//! is made of the same types; where it has another name for one, the attribute
//! `schema(as = …)` says which.
//!
//! Requests refuse unknown fields, as the server does. Answers skip fields they do
//! not know: a client goes on working with a server that says more.
//!
//! ```
//! use stt_eval_wire::envelope::Envelope;
//! use stt_eval_wire::runs::NewRun;
//! use stt_eval_wire::{access, paths};
//!
//! let request = NewRun {
//!     run_name: "first look".into(),
//!     dataset_id: Some("ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1".into()),
//!     providers: Some(vec!["gemini-2.5-pro".into()]),
//!     ..NewRun::default()
//! };
//! assert_eq!(paths::runs(), "/api/v1/evaluations/stt/runs");
//! // What is not given is not sent.
//! assert_eq!(
//!     serde_json::to_value(&request)?,
//!     serde_json::json!({
//!         "run_name": "first look",
//!         "dataset_id": "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1",
//!         "providers": ["gemini-2.5-pro"],
//!     })
//! );
//!
//! let answer = r#"{
//!     "success": true, "error": null, "metadata": null,
//!     "data": {
//!         "provider": "google", "last_four": "wxyz",
//!         "inserted_at": "2026-11-26T10:00:00.000Z", "updated_at": "2026-11-26T10:00:00.000Z"
//!     }
//! }"#;
//! let answer: Envelope<access::Credential> = serde_json::from_str(answer)?;
//! assert_eq!(answer.data.last_four, "wxyz");
//! # Ok::<(), serde_json::Error>(())
//! ```

pub mod access;
pub mod catalogue;
pub mod compared;
pub mod comparison;
pub mod consensus;
pub mod datasets;
pub mod envelope;
pub mod estimate;
pub mod export;
pub mod files;
pub mod findings;
pub mod meta;
pub mod models;
pub mod object;
pub mod paths;
pub mod report;
pub mod results;
pub mod run_comparison;
pub mod runs;
pub mod scored;
pub mod scores;
pub mod secret;
pub mod transcripts;

/// The example of the README, so that it is run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
