//! Pages of stt-eval: another rendering of the values that the HTTP contract
//! ([`stt_eval_wire`]) already tells, so that people and programs see the same.
//!
//! Pure: a value in, HTML out. Templates (`templates/`) are compiled, every text of
//! people and models is escaped, and none is let through unescaped. Charts are SVG of
//! our own ([`charts`]), since pages have to be readable in the dark, on paper, without
//! scripts and by ear.

pub mod assets;
pub mod buttons;
pub mod charts;
mod clock;
pub mod compare;
pub mod consensus;
pub mod dataset;
pub mod datasets;
pub mod earlier;
pub mod figures;
pub mod following;
mod grid;
pub mod help;
pub mod invisible;
pub mod keys;
pub mod language;
pub mod layout;
pub mod offers;
pub mod own_models;
pub mod problem;
mod progress;
pub mod report;
pub mod results;
pub mod review;
pub mod runs;
pub mod sentence;
pub mod sessions;
pub mod settings;
pub mod sign_in;
pub mod start;
mod summary;
mod texts;
pub mod transcript;
pub mod upload;
pub mod variant;
mod words;

/// A page could not be written. No template of this crate gives a reason to.
pub use askama::Error as RenderError;

/// The example of the README, so that it is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
