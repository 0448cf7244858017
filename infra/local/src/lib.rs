//! The embedded cloud: the functions of stt-eval on one machine, without an
//! AWS account.
//!
//! [`cloud`] stands in for AWS itself. [`node`] runs the four functions on it,
//! the very ones that are deployed. [`demo`] uses them as a client would,
//! [`replay`] as an operator. [`recogniser`] are programs of this machine that listen.

pub mod cloud;
mod credentials;
pub mod demo;
mod door;
mod environment;
pub mod error;
pub mod expiry;
mod functions;
mod hosts;
pub mod keys;
pub mod node;
pub mod options;
pub mod recogniser;
pub mod replay;
