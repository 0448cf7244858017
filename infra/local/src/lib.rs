//! The embedded cloud: the functions of stt-eval on one machine, without an
//! AWS account.
//!
//! [`cloud`] stands in for AWS itself. [`node`] runs the four functions on it,
//! the very ones that are deployed. [`demo`] uses them as a client would,
//! [`replay`] as an operator.

pub mod cloud;
pub mod demo;
pub mod keys;
pub mod node;
pub mod replay;
