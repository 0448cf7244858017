//! The audio probe through its public face: the bundled clips, hostile files made in code, and
//! files broken at random. The caller is played by [`support`], which keeps it honest.

// Helpers of tests fail by panicking, as tests do; clippy knows only functions marked as tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod clips;
mod disguises;
mod fragments;
mod fuzz;
mod hostile;
mod support;
mod telephone;
