//! The embedded cloud: the functions of stt-eval on one machine, without an
//! AWS account.
//!
//! [`cloud`] is the part that stands in for AWS itself.

pub mod cloud;
