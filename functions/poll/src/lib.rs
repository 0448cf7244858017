//! The poll function.
