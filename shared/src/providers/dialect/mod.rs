//! The dialect of `OpenAI`'s transcription endpoint, which many servers speak, each
//! with an accent: see [`Dialect`](crate::domain::dialect::Dialect).
//!
//! One item is one request: a form with the audio as a file, answered by its text.
//! Nothing can be listed or looked up afterwards. What is known of each server, and
//! from where: PROTOCOL.md beside this file.

mod answer;
mod client;
mod hosted;
mod languages;

pub use client::Client;
pub(super) use hosted::hosted;
pub use languages::WHISPER;
